"""Accepts connections, and hands each to the HTTP server once the first request head is complete.

Until then a connection is a socket and a few bytes. Thousands that send nothing, or half a head, cost little more than the
kernel's own work, and requests among them do not wait.
"""

import asyncio
import contextlib
import re
import socket
import struct
from collections import deque
from collections.abc import Callable

import structlog

from shared.http.problem import Problem, problem_bytes
from shared.http.server.connections import OpenConnections

log = structlog.get_logger(__name__)

ACCEPTS_PER_TURN = 128
"""Connections accepted in one turn of the loop, so that those being served get theirs in between."""
DISPATCHES_PER_TURN = 16
"""Connections handed over in one turn. A response costs ten times what accepting does, and may take megabytes that are
freed in the next turn only."""
MAX_READY = 4096
READ_BYTES = 8192
_PROBE = re.compile(rb"GET /(?:livez|readyz|metrics)[ ?]")
"""Probes go before other requests, so that a busy process is not taken for a dead one."""

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER that closes with a reset (socket(7)): the kernel drops what it holds for the other side, too."""

Serve = Callable[[socket.socket, bytes], None]
"""Serves a connection, of which these bytes were read."""


class Acceptor:
    """One listening socket, in place of uvicorn's `asyncio.Server`."""

    def __init__(self, listener: socket.socket, connections: OpenConnections, serve: Serve) -> None:
        self.connections = connections
        self.loop = asyncio.get_running_loop()
        self.serve = serve
        self._listener = listener
        self._pending: set[PendingConnection] = set()
        self._probes: deque[tuple[socket.socket, str, bytes]] = deque()
        self._ready: deque[tuple[socket.socket, str, bytes]] = deque()
        self._dispatched = 0
        self._paused: asyncio.TimerHandle | None = None
        self.loop.add_reader(listener.fileno(), self._accept_ready)

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        """The listening socket."""
        return (self._listener,)

    def close(self) -> None:
        """Stop accepting, and close what was not handed over."""
        if self._listener.fileno() < 0:
            return
        if self._paused is not None:
            self._paused.cancel()
        self.loop.remove_reader(self._listener.fileno())
        self._listener.close()
        for pending in list(self._pending):
            pending.close()
        for waiting in (self._probes, self._ready):
            for connection, _, _ in waiting:
                connection.close()
            waiting.clear()

    async def wait_closed(self) -> None:
        """Closing takes no time."""

    def dispatch(self, connection: socket.socket, peer: str, data: bytes) -> None:  # noqa: ARG002 -- subclasses use it
        """Hand over a connection whose head is complete, or cannot be one."""
        self.serve(connection, data)

    def enqueue(self, connection: socket.socket, peer: str, data: bytes) -> None:
        """Hand over a connection in its turn."""
        waiting = self._queued()
        if self._dispatched < DISPATCHES_PER_TURN and not waiting:
            self._dispatched += 1
            self.dispatch(connection, peer, data)
            return
        if not waiting:
            self.loop.call_soon(self._dispatch_ready)
        (self._probes if _PROBE.match(data) else self._ready).append((connection, peer, data))

    def _dispatch_ready(self) -> None:
        for _ in range(min(DISPATCHES_PER_TURN, self._queued())):
            self.dispatch(*(self._probes or self._ready).popleft())
        if self._queued():
            self.loop.call_soon(self._dispatch_ready)

    def _queued(self) -> int:
        return len(self._probes) + len(self._ready)

    def is_complete(self, data: bytes) -> bool:
        """Whether the HTTP server can answer these bytes now, even if with an error."""
        return b"\r\n\r\n" in data or len(data) > self.connections.limits.head_bytes or _cannot_be_http(data)

    def watch(self, pending: "PendingConnection") -> None:
        """Wait for more bytes of a connection."""
        self._pending.add(pending)
        self.loop.add_reader(pending.socket.fileno(), pending.on_bytes)

    def unwatch(self, pending: "PendingConnection") -> None:
        """Stop waiting for them; idempotent."""
        if pending in self._pending:
            self._pending.discard(pending)
            self.loop.remove_reader(pending.socket.fileno())
        self.connections.remove(pending)

    def _accept_ready(self) -> None:
        self._dispatched = 0
        for _ in range(min(ACCEPTS_PER_TURN, MAX_READY - self._queued())):
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
            self._read_first_bytes(connection, _peer(address))

    def _read_first_bytes(self, connection: socket.socket, peer: str) -> None:
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
        if self.is_complete(data):
            self.enqueue(connection, peer, data)
            return
        pending = PendingConnection(self, connection, peer, data)
        self.watch(pending)
        problem = self.connections.add(pending, peer)
        if problem is not None:
            pending.refuse(problem)

    def _pause(self, error: OSError) -> None:
        """Accept again in a moment: descriptors or memory ran out."""
        log.error("cannot accept", error=str(error))
        self.loop.remove_reader(self._listener.fileno())

        def resume() -> None:
            self.loop.add_reader(self._listener.fileno(), self._accept_ready)

        self._paused = self.loop.call_later(0.5, resume)


class PendingConnection:
    """A connection whose first head is incomplete."""

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
        """Whether nothing was received."""
        return not self._data

    def on_bytes(self) -> None:
        """Read more, or the end."""
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
        if self._acceptor.is_complete(self._data):
            self._acceptor.unwatch(self)
            self._acceptor.enqueue(self.socket, self._peer, self._data)

    def refuse(self, problem: Problem) -> None:
        """Send a problem and close."""
        self._acceptor.unwatch(self)
        with contextlib.suppress(OSError):
            self.socket.send(problem_bytes(problem))
            self.socket.shutdown(socket.SHUT_WR)
        self.socket.close()

    def drop(self) -> None:
        """Close with a reset."""
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.close()

    def close(self) -> None:
        """Close."""
        self._acceptor.unwatch(self)
        self.socket.close()


def _cannot_be_http(data: bytes) -> bool:
    """Whether this cannot become a head: it begins with no method, or its lines end wrongly (RFC 9112, section 2.2)."""
    return data != b"" and (not (data[:1].isalpha() or data[:1] in b"\r\n") or b"\n\n" in data)


def _peer(address: object) -> str:
    return str(address[0]) if isinstance(address, tuple) else ""
