"""Readers are sent each event once and in order, or a reset."""

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from publish.representation.position import Position
from publish.web.stream import broadcaster as broadcaster_module
from publish.web.stream.event import Replayed, StreamEvent
from publish.web.stream.limits import StreamLimits
from support.broadcasting import Log, Slow, connect, event, let_write, numbers, reasons, started
from support.waiting import eventually


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


@dataclass
class SlowLog(Log):
    """An archive that answers once it is let, with what it had archived by the time of the question."""

    reach: int = 0
    let: asyncio.Event = field(default_factory=asyncio.Event)

    async def replay(self, after: Position, channels: Collection[str], limit: int) -> Replayed | None:
        """What is archived after a position."""
        self.asked += 1
        reach = self.reach
        await self.let.wait()
        found = [each for each in self.events if after < each.position <= (1, reach)][:limit]
        return Replayed(found, found[-1].position if len(found) == limit else Position(1, reach))


@pytest.mark.parametrize("archived", [20, 40, 60])
@pytest.mark.parametrize("between", [[], [21, 22]])
async def test_a_place_further_on_while_the_gap_is_filled_leaves_no_silent_hole(
    archived: int, between: list[int]
) -> None:
    """The log fails again while the archive is asked: what lies between the two places is told, or a reset is."""
    log = SlowLog([event(offset) for offset in range(1, 61)], reach=20)
    with started(StreamLimits(replay_events=7), log) as broadcaster:
        reader = connect(broadcaster)
        broadcaster.publish(log.events[:10])
        await reader.count(10)
        broadcaster.begin(1, 20)
        await eventually(lambda: log.asked == 1)
        broadcaster.publish([event(offset) for offset in between])
        broadcaster.begin(1, 40)
        log.reach = archived
        broadcaster.publish(log.events[40:45])
        log.let.set()
        broadcaster.publish(log.events[45:50])
        await reader.until(lambda each: each.parser.last_event_id >= "1-50")
        told = numbers(reader)
        assert told == sorted(set(told))
        if archived >= 40:
            assert told[:50] == list(range(1, 51))
            assert reasons(reader) == []
        else:
            assert told == [*range(1, 21), *range(41, 51)]
            assert reasons(reader) == ["gap"]


async def test_a_new_epoch_while_the_gap_is_filled_ends_the_filling() -> None:
    """What the archive answers of the old log, even by failing, neither ends nor fills a gap of the new one."""
    old = asyncio.Event()

    async def replay(after: Position, channels: Collection[str], limit: int) -> Replayed | None:
        if after.epoch == 1:
            await old.wait()
            raise OSError("no route")
        return Replayed([event(offset, epoch=2) for offset in range(after.offset + 1, 6)], Position(2, 5))

    with started() as broadcaster:
        broadcaster._archive.replay = replay
        reader = connect(broadcaster)
        broadcaster.publish([event(1)])
        broadcaster.begin(1, 8)
        await let_write(broadcaster)
        broadcaster.begin(2, 0)
        broadcaster.begin(2, 5)
        old.set()
        broadcaster.publish([event(6, epoch=2)])
        await reader.until(lambda each: each.parser.last_event_id == "2-6")
        assert numbers(reader) == [1, *range(1, 7)]
        assert reasons(reader) == ["epoch"]


async def test_an_archive_that_never_answers_holds_nothing_back_for_long() -> None:
    """What comes now is told behind a reset, though the question for what was missed hangs."""
    with started(StreamLimits(fill_s=0.05), SlowLog([])) as broadcaster:
        reader = connect(broadcaster)
        broadcaster.publish([event(1)])
        broadcaster.begin(1, 8)
        broadcaster.publish([event(9)])
        await reader.count(3)
        assert reasons(reader) == ["gap"]
        assert numbers(reader) == [1, 9]


@pytest.mark.parametrize("blocked", [0, 100])
async def test_each_reader_is_sent_away_at_its_own_time(blocked: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sockets at the front that take nothing use up nobody's time: the others leave evenly over the whole grace."""
    with started(StreamLimits(buffer_bytes=10**9)) as broadcaster:
        stuck = [connect(broadcaster, buffer=4096) for _ in range(blocked)]
        broadcaster.publish([event(offset, size=60_000) for offset in range(1, 4)])
        await let_write(broadcaster)
        assert len(broadcaster.fanout.behind) == len(stuck)
        healthy = [connect(broadcaster) for _ in range(100)]
        await let_write(broadcaster)
        left: list[int] = []
        clock, real = [100.0], asyncio.sleep

        async def step(seconds: float) -> None:
            left.append(sum(each.waiting is None for each in broadcaster.fanout.connections()))
            clock[0] += seconds
            await real(0)

        monkeypatch.setattr(broadcaster_module.time, "monotonic", lambda: clock[0])
        monkeypatch.setattr(broadcaster_module.asyncio, "sleep", step)
        await broadcaster.drain(10.0)
        monkeypatch.undo()
        went = [before - after for before, after in pairwise([100, *left])]
        assert len(broadcaster) == 0
        for each in healthy:
            each.take()
            assert each.raw.count(b"retry: ") == 2
        assert max(went) <= 3
        assert sum(went[:50]) == pytest.approx(50, abs=5)


async def test_events_that_are_not_written_show_in_livez(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broadcaster that stops writing is replaced: nothing else would tell its readers."""
    with started() as broadcaster:
        reader = connect(broadcaster)
        broadcaster.publish([event(1)])
        await reader.count(1)
        assert broadcaster.why_not_live() is None

        def hang() -> None:
            raise RuntimeError("a bug")

        monkeypatch.setattr(broadcaster, "_begin_walks", hang)
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        broadcaster.publish([event(2)])
        await let_write(broadcaster)
        assert broadcaster.why_not_live() is None
        now = time.monotonic()
        monkeypatch.setattr(broadcaster_module.time, "monotonic", lambda: now + 61)
        assert "waiting" in (broadcaster.why_not_live() or "")
        monkeypatch.undo()


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
