"""A newsroom of its own: servers that may be killed, every service as a process that is started again when it ends.

Each process reaches Postgres and Redis through proxies of its own, so that the network between any two can be cut.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from local.child import Child, NotReady, end_all, free_port
from local.kafka import Kafka
from local.postgres import Postgres
from local.redis import Redis
from local.stack import open_folder
from oracle.differences import Differences
from oracle.faults.machine import Clock, Disk, clock_at, disk_at
from shared.kafka.topics import apply_topics
from shared.settings import Connections
from support.processes import Processes
from support.proxy import Proxy
from support.servers import CACHE

WIRES = ("north", "agency", "paper")
PORTS = {"ingest-api": "INGEST_PORT", "publish-web": "PORT", "publish-push": "PUBLISH_PUSH_PORT"}
WORKERS = (
    "ingest-api", "enrich-text", "enrich-gather", "enrich-media", "publish-archive", "publish-cache", "publish-web", "publish-web-2",
    "publish-push",
)  # fmt: skip
SPARES = ("enrich-text-2", "publish-archive-2", "publish-cache-2")
"""Second replicas, which a fault starts and ends, so that partitions move while work is in flight."""
USES_REDIS = ("publish-cache", "publish-cache-2", "publish-push")
HAS_OWN_CLOCK = (
    "ingest-api",
    "enrich-text",
    "enrich-gather",
    "publish-archive",
    "publish-cache",
    "publish-web",
    "publish-web-2",
    "publish-push",
)
"""Processes whose clock can be stepped. enrich media is none: its renderers may not load what its environment names."""
RESTART_S = 0.2
DIRECTORY_KEY = "directory-key-of-the-oracle"


@dataclass
class Worker:
    """One process of a service."""

    name: str
    child: Child
    port: int
    log: Proxy
    """To Kafka, and so on."""
    database: Proxy
    cache: Proxy
    clock: Clock | None = None
    """Its own, where it can be stepped."""
    wanted: bool = True
    """Whether it is started again when it ends."""
    busy: bool = False
    """Whether a fault is at it."""
    ready_since: float | None = None
    crash_at: str = ""
    """Where it dies after its next start."""
    ends: list[int] = field(default_factory=list)
    """Its exit codes."""
    crashed_at: list[str] = field(default_factory=list)
    """The crash points at which it died, by their marks."""
    killed: int = 0
    """How often a fault killed it."""

    @property
    def url(self) -> str:
        """Where its HTTP listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def mark(self) -> Path:
        """What it writes before it dies at a crash point."""
        return self.child.log.with_suffix(".mark")

    def start(self) -> None:
        """Start it, armed once."""
        env = {name: value for name, value in self.child.env.items() if not name.startswith("CRASH_")}
        self.mark.unlink(missing_ok=True)
        if self.crash_at:
            env |= {"CRASH_AT": self.crash_at, "CRASH_MARK": str(self.mark)}
        self.crash_at = ""
        self.ready_since = None
        self.child.env = env
        self.child.start()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and its children."""
        assert self.child.process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.process.pid, number)


@dataclass
class Newsroom:
    """Servers and workers."""

    folder: Path
    kafka: Kafka
    postgres: Postgres
    redis: Redis
    differences: Differences
    settings: Connections
    disk: Disk | None = None
    """Of servers and pictures, where it can be full."""
    workers: dict[str, Worker] = field(default_factory=dict)
    proxies: list[Proxy] = field(default_factory=list)

    def worker(self, name: str) -> Worker:
        """A process by its name."""
        return self.workers[name]

    @property
    def webs(self) -> list[str]:
        """The addresses of the web replicas."""
        return [self.workers[name].url for name in ("publish-web", "publish-web-2")]

    def run(self, *arguments: str, **env: str) -> str:
        """Run a command of a service; what it printed."""
        return Processes(self.folder).run(self.settings, *arguments, PYTHONWARNINGS="ignore", **env)

    async def supervise(self) -> None:
        """Start again whatever has ended, and note since when each is ready; until cancelled."""
        async with httpx.AsyncClient(timeout=1) as client:
            while True:
                for worker in self.workers.values():
                    if worker.wanted and not worker.child.running:
                        self._note_end(worker)
                        await asyncio.sleep(RESTART_S)
                        if worker.wanted:
                            worker.start()
                await asyncio.gather(*(self._look(client, worker) for worker in self.workers.values()))
                await asyncio.sleep(0.25)

    def _note_end(self, worker: Worker) -> None:
        assert worker.child.process is not None
        code = worker.child.process.returncode
        worker.ends.append(code)
        if worker.mark.exists():
            worker.crashed_at.append(worker.mark.read_text().strip())
            worker.mark.unlink()
        if code != -signal.SIGKILL:
            self.differences.add(
                "processes", "ended by itself", worker.name, expected="it runs", got=f"{code}: {worker.child.tail(30)}"
            )

    async def _look(self, client: httpx.AsyncClient, worker: Worker) -> None:
        ready = False
        if worker.child.running and not worker.busy:
            with contextlib.suppress(httpx.TransportError):
                ready = (await client.get(f"{worker.url}/readyz")).status_code == 200
        if not ready:
            worker.ready_since = None
        elif worker.ready_since is None:
            worker.ready_since = time.monotonic()

    async def healthy(self, within_s: float) -> float | None:
        """After how long every process was ready; None where it was not in time."""
        began = time.monotonic()
        while time.monotonic() < began + within_s:
            if all(worker.ready_since is not None for worker in self.workers.values() if worker.wanted):
                return time.monotonic() - began
            await asyncio.sleep(0.1)
        return None

    def unready(self) -> list[str]:
        """The processes that are not ready."""
        return [worker.name for worker in self.workers.values() if worker.wanted and worker.ready_since is None]


@contextlib.asynccontextmanager
async def _ways_to_kafka(names: Sequence[str]) -> AsyncIterator[dict[str, Proxy]]:
    """A proxy for each process, each to a listener of its own: Kafka tells its clients where to go on."""
    ways = {name: Proxy("127.0.0.1", free_port()) for name in names}
    try:
        for proxy in ways.values():
            await proxy.start()
        yield ways
    finally:
        for proxy in ways.values():
            proxy.thaw()
            await proxy.cut()


def _listeners(port: int, controller: int, ways: Mapping[str, Proxy]) -> dict[str, str]:
    """Kafka's settings for them, beside the listener of whoever comes without a proxy."""
    named = {f"WAY{number}": proxy for number, proxy in enumerate(ways.values())}
    own, control = f"PLAINTEXT://127.0.0.1:{port}", f"CONTROLLER://127.0.0.1:{controller}"
    listening = [f"{name}://127.0.0.1:{proxy.target_port}" for name, proxy in named.items()]
    return {
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "listeners": ",".join([own, control, *listening]),
        "advertised.listeners": ",".join([own, *(f"{name}://127.0.0.1:{proxy.port}" for name, proxy in named.items())]),
        "listener.security.protocol.map": ",".join(f"{each}:PLAINTEXT" for each in ("PLAINTEXT", "CONTROLLER", *named)),
        "inter.broker.listener.name": "PLAINTEXT",
        "num.network.threads": "1",
    }


