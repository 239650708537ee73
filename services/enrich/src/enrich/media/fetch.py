"""Fetches a picture that a stranger's document names: over http(s), from checked addresses, within limits.

The address is checked where the connection is made, and the connection is made to that very address: a name that
answers differently a moment later, a redirect, or a host in an odd notation reaches nothing that is forbidden.
"""

import asyncio
import contextlib
import email.utils
import http.cookiejar
import socket
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

import httpcore
import httpx
from prometheus_client import Counter, Histogram

from enrich.media.refusals import Later, Refused
from shared.http.addresses import why_forbidden

FETCHES = Counter("slugline_media_fetches", "Pictures asked for, by outcome", ["outcome"])
FETCH_SECONDS = Histogram(
    "slugline_media_fetch_seconds", "Time to fetch one picture", buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32)
)

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host, best first. Raises OSError where the name is not known."""

TRANSIENT_STATUSES = (408, 425, 429)
"""And all of 5xx but 501 and 505."""
MOST_URL = 4096
MOST_DECODED_AT_ONCE = 256 * 1024


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
class Budget:
    """Bytes that may be held at once, shared by all fetches. A place is taken whole, so that no two wait for each other."""

    total: int
    _free: int = field(init=False)
    _changed: asyncio.Condition = field(init=False, default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        self._free = self.total

    @contextlib.asynccontextmanager
    async def place(self, size: int) -> AsyncIterator[None]:
        """Hold `size` bytes while the block runs."""
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


async def system_resolver(host: str, port: int) -> Sequence[str]:
    """What the system makes of a host: names, and every notation of an address that it knows."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to addresses that it has resolved and checked itself. TLS and the Host header keep the name."""

    def __init__(
        self,
        *,
        resolver: Resolver = system_resolver,
        allow_private: bool = False,
        connect: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._resolver = resolver
        self._allow_private = allow_private
        self._connect = connect or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first permitted address of the host that answers."""
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._resolver(host, port)
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"the name {host} is not resolved in time") from None
        except OSError as error:
            raise httpcore.ConnectError(f"the name {host} is not resolved: {error}") from None
        forbidden = {each: why_forbidden(each, allow_private=self._allow_private) for each in addresses}
        permitted = [each for each in addresses if forbidden[each] is None]
        if not permitted:
            shown = ", ".join(f"{each} ({reason})" for each, reason in forbidden.items()) or "nothing"
            raise Refused(f"forbidden address: {host} is {shown}")
        failure: Exception | None = None
        for address in permitted[:4]:
            try:
                return await self._connect.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        assert failure is not None  # noqa: S101 -- there is at least one address
        raise failure

    async def sleep(self, seconds: float) -> None:
        """What the pool asks for between attempts."""
        await asyncio.sleep(seconds)


class CheckedTransport(httpx.AsyncHTTPTransport):
    """httpx's transport over a pool of connections that `CheckedBackend` makes; no proxy, whatever the environment says."""

    def __init__(self, backend: CheckedBackend, *, connections: int) -> None:
        super().__init__(trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=True),
            max_connections=connections,
            max_keepalive_connections=connections // 2,
            keepalive_expiry=15.0,
            http1=True,
            http2=False,
            network_backend=backend,
        )


