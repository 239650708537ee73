"""A broker and a Postgres that a test may kill, and newsrooms on them."""

import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from local import jars, kafka, postgres
from local.stack import open_folder
from shared.settings import Connections
from support.servers import CACHE, ContainerKafka, Servers, in_containers, new_newsroom, real_wanted, taken_over_soon


class ProcessKafka:
    """Apache Kafka as a local process of this test."""

    def __init__(self, folder: Path) -> None:
        self._kafka = kafka.Kafka(folder / "kafka", folder / "kafka.log", CACHE)

    @property
    def servers(self) -> str:
        """Its address, the same after a restart."""
        return self._kafka.servers

    def start(self) -> None:
        """Start it."""
        self._kafka.start()

    def wait(self) -> None:
        """Return once it accepts connections."""
        self._kafka.wait()

    def kill(self) -> None:
        """SIGKILL; what it has on disk stays."""
        assert self._kafka.child is not None
        self._kafka.child.kill()

    def start_again(self) -> None:
        """Start it after `kill`."""
        self._kafka.start()

    def stand_still(self) -> None:
        """Keep every connection open and answer nothing."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Answer again, what came meanwhile first."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._kafka.child is not None
        assert self._kafka.child.process is not None
        self._kafka.child.process.send_signal(number)

    def end(self) -> None:
        """End it."""
        self.kill()


@pytest_asyncio.fixture
async def newsroom(newsroom: Connections, servers: Servers) -> Connections:
    """A newsroom in which a process that died is missed soon."""
    return taken_over_soon(newsroom, servers)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[ProcessKafka | ContainerKafka]:
    """A broker of this test alone: a container where the run uses containers, else a local process."""
    own: ProcessKafka | ContainerKafka = ContainerKafka() if in_containers() else ProcessKafka(tmp_path)
    try:
        own.start()
    except jars.NoJars as reason:
        if real_wanted():
            raise
        pytest.skip(f"a broker that can be killed is needed: {reason}")
    try:
        own.wait()
        yield own
    finally:
        own.end()


@pytest_asyncio.fixture
async def newsroom_on_broker(
    servers: Servers, broker: ProcessKafka | ContainerKafka, tmp_path: Path
) -> AsyncIterator[Connections]:
    """A newsroom whose Kafka is `broker`."""
    own = replace(servers, kafka=broker.servers, topic_port=0)
    async with new_newsroom(own, tmp_path / "media") as settings:
        yield taken_over_soon(settings, own)


@pytest.fixture
def database() -> Iterator[postgres.Postgres]:
    """A Postgres of this test alone, which keeps what it has committed when it is killed."""
    # Postgres does not run as root and needs a folder that its own account can reach.
    with open_folder() as folder:
        own = postgres.Postgres(folder / "postgres", folder / "postgres.log", durable=True)
        try:
            own.start()
            own.wait()
            yield own
        finally:
            if own.child is not None:
                own.child.end()


@pytest_asyncio.fixture
async def newsroom_on_database(
    servers: Servers, database: postgres.Postgres, tmp_path: Path
) -> AsyncIterator[Connections]:
    """A newsroom whose Postgres is `database`."""
    async with new_newsroom(replace(servers, postgres=database.dsn), tmp_path / "media") as settings:
        yield taken_over_soon(settings, servers)
