"""Servers that lie to whoever asks them, without end: feeds, hubs, pictures, endpoints of subscribers are asked by one client."""

import asyncio
import itertools
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from shared.http.client.errors import RequestFailed, RequestRefused
from shared.http.client.guarded import MOST_ADDRESSES, NAMES_AT_ONCE, ClientLimits, GuardedClient, GuardedResolver

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
MOST_BYTES = 1_000_000
MOST_S = 0.4
STALL_S = 0.25
GROWTH_BYTES = 32 * 1024 * 1024


def without_end(first: bytes, again: bytes) -> Iterator[bytes]:
    """A beginning, and then the same for ever."""
    return itertools.chain([first], itertools.repeat(again))


def numbered(first: bytes, line: bytes, at_once: int) -> Iterator[bytes]:
    """A beginning, and then lines that each have a number of their own."""
    yield first
    for begin in itertools.count(step=at_once):
        yield b"".join(line % number for number in range(begin, begin + at_once))


LIES: dict[str, Iterable[bytes]] = {
    "headers without end": numbered(OK, b"X-%d: " + b"y" * 4000 + b"\r\n", 16),
    "small headers without end": numbered(OK, b"X-%d:\r\n", 1000),
    "a header without end": without_end(OK + b"X: ", b"y" * 65_536),
    "a reason without end": without_end(b"HTTP/1.1 200 ", b"y" * 65_536),
    "early hints without end": without_end(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 100),
    "continue without end": without_end(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "line ends without end": without_end(b"", b"\r\n" * 30_000),
    "a chunk's extension without end": without_end(CHUNKED + b"1;", b"e" * 65_536),
    "chunks of a byte with extensions": without_end(CHUNKED, b"1;a=b\r\nx\r\n" * 5_000),
    "a chunk size of many digits": [CHUNKED + b"f" * 60 + b"\r\nx\r\n"],
    "trailers without end": numbered(CHUNKED + b"1\r\nx\r\n0\r\n", b"T-%d: " + b"y" * 4000 + b"\r\n", 16),
    "a body without end": without_end(OK + b"\r\n", b"x" * 65_536),
    "a length of many digits": [OK + b"Content-Length: " + b"9" * 30 + b"\r\n\r\nx"],
    "a length below zero": [OK + b"Content-Length: -1\r\n\r\nx"],
    "two lengths": [OK + b"Content-Length: 1\r\nContent-Length: 9\r\n\r\nx"],
    "encodings on top of each other": [OK + b"Content-Encoding: " + b", ".join([b"gzip"] * 400) + b"\r\n\r\nx"],
    "a redirect to itself": [b"HTTP/1.1 302 F\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n"],
    "a redirect to a file": [b"HTTP/1.1 302 F\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n"],
    "a redirect to nowhere": [b"HTTP/1.1 302 F\r\nLocation: //[::\r\nContent-Length: 0\r\n\r\n"],
}  # fmt: skip


async def _stalls(into: list[float]) -> None:
    """The longest processor time of the loop's thread between two of its turns."""
    before = time.thread_time()
    while True:
        await asyncio.sleep(0.002)
        into[0] = max(into[0], (now := time.thread_time()) - before)
        before = now


def _peak_bytes() -> int:
    found = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(found.split()[1]) * 1024


@pytest.mark.parametrize("name", LIES)
async def test_a_server_that_lies_is_left_in_time(name: str) -> None:
    """Within the time that a request has, whatever comes; no loop stands still, and nothing is kept of what does not end."""

    async def lie(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            for piece in LIES[name]:
                writer.write(piece)
                await writer.drain()
                # It shares the loop whose stalls are measured, and must hold up nobody itself.
                await asyncio.sleep(0)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(lie, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    Path("/proc/self/clear_refs").write_text("5")
    before, longest = _peak_bytes(), [0.0]
    stalls = asyncio.create_task(_stalls(longest))
    async with GuardedClient(allow_private=True, limits=ClientLimits(total_s=MOST_S, redirects=3)) as client:
        with pytest.raises((RequestRefused, RequestFailed)):
            await client.request("GET", address, max_bytes=MOST_BYTES)
    stalls.cancel()
    server.close()
    assert longest[0] <= STALL_S
    assert _peak_bytes() - before < GROWTH_BYTES


async def test_headers_of_any_bytes_can_be_kept_and_sent_back() -> None:
    """A feed's validators are written down and sent with the next request: neither fails for a byte that is no text."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            OK
            + b'ETag: "\xff\xed\xa0\x80"\r\nRetry-After: \xff\r\nLink: <http://\xff/>; rel=hub\r\nContent-Length: 0\r\n\r\n'
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with GuardedClient(allow_private=True) as client:
        found = await client.request("GET", address, max_bytes=1000)
        kept = found.headers["etag"]
        assert kept.encode().decode() == kept
        assert (await client.request("GET", address, max_bytes=1000, headers={"If-None-Match": kept})).ok
    assert all(each.encode() for link in found.links for each in link.values())
    server.close()


async def test_name_servers_that_are_silent_hold_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of strangers are asked for in threads of their own: what else needs a thread has one, and other names are found."""
    silent, ask = threading.Event(), socket.getaddrinfo

    def answer(host: str, *arguments: int, **options: int) -> object:
        if host.endswith(".example"):
            silent.wait(20)
        return ask("127.0.0.1", *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    resolver = GuardedResolver(lambda _: None)
    waiting = [asyncio.create_task(resolver.resolve(f"{number}.example", 80)) for number in range(NAMES_AT_ONCE - 1)]
    try:
        async with asyncio.timeout(15):
            assert (await resolver.resolve("other.test", 80))[0]["host"] == "127.0.0.1"
            await asyncio.gather(*(asyncio.to_thread(int) for _ in range(50)))
            await asyncio.get_running_loop().getaddrinfo("127.0.0.1", 80)
        assert not any(each.done() for each in waiting)
    finally:
        silent.set()
        await asyncio.gather(*waiting)
        await resolver.close()


async def test_of_a_name_with_thousands_of_addresses_a_few_are_looked_at() -> None:
    """Neither the connections that are tried nor the reason that is kept grows with them."""

    async def resolve(_: str, __: int) -> list[str]:
        return [f"10.{number >> 8}.{number & 255}.1" for number in range(60_000)]

    assert len(await GuardedResolver(lambda _: None, resolve).resolve("many.example", 80)) == MOST_ADDRESSES
    async with GuardedClient(allow_private=False, resolve=resolve) as client:
        with pytest.raises(RequestRefused) as caught:
            await client.request("GET", "http://many.example/", max_bytes=1)
    assert len(str(caught.value)) < 100 * MOST_ADDRESSES
