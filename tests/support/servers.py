"""Kafka, Postgres and Redis for tests, and on them a newsroom of its own for each test.

Addresses come from TEST_KAFKA_SERVERS, TEST_POSTGRES_DSN and TEST_REDIS_URL where they are set. Otherwise the servers
are started once for the run, when a test first wants them: as processes of this machine, or as containers where
TEST_SERVERS=containers. Where Kafka's jars cannot be fetched, or TEST_SERVERS=embedded, librdkafka's in-memory cluster
takes its place, and tests that want of it what it cannot do are skipped; REQUIRE_REAL=1 makes an error of that.
"""

import contextlib
import os
import subprocess
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from aiokafka.admin import AIOKafkaAdminClient

from local import jars, kafka, postgres, redis
from local.child import free_port, listens
from local.stack import open_folder
from shared.kafka.topics import apply_topics
from shared.settings import Connections
from shared.streams import STREAMS

POSTGRES_IMAGE = "postgres:17"
REDIS_IMAGE = "redis:8"
GIVEN = ("TEST_KAFKA_SERVERS", "TEST_POSTGRES_DSN", "TEST_REDIS_URL")
KINDS = ("processes", "containers", "embedded")
CACHE = Path(__file__).resolve().parents[2] / ".local"


@dataclass(frozen=True)
class Servers:
    """Where the servers are and what they run on: `given`, `containers`, `processes` or `embedded`."""

    kafka: str
    postgres: str
    redis: str
    kind: str
    because: str = ""
    """Why Kafka is the in-memory one, where it is."""
    topic_port: int = 0
    """Where topics of the in-memory cluster are made; 0 where Kafka makes them itself."""

    @property
    def described(self) -> str:
        """For whoever reads what a run has said."""
        return self.kind + (f" ({self.because})" if self.because else "")


def _docker(*arguments: str, timeout_s: float = 20) -> bool:
    try:
        done = subprocess.run(["docker", *arguments], capture_output=True, check=False, timeout=timeout_s)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def in_containers() -> bool:
    """Whether this run wants its servers as containers."""
    return _wanted() == "containers"


def _wanted() -> str:
    wanted = os.environ.get("TEST_SERVERS", "processes")
    if wanted not in KINDS:
        raise pytest.UsageError(f"TEST_SERVERS={wanted}: one of {', '.join(KINDS)}")
    return wanted


def real_wanted() -> bool:
    """Whether a run without Apache Kafka is worth nothing."""
    return os.environ.get("REQUIRE_REAL") == "1"


class ContainerKafka:
    """A broker in a container whose port on this machine stays the same over a restart."""

    def __init__(self) -> None:
        if not _docker("image", "inspect", "testcontainers/ryuk:0.8.1"):
            os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
        from testcontainers.core.container import DockerContainer  # noqa: PLC0415 -- reads its configuration at import

        self.port = free_port()
        host = os.environ.get("TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1")
        self.servers = f"{host}:{self.port}"
        variables = kafka.container_settings(self.servers) | {"KAFKA_HEAP_OPTS": "-Xmx768m -Xms256m"}
        self._container = DockerContainer(kafka.IMAGE).with_bind_ports(9092, self.port)
        for name, value in variables.items():
            self._container.with_env(name, value)

    def start(self) -> None:
        """Start it."""
        self._container.start()

    def wait(self) -> None:
        """Return once it accepts connections."""
        _until(lambda: listens(self.port), "Kafka's container")
        # The port is published before the broker listens behind it.
        _until(lambda: "Kafka Server started" in self._said(), "Kafka's container")

    def _said(self) -> str:
        return b"".join(self._container.get_logs()).decode(errors="replace")

    def kill(self) -> None:
        """SIGKILL; what it has on disk stays."""
        self._container.get_wrapped_container().kill()

    def start_again(self) -> None:
        """Start it after `kill`."""
        self._container.get_wrapped_container().start()

    def stand_still(self) -> None:
        """Keep every connection open and answer nothing."""
        self._container.get_wrapped_container().pause()

    def go_on(self) -> None:
        """Answer again, what came meanwhile first."""
        self._container.get_wrapped_container().unpause()

    def end(self) -> None:
        """Remove it."""
        self._container.stop()


def _until(condition: Callable[[], bool], what: str, patience_s: float = 90) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not come up within {patience_s:.0f} s")
        time.sleep(0.1)


@contextlib.contextmanager
def _containers() -> Iterator[Servers]:
    broker = ContainerKafka()
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 -- as above

    options = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=400"
    database: Any = DockerContainer(POSTGRES_IMAGE).with_exposed_ports(5432).with_command(f"postgres {options}")
    for part in ("USER", "PASSWORD", "DB"):
        database.with_env(f"POSTGRES_{part}", "slugline")
    cache: Any = DockerContainer(REDIS_IMAGE).with_exposed_ports(6379)
    with contextlib.ExitStack() as stack:
        for container in (database, cache):
            container.start()
            stack.callback(container.stop)
        broker.start()
        stack.callback(broker.end)
        broker.wait()
        _until(lambda: container_says(database, b"ready to accept connections", 2), "Postgres' container")
        host = database.get_container_host_ip()
        dsn = f"postgresql://slugline:slugline@{host}:{database.get_exposed_port(5432)}/slugline"
        url = f"redis://{cache.get_container_host_ip()}:{cache.get_exposed_port(6379)}/0"
        yield Servers(broker.servers, dsn, url, "containers")


