"""How a connection gets from the HTTP server to the hub.

uvicorn accepts and reads the request, as it does for every page. For `GET /v1/stream` the socket itself is handed over: the
hub has a duplicate of the descriptor, and the server's transport lets go of its own, which closes nothing at the reader.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from publish.web.stream.hub import Hub
from publish.web.stream.request import client_address, wanted
from shared.problem import Problem, problem_response
from shared.process import HttpServer, http_server

log = structlog.get_logger(__name__)

PATH = b"/v1/stream"


class StreamProtocol(HttpToolsProtocol):
    """uvicorn's own protocol, but for a stream."""

    hub: ClassVar[Hub]
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
        address = client_address(self.client[0] if self.client else None, self.headers, self.hub.limits.trusted)
        try:
            request = wanted(query, last.decode("utf-8", "replace"))
            self.hub.admit(address)
        except Problem as problem:
            self.refuse(problem)
            return
        fd = os.dup(self.transport.get_extra_info("socket").fileno())
        self.transport.abort()
        self.hub.connect(fd, request, address)

    def refuse(self, problem: Problem) -> None:
        """Answer before anything streams; the connection ends with it."""
        response = problem_response(problem)
        response.headers["Connection"] = "close"
        response.headers["Access-Control-Allow-Origin"] = "*"
        lines = [name + b": " + value + b"\r\n" for name, value in response.raw_headers]
        self.transport.write(b"".join([STATUS_LINE[problem.status], *lines, b"\r\n", bytes(response.body)]))
        self.transport.close()


def stream_protocol(hub: Hub) -> type[HttpToolsProtocol]:
    """The HTTP protocol of a server whose streams are this hub's; for `uvicorn.Config(http=...)`."""
    return type("StreamProtocol", (StreamProtocol,), {"hub": hub})


@contextlib.asynccontextmanager
async def stream_server(app: Any, hub: Hub, host: str, port: int, **options: Any) -> AsyncIterator[HttpServer]:
    """Serve an ASGI application and the hub's streams on one port while the block runs."""
    hub.start()
    try:
        async with http_server(app, host, port, http=stream_protocol(hub), backlog=4096, **options) as server:
            yield server
    finally:
        hub.close()
        await asyncio.sleep(0)
