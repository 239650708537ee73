"""Fetches what a source publishes. The address is judged once it is resolved, at the moment of connecting.

Judging the name in the URL is not enough: a name may resolve to a private address, or to another one the second time,
and `2130706433`, `0177.0.0.1` and `64:ff9b::7f00:1` are all ways to write 127.0.0.1.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx

from ingest.transports.api.body import inflate_in_background
from shared.http.addresses import why_forbidden
from shared.http.problem import Problem

MAX_REDIRECTS = 5
CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 15.0
TOTAL_TIMEOUT_S = 30.0
USER_AGENT = "Slugline/0.1 (+ingest)"


class Refused(Exception):
    """The fetch is not made, or its answer not taken: an address that is not public, a redirect to nowhere, too much."""


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Resolves, judges every address, and connects to the very address that was judged."""

    def __init__(self, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._connect = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first address that answers; refused where one of the addresses is not public."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} cannot be resolved: {error}") from error
        addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
        for address in addresses:
            if (why := why_forbidden(address, allow_private=self._allow_private)) is not None:
                raise Refused(f"{host} leads to {address}, which is not a public address: {why}")
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                return await self._connect.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        """Never."""
        raise Refused("no Unix sockets")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class _Transport(httpx.AsyncHTTPTransport):
    def __init__(self, allow_private: bool) -> None:
        super().__init__(trust_env=False)
        # httpx has no parameter for the network backend of its pool.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=50,
            max_keepalive_connections=20,
            keepalive_expiry=60,
            network_backend=GuardedBackend(allow_private),
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered, its body decompressed."""

    url: str
    """Where it came from, after redirects."""
    status: int
    headers: Mapping[str, str]
    links: tuple[Mapping[str, str], ...]
    """The `Link` headers, each with `url` and `rel`."""
    body: bytes


class Fetcher:
    """GET and POST with limits on size, time, redirects and addresses."""

    def __init__(self, *, allow_private: bool) -> None:
        self._client = httpx.AsyncClient(
            transport=_Transport(allow_private),
            timeout=httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate"},
            follow_redirects=False,
            trust_env=False,
        )

    async def __aenter__(self) -> "Fetcher":
        """Nothing is connected before it is needed."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close what is open."""
        await self._client.aclose()

    async def get(self, url: str, headers: Mapping[str, str], max_bytes: int) -> Answer:
        """The answer, redirects followed; raises `Refused`, `TimeoutError` or `httpx.HTTPError`."""
        async with asyncio.timeout(TOTAL_TIMEOUT_S):
            for _ in range(MAX_REDIRECTS + 1):
                async with self._stream("GET", url, headers=dict(headers)) as response:
                    if response.is_redirect and response.status_code != 304:
                        url = _target(url, response.headers.get("location", ""))
                        continue
                    return await _read(url, response, max_bytes)
        raise Refused(f"more than {MAX_REDIRECTS} redirects")

    async def post_form(self, url: str, form: Mapping[str, str]) -> Answer:
        """The answer to a form; a redirect is an answer like any other."""
        async with asyncio.timeout(TOTAL_TIMEOUT_S), self._stream("POST", url, data=dict(form)) as response:
            return await _read(url, response, 65_536)

    @contextlib.asynccontextmanager
    async def _stream(self, method: str, url: str, **options: Any) -> AsyncIterator[httpx.Response]:
        try:
            async with self._client.stream(method, url, **options) as response:
                yield response
        except httpx.InvalidURL as error:
            raise Refused(f"no URL: {error}") from error


def _target(url: str, location: str) -> str:
    try:
        target = httpx.URL(url).join(location)
    except (httpx.InvalidURL, ValueError) as error:
        raise Refused(f"redirect to no URL: {error}") from error
    if not location or target.scheme not in ("http", "https") or not target.host:
        raise Refused(f"redirect to {location[:200]!r}")
    return str(target)


async def _read(url: str, response: httpx.Response, max_bytes: int) -> Answer:
    pieces: list[bytes] = []
    size = 0
    async for piece in response.aiter_raw():
        size += len(piece)
        if size > max_bytes:
            raise Refused(f"the answer is larger than {max_bytes} bytes")
        pieces.append(piece)
    body = b"".join(pieces)
    encoding = response.headers.get("content-encoding", "identity").strip().lower() or "identity"
    if encoding != "identity" and body:
        if encoding not in ("gzip", "x-gzip", "deflate"):
            raise Refused(f"the answer is encoded as {encoding[:50]!r}, which was not asked for")
        try:
            body = await inflate_in_background(body, encoding, max_bytes)
        except Problem as problem:
            raise Refused(problem.detail) from problem
    links = tuple(
        {**link, "url": str(httpx.URL(url).join(link["url"]))} for link in _links(response) if link.get("url")
    )
    return Answer(url, response.status_code, dict(response.headers), links, body)


def _links(response: httpx.Response) -> list[dict[str, str]]:
    try:
        return [dict(link) for link in response.links.values() if link.get("url")]
    except ValueError:
        return []
