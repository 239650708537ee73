"""What a reader missed comes before what is new, without a seam."""

import asyncio
import json
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from publish.representation.position import Position
from publish.web.stream import broadcaster as broadcaster_module
from publish.web.stream.broadcaster import Broadcaster
from publish.web.stream.event import Replayed, StreamEvent
from publish.web.stream.fanout import fanout
from publish.web.stream.limits import StreamLimits
from support.broadcasting import CHANNELS, Log, Slow, connect, event, let_write, numbers, reasons, started
from support.event_stream import Reader
from support.waiting import eventually


async def test_a_cursor_is_continued_from_memory() -> None:
    """A reader who comes back gets all that it missed of its channels, once, and then what is new."""
    with started() as broadcaster:
        broadcaster.publish([event(offset, "tag:a" if offset % 2 else "tag:b") for offset in range(1, 11)])
        await let_write(broadcaster)
        reader = connect(broadcaster, "channels=tag:a", "1-4")
        broadcaster.publish([event(11, "tag:a")])
        await reader.count(4)
        assert numbers(reader) == [5, 7, 9, 11]
        assert reader.events[-1].last_event_id == "1-11"


async def test_a_reader_without_a_cursor_begins_now_and_knows_where() -> None:
    """Before the first event comes, the browser already has an id to resume from."""
    with started() as broadcaster:
        broadcaster.publish([event(1), event(2)])
        await let_write(broadcaster)
        reader = connect(broadcaster)
        await reader.until(lambda each: each.parser.last_event_id == "1-2")
        assert reader.events == []


@pytest.mark.parametrize(
    ("cursor", "reason"),
    [("1-3", "expired"), ("0-3", "epoch"), ("2-1", "ahead"), ("1-9999999", "ahead"), ("garbage", "unknown-cursor")],
)
async def test_a_cursor_that_cannot_be_continued_is_a_reset(cursor: str, reason: str) -> None:
    """There is never a silent hole: a reset says why, where the snapshot is, and what is streamed from there on."""
    with started(StreamLimits(window_events=5, catch_up_s=0)) as broadcaster:
        broadcaster.publish([event(offset) for offset in range(1, 11)])
        await let_write(broadcaster)
        reader = connect(broadcaster, "", cursor)
        await reader.count(1)
        broadcaster.publish([event(11)])
        await reader.count(2)
        assert reasons(reader) == [reason]
        assert json.loads(reader.events[0].data)["cursor"] == "1-10"
        assert numbers(reader) == [11]


async def test_a_cursor_ahead_of_this_replica_waits_for_it() -> None:
    """A reader who was served by a replica that is further gets what it missed once this one is there, and no reset."""
    with started() as broadcaster:
        broadcaster.publish([event(1), event(2)])
        await let_write(broadcaster)
        reader = connect(broadcaster, "", "1-4")
        await reader.until(lambda each: each.status == 200)
        broadcaster.publish([event(3), event(4)])
        broadcaster.publish([event(5)])
        await reader.count(1)
        assert numbers(reader) == [5]
        assert reasons(reader) == []


async def test_a_page_that_slept_keeps_nobody_waiting() -> None:
    """HTML that was not made yet is made for it in turns: others are served meanwhile, and it still misses nothing."""
    with started() as broadcaster:
        broadcaster.publish([StreamEvent(1, n, "update", frozenset({"news"}), Slow(n)) for n in range(101, 301)])
        await let_write(broadcaster)
        other, page = connect(broadcaster), connect(broadcaster, "view=page", "1-100")
        broadcaster.publish([event(301)])
        await other.count(1)
        made = sum("page" in entry.frames for entry in broadcaster.buffer.between(Position(1, 100), broadcaster.head))
        await page.until(lambda each: len(each.events) >= 202)
        assert made < 200
        assert [json.loads(each.data)["n"] for each in page.events if each.event == "update"] == list(range(101, 302))


async def test_older_than_memory_comes_from_the_archive() -> None:
    """The archive's part and memory's part meet without a hole or a repeat, and the archive is asked once for many."""
    log = Log([event(offset) for offset in range(1, 21)])
    with started(StreamLimits(window_events=5), log) as broadcaster:
        broadcaster.publish(log.events)
        await let_write(broadcaster)
        readers = [connect(broadcaster, "", "1-2") for _ in range(50)]
        log.events.append(event(21))
        broadcaster.publish([event(21)])
        for reader in readers:
            await reader.count(19)
            assert numbers(reader) == list(range(3, 22))
        assert log.asked <= 3


async def test_more_than_may_be_replayed_is_a_reset() -> None:
    """A reader who was away for too long is sent to the snapshot instead of being replayed a day."""
    log = Log([event(offset) for offset in range(1, 101)])
    with started(StreamLimits(window_events=5, replay_events=50), log) as broadcaster:
        broadcaster.publish(log.events)
        await let_write(broadcaster)
        reader = connect(broadcaster, "", "1-1")
        await reader.count(1)
        assert reasons(reader) == ["expired"]