@contextlib.contextmanager
def _servers(folder: Path, place: Path, ways: Mapping[str, Proxy]) -> Iterator[tuple[Kafka, Postgres, Redis]]:
    postgres = Postgres(place / "postgres", folder / "logs" / "postgres.log", durable=True)
    redis = Redis(place / "redis", folder / "logs" / "redis.log")
    port, controller = free_port(), free_port()
    kafka = Kafka(
        place / "kafka", folder / "logs" / "kafka.log", CACHE, port=port, more=_listeners(port, controller, ways)
    )  # fmt: skip
    with contextlib.ExitStack() as stack:
        for server in (kafka, redis, postgres):
            server.start()
            stack.callback(lambda server=server: server.child.end() if server.child else None)  # type: ignore[misc]
        for server in (kafka, redis, postgres):
            server.wait()
        yield kafka, postgres, redis


def _sources(folder: Path) -> Path:
    path = folder / "sources.toml"
    tables = [f'[[source]]\nname = "{name}"\nkey_env = "{name.upper()}_KEY"\nrate_per_s = 10000' for name in WIRES]
    tables.append('[[source]]\nname = "desk"\ndesk = true\nkey_env = "DESK_KEY"\nrate_per_s = 10000')
    path.write_text("\n".join(tables))
    return path


def key_of(source: str) -> str:
    """The key of a source or the desk."""
    return f"{source}-key-of-the-oracle"


def _environment(settings: Connections, site: str, webs: list[str]) -> dict[str, str]:
    variables = {name.upper(): str(value) for name, value in settings.model_dump().items()}
    return variables | {
        "LOG_LEVEL": "info", "LOG_FORMAT": "json", "PUBLISH_SITE_URL": site, "PUBLISH_PUSH_WEB_URLS": ",".join(webs),
        "PUBLISH_PUSH_ALLOW_PRIVATE": "true", "PUBLISH_PUSH_TIMEOUT_S": "3", "PUBLISH_PUSH_SCHEDULE_S": ",".join(["0.5"] * 60),
        "PUBLISH_STREAM_RETRY_MS": "100", "ENRICH_RELEASE_AGAIN_S": "10", "ENRICH_MEDIA_ALLOW_PRIVATE": "true",
        "ENRICH_MEDIA_LEASE_S": "8", "ENRICH_MEDIA_RETRY_S": "1", "ENRICH_MEDIA_RENDERERS": "1",
        "ENRICH_API_KEY_SHA256": hashlib.sha256(DIRECTORY_KEY.encode()).hexdigest(),
    }  # fmt: skip


