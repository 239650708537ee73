"""The fan-out: every reader of an audience is written the same bytes, by one plain loop over their sockets.

The kernel's send path is nearly all that a delivery costs, so nothing runs here for each reader and event but one `send`.
A reader whose socket is full is behind: the fan-out skips it, at no cost, until its socket takes more. Then it is given what
it missed, piece by piece, and returns to the fan-out once it has everything.
"""

import asyncio
import os
import select
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import islice

from publish.representation.position import Position
from publish.web.stream import metrics
from publish.web.stream.fanout.connection import GONE, Audience, Audiences, ReaderConnection
from publish.web.stream.fanout.walk import Joiner, Walk, send_each
from publish.web.stream.limits import StreamLimits

TURN_S = 0.02
"""Longest time that one turn of the event loop writes to sockets: pages and new connections are served in between."""

STEP = 256
"""Readers between two looks at the clock."""

STEP_BYTES = 2 * 1024 * 1024
"""Bytes between two looks at the clock, about a millisecond of copying: fewer readers where each is sent much."""

READY_AT_ONCE = 32
"""Sockets with news between two looks at the clock."""

_LEFT = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR


More = Callable[[ReaderConnection], bytes | None]
"""What a reader who is behind is given next, updating `reached`; empty when that is not known yet, None when it has everything."""


def _nothing(_: ReaderConnection) -> None:
    """For a fan-out that keeps nothing of what was sent."""


