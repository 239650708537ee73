"""uvicorn's protocol of HTTP/1.1 with bounds; for `uvicorn.Config(http=...)`, its place for a protocol of one's own.

Only what the protocol and its parser call, and attributes without an underscore, are used.
"""

import asyncio
import socket
from collections.abc import Iterable
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.http.problem import Problem
from shared.http.server.accept import RESET
from shared.http.server.connections import DROPPED, OpenConnections
from shared.http.server.refusal import refusal

PROBES = frozenset([b"/livez", b"/readyz", b"/metrics"])
"""Answered on connections past the bounds too: who asks must not take a busy process for a dead one."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    open: ClassVar[OpenConnections]
    early = b""
    """What was read before this protocol had the connection."""
    body_bytes = 0
    _in_head = False
    _in_body = False
    _is_ending = False
    _is_awaited = True
    _is_body_awaited = False
    _messages = 0
    _piece_bytes = 0
    _head_ended = False
    _head_bytes = 0
    _raw_bytes = 0
    _swallowed = 0
    _refusal: Problem | None = None
    _fault: Problem | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection is open."""
        super().connection_made(transport)
        # Whatever the kernel does not take at once is a reader's who does not read: from the first byte on, it is watched.
        transport.set_write_buffer_limits(0)
        self._refusal = self.open.add(self, self.client[0] if self.client else "")
        if self.early and not transport.is_closing():
            early, self.early = self.early, b""
            self.data_received(early)

    def connection_lost(self, exc: Exception | None) -> None:
        """A connection is gone."""
        super().connection_lost(exc)
        self.open.remove(self)

    def data_received(self, data: bytes) -> None:
        """Bytes of requests, in pieces of any size."""
        if self._is_ending:
            self._swallow(len(data))
            return
        between = not self._in_head and not self._in_body
        if self._in_body:
            self._raw_bytes += len(data)
        self._messages = 0
        self._head_ended = False
        self._piece_bytes = len(data)
        self.open.stirs(self)
        super().data_received(data)
        if self._is_ending or self.transport.is_closing():
            return
        if self._in_head:
            if self._messages == 0:
                self._head_bytes += len(data)
            else:
                # Where requests before it came in the same piece, how much of that is its own is not known.
                self._head_bytes = len(data) if between and self._messages == 1 else 0
            if self._head_bytes > self.open.bounds.head_bytes:
                self.refuse(self._head_too_large())
            else:
                self._head_begins()
        elif self._in_body:
            if self._head_ended and between and self._messages == 1:
                self._raw_bytes = len(data) - _size_of(self.url, self.scope["headers"])
            self._look_at_body(len(data))
        elif self.cycle is None or self.cycle.response_complete:
            self._head_begins()

    def _head_begins(self) -> None:
        self._is_awaited = True
        self.open.head_begins(self)

    def _look_at_body(self, size: int) -> None:
        bounds = self.open.bounds
        if self.cycle.response_complete:
            self._swallow(size)
        elif self._raw_bytes - self.body_bytes > bounds.head_bytes + bounds.chunk_overhead * self.body_bytes:
            self.refuse(Problem(400, "bad-chunks", "chunk extensions or trailers are larger than what they come with"))
        else:
            self._is_body_awaited = True
            self.open.body_begins(self)

    def _swallow(self, size: int) -> None:
        """Count what comes after the answer; past a bound the connection ends whoever still sends."""
        self._swallowed += size
        if self._swallowed > self.open.bounds.linger_bytes:
            self.transport.abort()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._messages += 1
        self._head_bytes = 0
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head is whole."""
        self.check_head()
        super().on_headers_complete()
        self._in_body = True
        # What the parser calls a header from here on is a trailer: it is no part of what the application was given.
        self.headers = []

    def check_head(self) -> None:
        """Raises for a head that is not to be answered; what it raises ends the parsing, and comes to `send_400_response`."""
        self._in_head = False
        self.body_bytes = self._raw_bytes = self._swallowed = 0
        self._head_ended = True
        if self._is_awaited:
            self._is_awaited = False
            self.open.head_ends(self)
        bounds = self.open.bounds
        if len(self.url) > bounds.target_bytes or len(self.headers) > bounds.head_fields:
            raise self._stop(self._head_too_large())
        most = bounds.head_bytes
        if self._head_bytes + self._piece_bytes > most and _size_of(self.url, self.headers) > most:
            raise self._stop(self._head_too_large())
        if self._refusal is not None and self.url.partition(b"?")[0] not in PROBES:
            raise self._stop(self._refusal)
        if len(self.pipeline) >= bounds.pipelined:
            raise self._stop(Problem(400, "too-many-pipelined", "wait for answers before asking more"))

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        self.body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is whole."""
        self._in_body = False
        if self._is_body_awaited:
            self._is_body_awaited = False
            self.open.body_ends(self)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer is written."""
        super().on_response_complete()
        if not self._in_head and not self.pipeline and not self.transport.is_closing():
            self._is_body_awaited = self._in_body
            self.open.answered(self, whole=not self._in_body)

    def pause_writing(self) -> None:
        """The kernel takes no more."""
        super().pause_writing()
        self.open.blocks(self)

    def resume_writing(self) -> None:
        """The kernel has taken all."""
        super().resume_writing()
        self.open.flows(self)

    def send_400_response(self, msg: str) -> None:
        """What cannot be parsed, or was stopped by a bound, is answered as every other error is."""
        self.refuse(self._fault or Problem(400, "bad-request", msg))

    def refuse(self, problem: Problem) -> None:
        """Answer with a problem and end, once the client had a moment to read it (RFC 9112, section 9.6).

        Where an answer is under way, the connection just ends: the client would take the problem for a part of it.
        """
        if self._is_ending or self.transport.is_closing():
            return
        self._is_ending = True
        cycle = self.cycle
        if self._in_body:
            if self.pipeline or cycle.response_started:
                self.transport.abort()
                return
            # The application, which waits for the body, hears that nobody is there any more.
            cycle.disconnected = True
            cycle.message_event.set()
        elif cycle is not None and not cycle.response_complete:
            self.transport.abort()
            return
        self.flow.resume_reading()
        self.transport.write(refusal(problem))
        self.transport.write_eof()
        self.open.ends(self)

    def drop(self) -> None:
        """End now, by a reset: what the kernel holds for a reader who does not read it is given up too."""
        if not self._is_ending:
            sock = self.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.transport.abort()

    @property
    def is_silent(self) -> bool:
        """Whether nothing has come that was not answered."""
        return not self._in_head

    @property
    def is_paused(self) -> bool:
        """Whether we do not read at this moment."""
        return self.flow.read_paused

    @property
    def unsent(self) -> int:
        """Bytes that the kernel has not taken."""
        return self.transport.get_write_buffer_size()

    def _head_too_large(self) -> Problem:
        bounds = self.open.bounds
        DROPPED.labels("head").inc()
        if len(self.url) > bounds.target_bytes:
            return Problem(414, "target-too-long", f"the target of a request has at most {bounds.target_bytes} bytes")
        return Problem(
            431, "head-too-large", f"the head of a request has at most {bounds.head_bytes} bytes and {bounds.head_fields} fields"
        )  # fmt: skip

    def _stop(self, problem: Problem) -> Problem:
        self._fault = problem
        return problem


def _size_of(url: bytes, headers: Iterable[tuple[bytes, bytes]]) -> int:
    """The bytes of a head about as it came: each field has a colon, a space and the end of its line."""
    return len(url) + sum([len(name) + len(value) + 4 for name, value in headers])


def bounded(open_connections: OpenConnections, base: type[BoundedProtocol] = BoundedProtocol) -> type[BoundedProtocol]:
    """The protocol of one port."""
    return type(base.__name__, (base,), {"open": open_connections})