async def _add_worker(newsroom: Newsroom, name: str, port: int, log: Proxy, environment: dict[str, str]) -> None:
    dsn, cache = urlsplit(newsroom.settings.postgres_dsn), urlsplit(newsroom.settings.redis_url)
    assert dsn.port is not None
    assert cache.port is not None
    to_database, to_cache = Proxy("127.0.0.1", dsn.port), Proxy("127.0.0.1", cache.port)
    for proxy in (to_database, to_cache):
        await proxy.start()
        newsroom.proxies.append(proxy)
    service, process = name.split("-")[:2]
    env = environment | {
        "KAFKA_SERVERS": f"127.0.0.1:{log.port}",
        "POSTGRES_DSN": newsroom.settings.postgres_dsn.replace(f":{dsn.port}/", f":{to_database.port}/"),
        "REDIS_URL": newsroom.settings.redis_url.replace(f":{cache.port}/", f":{to_cache.port}/"),
        PORTS.get(f"{service}-{process}", "HEALTH_PORT"): str(port),
    }
    command = [sys.executable, "-m", service, process]
    clock = clock_at(newsroom.folder / "clocks" / name) if name in HAS_OWN_CLOCK else None
    if clock is not None:
        env |= clock.environment
    child = Child(name, command, newsroom.folder / "logs" / f"{name}.log", env=env)
    newsroom.workers[name] = Worker(name, child, port, log, to_database, to_cache, clock, wanted=name in WORKERS)


@contextlib.asynccontextmanager
async def opened(differences: Differences) -> AsyncIterator[Newsroom]:
    """A newsroom that runs, while the block does."""
    async with _ways_to_kafka([*WORKERS, *SPARES]) as ways:
        with (
            open_folder() as folder,
            disk_at(folder / "disk") as disk,
            _servers(folder, folder / "disk", ways) as servers,
        ):
            async with _running(folder, disk, servers, ways, differences) as newsroom:
                yield newsroom


@contextlib.asynccontextmanager
async def _running(
    folder: Path,
    disk: Disk | None,
    servers: tuple[Kafka, Postgres, Redis],
    ways: Mapping[str, Proxy],
    differences: Differences,
) -> AsyncIterator[Newsroom]:
    kafka, postgres, redis = servers
    settings = Connections(
        kafka_servers=kafka.servers, postgres_dsn=postgres.dsn, redis_url=redis.url, topic_prefix="oracle.",
        media_store=f"file://{folder / 'disk' / 'media'}", bind_host="127.0.0.1",
    )  # fmt: skip
    await apply_topics(settings)
    newsroom = Newsroom(folder, kafka, postgres, redis, differences, settings, disk)
    ports = {name: free_port() for name in (*WORKERS, *SPARES)}
    webs = [f"http://127.0.0.1:{ports[name]}" for name in ("publish-web", "publish-web-2")]
    environment = _environment(settings, webs[0], webs)
    environment["PUBLISH_PUSH_URL"] = f"http://127.0.0.1:{ports['publish-push']}"
    for name, port in ports.items():
        await _add_worker(newsroom, name, port, ways[name], environment)
    supervising: asyncio.Task[None] | None = None
    try:
        for name in WORKERS:
            newsroom.worker(name).start()
        keys = {f"{name.upper()}_KEY": key_of(name) for name in (*WIRES, "desk")}
        await asyncio.to_thread(newsroom.run, "ingest", "sources", "apply", str(_sources(folder)), **keys)
        supervising = asyncio.create_task(newsroom.supervise())
        if await newsroom.healthy(60) is None:
            raise NotReady(f"not ready: {newsroom.unready()}: {newsroom.worker(newsroom.unready()[0]).child.tail(30)}")
        yield newsroom
    finally:
        if supervising is not None:
            supervising.cancel()
            await asyncio.gather(supervising, return_exceptions=True)
        for worker in newsroom.workers.values():
            worker.wanted = False
            if worker.child.running:
                worker.signal(signal.SIGCONT)
        # In a thread, since what they say on their way out goes through proxies of this loop.
        started = [worker.child for worker in newsroom.workers.values() if worker.child.process]
        await asyncio.to_thread(end_all, started, 10)
        for proxy in newsroom.proxies:
            proxy.thaw()
            await proxy.cut()
        if kept := os.environ.get("ORACLE_LOGS"):
            _keep_logs(folder, Path(kept))


def _keep_logs(folder: Path, place: Path) -> None:
    place.mkdir(parents=True, exist_ok=True)
    for log in (folder / "logs").glob("*.log"):
        (place / log.name).write_bytes(log.read_bytes())


def push_key(newsroom: Newsroom) -> str:
    """A key by which webhooks are subscribed."""
    key: str = json.loads(newsroom.run("publish", "push", "keys", "add", "oracle"))["key"]
    return key
