"""What a claim of deliveries reads grows with what it takes, whatever waits and whatever Postgres believes of the queue.

Statistics are taken when a queue is empty; a backlog then looks like one row. Asserted is what the plan touched, not the time.
"""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from publish.push.delivery.queue import QUEUE
from shared.postgres.migrations import migrate
from shared.postgres.pool import Connection, connect
from shared.postgres.session import BY_INDEX
from shared.settings import Connections

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

FEW, MANY = 1000, 20_000
KINDS = ["webhook", "websub", "purge"]
PER_ENDPOINT = 4
FILL = """
INSERT INTO publish.deliveries (endpoint_id, message_id, type, update_id, revision, order_key, state, attempts, next_attempt_at)
SELECT 'ep_' || i % $4, 'm' || i, 'update.publish', 'u' || i, 1, 'o' || i / $5, $3, $6, now() + $7::int * interval '1 hour'
FROM generate_series($1::int, $2::int) i
"""
FIRST_WAITING = 1_000_000


async def fill(
    connection: Connection,
    first: int,
    count: int,
    state: str,
    *,
    endpoints: int = 1,
    behind: int = 1,
    put_off: bool = False,
) -> None:
    """So many deliveries, `behind` of each order, spread over the endpoints."""
    last = first + count - 1
    await connection.execute(FILL, first, last, state, endpoints, behind, int(put_off), int(put_off))


async def touched(connection: Connection, statement: str, *values: Any) -> tuple[int, int]:
    """How many pages a statement touched, and how many rows it gave; what it did is undone."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        found = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", *values)
    finally:
        await transaction.rollback()
    plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"], plan["Actual Rows"]


async def claimed(connection: Connection) -> tuple[int, int]:
    """What one claim touches, and how many it takes."""
    return await touched(connection, QUEUE.claim_sql, 1000, 60.0, [], PER_ENDPOINT, True, KINDS)


@pytest_asyncio.fixture(params=["as the process", "without its settings"])
async def queue(newsroom: Connections, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """A connection to a queue whose statistics nothing brings up to date."""
    pool = await connect(newsroom, schema="publish", max_size=2)
    await migrate(pool, "publish")
    async with pool.acquire() as connection:
        if request.param == "as the process":
            for name, value in BY_INDEX.items():
                await connection.execute(f"SET {name} = {value}")
        await connection.execute("ALTER TABLE publish.deliveries SET (autovacuum_enabled = off)")
        await connection.execute(
            "INSERT INTO publish.endpoints (id, kind, url, state, channels) "
            "SELECT 'ep_' || i, 'webhook', 'https://a.example/', 'active', '{news}' FROM generate_series(0, 19) i"
        )
        yield connection
    await pool.close()


async def known(connection: Connection, statistics: str) -> None:
    """What Postgres believes: nothing, a small queue that is done, a large one that is done, or one that waits."""
    await connection.execute("TRUNCATE publish.deliveries")
    count = {"small": 400, "large": 50_000, "waiting": MANY}.get(statistics, 0)
    if count:
        await fill(connection, 1, count, "waiting" if statistics == "waiting" else "delivered")
        await connection.execute("ANALYZE publish.deliveries")
        await connection.execute("DELETE FROM publish.deliveries WHERE state = 'waiting'")


SHAPES: dict[str, dict[str, int]] = {
    "each an order of its own": {},
    "one order": {"behind": 10 * FIRST_WAITING},
    "four orders, one after the other": {"behind": MANY // 4},
    "orders of ten": {"behind": 10},
    "twenty endpoints": {"endpoints": 20},
}


@pytest.mark.parametrize("statistics", ["none", "small", "large", "waiting"])
async def test_a_claim_reads_as_much_of_a_long_queue_as_of_a_short_one(queue: Any, statistics: str) -> None:
    """Twenty times as many waiting: no more pages, give or take the height of an index; and the same is taken."""
    for shape, how in SHAPES.items():
        found = []
        for count in (FEW, MANY):
            await known(queue, statistics)
            await fill(queue, FIRST_WAITING, count, "waiting", **how)
            found.append(await claimed(queue))
        (few, taken), (many, as_many) = found
        assert many < few * 1.5 + 100, f"{shape}: {few} pages of {FEW}, {many} of {MANY}"
        if shape != "four orders, one after the other":
            assert as_many == taken, shape
        assert as_many == {"one order": 1, "twenty endpoints": 20 * PER_ENDPOINT}.get(shape, PER_ENDPOINT), shape


async def test_what_may_not_leave_now_is_not_read(queue: Any) -> None:
    """A backlog of endpoints that are disabled, fail, are busy, or have put all off costs a claim nothing."""
    await known(queue, "small")
    nothing, _ = await claimed(queue)
    await fill(queue, FIRST_WAITING, MANY, "waiting", put_off=True)
    pages, taken = await claimed(queue)
    assert taken == 0
    assert pages < nothing + 100
    await known(queue, "small")
    await fill(queue, FIRST_WAITING, MANY, "waiting")
    for change in ("state = 'disabled'", "state = 'active', failures = 3, retry_at = now() + interval '1 hour'"):
        await queue.execute(f"UPDATE publish.endpoints SET {change} WHERE id = 'ep_0'")
        pages, taken = await claimed(queue)
        assert taken == 0
        assert pages < nothing + 100
    await queue.execute("UPDATE publish.endpoints SET retry_at = now() WHERE id = 'ep_0'")
    assert (await claimed(queue))[1] == 1


async def test_the_oldest_leave_first_and_each_order_in_turn(queue: Any) -> None:
    """A claim takes the first of each order that is due, those that wait longest first, and what is leased is left alone."""
    await known(queue, "none")
    await fill(queue, FIRST_WAITING, 400, "waiting", behind=40)
    taken = [row["id"] for row in await queue.fetch(QUEUE.claim_sql, 1000, 60.0, [], PER_ENDPOINT, True, KINDS)]
    first = "SELECT min(id) FROM publish.deliveries GROUP BY order_key ORDER BY 1"
    heads = [row["min"] for row in await queue.fetch(first)]
    assert len(taken) == PER_ENDPOINT
    assert set(taken) <= set(heads)
    again = [row["id"] for row in await queue.fetch(QUEUE.claim_sql, 1000, 60.0, [], PER_ENDPOINT, True, KINDS)]
    assert set(again) <= set(heads) - set(taken)
    await known(queue, "none")
    await fill(queue, FIRST_WAITING, 100, "waiting")
    ids = [row["id"] for row in await queue.fetch("SELECT id FROM publish.deliveries ORDER BY id")]
    assert (
        sorted(row["id"] for row in await queue.fetch(QUEUE.claim_sql, 1000, 60.0, [], PER_ENDPOINT, True, KINDS))
        == ids[:PER_ENDPOINT]
    )
