"""Fetches a picture that a document names, within limits of size, time and memory."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from prometheus_client import Counter, Histogram
from yarl import URL

from enrich.media.errors import PictureRefused, PictureUnavailable
from shared.http.client.errors import RequestFailed, RequestRefused
from shared.http.client.guarded import ClientLimits, GuardedClient, Judge, Resolve, StreamedResponse
from shared.http.client.retry_after import retry_after_s

FETCHES = Counter("slugline_media_fetches", "Pictures asked for, by outcome", ["outcome"])
FETCH_SECONDS = Histogram(
    "slugline_media_fetch_seconds", "Time to fetch one picture", buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32)
)

TRANSIENT_STATUSES = (408, 425, 429)
"""And all of 5xx but 501 and 505."""
HEADERS = {
    "User-Agent": "Slugline/0.1 (news pictures)",
    "Accept": "image/avif,image/webp,image/jpeg,image/png,image/gif;q=0.9,*/*;q=0.1",
    "Accept-Encoding": "identity",
}


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """What one fetch may cost, and where it may go."""

    bytes: int = 32 * 1024 * 1024
    seconds: float = 30.0
    """For the whole of it, redirects and all."""
    connect_s: float = 10.0
    redirects: int = 5
    ports: tuple[int, ...] = (80, 443, 8080, 8443)
    allow_private: bool = False


@dataclass
class MemoryBudget:
    """Bytes that fetches may hold at once. Each reserves all it may need, so that no two wait for each other."""

    total: int
    _free: int = field(init=False)
    _changed: asyncio.Condition = field(init=False, default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        self._free = self.total

    @contextlib.asynccontextmanager
    async def reserve(self, size: int) -> AsyncIterator[None]:
        """Reserve `size` bytes while the block runs."""
        size = min(size, self.total)
        async with self._changed:
            await self._changed.wait_for(lambda: self._free >= size)
            self._free -= size
        try:
            yield
        finally:
            self._free += size
            async with self._changed:
                self._changed.notify_all()


class Fetcher:
    """Fetches pictures. Use as a context: its end closes its connections."""

    def __init__(
        self, limits: FetchLimits, *, budget: MemoryBudget | None = None, connections: int = 64,
        judge: Judge | None = None, resolve: Resolve | None = None,
    ) -> None:  # fmt: skip
        self._limits = limits
        self._budget = budget or MemoryBudget(8 * limits.bytes)
        self._client = GuardedClient(
            allow_private=limits.allow_private,
            limits=ClientLimits(
                total_s=limits.seconds, connect_s=limits.connect_s, redirects=limits.redirects, connections=connections
            ),
            headers=HEADERS,
            judge=judge,
            resolve=resolve,
        )

    async def __aenter__(self) -> "Fetcher":
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.__aexit__()

    @contextlib.asynccontextmanager
    async def fetched(self, url: str) -> AsyncIterator[bytes]:
        """The bytes behind a URL, held while the block runs. Raises PictureRefused or PictureUnavailable."""
        started = time.monotonic()
        async with contextlib.AsyncExitStack() as held:
            try:
                async with self._client.stream("GET", url, check=self._check_port) as response:
                    _check_status(response)
                    size = response.announced_bytes
                    if size is None or size <= self._limits.bytes:
                        await held.enter_async_context(
                            self._budget.reserve(self._limits.bytes if size is None else size)
                        )
                    data = await response.read(self._limits.bytes)
            except (PictureRefused, RequestRefused) as error:
                FETCHES.labels("refused").inc()
                raise PictureRefused(str(error)) from error
            except PictureUnavailable:
                FETCHES.labels("later").inc()
                raise
            except RequestFailed as error:
                FETCHES.labels("later").inc()
                raise PictureUnavailable(str(error)) from error
            FETCHES.labels("fetched").inc()
            FETCH_SECONDS.observe(time.monotonic() - started)
            yield data

    def _check_port(self, url: URL) -> None:
        if url.port not in self._limits.ports and not self._limits.allow_private:
            raise PictureRefused(f"port {url.port} is not permitted")


def _check_status(response: StreamedResponse) -> None:
    status = response.status
    if status == 200:
        return
    if status in TRANSIENT_STATUSES or (status >= 500 and status not in (501, 505)):
        raise PictureUnavailable(f"HTTP {status}", retry_after_s(response.headers))
    raise PictureRefused(f"HTTP {status}")
