"""The limits of an HTTP port, over real sockets."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from local.child import free_port
from shared.http.problem import PROBLEM_HANDLERS
from shared.http.proxies import TrustedProxies
from shared.http.query import check_query
from shared.http.routing import application
from shared.http.server.limits import ServerLimits
from shared.http.server.server import http_server
from shared.observability.health import Health, health_routes
from support.raw_http import Client, get
from support.waiting import eventually

BIG = b"x" * 4_000_000
BOUNDS = ServerLimits(
    head_bytes=4096, head_fields=20, target_bytes=1000, head_s=1.0, body_s=3.0, body_grace_s=1.0, body_bytes_per_s=1000,
    keep_alive_s=1, write_s=1.5, linger_s=0.6,
)  # fmt: skip

Serve = Callable[[ServerLimits], AbstractAsyncContextManager[int]]


@contextlib.asynccontextmanager
async def _serve(limits: ServerLimits) -> AsyncIterator[int]:
    async def echo(request: Request) -> Response:
        return Response(await request.body())

    async def fields(request: Request) -> Response:
        await request.body()
        return PlainTextResponse(",".join(request.headers.keys()))

    async def ignore(_: Request) -> Response:
        return PlainTextResponse("not read")

    async def big(request: Request) -> Response:
        return Response(BIG if "own" not in request.query_params else BIG + b"!")

    async def wait(_: Request) -> Response:
        await asyncio.sleep(2)
        return PlainTextResponse("waited")

    async def strict(request: Request) -> Response:
        check_query(request, ("a", "b"))
        return PlainTextResponse("fine")

    app = application(
        [
            Route("/", ignore, methods=["GET", "POST"]),
            Route("/echo", echo, methods=["POST"]),
            Route("/fields", fields, methods=["POST"]),
            Route("/big", big),
            Route("/wait", wait),
            Route("/strict", strict),
            Route("/thing/{name}", ignore),
            *health_routes(Health("test")),
        ],
        PROBLEM_HANDLERS,
    )
    port = free_port()
    async with http_server(app, "127.0.0.1", port, limits):
        yield port


@pytest.fixture
def serve() -> Serve:
    """A port with the limits that are given, while a block runs."""
    return _serve


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A port with small limits."""
    async with _serve(BOUNDS) as made:
        yield made


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (get("/", "X: " + "y" * 5000), 431, "head-too-large"),
        (get("/", *[f"X-{number}: y" for number in range(30)]), 431, "head-too-large"),
        (get("/", *["X: " + "y" * 300] * 15), 431, "head-too-large"),
        (get("/" + "a" * 1200), 414, "target-too-long"),
        (get("/?" + "a" * 4500), 414, "target-too-long"),
        (b"GET /" + b"a" * 4500, 414, "target-too-long"),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * 4500, 431, "head-too-large"),
        (b"GET / HTTP/1.1\r\n" + b"a:\r\n" * 5000, 431, "head-too-large"),
        (b"nonsense\r\n\r\n", 400, "bad-request"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "bad-request"),
        (b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "bad-request"),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad-request"),
    ],
)  # fmt: skip
async def test_a_head_past_a_bound_is_answered_and_ends(
    port: int, request_bytes: bytes, status: int, code: str
) -> None:
    """Whole or not, in one piece or in many: problem+json with the reason, and the connection ends."""
    for size in (len(request_bytes), 700):
        with Client(port) as client:
            with contextlib.suppress(OSError):
                for at in range(0, len(request_bytes), size):
                    await client.send(request_bytes[at : at + size])
            answer = await client.read()
        assert (answer.status, answer.problem["code"]) == (status, code)
        assert answer.fields["connection"] == "close"


