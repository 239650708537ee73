"""Rows are written by whoever started from what they say, on real Postgres."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from enrich.settings import Settings
from enrich.text.domain.lifecycle import Input, decide
from enrich.text.domain.state import State
from enrich.text.published.places import Settled, read_places, read_revisions, write_place
from enrich.text.state_store import RowConflict, load, store
from shared.messages import update_id_for
from shared.postgres.migrations import open_pool
from shared.postgres.pool import Pool
from shared.settings import Connections
from support.incoming import order, version

pytestmark = pytest.mark.integration

UPDATE, OTHER = update_id_for("pa", "g1"), update_id_for("pa", "g2")


@pytest_asyncio.fixture
async def pool(newsroom: Connections) -> AsyncIterator[Pool]:
    """Postgres with the schema."""
    pool = await open_pool(Settings(**newsroom.model_dump()), schema="enrich", stop=asyncio.Event())
    yield pool
    await pool.close()


def after(state: State, *messages: Input) -> State:
    """The state after messages that publish nothing here."""
    for message in messages:
        state = decide(message, state).state
    return state


async def test_a_row_that_another_has_moved_is_a_conflict_and_nothing_is_written(pool: Pool) -> None:
    """Of two that started from the same row the second goes back, with all that it would have written beside it."""
    first = after(State(update_id=UPDATE), version(1))
    await store(pool, [first], {UPDATE: 0})
    mine, others = after(first, version(2)), after(first, order("withdraw", 3))
    await store(pool, [others], {UPDATE: first.state_version})
    beside = after(State(update_id=OTHER), version(1, guid="g2"))
    with pytest.raises(RowConflict) as conflict:
        await store(pool, [mine, beside], {UPDATE: first.state_version, OTHER: 0}, Settled({3}, 17))
    assert conflict.value.update_ids == [UPDATE]
    known = await load(pool, [UPDATE, OTHER])
    assert known[UPDATE].state == others
    assert known[OTHER].state == State(update_id=OTHER)
    assert await read_places(pool, {3}) == {}


async def test_a_row_that_came_meanwhile_is_a_conflict(pool: Pool) -> None:
    """Also where both thought that there was none."""
    mine, others = after(State(update_id=UPDATE), version(1)), after(State(update_id=UPDATE), version(2))
    await store(pool, [others], {UPDATE: 0})
    with pytest.raises(RowConflict):
        await store(pool, [mine], {UPDATE: 0})
    assert (await load(pool, [UPDATE]))[UPDATE].state == others


async def test_a_row_moves_on_over_several_batches_and_the_same_again_passes(pool: Pool) -> None:
    """Several turns in one write; and a write whose answer was lost is made once more."""
    first = after(State(update_id=UPDATE), version(1))
    await store(pool, [first], {UPDATE: 0})
    later = after(first, version(2), version(3))
    await store(pool, [later], {UPDATE: first.state_version}, Settled({0, 5}, 40))
    await store(pool, [later], {UPDATE: first.state_version})
    assert (await load(pool, [UPDATE]))[UPDATE].state == later
    assert await read_places(pool, {0, 5, 7}) == {0: 40, 5: 40}
    assert await read_revisions(pool, {UPDATE, OTHER}) == {UPDATE: 0}


async def test_a_settled_place_only_moves_forward(pool: Pool) -> None:
    """A process that was slow writes its own late."""
    await write_place(pool, Settled({1}, 20))
    await write_place(pool, Settled({1, 2}, 10))
    assert await read_places(pool, {1, 2}) == {1: 20, 2: 10}
