"""One reader's connection: a raw socket that is written to directly, and what waits for it while it is full."""

import os
from collections import deque
from socket import AF_UNSPEC, SOCK_STREAM, SocketType

from publish.web.stream.event import end_of_frame

MOST_PARTS = 256
"""Of one gathering write: far below IOV_MAX, and already enough to fill any socket's buffer."""

GONE: deque[bytes] = deque()
"""`waiting` of a connection that is closed."""


class Connection:
    """The hub's side of one reader.

    `waiting` is None while everything that was sent is in the kernel's hands; anything else keeps the fan-out from
    writing past what waits. `answered` tells that the response's head is sent, `closing` why the connection ends once
    nothing waits.
    """

    __slots__ = (
        "address",
        "answered",
        "audience",
        "blocked_at",
        "closing",
        "fd",
        "idle_ticks",
        "queued",
        "sent",
        "slot",
        "socket",
        "waiting",
    )

    def __init__(self, fd: int, address: str | None) -> None:
        self.fd = fd
        self.socket = SocketType(AF_UNSPEC, SOCK_STREAM, 0, fd)  # what it is of is of no interest, and is not looked up
        self.address = address
        self.audience: Audience | None = None
        self.slot = -1
        self.waiting: deque[bytes] | None = None
        self.sent = 0
        self.queued = 0
        self.idle_ticks = 0
        self.blocked_at = 0.0
        self.answered = False
        self.closing = ""

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

    def write(self) -> bool:
        """Write what waits, as much as the socket takes, in as few calls as can be; True once nothing waits.

        OSError when the reader is gone.
        """
        waiting = self.waiting
        while waiting:
            first = memoryview(waiting[0])[self.sent :] if self.sent else waiting[0]
            try:
                if len(waiting) == 1:
                    count = os.write(self.fd, first)
                else:
                    parts = [waiting[index] for index in range(1, min(len(waiting), MOST_PARTS))]
                    count = os.writev(self.fd, [first, *parts])
            except BlockingIOError:
                return False
            self.idle_ticks = 0
            count += self.sent
            while waiting and count >= len(waiting[0]):
                count -= len(waiting.popleft())
            self.sent = count
        self.waiting = None
        self.queued = 0
        return True


class Audience:
    """Readers who follow the same channels in the same view: whatever one of them is sent, all are.

    `connections` are those whose sockets took all so far, `sockets` theirs in the same order; for those who are `behind`,
    bytes wait.
    """

    __slots__ = ("behind", "channels", "connections", "sockets", "view")

    def __init__(self, channels: frozenset[str], view: str) -> None:
        self.channels = channels
        self.view = view
        self.connections: list[Connection] = []
        self.sockets: list[SocketType] = []
        self.behind: set[Connection] = set()

    def add(self, connection: Connection) -> None:
        """Take a reader in."""
        connection.audience = self
        if connection.waiting is None:
            self.catch_up(connection)
        else:
            self.behind.add(connection)

    def remove(self, connection: Connection) -> None:
        """Let a reader go."""
        self.fall_behind(connection)
        self.behind.discard(connection)
        connection.audience = None

    def fall_behind(self, connection: Connection) -> None:
        """Bytes wait for a reader from now on: the last one takes its slot."""
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

    def catch_up(self, connection: Connection) -> None:
        """Nothing waits for a reader any more."""
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

    def join(self, connection: Connection, channels: frozenset[str], view: str) -> None:
        """Put a reader among those who follow the same."""
        audience = self._all.get((channels, view))
        if audience is None:
            audience = self._all[channels, view] = Audience(channels, view)
            for channel in channels:
                self._by_channel.setdefault(channel, []).append(audience)
        audience.add(connection)

    def leave(self, connection: Connection) -> None:
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
