"""One reader's connection: a raw socket that is written to directly, and what is buffered for it."""

import asyncio
import contextlib
import os
import socket
import struct
from collections import deque
from dataclasses import dataclass, field
from socket import AF_UNSPEC, SOCK_STREAM, SocketType

from publish.representation.position import Position
from publish.web.stream.event import end_of_frame

UNSENT_BYTES = 64 * 1024
"""Of one reader that the kernel keeps before it has sent them (TCP_NOTSENT_LOWAT): all that a reader who does not read holds.

What is under way to the reader is not counted, so that one far away is written to as fast as its window allows.
"""

SEND_BUFFER_BYTES = 256 * 1024
"""Of one reader that the kernel keeps in all, unsent or not acknowledged (SO_SNDBUF; Linux doubles it for its bookkeeping).

Its own rule would let a reader who acknowledges nothing have 4 MB. 350 kB under way are 1.7 MB/s at 200 ms.
"""

ORPHAN_MS = 20_000
"""Longest that the kernel goes on sending to a reader whose connection was closed here (TCP_USER_TIMEOUT)."""

MOST_PARTS = 256
"""Of one gathering write: far below IOV_MAX, and already enough to fill any socket's buffer."""

NOWHERE = Position(0, -1)
"""Before the first event of any log."""

GONE: deque[bytes] = deque()
"""`waiting` of a connection that is closed."""


@dataclass(slots=True, eq=False)
class ReaderConnection:
    """The server's side of one reader.

    `waiting` is None while the kernel has everything that was sent. Otherwise the reader is behind: the fan-out skips it, and
    it is given what came after `reached` piece by piece, as its socket takes it. `given` counts the bytes of its audience
    that it was given or that were skipped for it. `behind_at` and `progress_at` are times of the monotonic clock: since when
    it is behind, and when its socket last took something; `unacknowledged` is what the kernel held when last checked.
    `answered`: the response's head is sent. `closing`: why the connection ends once nothing waits. `newcomer`: it has not
    caught up yet with what it missed before it connected. `drained` resolves once nothing waits any more.
    """

    fd: int
    address: str | None
    socket: SocketType = field(init=False)
    audience: "Audience | None" = None
    slot: int = -1
    waiting: deque[bytes] | None = None
    sent: int = 0
    reached: Position = NOWHERE
    given: int = 0
    behind_at: float = 0.0
    progress_at: float = 0.0
    unacknowledged: int = -1
    answered: bool = False
    newcomer: bool = True
    closing: str = ""
    drained: asyncio.Future[None] | None = None

    def __post_init__(self) -> None:
        # Family and type of the socket are of no interest, and are not looked up.
        self.socket = SocketType(AF_UNSPEC, SOCK_STREAM, 0, self.fd)

    def bound(self) -> None:
        """Bound what the kernel keeps for this reader."""
        # A Unix socket knows neither, and its buffer does not grow.
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)

    def close(self, *, abort: bool) -> None:
        """Close the socket; what the kernel still has for the reader is thrown away at once, or soon if it is not taken."""
        with contextlib.suppress(OSError):
            if abort:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, ORPHAN_MS)
        self.socket.close()

    @property
    def lag(self) -> int:
        """Bytes that its audience was sent since it fell behind and that it was not given yet."""
        return self.audience.begun - self.given if self.audience is not None else 0

    def cut(self) -> None:
        """Leave only the rest of a frame that is partly out, so that what follows begins at a frame's boundary."""
        waiting = self.waiting
        if not waiting:
            return
        first = waiting[0]
        end = end_of_frame(first, self.sent)
        waiting.clear()
        if end > self.sent:
            waiting.append(first[:end])
        else:
            self.sent = 0

    def write(self) -> int:
        """Write what waits, as much as the socket takes, in as few calls as can be; how many bytes it took.

        OSError when the reader is gone.
        """
        waiting = self.waiting
        took = 0
        while waiting:
            first = memoryview(waiting[0])[self.sent :] if self.sent else waiting[0]
            try:
                if len(waiting) == 1:
                    count = os.write(self.fd, first)
                else:
                    parts = [waiting[index] for index in range(1, min(len(waiting), MOST_PARTS))]
                    count = os.writev(self.fd, [first, *parts])
            except BlockingIOError:
                break
            took += count
            count += self.sent
            while waiting and count >= len(waiting[0]):
                count -= len(waiting.popleft())
            self.sent = count
        return took


@dataclass(slots=True, eq=False)
class Audience:
    """Readers who follow the same channels in the same view: whatever one of them is sent, all are.

    `connections` are those whose sockets took all so far, `sockets` theirs in the same order; the others are `behind`.
    `begun` is how many bytes it was sent since it is there.
    """

    channels: frozenset[str]
    view: str
    begun: int = 0
    connections: list[ReaderConnection] = field(default_factory=list)
    sockets: list[SocketType] = field(default_factory=list)
    behind: set[ReaderConnection] = field(default_factory=set)

    def add(self, connection: ReaderConnection) -> None:
        """Take a reader in."""
        connection.audience = self
        connection.given = self.begun
        if connection.waiting is None:
            self.catch_up(connection)
        else:
            self.behind.add(connection)

    def remove(self, connection: ReaderConnection) -> None:
        """Let a reader go."""
        self.fall_behind(connection)
        self.behind.discard(connection)
        connection.audience = None

    def fall_behind(self, connection: ReaderConnection) -> None:
        """A reader is out of the fan-out from now on: the last one takes its slot."""
        self.behind.add(connection)
        if connection.slot < 0:
            return
        last = self.connections.pop()
        self.sockets.pop()
        if last is not connection:
            self.connections[connection.slot] = last
            self.sockets[connection.slot] = last.socket
            last.slot = connection.slot
        connection.slot = -1

    def catch_up(self, connection: ReaderConnection) -> None:
        """A reader has all that its audience was sent."""
        connection.newcomer = False
        connection.given = self.begun
        self.behind.discard(connection)
        if connection.slot < 0:
            connection.slot = len(self.connections)
            self.connections.append(connection)
            self.sockets.append(connection.socket)


class Audiences:
    """All audiences that have a reader, found by the channels of an event."""

    def __init__(self) -> None:
        self._all: dict[tuple[frozenset[str], str], Audience] = {}
        self._by_channel: dict[str, list[Audience]] = {}

    def everyone(self) -> list[Audience]:
        """All of them."""
        return list(self._all.values())

    def join(self, connection: ReaderConnection, channels: frozenset[str], view: str) -> None:
        """Put a reader among those who follow the same."""
        audience = self._all.get((channels, view))
        if audience is None:
            audience = self._all[channels, view] = Audience(channels, view)
            for channel in channels:
                self._by_channel.setdefault(channel, []).append(audience)
        audience.add(connection)

    def leave(self, connection: ReaderConnection) -> None:
        """Let a reader go; an audience without readers goes with it."""
        audience = connection.audience
        if audience is None:
            return
        audience.remove(connection)
        if audience.connections or audience.behind:
            return
        del self._all[audience.channels, audience.view]
        for channel in audience.channels:
            others = self._by_channel[channel]
            others.remove(audience)
            if not others:
                del self._by_channel[channel]

    def following(self, channels: frozenset[str]) -> set[Audience]:
        """The audiences that follow any of the channels, each once."""
        found: set[Audience] = set()
        for channel in channels:
            audiences = self._by_channel.get(channel)
            if audiences:
                found.update(audiences)
        return found
