"""What readers are sent: each event once, in order, or a reset that says why not."""

import asyncio
import contextlib
import json
import math
import select
import socket
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from publish.representation.position import Position
from publish.web.stream import broadcaster as broadcaster_module
from publish.web.stream.broadcaster import Broadcaster
from publish.web.stream.event import Replayed, StreamEvent
from publish.web.stream.fanout import fanout, slow_readers
from publish.web.stream.fanout.connection import Audience
from publish.web.stream.fanout.walk import PIECE_BYTES
from publish.web.stream.limits import Limits
from publish.web.stream.request import parse_request
from support.event_stream import Reader
from support.waiting import eventually

CHANNELS = ("news", "tag:a", "tag:b", "story:c")


def event(offset: int, *channels: str, epoch: int = 1, kind: str = "update", size: int = 0) -> StreamEvent:
    """An event of some channels, `news` among them."""
    body = b'{"n":%d,"pad":"%b"}' % (offset, b"x" * size)
    return StreamEvent(epoch, offset, kind, frozenset({"news", *channels}), {"json": body})


@dataclass
class Log:
    """Everything that was ever published, as the archive has it."""

    events: list[StreamEvent]
    asked: int = 0

    async def replay(self, after: Position, channels: Collection[str], limit: int) -> Replayed | None:
        """The archive's answer, after a moment."""
        self.asked += 1
        known = list(self.events)
        await asyncio.sleep(0.001 * (self.asked % 3))
        if not known or known[-1].epoch != after.epoch:
            return None
        found = [each for each in known if each.position > after and not each.channels.isdisjoint(channels)][:limit]
        return Replayed(found, found[-1].position if len(found) == limit else known[-1].position)


@contextlib.contextmanager
def started(
    limits: Limits | None = None, log: Log | None = None, begin: tuple[int, int] = (1, 0)
) -> Iterator[Broadcaster]:
    """A broadcaster on the running loop."""
    broadcaster = Broadcaster(limits or Limits(), log.replay if log else None)
    broadcaster.begin(*begin)
    broadcaster.start()
    try:
        yield broadcaster
    finally:
        broadcaster.close()


def connect(broadcaster: Broadcaster, query: str = "", last_event_id: str = "", *, buffer: int = 0) -> Reader:
    """A reader on a pair of sockets."""
    ours, theirs = socket.socketpair()
    if buffer:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
    ours.setblocking(False)
    broadcaster.connect(ours.detach(), parse_request(query, last_event_id), None)
    return Reader(theirs)


async def settle(broadcaster: Broadcaster, turns: int = 20) -> None:
    """Let the broadcaster write what it has."""
    for _ in range(turns):
        await asyncio.sleep(0)


