"""Bodies of senders of whom nothing is known yet: a signature can be checked only over the whole body.

Nobody waits for a place, so that whoever sends slowly keeps nobody waiting. What is bounded is memory, all bodies together,
and time: a body that comes too slowly is given up, and where there is no room the largest goes, of the address that has the most.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.requests import Request

from ingest.transports.api.body import read_raw
from shared.http.problem import Problem

ROOM_BYTES = 67_108_864
GRACE_S = 2.0
LEAST_BYTES_PER_S = 16_384
"""What must have come for each second after the grace; a line of 128 kbit/s."""


class _IncomingBody:
    """One body that is coming in."""

    __slots__ = ("address", "began", "evicted", "held", "limit")

    def __init__(self, address: str, limit: asyncio.Timeout) -> None:
        self.address = address
        self.began = asyncio.get_running_loop().time()
        self.limit = limit
        self.held = 0
        self.evicted = False


class UnauthenticatedBodies:
    """Reads bodies before it is known who sends them."""

    def __init__(self, *, room_bytes: int = ROOM_BYTES, grace_s: float = GRACE_S) -> None:
        self._room_bytes = room_bytes
        self._grace_s = grace_s
        self._readings: set[_IncomingBody] = set()
        self.held = 0
        """Bytes that have come of all of them."""

    @asynccontextmanager
    async def body(self, request: Request, limit: int, timeout_s: float) -> AsyncIterator[bytes]:
        """The bytes of a body as they come over the line; they count as a stranger's for as long as the block runs.

        Raises a `Problem`: 408 where it comes too slowly, 413 where it is larger than `limit`, 503 where there is no room.
        """
        address = request.client.host if request.client is not None else ""
        timeout = asyncio.timeout(self._grace_s)
        reading: _IncomingBody | None = None
        try:
            try:
                async with timeout:
                    reading = _IncomingBody(address, timeout)
                    self._readings.add(reading)
                    raw = await read_raw(self._counted(request, reading, limit), limit, timeout_s)
            except TimeoutError as error:
                raise self._why(reading) from error
            self._readings.discard(reading)
            if reading.evicted:
                raise self._why(reading)
            yield raw
        finally:
            if reading is not None:
                self._readings.discard(reading)
                self.held -= reading.held

    def _counted(self, request: Request, reading: _IncomingBody, limit: int) -> Request:
        """The same request, whose body is counted as it comes."""

        async def receive() -> Any:
            message = await request.receive()
            self._came(reading, len(message.get("body", b"")), max(self._room_bytes, limit))
            return message

        return Request(request.scope, receive)

    def _came(self, reading: _IncomingBody, size: int, room_bytes: int) -> None:
        if reading.limit.expired() or reading.evicted:
            return
        reading.held += size
        self.held += size
        reading.limit.reschedule(reading.began + self._grace_s + reading.held / LEAST_BYTES_PER_S)
        while self.held > room_bytes and self._readings:
            self._evict()

    def _evict(self) -> None:
        by_address: Counter[str] = Counter()
        for each in self._readings:
            by_address[each.address] += each.held
        [(address, _)] = by_address.most_common(1)
        largest = max((each for each in self._readings if each.address == address), key=lambda each: each.held)
        largest.evicted = True
        self._readings.discard(largest)
        self.held -= largest.held
        largest.held = 0
        if not largest.limit.expired():
            largest.limit.reschedule(asyncio.get_running_loop().time())

    def _why(self, reading: _IncomingBody | None) -> Problem:
        headers = {"Connection": "close"}
        if reading is not None and reading.evicted:
            return Problem(
                503, "no-room", "too much is coming from senders that are not known yet; send it again",
                headers={**headers, "Retry-After": "2"}, field="",
            )  # fmt: skip
        return Problem(
            408, "too-slow", f"after {self._grace_s:g} s less than {LEAST_BYTES_PER_S} bytes a second have come",
            headers=headers, field="",
        )  # fmt: skip
