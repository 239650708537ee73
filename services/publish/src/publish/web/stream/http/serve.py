"""How pages and streams share a port, and how a connection gets to the broadcaster.

A connection that begins with the request of a stream goes to the broadcaster at once (`accept`). On one that has carried other
requests before, as a proxy's do, uvicorn reads the request, and the socket is handed over: the broadcaster has a duplicate of the
descriptor, and the server's transport lets go of its own, which does not close the connection.
"""

import contextlib
import functools
import os
from collections.abc import AsyncIterator
from typing import ClassVar

from starlette.types import ASGIApp

from publish.web.stream.broadcaster import Broadcaster
from publish.web.stream.http.accept import StreamAcceptor
from publish.web.stream.http.response import NO_MORE
from publish.web.stream.request import parse_request
from shared.http.problem import Problem
from shared.http.server.connections import RESERVED_DESCRIPTORS, OpenConnections
from shared.http.server.limits import ServerLimits
from shared.http.server.protocol import LimitedProtocol, protocol_for
from shared.http.server.server import HttpServer, server_config, serving
from shared.http.server.sockets import listen

PATH = b"/v1/stream"


class StreamProtocol(LimitedProtocol):
    """The protocol of every port, but for a stream."""

    broadcaster: ClassVar[Broadcaster]
    is_stream = False

    def on_headers_complete(self) -> None:
        """A stream's request goes no further than here; any other goes to the application."""
        if self.is_stream:
            return
        if (
            self.url.startswith(PATH)
            and self.url[len(PATH) : len(PATH) + 1] in (b"", b"?")
            and self.parser.get_method() == b"GET"
            and self.scheme == "http"
            and (self.cycle is None or self.cycle.response_complete)
        ):
            self.check_head()
            self.is_stream = True
            return
        super().on_headers_complete()

    def on_message_begin(self) -> None:
        """What a client sends behind the request of a stream is of no interest."""
        if not self.is_stream:
            super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """See `on_message_begin`."""
        if not self.is_stream:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """See `on_message_begin`."""
        if not self.is_stream:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """See `on_message_begin`."""
        if not self.is_stream:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """See `on_message_begin`."""
        if not self.is_stream:
            super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Read on until the request is whole; a stream leaves this protocol here."""
        super().data_received(data)
        if self.is_stream and not self.transport.is_closing():
            self.hand_over()

    def hand_over(self) -> None:
        """Give the socket to the broadcaster, or say why not."""
        query = self.url.partition(b"?")[2].decode("latin-1")
        last = next((value for name, value in self.headers if name == b"last-event-id"), b"")
        address = self.broadcaster.limits.proxies.named(self.client[0] if self.client else "", self.headers)
        try:
            request = parse_request(query, last.decode("utf-8", "replace"))
            if self.broadcaster.is_over(request):
                self.transport.write(NO_MORE)
                self.transport.close()
                return
            self.broadcaster.admit(address)
        except Problem as problem:
            self.refuse(problem)
            return
        fd = os.dup(self.transport.get_extra_info("socket").fileno())
        self.transport.abort()
        self.broadcaster.connect(fd, request, address)


def stream_protocol(connections: OpenConnections, broadcaster: Broadcaster) -> type[LimitedProtocol]:
    """The HTTP protocol of a server whose streams are this broadcaster's; for `uvicorn.Config(http=...)`."""
    return protocol_for(connections, type("StreamProtocol", (StreamProtocol,), {"broadcaster": broadcaster}))


@contextlib.asynccontextmanager
async def stream_server(
    app: ASGIApp,
    broadcaster: Broadcaster,
    host: str,
    port: int,
    limits: ServerLimits | None = None,
    *,
    acceptor: type[StreamAcceptor] = StreamAcceptor,
) -> AsyncIterator[HttpServer]:
    """Serve an ASGI application and the broadcaster's streams on one port while the block runs; entered once it listens."""
    limits = limits or ServerLimits()
    connections = OpenConnections(limits, RESERVED_DESCRIPTORS + broadcaster.limits.most_connections)
    config = server_config(app, stream_protocol(connections, broadcaster), limits)
    server = HttpServer(config, connections, functools.partial(acceptor, broadcaster))
    broadcaster.start()
    try:
        with connections.enforced():
            async with serving(server, listen(host, port)):
                try:
                    yield server
                finally:
                    for each in server.servers:
                        each.close()
                    broadcaster.close()
    finally:
        broadcaster.close()
