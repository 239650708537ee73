"""Revisions of updates that memory cannot place: repeats change nothing, and nobody waits long for the archive."""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publish.archive.queries import Archived
from publish.archive.standings import LastChange, Standing, Standings
from publish.representation.position import Position, channels_of
from publish.representation.reader_update import reader_update
from publish.web.feed_store import Applied, FeedStore
from publish.web.following import placement as placement_module
from publish.web.following.placement import Placement, TooManyWait
from shared.http.problem import Problem
from shared.messages import EnrichedUpdate, Passport
from support.revisions import NOON, revision
from support.web_replica import ListedArchive

NOW = datetime.now(UTC)


class Newsroom:
    """An archive, and a replica that starts when a test says so."""

    def __init__(self, limit: int = 10) -> None:
        self.archive = ListedArchive()
        self.archive.reached = Position(1, -1)
        self.feed_store = FeedStore(limit)
        self.clock = [0.0]
        self.placement = Placement(self.archive, self.feed_store, lambda: self.clock[0])
        self.offset = 0

    def archived(self, *updates: EnrichedUpdate) -> None:
        """Revisions that the archive has seen."""
        for update in updates:
            self.offset += 1
            place = Position(1, self.offset)
            before = [each.position for each in self.archive.archived if each.update.update_id == update.update_id]
            placed = reader_update(update, cursor=place, position=min([place, *before]))
            self.archive.archived.append(Archived(placed, channels_of(update)))
        self.archive.reached = Position(1, self.offset)

    def start(self, *, knows: bool = False) -> None:
        """A snapshot without a visible update, as one is whose updates are all older; what changed last is known or not."""
        standings: list[LastChange] = []
        limit = self.feed_store.known.limit
        if knows:
            newest = {each.update.update_id: each.update for each in self.archive.archived}
            standings = [
                LastChange(key, Standing(each.revision, each.removal, each.cursor, each.position), NOW.timestamp())
                for key, each in reversed(newest.items())
            ]
        place = Position(1, self.offset)
        padding = [LastChange(f"other {n}", Standing(1, None, place, place), NOW.timestamp()) for n in range(limit)]
        self.feed_store.reset(place, [], complete=False, standings=[*standings, *padding][:limit])

    async def comes(self, *updates: EnrichedUpdate) -> list[Applied | None]:
        """What these records of the log do, in one batch."""
        read = []
        for update in updates:
            self.offset += 1
            read.append(reader_update(update, cursor=Position(1, self.offset)))
        standings = await self.placement.ask(read)
        return [self.placement.apply(each, standings) for each in read]


def news(guid: str, number: int = 1, **fields: Any) -> EnrichedUpdate:
    """A revision of something received now."""
    return revision(guid, number, passport=Passport(received_at=NOW + timedelta(hours=1), enriched_at=NOW), **fields)


REMOVALS = ["killed", "taken-down", "withdrawn", "expired"]


@pytest.mark.parametrize("knows", [True, False])
@pytest.mark.parametrize("removal", REMOVALS)
@pytest.mark.parametrize("repeated", [1, 2])
async def test_a_repeat_after_a_removal_shows_nothing(removal: str, repeated: int, *, knows: bool) -> None:
    """Whether memory knows of the removal or the archive must be asked: words that were removed stay so."""
    room = Newsroom()
    room.archived(revision("a"), revision("a", 2), revision("a", 3, removal=removal))
    room.start(knows=knows)
    assert await room.comes(revision("a", repeated)) == [None]
    assert room.feed_store.get(revision("a").update_id) is None
    assert not room.placement.waits


@pytest.mark.parametrize("removal", REMOVALS)
async def test_a_repeat_while_the_archive_is_away_waits_unseen(removal: str) -> None:
    """What may be the words of an update that was removed is shown to nobody until the archive tells."""
    room = Newsroom()
    room.archived(revision("a"), revision("a", 2, removal=removal), revision("b"))
    room.start()
    room.archive.away = True
    assert await room.comes(revision("a"), revision("b", 2)) == [None, None]
    assert room.placement.waits
    with pytest.raises(Problem):
        await room.placement.place_those_waiting()
    room.archive.away = False
    assert await room.placement.place_those_waiting(), "readers look again: the correction was not told at its place"
    assert not room.placement.waits
    assert room.feed_store.get(revision("a").update_id) is None
    standing = room.feed_store.known.get(revision("b").update_id)
    assert standing is not None
    assert (standing.revision, standing.position) == (2, Position(1, 3))


