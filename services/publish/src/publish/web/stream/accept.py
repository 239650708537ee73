"""Accepts connections, takes streams off right there, and gives every other connection to the HTTP server.

A reader who comes back costs this way little more than the kernel's own work: thousands come at once after a deploy. What
is not at first sight a whole, plain request of a stream goes to the server with the bytes read so far, and is judged there.
"""

import asyncio
import contextlib
import re
import socket
import time
from collections.abc import Callable
from typing import Any

import structlog

from publish.web.stream.hub import NO_MORE, Hub
from publish.web.stream.request import wanted
from shared.problem import Problem

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 128
"""Connections accepted in one turn of the loop: those who are being served get theirs in between."""
MOST_HEAD_BYTES = 8192
SILENT_S = 15.0
"""A connection on which nothing comes is closed after this time."""

_FIELDS = re.compile(rb"\r\n(last-event-id|x-forwarded-for|forwarded):[ \t]*([^\r\n]*)", re.IGNORECASE)

Take = Callable[[socket.socket, bytes], None]
Refuse = Callable[[Problem], bytes]


class Acceptor:
    """One listening socket. It stands where uvicorn has an `asyncio.Server`."""

    start = b"GET /v1/stream"
    request = re.compile(rb"GET /v1/stream(?:\?([\x21\x22\x24-\x7e]*))? HTTP/1\.[01]\r\n")

    def __init__(self, listener: socket.socket, hub: Hub, take: Take, refuse: Refuse) -> None:
        self._listener = listener
        self._hub = hub
        self._take = take
        self._refuse = refuse
        self._loop = asyncio.get_running_loop()
        self._young: dict[socket.socket, tuple[float, str, bytes]] = {}
        self._paused: asyncio.TimerHandle | None = None
        self._sweeper = self._loop.call_later(SILENT_S, self._sweep)
        self._loop.add_reader(listener.fileno(), self._on_connections)

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        """The listening socket."""
        return (self._listener,)

    def close(self) -> None:
        """Accept no more."""
        if self._listener.fileno() < 0:
            return
        self._sweeper.cancel()
        if self._paused is not None:
            self._paused.cancel()
        self._loop.remove_reader(self._listener.fileno())
        self._listener.close()
        for connection in list(self._young):
            self._forget(connection)
            connection.close()

    async def wait_closed(self) -> None:
        """Closing takes no time."""

    def _on_connections(self) -> None:
        for _ in range(MOST_AT_ONCE):
            try:
                connection, peer = self._listener.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                self._pause(error)
                return
            connection.setblocking(False)
            self._read(connection, _address(peer), b"", 0.0)

    def _pause(self, error: OSError) -> None:
        """Out of descriptors or memory: what waits in the backlog is taken a little later."""
        log.error("cannot accept", error=str(error))
        self._loop.remove_reader(self._listener.fileno())

        def go_on() -> None:
            self._loop.add_reader(self._listener.fileno(), self._on_connections)

        self._paused = self._loop.call_later(0.5, go_on)

    def _read(self, connection: socket.socket, address: str, data: bytes, since: float) -> None:
        try:
            more = connection.recv(MOST_HEAD_BYTES)
        except (BlockingIOError, InterruptedError):
            self._wait(connection, address, data, since)
            return
        except OSError:
            more = b""
        if not more:
            connection.close()
            return
        data += more
        if not data.startswith(self.start) and not self.start.startswith(data):
            self._take(connection, data)
            return
        end = data.find(b"\r\n\r\n")
        if end < 0 and len(data) < MOST_HEAD_BYTES:
            self._wait(connection, address, data, since)
            return
        request = self.request.match(data)
        if end < 0 or request is None:
            self._take(connection, data)
            return
        self.stream(connection, address, (request[1] or b"").decode("ascii"), data[request.end() - 2 : end])

    def stream(self, connection: socket.socket, peer: str, query: str, fields: bytes) -> None:
        """Give the connection to the hub, or say why not. `fields` are the request's header lines."""
        headers: list[tuple[bytes, bytes]] = [(name.lower(), value) for name, value in _FIELDS.findall(fields)]
        last = next((value for name, value in headers if name == b"last-event-id"), b"")
        hub = self._hub
        try:
            asked = wanted(query, last.strip().decode("utf-8", "replace"))
            if hub.is_over(asked):
                self._answer(connection, NO_MORE)
                return
            address = hub.limits.proxies.client(peer, headers)
            hub.admit(address)
        except Problem as problem:
            self._answer(connection, self._refuse(problem))
            return
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        hub.connect(connection.detach(), asked, address)

    def _answer(self, connection: socket.socket, answer: bytes) -> None:
        with contextlib.suppress(OSError):
            connection.send(answer)
        connection.close()

    def _wait(self, connection: socket.socket, address: str, data: bytes, since: float) -> None:
        self._young[connection] = (since or time.monotonic(), address, data)
        self._loop.add_reader(connection.fileno(), self._on_bytes, connection)

    def _on_bytes(self, connection: socket.socket) -> None:
        since, address, data = self._forget(connection)
        self._read(connection, address, data, since)

    def _forget(self, connection: socket.socket) -> tuple[float, str, bytes]:
        self._loop.remove_reader(connection.fileno())
        return self._young.pop(connection)

    def _sweep(self) -> None:
        self._sweeper = self._loop.call_later(SILENT_S, self._sweep)
        before = time.monotonic() - SILENT_S
        for connection in [each for each, (since, _, _) in self._young.items() if since < before]:
            self._forget(connection)
            connection.close()


def _address(peer: Any) -> str:
    return str(peer[0]) if isinstance(peer, tuple) else ""


def listen(host: str, port: int, backlog: int) -> list[socket.socket]:
    """Sockets that listen on every address of a host.

    A connection is seen once its first bytes are here, or a few seconds later without them.
    """
    listeners: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            listener = socket.socket(family, kind, protocol)
            listeners.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 2)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.setblocking(False)
            listener.bind(address)
            listener.listen(backlog)
    except OSError:
        for listener in listeners:
            listener.close()
        raise
    return listeners
