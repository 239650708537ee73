"""What a queue in a table promises its workers, on real Postgres."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import asyncpg
import pytest
import pytest_asyncio

from shared.failures.backoff import Backoff
from shared.postgres.lease_queue import FairShare, LeaseQueue
from shared.postgres.pool import Pool, connect
from shared.settings import Connections
from support.waiting import eventually

pytestmark = pytest.mark.integration

TABLE = """
CREATE SCHEMA lease_queue;
CREATE TABLE lease_queue.jobs (
    id integer PRIMARY KEY, host text NOT NULL, due_at timestamptz NOT NULL, leased_until timestamptz, owner text,
    attempts integer NOT NULL DEFAULT 0, taken boolean NOT NULL DEFAULT false
);
CREATE INDEX ON lease_queue.jobs (due_at);
"""


@dataclass(frozen=True, slots=True)
class Job:
    """A row as its worker sees it."""

    id: int
    attempts: int = 0
    taken: bool = False


PLAIN = LeaseQueue(
    table="lease_queue.jobs", key={"id": "integer"}, due="due_at", attempts="attempts",
    columns="q.id, q.attempts", read=lambda row: Job(**row),
)  # fmt: skip
OWNED = replace(PLAIN, lease="leased_until", owner="owner")
FAIR = replace(
    PLAIN, selection=FairShare("host"), before="q.taken", on_claim="taken = true", columns="q.id, q.attempts, due.taken"
)


@pytest_asyncio.fixture
async def pool(newsroom: Connections) -> AsyncIterator[Pool]:
    """A queue of nine jobs of three hosts (1 to 3, 4 to 7, 8 and 9); the lowest number is due longest."""
    pool = await connect(newsroom, schema="lease_queue", max_size=4)
    await pool.execute(TABLE)
    await pool.execute(
        "INSERT INTO lease_queue.jobs (id, host, due_at) "
        "SELECT i, 'host ' || i / 4, now() - interval '1 minute' + i * interval '1 second' FROM generate_series(1, 9) i"
    )
    yield pool
    await pool.close()


def ids(jobs: list[Job]) -> list[int]:
    """Their numbers, in order."""
    return sorted(job.id for job in jobs)


async def end_leases(pool: Pool) -> None:
    """As if so much time had passed."""
    await pool.execute(
        "UPDATE lease_queue.jobs SET due_at = due_at - interval '1 hour', leased_until = leased_until - interval '1 hour'"
    )


@pytest.mark.parametrize("queue", [PLAIN, OWNED], ids=["due", "lease"])
async def test_no_two_workers_hold_one_row(pool: Pool, queue: LeaseQueue[Job]) -> None:
    """Workers that claim at once get all rows between them, each once, whoever is first."""
    owner = ["worker"] if queue.owner else []
    claimed = await asyncio.gather(*(queue.claim(pool, 3, 60.0, *owner) for _ in range(6)))
    assert sorted(job.id for jobs in claimed for job in jobs) == list(range(1, 10))


async def test_rows_are_claimed_in_the_order_in_which_they_are_due(pool: Pool) -> None:
    """Those due longest first; what is not due, or not in the queue, not at all."""
    await pool.execute("UPDATE lease_queue.jobs SET due_at = now() + interval '1 minute' WHERE id = 1")
    some = replace(PLAIN, waiting="q.host <> 'host 1'")
    assert ids(await some.claim(pool, 3, 60.0)) == [2, 3, 8]
    assert ids(await PLAIN.claim(pool, 9, 60.0)) == [4, 5, 6, 7, 9]


@pytest.mark.parametrize("queue", [PLAIN, OWNED], ids=["due", "lease"])
async def test_the_rows_of_a_dead_worker_come_back(pool: Pool, queue: LeaseQueue[Job]) -> None:
    """A worker that says nothing keeps its rows until the lease ends; the next claim has them, and counts the attempts."""
    dead, alive = (["dead"], ["alive"]) if queue.owner else ([], [])
    assert len(await queue.claim(pool, 9, 60.0, *dead)) == 9
    assert await queue.claim(pool, 9, 60.0, *alive) == []
    await end_leases(pool)
    assert {job.attempts for job in await queue.claim(pool, 9, 60.0, *alive)} == {2}


async def test_a_slow_worker_keeps_what_it_renews(pool: Pool) -> None:
    """A lease that is renewed outlasts its time; one that has ended is not renewed, since somebody may have the row."""
    claimed = await PLAIN.claim(pool, 2, 0.4)
    assert ids(claimed) == [1, 2]
    await PLAIN.renew(pool, [(1,)], 60.0)
    await eventually(lambda: pool.fetchval("SELECT due_at < now() FROM lease_queue.jobs WHERE id = 2"))
    await PLAIN.renew(pool, [(2,)], 60.0)
    await PLAIN.renew(pool, [], 60.0)
    assert ids(await PLAIN.claim(pool, 9, 60.0)) == [2, 3, 4, 5, 6, 7, 8, 9]


async def test_an_owner_renews_what_nobody_else_has_claimed(pool: Pool) -> None:
    """A worker whose leases ended while Postgres was away goes on with its rows, unless another has them by now."""
    assert ids(await OWNED.claim(pool, 2, 60.0, "slow")) == [1, 2]
    await end_leases(pool)
    assert ids(await OWNED.claim(pool, 1, 60.0, "other")) == [1]
    await OWNED.renew(pool, [(1,), (2,)], 3600.0, "slow")
    found = await pool.fetch(
        "SELECT owner, leased_until > now() + interval '30 minutes' FROM lease_queue.jobs WHERE id < 3 ORDER BY id"
    )
    assert [tuple(row) for row in found] == [("other", False), ("slow", True)]


async def test_leases_grow_with_the_attempts(pool: Pool) -> None:
    """Doubled each time up to the longest, spread by the jitter, also after more attempts than a number can hold."""
    queue = replace(PLAIN, backoff=Backoff(longest_s=600.0))
    lease = "SELECT extract(epoch FROM due_at - now())::float8 AS s FROM lease_queue.jobs ORDER BY s"
    for attempts, expected_s in ((0, 10.0), (1, 20.0), (4, 160.0), (9, 600.0), (2_000_000_000, 600.0)):
        await pool.execute("UPDATE lease_queue.jobs SET due_at = now(), attempts = $1", attempts)
        await queue.claim(pool, 9, 10.0)
        leases = [row["s"] for row in await pool.fetch(lease)]
        assert expected_s * 0.79 < leases[0] < leases[-1] < expected_s * 1.21


async def test_no_group_takes_more_than_its_share(pool: Pool) -> None:
    """What a worker holds of a group counts; a group that has its share does not keep the others waiting."""
    assert ids(await FAIR.claim_fairly(pool, 9, 60.0, held={}, share=1)) == [1, 4, 8]
    assert ids(await FAIR.claim_fairly(pool, 9, 60.0, held={"host 0": 1, "host 1": 2}, share=2)) == [2, 9]
    narrow = replace(FAIR, selection=FairShare("host", window=1))
    assert ids(await narrow.claim_fairly(pool, 9, 60.0, held={"host 0": 1}, share=1)) == [5]


async def test_workers_that_share_fairly_hold_no_row_twice(pool: Pool) -> None:
    """Also then each row is one worker's, and a claim tells whether a worker that died had the row."""
    claimed = await asyncio.gather(*(FAIR.claim_fairly(pool, 2, 60.0, held={}, share=2) for _ in range(6)))
    taken = [job.id for jobs in claimed for job in jobs]
    assert len(taken) == len(set(taken))
    await end_leases(pool)
    again = await FAIR.claim_fairly(pool, 9, 60.0, held={}, share=9)
    assert {job.id for job in again if job.taken} == set(taken)


async def test_locked_rows_come_back_with_the_end_of_the_session(pool: Pool, newsroom: Connections) -> None:
    """Rows are locked in order, passed over by others, and free at once when their worker dies or its work fails."""
    worker = await asyncpg.connect(newsroom.postgres_dsn)
    await worker.execute("BEGIN")
    assert [job.id for job in await PLAIN.lock(worker, 2)] == [1, 2]
    async with pool.acquire() as connection, connection.transaction():
        assert [job.id for job in await PLAIN.lock(connection, 2)] == [3, 4]
        worker.terminate()
        async with asyncio.timeout(10):
            while len(await PLAIN.lock(connection, 9)) < 9:
                await asyncio.sleep(0.05)
