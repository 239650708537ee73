"""A million updates beside a few: how soon a web replica is ready, what it answers and how fast, how fast the archive writes.

    python tests/bench/growth.py [--rows 1000000] [--small 2000] [--questions 200] [--keep]

Both archives are filled by the code that archives, with copy of five years: stories, tags, authors, six languages, corrections
and removals. A web replica of its own stands before each; the two are asked by turns, and every address once, so that nothing
comes out of a cache. `--keep` leaves the databases, and takes those that it finds.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "deploy"), str(ROOT / "tests/bench")]

from large_archive.asking import Answered, Site, ask_in_turns, questions  # noqa: E402 -- after the path
from large_archive.filling import fill, make_log  # noqa: E402
from large_archive.made_copy import EPOCH, last_offset  # noqa: E402

from publish.archive.store import Revision, write_batch  # noqa: E402
from publish.representation.position import Position  # noqa: E402
from publish.settings import Settings  # noqa: E402
from shared.kafka.cloudevents import value_of  # noqa: E402
from shared.kafka.topics import apply_topics  # noqa: E402
from shared.messages import EnrichedUpdate, update_id_for  # noqa: E402
from shared.postgres.pool import Pool, connect  # noqa: E402
from shared.settings import Connections  # noqa: E402
from support.processes import Process, Processes  # noqa: E402
from support.servers import Servers, running_servers  # noqa: E402

READY_GOAL_S = 3.0
THROUGHPUT_GOAL = 0.8
STARTS, WRITES, WRITTEN = 3, 12, 250
TABLES = ("revisions", "updates", "update_channels", "channel_log", "search_index", "stories", "pictures")


@dataclass(frozen=True)
class Newsroom:
    """An archive of so many updates, and its log."""

    rows: int
    settings: Connections
    filled_s: float


async def _as_admin(servers: Servers, statement: str) -> bool:
    admin = await asyncpg.connect(servers.postgres)
    try:
        return bool(await admin.fetchval(statement))
    finally:
        await admin.close()


@contextlib.asynccontextmanager
async def newsroom(servers: Servers, rows: int, *, keep: bool) -> AsyncIterator[Newsroom]:
    """An archive that is filled, with a log that is as long."""
    name = f"growth_{rows}"
    settings = Connections(
        kafka_servers=servers.kafka, postgres_dsn=servers.postgres.rsplit("/", 1)[0] + f"/{name}",
        redis_url=servers.redis, topic_prefix=f"{name}.", bind_host="127.0.0.1",
    )  # fmt: skip
    filled_s = 0.0
    if not await _as_admin(servers, f"SELECT true FROM pg_database WHERE datname = '{name}'"):
        await _as_admin(servers, f'CREATE DATABASE "{name}"')
        await apply_topics(settings)
        await make_log(settings, rows)
        filled_s = await fill(settings.postgres_dsn, rows, lambda line: print(f"  {name}: {line}", flush=True))
    try:
        yield Newsroom(rows, settings, filled_s)
    finally:
        if not keep:
            await _as_admin(servers, f'DROP DATABASE "{name}" WITH (FORCE)')


async def _started(processes: Processes, room: Newsroom) -> tuple[Process, float]:
    """A web replica, and the seconds until it is ready."""
    began = time.monotonic()
    process = processes.start(room.settings, "publish", "web", PUBLISH_API_PER_MINUTE="0")
    async with httpx.AsyncClient() as client:
        while True:
            with contextlib.suppress(httpx.TransportError):
                if (await client.get(f"{process.url}/readyz")).status_code == 200:
                    return process, time.monotonic() - began
            if not process.child.running or time.monotonic() - began > 60:
                raise RuntimeError(processes.logs())
            await asyncio.sleep(0.02)


async def starts(processes: Processes, rooms: dict[str, Newsroom]) -> dict[str, list[float]]:
    """Seconds until a replica is ready, by turns."""
    found: dict[str, list[float]] = {name: [] for name in rooms}
    for _ in range(STARTS):
        for name, room in rooms.items():
            process, took_s = await _started(processes, room)
            found[name].append(took_s)
            process.child.end()
    return found


async def _next(pool: Pool, room: Newsroom, turn: int) -> list[Revision]:
    """What would come next: new updates, and every fourth time another revision of an old one, spread over the whole archive."""
    rows = await pool.fetch(
        "(SELECT data FROM publish.updates WHERE update_id >= $2 AND visible ORDER BY update_id LIMIT $1) UNION ALL "
        "(SELECT data FROM publish.updates WHERE update_id < $2 AND visible ORDER BY update_id LIMIT $1) LIMIT $1",
        WRITTEN, update_id_for("bench", str(turn)),
    )  # fmt: skip
    found = []
    for number, row in enumerate(rows):
        known = EnrichedUpdate.model_validate_json(row["data"])
        changes: dict[str, object] = {"revision": 9, "kind": "update", "headline": f"{known.headline} and on"}
        if number % 4:
            changes = {"update_id": update_id_for("bench", f"{turn}:{number}"), "revision": 1, "kind": "publish"}
        update = known.model_copy(update=changes)
        found.append(Revision(Position(EPOCH, last_offset(room.rows) + 1 + number), update, value_of(update)))
    return found


async def _write(pool: Pool, room: Newsroom, turn: int) -> float:
    """Revisions that are archived each second; they are rolled back, so that each turn finds the same archive."""
    new = await _next(pool, room, turn)
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        began = time.monotonic()
        await write_batch(connection, new)
        took_s = time.monotonic() - began
        await transaction.rollback()
    return len(new) / took_s


async def throughput(rooms: dict[str, Newsroom]) -> dict[str, float]:
    """Median of revisions that are archived each second, by turns."""
    found: dict[str, list[float]] = {name: [] for name in rooms}
    async with contextlib.AsyncExitStack() as stack:
        pools = {}
        for name, room in rooms.items():
            pools[name] = await connect(Settings(postgres_dsn=room.settings.postgres_dsn), schema="publish", max_size=1)
            stack.push_async_callback(pools[name].close)
        for turn in range(WRITES + 2):
            for name, room in rooms.items():
                rate = await _write(pools[name], room, turn)
                # The first turns read what the others find.
                if turn >= 2:
                    found[name].append(rate)
    return {name: statistics.median(each) for name, each in found.items()}


async def sizes(room: Newsroom) -> dict[str, dict[str, float]]:
    """Bytes for each update: a table with what is stored apart of it, and its indexes."""
    connection = await asyncpg.connect(room.settings.postgres_dsn)
    found = {}
    for table in TABLES:
        row = await connection.fetchrow(
            "SELECT pg_table_size($1::regclass), pg_indexes_size($1::regclass)", f"publish.{table}"
        )
        found[table] = {"table": row[0] / room.rows, "indexes": row[1] / room.rows}
    await connection.close()
    return found


async def answers(processes: Processes, rooms: dict[str, Newsroom], count: int) -> dict[str, dict[str, Answered]]:
    """What is asked of a replica of each."""
    sites, asked = {}, {}
    for name, room in rooms.items():
        process, _ = await _started(processes, room)
        asked[name] = await questions(room.settings.postgres_dsn, count)
        # Once to open its sessions.
        Site(process.port, process.child.process.pid, ()).ask(asked[name][0].targets[0])
        connection = await asyncpg.connect(room.settings.postgres_dsn)
        backends = await connection.fetch(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        await connection.close()
        sites[name] = Site(process.port, process.child.process.pid, [row["pid"] for row in backends])
    return await asyncio.to_thread(ask_in_turns, sites, asked)


async def measure(servers: Servers, rows: int, small: int, count: int, *, keep: bool) -> dict[str, object]:
    """Everything, as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        processes = Processes(Path(folder))
        async with newsroom(servers, rows, keep=keep) as large, newsroom(servers, small, keep=keep) as few:
            rooms = {"large": large, "small": few}
            try:
                ready = await starts(processes, rooms)
                print(f"  ready after {ready}, s", flush=True)
                asked = await answers(processes, rooms, count)
            finally:
                processes.end()
            goals = {each.name: each.goal_ms for each in await questions(few.settings.postgres_dsn, 1)}
            return {
                "rows": {name: room.rows for name, room in rooms.items()},
                "filled_s": large.filled_s,
                "ready_s": {name: statistics.median(each) for name, each in ready.items()},
                "archived_per_s": await throughput(rooms),
                "bytes_each": await sizes(large),
                "answers": {
                    name: {"goal_ms": goals[name], **{room: each.row for room, each in by_room.items()}}
                    for name, by_room in asked.items()
                },
                "load": os.getloadavg(),
            }


