"""Requests to endpoints, push services and our own ports: whatever goes wrong is part of the result."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Self

from shared.http.client.addresses import NO_ADDRESS, why_forbidden
from shared.http.client.errors import RequestFailed, RequestRefused
from shared.http.client.guarded import ClientLimits, GuardedClient
from shared.http.client.urls import parsed_url

MAX_ANSWER_BYTES = 16_384
MAX_URL_LENGTH = 2048


def check_url(url: str, *, allow_private: bool) -> str | None:
    """Why a URL cannot be called at all; None where only the address of its name is left to check."""
    if len(url) > MAX_URL_LENGTH or not url.isascii() or any(character <= " " for character in url):
        return f"a URL is at most {MAX_URL_LENGTH} ASCII characters without spaces"
    try:
        parsed = parsed_url(url)
    except RequestRefused as error:
        return str(error)
    if parsed.scheme != "https" and not allow_private:
        return "the scheme must be https"
    if "#" in url:
        return "a URL with a fragment is refused"
    why = why_forbidden(parsed.raw_host or "", allow_private=allow_private)
    return None if why in (None, NO_ADDRESS) else f"the address is not a public one: {why}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back of one request: a status, or an error and no status."""

    status: int | None
    error: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    duration_ms: int = 0

    @property
    def ok(self) -> bool:
        """Whether it was taken."""
        return self.status is not None and 200 <= self.status < 300


class Outbound:
    """A pool of connections; redirects are not followed, answers are read up to 16 KiB."""

    def __init__(self, *, allow_private: bool, timeout_s: float, user_agent: str = "Slugline/1") -> None:
        self._allow_private = allow_private
        self._client = GuardedClient(
            allow_private=allow_private,
            limits=ClientLimits(total_s=timeout_s, connect_s=min(timeout_s, 5.0)),
            # Bodies are searched for what they say, and are cut: they must not be compressed.
            headers={"User-Agent": user_agent, "Accept-Encoding": "identity"},
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.__aexit__()

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        most_bytes: int = MAX_ANSWER_BYTES,
    ) -> Answer:
        """One request; whatever goes wrong on the way is in the answer, whose body is cut after `most_bytes`."""
        started = time.perf_counter()

        def duration_ms() -> int:
            return round((time.perf_counter() - started) * 1000)

        if (why := check_url(url, allow_private=self._allow_private)) is not None:
            return Answer(None, why)
        try:
            async with self._client.stream(method, url, headers=headers, body=body) as response:
                content = await _cut(response.raw(), most_bytes)
                return Answer(response.status, "", response.headers, content, duration_ms())
        except (RequestRefused, RequestFailed) as error:
            return Answer(None, str(error), duration_ms=duration_ms())

    async def stream(
        self, url: str, *, for_s: float, most_bytes: int, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """What an endless answer gives within `for_s` seconds; OSError where it does not begin with success."""
        content = bytearray()
        try:
            async with asyncio.timeout(for_s), self._client.stream("GET", url, headers=headers) as response:
                if response.status != 200:
                    raise OSError(f"answered {response.status}")
                async for piece in response.raw():
                    content += piece
                    if len(content) >= most_bytes:
                        break
        except TimeoutError:
            return bytes(content)
        except (RequestRefused, RequestFailed) as error:
            raise OSError(str(error)) from error
        return bytes(content)


async def _cut(pieces: AsyncIterator[bytes], most_bytes: int) -> bytes:
    """The beginning of a body. What is longer is left; its connection is then closed, not reused."""
    content = bytearray()
    async for piece in pieces:
        content += piece
        if len(content) >= most_bytes:
            break
    return bytes(content[:most_bytes])
