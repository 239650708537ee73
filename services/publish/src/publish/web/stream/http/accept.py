"""Takes streams off where they are accepted, and gives every other connection to the HTTP server.

This way a reader who comes back costs little more than the kernel's own work: thousands come at once after a deploy. What
is not a plain request of a stream goes to the server with the bytes read so far.
"""

import contextlib
import re
import socket

from publish.web.stream.broadcaster import Broadcaster
from publish.web.stream.http.response import NO_MORE
from publish.web.stream.request import parse_request
from shared.http.problem import Problem, problem_bytes
from shared.http.server.acceptor import Acceptor, Serve
from shared.http.server.connections import OpenConnections

MOST_HEAD_BYTES = 8192

_FIELDS = re.compile(rb"\r\n(last-event-id|x-forwarded-for|forwarded):[ \t]*([^\r\n]*)", re.IGNORECASE)


class StreamAcceptor(Acceptor):
    """An acceptor that knows the requests of this broadcaster's readers."""

    request = re.compile(rb"GET /v1/stream(?:\?([\x21\x22\x24-\x7e]*))? HTTP/1\.[01]\r\n")

    def __init__(
        self, broadcaster: Broadcaster, listener: socket.socket, connections: OpenConnections, serve: Serve
    ) -> None:
        super().__init__(listener, connections, serve)
        self._broadcaster = broadcaster

    def enqueue(self, connection: socket.socket, peer: str, data: bytes) -> None:
        """A stream is not queued: taking it over costs little more than accepting it, and thousands reconnect at once."""
        if self.request.match(data) is not None:
            self.dispatch(connection, peer, data)
        else:
            super().enqueue(connection, peer, data)

    def dispatch(self, connection: socket.socket, peer: str, data: bytes) -> None:
        """Give a stream's connection to the broadcaster, any other to the server."""
        request = self.request.match(data)
        end = data.find(b"\r\n\r\n", 0, MOST_HEAD_BYTES) if request is not None else -1
        if request is None or end < 0 or data.count(b"\r\n", 0, end) > self.connections.limits.head_fields:
            self.serve(connection, data)
            return
        self.stream(connection, peer, (request[1] or b"").decode("ascii"), data[request.end() - 2 : end])

    def stream(self, connection: socket.socket, peer: str, query: str, fields: bytes) -> None:
        """Give the connection to the broadcaster, or say why not. `fields` are the request's header lines."""
        headers: list[tuple[bytes, bytes]] = [(name.lower(), value) for name, value in _FIELDS.findall(fields)]
        last = next((value for name, value in headers if name == b"last-event-id"), b"")
        broadcaster = self._broadcaster
        try:
            asked = parse_request(query, last.strip().decode("utf-8", "replace"))
            if broadcaster.is_over(asked):
                self._answer(connection, NO_MORE)
                return
            address = broadcaster.limits.proxies.named(peer, headers)
            broadcaster.admit(address)
        except Problem as problem:
            self._answer(connection, problem_bytes(problem))
            return
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        broadcaster.connect(connection.detach(), asked, address)

    def _answer(self, connection: socket.socket, answer: bytes) -> None:
        with contextlib.suppress(OSError):
            connection.send(answer)
        connection.close()
