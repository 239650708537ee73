"""The memory of a replica."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from publish.archive.standings import LastChange, Standing
from publish.archive.store import fold_batch, revision_of
from publish.representation.position import Position, channels_of, fold
from publish.representation.reader_update import ReaderUpdate, reader_change, reader_update
from publish.web.feed_store import FeedEntry, FeedStore
from shared.messages import Change, EnrichedUpdate
from support.revisions import NOON, revision

LOGS = st.lists(
    st.builds(
        lambda guid, number, removal, tag: revision(guid, number, removal=removal, tags=[tag]),
        st.sampled_from("abcd"),
        st.integers(1, 4),
        st.sampled_from([None, None, None, "withdrawn", "killed"]),
        st.sampled_from(["t1", "t2"]),
    ),
    max_size=16,
)


def filled(updates: list[EnrichedUpdate], limit: int = 100) -> FeedStore:
    """A memory that took these revisions, from nothing."""
    feed_store = FeedStore(limit)
    feed_store.reset(Position(1, -1), [], complete=True)
    for offset, update in enumerate(updates):
        feed_store.apply(reader_update(update, cursor=Position(1, offset)))
    return feed_store


def headlines(feed_store: FeedStore, channel: str = "news") -> list[str]:
    """What a channel shows, newest first."""
    return [entry.update.headline for entry in feed_store.page(channel, None, 1000).entries]


@given(LOGS, st.integers(0, 16), st.data())
def test_a_snapshot_and_the_log_behind_it_are_the_fold_of_the_whole_log(
    log: list[EnrichedUpdate], cut: int, data: st.DataObject
) -> None:
    """Wherever the snapshot was taken, memory shows what the fold of all revisions shows, in every channel: also where what
    was before the snapshot is repeated behind it, removals among it."""
    before = log[:cut]
    log = before + data.draw(
        st.permutations(log[cut:] + (data.draw(st.lists(st.sampled_from(before))) if before else []))
    )
    placed = [(Position(1, offset), update) for offset, update in enumerate(log)]
    archived = fold_batch({}, [revision_of(place, update, b"") for place, update in placed[: len(before)]]).after
    newest = sorted(archived.values(), key=lambda each: each.place, reverse=True)
    feed_store = FeedStore(100)
    feed_store.reset(
        Position(1, len(before) - 1),
        [
            FeedEntry(reader_update(each.update, cursor=archived[each.update.update_id].place, position=each.position))
            for each in fold(placed[: len(before)])
        ],
        complete=True,
        standings=[
            LastChange(each.update_id, Standing(each.revision, each.removal, each.place, each.position), 0)
            for each in newest
        ],
    )
    for place, update in placed[len(before) :]:
        feed_store.apply(reader_update(update, cursor=place))
    expected = fold(placed)
    seen = feed_store.page("news", None, 100).entries
    assert [each.update for each in seen] == [
        reader_update(each.update, cursor=found.update.cursor, position=each.position)
        for each, found in zip(expected, seen, strict=True)
    ]
    for channel in ("tag:t1", "tag:t2"):
        assert headlines(feed_store, channel) == [
            each.update.headline for each in expected if channel in channels_of(each.update)
        ]


@given(LOGS)
def test_whatever_changes_a_channel_moves_its_generation(log: list[EnrichedUpdate]) -> None:
    """A page that was rendered at a generation is true for as long as the generation stands."""
    feed_store = FeedStore(2)
    feed_store.reset(Position(1, -1), [], complete=True)
    channels = ["news", "tag:t1", "tag:t2", *(f"update:{revision(guid).update_id}" for guid in "abcd")]
    for offset, update in enumerate(log):
        before = {name: (feed_store.generation(name), feed_store.page(name, None, 10).entries) for name in channels}
        feed_store.apply(reader_update(update, cursor=Position(1, offset)))
        for name in channels:
            generation, entries = before[name]
            if feed_store.page(name, None, 10).entries != entries:
                assert feed_store.generation(name) != generation, name


def test_a_later_revision_of_what_memory_evicted_is_never_put_on_top() -> None:
    """An update that is older than all that memory holds keeps its place, which only the archive has."""
    feed_store = filled([revision(guid) for guid in "abcde"], limit=3)
    assert headlines(feed_store) == ["e 1", "d 1", "c 1"]
    assert feed_store.apply(reader_update(revision("a", 1), cursor=Position(1, 8))) is None
    applied = feed_store.apply(reader_update(revision("a", 2), cursor=Position(1, 9)))
    assert applied is not None
    assert applied.entry is not None
    assert applied.entry.position == (1, 0)
    applied = feed_store.apply(reader_update(revision("z", 2), cursor=Position(1, 10), position=Position(0, 7)))
    assert applied is not None
    assert applied.entry is not None
    assert applied.entry.position == (0, 7)
    assert headlines(feed_store) == ["e 1", "d 1", "c 1"]


def test_what_memory_does_not_hold_is_left_to_the_archive() -> None:
    """A page that reaches beyond memory says so; one of a memory that holds everything is whole."""
    feed_store = filled([revision(guid) for guid in "abcde"], limit=3)
    assert feed_store.page("news", None, 2).whole
    assert not feed_store.page("news", None, 3).whole
    assert filled([revision(guid) for guid in "abc"]).page("news", None, 3).whole


def test_a_withdrawn_update_returns_to_its_place() -> None:
    """Withdrawn and restored, an update has its first position again."""
    feed_store = filled(
        [revision("a"), revision("b"), revision("a", 2, removal="withdrawn"), revision("c"), revision("a", 3)]
    )
    assert headlines(feed_store) == ["c 1", "b 1", "a 3"]


def test_a_replica_tells_why_what_it_had_is_gone() -> None:
    """The removal itself, with its reason and number, and not only that there was one; also of what it never showed. A return ends it."""
    feed_store = filled([revision("a"), revision("a", 2, removal="withdrawn"), revision("b", 1, removal="killed")])
    removed = [feed_store.removed(revision(guid).update_id) for guid in "ab"]
    assert [(each.revision, each.removal) for each in removed if isinstance(each, ReaderUpdate)] == [
        (2, "withdrawn"),
        (1, "killed"),
    ]
    feed_store.apply(reader_update(revision("a", 3), cursor=Position(1, 3)))
    assert feed_store.removed(revision("a").update_id) is None


def test_readers_of_a_channel_that_an_update_leaves_are_told() -> None:
    """The channels of a revision are its own and those of the one before."""
    feed_store = filled([revision("a", tags=["t1"])])
    applied = feed_store.apply(reader_update(revision("a", 2, tags=["t2"]), cursor=Position(1, 1)))
    assert applied is not None
    assert {"tag:t1", "tag:t2"} <= applied.channels
    killed = feed_store.apply(reader_update(revision("a", 3, removal="killed"), cursor=Position(1, 2)))
    assert killed is not None
    assert "tag:t2" in killed.channels


def test_late_enrichment_keeps_the_reason_of_a_correction() -> None:
    """A picture that follows a correction does not take the correction's reason and diff away."""
    correction = Change(reason="The number was wrong.", diff=(("-", "5"), ("+", "6")))
    corrected = revision("a", 2, kind="correct", change=correction, updated_at=NOON + timedelta(minutes=5))
    enriched = revision("a", 3, kind="enrich", updated_at=NOON + timedelta(minutes=5))
    feed_store = filled([revision("a"), corrected, enriched])
    entry = feed_store.get(enriched.update_id)
    assert entry is not None
    assert entry.update.change == reader_change(correction)
    feed_store.apply(reader_update(revision("a", 4, updated_at=NOON + timedelta(minutes=9)), cursor=Position(1, 9)))
    entry = feed_store.get(enriched.update_id)
    assert entry is not None
    assert entry.update.change == reader_change(Change())
