"""What a loop cannot handle is set aside, listed and tried again; the rest goes on."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from click.testing import CliRunner

from shared.commands import set_aside
from shared.failures import Transient
from shared.failures.backoff import Backoff
from shared.postgres.lease_queue import LeaseQueue
from shared.postgres.migrations import migrate
from shared.postgres.pool import Pool, Row, connect
from shared.postgres.set_aside import SetAside, listed
from shared.settings import Connections

pytestmark = pytest.mark.integration

ASIDE = SetAside("enrich", "jobs", Backoff(first_s=30.0, longest_s=100.0, jitter=0.0))


@pytest_asyncio.fixture
async def pool(newsroom: Connections) -> AsyncIterator[Pool]:
    """A schema with the table."""
    pool = await connect(newsroom, schema="enrich", max_size=4)
    await migrate(pool, "enrich")
    yield pool
    await pool.close()


async def pause_s(pool: Pool) -> float:
    """The pause of the one that is set aside."""
    return float(str(await pool.fetchval("SELECT extract(epoch FROM next_at - last_at) FROM enrich.set_aside")))


async def test_one_that_fails_is_set_aside_with_growing_pauses_until_it_succeeds(pool: Pool) -> None:
    """The others are handled each time; it is tried when its pause is over, and forgotten once it succeeds."""
    handled: list[str] = []
    bug: list[Exception] = [ValueError("a bug\x00\ud800")]

    async def handle(item: str) -> None:
        if item == "bad" and bug:
            raise bug[0]
        handled.append(item)

    async def turn() -> int:
        return await ASIDE.each(pool, ["one", "bad", "two"], str, handle, at_once=2)

    assert await turn() == 2
    assert await turn() == 2
    assert sorted(handled) == ["one", "one", "two", "two"]
    (entry,) = await listed(pool, "enrich")
    assert (entry.loop, entry.key, entry.attempts, entry.reason) == ("jobs", "bad", 1, "ValueError: a bug?")
    pauses = [await pause_s(pool)]
    for _ in range(3):
        await pool.execute("UPDATE enrich.set_aside SET next_at = now()")
        await turn()
        pauses.append(await pause_s(pool))
    assert pauses == [30.0, 60.0, 100.0, 100.0]
    bug.clear()
    await pool.execute("UPDATE enrich.set_aside SET next_at = now()")
    assert await turn() == 3
    assert await listed(pool, "enrich") == []


async def test_an_outage_ends_the_turn_and_sets_nothing_aside(pool: Pool) -> None:
    """It says nothing about the row."""

    async def handle(item: str) -> None:
        raise Transient("Kafka is away")

    with pytest.raises(Transient):
        await ASIDE.each(pool, ["one"], str, handle)
    assert await listed(pool, "enrich") == []


async def test_a_row_that_a_queue_cannot_read_takes_no_other_with_it(pool: Pool) -> None:
    """It is not claimed again before its pause is over, so that it takes no room either."""

    def read(row: Row) -> str:
        if row["id"] == 2:
            raise ValueError("no such kind")
        return f"job {row['id']}"

    await pool.execute("CREATE TABLE enrich.jobs (id int PRIMARY KEY, due_at timestamptz NOT NULL DEFAULT now())")
    await pool.execute("INSERT INTO enrich.jobs (id) VALUES (1), (2), (3)")
    queue = LeaseQueue(
        table="enrich.jobs", key={"id": "int"}, due="due_at", columns="q.id, q.due_at", read=read, aside=ASIDE
    )
    assert sorted(await queue.claim(pool, 9, 60.0)) == ["job 1", "job 3"]
    assert [entry.key for entry in await listed(pool, "enrich", "jobs")] == ["2"]
    await pool.execute("UPDATE enrich.jobs SET due_at = now()")
    async with pool.acquire() as connection, connection.transaction():
        assert sorted(await queue.lock(connection, 2)) == ["job 1", "job 3"]


async def test_the_command_lists_them(pool: Pool, newsroom: Connections, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is on duty sees what, since when, why and when again."""
    monkeypatch.setenv("POSTGRES_DSN", newsroom.postgres_dsn)
    await ASIDE.put(pool, "bad", "a reason")
    await SetAside("enrich", "others").put(pool, "x", "another")
    told = await asyncio.to_thread(CliRunner().invoke, set_aside("enrich"), ["--loop", "jobs"])
    assert told.exit_code == 0
    assert "jobs  bad  1 times" in told.output
    assert "a reason" in told.output
    assert "another" not in told.output
