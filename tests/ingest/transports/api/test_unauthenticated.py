"""Signed pushes while others, who sign nothing, send slowly or much."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from ingest.sources import signing, store
from ingest.transports.api.unauthenticated import MIN_BYTES_PER_S, UnauthenticatedBodies
from local.child import free_port
from shared.http.problem import Problem
from shared.http.server.server import http_server
from shared.settings import Connections
from support.ingest_api import started
from support.signed_push import BODY, MASTER, signed
from support.waiting import eventually


@dataclass
class Stranger:
    """A connection that claims to be signed, and sends its body a byte at a time."""

    port: int
    address: str
    answer: bytes = b""

    async def send(self) -> None:
        """Until the server has had enough."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(self.address, 0))
        headers = signed(b"x", b"guessed", time.time()) | {"Host": "ingest", "Content-Length": "1000000"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"POST /v1/wire/north HTTP/1.1\r\n{lines}\r\n".encode())
        answering = asyncio.create_task(reader.read(65_536))
        try:
            while not answering.done():
                writer.write(b"x")
                await asyncio.wait({answering}, timeout=0.2)
            self.answer = answering.result()
        finally:
            answering.cancel()
            writer.close()


@pytest.mark.integration
@pytest.mark.parametrize(("count", "addresses"), [(16, 1), (100, 1), (200, 100)])
async def test_slow_strangers_keep_no_signed_push_waiting(newsroom: Connections, count: int, addresses: int) -> None:
    """However many send slowly, from one address or from many, a sender's signed push is taken at once; they are given up."""
    async with started(newsroom, ingest_signing_secret=MASTER) as wire, AsyncExitStack() as stack:
        await store.next_signing_generation(wire.pool, "north", rotate=False)
        await wire.registry.load(wire.pool)
        secret = signing.derive_secret(MASTER, "north", 1)
        port = free_port()
        await stack.enter_async_context(http_server(wire.app, "127.0.0.1", port))
        strangers = [Stranger(port, f"127.0.1.{number % addresses + 1}") for number in range(count)]
        sending = [asyncio.create_task(each.send()) for each in strangers]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            for number in range(5):
                body = BODY.replace(b"r1", f"r{number}".encode())
                headers = signed(body, secret, time.time()) | {"Content-Type": "application/rss+xml"}
                answer = await client.post("/v1/wire/north", content=body, headers=headers)
                assert answer.status_code == 202
            assert not any(each.done() for each in sending), "they were waited for"
        await asyncio.wait_for(asyncio.gather(*sending), 20)
        assert {each.answer.split(b" ", 2)[1] for each in strangers} == {b"408"}


@pytest.mark.integration
async def test_what_no_body_could_make_good_is_refused_before_it_comes(newsroom: Connections) -> None:
    """An unknown source, one without a secret, an old time and no signature are told so while the body is still to come."""
    async with started(newsroom, ingest_signing_secret=MASTER) as wire:
        await store.next_signing_generation(wire.pool, "north", rotate=False)
        await wire.registry.load(wire.pool)

        async def endless() -> AsyncIterator[bytes]:
            raise AssertionError("the body was read")
            yield b""

        now = time.time()
        good = signed(b"", signing.derive_secret(MASTER, "north", 1), now)
        for source, headers in (
            ("nobody", good),
            ("south", good),
            ("north", signed(b"", b"key", now - 400)),
            ("north", good | {"webhook-signature": "v1,short"}),
        ):
            answer = await wire.client.post(f"/v1/wire/{source}", content=endless(), headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "bad-signature")
            assert answer.headers["connection"] == "close"


class Body:
    """A body that comes as the test wants it to."""

    def __init__(self, address: str) -> None:
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue()
        self.request = Request({"type": "http", "headers": [], "client": (address, 1)}, self._receive)

    async def _receive(self) -> Any:
        piece = await self._pieces.get()
        return {"type": "http.request", "body": piece, "more_body": bool(piece)}

    def come(self, size: int) -> None:
        """So many bytes more; none is the end."""
        self._pieces.put_nowait(b"x" * size)


async def read(bodies: UnauthenticatedBodies, body: Body) -> int | str:
    """The size of a body, or why it is not read."""
    try:
        async with bodies.body(body.request, 1_000_000, 30) as raw:
            return len(raw)
    except Problem as problem:
        return problem.code


async def test_where_there_is_no_room_the_largest_of_the_greediest_goes() -> None:
    """Memory is bounded for all together; a small body of another address always has room, and what ends makes some."""
    bodies = UnauthenticatedBodies(max_held_bytes=1_000_000)
    greedy = [Body("10.0.0.1") for _ in range(3)]
    modest = Body("10.0.0.2")
    reading = [asyncio.create_task(read(bodies, each)) for each in (*greedy, modest)]
    modest.come(350_000)
    for size, each in zip((200_000, 300_000, 100_000), greedy, strict=True):
        each.come(size)
    small = Body("10.0.0.3")
    reading.append(asyncio.create_task(read(bodies, small)))
    await eventually(lambda: bodies.held == 950_000, what="not all has come")
    small.come(60_000)
    await eventually(reading[1].done, what="nothing was given up")
    assert reading[1].result() == "no-room"
    assert bodies.held == 710_000
    for each in (greedy[0], greedy[2], modest, small):
        each.come(0)
    assert await asyncio.gather(*reading) == [200_000, "no-room", 100_000, 350_000, 60_000]
    assert bodies.held == 0


async def test_a_body_that_comes_too_slowly_is_given_up_and_a_steady_one_is_not() -> None:
    """After the grace so many bytes a second must have come; one that keeps up may take longer than the grace."""
    bodies = UnauthenticatedBodies(grace_s=0.2)
    slow, steady = Body("10.0.0.1"), Body("10.0.0.1")
    reading = [asyncio.create_task(read(bodies, each)) for each in (slow, steady)]
    slow.come(10)
    steady.come(10 * MIN_BYTES_PER_S)
    assert await reading[0] == "too-slow"
    steady.come(0)
    assert await reading[1] == 10 * MIN_BYTES_PER_S