def metric(name: str, **labels: str) -> float:
    """A metric's value now."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


def numbers(reader: Reader) -> list[int]:
    """The numbers of the events received, resets left out."""
    return [json.loads(each.data)["n"] for each in reader.events if each.event != "reset"]


def reasons(reader: Reader) -> list[str]:
    """The reasons of the resets received."""
    return [json.loads(each.data)["reason"] for each in reader.events if each.event == "reset"]


async def test_a_reader_hears_its_channels_only_and_each_event_once() -> None:
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


async def test_many_audiences_leave_the_loop_its_turns() -> None:
    """An event for hundreds of channels of one reader each reaches all, in order, in turns of bounded length."""
    names = [f"author:{number}" for number in range(400)]
    with started() as broadcaster:
        readers = [connect(broadcaster, f"channels={name}") for name in names]
        for offset in range(1, 4):
            broadcaster.publish([event(offset, *names)])
        for reader in readers:
            await reader.count(3)
            assert numbers(reader) == [1, 2, 3]


async def test_nobody_is_always_the_last_to_hear() -> None:
    """Of more readers than one step writes to, who was last to be sent one event is among the first to be sent the next."""
    with contextlib.ExitStack() as stack:
        fan = fanout.Fanout(Limits())
        fan.open()
        stack.callback(fan.close)
        theirs: list[socket.socket] = []
        for _ in range(fanout.STEP + 1):
            our, their = socket.socketpair()
            for end in (our, their):
                end.setblocking(False)
            theirs.append(stack.enter_context(their))
            fan.join(fan.adopt(our.detach(), None), frozenset({"news"}), "json", fan.through)

        def begun() -> tuple[bool, bool]:
            """Whether the first and the last reader have the event after one step; then the others get it too."""
            fan.begin({audience: [b"x"] for audience in fan.audiences(None)}, fan.through)
            assert not fan.walk(until=0.0)
            first, last = (bool(select.select([theirs[n]], [], [], 0)[0]) for n in (0, -1))
            assert fan.walk(until=math.inf)
            assert [their.recv(10) for their in theirs] == [b"x"] * len(theirs)
            return first, last

        assert [begun() for _ in range(4)] == [(True, False), (False, True)] * 2


async def test_what_is_published_twice_is_sent_once() -> None:
    """A batch that is repeated after a rebalance or a restart of the follower changes nothing."""
    with started() as broadcaster:
        reader = connect(broadcaster)
        broadcaster.publish([event(1), event(2)])
        broadcaster.publish([event(1), event(2), event(3)])
        await reader.count(3)
        await settle(broadcaster)
        reader.take()
        assert numbers(reader) == [1, 2, 3]


async def test_a_burst_leaves_in_one_write_for_each_reader() -> None:
    """What is published within one turn of the loop is joined: one write a reader, not one for each event."""
    with started() as broadcaster:
        readers = [connect(broadcaster) for _ in range(5)]
        writes, deliveries = metric("slugline_stream_writes_total"), metric("slugline_stream_deliveries_total")
        for offset in range(1, 101):
            broadcaster.publish([event(offset)])
        for reader in readers:
            await reader.count(100)
        assert metric("slugline_stream_writes_total") - writes == 5
        assert metric("slugline_stream_deliveries_total") - deliveries == 500


async def test_a_cursor_is_continued_from_memory() -> None:
    """A reader who comes back gets all that it missed of its channels, once, and then what is new."""
    with started() as broadcaster:
        broadcaster.publish([event(offset, "tag:a" if offset % 2 else "tag:b") for offset in range(1, 11)])
        await settle(broadcaster)
        reader = connect(broadcaster, "channels=tag:a", "1-4")
        broadcaster.publish([event(11, "tag:a")])
        await reader.count(4)
        assert numbers(reader) == [5, 7, 9, 11]
        assert reader.events[-1].last_event_id == "1-11"


async def test_a_reader_without_a_cursor_begins_now_and_knows_where() -> None:
    """Before the first event comes, the browser already has an id to resume from."""
    with started() as broadcaster:
        broadcaster.publish([event(1), event(2)])
        await settle(broadcaster)
        reader = connect(broadcaster)
        await reader.until(lambda each: each.parser.last_event_id == "1-2")
        assert reader.events == []


@pytest.mark.parametrize(
    ("cursor", "reason"),
    [("1-3", "expired"), ("0-3", "epoch"), ("2-1", "ahead"), ("1-9999999", "ahead"), ("garbage", "unknown-cursor")],
)
async def test_a_cursor_that_cannot_be_continued_is_told_so(cursor: str, reason: str) -> None:
    """There is never a silent hole: a reset says why, where the snapshot is, and what is streamed from there on."""
    with started(Limits(window_events=5, catch_up_s=0)) as broadcaster:
        broadcaster.publish([event(offset) for offset in range(1, 11)])
        await settle(broadcaster)
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
        await settle(broadcaster)
        reader = connect(broadcaster, "", "1-4")
        await reader.until(lambda each: each.status == 200)
        broadcaster.publish([event(3), event(4)])
        broadcaster.publish([event(5)])
        await reader.count(1)
        assert numbers(reader) == [5]
        assert reasons(reader) == []


class Slow(Mapping[str, bytes]):
    """Views of which the page's takes a millisecond to make; that of event 13 fails."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __getitem__(self, name: str) -> bytes:
        if name == "page":
            if self.number == 13:
                raise RuntimeError("no template for this")
            time.sleep(0.001)
        return b'{"n":%d}' % self.number

    def __iter__(self) -> Iterator[str]:
        return iter(("json", "page"))

    def __len__(self) -> int:
        return 2