async def test_heads_within_the_bounds_are_served(port: int) -> None:
    """Exactly as many fields as there may be, nearly as many bytes, and any number of requests on one connection."""
    full = get("/", *[f"X-{number}: {'y' * 180}" for number in range(19)])
    with Client(port) as client:
        for _ in range(5):
            await client.send(full)
            assert (await client.read(until=b"not read")).status == 200
    with Client(port) as client:
        await client.send(get("/") * 20)
        raw = b""
        while raw.count(b"not read") < 20:
            raw += (await client.read(until=b"not read")).raw
        assert raw.count(b"HTTP/1.1 200") == 20


async def test_large_bodies_are_no_heads(port: int) -> None:
    """A head and a body that come in one piece are told apart."""
    body = b"z" * 300_000
    with Client(port) as client:
        await client.send(
            b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(body), body)
        )
        assert (await client.read()).raw.endswith(body)


@pytest.mark.parametrize(
    ("first", "rest"),
    [
        (b"", b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 500),
        (b"", b"\r\n" * 500),
        (get(), b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 500),
        (get(), b"\r\n" * 500),
    ],
)
async def test_a_byte_does_not_renew_the_deadline_of_a_head(port: int, first: bytes, rest: bytes) -> None:
    """However it drips, the head is whole within its time, or the connection ends; on a kept connection too."""
    with Client(port) as client:
        if first:
            await client.send(first)
            await client.read(until=b"not read")
        assert await client.drip(rest, 0.1) < 3


async def test_a_late_head_is_told_so(port: int) -> None:
    """408, where anything of a request has come; a silent connection just ends."""
    with Client(port) as client:
        late = await client.ask(b"GET / HTTP/1.1\r\nHost: a\r\n", 5)
        assert (late.status, late.problem["code"]) == (408, "head-late")
    with Client(port) as client:
        assert (await client.read(8)).raw == b""
    with Client(port) as client:
        answer = await client.ask(get(), 4)
        assert answer.raw.count(b"HTTP/1.1") == 1


async def test_a_body_has_a_deadline_and_a_least_speed(port: int) -> None:
    """A body that drips is answered 408, whether its length is told or not; one that takes its time within limits is taken."""
    for framing in (b"Content-Length: 5000", b"Transfer-Encoding: chunked"):
        with Client(port) as client:
            slow = await client.ask(b"POST /echo HTTP/1.1\r\nHost: a\r\n%b\r\n\r\n" % framing, 5)
            assert (slow.status, slow.problem["code"]) == (408, "body-slow")
    with Client(port) as client:
        await client.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
        begun = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - begun < 8:
                await client.send(b"z" * 1000)
                await asyncio.sleep(0.1)
        assert time.monotonic() - begun < 6
        late = await client.read()
        assert (late.status, late.problem["code"]) == (408, "body-late")
    with Client(port) as client:
        await client.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4000\r\nConnection: close\r\n\r\n")
        for _ in range(4):
            await client.send(b"z" * 1000)
            await asyncio.sleep(0.2)
        assert (await client.read()).raw.endswith(b"z" * 4000)


async def test_the_rest_of_an_answered_request_is_not_swallowed_for_ever(port: int) -> None:
    """A body that nobody wants may end, if it is short; else the connection does."""
    with Client(port) as client:
        await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n")
        await client.read(until=b"not read")
        await client.send(b"z" * 5000 + get())
        assert (await client.read(until=b"not read")).status == 200
    with Client(port) as client:
        await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000000\r\n\r\n")
        await client.read(until=b"not read")
        assert await client.drip(b"z" * 500, 0.05) < 3
    with Client(port) as client:
        await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000000\r\n\r\n")
        await client.read(until=b"not read")
        with pytest.raises(ConnectionError):
            await client.send(b"z" * 20_000_000)


@pytest.mark.parametrize(
    "chunk",
    [b"1;" + b"e" * 20_000 + b"\r\nz\r\n", b"0\r\n" + b"T: " + b"t" * 20_000, b"0\r\n" + b"T: t\r\n" * 3000, b"1;a=" + b"b" * 5000],
)  # fmt: skip
async def test_chunk_extensions_and_trailers_have_a_bound(port: int, chunk: bytes) -> None:
    """What comes around a body may not be larger than a head; a problem says so, or the connection ends."""
    with Client(port) as client:
        await client.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(OSError):
            await client.send(chunk)
        answer = await client.read(2.5)
        assert (answer.status, answer.problem["code"]) == (400, "bad-chunks")