def container_says(container: Any, words: bytes, times: int) -> bool:
    """Whether the logs of a container hold the words so often: Postgres' image starts twice, the first time to prepare."""
    return b"".join(container.get_logs()).count(words) >= times


def _why_no_kafka() -> str:
    if _wanted() == "embedded":
        return "TEST_SERVERS=embedded"
    try:
        jars.classpath(CACHE)
    except jars.NoJars as reason:
        return str(reason)
    return ""


@contextlib.contextmanager
def _processes(*, to_measure: bool) -> Iterator[Servers]:
    because = _why_no_kafka()
    if because and (real_wanted() or to_measure):
        raise jars.NoJars(because)
    with contextlib.ExitStack() as stack:
        # Postgres does not run as root and needs a folder that its own account can reach.
        folder = stack.enter_context(open_folder())
        logs = folder / "logs"
        database = postgres.Postgres(folder / "postgres", logs / "postgres.log")
        cache = redis.Redis(folder / "redis", logs / "redis.log")
        broker: kafka.Kafka | kafka.MemoryKafka = (
            kafka.MemoryKafka(folder / "kafka", logs / "kafka.log")
            if because
            else kafka.Kafka(folder / "kafka", logs / "kafka.log", CACHE)
        )
        for server in (broker, cache, database):
            server.start()
            assert server.child is not None
            stack.callback(server.child.end)
        for server in (broker, cache, database):
            server.wait()
        kind, port = ("embedded", broker.topic_port) if isinstance(broker, kafka.MemoryKafka) else ("processes", 0)
        # Services of a benchmark reach Postgres as those of `make up` do.
        dsn = database.nearest_dsn if to_measure else database.dsn
        yield Servers(broker.servers, dsn, cache.url, kind, because, port)


RUNNING = pytest.StashKey[Servers]()
"""What the tests of this run ran on; not there where none wanted servers."""


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> Iterator[Servers]:
    """The servers of this run."""
    try:
        with running_servers() as running:
            pytestconfig.stash[RUNNING] = running
            yield running
    except jars.NoJars as reason:
        pytest.exit(f"real Kafka is required: {reason}", returncode=3)


@contextlib.contextmanager
def running_servers(*, to_measure: bool = False) -> Iterator[Servers]:
    """The servers, while the block runs; `to_measure` never as containers, whose ports go through a process of their own.

    Raises `NoJars` where real Kafka is wanted, as it always is to measure, and cannot be had.
    """
    given = [os.environ.get(name, "") for name in GIVEN]
    if all(given):
        yield Servers(*given, "given")
    elif in_containers() and not to_measure:
        with _containers() as running:
            yield running
    else:
        with _processes(to_measure=to_measure) as running:
            yield running


async def _make_topics(servers: Servers, settings: Connections) -> None:
    if servers.topic_port:
        kafka.create_topics(servers.topic_port, [(settings.topic_prefix + t.name, t.partitions) for t in STREAMS])
    await apply_topics(settings)


async def _delete_topics(servers: Servers, settings: Connections) -> None:
    if servers.topic_port:
        return
    client = AIOKafkaAdminClient(bootstrap_servers=servers.kafka)
    await client.start()
    try:
        ours = [topic for topic in await client.list_topics() if topic.startswith(settings.topic_prefix)]
        await client.delete_topics(ours)
    finally:
        await client.close()


async def _as_admin(servers: Servers, statement: str) -> None:
    """On a connection of its own: a test may end all that were there before."""
    admin = await asyncpg.connect(servers.postgres)
    try:
        await admin.execute(statement)
    finally:
        await admin.close()


@contextlib.asynccontextmanager
async def new_newsroom(servers: Servers, media: Path) -> AsyncIterator[Connections]:
    """A topic prefix with its topics, a database and a media folder that nobody else has, while the block runs."""
    name = f"t{uuid.uuid4().hex[:10]}"
    await _as_admin(servers, f"CREATE DATABASE {name}")
    settings = Connections(
        kafka_servers=servers.kafka,
        postgres_dsn=servers.postgres.rsplit("/", 1)[0] + f"/{name}",
        redis_url=servers.redis,
        topic_prefix=f"{name}.",
        media_store=f"file://{media}",
        bind_host="127.0.0.1",
        **({"kafka_fetch_wait_ms": kafka.FETCH_WAIT_MS} if servers.topic_port else {}),
    )
    try:
        await _make_topics(servers, settings)
        yield settings
        await _delete_topics(servers, settings)
    finally:
        await _as_admin(servers, f"DROP DATABASE {name} WITH (FORCE)")


def taken_over_soon(settings: Connections, servers: Servers) -> Connections:
    """The same newsroom, in which Kafka gives away what a dead or frozen process had after a few seconds.

    A broker that was given may allow no less than its own default.
    """
    return settings.model_copy(update={"kafka_session_timeout_s": 6.0 if servers.kind == "given" else 3.0})


@pytest_asyncio.fixture
async def newsroom(servers: Servers, tmp_path: Path) -> AsyncIterator[Connections]:
    """A topic prefix with its topics, a database and a media folder that no other test has; gone afterwards."""
    async with new_newsroom(servers, tmp_path / "media") as settings:
        yield settings