async def test_an_old_repeat_of_what_stands_shows_no_old_words() -> None:
    """The archive has five revisions of an update that memory does not hold; the first one again is nothing."""
    room = Newsroom()
    room.archived(*(revision("a", number) for number in range(1, 6)))
    room.start()
    assert await room.comes(revision("a", 1), revision("a", 4), revision("a", 5)) == [None, None, None]
    (corrected,) = await room.comes(revision("a", 6))
    assert corrected is not None
    assert (corrected.update.revision, corrected.update.position) == (6, Position(1, 1))


async def test_several_removals_and_returns() -> None:
    """Withdrawn, restored, withdrawn and restored: whatever of it comes again changes nothing, and what is new does."""
    room = Newsroom()
    told = [
        revision("a"),
        revision("a", 2, removal="withdrawn"),
        revision("a", 3),
        revision("a", 4, removal="withdrawn"),
        revision("a", 5),
    ]
    room.archived(*told)
    room.start()
    assert await room.comes(*told) == [None] * 5
    withdrawn, again, restored = await room.comes(
        revision("a", 6, removal="withdrawn"), revision("a", 5), revision("a", 7)
    )
    assert withdrawn is not None
    assert again is None
    assert restored is not None
    assert restored.update.position == (1, 1)


async def test_words_are_not_shown_that_the_archive_knows_to_be_old() -> None:
    """The archive is ahead of this replica: what is current there is still to come, and is told at its own place."""
    room = Newsroom()
    room.archived(revision("a"))
    room.start()
    room.offset = 1
    room.archived(revision("a", 2), revision("a", 3, removal="withdrawn"))
    room.offset = 1
    assert await room.comes(revision("a", 2)) == [None]
    (gone,) = await room.comes(revision("a", 3, removal="withdrawn"))
    assert gone is not None
    assert gone.update.removal == "withdrawn"


async def test_news_asks_the_archive_nothing() -> None:
    """What was received after all that memory may have forgotten is new: it waits for no answer, and an outage stops nothing."""
    room = Newsroom()
    room.start()
    room.archive.away = True
    first, corrected = await room.comes(news("a"), news("a", 2))
    assert first is not None
    assert corrected is not None
    assert corrected.update.position == first.update.cursor
    (late,) = await room.comes(news("never seen", 3))
    assert late is not None, "its words reach open pages"
    assert room.feed_store.get(late.update.update_id) is None, "nothing is put on top whose place is not known"
    room.archive.away = False
    room.archive.reached = Position(1, room.offset)
    assert not await room.placement.place_those_waiting(), "readers were told at its place"
    assert room.feed_store.get(late.update.update_id) is not None


async def test_what_is_new_does_not_wait_for_an_archive_that_lags() -> None:
    """It need have seen only what memory may have forgotten: what came after that, memory knows itself."""
    room = Newsroom()
    room.archived(revision("a"))
    room.start()
    for n in range(5):
        assert (await room.comes(revision(f"new{n}")))[0] is not None
    room.archive.reached = Position(1, 0)
    assert await room.comes(revision("newer")) == [None]
    room.archive.reached = Position(1, 1)
    assert await room.placement.place_those_waiting(), "readers look again"


async def test_a_removal_waits_for_nothing() -> None:
    """With the archive away, what is to be out of sight is."""
    room = Newsroom()
    room.archived(revision("a"), revision("b"))
    room.start()
    room.archive.away = True
    for applied in await room.comes(revision("a", 2, removal="withdrawn"), revision("b", 2, removal="killed")):
        assert applied is not None
        assert room.feed_store.removed(applied.update.update_id) is not None


VISIBLE = st.sampled_from(["", "withdrawn", "expired"])
ENDS = st.sampled_from([("killed",), ("taken-down",), ("killed", "taken-down"), ("killed", "killed")])


