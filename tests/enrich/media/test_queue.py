"""What a claim of pictures reads grows with what it takes, not with what waits."""

import json

import pytest

from enrich.media import queue
from shared.postgres.migrations import migrate
from shared.postgres.pool import connect
from shared.settings import Connections

pytestmark = pytest.mark.integration

FEW, MANY = 1000, 20_000
FILL = """
INSERT INTO enrich.media_references (update_id, reference, source, url, host, wanted, state, requested_at, retry_at)
SELECT 'u' || i, 'r', 's', 'https://h' || i % 50 || '.example/', 'h' || i % 50, '{}', 'pending', now(), now()
FROM generate_series(1, $1::int) i
"""


async def test_a_claim_reads_as_much_of_a_long_queue_as_of_a_short_one(newsroom: Connections) -> None:
    """The queue is read in the order in which pictures are due and no further than a window, on statistics of an empty table."""
    pool = await connect(newsroom, schema="enrich", max_size=2)
    await migrate(pool, "enrich")
    found = []
    async with pool.acquire() as connection:
        await connection.execute("ALTER TABLE enrich.media_references SET (autovacuum_enabled = off)")
        await connection.execute("ANALYZE enrich.media_references")
        for count in (FEW, MANY):
            await connection.execute("TRUNCATE enrich.media_references")
            await connection.execute(FILL, count)
            transaction = connection.transaction()
            await transaction.start()
            explained = await connection.fetchval(
                f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {queue.QUEUE.claim_sql}", 8, 60.0, [], [], [], 4
            )
            await transaction.rollback()
            plan = (json.loads(explained) if isinstance(explained, str) else explained)[0]["Plan"]
            found.append((plan["Shared Hit Blocks"] + plan["Shared Read Blocks"], plan["Actual Rows"]))
    await pool.close()
    (few, taken), (many, as_many) = found
    assert taken == as_many == 8
    assert many < few * 1.5 + 100, f"{few} pages of {FEW}, {many} of {MANY}"