class Fetcher:
    """Fetches pictures. Use as a context: its end closes its connections."""

    def __init__(
        self, limits: FetchLimits, *, budget: Budget | None = None, backend: CheckedBackend | None = None,
        connections: int = 64,
    ) -> None:  # fmt: skip
        self._limits = limits
        self._budget = budget or Budget(8 * limits.bytes)
        checked = backend or CheckedBackend(allow_private=limits.allow_private)
        self._client = httpx.AsyncClient(
            transport=CheckedTransport(checked, connections=connections),
            timeout=httpx.Timeout(limits.seconds, connect=limits.connect_s),
            follow_redirects=False,
            trust_env=False,
            headers={
                "User-Agent": "Slugline/0.1 (news pictures)",
                "Accept": "image/avif,image/webp,image/jpeg,image/png,image/gif;q=0.9,*/*;q=0.1",
                "Accept-Encoding": "identity",
            },
        )
        # A picture needs no cookie, and one host's must not be kept for the next picture.
        self._client.cookies.jar.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))

    async def __aenter__(self) -> "Fetcher":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    @contextlib.asynccontextmanager
    async def fetched(self, url: str) -> AsyncIterator[bytes]:
        """The bytes behind a URL, held while the block runs. Raises Refused for good, Later for the moment."""
        started = time.monotonic()
        async with contextlib.AsyncExitStack() as held:
            try:
                async with asyncio.timeout(self._limits.seconds):
                    data = await self._follow(url, held)
            except TimeoutError:
                FETCHES.labels("later").inc()
                raise Later(f"not fetched within {self._limits.seconds:g} s") from None
            except Refused:
                FETCHES.labels("refused").inc()
                raise
            except Later:
                FETCHES.labels("later").inc()
                raise
            except httpx.InvalidURL as error:
                FETCHES.labels("refused").inc()
                raise Refused(f"not a URL: {error}") from None
            except httpx.HTTPError as error:
                FETCHES.labels("later").inc()
                raise Later(f"{type(error).__name__}: {error}"[:300]) from None
            FETCHES.labels("fetched").inc()
            FETCH_SECONDS.observe(time.monotonic() - started)
            yield data

    async def _follow(self, url: str, held: contextlib.AsyncExitStack) -> bytes:
        target = checked_url(url, self._limits)
        for _ in range(self._limits.redirects + 1):
            async with self._client.stream("GET", target) as response:
                if response.status_code in (301, 302, 303, 307, 308) and "location" in response.headers:
                    try:
                        onward = target.join(response.headers["location"])
                    except (httpx.InvalidURL, ValueError) as error:
                        raise Refused(f"redirected to what is not a URL: {error}") from None
                    target = checked_url(str(onward), self._limits)
                    continue
                _judge_status(response)
                return await self._body(response, held)
        raise Refused(f"more than {self._limits.redirects} redirects")

    async def _body(self, response: httpx.Response, held: contextlib.AsyncExitStack) -> bytes:
        most = self._limits.bytes
        told = response.headers.get("content-length", "")
        size = int(told) if told.isdecimal() and len(told) < 16 else None
        if size is not None and size > most:
            raise Refused(f"too large: {size:,} bytes, the limit is {most:,}")
        encoding = response.headers.get("content-encoding", "").strip().lower()
        if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise Refused(f"content encoding {encoding[:40]!r} was not asked for")
        plain = encoding in ("", "identity")
        await held.enter_async_context(self._budget.place(size if plain and size is not None else most))
        parts: list[bytes] = []
        received = 0
        chunks = response.aiter_raw(64 * 1024)
        async for part in chunks if plain else _inflated(chunks, most):
            received += len(part)
            if received > most:
                raise Refused(f"too large: more than {most:,} bytes")
            parts.append(part)
        return b"".join(parts)


def checked_url(url: str, limits: FetchLimits) -> httpx.URL:
    """The URL, parsed, when its scheme, host and port are permitted. The address is checked when it is connected to."""
    if len(url) > MOST_URL:
        raise Refused("not a URL: too long")
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise Refused(f"not a URL: {error}") from None
    if parsed.scheme not in ("http", "https"):
        raise Refused(f"scheme {parsed.scheme[:20]!r} is not http or https")
    if not parsed.host:
        raise Refused("the URL has no host")
    if parsed.userinfo:
        raise Refused("the URL carries a user or a password")
    port = parsed.port or (443 if parsed.scheme == "https" else 80)
    if not 0 < port < 65536:
        raise Refused(f"not a URL: port {port}")
    if port not in limits.ports and not limits.allow_private:
        raise Refused(f"port {port} is not permitted")
    return parsed.copy_with(fragment=None)


def _judge_status(response: httpx.Response) -> None:
    status = response.status_code
    if status == 200:
        return
    if status in TRANSIENT_STATUSES or (status >= 500 and status not in (501, 505)):
        raise Later(f"HTTP {status}", retry_after_s(response.headers.get("retry-after", "")))
    raise Refused(f"HTTP {status}")


def retry_after_s(value: str, now: float | None = None) -> float | None:
    """Seconds of a Retry-After header, as a number or a date (RFC 9110, 10.2.3); None where it says nothing usable."""
    value = value.strip()
    if value.isdecimal() and len(value) < 10:
        return float(value)
    try:
        moment = email.utils.parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, moment - (time.time() if now is None else now))


async def _inflated(chunks: AsyncIterator[bytes], most: int) -> AsyncIterator[bytes]:
    """gzip or deflate, a bounded piece at a time: a bomb is met at the limit and not after it.

    What comes in is counted too, since a header or empty blocks without end give nothing out; what stands behind the end
    is not read.
    """
    inflater = zlib.decompressobj(wbits=47)
    taken = out = 0
    async for chunk in chunks:
        taken += len(chunk)
        if taken > most:
            raise Refused(f"too large: more than {most:,} bytes as they were sent")
        rest = chunk
        while rest and out <= most:
            try:
                part = inflater.decompress(rest, MOST_DECODED_AT_ONCE)
            except zlib.error as error:
                raise Refused(f"its content encoding is damaged: {error}") from None
            out += len(part)
            yield part
            if inflater.eof:
                return
            rest = inflater.unconsumed_tail
    if not inflater.eof:
        raise Later("the content encoding ends before its time")