async def test_a_page_that_slept_keeps_nobody_waiting() -> None:
    """HTML that was not made yet is made for it in turns: others are served meanwhile, and it still misses nothing."""
    with started() as broadcaster:
        broadcaster.publish([StreamEvent(1, n, "update", frozenset({"news"}), Slow(n)) for n in range(101, 301)])
        await settle(broadcaster)
        other, page = connect(broadcaster), connect(broadcaster, "view=page", "1-100")
        broadcaster.publish([event(301)])
        await other.count(1)
        made = sum("page" in entry.frames for entry in broadcaster.buffer.between(Position(1, 100), broadcaster.head))
        await page.until(lambda each: len(each.events) >= 202)
        assert made < 200
        assert [json.loads(each.data)["n"] for each in page.events if each.event == "update"] == list(range(101, 302))


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
        await settle(broadcaster)
        reader = connect(broadcaster, "", "1-7")
        await reader.until(lambda each: each.parser.last_event_id == "1-7")
        broadcaster.publish([event(8)])
        await reader.count(1)
        assert numbers(reader) == [8]


async def test_older_than_memory_comes_from_the_archive() -> None:
    """The archive's part and memory's part meet without a hole or a repeat, and the archive is asked once for many."""
    log = Log([event(offset) for offset in range(1, 21)])
    with started(Limits(window_events=5), log) as broadcaster:
        broadcaster.publish(log.events)
        await settle(broadcaster)
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
    with started(Limits(window_events=5, replay_events=50), log) as broadcaster:
        broadcaster.publish(log.events)
        await settle(broadcaster)
        reader = connect(broadcaster, "", "1-1")
        await reader.count(1)
        assert reasons(reader) == ["expired"]


async def test_an_archive_that_fails_is_a_reset() -> None:
    """A reader is not left hanging because Postgres is away."""

    async def away(*_: object) -> Replayed | None:
        raise OSError("no route")

    broadcaster = Broadcaster(Limits(window_events=1), away)
    broadcaster.begin(1, 0)
    broadcaster.start()
    broadcaster.publish([event(1), event(2), event(3)])
    await settle(broadcaster)
    reader = connect(broadcaster, "", "1-1")
    await reader.count(1)
    assert reasons(reader) == ["expired"]
    broadcaster.close()


async def test_a_new_epoch_is_a_reset_for_everybody() -> None:
    """When the topic was recreated every reader is told in order, between the old events and the new ones."""
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
    with started(Limits(replay_events=3), log) as broadcaster:
        reader = connect(broadcaster)
        broadcaster.publish([event(1), event(2)])
        broadcaster.begin(1, 8)
        broadcaster.publish([event(9)])
        await reader.count(9)
        assert numbers(reader) == list(range(1, 10))
        assert reasons(reader) == []


async def test_a_gap_that_cannot_be_filled_is_told() -> None:
    """Without the archive's answer readers are sent a reset, and what comes now follows it."""
    with started(log=Log([])) as broadcaster:
        reader = connect(broadcaster)
        broadcaster.publish([event(1)])
        broadcaster.begin(1, 8)
        broadcaster.publish([event(9)])
        await reader.count(3)
        assert reasons(reader) == ["gap"]
        assert numbers(reader) == [1, 9]


async def test_a_reader_too_slow_is_reset_at_a_boundary_and_closed() -> None:
    """Past its bounded buffer a reader gets whole events, then a reset, then the end: never a thinned or torn stream."""
    with started(Limits(buffer_bytes=200_000, slow_s=0)) as broadcaster:
        slow, quick = connect(broadcaster, buffer=4096), connect(broadcaster)
        evicted = metric("slugline_stream_evictions_total", reason="slow")
        for offset in range(1, 101):
            broadcaster.publish([event(offset, size=5000)])
            await settle(broadcaster, 2)
            quick.take()
        await quick.count(100)
        await eventually(lambda: metric("slugline_stream_evictions_total", reason="slow"), lambda n: n > evicted)
        await slow.end()
        assert reasons(slow) == ["slow"]
        assert slow.events[-1].event == "reset"
        got = numbers(slow)
        assert got == list(range(1, len(got) + 1))
        assert len(got) < 100
        assert numbers(quick) == list(range(1, 101))
        assert metric("slugline_stream_evictions_total", reason="slow") == evicted + 1
        # The browser comes back with the id of its last whole event and misses nothing.
        back = connect(broadcaster, "", f"1-{got[-1]}")
        await back.count(100 - len(got))
        assert numbers(back) == list(range(len(got) + 1, 101))


