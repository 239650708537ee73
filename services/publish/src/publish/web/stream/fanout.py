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
from itertools import islice, repeat
from socket import SocketType

from publish.web.stream import metrics
from publish.web.stream.connection import GONE, Audience, Audiences, Connection
from publish.web.stream.event import reset_frame
from publish.web.stream.limits import Limits

TURN_S = 0.02
"""Longest that one turn of the event loop walks: pages and newcomers get theirs in between."""

STEP = 256
"""Readers between two looks at the clock."""

MOST_BUFFERS = 8
"""A burst may fill a healthy reader's buffer in a moment: until this many times over it has `slow_s` to take it."""

_LEFT = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR


@dataclass(slots=True, eq=False)
class _Walk:
    """One joined write to the readers that an audience had when it began, and how far it has come.

    `changes` is the fan-out's count of those for whom it changed whether they may be written to.
    """

    connections: list[Connection]
    sockets: list[SocketType]
    data: bytes
    changes: int
    next: int = 0


def _send_each(sockets: Sequence[SocketType], data: bytes) -> list[int]:
    """How much of the data each socket took; -1 where its reader is gone.

    The loop is the interpreter's own: a failure ends it at the socket that failed, and it goes on behind that. `send` is
    cheaper for the kernel than `write`, which looks at the file around the socket too.
    """
    counts: list[int] = []
    sends = map(SocketType.send, sockets, repeat(data))
    while True:
        try:
            counts.extend(sends)
        except BlockingIOError:
            counts.append(0)
        except OSError:
            counts.append(-1)
        else:
            return counts


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
        self._changes = 0
        self._backwards = False

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
        """Begin one walk for each audience; all that it is to be sent leaves joined.

        Every other walk goes backwards: nobody is always the last, and the sockets that were walked last are still in the
        processor's cache.
        """
        for audience, parts in frames.items():
            data = parts[0] if len(parts) == 1 else b"".join(parts)
            count = len(audience.connections) + len(audience.behind)
            metrics.WRITES.inc(count)
            metrics.DELIVERIES.inc(count * len(parts))
            metrics.BYTES.inc(count * len(data))
            for connection in tuple(audience.behind):
                self._deliver(connection, data)
            step = -1 if self._backwards else 1
            self._walks.append(_Walk(audience.connections[::step], audience.sockets[::step], data, self._changes))
        self._backwards = not self._backwards

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
        data, size = walk.data, len(walk.data)
        while walk.next < len(walk.sockets):
            if walk.changes != self._changes:
                self._sift(walk)
            first, walk.next = walk.next, walk.next + STEP
            counts = _send_each(walk.sockets[first : walk.next], data)
            if counts.count(size) != len(counts):
                for connection, count in zip(islice(walk.connections, first, walk.next), counts, strict=True):
                    if count < 0:
                        self.drop(connection, "lost")
                    elif count != size:
                        self._block(connection, data, count)
                walk.changes = self._changes
            if time.monotonic() > until:
                break
        return walk.next >= len(walk.sockets)

    def _sift(self, walk: _Walk) -> None:
        """Take out of the rest of a walk who is gone, and who has fallen behind since it began."""
        rest = walk.connections[walk.next :]
        for connection in rest:
            if connection.waiting is not None:
                self._deliver(connection, walk.data)
        walk.connections = [connection for connection in rest if connection.waiting is None]
        walk.sockets = [connection.socket for connection in walk.connections]
        walk.next = 0
        walk.changes = self._changes

    def _deliver(self, connection: Connection, data: bytes) -> None:
        """Send to one who may be behind."""
        if connection.waiting is GONE or connection.closing:
            return
        if connection.waiting is not None:
            self._queue(connection, data)
            return
        (count,) = _send_each([connection.socket], data)
        if count < 0:
            self.drop(connection, "lost")
        elif count != len(data):
            self._block(connection, data, count)

    def _block(self, connection: Connection, data: bytes, count: int) -> None:
        connection.waiting = deque((data,))
        connection.sent = count
        connection.queued = len(data) - count
        self._watch(connection)

    def _watch(self, connection: Connection) -> None:
        """Hear when a full socket takes more."""
        connection.idle_ticks = 0
        connection.blocked_at = time.monotonic()
        self._changes += 1
        if connection.audience is not None:
            connection.audience.fall_behind(connection)
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
        self._changes += 1
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
        self._changes += 1
        self._audiences.leave(connection)
        if connection.waiting is not None:
            metrics.BLOCKED.dec()
        connection.waiting = GONE
        del self._connections[connection.fd]
        self._epoll.unregister(connection.fd)
        connection.socket.close()
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
                    if connection.audience is not None:
                        connection.audience.catch_up(connection)

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
