"""Readers are sent each event once and in order, or a reset."""

from publish.representation.position import Position
from publish.web.stream.event import StreamEvent
from publish.web.stream.limits import StreamLimits
from support.broadcasting import Log, Slow, connect, event, let_write, numbers, reasons, started


async def test_a_reader_gets_its_channels_only_and_each_event_once() -> None:
    """Whoever follows several channels gets an event of two of them once, and one of none of them never."""
    with started() as broadcaster:
        one, several, all_of_it = (
            connect(broadcaster, "channels=tag:a"),
            connect(broadcaster, "channels=tag:a,tag:b"),
            connect(broadcaster),
        )
        broadcaster.publish([event(1, "tag:a", "tag:b"), event(2, "tag:b"), event(3, "story:c"), event(4, "tag:a")])
        await all_of_it.count(4)
        await several.count(3)
        await one.count(2)
        assert numbers(one) == [1, 4]
        assert numbers(several) == [1, 2, 4]
        assert numbers(all_of_it) == [1, 2, 3, 4]


async def test_what_is_published_twice_is_sent_once() -> None:
    """A batch that is repeated after a rebalance or a restart of the follower changes nothing."""
    with started() as broadcaster:
        reader = connect(broadcaster)
        broadcaster.publish([event(1), event(2)])
        broadcaster.publish([event(1), event(2), event(3)])
        await reader.count(3)
        await let_write(broadcaster)
        reader.take()
        assert numbers(reader) == [1, 2, 3]


async def test_an_event_that_cannot_be_shown_is_a_reset() -> None:
    """Nothing is left out silently: where its HTML cannot be made, pages fetch the snapshot, and others have the event."""
    with started() as broadcaster:
        page, other = connect(broadcaster, "view=page"), connect(broadcaster)
        broadcaster.publish([StreamEvent(1, n, "update", frozenset({"news"}), Slow(n)) for n in (12, 13, 14)])
        await other.count(3)
        await page.until(lambda each: each.parser.last_event_id == "1-14")
        assert numbers(other) == [12, 13, 14]
        assert reasons(page) == ["broken"]


async def test_the_log_moves_on_without_events() -> None:
    """Records that tell readers nothing move the cursor too, so that a page's cursor is never ahead of its stream."""
    with started() as broadcaster:
        broadcaster.publish([event(1)], through=(1, 7))
        await let_write(broadcaster)
        reader = connect(broadcaster, "", "1-7")
        await reader.until(lambda each: each.parser.last_event_id == "1-7")
        broadcaster.publish([event(8)])
        await reader.count(1)
        assert numbers(reader) == [8]


async def test_a_new_epoch_is_a_reset_for_everybody() -> None:
    """When the topic was recreated every reader gets a reset in order, between the old events and the new ones."""
    with started() as broadcaster:
        readers = [connect(broadcaster), connect(broadcaster, "channels=tag:a")]
        broadcaster.publish([event(1, "tag:a")])
        broadcaster.begin(2, -1)
        broadcaster.publish([event(0, "tag:a", epoch=2)])
        for reader in readers:
            await reader.count(3)
            assert [each.event for each in reader.events] == ["update", "reset", "update"]
            assert reasons(reader) == ["epoch"]
            assert reader.ids == ["1-1", "2--1", "2-0"]
        back = connect(broadcaster, "", "1-1")
        await back.count(1)
        assert reasons(back) == ["epoch"]


async def test_following_again_from_an_earlier_place_repeats_nothing() -> None:
    """After an outage the log may be read again from a snapshot that is older: readers notice nothing."""
    with started() as broadcaster:
        reader = connect(broadcaster)
        broadcaster.publish([event(1), event(2), event(3)])
        broadcaster.begin(1, 1)
        broadcaster.publish([event(2), event(3), event(4)])
        await reader.count(4)
        assert numbers(reader) == [1, 2, 3, 4]
        assert reasons(reader) == []


async def test_following_again_from_a_later_place_fills_the_gap() -> None:
    """What came while the log could not be followed is taken from the archive, in order before what comes now."""
    log = Log([event(offset) for offset in range(1, 9)])
    with started(StreamLimits(replay_events=3), log) as broadcaster:
        reader = connect(broadcaster)
        broadcaster.publish([event(1), event(2)])
        broadcaster.begin(1, 8)
        broadcaster.publish([event(9)])
        await reader.count(9)
        assert numbers(reader) == list(range(1, 10))
        assert reasons(reader) == []


async def test_a_gap_that_cannot_be_filled_is_a_reset() -> None:
    """Without the archive's answer readers are sent a reset, and what comes now follows it."""
    with started(log=Log([])) as broadcaster:
        reader = connect(broadcaster)
        broadcaster.publish([event(1)])
        broadcaster.begin(1, 8)
        broadcaster.publish([event(9)])
        await reader.count(3)
        assert reasons(reader) == ["gap"]
        assert numbers(reader) == [1, 9]


async def test_a_kill_does_not_wait_for_the_text_that_it_removes() -> None:
    """What waits in memory for who is behind loses the killed words too: it hears of the kill instead."""
    with started() as broadcaster:
        slow = connect(broadcaster, buffer=4096)
        broadcaster.publish([event(1, size=200_000)])
        await let_write(broadcaster)
        broadcaster.publish([event(2, "update:x", size=1_000)])
        await let_write(broadcaster)
        broadcaster.publish([event(3, "update:x", kind="kill")])
        await slow.count(2)
        assert numbers(slow) == [1, 3]


async def test_a_kill_removes_the_text_from_memory() -> None:
    """Who comes back after a kill hears of the kill and is never sent the killed text again."""
    with started() as broadcaster:
        broadcaster.publish([event(1, "update:x"), event(2, "update:y"), event(3, "update:x", kind="kill")])
        await let_write(broadcaster)
        reader = connect(broadcaster, "", "1-0")
        await reader.count(2)
        assert numbers(reader) == [2, 3]
        assert not any(
            b'"n":1,' in frame
            for entry in broadcaster.buffer.between(Position(1, 0), broadcaster.head)
            for frame in entry.frames.values()
        )


async def test_heartbeats_carry_the_newest_position() -> None:
    """A quiet channel's reader keeps a fresh id, so that coming back costs a short replay and never an expiry."""
    with started(StreamLimits(heartbeat_s=1)) as broadcaster:
        reader = connect(broadcaster, "channels=story:quiet")
        broadcaster.publish([event(1), event(2)])
        await reader.until(lambda each: each.parser.last_event_id == "1-2")
        assert reader.events == []
