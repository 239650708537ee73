"""Who is too slow costs the others nothing, and is let go."""

import asyncio
import socket
import time

from publish.web.stream.broadcaster import Broadcaster
from publish.web.stream.fanout import slow_readers
from publish.web.stream.limits import StreamLimits
from publish.web.stream.request import parse_request
from support.broadcasting import connect, event, let_write, metric, numbers, reasons, started
from support.event_stream import Reader
from support.waiting import eventually


async def test_a_reader_too_slow_is_reset_at_a_boundary_and_closed() -> None:
    """Past its bounded buffer a reader gets whole events, then a reset, then the end: never a thinned or torn stream."""
    with started(StreamLimits(buffer_bytes=200_000, slow_s=0)) as broadcaster:
        slow, quick = connect(broadcaster, buffer=4096), connect(broadcaster)
        evicted = metric("slugline_stream_evictions_total", reason="slow")
        for offset in range(1, 101):
            broadcaster.publish([event(offset, size=5000)])
            await let_write(broadcaster, 2)
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


async def test_the_kernel_buffers_little_for_readers_who_do_not_read() -> None:
    """Of 4 MB that are published, the kernel has less than 200 kB for each reader who reads nothing, and we one piece."""
    with started() as broadcaster:
        readers = await unread(broadcaster, 20)
        reading = connect(broadcaster)
        for offset in range(1, 201):
            broadcaster.publish([event(offset, size=20_000)])
            await let_write(broadcaster, 1)
            reading.take()
        await reading.count(200)
        assert numbers(reading) == list(range(1, 201))
        stuck = broadcaster.fanout.connections()[:20]
        assert max(kernel_bytes(broadcaster)) < 200_000
        assert all(each.waiting is not None and sum(map(len, each.waiting)) < 200_000 for each in stuck)
        for reader in readers:
            reader.close()


async def test_readers_who_take_nothing_are_dropped_with_their_kernel_buffers() -> None:
    """Nothing is acknowledged for `stalled_s`: the connection is reset, not left to the kernel's retries."""
    with started(StreamLimits(stalled_s=1.0, buffer_bytes=10**9)) as broadcaster:
        (reader,) = await unread(broadcaster, 1)
        stalled = metric("slugline_stream_evictions_total", reason="stalled")
        broadcaster.publish([event(1, size=2_000_000)])
        await eventually(lambda: len(broadcaster), lambda left: left == 0, within_s=30)
        assert metric("slugline_stream_evictions_total", reason="stalled") == stalled + 1
        assert was_reset(reader.socket)
        reader.close()


async def test_a_slow_reader_who_goes_on_reading_is_kept() -> None:
    """Who takes a little now and then is not stalled, and gets all of what it takes so long for."""
    with started(StreamLimits(stalled_s=1.5, buffer_bytes=10**9)) as broadcaster:
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


async def test_readers_who_take_nothing_have_a_bound_together() -> None:
    """Where those who are behind hold more than they may, who has been so for longest goes first, and the others stay."""
    most = 5
    with started(StreamLimits(behind_bytes=most * slow_readers.HELD_BYTES)) as broadcaster:
        readers = await unread(broadcaster, 12)
        broadcaster.publish([event(1, size=400_000)])
        await eventually(lambda: len(broadcaster), lambda left: left == most, within_s=30)
        assert metric("slugline_stream_evictions_total", reason="crowded") >= 12 - most
        for reader in readers:
            reader.close()


async def test_a_burst_does_not_throw_out_a_healthy_reader() -> None:
    """More than a buffer at once is no sign of slowness while the reader is taking it."""
    with started(StreamLimits(buffer_bytes=100_000, slow_s=5)) as broadcaster:
        reader = connect(broadcaster, buffer=4096)
        for offset in range(1, 61):
            broadcaster.publish([event(offset, size=10_000)])
            await let_write(broadcaster, 2)
        await reader.count(60)
        assert numbers(reader) == list(range(1, 61))


async def test_a_stalled_reader_is_dropped() -> None:
    """Who takes nothing for two heartbeats while something waits is gone, though its machine never said so."""
    with started(StreamLimits(heartbeat_s=1)) as broadcaster:
        stalled = connect(broadcaster, buffer=4096)
        broadcaster.publish([event(1, size=400_000)])
        await eventually(lambda: len(broadcaster), lambda left: left == 0, within_s=30)
        stalled.close()
