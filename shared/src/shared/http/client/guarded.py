"""Requests to addresses that others gave us: feeds, hubs, pictures, endpoints of subscribers.

Every address is judged after it was resolved, at the moment of connecting, on every hop: a name may resolve to a private
address, or to another one the second time, and `2130706433`, `0177.0.0.1` and `64:ff9b::7f00:1` all mean 127.0.0.1.

The client is aiohttp, whose `resolver` and `socket_factory` are documented places for this. A request costs 0.16 ms of
processor time, and 0.25 ms with 200 under way; httpx takes 1.4 and 5 ms (November 2026, two cores, no TLS), which alerts
to many readers would wait for.
"""

import asyncio
import contextlib
import io
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Self
from urllib.parse import urlencode, urljoin

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from multidict import CIMultiDict
from yarl import URL

from shared.http.client.addresses import why_forbidden
from shared.http.client.content_encoding import inflated
from shared.http.client.errors import RequestFailed, RequestRefused
from shared.http.client.urls import parsed_url

REDIRECTS = (301, 302, 303, 307, 308)
FORM_BYTES = 65_536
CHUNK_BYTES = 64 * 1024
DNS_CACHE_S = 30
KEEP_ALIVE_S = 30
NAMES_AT_ONCE = 32
MOST_ADDRESSES = 16
"""Of one name: it may have thousands, each of which would be judged, told of and tried."""
_SENT_ANYWHERE = frozenset(
    ["accept", "accept-encoding", "accept-language", "if-modified-since", "if-none-match", "user-agent"]
)
"""Headers that go along when a redirect leads to another origin: no credentials and nothing else."""

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host and port, best first. Raises OSError where the name is not known."""

Judge = Callable[[str], str | None]
"""Why an address must not be connected to; None where it may."""


class ForbiddenAddress(OSError):
    """The host has no address that may be connected to."""


class SystemResolve:
    """What the system makes of a host: names, and every notation of an address that it knows.

    In threads of its own: a name server of a stranger may be silent for as long as it likes, and the loop's threads, which
    are a handful, decompress and find our own servers meanwhile.
    """

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """The addresses, in the system's order."""
        self._threads = self._threads or ThreadPoolExecutor(NAMES_AT_ONCE, "names")
        asked = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, asked)
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    def close(self) -> None:
        """Ask no more; nobody waits for who is silent."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None


class GuardedResolver(AbstractResolver):
    """Resolves names to those of their addresses that may be connected to."""

    def __init__(self, judge: Judge, resolve: Resolve | None = None) -> None:
        self._judge = judge
        self._system = SystemResolve()
        self._resolve = resolve or self._system

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 -- both families are asked for
    ) -> list[ResolveResult]:
        """The permitted addresses; ForbiddenAddress where there is none."""
        try:
            addresses = (await self._resolve(host, port))[:MOST_ADDRESSES]
        except UnicodeError as error:
            raise OSError(str(error)) from error
        forbidden = {address: self._judge(address) for address in addresses}
        permitted = [address for address, why in forbidden.items() if why is None]
        if not permitted:
            shown = ", ".join(f"{address} ({why})" for address, why in forbidden.items()) or "nothing"
            raise ForbiddenAddress(f"forbidden address: {host} is {shown}")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in permitted
        ]

    async def close(self) -> None:
        """End the threads that ask."""
        self._system.close()


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """What one request may cost."""

    total_s: float = 30.0
    """Redirects and body included."""
    connect_s: float = 5.0
    read_s: float | None = None
    """Between two pieces of a response."""
    redirects: int = 0
    """GET and HEAD only."""
    connections: int = 0
    """At once; 0 is no limit."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response with its body, decompressed."""

    url: str
    """Where it came from, after redirects."""
    status: int
    headers: Mapping[str, str]
    """Names in any case."""
    links: tuple[Mapping[str, str], ...]
    """The `Link` headers, each with `url` and `rel`."""
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the request succeeded."""
        return 200 <= self.status < 300


class StreamedResponse:
    """A response whose body is still to be read."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.url = str(response.url)
        self.status = response.status
        self.headers = _as_text(response.headers)

    @property
    def encoding(self) -> str:
        """The content encoding; empty where there is none."""
        encoding = self.headers.get("Content-Encoding", "").strip().lower()
        return "" if encoding == "identity" else encoding

    @property
    def announced_bytes(self) -> int | None:
        """How long the body is once decompressed, where that is known before it is read."""
        length = self.headers.get("Content-Length", "")
        return int(length) if not self.encoding and length.isdecimal() and len(length) < 16 else None

    @property
    def links(self) -> tuple[Mapping[str, str], ...]:
        """The `Link` headers, each with `url` and `rel`; none where they cannot be read."""
        try:
            return tuple({name: str(value) for name, value in link.items()} for link in self._response.links.values())
        except ValueError:
            return ()

    async def raw(self) -> AsyncIterator[bytes]:
        """The body as it was sent, piece by piece. Raises RequestFailed."""
        with _errors_of_the_client(self._response.url):
            async for piece in self._response.content.iter_chunked(CHUNK_BYTES):
                yield piece

    async def read(self, max_bytes: int) -> bytes:
        """The body, decompressed. Raises RequestRefused for one that is larger, or encoded as was not asked for."""
        if (self.announced_bytes or 0) > max_bytes:
            raise RequestRefused(_too_large(max_bytes))
        if self.encoding not in ("", "gzip", "x-gzip", "deflate"):
            raise RequestRefused(f"content encoding {self.encoding[:40]!r} was not asked for")
        # Joining parts would hold a body twice for a moment; what a BytesIO holds becomes its value without a copy.
        body = io.BytesIO()
        async for part in inflated(self.raw(), max_bytes) if self.encoding else self.raw():
            if body.tell() + len(part) > max_bytes:
                raise RequestRefused(_too_large(max_bytes))
            body.write(part)
        return body.getvalue()


