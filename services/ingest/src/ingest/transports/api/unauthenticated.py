"""Reads bodies whose sender is not known yet, since a signature can be verified only over the whole body.

Nobody waits for a place, so that a slow sender keeps nobody else waiting. What is bounded is the memory of all such bodies
together, and their time: a body that arrives too slowly is given up, and where memory runs short the largest body of the
address that holds the most is.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request
from starlette.types import Message

from ingest.transports.api.body import read_raw
from shared.http.problem import Problem

MAX_HELD_BYTES = 67_108_864
GRACE_S = 2.0
MIN_BYTES_PER_S = 16_384
"""What must have arrived for each second after the grace; a line of 128 kbit/s."""


class _IncomingBody:
    """One body that is arriving."""

    __slots__ = ("address", "evicted", "held", "started", "timeout")

    def __init__(self, address: str, timeout: asyncio.Timeout) -> None:
        self.address = address
        self.started = asyncio.get_running_loop().time()
        self.timeout = timeout
        self.held = 0
        self.evicted = False


class UnauthenticatedBodies:
    """All bodies that are being read before their sender is known."""

    def __init__(self, *, max_held_bytes: int = MAX_HELD_BYTES, grace_s: float = GRACE_S) -> None:
        self._max_held_bytes = max_held_bytes
        self._grace_s = grace_s
        self._incoming: set[_IncomingBody] = set()
        self.held = 0
        """Bytes that have arrived of all of them."""

    @asynccontextmanager
    async def body(self, request: Request, limit: int, timeout_s: float) -> AsyncIterator[bytes]:
        """The bytes of a body as they were sent; they count as unauthenticated for as long as the block runs.

        Raises a `Problem`: 408 where it arrives too slowly, 413 where it is larger than `limit`, 503 where memory runs short.
        """
        address = request.client.host if request.client is not None else ""
        timeout = asyncio.timeout(self._grace_s)
        incoming: _IncomingBody | None = None
        try:
            try:
                async with timeout:
                    incoming = _IncomingBody(address, timeout)
                    self._incoming.add(incoming)
                    raw = await read_raw(self._counted(request, incoming, limit), limit, timeout_s)
            except TimeoutError as error:
                raise self._problem(incoming) from error
            self._incoming.discard(incoming)
            if incoming.evicted:
                raise self._problem(incoming)
            yield raw
        finally:
            if incoming is not None:
                self._incoming.discard(incoming)
                self.held -= incoming.held

    def _counted(self, request: Request, incoming: _IncomingBody, limit: int) -> Request:
        """The same request, whose body is counted as it arrives."""

        async def receive() -> Message:
            message = await request.receive()
            self._count(incoming, len(message.get("body", b"")), max(self._max_held_bytes, limit))
            return message

        return Request(request.scope, receive)

    def _count(self, incoming: _IncomingBody, size: int, max_held_bytes: int) -> None:
        if incoming.timeout.expired() or incoming.evicted:
            return
        incoming.held += size
        self.held += size
        incoming.timeout.reschedule(incoming.started + self._grace_s + incoming.held / MIN_BYTES_PER_S)
        while self.held > max_held_bytes and self._incoming:
            self._evict()

    def _evict(self) -> None:
        by_address: Counter[str] = Counter()
        for each in self._incoming:
            by_address[each.address] += each.held
        [(address, _)] = by_address.most_common(1)
        largest = max((each for each in self._incoming if each.address == address), key=lambda each: each.held)
        largest.evicted = True
        self._incoming.discard(largest)
        self.held -= largest.held
        largest.held = 0
        if not largest.timeout.expired():
            largest.timeout.reschedule(asyncio.get_running_loop().time())

    def _problem(self, incoming: _IncomingBody | None) -> Problem:
        headers = {"Connection": "close"}
        if incoming is not None and incoming.evicted:
            return Problem(
                503, "no-room", "too much is coming from senders that are not known yet; send it again",
                headers={**headers, "Retry-After": "2"}, field="",
            )  # fmt: skip
        return Problem(
            408, "too-slow", f"after {self._grace_s:g} s less than {MIN_BYTES_PER_S} bytes a second have come",
            headers=headers, field="",
        )  # fmt: skip