async def test_trailers_are_no_headers(port: int) -> None:
    """What comes after a body cannot add to what the application was told of its sender."""
    with Client(port) as client:
        await client.send(
            b"POST /fields HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            b"1\r\nz\r\n0\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n"
        )
        answer = await client.read()
        assert answer.status == 200
        assert b"forwarded" not in answer.raw


async def test_small_chunks_are_fine(port: int) -> None:
    """A body in chunks of a byte is read."""
    with Client(port) as client:
        await client.send(
            b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            + b"1\r\nz\r\n" * 5000
            + b"0\r\n\r\n"
        )
        assert (await client.read()).raw.count(b"z") == 5000


async def test_pipelined_requests_have_a_bound(port: int) -> None:
    """Thousands of requests in one piece are not all taken in; the connection ends."""
    with Client(port) as client:
        answer = await client.ask(get("/wait") * 2000, 5)
        assert answer.raw.count(b"waited") <= 1


async def test_half_sent_requests_do_not_keep_others_from_being_answered(serve: Serve) -> None:
    """Past the bound the oldest of them ends; who asks a whole request is answered at once."""
    async with serve(replace(BOUNDS, connections=64, head_s=60)) as port:
        halves = [Client(port) for _ in range(300)]
        for half in halves:
            await half.send(b"GET / HTTP/1.1\r\n")
        begun = time.monotonic()
        with Client(port) as client:
            assert (await client.ask(get("/", "Connection: close"))).status == 200
        assert time.monotonic() - begun < 30
        assert (await halves[0].read(2)).ended
        for half in halves:
            half.close()


async def test_who_waits_for_nothing_makes_room(serve: Serve) -> None:
    """At the bound of all connections one that is kept for later ends, not one that is being answered."""
    async with serve(replace(BOUNDS, connections=64, keep_alive_s=60)) as port:
        working = Client(port)
        await working.send(get("/wait"))
        idle = [Client(port) for _ in range(63)]
        for each in idle:
            await each.send(get("/"))
            await each.read(until=b"not read")
        with Client(port) as client:
            assert (await client.ask(get("/", "Connection: close"))).status == 200
        assert (await idle[0].read(2)).ended
        assert (await working.read(5, until=b"waited")).status == 200
        for each in [working, *idle]:
            each.close()


async def test_past_all_bounds_probes_are_answered_and_others_told(serve: Serve) -> None:
    """With a request under way on each connection, readers get 503 and a time to come back, probes their answer."""
    async with serve(replace(BOUNDS, connections=20)) as port:
        busy = [Client(port) for _ in range(20)]
        for each in busy:
            await each.send(get("/wait"))
        with Client(port) as client:
            full = await client.ask(get("/"))
            assert (full.status, full.problem["code"]) == (503, "too-many-connections")
            assert int(full.fields["retry-after"]) > 0
        for path in ("/livez", "/readyz?x=1", "/metrics"):
            with Client(port) as client:
                assert (await client.ask(get(path, "Connection: close"))).status == 200
        for each in busy:
            assert (await each.read(5, until=b"waited")).status == 200
            each.close()


async def test_one_address_has_so_many_connections_unless_it_is_a_proxy(serve: Serve) -> None:
    """429 past the bound, until one ends; connections of a trusted proxy carry many clients and are not counted."""
    for proxies, refused in ((TrustedProxies(), True), (BOUNDS.proxies, False)):
        async with serve(replace(BOUNDS, per_address=3, proxies=proxies, keep_alive_s=60)) as port:
            open_ones = [Client(port) for _ in range(3)]
            for each in open_ones:
                await each.send(get("/"))
                await each.read(until=b"not read")
            with Client(port) as client:
                answer = await client.ask(get("/", "Connection: close"))
                assert answer.status == (429 if refused else 200)
            open_ones[0].close()

            async def asked(port: int = port) -> int:
                with Client(port) as client:
                    return (await client.ask(get("/", "Connection: close"))).status

            await eventually(asked, lambda status: status == 200)
            for each in open_ones[1:]:
                each.close()


