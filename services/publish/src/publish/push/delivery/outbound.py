"""Requests to addresses that others gave us: checked where it counts, on the resolved address at connect time."""

import asyncio
import ipaddress
import socket
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from shared.http.addresses import why_forbidden

MAX_ANSWER_BYTES = 16_384
MAX_URL_LENGTH = 2048
_REFUSED: ContextVar[list[str]] = ContextVar("refused")
"""Addresses that a request was not let to: the connector drops what its socket factory raises."""


class Forbidden(OSError):
    """The address is not one that may be called."""


def check_url(url: str, *, allow_private: bool) -> str | None:
    """Why a URL cannot be called at all; None where only its address is left to check."""
    if len(url) > MAX_URL_LENGTH or not url.isascii() or any(character <= " " for character in url):
        return f"a URL is at most {MAX_URL_LENGTH} ASCII characters without spaces"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "this is no URL"
    host = parts.hostname or ""
    refusals = {
        "the scheme must be https": parts.scheme not in (("http", "https") if allow_private else ("https",)),
        "the URL names no host": not host or port == 0,
        "a URL with a user or a password is refused": parts.username is not None or parts.password is not None,
        "a URL with a fragment is refused": bool(parts.fragment),
        "the address is not a public one": _is_literal(host)
        and why_forbidden(host, allow_private=allow_private) is not None,
    }
    return next((why for why, refused in refusals.items() if refused), None)


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back of one request: a status, or an error and no status."""

    status: int | None
    error: str
    headers: Mapping[str, str]
    body: bytes
    duration_ms: int

    @property
    def ok(self) -> bool:
        """Whether it was taken."""
        return self.status is not None and 200 <= self.status < 300


class Outbound:
    """A pool of connections; redirects are not followed, answers are read up to 16 KiB."""

    def __init__(self, *, allow_private: bool, timeout_s: float, user_agent: str = "Slugline/1") -> None:
        self._allow_private = allow_private
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=min(timeout_s, 5.0))
        self._user_agent = user_agent
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Outbound":
        connector = aiohttp.TCPConnector(
            limit=0, ttl_dns_cache=30, keepalive_timeout=30, socket_factory=self._socket, enable_cleanup_closed=True
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=self._timeout,
            # Answers are searched for what they say, and a compressed one could be a bomb.
            headers={"User-Agent": self._user_agent, "Accept-Encoding": "identity"},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    def _socket(self, address: Any) -> socket.socket:
        family, kind, protocol, _, place = address
        if why_forbidden(str(place[0]), allow_private=self._allow_private) is not None:
            _REFUSED.get([]).append(str(place[0]))
            raise Forbidden(f"{place[0]} is not a public address")
        made = socket.socket(family=family, type=kind, proto=protocol)
        made.setblocking(False)
        return made

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
        assert self._session is not None  # noqa: S101
        started = time.perf_counter()

        def answer(status: int | None, error: str, received: Mapping[str, str], content: bytes) -> Answer:
            return Answer(status, error, received, content, round((time.perf_counter() - started) * 1000))

        if (why := check_url(url, allow_private=self._allow_private)) is not None:
            return answer(None, why, {}, b"")
        refused: list[str] = []
        _REFUSED.set(refused)
        try:
            async with self._session.request(
                method, url, headers=headers, data=body, allow_redirects=False
            ) as response:
                content = bytearray()
                # A body that is longer than what is of use is left; the connection is then closed, not reused.
                async for chunk in response.content.iter_chunked(65_536):
                    content += chunk
                    if len(content) >= most_bytes:
                        break
                return answer(response.status, "", response.headers, bytes(content[:most_bytes]))
        except TimeoutError:
            return answer(None, "no answer in time", {}, b"")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            why = f"{refused[0]} is not a public address" if refused else f"{type(error).__name__}: {error}"[:300]
            return answer(None, why, {}, b"")

    async def stream(self, url: str, *, for_s: float, most_bytes: int) -> bytes:
        """What an endless answer gives within `for_s` seconds; OSError where it does not begin with success."""
        assert self._session is not None  # noqa: S101
        content = bytearray()
        try:
            async with asyncio.timeout(for_s), self._session.get(url, allow_redirects=False) as response:
                if response.status != 200:
                    raise OSError(f"answered {response.status}")
                async for chunk in response.content.iter_any():
                    content += chunk
                    if len(content) >= most_bytes:
                        break
        except TimeoutError:
            return bytes(content)
        except aiohttp.ClientError as error:
            raise OSError(f"{type(error).__name__}: {error}") from error
        return bytes(content)


def retry_after_s(answer: Answer, *, most: float = 86_400.0) -> float | None:
    """The pause that `Retry-After` asks for, in seconds (RFC 9110, section 10.2.3); None where it asks for none."""
    value = answer.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), most)
    if value:
        try:
            return min(max(parsedate_to_datetime(value).timestamp() - time.time(), 0.0), most)
        except (ValueError, TypeError, OverflowError):
            return None
    return None