async def unread(broadcaster: Broadcaster, count: int) -> list[Reader]:
    """Readers over TCP who are connected and read nothing."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=count)
    readers = []
    for _ in range(count):
        their = socket.create_connection(listener.getsockname())
        our, _ = listener.accept()
        our.setblocking(False)
        broadcaster.connect(our.detach(), parse_request(""), None)
        readers.append(Reader(their))
    listener.close()
    return readers


def was_reset(connection: socket.socket) -> bool:
    """Whether what a socket still has ends with a reset instead of the other side's close."""
    try:
        while connection.recv(1 << 20):
            pass
    except ConnectionResetError:
        return True
    return False


def kernel_bytes(broadcaster: Broadcaster) -> list[int]:
    """What the kernel has for each reader that was not acknowledged."""
    return [slow_readers.unacknowledged(each.fd) for each in broadcaster.fanout.connections()]


async def test_the_kernel_keeps_little_for_who_does_not_read() -> None:
    """Of 4 MB that are published, the kernel has less than 200 kB for each reader who reads nothing, and we one piece."""
    with started() as broadcaster:
        readers = await unread(broadcaster, 20)
        reading = connect(broadcaster)
        for offset in range(1, 201):
            broadcaster.publish([event(offset, size=20_000)])
            await settle(broadcaster, 1)
            reading.take()
        await reading.count(200)
        assert numbers(reading) == list(range(1, 201))
        stuck = broadcaster.fanout.connections()[:20]
        assert max(kernel_bytes(broadcaster)) < 200_000
        assert all(each.waiting is not None and sum(map(len, each.waiting)) < 200_000 for each in stuck)
        for reader in readers:
            reader.close()


async def test_who_takes_nothing_is_let_go_and_so_is_what_the_kernel_has_for_it() -> None:
    """Nothing is acknowledged for `stalled_s`: the connection is reset, not left to the kernel's retries."""
    with started(Limits(stalled_s=1.0, buffer_bytes=10**9)) as broadcaster:
        (reader,) = await unread(broadcaster, 1)
        stalled = metric("slugline_stream_evictions_total", reason="stalled")
        broadcaster.publish([event(1, size=2_000_000)])
        await eventually(lambda: len(broadcaster), lambda left: left == 0, within_s=30)
        assert metric("slugline_stream_evictions_total", reason="stalled") == stalled + 1
        assert was_reset(reader.socket)
        reader.close()


async def test_a_slow_reader_who_goes_on_reading_is_kept() -> None:
    """Who takes a little now and then is not stalled, and gets all of what it takes so long for."""
    with started(Limits(stalled_s=1.5, buffer_bytes=10**9)) as broadcaster:
        (reader,) = await unread(broadcaster, 1)
        broadcaster.publish([event(1, size=1_500_000)])
        began = time.monotonic()
        reader.socket.setblocking(True)
        while time.monotonic() - began < 4.5:
            reader.receive(await asyncio.to_thread(reader.socket.recv, 100_000))
            await asyncio.sleep(0.3)
        await reader.count(1)
        assert numbers(reader) == [1]
        reader.close()


async def test_all_who_take_nothing_have_a_bound_together() -> None:
    """Where those who are behind hold more than they may, who has been so for longest goes first, and the others stay."""
    most = 5
    with started(Limits(behind_bytes=most * slow_readers.HELD_BYTES)) as broadcaster:
        readers = await unread(broadcaster, 12)
        broadcaster.publish([event(1, size=400_000)])
        await eventually(lambda: len(broadcaster), lambda left: left == most, within_s=30)
        assert metric("slugline_stream_evictions_total", reason="crowded") >= 12 - most
        for reader in readers:
            reader.close()


