"""Readers of an audience are written the same, in turns of bounded length."""

import contextlib
import math
import select
import socket
from collections.abc import Mapping, Sequence

import pytest

from publish.representation.position import Position
from publish.web.stream import broadcaster as broadcaster_module
from publish.web.stream.fanout import fanout
from publish.web.stream.fanout.connection import Audience
from publish.web.stream.fanout.walk import PIECE_BYTES
from publish.web.stream.limits import StreamLimits
from support.broadcasting import connect, event, let_write, metric, numbers, started
from support.waiting import eventually


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


async def test_no_reader_is_always_the_last_to_be_sent_an_event() -> None:
    """Of more readers than one step writes to, who was last to be sent one event is among the first to be sent the next."""
    with contextlib.ExitStack() as stack:
        fan = fanout.Fanout(StreamLimits())
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
        fan = fanout.Fanout(StreamLimits())
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


async def test_readers_come_and_go_during_a_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A walk that takes several turns skips who left meanwhile; whoever has that descriptor next is not sent what it began with."""
    monkeypatch.setattr(fanout, "STEP", 1)
    monkeypatch.setattr(broadcaster_module, "TURN_S", 0)
    with started() as broadcaster:
        readers = [connect(broadcaster) for _ in range(50)]
        left = readers.pop()
        descriptor = broadcaster.fanout.connections()[-1].fd
        broadcaster.publish([event(1)])
        await let_write(broadcaster, 3)
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