class Fanout:
    """The connections of one replica, by audience.

    `through` is the position of the newest event whose walk has begun; `behind` are the readers whose sockets are full.
    `more` is asked for what a reader missed.
    """

    def __init__(self, limits: StreamLimits, more: More = _nothing) -> None:
        self.through = Position(0, -1)
        self._limits = limits
        self._more = more
        self._epoll = select.epoll()
        self.loop: asyncio.AbstractEventLoop | None = None
        self._connections: dict[int, ReaderConnection] = {}
        self._addresses: dict[str, int] = {}
        self._audiences = Audiences()
        self._walks: deque[Walk] = deque()
        self._joiner = Joiner()
        self.behind: dict[ReaderConnection, None] = {}
        self._changes = 0
        self._backwards = False

    def __len__(self) -> int:
        return len(self._connections)

    def open(self) -> None:
        """Watch the sockets on the running loop: all of them through one epoll descriptor, so that each costs the loop nothing."""
        self.loop = asyncio.get_running_loop()
        self.loop.add_reader(self._epoll.fileno(), self._on_ready)

    def close(self) -> None:
        """End every connection and leave the loop."""
        for connection in self.connections():
            self.drop(connection, "close")
        self._walks.clear()
        if self.loop is not None:
            self.loop.remove_reader(self._epoll.fileno())
            self.loop = None
        self._epoll.close()

    def connections(self) -> list[ReaderConnection]:
        """All of them, those who came first at the front."""
        return list(self._connections.values())

    def from_address(self, address: str) -> int:
        """How many connections an address has."""
        return self._addresses.get(address, 0)

    def adopt(self, fd: int, address: str | None) -> ReaderConnection:
        """Take over a non-blocking socket, which is closed when its reader is dropped."""
        connection = ReaderConnection(fd, address)
        connection.bound()
        self._connections[fd] = connection
        self._epoll.register(fd, _LEFT)
        if address is not None:
            self._addresses[address] = self._addresses.get(address, 0) + 1
        metrics.CONNECTIONS.inc()
        metrics.ACCEPTED.inc()
        return connection

    def join(self, connection: ReaderConnection, channels: frozenset[str], view: str, reached: Position) -> None:
        """Let a reader follow who was given everything up to a position.

        If that is the position of the newest walk, the reader is in every later walk; otherwise it is behind.
        """
        connection.reached = reached
        if connection.waiting is None and reached != self.through:
            connection.waiting = deque()
            self._watch(connection)
        self._audiences.join(connection, channels, view)

    def leave(self, connection: ReaderConnection) -> None:
        """Let a reader follow nothing until it joins again."""
        self._audiences.leave(connection)

    def audiences(self, channels: frozenset[str] | None) -> Collection[Audience]:
        """Those who follow any of the channels, each once; None for everybody."""
        return self._audiences.everyone() if channels is None else self._audiences.following(channels)

    @property
    def walking(self) -> bool:
        """Whether a walk is under way."""
        return bool(self._walks)

    def begin(self, frames: Mapping[Audience, Sequence[bytes]], through: Position) -> None:
        """Begin one walk for each audience, with everything up to a position; an audience is sent its frames joined.

        Every other walk goes backwards: no reader is always the last, and the sockets that were written to last are still in
        the processor's cache.
        """
        self.through = through
        self._joiner.clear()
        step = -1 if self._backwards else 1
        self._backwards = not self._backwards
        writes = deliveries = written = 0
        for audience, frame in frames.items():
            parts = tuple(frame)
            size = sum(map(len, parts))
            audience.begun += size
            count = len(audience.connections)
            if not count:
                continue
            writes += count
            deliveries += count * len(parts)
            written += count * size
            self._walks.append(Walk(audience.connections[::step], audience.sockets[::step], parts, size, self._changes))
        metrics.WRITES.inc(writes)
        metrics.DELIVERIES.inc(deliveries)
        metrics.BYTES.inc(written)

    def restart(self, reset: Callable[[frozenset[str]], bytes], through: Position) -> None:
        """Send a reset of its channels to each who follows and is behind, instead of what it missed up to a position."""
        for connection in self.behind:
            if connection.audience is not None and connection.waiting is not None:
                connection.cut()
                connection.waiting.append(reset(connection.audience.channels))
                connection.reached = through
                connection.given = connection.audience.begun

    def walk(self, until: float) -> bool:
        """Go on with the walks until a time of the monotonic clock; True once all are done."""
        while self._walks:
            if not self._walk(self._walks[0], until):
                return False
            self._walks.popleft()
            if self._walks and time.monotonic() > until:
                return False
        return True

    def _walk(self, walk: Walk, until: float) -> bool:
        data, size = self._joiner.join(walk.parts), walk.size
        step = max(1, min(STEP, STEP_BYTES // (size or 1)))
        while walk.next < len(walk.sockets):
            if walk.changes != self._changes:
                self._sift(walk, data)
            first, walk.next = walk.next, walk.next + step
            counts = send_each(walk.sockets[first : walk.next], data)
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

    def _sift(self, walk: Walk, data: bytes) -> None:
        """Remove from the rest of a walk the readers who are gone, or have fallen behind since it began."""
        rest = walk.connections[walk.next :]
        for connection in rest:
            # A heartbeat filled its socket: it has all that was begun, but for this.
            if connection.waiting is not None and connection.waiting is not GONE and not connection.closing:
                connection.waiting.append(data)
        walk.connections = [connection for connection in rest if connection.waiting is None]
        walk.sockets = [connection.socket for connection in walk.connections]
        walk.next = 0
        walk.changes = self._changes

    def _block(self, connection: ReaderConnection, data: bytes, count: int) -> None:
        """Mark a reader as behind whose socket took only a part of a write."""
        connection.waiting = deque((data,))
        connection.sent = count
        connection.reached = self.through
        self._watch(connection)

    def _watch(self, connection: ReaderConnection) -> None:
        """Hear when a socket takes more."""
        self.behind[connection] = None
        connection.behind_at = connection.progress_at = time.monotonic()
        connection.unacknowledged = -1
        self._changes += 1
        if connection.audience is not None:
            connection.given = connection.audience.begun
            connection.audience.fall_behind(connection)
        self._epoll.modify(connection.fd, _LEFT | select.EPOLLOUT)
        metrics.BLOCKED.inc()

    def _catch_up(self, connection: ReaderConnection) -> None:
        """Nothing waits for a reader any more: let it follow, or wake who feeds it."""
        self._unwatch(connection)
        connection.waiting = None
        self._epoll.modify(connection.fd, _LEFT)
        if connection.audience is not None:
            connection.audience.catch_up(connection)

    def _unwatch(self, connection: ReaderConnection) -> None:
        if connection in self.behind:
            del self.behind[connection]
            metrics.BLOCKED.dec()
        if connection.drained is not None and not connection.drained.done():
            connection.drained.set_result(None)

    async def drained(self, connection: ReaderConnection) -> None:
        """Wait until nothing waits for a reader who follows nothing yet, or it is gone."""
        if connection in self.behind:
            connection.drained = asyncio.get_running_loop().create_future()
            await connection.drained

    def end(self, connection: ReaderConnection, last: bytes, reason: str) -> None:
        """Send some last bytes at the next boundary of frames, then close."""
        if connection.closing:
            return
        connection.closing = reason
        self._changes += 1
        self._audiences.leave(connection)
        connection.cut()
        self.send(connection, last)

    def send(self, connection: ReaderConnection, *parts: bytes) -> None:
        """Write now what the socket takes of a few last or first bytes; the rest waits."""
        if connection.waiting is None:
            connection.waiting = deque(parts)
            connection.sent = 0
        else:
            connection.waiting.extend(parts)
        if self._write(connection) is None:
            return
        if connection not in self.behind:
            if connection.waiting:
                connection.reached = self.through
                self._watch(connection)
            else:
                connection.waiting = None

    def _write(self, connection: ReaderConnection) -> int | None:
        """Write what waits; how many bytes the socket took, None where the connection has ended."""
        try:
            took = connection.write()
        except OSError:
            self.drop(connection, "lost")
            return None
        if took:
            connection.progress_at = time.monotonic()
            connection.unacknowledged = -1
        if not connection.waiting and connection.closing:
            self.drop(connection, connection.closing)
            return None
        return took

    def feed(self, connection: ReaderConnection) -> bool:
        """Write what waits for a reader who is behind, or the next piece of what it missed; True if it took anything."""
        took = self._write(connection)
        if took is None:
            return True
        if not connection.waiting:
            piece = self._more(connection) if connection.audience is not None else None
            if connection.waiting is GONE:
                return True
            if piece is None:
                self._catch_up(connection)
            elif piece and connection.waiting is not None:
                connection.waiting.append(piece)
                connection.given += len(piece)
                return bool(self._write(connection)) or took > 0
        return took > 0

    def drop(self, connection: ReaderConnection, reason: str, *, abort: bool = False) -> None:
        """Close a connection at once; with `abort`, what the kernel still has for it is thrown away too."""
        if connection.waiting is GONE:
            return
        self._changes += 1
        self._audiences.leave(connection)
        self._unwatch(connection)
        connection.waiting = GONE
        del self._connections[connection.fd]
        self._epoll.unregister(connection.fd)
        connection.close(abort=abort)
        if connection.address is not None:
            count = self._addresses[connection.address] - 1
            if count:
                self._addresses[connection.address] = count
            else:
                del self._addresses[connection.address]
        metrics.CONNECTIONS.dec()
        metrics.ENDED.labels(reason).inc()

    def _on_ready(self) -> None:
        until = time.monotonic() + TURN_S
        while True:
            ready = self._epoll.poll(0, READY_AT_ONCE)
            for fd, mask in ready:
                connection = self._connections.get(fd)
                if connection is None:
                    continue
                if mask & _LEFT:
                    self.drop(connection, "left")
                else:
                    self.feed(connection)
            if len(ready) < READY_AT_ONCE or time.monotonic() > until:
                return

    def beat(self, turn: int, beat: bytes, page_beat: bytes) -> None:
        """Send one second's share of the heartbeats, to those who are not behind."""
        every = self._limits.heartbeat_s
        for connection in [each for fd, each in self._connections.items() if fd % every == turn % every]:
            if connection.waiting is None:
                audience = connection.audience
                self._beat(connection, page_beat if audience is not None and audience.view == "page" else beat)

    def _beat(self, connection: ReaderConnection, beat: bytes) -> None:
        try:
            count = os.write(connection.fd, beat)
        except BlockingIOError:
            return
        except OSError:
            self.drop(connection, "lost")
            return
        if count != len(beat):
            self._block(connection, beat, count)