async def test_replays_do_not_add_up() -> None:
    """Whoever comes back for megabytes and reads none of them is held a piece, whatever place it comes back to."""
    with started() as broadcaster:
        broadcaster.publish([event(offset, size=20_000) for offset in range(1, 101)])
        await settle(broadcaster, 100)
        readers = [connect(broadcaster, "", f"1-{place}", buffer=16_384) for place in range(50)]
        await settle(broadcaster, 200)
        held = [sum(map(len, each.waiting or ())) for each in broadcaster.fanout.connections()]
        assert len(held) == len(readers)
        assert 0 < max(held) < 200_000
        for place, reader in enumerate(readers[:3]):
            await reader.count(100 - place)
            assert numbers(reader) == list(range(place + 1, 101))


async def test_what_the_archive_has_is_not_held_for_who_does_not_read() -> None:
    """A replay from the archive stops where the socket is full, and goes on from there once it is not."""
    log = Log([event(offset, size=5_000) for offset in range(1, 601)])
    with started(Limits(window_events=5), log) as broadcaster:
        broadcaster.publish(log.events)
        await settle(broadcaster, 100)
        slow = connect(broadcaster, "", "1-0", buffer=16_384)
        await eventually(lambda: log.asked)
        (connection,) = broadcaster.fanout.connections()
        await eventually(lambda: bool(connection.waiting))
        assert sum(map(len, connection.waiting or ())) < 200_000
        await slow.count(600)
        assert numbers(slow) == list(range(1, 601))


async def test_a_burst_is_written_piece_by_piece() -> None:
    """However much is published at once, no more than a piece is joined for a reader, and all get all in order."""
    with started() as broadcaster:
        readers = [connect(broadcaster, f"channels=news,tag:{number}") for number in range(5)]
        seen: list[int] = []
        begin = broadcaster.fanout.begin

        def noting(frames: Mapping[Audience, Sequence[bytes]], through: Position) -> None:
            seen.extend(sum(map(len, parts)) for parts in frames.values())
            begin(frames, through)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(broadcaster.fanout, "begin", noting)
            broadcaster.publish([event(offset, size=20_000) for offset in range(1, 101)])
            for reader in readers:
                await reader.count(100)
        for reader in readers:
            assert numbers(reader) == list(range(1, 101))
        assert len(seen) > len(readers)
        assert max(seen) <= PIECE_BYTES


async def test_a_walk_yields_after_bytes_not_only_after_readers() -> None:
    """Large events leave the loop its turns too: between two looks at the clock no more is written than a step of bytes."""
    with contextlib.ExitStack() as stack:
        fan = fanout.Fanout(Limits())
        fan.open()
        stack.callback(fan.close)
        for _ in range(100):
            our, their = socket.socketpair()
            our.setblocking(False)
            stack.enter_context(their)
            fan.join(fan.adopt(our.detach(), None), frozenset({"news"}), "json", fan.through)
        size = fanout.STEP_BYTES // 10
        fan.begin({audience: [b"x" * size] for audience in fan.audiences(None)}, fan.through)
        turns = 1
        while not fan.walk(until=0.0):
            turns += 1
        assert turns == 10


async def test_a_kill_is_not_behind_the_words_that_it_takes_out() -> None:
    """What waits in memory for who is behind loses the killed words too: it hears of the kill instead."""
    with started() as broadcaster:
        slow = connect(broadcaster, buffer=4096)
        broadcaster.publish([event(1, size=200_000)])
        await settle(broadcaster)
        broadcaster.publish([event(2, "update:x", size=1_000)])
        await settle(broadcaster)
        broadcaster.publish([event(3, "update:x", kind="kill")])
        await slow.count(2)
        assert numbers(slow) == [1, 3]


async def test_a_burst_does_not_throw_out_a_healthy_reader() -> None:
    """More than a buffer at once is no sign of slowness while the reader is taking it."""
    with started(Limits(buffer_bytes=100_000, slow_s=5)) as broadcaster:
        reader = connect(broadcaster, buffer=4096)
        for offset in range(1, 61):
            broadcaster.publish([event(offset, size=10_000)])
            await settle(broadcaster, 2)
        await reader.count(60)
        assert numbers(reader) == list(range(1, 61))


