"""Whom a change concerns stands in line: each update once, the newest first, and one cause does not wait for another."""

from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

from enrich.reference.changes import ask_refresh
from enrich.text.refreshes import line
from enrich.text.refreshes.line import queue_causes, queue_retries
from shared.postgres.migrations import migrate
from shared.postgres.pool import Pool, connect
from shared.postgres.set_aside import listed
from shared.settings import Connections

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def pool(newsroom: Connections) -> AsyncIterator[Pool]:
    """A schema with nothing in it."""
    pool = await connect(newsroom, schema="enrich", max_size=4)
    await migrate(pool, "enrich")
    yield pool
    await pool.close()


async def add_updates(pool: Pool, author: str, first: int, last: int) -> None:
    """Updates u`first` to u`last` by an author; the higher the number, the newer."""
    await pool.execute(
        "INSERT INTO enrich.updates (update_id, turn, revision, status, source, author_ids, state, written_at) "
        "SELECT 'u' || i, 1, 1, 'live', 'pa', ARRAY[$1::text], '', now() - interval '1 day' + i * interval '1 second' "
        "FROM generate_series($2::int, $3::int) i",
        author, first, last,
    )  # fmt: skip


async def in_line(pool: Pool) -> list[str]:
    """Who stands in line, first to last."""
    rows = await pool.fetch("SELECT update_id FROM enrich.pending_refreshes ORDER BY place")
    return [row["update_id"] for row in rows]


def updates(numbers: Sequence[int]) -> list[str]:
    """Their ids."""
    return [f"u{number}" for number in numbers]


async def test_an_update_stands_in_line_once_however_many_ask_and_the_newest_first(pool: Pool) -> None:
    """Two causes that concern the same updates make one refresh of each."""
    await add_updates(pool, "ada", 1, 6)
    await ask_refresh(pool, "authors", author_ids=["ada"], repeat=False)
    await ask_refresh(pool, "override", update_ids=["u3", "unknown"], repeat=False)
    await queue_causes(pool)
    assert sorted(await in_line(pool)) == updates(range(1, 7))
    assert [each for each in await in_line(pool) if each != "u3"] == updates([6, 5, 4, 2, 1])
    row = await pool.fetchrow("SELECT source, cause FROM enrich.pending_refreshes WHERE update_id = 'u1'")
    assert row is not None
    assert tuple(row) == ("pa", "authors")
    async with pool.acquire() as connection:
        await queue_retries(connection, ["u1", "u2"])
    await ask_refresh(pool, "authors", author_ids=["ada"], repeat=False)
    await queue_causes(pool)
    rows = await pool.fetch("SELECT update_id, cause FROM enrich.pending_refreshes")
    assert {row["update_id"] for row in rows if row["cause"] == "retry"} == {"u1", "u2"}
    assert await pool.fetchval("SELECT count(*) FROM enrich.refreshes") == 0


async def test_a_small_cause_does_not_wait_for_a_large_one(pool: Pool) -> None:
    """Of a large one half is sent when a small one comes: they take turns from there."""
    await add_updates(pool, "staff", 1, 100)
    await add_updates(pool, "ada", 101, 103)
    await ask_refresh(pool, "authors", author_ids=["staff"], repeat=False)
    await queue_causes(pool)
    await pool.execute(
        "DELETE FROM enrich.pending_refreshes WHERE place IN (SELECT place FROM enrich.pending_refreshes ORDER BY place LIMIT 50)"
    )
    await ask_refresh(pool, "authors", author_ids=["ada"], repeat=False)
    await queue_causes(pool)
    assert set(updates([103, 102, 101])) <= set((await in_line(pool))[:8])
    async with pool.acquire() as connection:
        await queue_retries(connection, ["u1"])
    assert (await in_line(pool)).index("u1") <= 2, "u1 was the last of the large cause; a step of it is tried again now"


async def test_a_large_cause_goes_on_where_a_dead_process_left_it(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices are put in line newest first; what was sent of one before the rest stands in line is not asked for again."""
    monkeypatch.setattr(line, "SLICE", 4)
    await add_updates(pool, "ada", 1, 10)
    await ask_refresh(pool, "authors", author_ids=["ada"], repeat=False)
    assert await queue_causes(pool) == 4
    assert await in_line(pool) == updates([10, 9, 8, 7])
    await pool.execute("DELETE FROM enrich.pending_refreshes")
    # An update that is made anew meanwhile is not asked for: it shows what has changed.
    await pool.execute("UPDATE enrich.updates SET written_at = now() WHERE update_id = 'u5'")
    while await queue_causes(pool):
        pass
    assert await in_line(pool) == updates([6, 4, 3, 2, 1])
    assert await pool.fetchval("SELECT count(*) FROM enrich.refreshes") == 0


async def test_the_second_time_only_what_was_written_since_is_asked_for(pool: Pool) -> None:
    """The repeat is for updates that were being made with the old edition."""
    await add_updates(pool, "ada", 1, 5)
    await ask_refresh(pool, "authors", author_ids=["ada"])
    await queue_causes(pool)
    await pool.execute("DELETE FROM enrich.pending_refreshes")
    await pool.execute("UPDATE enrich.updates SET written_at = now() WHERE update_id = 'u2'")
    await pool.execute("UPDATE enrich.refreshes SET run_at = now()")
    await queue_causes(pool)
    assert await in_line(pool) == ["u2"]


async def test_a_cause_that_fails_is_set_aside_and_the_others_go_on(pool: Pool) -> None:
    """It is listed with its reason, and tried again when its pause is over."""
    await add_updates(pool, "ada", 1, 2)
    await ask_refresh(pool, "authors", author_ids=["bad"], repeat=False)
    await ask_refresh(pool, "authors", author_ids=["ada"], repeat=False)
    await pool.execute("UPDATE enrich.refreshes SET first_place = 9223372036854775807 WHERE author_ids = '{bad}'")
    await add_updates(pool, "bad", 3, 3)
    await queue_causes(pool)
    assert await in_line(pool) == updates([2, 1])
    (entry,) = await listed(pool, "enrich")
    assert (entry.loop, entry.attempts) == ("refresh causes", 1)
    assert "out of range" in entry.reason
    await pool.execute("UPDATE enrich.refreshes SET first_place = NULL")
    assert await queue_causes(pool) == 0, "its pause is not over"
    await pool.execute("UPDATE enrich.set_aside SET next_at = now()")
    assert await queue_causes(pool) == 1
    assert await listed(pool, "enrich") == []
