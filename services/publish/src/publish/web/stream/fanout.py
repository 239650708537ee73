"""The walk over the sockets: every reader of an audience is written the same bytes, by one plain loop.

The kernel's send path is nearly all that a delivery costs, so nothing runs here for each reader and event but one `write`.
Only a reader whose socket is full has a buffer, of references to bytes that all share, and is watched for room.
"""

import asyncio
import os
import select
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from publish.web.stream import metrics
from publish.web.stream.connection import GONE, Audience, Audiences, Connection
from publish.web.stream.event import reset_frame
from publish.web.stream.limits import Limits

TURN_S = 0.02
"""Longest that one turn of the event loop walks: pages and newcomers get theirs in between."""

STEP = 128
"""Readers between two looks at the clock."""

MOST_BUFFERS = 8
"""A burst may fill a healthy reader's buffer in a moment: until this many times over it has `slow_s` to take it."""

_LEFT = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR


@dataclass(slots=True, eq=False)
class _Walk:
    """One joined write to the readers that an audience had when it began, and how far it has come."""

    connections: list[Connection]
    data: bytes
    events: int
    next: int = 0


class Fanout:
    """The connections of one replica, by audience."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._epoll = select.epoll()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connections: dict[int, Connection] = {}
        self._addresses: dict[str, int] = {}
        self._audiences = Audiences()
        self._walks: deque[_Walk] = deque()

    def __len__(self) -> int:
        return len(self._connections)

    def open(self) -> None:
        """Hear of the sockets on the running loop: all of them behind one descriptor, so that each costs it nothing."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._epoll.fileno(), self._on_ready)

    def close(self) -> None:
        """End every connection and leave the loop."""
        for connection in self.connections():
            self.drop(connection, "close")
        self._walks.clear()
        if self._loop is not None:
            self._loop.remove_reader(self._epoll.fileno())
            self._loop = None
        self._epoll.close()

    def connections(self) -> list[Connection]:
        """All of them, those who came first at the front."""
        return list(self._connections.values())

    def from_address(self, address: str) -> int:
        """How many connections an address has."""
        return self._addresses.get(address, 0)

    def adopt(self, fd: int, address: str | None) -> Connection:
        """Take over a non-blocking socket, which is closed when its reader is dropped."""
        connection = Connection(fd, address)
        self._connections[fd] = connection
        self._epoll.register(fd, _LEFT)
        if address is not None:
            self._addresses[address] = self._addresses.get(address, 0) + 1
        metrics.CONNECTIONS.inc()
        metrics.ACCEPTED.inc()
        return connection

    def join(self, connection: Connection, channels: frozenset[str], view: str) -> None:
        """Let a reader follow: it is in every walk that begins from now on."""
        self._audiences.join(connection, channels, view)

    def audiences(self, channels: frozenset[str] | None) -> Iterable[Audience]:
        """Those who follow any of the channels, each once; None for everybody."""
        return self._audiences.everyone() if channels is None else self._audiences.following(channels)

    @property
    def walking(self) -> bool:
        """Whether some readers of an audience may have been written what others have not."""
        return bool(self._walks)

    def begin(self, frames: Mapping[Audience, Sequence[bytes]]) -> None:
        """Begin one walk for each audience; all that it is to be sent leaves joined."""
        for audience, parts in frames.items():
            data = parts[0] if len(parts) == 1 else b"".join(parts)
            self._walks.append(_Walk(audience.connections.copy(), data, len(parts)))

    def walk(self, until: float) -> bool:
        """Go on with the walks until a time of the monotonic clock; True once all are done."""
        while self._walks:
            if not self._walk(self._walks[0], until):
                return False
            self._walks.popleft()
            if self._walks and time.monotonic() > until:
                return False
        return True

    def _walk(self, walk: _Walk, until: float) -> bool:
        write = os.write
        data, size = walk.data, len(walk.data)
        connections = walk.connections
        while walk.next < len(connections):
            for connection in connections[walk.next : walk.next + STEP]:
                if connection.waiting is None:
                    try:
                        count = write(connection.fd, data)
                    except BlockingIOError:
                        count = 0
                    except OSError:
                        self.drop(connection, "lost")
                        continue
                    if count != size:
                        self._block(connection, data, count)
                elif connection.waiting is not GONE:
                    self._queue(connection, data)
            walk.next += STEP
            if time.monotonic() > until:
                break
        if walk.next < len(connections):
            return False
        metrics.WRITES.inc(len(connections))
        metrics.DELIVERIES.inc(len(connections) * walk.events)
        metrics.BYTES.inc(len(connections) * size)
        return True

    def _block(self, connection: Connection, data: bytes, count: int) -> None:
        connection.waiting = deque((data,))
        connection.sent = count
        connection.queued = len(data) - count
        self._watch(connection)

    def _watch(self, connection: Connection) -> None:
        """Hear when a full socket takes more."""
        connection.idle_ticks = 0
        connection.blocked_at = time.monotonic()
        self._epoll.modify(connection.fd, _LEFT | select.EPOLLOUT)
        metrics.BLOCKED.inc()

    def _queue(self, connection: Connection, data: bytes) -> None:
        assert connection.waiting is not None  # noqa: S101
        connection.waiting.append(data)
        connection.queued += len(data)
        if connection.queued > self._limits.buffer_bytes and (
            connection.queued > self._limits.buffer_bytes * MOST_BUFFERS
            or time.monotonic() - connection.blocked_at > self._limits.slow_s
        ):
            self._evict(connection)

    def _evict(self, connection: Connection) -> None:
        metrics.EVICTIONS.labels("slow").inc()
        metrics.RESETS.labels("slow").inc()
        self.end(connection, reset_frame("slow", self._limits.snapshot, None), "slow")

    def end(self, connection: Connection, last: bytes, reason: str) -> None:
        """Send some last bytes at the next boundary of frames, then close."""
        if connection.closing:
            return
        connection.closing = reason
        self._audiences.leave(connection)
        connection.cut()
        self.send(connection, last)

    def send(self, connection: Connection, *parts: bytes) -> None:
        """Write now what the socket takes; the rest waits, whatever the bound of the buffer says."""
        waited = connection.waiting is not None
        if connection.waiting is None:
            connection.waiting = deque(parts)
            connection.sent = 0
        else:
            connection.waiting.extend(parts)
        try:
            done = connection.write()
        except OSError:
            self.drop(connection, "lost")
            return
        if done:
            if connection.closing:
                self.drop(connection, connection.closing)
        elif not waited:
            self._watch(connection)

    def drop(self, connection: Connection, reason: str) -> None:
        """Close a connection at once."""
        if connection.waiting is GONE:
            return
        self._audiences.leave(connection)
        if connection.waiting is not None:
            metrics.BLOCKED.dec()
        connection.waiting = GONE
        del self._connections[connection.fd]
        self._epoll.unregister(connection.fd)
        os.close(connection.fd)
        if connection.address is not None:
            count = self._addresses[connection.address] - 1
            if count:
                self._addresses[connection.address] = count
            else:
                del self._addresses[connection.address]
        metrics.CONNECTIONS.dec()
        metrics.ENDED.labels(reason).inc()

    def _on_ready(self) -> None:
        for fd, mask in self._epoll.poll(0, 256):
            connection = self._connections.get(fd)
            if connection is None:
                continue
            if mask & _LEFT:
                self.drop(connection, "left")
                continue
            try:
                done = connection.write()
            except OSError:
                self.drop(connection, "lost")
                continue
            if done:
                metrics.BLOCKED.dec()
                if connection.closing:
                    self.drop(connection, connection.closing)
                else:
                    self._epoll.modify(fd, _LEFT)

    def beat(self, turn: int, beat: bytes, page_beat: bytes) -> None:
        """Send one turn's share of the heartbeats, and let go who has stalled since its last."""
        every = self._limits.heartbeat_s
        for connection in [each for fd, each in self._connections.items() if fd % every == turn % every]:
            if connection.waiting is None:
                audience = connection.audience
                self._beat(connection, page_beat if audience is not None and audience.view == "page" else beat)
            elif connection.waiting is not GONE:
                connection.idle_ticks += 1
                if connection.idle_ticks > 1:
                    metrics.EVICTIONS.labels("stalled").inc()
                    self.drop(connection, "stalled")

    def _beat(self, connection: Connection, beat: bytes) -> None:
        try:
            count = os.write(connection.fd, beat)
        except BlockingIOError:
            return
        except OSError:
            self.drop(connection, "lost")
            return
        if count != len(beat):
            self._block(connection, beat, count)
