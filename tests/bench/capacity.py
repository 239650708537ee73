"""What an update, a reader and an alert cost, and what a million readers and a thousand updates a second would take by that.

    python tests/bench/capacity.py [--updates 1500] [--rate 30] [--readers 1000] [--endpoints 20]

Every service runs as a process of its own, on servers that are started for it. Turn one idles, turn two has updates one by one and nobody
who reads, turn three as many as are taken, turn four has open pages as well, turn five has webhook endpoints. Processor time is what the kernel charges each process and
its children; what a turn costs is that less what idling costs for as long. `deploy/capacity/README.md` says how to use the figures.
"""

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "deploy")]

import asyncpg  # noqa: E402 -- after the path
import httpx  # noqa: E402
import psutil  # noqa: E402
import uvloop  # noqa: E402
from redis.asyncio import Redis  # noqa: E402

from shared.settings import Connections  # noqa: E402
from shared.streams import STREAMS  # noqa: E402
from support.pipeline import SERVICES, Pipeline, started  # noqa: E402
from support.processes import Processes  # noqa: E402
from support.servers import Servers, new_newsroom, running_servers  # noqa: E402
from support.topics import everything_in  # noqa: E402
from support.waiting import eventually  # noqa: E402

ALL = (*SERVICES, ("enrich", "media"), ("publish", "push"))
WORDS = [
    "the",
    "harbour",
    "bridge",
    "closes",
    "at",
    "noon",
    "for",
    "an",
    "hour",
    "says",
    "its",
    "master",
    "while",
    "ferries",
    "wait",
    "and",
    "trains",
    "run",
    "late",
    "as",
    "fog",
    "lifts",
]
IDLE_S = 10.0
READERS_A_TASK = 250
SCHEMAS = ("ingest", "enrich", "publish")


@dataclass(frozen=True)
class Look:
    """What has been used up to a moment: processor seconds, resident bytes, and bytes that are kept."""

    at: float
    cpu: Mapping[str, float]
    resident: Mapping[str, int]
    kept: Mapping[str, int]


def used(process: psutil.Process) -> tuple[float, int]:
    """Processor seconds of a process, its children and those that have ended, and what they have resident."""
    seconds, resident = 0.0, 0
    for each in (process, *process.children(recursive=True)):
        try:
            times = each.cpu_times()
            seconds += (
                times.user + times.system + (times.children_user + times.children_system if each == process else 0.0)
            )
            resident += each.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return seconds, resident


CACHES = ("TCP", "sock_inode_cache", "filp", "eventpoll_epi", "eventpoll_pwq")
"""What the kernel keeps of a connection while nothing is on its way, by /proc/slabinfo, which root may read."""


def kernel_bytes() -> int:
    """What those caches hold on the whole machine; 0 for who may not know."""
    try:
        lines = Path("/proc/slabinfo").read_text().splitlines()[2:]
    except OSError:
        return 0
    rows = [line.split() for line in lines]
    return sum(int(row[1]) * int(row[3]) for row in rows if row[0] in CACHES)


class Meter:
    """Looks at everything that runs."""

    def __init__(self, pipeline: Pipeline, settings: Connections) -> None:
        self._settings = settings
        self._watched = {
            name: psutil.Process(each.child.process.pid) for name, each in pipeline.named.items() if each.child.process
        }
        mine = {each.pid for each in self._watched.values()}
        for server in psutil.Process().children():
            if server.pid not in mine:
                self._watched[_server_name(server)] = server

    async def look(self) -> Look:
        """Now."""
        found = {name: used(process) for name, process in self._watched.items()}
        cpu, resident = ({name: each[at] for name, each in found.items()} for at in (0, 1))
        return Look(time.monotonic(), cpu, resident, await self._kept())

    async def _kept(self) -> dict[str, int]:
        connection = await asyncpg.connect(self._settings.postgres_dsn)
        try:
            of_schema = "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class c WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'm')"
            kept = {f"Postgres {each}": int(await connection.fetchval(of_schema, each)) for each in SCHEMAS}
            kept["WAL"] = int(await connection.fetchval("SELECT pg_current_wal_lsn() - '0/0'"))
        finally:
            await connection.close()
        async with Redis.from_url(self._settings.redis_url) as redis:
            kept["Redis"] = int((await redis.info("memory"))["used_memory"])
        for stream in STREAMS:
            if not stream.name.endswith(".dead"):
                records = await everything_in(self._settings, stream)
                kept[f"Kafka {stream.name}"] = sum(
                    len(each.key or b"")
                    + len(each.value or b"")
                    + sum(len(name) + len(value) for name, value in each.headers)
                    for each in records
                )
        return kept


def _server_name(process: psutil.Process) -> str:
    name = process.name()
    return next((known for word, known in (("java", "Kafka"), ("postgres", "Postgres")) if word in name), "Redis")


