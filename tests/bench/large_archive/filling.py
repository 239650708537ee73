"""Fills an archive by the code that archives, in several processes, with the indexes made afterwards."""

import asyncio
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import asyncpg

from large_archive.made_copy import BLOCK, EPOCH, place_of, revisions
from publish.archive.store import write_batch
from publish.settings import Settings
from shared.kafka.producer import new_producer
from shared.postgres.migrations import migrate
from shared.postgres.pool import Pool, connect
from shared.settings import Connections
from shared.streams import ENRICHED

FILLERS = 3
LAST_ID = "bench:last"


@dataclass
class _Filler:
    """One process that archives blocks."""

    loop: asyncio.AbstractEventLoop
    pool: Pool


_filler: _Filler | None = None


def _begin(dsn: str) -> None:
    global _filler  # noqa: PLW0603 -- what a process of the pool keeps between two blocks
    loop = asyncio.new_event_loop()
    pool = loop.run_until_complete(connect(Settings(postgres_dsn=dsn), schema="publish", max_size=1))
    _filler = _Filler(loop, pool)


def _archive(block_of: tuple[int, int]) -> None:
    assert _filler is not None

    async def write() -> None:
        assert _filler is not None
        async with _filler.pool.acquire() as connection, connection.transaction():
            await write_batch(connection, list(revisions(*block_of)))

    _filler.loop.run_until_complete(write())


async def fill(dsn: str, count: int, told: Callable[[str], None]) -> float:
    """Migrate the database and archive so many updates; the seconds that it took."""
    began = time.monotonic()
    pool = await connect(Settings(postgres_dsn=dsn), schema="publish", max_size=1)
    await migrate(pool, "publish")
    await pool.close()
    connection = await asyncpg.connect(dsn)
    indexes = await connection.fetch(
        "SELECT i.schemaname || '.' || i.indexname AS name, i.indexdef FROM pg_indexes i WHERE i.schemaname = 'publish' "
        "AND i.tablename IN ('revisions', 'updates', 'search_index') AND NOT EXISTS (SELECT FROM pg_constraint c "
        "WHERE c.conindid = (i.schemaname || '.' || i.indexname)::regclass)"
    )
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['name']}")
    blocks = [(block, count) for block in range(-(-count // BLOCK))]
    await asyncio.to_thread(_archive_all, dsn, blocks, told)
    told(f"archived in {time.monotonic() - began:.0f} s")
    await connection.execute("SET maintenance_work_mem = '512MB'; SET max_parallel_maintenance_workers = 2")
    for index in indexes:
        await connection.execute(index["indexdef"])
    last = place_of(len(blocks)) - 1
    await connection.execute(
        "INSERT INTO publish.epochs (epoch, cluster_id, reason, first_offset, last_offset, last_event_id) "
        "VALUES ($1, '', 'bench', 0, $2, $3)",
        EPOCH, last, LAST_ID,
    )  # fmt: skip
    await connection.execute("UPDATE publish.search_backfill SET done = true")
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
    return time.monotonic() - began


def _archive_all(dsn: str, blocks: list[tuple[int, int]], told: Callable[[str], None]) -> None:
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(FILLERS, spawned, _begin, (dsn,)) as pool:
        # The first alone: all blocks write the same few rows of languages.
        pool.submit(_archive, blocks[0]).result()
        for done, _ in enumerate(pool.map(_archive, blocks[1:]), 2):
            if done % 100 == 0:
                told(f"{done * BLOCK:,} updates")


async def make_log(settings: Connections, count: int) -> None:
    """A log that is as long as the archive says, with nothing in it: whoever follows it begins behind it."""
    length = place_of(-(-count // BLOCK))
    producer = new_producer(settings, "bench")
    topic = settings.topic_prefix + ENRICHED.name
    await producer.start()
    try:
        left = length - 1
        while left:
            batch = producer.create_batch()
            while left and batch.append(key=None, value=b"", timestamp=None) is not None:
                left -= 1
            await producer.send_batch(batch, topic, partition=0)
        await producer.flush()
        await producer.send_and_wait(topic, b"{}", headers=[("ce_id", LAST_ID.encode())], partition=0)
    finally:
        await producer.stop()
