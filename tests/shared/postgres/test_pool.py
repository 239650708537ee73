"""What a pool promises about how its statements are run, on real Postgres."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

import asyncpg
import pytest

from enrich.text import state_store as rows
from enrich.text.domain.state import State
from ingest.intake import items, originals
from ingest.intake.originals import Original
from shared.failures.transient import TRANSIENT
from shared.messages import RawUpdate
from shared.postgres.migrations import migrate
from shared.postgres.pool import Queryable, connect
from shared.postgres.rows import table
from shared.settings import Connections
from support.topics import raw_update
from support.waiting import eventually

pytestmark = pytest.mark.integration


async def scans(settings: Connections) -> Mapping[str, int]:
    """How often each table was read from end to end."""
    connection = await asyncpg.connect(settings.postgres_dsn)
    try:
        found = await connection.fetch("SELECT relid::regclass::text AS name, seq_scan FROM pg_stat_user_tables")
        return {row["name"]: row["seq_scan"] for row in found}
    finally:
        await connection.close()


async def flush_statistics(pool: Queryable) -> None:
    """Make the one connection of a pool add what it counted to what all can see; it does so before it answers."""
    await pool.execute("SELECT pg_stat_force_next_flush()")


async def take_in(pool: Queryable, *updates: RawUpdate) -> None:
    """What ingest asks and writes of updates that came at the same time, each in a document of its own."""
    documents = [
        Original(
            id=originals.new_original_id(),
            source=update.source,
            transport="api",
            received_at=datetime.now(UTC),
            content_type=None,
            body=b"{}",
        )
        for update in updates
    ]
    await originals.store(pool, [(original, original.sha256) for original in documents])
    await items.history(pool, [(update, update.fingerprint()) for update in updates])
    made = [
        items.DocumentRecord(
            original.id, update.source, "native", "1", 1, [], [items.SentVersion(update, update.fingerprint(), 0)]
        )
        for original, update in zip(documents, updates, strict=True)
    ]
    await items.record(pool, made)


async def test_statements_on_keys_never_read_a_whole_table(newsroom: Connections) -> None:
    """A plan is kept for as long as its connection, also the one of the day when the table was empty: it goes by the indexes."""
    for schema in ("ingest", "enrich"):
        pool = await connect(newsroom, schema=schema, max_size=1)
        await migrate(pool, schema)
        await pool.execute("VACUUM ANALYZE")  # as autovacuum would: Postgres now knows that the tables are empty
        await flush_statistics(pool)
        await pool.close()
    before = await scans(newsroom)
    pool = await connect(newsroom, schema="ingest", stateless=True, by_keys=True, max_size=1)
    dedicated = pool.dedicated()
    for number in range(8):
        update = raw_update(f"update {number}")
        await take_in(dedicated, update)
        await take_in(dedicated, *(raw_update(f"update {number} and {other}") for other in ("one", "two")))
        await rows.load(dedicated, [update.update_id])
        await rows.load(dedicated, [update.update_id, raw_update("another").update_id])
        await rows.store(pool, [State(update_id=update.update_id)], {update.update_id: 0})
    assert len(await rows.load(dedicated, [update.update_id])) == 1
    (known,) = (await items.history(dedicated, [(update, update.fingerprint())])).values()
    assert known.seen
    await flush_statistics(pool)
    await flush_statistics(dedicated)
    await pool.close()
    after = await scans(newsroom)
    assert after == before


@pytest.mark.parametrize("count", [0, 1, 2, 50])
async def test_rows_are_a_table_whatever_their_number(newsroom: Connections, count: int) -> None:
    """A statement gets the same rows whether there is one or many of them, nothing, text and JSON among them."""
    rows_given = [(number, f"n{number}", None if number % 2 else {"a": [number]}) for number in range(count)]
    given, values = table("integer text jsonb", rows_given, first=2)
    pool = await connect(newsroom, schema="ingest", stateless=True, max_size=1)
    found = await pool.fetch(
        f"SELECT id + $1::integer AS id, name, said FROM {given} AS t (id, name, said)", 7, *values
    )
    assert [tuple(row) for row in found] == [(number + 7, name, said) for number, name, said in rows_given]
    await pool.close()


async def test_a_dedicated_connection_serves_on_whatever_became_of_its_statement(newsroom: Connections) -> None:
    """It serves on after a statement that failed, was cut off, lost its server, or found its table changed."""
    pool = await connect(newsroom, schema="ingest", max_size=1)
    dedicated = pool.dedicated()
    async with asyncio.timeout(30):
        with pytest.raises(asyncpg.UndefinedTableError):
            await dedicated.fetch("SELECT * FROM nowhere")
        assert await dedicated.fetch("SELECT 1 AS n") == [(1,)]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(dedicated.fetch("SELECT pg_sleep(30)"), 0.2)
        assert await dedicated.fetch("SELECT $1::integer AS n", 2) == [(2,)]
        with pytest.raises(TRANSIENT):
            await dedicated.fetch("SELECT pg_terminate_backend(pg_backend_pid())")
        await pool.execute("CREATE SCHEMA ingest CREATE TABLE grows (a integer UNIQUE)")
        assert await dedicated.fetch("SELECT * FROM grows") == []
        await pool.execute("ALTER TABLE grows ADD b integer")
        await dedicated.execute("INSERT INTO grows VALUES (1, 2)")
        assert await dedicated.fetch("SELECT * FROM grows") == [(1, 2)]
        (pid,) = (await dedicated.fetch("SELECT pg_backend_pid() AS pid"))[0]
        with pytest.raises(asyncpg.UniqueViolationError):
            await dedicated.execute("INSERT INTO grows VALUES (1, 2)")
        assert await dedicated.fetch("SELECT pg_backend_pid() AS pid") == [(pid,)]
        await pool.close()


async def test_a_dedicated_connection_connects_once_and_takes_none_from_its_pool(newsroom: Connections) -> None:
    """Statements that follow one another find the same server process and are planned once, whoever holds the pool."""
    pool = await connect(newsroom, schema="ingest", max_size=1)
    dedicated = pool.dedicated()
    async with asyncio.timeout(30), pool.acquire():
        first = await dedicated.fetch("SELECT pg_backend_pid() AS pid")
        for _ in range(3):
            assert await dedicated.fetch("SELECT pg_backend_pid() AS pid") == first
        prepared = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT pg_backend%'"
        assert await dedicated.fetch(prepared) == [(1,)]
    await pool.close()
    left = await asyncpg.connect(newsroom.postgres_dsn)
    try:
        gone = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1"
        await eventually(lambda: left.fetchval(gone, first[0]["pid"]), lambda count: count == 0, what="still connected")
    finally:
        await left.close()