def table(found: dict[str, object]) -> bool:
    """Print what was found; whether every goal is met."""
    rows, ready, rates = found["rows"], found["ready_s"], found["archived_per_s"]
    met = ready["large"] <= READY_GOAL_S and rates["large"] >= THROUGHPUT_GOAL * rates["small"]
    print(
        f"{rows['large']:,} updates beside {rows['small']:,}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    print(f"web ready: {ready['large']:.2f} s beside {ready['small']:.2f} (goal {READY_GOAL_S:.0f})")
    ratio = rates["large"] / rates["small"]
    print(
        f"archived each second: {rates['large']:,.0f} beside {rates['small']:,.0f}, {ratio:.2f} (goal {THROUGHPUT_GOAL})"
    )
    print(f"{'p50, p95 and processor time, ms':38} {'large':>24} {'small':>24}  goal")
    for name, row in found["answers"].items():
        columns = " ".join(
            f"{row[room]['p50_ms']:>8.1f}{row[room]['p95_ms']:>8.1f}{row[room]['cpu_ms']:>8.1f}"
            for room in ("large", "small")
        )
        missed = row["large"]["p95_ms"] > row["goal_ms"]
        met = met and not missed
        print(f"{name:38} {columns}  {row['goal_ms']:.0f} ms{' MISSED' if missed else ''}")
    total = sum(sum(each.values()) for each in found["bytes_each"].values())
    print(f"bytes on disk for each update: {total:,.0f}")
    for name, each in found["bytes_each"].items():
        print(f"  {name:20} {each['table']:>8,.0f} and indexes {each['indexes']:>8,.0f}")
    return met


def main() -> None:
    """Measure, print, and write .local/bench/growth.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--small", type=int, default=2_000)
    parser.add_argument("--questions", type=int, default=200, help="of each kind")
    parser.add_argument("--keep", action="store_true", help="leave the databases, and take those that are there")
    given = parser.parse_args()
    with running_servers(to_measure=True) as servers:
        found = asyncio.run(measure(servers, given.rows, given.small, given.questions, keep=given.keep))
    output = ROOT / ".local/bench/growth.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(found, indent=1) + "\n")
    sys.exit(0 if table(found) else 1)


if __name__ == "__main__":
    main()
