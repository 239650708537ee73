"""How pages and streams share a port, and how a connection gets to the hub.

A connection that begins with the request of a stream is the hub's from the first (`accept`). On one that has carried other
requests before, as a proxy's do, uvicorn reads the request, and the socket is handed over: the hub has a duplicate of the
descriptor, and the server's transport lets go of its own, which closes nothing at the reader.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import structlog
import uvicorn

from publish.web.stream.accept import Acceptor
from publish.web.stream.hub import NO_MORE, Hub
from publish.web.stream.request import wanted
from shared.http.bounds import Bounds
from shared.http.connections import OTHER_FILES, OpenConnections
from shared.http.listen import listen
from shared.http.protocol import BoundedProtocol, bounded, refusal
from shared.problem import Problem
from shared.process import HttpServer, server_config, serving

log = structlog.get_logger(__name__)

PATH = b"/v1/stream"


class StreamProtocol(BoundedProtocol):
    """The protocol of every port, but for a stream."""

    hub: ClassVar[Hub]
    is_stream = False
    early = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin with the bytes that were read before this protocol had the connection."""
        super().connection_made(transport)
        if self.early:
            early, self.early = self.early, b""
            self.data_received(early)

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
        """Give the socket to the hub, or say why not."""
        query = self.url.partition(b"?")[2].decode("latin-1")
        last = next((value for name, value in self.headers if name == b"last-event-id"), b"")
        address = self.hub.limits.proxies.named(self.client[0] if self.client else "", self.headers)
        try:
            request = wanted(query, last.decode("utf-8", "replace"))
            if self.hub.is_over(request):
                self.transport.write(NO_MORE)
                self.transport.close()
                return
            self.hub.admit(address)
        except Problem as problem:
            self.refuse(problem)
            return
        fd = os.dup(self.transport.get_extra_info("socket").fileno())
        self.transport.abort()
        self.hub.connect(fd, request, address)


def stream_protocol(connections: OpenConnections, hub: Hub) -> type[BoundedProtocol]:
    """The HTTP protocol of a server whose streams are this hub's; for `uvicorn.Config(http=...)`."""
    return bounded(connections, type("StreamProtocol", (StreamProtocol,), {"hub": hub}))


class StreamServer(HttpServer):
    """uvicorn with the acceptor in front of it."""

    def __init__(self, config: uvicorn.Config, hub: Hub, acceptor: type[Acceptor], most_fields: int) -> None:
        super().__init__(config)
        self.most_fields = most_fields
        self.hub = hub
        self.acceptor = acceptor
        self._taking: set[asyncio.Task[Any]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, by the acceptor instead of the loop's own server."""
        await self.lifespan.startup()
        self.servers = [
            self.acceptor(each, self.hub, self._take, refusal, self.most_fields)  # type: ignore[misc]
            for each in sockets or []
        ]
        self.started = True

    def _take(self, connection: socket.socket, early: bytes) -> None:
        loop = asyncio.get_running_loop()

        def protocol() -> StreamProtocol:
            made: StreamProtocol = self.config.http_protocol_class(  # type: ignore[assignment, call-arg]
                config=self.config, server_state=self.server_state, app_state=self.lifespan.state, _loop=loop
            )
            made.early = early
            return made

        task = loop.create_task(loop.connect_accepted_socket(protocol, connection))
        self._taking.add(task)
        task.add_done_callback(self._taken)

    def _taken(self, task: asyncio.Task[Any]) -> None:
        self._taking.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("connection lost before it was served", error=str(error))


@contextlib.asynccontextmanager
async def stream_server(
    app: Any,
    hub: Hub,
    host: str,
    port: int,
    bounds: Bounds | None = None,
    *,
    acceptor: type[Acceptor] = Acceptor,
    **options: Any,
) -> AsyncIterator[StreamServer]:
    """Serve an ASGI application and the hub's streams on one port while the block runs; entered once it listens."""
    bounds = bounds or Bounds()
    connections = OpenConnections(bounds, OTHER_FILES + hub.limits.most_connections)
    config = server_config(app, stream_protocol(connections, hub), bounds, **options)
    server = StreamServer(config, hub, acceptor, bounds.head_fields)
    hub.start()
    try:
        with connections.watched():
            async with serving(server, listen(host, port)):
                try:
                    yield server
                finally:
                    for each in server.servers:
                        each.close()
                    hub.close()
    finally:
        hub.close()
