"""The archive's fold in SQL is the fold that every channel shares."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as with_settings
from hypothesis import strategies as st

from publish.archive import queries
from publish.archive.store import Revision, revision_of, write_batch
from publish.archive.story_records import story_records
from publish.representation.position import Position, fold
from publish.representation.reader_update import ReaderStoryProfile, reader_update
from publish.representation.story_record import StoryRecord
from shared.kafka.cloudevents import value_of
from shared.messages import EnrichedUpdate, StoryProfile
from shared.postgres.migrations import migrate
from shared.postgres.pool import connect
from shared.settings import Connections
from support.revisions import NOON, revision

REMOVALS = [None, None, None, None, "withdrawn", "killed", "taken-down", "expired"]
LOGS = st.lists(
    st.builds(
        lambda guid, number, removal, tag: revision(guid, number, removal=removal, tags=[tag]),
        st.sampled_from("abc"),
        st.integers(1, 5),
        st.sampled_from(REMOVALS),
        st.sampled_from(["t1", "t2"]),
    ),
    max_size=14,
)


@pytest.mark.integration
async def test_any_order_of_revisions_in_any_batches_is_what_the_shared_fold_makes_of_it(newsroom: Connections) -> None:
    """Duplicates, late revisions and kills in any order, cut into any batches, give the pages of `publish.representation.position.fold`."""
    pool = await connect(newsroom, schema="publish")
    await migrate(pool, "publish")

    async def check(log: list[EnrichedUpdate], batch: int) -> None:
        async with pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            revisions = [revision_of(Position(1, n), update, value_of(update)) for n, update in enumerate(log)]
            for start in range(0, len(revisions), batch):
                await write_batch(connection, revisions[start : start + batch])
            seen = await queries.page(connection, "news", None, 100)
            tagged = await queries.page(connection, "tag:t1", None, 100)
            await transaction.rollback()
        expected = fold((each.place, each.update) for each in revisions)
        assert [each.update for each in seen] == [
            reader_update(each.update, cursor=found.cursor, position=each.position)
            for each, found in zip(expected, seen, strict=True)
        ]
        assert [each.position for each in tagged] == [
            each.position for each in expected if any(tag.code == "t1" for tag in each.update.tags)
        ]

    loop = asyncio.get_running_loop()

    @with_settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(LOGS, st.integers(1, 14))
    def example(log: list[EnrichedUpdate], batch: int) -> None:
        asyncio.run_coroutine_threadsafe(check(log, batch), loop).result(30)

    await asyncio.to_thread(example)
    await pool.close()


def test_a_removal_that_carries_text_is_archived_without_it() -> None:
    """What a careless writer left in a removal reaches no table."""
    careless = revision("a", 2, removal="killed", headline="secret", text="secret words", byline="By A")
    kept: Revision = revision_of(Position(1, 1), careless, value_of(careless))
    assert b"secret" not in kept.data
    assert kept.update.byline == ""


@pytest.mark.integration
async def test_a_story_is_known_from_its_first_update_and_by_its_newest_profile(newsroom: Connections) -> None:
    """In whatever order revisions come; a kill moves neither, and a repeat changes nothing."""
    pool = await connect(newsroom, schema="publish")
    await migrate(pool, "publish")

    def of_story(guid: str, number: int, edition: int, minute: int) -> EnrichedUpdate:
        profile = StoryProfile(edition=edition, name=f"Edition {edition}", summary=("One.", "Two."))
        at = NOON + timedelta(minutes=minute)
        return revision(guid, number, story="flood", story_profile=profile, first_published_at=at)

    log = [
        of_story("b", 1, 2, 5),
        of_story("a", 1, 1, 0),
        revision("a", 2, removal="killed", story="flood"),
        of_story("b", 2, 1, 5),
    ]
    async with pool.acquire() as connection:
        for offset, update in enumerate([*log, *log]):
            async with connection.transaction():
                await write_batch(connection, [revision_of(Position(1, offset), update, value_of(update))])
    (record,) = await story_records(pool, ["flood", "unknown"])
    profile = ReaderStoryProfile(2, "Edition 2", "", ("One.", "Two."))
    assert record == StoryRecord("flood", NOON, profile, is_whole=True)
    snapshot = await queries.snapshot(pool, 100)
    assert snapshot.stories == [record]
    await pool.close()