class GuardedClient:
    """Requests within limits, to permitted addresses only. Use as a context: its end closes its connections.

    It keeps no cookies, uses no proxy of the environment, and decompresses nothing by itself. `allow_private` permits
    loopback and private addresses. `judge` and `resolve` are for tests.
    """

    def __init__(
        self,
        *,
        allow_private: bool,
        limits: ClientLimits | None = None,
        headers: Mapping[str, str] | None = None,
        judge: Judge | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        self.limits = limits or ClientLimits()
        self._headers = dict(headers or {})
        self._judge = judge or (lambda address: why_forbidden(address, allow_private=allow_private))
        self._resolver = GuardedResolver(self._judge, resolve)
        self._opened: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Nothing is connected before it is needed."""
        connector = aiohttp.TCPConnector(
            limit=self.limits.connections,
            ttl_dns_cache=DNS_CACHE_S,
            keepalive_timeout=KEEP_ALIVE_S,
            resolver=self._resolver,
            socket_factory=self._socket,
            ssl=ssl.create_default_context(),
        )
        self._opened = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None, connect=self.limits.connect_s, sock_read=self.limits.read_s),
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close what is open."""
        if self._opened is not None:
            await self._opened.close()
            await self._resolver.close()

    def _socket(self, address: aiohttp.AddrInfoType) -> socket.socket:
        """A socket for an address. A URL with an address instead of a name does not meet the resolver, but this."""
        family, kind, protocol, _, place = address
        if (why := self._judge(str(place[0]))) is not None:
            raise ForbiddenAddress(f"forbidden address: {place[0]} ({why})")
        made = socket.socket(family=family, type=kind, proto=protocol)
        made.setblocking(False)
        return made

    async def request(
        self,
        method: str,
        url: str,
        *,
        max_bytes: int,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> HttpResponse:
        """The response with its body. Raises RequestRefused or RequestFailed."""
        async with self.stream(method, url, headers=headers, body=body) as response:
            content = await response.read(max_bytes)
            return HttpResponse(response.url, response.status, response.headers, response.links, content)

    async def post_form(self, url: str, form: Mapping[str, str]) -> HttpResponse:
        """The response to a form."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self.request("POST", url, headers=headers, body=urlencode(form).encode(), max_bytes=FORM_BYTES)

    @contextlib.asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        check: Callable[[URL], object] = lambda _: None,
    ) -> AsyncIterator[StreamedResponse]:
        """A response whose body is read in the block, which counts to the total time. Raises RequestRefused or RequestFailed.

        `check` sees the URL of each hop, and may raise.
        """
        assert self._opened is not None, "used outside of its context"  # noqa: S101
        sent = dict(headers or {})
        target = parsed_url(url)
        redirects = self.limits.redirects if method in ("GET", "HEAD") else 0
        with _total_time(self.limits.total_s) as timeout:
            async with timeout:
                for hop in range(redirects + 1):
                    check(target)
                    if self._opened.closed:
                        # The process ends; a bug, as aiohttp tells it, would be taken for one of the message's.
                        raise RequestFailed("the client is closed")
                    with _errors_of_the_client(target):
                        response = await self._opened.request(
                            method, target, headers=sent, data=body, allow_redirects=False
                        )
                    async with response:
                        location = response.headers.get("Location") if response.status in REDIRECTS else None
                        if location is None or not redirects:
                            yield StreamedResponse(response)
                            return
                    if hop == redirects:
                        break
                    onward = _redirected(target, location)
                    if onward.origin() != target.origin():
                        sent = {name: value for name, value in sent.items() if name.lower() in _SENT_ANYWHERE}
                    target = onward
        raise RequestRefused(f"more than {redirects} redirects")


def _as_text(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Headers whose bytes that are no UTF-8 are question marks: nothing else could be kept, or sent back."""
    if all(value.isascii() for value in headers.values()):
        return headers
    return CIMultiDict((name, value.encode("utf-8", "replace").decode()) for name, value in headers.items())


def _redirected(target: URL, location: str) -> URL:
    try:
        return parsed_url(urljoin(str(target), location))
    except (RequestRefused, ValueError) as error:
        raise RequestRefused(f"redirect to {location[:200]!r}: {error}") from error


@contextlib.contextmanager
def _total_time(total_s: float) -> Iterator[asyncio.Timeout]:
    timeout = asyncio.timeout(total_s)
    try:
        yield timeout
    except TimeoutError as error:
        if timeout.expired():
            raise RequestFailed(f"no response within {total_s:g} s") from error
        raise


@contextlib.contextmanager
def _errors_of_the_client(url: URL) -> Iterator[None]:
    """Tell what repeating cannot change from what it can."""
    try:
        yield
    except aiohttp.InvalidURL as error:
        raise RequestRefused(f"not a URL: {error}") from error
    except aiohttp.ClientConnectorDNSError as error:
        if isinstance(error.os_error, ForbiddenAddress):
            raise RequestRefused(str(error.os_error)) from error
        raise RequestFailed(f"the name {url.host} is not resolved: {error.os_error}"[:300]) from error
    except aiohttp.ClientConnectorError as error:
        if isinstance(error.os_error, ForbiddenAddress):
            raise RequestRefused(str(error.os_error)) from error
        raise RequestFailed(f"{type(error).__name__}: {error}"[:300]) from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise RequestFailed(f"{type(error).__name__}: {error}"[:300]) from error


def _too_large(max_bytes: int) -> str:
    return f"too large: the response has more than {max_bytes:,} bytes"
