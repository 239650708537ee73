"""Fills an archive by statements on sets, its indexes made afterwards, and makes the log that it would have come from."""

import time
from collections.abc import Callable

import asyncpg

from large_archive.made_copy import EPOCH, FILL, UPDATES, WORDS, last_offset, texts
from publish.archive.search.index import index
from publish.representation.position import Position
from publish.settings import Settings
from shared.kafka.producer import new_producer
from shared.messages import EnrichedUpdate
from shared.postgres.migrations import migrate
from shared.postgres.pool import connect
from shared.settings import Connections
from shared.streams import ENRICHED

LAST_ID = "bench:last"
TABLES = ("revisions", "updates", "update_channels", "channel_log", "search_index", "stories")
CHECKED = 50


async def fill(dsn: str, count: int, told: Callable[[str], None]) -> float:
    """Migrate the database and archive so many updates; the seconds that it took."""
    began = time.monotonic()
    pool = await connect(Settings(postgres_dsn=dsn), schema="publish", max_size=1)
    await migrate(pool, "publish")
    connection = await asyncpg.connect(dsn, statement_cache_size=0)
    await connection.execute(
        "SET synchronous_commit = off; SET work_mem = '256MB'; SET maintenance_work_mem = '1GB'; SET max_parallel_maintenance_workers = 2;"
        "CREATE UNLOGGED TABLE bench_texts (n int PRIMARY KEY, text text NOT NULL)"
    )
    await connection.copy_records_to_table("bench_texts", records=texts())
    indexes = await _without_indexes(connection)
    for statement in (UPDATES.replace("$count", str(count)), WORDS, "ANALYZE", *FILL):
        await connection.execute(statement)
        told(f"{time.monotonic() - began:.0f} s: {' '.join(statement.split())[:60]}")
    await connection.execute("DROP TABLE bench_texts, bench_words, bench_updates")
    for statement in indexes:
        await connection.execute(statement)
        told(f"{time.monotonic() - began:.0f} s: {statement[:60]}")
    await connection.execute(
        "INSERT INTO publish.epochs (epoch, cluster_id, reason, first_offset, last_offset, last_event_id) "
        "VALUES ($1, '', 'bench', 0, $2, $3)",
        EPOCH, last_offset(count), LAST_ID,
    )  # fmt: skip
    await connection.execute("UPDATE publish.search_backfill SET done = true")
    await connection.execute("ALTER TABLE publish.revisions ENABLE TRIGGER note_channels")
    await connection.execute("VACUUM (ANALYZE)")
    await connection.close()
    await _check(dsn)
    await pool.close()
    return time.monotonic() - began


async def _without_indexes(connection: "asyncpg.Connection[asyncpg.Record]") -> list[str]:
    """Drop the indexes and keys of the tables that are filled; the statements that make them again."""
    await connection.execute("ALTER TABLE publish.revisions DISABLE TRIGGER note_channels")
    keys = await connection.fetch(
        "SELECT conrelid::regclass::text AS name, conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint "
        "WHERE conrelid = ANY($1::regclass[]) AND contype = 'p'",
        [f"publish.{table}" for table in TABLES],
    )  # fmt: skip
    again = [f"ALTER TABLE {key['name']} ADD CONSTRAINT {key['conname']} {key['definition']}" for key in keys]
    for key in keys:
        await connection.execute(f"ALTER TABLE {key['name']} DROP CONSTRAINT {key['conname']}")
    indexes = await connection.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'publish' AND tablename = ANY($1)", TABLES
    )
    for each in indexes:
        await connection.execute(f"DROP INDEX publish.{each['indexname']}")
    return again + [each["indexdef"] for each in indexes]


async def _check(dsn: str) -> None:
    """What is in the search index is what the archive's own process would have put there."""
    pool = await connect(Settings(postgres_dsn=dsn), schema="publish", max_size=1)
    chosen = "SELECT u.update_id, u.data, u.position_offset, strip(s.words)::text AS words FROM publish.updates u "
    query = chosen + "JOIN publish.search_index s USING (update_id) WHERE u.visible ORDER BY u.update_id LIMIT $1"
    async with pool.acquire() as connection:
        rows = await connection.fetch(query, CHECKED)
        transaction = connection.transaction()
        await transaction.start()
        await index(
            connection,
            {
                row["update_id"]: (
                    Position(EPOCH, row["position_offset"]),
                    EnrichedUpdate.model_validate_json(row["data"]),
                )
                for row in rows
            },
        )
        again = await connection.fetch(query, CHECKED)
        await transaction.rollback()
    await pool.close()
    different = [
        (one["words"], other["words"]) for one, other in zip(rows, again, strict=True) if one["words"] != other["words"]
    ]
    if len(rows) < CHECKED or different:
        raise RuntimeError(f"the archive indexes these otherwise: {different[:1]}")


async def make_log(settings: Connections, count: int) -> None:
    """A log that is as long as the archive says, with nothing in it: whoever follows it begins behind it."""
    producer = new_producer(settings, "bench")
    topic = settings.topic_prefix + ENRICHED.name
    await producer.start()
    try:
        left = last_offset(count)
        while left:
            batch = producer.create_batch()
            while left and batch.append(key=None, value=b"", timestamp=None) is not None:
                left -= 1
            await producer.send_batch(batch, topic, partition=0)
        await producer.flush()
        await producer.send_and_wait(topic, b"{}", headers=[("ce_id", LAST_ID.encode())], partition=0)
    finally:
        await producer.stop()