class Readers:
    """Open pages: sockets that take what comes, and count it."""

    def __init__(self, port: int) -> None:
        self.events = 0
        self.octets = 0
        self._port = port
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, count: int) -> None:
        """So many, each with its stream open when this returns."""
        for _ in range(0, count, READERS_A_TASK):
            opened = [asyncio.create_task(self._one()) for _ in range(min(READERS_A_TASK, count - len(self._tasks)))]
            self._tasks += [asyncio.create_task(self._read(*await each)) for each in opened]

    async def _one(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(b"GET /v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in head, head
        return reader, writer

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                self.octets += len(data)
                self.events += data.count(b"\nevent: ") + data.startswith(b"event: ")
        finally:
            writer.close()

    async def close(self) -> None:
        """All leave."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Endpoints:
    """Partners' webhooks on one port: each is counted and taken."""

    def __init__(self) -> None:
        self.taken = 0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r\n")[0]))
                self.taken += 1
                writer.write(b"HTTP/1.1 204 -\r\nContent-Length: 0\r\n\r\n")
        except (OSError, asyncio.IncompleteReadError):
            writer.close()

    async def open(self, pipeline: Pipeline, count: int) -> None:
        """So many endpoints subscribe."""
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        run = pipeline.processes.run
        made = await asyncio.to_thread(run, pipeline.settings, "publish", "push", "keys", "add", "capacity")
        async with httpx.AsyncClient(
            timeout=30, headers={"Authorization": f"Bearer {json.loads(made)['key']}"}
        ) as client:
            for number in range(count):
                answer = await client.post(
                    pipeline.named["publish-push"].url + "/v1/push/endpoints",
                    json={"url": f"http://127.0.0.1:{self.port}/hook/{number}"},
                )
                answer.raise_for_status()


def _update(drawn: random.Random, name: str, number: int) -> dict[str, str]:
    body = "".join(f"<p>{' '.join(drawn.choices(WORDS, k=55))}.</p>" for _ in range(4))
    headline = " ".join(drawn.choices(WORDS, k=8))
    return {"guid": f"{name}-{number}", "headline": headline, "body_html": body, "byline": "By Ada Quill"}


async def publish(
    pipeline: Pipeline, connection: Any, name: str, count: int, *, rate: float | None, at_once: int = 1
) -> float:
    """So many updates, each of about 1.2 kB of text, at that rate or as many as are taken; how long until all are archived."""
    drawn, began = random.Random(name), time.monotonic()
    for first in range(0, count, at_once):
        answer = await pipeline.post(
            *(_update(drawn, name, number) for number in range(first, min(first + at_once, count)))
        )
        answer.raise_for_status()
        if rate is not None:
            await asyncio.sleep(max(0.0, began + (first + at_once) / rate - time.monotonic()))
    archived = "SELECT count(*) FROM publish.updates"
    wanted = await connection.fetchval("SELECT count(*) FROM ingest.items")
    await eventually(
        lambda: connection.fetchval(archived), lambda found: found >= wanted, within_s=120, what="not archived"
    )
    # What is written once a second, or once a quarter of it, is the cost of these updates, too.
    await asyncio.sleep(2)
    return time.monotonic() - began


def spent(before: Look, after: Look, idle: Mapping[str, float]) -> dict[str, float]:
    """Processor seconds of each process between two looks, less what idling takes."""
    took = after.at - before.at
    return {name: max(0.0, after.cpu[name] - before.cpu[name] - idle[name] * took) for name in before.cpu}


async def measure(servers: Servers, options: argparse.Namespace) -> dict[str, Any]:
    """All four turns."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with new_newsroom(servers, folder / "media") as settings:
            processes = Processes(folder / "logs")
            os.environ |= {"PUBLISH_PUSH_ALLOW_PRIVATE": "true", "PUBLISH_STREAM_PER_ADDRESS": str(options.readers + 10),
                           "HTTP_CONNECTIONS_PER_ADDRESS": str(options.readers + 100), "PUBLISH_WEB_CONNECTIONS": str(options.readers + 1000)}  # fmt: skip
            async with started(settings, processes, folder, ALL) as pipeline:
                connection = await asyncpg.connect(settings.postgres_dsn)
                try:
                    return await _turns(pipeline, settings, connection, options)
                finally:
                    await connection.close()


async def _turns(
    pipeline: Pipeline, settings: Connections, connection: Any, options: argparse.Namespace
) -> dict[str, Any]:
    meter = Meter(pipeline, settings)
    await publish(pipeline, connection, "warm", 100, rate=options.rate)
    before = await meter.look()
    await asyncio.sleep(IDLE_S)
    after = await meter.look()
    idle = {name: (after.cpu[name] - before.cpu[name]) / (after.at - before.at) for name in before.cpu}
    # Updates alone.
    before = after
    await publish(pipeline, connection, "alone", options.updates, rate=options.rate)
    after = await meter.look()
    update_ms = {name: 1000 * seconds / options.updates for name, seconds in spent(before, after, idle).items()}
    kept = {name: (after.kept[name] - before.kept[name]) / options.updates for name in before.kept}
    resident = dict(after.resident)
    # As many as are taken, fifty in a request.
    before = after
    took_s = await publish(pipeline, connection, "many", options.updates, rate=None, at_once=50)
    after = await meter.look()
    many_ms = {name: 1000 * seconds / options.updates for name, seconds in spent(before, after, idle).items()}
    # With readers.
    readers, few = Readers(pipeline.named["publish-web"].port), max(50, options.updates // 5)
    kernel = kernel_bytes()
    await readers.open(options.readers)
    # Both ends of each connection are on this machine.
    kernel = (kernel_bytes() - kernel) // 2
    before = await meter.look()
    memory = (before.resident["publish-web"] - after.resident["publish-web"]) / options.readers
    await publish(pipeline, connection, "read", few, rate=options.rate)
    after = await meter.look()
    await readers.close()
    web_s = spent(before, after, idle)["publish-web"] - few * update_ms["publish-web"] / 1000
    # With webhooks.
    endpoints = Endpoints()
    await endpoints.open(pipeline, options.endpoints)
    before = await meter.look()
    told = max(30, few // 3)
    await publish(pipeline, connection, "told", told, rate=min(options.rate, 10))
    await eventually(
        lambda: endpoints.taken, lambda taken: taken >= told * options.endpoints, within_s=120, what="webhooks"
    )
    after = await meter.look()
    costs = spent(before, after, idle)
    return {
        "load": os.getloadavg()[0],
        "idle_cores": idle,
        "update_cpu_ms": update_ms,
        "update_cpu_ms_in_a_flood": many_ms,
        "flood_per_s": options.updates / took_s,
        "update_bytes_kept": kept,
        "resident_mb": {name: round(value / 1e6) for name, value in resident.items()},
        "reader": {
            "events": readers.events,
            "cpu_us_an_event": 1e6 * web_s / max(1, readers.events),
            "bytes_an_event": readers.octets / max(1, readers.events),
            "resident_bytes": memory,
            "kernel_bytes": kernel / options.readers,
        },
        "delivery": {
            "count": endpoints.taken,
            # With its share of what the update itself costs push.
            "push_cpu_ms": 1000 * costs["publish-push"] / endpoints.taken,
            "bytes_kept": (after.kept["Postgres publish"] - before.kept["Postgres publish"] - told * kept["Postgres publish"]) / endpoints.taken,
        },
    }  # fmt: skip


def on_paper(found: Mapping[str, Any], readers: int, updates_per_s: float) -> list[str]:
    """What so many would take: cores at 60 % of use, bytes a second, and disk a day."""
    cpu, reader = found["update_cpu_ms" if updates_per_s < 50 else "update_cpu_ms_in_a_flood"], found["reader"]
    cores = {name: updates_per_s * each / 1000 / 0.6 for name, each in cpu.items()}
    fan_out = readers * updates_per_s * reader["cpu_us_an_event"] / 1e6 / 0.6
    disk = sum(value for name, value in found["update_bytes_kept"].items() if name.split()[0] in ("Kafka", "Postgres"))
    return [
        f"{readers:,} readers and {updates_per_s:g} updates/s:",
        f"  events out: {readers * updates_per_s:,.0f}/s, {8 * readers * updates_per_s * reader['bytes_an_event'] / 1e9:,.1f} Gbit/s",
        f"  cores of publish web for them: {fan_out:,.0f}; memory of open pages: {readers * (reader['resident_bytes'] + reader['kernel_bytes']) / 1e9:,.1f} GB",
        "  cores for the updates: " + ", ".join(f"{name} {value:.1f}" for name, value in sorted(cores.items())),
        f"  disk: {disk * updates_per_s * 86_400 / 1e9:,.0f} GB a day before replicas and retention",
    ]


def main() -> None:
    """Measure and print; JSON to .local/bench/capacity.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--updates", type=int, default=1500)
    parser.add_argument("--rate", type=float, default=30, help="updates a second")
    parser.add_argument("--readers", type=int, default=1000)
    parser.add_argument("--endpoints", type=int, default=20, help="of webhooks")
    options = parser.parse_args()
    with running_servers(to_measure=True) as servers:
        found = uvloop.run(measure(servers, options))
    print(f"what things cost, on {os.cpu_count()} cores, load {found['load']:.1f}")
    for name in sorted(found["update_cpu_ms"]):
        print(
            f"  {name:16} {found['update_cpu_ms'][name]:7.2f} ms an update, {found['update_cpu_ms_in_a_flood'][name]:6.2f} in a flood, idle {found['idle_cores'][name]:.3f} cores, {found['resident_mb'][name]} MB"
        )
    print(f"  a flood is taken at {found['flood_per_s']:.0f}/s, with all of this on one machine")
    for name, value in found["update_bytes_kept"].items():
        print(f"  {name:24} {value:8.0f} bytes an update")
    for what in ("reader", "delivery"):
        print(f"  {what}: " + ", ".join(f"{name} {value:,.2f}" for name, value in found[what].items()))
    lines = [*on_paper(found, 1_000_000, 1), *on_paper(found, 1_000_000, 1000), *on_paper(found, 100_000, 5)]
    print("\n".join(lines))
    output = ROOT / ".local/bench/capacity.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(found | {"on paper": lines}, indent=1) + "\n")


if __name__ == "__main__":
    main()