async def test_an_archive_that_fails_is_a_reset() -> None:
    """A reader is not left hanging because Postgres is away."""

    async def away(*_: object) -> Replayed | None:
        raise OSError("no route")

    broadcaster = Broadcaster(StreamLimits(window_events=1), away)
    broadcaster.begin(1, 0)
    broadcaster.start()
    broadcaster.publish([event(1), event(2), event(3)])
    await let_write(broadcaster)
    reader = connect(broadcaster, "", "1-1")
    await reader.count(1)
    assert reasons(reader) == ["expired"]
    broadcaster.close()


async def test_replays_do_not_add_up() -> None:
    """Whoever comes back for megabytes and reads none of them is held a piece, whatever place it comes back to."""
    with started() as broadcaster:
        broadcaster.publish([event(offset, size=20_000) for offset in range(1, 101)])
        await let_write(broadcaster, 100)
        readers = [connect(broadcaster, "", f"1-{place}", buffer=16_384) for place in range(50)]
        await let_write(broadcaster, 200)
        held = [sum(map(len, each.waiting or ())) for each in broadcaster.fanout.connections()]
        assert len(held) == len(readers)
        assert 0 < max(held) < 200_000
        for place, reader in enumerate(readers[:3]):
            await reader.count(100 - place)
            assert numbers(reader) == list(range(place + 1, 101))


async def test_what_the_archive_has_is_not_buffered_for_readers_who_do_not_read() -> None:
    """A replay from the archive stops where the socket is full, and goes on from there once it is not."""
    log = Log([event(offset, size=5_000) for offset in range(1, 601)])
    with started(StreamLimits(window_events=5), log) as broadcaster:
        broadcaster.publish(log.events)
        await let_write(broadcaster, 100)
        slow = connect(broadcaster, "", "1-0", buffer=16_384)
        await eventually(lambda: log.asked)
        (connection,) = broadcaster.fanout.connections()
        await eventually(lambda: bool(connection.waiting))
        assert sum(map(len, connection.waiting or ())) < 200_000
        await slow.count(600)
        assert numbers(slow) == list(range(1, 601))


Step = tuple[str, int]

steps = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.integers(1, 4)),
        st.tuples(st.just("connect"), st.integers(0, 30)),
        st.tuples(st.just("turn"), st.integers(1, 3)),
        st.tuples(st.just("pause"), st.just(0)),
        st.tuples(st.just("leave"), st.integers(0, 5)),
    ),
    max_size=30,
)
followed = st.lists(st.sampled_from(CHANNELS), min_size=1, max_size=3, unique=True)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps, st.lists(followed, min_size=1, max_size=6), st.integers(1, 8), st.data())
def test_replay_and_live_meet_without_a_gap(
    script: Sequence[Step], follows: list[list[str]], window: int, data: st.DataObject
) -> None:
    """Any interleaving of events, arrivals with any cursor, departures and full sockets gives each reader each event once, in order."""
    size, buffer = data.draw(st.sampled_from([(0, 0), (3_000, 4_096)]))

    async def body() -> None:
        log = Log([])
        with started(StreamLimits(window_events=window, replay_events=1000), log) as broadcaster:
            readers: list[tuple[Reader, set[str], int]] = []
            for step, number in script:
                if step == "publish":
                    batch = []
                    for _ in range(number):
                        channels = data.draw(st.sets(st.sampled_from(CHANNELS[1:]), max_size=2))
                        batch.append(event(len(log.events) + 1, *channels, size=size))
                        log.events.append(batch[-1])
                    broadcaster.publish(batch)
                elif step == "connect":
                    follow = follows[number % len(follows)]
                    after = min(number, len(log.events) + 2)
                    query = "channels=" + ",".join(follow)
                    readers.append((connect(broadcaster, query, f"1-{after}", buffer=buffer), set(follow), after))
                elif step == "turn":
                    await let_write(broadcaster, number)
                elif step == "pause":
                    await asyncio.sleep(0.002)
                elif readers and number < len(readers):
                    readers.pop(number)[0].close()
            # Whoever is ahead by then is let go on by these.
            for _ in range(3):
                log.events.append(event(len(log.events) + 1, *CHANNELS))
                broadcaster.publish(log.events[-1:])
            for reader, follow, after in readers:
                wanted_numbers = [
                    each.offset for each in log.events if each.offset > after and not each.channels.isdisjoint(follow)
                ]
                await reader.count(len(wanted_numbers))
                await let_write(broadcaster)
                reader.take()
                assert reasons(reader) == []
                assert numbers(reader) == wanted_numbers
                reader.close()

    with pytest.MonkeyPatch.context() as patch:
        if data.draw(st.booleans(), label="turns of one reader"):
            patch.setattr(fanout, "STEP", 1)
            patch.setattr(broadcaster_module, "TURN_S", 0)
        asyncio.run(body())