async def test_a_kill_takes_the_words_out_of_memory() -> None:
    """Who comes back after a kill hears of the kill and is never sent the killed text again."""
    with started() as broadcaster:
        broadcaster.publish([event(1, "update:x"), event(2, "update:y"), event(3, "update:x", kind="kill")])
        await settle(broadcaster)
        reader = connect(broadcaster, "", "1-0")
        await reader.count(2)
        assert numbers(reader) == [2, 3]
        assert not any(
            b'"n":1,' in frame
            for entry in broadcaster.buffer.between(Position(1, 0), broadcaster.head)
            for frame in entry.frames.values()
        )


async def test_who_comes_and_goes_while_others_are_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A walk that takes several turns skips who left meanwhile; whoever has that descriptor next is not sent what it began with."""
    monkeypatch.setattr(fanout, "STEP", 1)
    monkeypatch.setattr(broadcaster_module, "TURN_S", 0)
    with started() as broadcaster:
        readers = [connect(broadcaster) for _ in range(50)]
        left = readers.pop()
        descriptor = broadcaster.fanout.connections()[-1].fd
        broadcaster.publish([event(1)])
        await settle(broadcaster, 3)
        left.close()
        broadcaster.fanout.drop(broadcaster.fanout.connections()[-1], "left")
        newcomers = [connect(broadcaster) for _ in range(20)]
        assert descriptor in {each.fd for each in broadcaster.fanout.connections()}
        assert broadcaster.fanout.walking
        broadcaster.publish([event(2)])
        for reader in readers:
            await reader.count(2)
            assert numbers(reader) == [1, 2]
        for newcomer in newcomers:
            await newcomer.count(1)
            assert numbers(newcomer) == [2]


async def test_a_reader_who_left_costs_nothing() -> None:
    """A connection that was closed, half closed or reset leaves no trace in the broadcaster."""
    with started() as broadcaster:
        readers = [connect(broadcaster, f"channels=tag:{number % 3}") for number in range(9)]
        readers[0].close()
        readers[1].socket.shutdown(socket.SHUT_WR)
        await eventually(lambda: len(broadcaster), lambda left: left == 7, within_s=30)
        for reader in readers:
            reader.close()
        broadcaster.publish([event(1, "tag:1")])
        await eventually(lambda: len(broadcaster), lambda left: left == 0, within_s=30)


async def test_heartbeats_bring_the_place_along() -> None:
    """A quiet channel's reader keeps a fresh id, so that coming back costs a short replay and never an expiry."""
    with started(Limits(heartbeat_s=1)) as broadcaster:
        reader = connect(broadcaster, "channels=story:quiet")
        broadcaster.publish([event(1), event(2)])
        await reader.until(lambda each: each.parser.last_event_id == "1-2")
        assert reader.events == []


async def test_a_stalled_reader_is_let_go() -> None:
    """Who takes nothing for two heartbeats while something waits is gone, though its machine never said so."""
    with started(Limits(heartbeat_s=1)) as broadcaster:
        stalled = connect(broadcaster, buffer=4096)
        broadcaster.publish([event(1, size=400_000)])
        await eventually(lambda: len(broadcaster), lambda left: left == 0, within_s=30)
        stalled.close()


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
def test_replay_and_live_meet_without_a_seam(
    script: Sequence[Step], follows: list[list[str]], window: int, data: st.DataObject
) -> None:
    """Any interleaving of events, arrivals with any cursor, departures and full sockets gives each reader each event once, in order."""
    size, buffer = data.draw(st.sampled_from([(0, 0), (3_000, 4_096)]))

    async def body() -> None:
        log = Log([])
        with started(Limits(window_events=window, replay_events=1000), log) as broadcaster:
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
                    await settle(broadcaster, number)
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
                await settle(broadcaster)
                reader.take()
                assert reasons(reader) == []
                assert numbers(reader) == wanted_numbers
                reader.close()

    with pytest.MonkeyPatch.context() as patch:
        if data.draw(st.booleans(), label="turns of one reader"):
            patch.setattr(fanout, "STEP", 1)
            patch.setattr(broadcaster_module, "TURN_S", 0)
        asyncio.run(body())
