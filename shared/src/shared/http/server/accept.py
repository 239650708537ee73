"""Accepts connections, and gives each to the HTTP server once the first head of a request is there.

Until then a connection is a socket and a few bytes: thousands that ask for nothing, or half, cost little more than the
kernel's own work, and whoever asks among them is not kept waiting.
"""

import asyncio
import contextlib
import re
import socket
import struct
from collections import deque
from collections.abc import Callable
from typing import Any

import structlog

from shared.http.problem import Problem
from shared.http.server.connections import OpenConnections
from shared.http.server.refusal import refusal

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 128
"""Connections accepted in one turn of the loop: those who are being served get theirs in between."""
GIVEN_AT_ONCE = 16
"""Of these, those that are served in one turn: an answer costs ten times what accepting does, and may take megabytes that
are free again in the next turn only."""
MOST_READY = 4096
READ_BYTES = 8192
_PROBE = re.compile(rb"GET /(?:livez|readyz|metrics)[ ?]")
"""Who asks so is served before others who wait: it must not take a busy process for a dead one."""

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER that closes by a reset (socket(7)): what the kernel holds for the other side is given up too."""

Take = Callable[[socket.socket, bytes], None]
"""Serves a connection of which these bytes have been read."""


class Acceptor:
    """One listening socket. It stands where uvicorn has an `asyncio.Server`."""

    def __init__(self, listener: socket.socket, connections: OpenConnections, take: Take) -> None:
        self.connections = connections
        self.loop = asyncio.get_running_loop()
        self.take = take
        self._listener = listener
        self._young: set[YoungConnection] = set()
        self._probes: deque[tuple[socket.socket, str, bytes]] = deque()
        self._ready: deque[tuple[socket.socket, str, bytes]] = deque()
        self._given = 0
        self._paused: asyncio.TimerHandle | None = None
        self.loop.add_reader(listener.fileno(), self._on_connections)

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        """The listening socket."""
        return (self._listener,)

    def close(self) -> None:
        """Accept no more."""
        if self._listener.fileno() < 0:
            return
        if self._paused is not None:
            self._paused.cancel()
        self.loop.remove_reader(self._listener.fileno())
        self._listener.close()
        for young in list(self._young):
            young.close()
        for waiting in (self._probes, self._ready):
            for connection, _, _ in waiting:
                connection.close()
            waiting.clear()

    async def wait_closed(self) -> None:
        """Closing takes no time."""

    def give(self, connection: socket.socket, peer: str, data: bytes) -> None:  # noqa: ARG002 -- for those that derive
        """A connection on which a whole head has come, or what can be none: for the HTTP server."""
        self.take(connection, data)

    def give_in_turn(self, connection: socket.socket, peer: str, data: bytes) -> None:
        """As `give`, once it is its turn."""
        waiting = self._waiting()
        if self._given < GIVEN_AT_ONCE and not waiting:
            self._given += 1
            self.give(connection, peer, data)
            return
        if not waiting:
            self.loop.call_soon(self._give_some)
        (self._probes if _PROBE.match(data) else self._ready).append((connection, peer, data))

    def _give_some(self) -> None:
        for _ in range(min(GIVEN_AT_ONCE, self._waiting())):
            self.give(*(self._probes or self._ready).popleft())
        if self._waiting():
            self.loop.call_soon(self._give_some)

    def _waiting(self) -> int:
        return len(self._probes) + len(self._ready)

    def is_enough(self, data: bytes) -> bool:
        """Whether the HTTP server can answer these bytes now, be it with an error."""
        return b"\r\n\r\n" in data or len(data) > self.connections.bounds.head_bytes or _is_none(data)

    def wait(self, young: "YoungConnection") -> None:
        """Hear of what comes on a connection."""
        self._young.add(young)
        self.loop.add_reader(young.socket.fileno(), young.on_bytes)

    def forget(self, young: "YoungConnection") -> None:
        """Hear no more of it; idempotent."""
        if young in self._young:
            self._young.discard(young)
            self.loop.remove_reader(young.socket.fileno())
        self.connections.remove(young)

    def _on_connections(self) -> None:
        self._given = 0
        for _ in range(min(MOST_AT_ONCE, MOST_READY - self._waiting())):
            try:
                connection, address = self._listener.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                self._pause(error)
                return
            connection.setblocking(False)
            self._begin(connection, _peer(address))

    def _begin(self, connection: socket.socket, peer: str) -> None:
        try:
            data = connection.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            data = b""
        except OSError:
            connection.close()
            return
        else:
            if not data:
                connection.close()
                return
        if self.is_enough(data):
            self.give_in_turn(connection, peer, data)
            return
        young = YoungConnection(self, connection, peer, data)
        self.wait(young)
        problem = self.connections.add(young, peer)
        if problem is not None:
            young.refuse(problem)

    def _pause(self, error: OSError) -> None:
        """Out of descriptors or memory: what waits in the backlog is taken a little later."""
        log.error("cannot accept", error=str(error))
        self.loop.remove_reader(self._listener.fileno())

        def go_on() -> None:
            self.loop.add_reader(self._listener.fileno(), self._on_connections)

        self._paused = self.loop.call_later(0.5, go_on)


class YoungConnection:
    """A connection whose first head is not whole."""

    __slots__ = ("_acceptor", "_data", "_peer", "body_bytes", "is_paused", "socket", "unsent")

    def __init__(self, acceptor: Acceptor, connection: socket.socket, peer: str, data: bytes) -> None:
        self.socket = connection
        self.body_bytes = 0
        self.is_paused = False
        self.unsent = 0
        self._acceptor = acceptor
        self._peer = peer
        self._data = data

    @property
    def is_silent(self) -> bool:
        """Whether nothing has come."""
        return not self._data

    def on_bytes(self) -> None:
        """More has come, or the end."""
        try:
            more = self.socket.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            more = b""
        if not more:
            self.close()
            return
        self._data += more
        if self._acceptor.is_enough(self._data):
            self._acceptor.forget(self)
            self._acceptor.give_in_turn(self.socket, self._peer, self._data)

    def refuse(self, problem: Problem) -> None:
        """Say why, and end."""
        self._acceptor.forget(self)
        with contextlib.suppress(OSError):
            self.socket.send(refusal(problem))
            self.socket.shutdown(socket.SHUT_WR)
        self.socket.close()

    def drop(self) -> None:
        """End without a word."""
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.close()

    def close(self) -> None:
        """End."""
        self._acceptor.forget(self)
        self.socket.close()


def _is_none(data: bytes) -> bool:
    """Whether this cannot become a head: it begins with no method, or its lines do not end as they must (RFC 9112, section 2.2)."""
    return data != b"" and (not (data[:1].isalpha() or data[:1] in b"\r\n") or b"\n\n" in data)


def _peer(address: Any) -> str:
    return str(address[0]) if isinstance(address, tuple) else ""
