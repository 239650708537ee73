"""What a pool promises about how its statements are run, on real Postgres."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from enrich import rows
from enrich.state import State
from ingest import items, originals
from ingest.originals import Original
from shared.messages import RawUpdate
from shared.postgres import connect, migrate
from shared.settings import Connections
from support.topics import raw_update

pytestmark = pytest.mark.integration


async def scans(settings: Connections) -> Mapping[str, int]:
    """How often each table was read from end to end."""
    connection = await asyncpg.connect(settings.postgres_dsn)
    try:
        found = await connection.fetch("SELECT relid::regclass::text AS name, seq_scan FROM pg_stat_user_tables")
        return {row["name"]: row["seq_scan"] for row in found}
    finally:
        await connection.close()


async def told(pool: Any) -> None:
    """Make the one connection of a pool add what it counted to what all can see; it does so before it answers."""
    await pool.execute("SELECT pg_stat_force_next_flush()")


async def take_in(pool: Any, update: RawUpdate) -> None:
    """What ingest asks and writes of an update."""
    original = Original(
        id=originals.new_original_id(),
        source=update.source,
        transport="api",
        received_at=datetime.now(UTC),
        content_type=None,
        body=b"{}",
    )
    await originals.store(pool, [(original, original.sha256)])
    await items.known(pool, [(update, update.fingerprint())])
    sent = items.Sent(update, update.fingerprint(), 0)
    await items.record(pool, [items.Made(original.id, update.source, "native", "1", 1, [], [sent])])


async def test_statements_on_keys_never_read_a_whole_table(newsroom: Connections) -> None:
    """A plan is kept for as long as its connection, also the one of the day when the table was empty: it goes by the indexes."""
    for schema in ("ingest", "enrich"):
        pool = await connect(newsroom, schema=schema, max_size=1)
        await migrate(pool, schema)
        await pool.execute("VACUUM ANALYZE")  # as autovacuum would: Postgres now knows that the tables are empty
        await told(pool)
        await pool.close()
    before = await scans(newsroom)
    pool = await connect(newsroom, schema="ingest", stateless=True, by_keys=True, max_size=1)
    for number in range(8):
        update = raw_update(f"update {number}")
        await take_in(pool, update)
        await rows.load(pool, [update.update_id, raw_update("another").update_id])
        await rows.store(pool, [(State(update_id=update.update_id), datetime.now(UTC))])
    assert len(await rows.load(pool, [update.update_id])) == 1
    (known,) = (await items.known(pool, [(update, update.fingerprint())])).values()
    assert known.seen
    await told(pool)
    await pool.close()
    after = await scans(newsroom)
    assert after == before