@pytest.mark.parametrize("end", ["", "Connection: close"])
async def test_a_reader_who_does_not_read_is_cut_off(port: int, end: str) -> None:
    """An answer of which nothing is taken is not kept for long, whether the connection was to be kept or not."""
    with Client(port, receive_bytes=4096) as client:
        await client.send(get("/big", end) if end else get("/big"))
        await asyncio.sleep(3.5)  # a reader's own pause: it is what is tested
        answer = await client.read(5)
        assert answer.ended
        assert len(answer.raw) < len(BIG)


async def test_a_slow_reader_gets_all(port: int) -> None:
    """Who reads, if slowly, is served to the end."""
    with Client(port, receive_bytes=65536) as client:
        await client.send(get("/big", "Connection: close"))
        loop = asyncio.get_running_loop()
        got = 0
        while piece := await loop.sock_recv(client.socket, 200_000):
            got += len(piece)
            await asyncio.sleep(0.05)
        assert got > len(BIG)


async def test_bytes_that_wait_for_readers_have_a_bound_in_all(serve: Serve) -> None:
    """Past it, who took nothing for longest is cut off at once, long before its time."""
    async with serve(replace(BOUNDS, unsent_bytes=10_000_000, write_s=60)) as port:
        readers = [Client(port, receive_bytes=4096) for _ in range(10)]
        for each in readers:
            await each.send(get("/big?own"))
        await eventually(lambda: _is_reset(readers[0].socket), within_s=10)
        with Client(port) as client:
            assert (await client.ask(get("/livez", "Connection: close"))).status == 200
        assert not _is_reset(readers[-1].socket)
        for each in readers:
            each.close()


def _is_reset(connection: socket.socket) -> bool:
    # TCP_ESTABLISHED is 1 (Linux, tcp_states.h).
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) != b"\x01"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:99@here", "a b", ""])
async def test_no_answer_repeats_the_host(port: int, host: str) -> None:
    """A slash too many leads to the address without, by a path; nothing else of the request is in an answer."""
    for path in (
        "/thing/one/",
        "/strict/",
        "/no/such/",
        "//evil.example/",
        "//thing/one/",
        "/thing/a%0d%0aSet-Cookie:x/",
    ):
        with Client(port) as client:
            answer = await client.ask(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        assert b"evil.example" not in answer.raw or answer.status == 404, answer.raw
        assert "set-cookie" not in answer.fields
        location = answer.fields.get("location")
        assert location is None or (location.startswith("/") and not location.startswith("//"))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        answer = await client.get("/thing/one/?a=1&b=%20")
        assert (answer.status_code, answer.headers["location"]) == (307, "/thing/one?a=1&b=%20")
        assert (await client.post("/echo/", content=b"x")).status_code == 404


async def test_unknown_parameters_are_refused(port: int) -> None:
    """A parameter that is misspelt, or comes twice, is named."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        assert (await client.get("/strict?a=1&b=2")).text == "fine"
        for query, code, field in (
            ("a=1&limti=3", "unknown-parameter", "limti"),
            ("a=1&a=2", "repeated-parameter", "a"),
            ("%00=1", "unknown-parameter", "\x00"),
            ("x" * 900 + "=", "unknown-parameter", "x" * 60),
            ("=1", "unknown-parameter", ""),
        ):
            answer = await client.get(f"/strict?{query}")
            assert answer.status_code == 400
            assert (answer.json()["code"], answer.json()["field"]) == (code, field)
