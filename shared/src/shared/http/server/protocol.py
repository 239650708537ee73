"""uvicorn's HTTP/1.1 protocol with limits, for `uvicorn.Config(http=...)`, which takes protocol classes.

It overrides public methods of the protocol and uses its public attributes only.
"""

import asyncio
import socket
from collections.abc import Iterable
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.http.problem import Problem, problem_bytes
from shared.http.server.acceptor import RESET
from shared.http.server.connections import DROPPED, OpenConnections

PROBES = frozenset([b"/livez", b"/readyz", b"/metrics"])
"""Answered on connections past the limits too, so that a busy process is not taken for a dead one."""


class LimitedProtocol(HttpToolsProtocol):
    """One connection."""

    open: ClassVar[OpenConnections]
    early = b""
    """Bytes that were read before this protocol got the connection."""
    body_bytes = 0
    _in_head = False
    _in_body = False
    _is_closing = False
    _head_awaited = True
    _body_awaited = False
    _messages = 0
    _piece_bytes = 0
    _head_ended = False
    _head_bytes = 0
    _raw_bytes = 0
    _discarded_bytes = 0
    _refusal: Problem | None = None
    _parse_problem: Problem | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection is open."""
        super().connection_made(transport)
        # From the first byte that the kernel does not take, the client is watched.
        transport.set_write_buffer_limits(0)
        self._refusal = self.open.add(self, self.client[0] if self.client else "")
        if self.early and not transport.is_closing():
            early, self.early = self.early, b""
            self.data_received(early)

    def connection_lost(self, exc: Exception | None) -> None:
        """A connection is closed."""
        super().connection_lost(exc)
        self.open.remove(self)

    def data_received(self, data: bytes) -> None:
        """Bytes of requests, in pieces of any size."""
        if self._is_closing:
            self._discard(len(data))
            return
        between = not self._in_head and not self._in_body
        if self._in_body:
            self._raw_bytes += len(data)
        self._messages = 0
        self._head_ended = False
        self._piece_bytes = len(data)
        self.open.became_active(self)
        super().data_received(data)
        if self._is_closing or self.transport.is_closing():
            return
        if self._in_head:
            if self._messages == 0:
                self._head_bytes += len(data)
            else:
                # Where earlier requests came in the same piece, the size of this head is unknown.
                self._head_bytes = len(data) if between and self._messages == 1 else 0
            if self._head_bytes > self.open.limits.head_bytes:
                self.refuse(self._head_too_large())
            else:
                self._head_begins()
        elif self._in_body:
            if self._head_ended and between and self._messages == 1:
                self._raw_bytes = len(data) - _size_of(self.url, self.scope["headers"])
            self._check_body(len(data))
        elif self.cycle is None or self.cycle.response_complete:
            self._head_begins()

    def _head_begins(self) -> None:
        self._head_awaited = True
        self.open.head_started(self)

    def _check_body(self, size: int) -> None:
        limits = self.open.limits
        if self.cycle.response_complete:
            self._discard(size)
        elif self._raw_bytes - self.body_bytes > limits.head_bytes + limits.chunk_overhead * self.body_bytes:
            self.refuse(Problem(400, "bad-chunks", "chunk extensions or trailers are larger than what they come with"))
        else:
            self._body_awaited = True
            self.open.body_started(self)

    def _discard(self, size: int) -> None:
        """Count what is received after the response; past a limit the connection is aborted."""
        self._discarded_bytes += size
        if self._discarded_bytes > self.open.limits.linger_bytes:
            self.transport.abort()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._messages += 1
        self._head_bytes = 0
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head is complete."""
        self.check_head()
        super().on_headers_complete()
        self._in_body = True
        # Headers that the parser reports from here on are trailers; the application must not see them.
        self.headers = []

    def check_head(self) -> None:
        """Raises for a head past a limit, which ends parsing: the parser then calls `send_400_response`."""
        self._in_head = False
        self.body_bytes = self._raw_bytes = self._discarded_bytes = 0
        self._head_ended = True
        if self._head_awaited:
            self._head_awaited = False
            self.open.head_received(self)
        limits = self.open.limits
        if len(self.url) > limits.target_bytes or len(self.headers) > limits.head_fields:
            raise self._stop(self._head_too_large())
        most = limits.head_bytes
        if self._head_bytes + self._piece_bytes > most and _size_of(self.url, self.headers) > most:
            raise self._stop(self._head_too_large())
        if self._refusal is not None and self.url.partition(b"?")[0] not in PROBES:
            raise self._stop(self._refusal)
        if len(self.pipeline) >= limits.pipelined:
            raise self._stop(Problem(400, "too-many-pipelined", "wait for answers before asking more"))

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        self.body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is complete."""
        self._in_body = False
        if self._body_awaited:
            self._body_awaited = False
            self.open.body_received(self)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """A response is written."""
        super().on_response_complete()
        if not self._in_head and not self.pipeline and not self.transport.is_closing():
            self._body_awaited = self._in_body
            self.open.response_sent(self, complete=not self._in_body)

    def pause_writing(self) -> None:
        """The kernel takes no more."""
        super().pause_writing()
        self.open.write_blocked(self)

    def resume_writing(self) -> None:
        """The kernel has taken all."""
        super().resume_writing()
        self.open.write_resumed(self)

    def send_400_response(self, msg: str) -> None:
        """Answer what cannot be parsed, or is past a limit, with a problem."""
        self.refuse(self._parse_problem or Problem(400, "bad-request", msg))

    def refuse(self, problem: Problem) -> None:
        """Send a problem and close, once the client had a moment to read it (RFC 9112, section 9.6).

        While a response is under way, only close: the client would take the problem for part of it.
        """
        if self._is_closing or self.transport.is_closing():
            return
        self._is_closing = True
        cycle = self.cycle
        if self._in_body:
            if self.pipeline or cycle.response_started:
                self.transport.abort()
                return
            # The application waits for the body; for it, the connection is lost.
            super().connection_lost(ConnectionAbortedError())
        elif cycle is not None and not cycle.response_complete:
            self.transport.abort()
            return
        self.flow.resume_reading()
        self.transport.write(problem_bytes(problem))
        self.transport.write_eof()
        self.open.closing(self)

    def drop(self) -> None:
        """Close with a reset, so that the kernel drops what it holds for a client that does not read."""
        if not self._is_closing:
            sock = self.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.transport.abort()

    @property
    def is_silent(self) -> bool:
        """Whether nothing was received that was not answered."""
        return not self._in_head

    @property
    def is_paused(self) -> bool:
        """Whether reading is paused."""
        return self.flow.read_paused

    @property
    def unsent(self) -> int:
        """Bytes that the kernel has not taken."""
        return self.transport.get_write_buffer_size()

    def _head_too_large(self) -> Problem:
        limits = self.open.limits
        DROPPED.labels("head").inc()
        if len(self.url) > limits.target_bytes:
            return Problem(414, "target-too-long", f"the target of a request has at most {limits.target_bytes} bytes")
        return Problem(
            431, "head-too-large", f"the head of a request has at most {limits.head_bytes} bytes and {limits.head_fields} fields"
        )  # fmt: skip

    def _stop(self, problem: Problem) -> Problem:
        self._parse_problem = problem
        return problem


def _size_of(url: bytes, headers: Iterable[tuple[bytes, bytes]]) -> int:
    """About how many bytes a head had: each field has a colon, a space and an end of line."""
    return len(url) + sum([len(name) + len(value) + 4 for name, value in headers])


def protocol_for(
    open_connections: OpenConnections, base: type[LimitedProtocol] = LimitedProtocol
) -> type[LimitedProtocol]:
    """The protocol of one port."""
    return type(base.__name__, (base,), {"open": open_connections})
