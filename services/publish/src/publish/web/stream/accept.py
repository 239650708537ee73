"""Accepts connections, takes streams off right there, and gives every other connection to the HTTP server.

A reader who comes back costs this way little more than the kernel's own work: thousands come at once after a deploy. What
is not at first sight a whole, plain request of a stream goes to the server with the bytes read so far, and is judged there.
"""

import asyncio
import contextlib
import re
import socket
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

_FIELDS = re.compile(rb"\r\n(last-event-id|x-forwarded-for|forwarded):[ \t]*([^\r\n]*)", re.IGNORECASE)

Take = Callable[[socket.socket, bytes], None]
Refuse = Callable[[Problem], bytes]


class Acceptor:
    """One listening socket. It stands where uvicorn has an `asyncio.Server`."""

    request = re.compile(rb"GET /v1/stream(?:\?([\x21\x22\x24-\x7e]*))? HTTP/1\.[01]\r\n")

    def __init__(self, listener: socket.socket, hub: Hub, take: Take, refuse: Refuse, most_fields: int) -> None:
        self._listener = listener
        self._hub = hub
        self._take = take
        self._refuse = refuse
        self._most_fields = most_fields
        self._loop = asyncio.get_running_loop()
        self._paused: asyncio.TimerHandle | None = None
        self._loop.add_reader(listener.fileno(), self._on_connections)

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
        self._loop.remove_reader(self._listener.fileno())
        self._listener.close()

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
            self._read(connection, _address(peer))

    def _pause(self, error: OSError) -> None:
        """Out of descriptors or memory: what waits in the backlog is taken a little later."""
        log.error("cannot accept", error=str(error))
        self._loop.remove_reader(self._listener.fileno())

        def go_on() -> None:
            self._loop.add_reader(self._listener.fileno(), self._on_connections)

        self._paused = self._loop.call_later(0.5, go_on)

    def _read(self, connection: socket.socket, address: str) -> None:
        """Look at what has come at once. What is not all there waits at the HTTP server, within its bounds."""
        try:
            data = connection.recv(MOST_HEAD_BYTES)
        except (BlockingIOError, InterruptedError):
            self._take(connection, b"")
            return
        except OSError:
            data = b""
        if not data:
            connection.close()
            return
        request = self.request.match(data)
        end = data.find(b"\r\n\r\n") if request is not None else -1
        if request is None or end < 0 or data.count(b"\r\n", 0, end) > self._most_fields:
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
            address = hub.limits.proxies.named(peer, headers)
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


def _address(peer: Any) -> str:
    return str(peer[0]) if isinstance(peer, tuple) else ""