@settings(max_examples=60, deadline=None)
@given(
    told=st.lists(VISIBLE, max_size=3),
    end=ENDS,
    snapshot_after=st.integers(0, 5),
    knows=st.booleans(),
    lags=st.booleans(),
)
async def test_the_end_of_what_nobody_ever_saw_is_told_to_nobody(
    told: list[str], end: tuple[str, ...], snapshot_after: int, *, knows: bool, lags: bool
) -> None:
    """Of what readers saw the end is announced, wherever the snapshot was; of what they never saw nothing is, and no 410."""
    shown = ["", *told] if told else []
    history = [revision("a", n, removal=removal or None) for n, removal in enumerate((*shown, *end), 1)]
    room = Newsroom()
    room.archived(*history[:snapshot_after])
    if not shown:
        room.archive.archived = [
            replace(each, update=replace(each.update, position=None)) for each in room.archive.archived
        ]
    room.start(knows=knows)
    came: list[Applied | None] = []
    for each in history[snapshot_after:]:
        came += await room.comes(each)
        if not lags:
            room.archive.reached = Position(1, room.offset)
    removed = [applied for applied in came if applied is not None and applied.update.is_final]
    update_id = revision("a").update_id
    if shown and snapshot_after <= len(shown):
        assert len(removed) == 1
        assert room.feed_store.removed(update_id) is not None
    assert room.feed_store.get(update_id) is None
    if not shown:
        assert removed == []
        assert room.feed_store.removed(update_id) is None


async def test_an_end_is_told_to_those_who_were_given_words_without_a_place() -> None:
    """The archive, which lags, has nothing of it yet; open pages do."""
    room = Newsroom()
    room.start()
    room.archive.away = True
    (late,) = await room.comes(news("a", 2))
    assert late is not None
    room.archive.away = False
    room.clock[0] += 10
    (gone,) = await room.comes(revision("a", 2, removal="killed"))
    assert gone is not None
    assert room.feed_store.removed(gone.update.update_id) is not None


class CountingArchive(ListedArchive):
    """An archive that counts its questions, and may never answer."""

    def __init__(self, *, hangs: bool = False) -> None:
        super().__init__()
        self.questions: list[int] = []
        self.hangs = hangs

    async def standings(self, update_ids: Collection[str]) -> Standings:
        """Where they stand."""
        self.questions.append(len(update_ids))
        if self.hangs:
            await asyncio.Event().wait()
        return await super().standings(update_ids)


async def test_a_batch_is_one_question() -> None:
    """However many updates of it memory cannot place; those that it can are not asked for."""
    room = Newsroom()
    room.start()
    archive = CountingArchive()
    room.placement = Placement(archive, room.feed_store)
    await room.comes(*(revision(f"old{n}", 2) for n in range(20)), *(news(f"new{n}") for n in range(20)))
    await room.comes(*(revision(f"old{n}", 3) for n in range(20)))
    assert archive.questions == [20]


async def test_an_archive_that_hangs_delays_live_news_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who does not answer at once is left alone for a while."""
    monkeypatch.setattr(placement_module, "PATIENCE_S", 0.01)
    room = Newsroom()
    room.start()
    archive = CountingArchive(hangs=True)
    room.placement = Placement(archive, room.feed_store, lambda: room.clock[0])
    for n in range(5):
        _, live = await room.comes(revision(f"old{n}", 2), news(f"new{n}"))
        assert live is not None
    assert archive.questions == [1]
    room.clock[0] += 3
    await room.comes(revision("old9", 2))
    assert archive.questions == [1, 1]


async def test_of_what_waits_the_newest_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """A repeat does not take the place of a later revision, and what is more than can be kept is found by a snapshot."""
    monkeypatch.setattr(placement_module, "MOST_WAITING", 2)
    room = Newsroom()
    room.archived(revision("a"), revision("b"))
    room.start()
    room.archive.away = True
    await room.comes(revision("a", 3), revision("a", 2), revision("b", 2))
    room.archive.away = False
    assert await room.placement.place_those_waiting()
    standing = room.feed_store.known.get(revision("a").update_id)
    assert standing is not None
    assert standing.revision == 3
    room.start()
    room.archive.away = True
    room.clock[0] += 10
    await room.comes(*(revision(f"c{n}", 2) for n in range(3)))
    room.archive.away = False
    with pytest.raises(TooManyWait):
        await room.placement.place_those_waiting()
    room.placement.reset()
    assert not room.placement.waits


def test_the_moments_of_these_tests() -> None:
    """Revisions of the tests were received long before the snapshot."""
    assert revision("a").passport.received_at == NOON < NOW
