"""A month of a million rows deleted by `prune`, while documents come in: how long, how much WAL and room, and what the live path feels.

    python tests/bench/prune.py [--rows 1000000] [--months 12]

Beside it stands what monthly partitions would give and cost: to drop one, and to find an update's versions in all of them, since
nothing that names an update says when it came.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "deploy")]

from ingest.intake import items, originals  # noqa: E402 -- after the path
from ingest.intake.originals import Original, new_original_id  # noqa: E402
from ingest.retention import RULES  # noqa: E402
from shared.messages import RawUpdate, update_id_for  # noqa: E402
from shared.postgres.migrations import migrate  # noqa: E402
from shared.postgres.pool import Pool, connect  # noqa: E402
from shared.retention.prune import prune  # noqa: E402
from shared.settings import Connections  # noqa: E402
from support.servers import Servers, running_servers  # noqa: E402

EVERY_S = 0.02
"""Between two documents that come in."""
QUIET_S = 10.0
ID = "translate(left(encode(sha256(n::text::bytea), 'hex'), 26), '0189', 'wxyz')"
# A quarter of what is there is older than the policy keeps it.
AT = "now() - CASE WHEN n % 4 = 0 THEN interval '100 days' ELSE interval '1 day' END - n * interval '1 ms'"
FILL = f"""
INSERT INTO ingest.items (update_id, fingerprint, source, guid, original_id, received_at, emitted_at, sequence, enriched_at, published_at)
SELECT {ID}, md5(n::text), 'wire', 'g' || n, gen_random_uuid(), t, t, n, t, t FROM generate_series(1, $rows * 4) n, LATERAL (SELECT {AT} AS t) ages;
INSERT INTO ingest.originals (id, source, transport, received_at, content_type, sha256, body, format, read_at)
SELECT gen_random_uuid(), 'wire', 'api', t, 'application/json', md5(n::text), convert_to(repeat(md5(n::text), 32), 'UTF8'), 'native', t
FROM generate_series(1, $rows) n, LATERAL (SELECT now() - interval '100 days' - n * interval '1 ms' AS t) ages
"""


class Live:
    """What a document's way through ingest asks of Postgres, again and again, and how long that takes."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._number = 0
        self.took_ms: list[float] = []

    async def _document(self) -> None:
        self._number += 1
        guid = f"live-{self._number}"
        update = RawUpdate(
            update_id=update_id_for("wire", guid),
            source="wire",
            guid=guid,
            received_at=datetime.now(UTC),
            headline=guid,
        )
        fingerprint = update.fingerprint()
        body = guid.encode() * 100
        kept = Original(new_original_id(), "wire", "api", update.received_at, "application/json", body)
        began = time.perf_counter()
        await originals.store(self._pool, [(kept, kept.sha256)])
        await items.history(self._pool, [(update, fingerprint)])
        sent = items.SentVersion(update, fingerprint, 0)
        await items.record(self._pool, [items.DocumentRecord(kept.id, "wire", "native", "1", 1, [], [sent])])
        self.took_ms.append((time.perf_counter() - began) * 1000)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._document()
            await asyncio.sleep(EVERY_S)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While the block runs."""
        self.took_ms = []
        task = asyncio.create_task(self.run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    @property
    def spread(self) -> dict[str, float]:
        """Of what was measured last."""
        cuts = statistics.quantiles(self.took_ms, n=100)
        return {"p50_ms": statistics.median(self.took_ms), "p95_ms": cuts[94], "p99_ms": cuts[98]}


async def _sizes(pool: Pool) -> dict[str, int]:
    rows = await pool.fetch(
        "SELECT t, pg_total_relation_size(t::regclass) AS size FROM unnest('{ingest.items,ingest.originals}'::text[]) t"
    )
    return {row["t"]: row["size"] for row in rows}


async def pruned(pool: Pool, live: Live) -> dict[str, object]:
    """What `prune` comes to, with documents coming in meanwhile."""
    async with live.running():
        await asyncio.sleep(QUIET_S)
    found: dict[str, object] = {"quiet": live.spread, "before": await _sizes(pool)}
    for rule in (each for each in RULES if each.name in ("items", "originals")):
        wal = await pool.fetchval("SELECT pg_current_wal_lsn() - '0/0'")
        began = time.monotonic()
        async with live.running():
            (done,) = await prune(pool, [rule])
            took_s = time.monotonic() - began
        wal = await pool.fetchval("SELECT pg_current_wal_lsn() - '0/0' - $1::numeric", wal)
        found[rule.name] = {"rows": done.rows, "took_s": took_s, "wal_bytes": int(str(wal)), **live.spread}
    began = time.monotonic()
    await pool.execute("VACUUM ingest.items")
    await pool.execute("VACUUM ingest.originals")
    return found | {"vacuum_s": time.monotonic() - began, "after": await _sizes(pool)}


async def _timed(ask: Callable[[], Awaitable[object]], times: int) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        await ask()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


async def partitions(pool: Pool, rows: int, months: int) -> dict[str, float]:
    """The versions of the same updates in one table and in one for each month: to find them, and to drop a month."""
    await pool.execute(
        "CREATE TABLE ingest.parted (LIKE ingest.items INCLUDING DEFAULTS) PARTITION BY RANGE (received_at);"
        "CREATE INDEX ON ingest.parted (update_id, sequence DESC)"
    )
    for month in range(months):
        low, high = (f"timestamptz '2025-01-01 UTC' + {each} * interval '30 days'" for each in (month, month + 1))
        await pool.execute(
            f"DO $$ BEGIN EXECUTE format('CREATE TABLE ingest.parted_{month} PARTITION OF ingest.parted FOR VALUES FROM (%L) TO (%L)', {low}, {high}); END $$"
        )
    await pool.execute(
        "INSERT INTO ingest.parted (update_id, fingerprint, received_at, sequence) "
        f"SELECT {ID}, '', timestamptz '2025-01-01 UTC' + n % {months} * interval '30 days' + interval '1 day', n FROM generate_series(1, {rows}) n"
    )
    await pool.execute("ANALYZE ingest.parted")
    chosen = [row["update_id"] for row in await pool.fetch("SELECT update_id FROM ingest.parted_0 LIMIT 500")]
    asked = "SELECT fingerprint FROM ingest.{} WHERE update_id = ANY($1) ORDER BY sequence DESC LIMIT 1"

    async def drop() -> None:
        await pool.execute(f"DROP TABLE ingest.parted_{months - 1}")

    number = iter(range(100_000))

    def ask(table: str) -> Callable[[], Awaitable[object]]:
        return lambda: pool.fetch(asked.format(table), [chosen[next(number) % len(chosen)]])

    one, many = [], []
    for _ in range(10):
        one.append(await _timed(ask("items"), 30))
        many.append(await _timed(ask("parted"), 30))
    return {
        "one_table_ms": statistics.median(one),
        "by_months_ms": statistics.median(many),
        "drop_ms": await _timed(drop, 1),
    }


async def measure(servers: Servers, rows: int, months: int) -> dict[str, object]:
    """All of it, in a database of its own."""
    name = f"bench_{uuid.uuid4().hex[:8]}"
    admin = await asyncpg.connect(servers.postgres)
    await admin.execute(f'CREATE DATABASE "{name}"')
    settings = Connections(postgres_dsn=servers.postgres.rsplit("/", 1)[0] + f"/{name}")
    pool = await connect(settings, schema="ingest", max_size=4, for_command=True)
    try:
        await migrate(pool, "ingest")
        for statement in FILL.replace("$rows", str(rows)).split(";"):
            await pool.execute(statement)
        await pool.execute("VACUUM ANALYZE")
        found = await pruned(pool, Live(pool))
        return found | {"partitions": await partitions(pool, rows, months), "load": os.getloadavg()}
    finally:
        await pool.close()
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await admin.close()


def main() -> None:
    """Measure, print, and write .local/bench/prune.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--rows",
        type=int,
        default=1_000_000,
        help="old ones of each table; of items there are three times as many new ones",
    )
    parser.add_argument("--months", type=int, default=12)
    given = parser.parse_args()
    with running_servers(to_measure=True) as servers:
        found = asyncio.run(measure(servers, given.rows, given.months))
    output = ROOT / ".local/bench/prune.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(found, indent=1) + "\n")
    print(f"a document's statements, ms; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for title, row in (
        ("quiet", found["quiet"]),
        ("items pruned", found["items"]),
        ("originals pruned", found["originals"]),
    ):
        print(f"{title:18} p50 {row['p50_ms']:7.1f}  p95 {row['p95_ms']:7.1f}  p99 {row['p99_ms']:7.1f}", end="")
        print(
            f"  {row['rows']:,} rows in {row['took_s']:.0f} s, {row['wal_bytes'] / 1e6:,.0f} MB of WAL"
            if "rows" in row
            else ""
        )
    for table, size in found["before"].items():
        print(
            f"{table}: {size / 1e6:,.0f} MB before, {found['after'][table] / 1e6:,.0f} MB after; vacuum of both {found['vacuum_s']:.1f} s"
        )
    parted = found["partitions"]
    print(
        f"{given.months} partitions: an update's versions {parted['by_months_ms']:.2f} ms, in one table {parted['one_table_ms']:.2f}; a month dropped in {parted['drop_ms']:.0f} ms"
    )


if __name__ == "__main__":
    main()
