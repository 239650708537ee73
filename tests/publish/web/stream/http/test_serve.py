"""How connections get from the HTTP server to the broadcaster: real sockets, hostile and honest ones."""

import asyncio
import contextlib
import itertools
import json
import socket
import struct
import time

import httpx
import pytest

from publish.web.stream.limits import StreamLimits
from shared.http.proxies import TrustedProxies
from support.event_stream import Reader


def fields_of(head: bytes) -> dict[str, str]:
    """The header fields of an answer, names in lower case."""
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


async def test_the_answer_is_a_stream_for_browsers_and_proxies(site, make_event) -> None:
    """Headers keep caches and proxies from holding the stream back, and the first bytes come at once with a retry hint."""
    reader = await site.follow()
    fields = fields_of(reader.head)
    assert reader.status == 200
    assert fields["content-type"] == "text/event-stream; charset=utf-8"
    assert "no-store" in fields["cache-control"]
    assert "no-transform" in fields["cache-control"]
    assert fields["x-accel-buffering"] == "no"
    assert fields["access-control-allow-origin"] == "*"
    assert "content-length" not in fields
    limits = site.broadcaster.limits
    assert limits.retry_ms <= (reader.parser.retry or 0) <= 2 * limits.retry_ms
    site.publish(make_event(1))
    (event,) = await reader.count(1)
    assert (event.event, event.data, event.last_event_id) == ("publish", '{"n":1}', "1-1")


async def test_retry_hints_differ(site) -> None:
    """Readers who lose a replica together do not come back together."""
    readers = [await site.follow() for _ in range(20)]
    assert len({reader.parser.retry for reader in readers}) > 5


async def test_a_story_that_is_over_sends_its_readers_away_for_good(served, make_event) -> None:
    """204 makes an EventSource stop, so it is for those who missed nothing of nothing but what is over; never for pages."""
    async with served(over=lambda channel: channel == "story:old") as site:
        site.publish(make_event(1, "story:old"), make_event(2, "story:new"))

        async def status(target: str, fields: str = "", first: str = "") -> int | None:
            reader = site.ask(first or target, fields=fields)
            if first:
                await reader.until(lambda each: b"a page" in each.raw)
                reader.raw = reader.head = b""
                reader.parser.__init__()
                reader.socket.setblocking(True)
                reader.socket.sendall(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            await reader.until(lambda each: b"\r\n\r\n" in each.raw or bool(each.head))
            return int((reader.head or reader.raw).split()[1])

        assert await status("/v1/stream?channel=story:old") == 204
        assert await status("/v1/stream?channel=story:old", first="/") == 204
        assert await status("/v1/stream?channel=story:old", "Last-Event-ID: 1-1\r\n") == 204
        assert await status("/v1/stream?channel=story:old", "Last-Event-ID: 1-0\r\n") == 200
        assert await status("/v1/stream?channel=story:old", "Last-Event-ID: 1-900\r\n") == 200
        assert await status("/v1/stream?channel=story:old&channel=story:new") == 200
        assert await status("/v1/stream?channel=story:old&view=page") == 200
        assert await status("/v1/stream") == 200


async def test_a_stream_may_follow_other_requests_on_a_connection(site, make_event) -> None:
    """A proxy's kept connection that carried pages before becomes a stream too."""
    reader = site.ask("/")
    await reader.until(lambda each: b"a page" in each.raw)
    reader.raw = reader.head = b""
    reader.parser.__init__()
    reader.socket.setblocking(True)
    reader.socket.sendall(b"GET /v1/stream?cursor=1-0 HTTP/1.1\r\nHost: a\r\n\r\n")
    await reader.until(lambda each: b"\nid: " in each.raw)
    site.publish(make_event(1))
    await reader.count(1)
    assert len(site.broadcaster) == 1


@pytest.mark.parametrize("path", ["/v1/stream", "/v1/stream?cursor=1-0", "/"])
async def test_a_request_may_come_in_pieces(site, path: str) -> None:
    """However a network cuts a request, it is understood, whether a stream is asked for or a page."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n".encode()
    connection = socket.create_connection(("127.0.0.1", site.port), 5)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for at in range(0, len(request), 7):
        connection.sendall(request[at : at + 7])
        await asyncio.sleep(0.002)
    connection.setblocking(False)
    got = b""
    ends = time.monotonic() + 30
    while b"\r\n\r\n" not in got and time.monotonic() < ends:
        with contextlib.suppress(BlockingIOError):
            got += connection.recv(65536)
        await asyncio.sleep(0.005)
    assert got.startswith(b"HTTP/1.1 200")
    connection.close()


@pytest.mark.parametrize(
    "request_line",
    ["GET /v1/stream HTTP/1.0", "GET /v1/stream? HTTP/1.1", "GET /v1/stream?channels=news&&view=&channel HTTP/1.1"],
)
async def test_other_ways_to_ask_for_a_stream(site, make_event, request_line: str) -> None:
    """HTTP/1.0, as nginx speaks it to its upstreams, and odd queries get a stream."""
    connection = socket.create_connection(("127.0.0.1", site.port), 5)
    connection.sendall(f"{request_line}\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    reader = Reader(connection)
    await reader.until(lambda each: b"\nid: " in each.raw)
    site.publish(make_event(1))
    await reader.count(1)
    reader.close()


async def test_the_header_counts_before_the_query(site, make_event) -> None:
    """A browser that reconnects repeats the address that it began with; its Last-Event-ID is where it is."""
    site.publish(*[make_event(offset) for offset in range(1, 7)])
    newer = site.ask("/v1/stream?cursor=1-1", fields="Last-Event-ID: 1-4\r\n")
    older = site.ask("/v1/stream?lastEventId=1-5", fields="last-event-id:1-3\r\n")
    assert [each.last_event_id for each in await newer.count(2)] == ["1-5", "1-6"]
    assert [each.last_event_id for each in await older.count(3)] == ["1-4", "1-5", "1-6"]


@pytest.mark.parametrize("query", ["lastEventId=garbage", "last-event-id=42", "cursor=1-2&Last-Event-ID=2f1c"])
async def test_a_cursor_that_cannot_be_read_is_told(site, make_event, query: str) -> None:
    """Whoever hands over another server's id, or a broken one, hears that it is no place here, and what to fetch."""
    site.publish(make_event(1))
    reader = site.ask(f"/v1/stream?{query}")
    (told,) = await reader.count(1)
    assert (told.event, json.loads(told.data)["reason"]) == ("reset", "unknown-cursor")


@pytest.mark.parametrize(
    "name",
    ["cursor", "lastEventId", "Last-Event-ID", "lastEventID", "lasteventid", "LAST-EVENT-ID", "last_event_id"],
)
async def test_a_cursor_has_the_names_that_clients_give_it(site, make_event, name: str) -> None:
    """A client that cannot set a header sends its last event's id in the query; the newest that is given counts."""
    site.publish(*[make_event(offset) for offset in range(1, 7)])
    reader = site.ask(f"/v1/stream?{name}=1-3")
    other = site.ask(f"/v1/stream?cursor=1-1&{name}=1-5" if name != "cursor" else "/v1/stream?cursor=1-5")
    assert [each.last_event_id for each in await reader.count(3)] == ["1-4", "1-5", "1-6"]
    assert [each.last_event_id for each in await other.count(1)] == ["1-6"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("view=pdf", "bad-view"),
        ("channels=" + ",".join(f"tag:{number}" for number in range(40)), "too-many-channels"),
        ("channels=" + "x" * 300, "bad-channel"),
        ("channels=a%0Ab", "bad-channel"),
        ("&".join(f"x{number}=1" for number in range(100)), "bad-query"),
        ("chanel=news", "unknown-parameter"),
        ("channels=news&utm_source=x", "unknown-parameter"),
        ("lastEvent=1-1", "unknown-parameter"),
        ("lastEventId=1-1&lastEventId=1-2", "repeated-parameter"),
        ("timeout=5", "unknown-parameter"),
        ("x", "unknown-parameter"),
        ("view=json&view=page", "repeated-parameter"),
        ("cursor=1-" + "1" * 200, "bad-cursor"),
        ("lastEventId=" + "1" * 200, "bad-cursor"),
    ],
)
async def test_what_cannot_be_followed_is_refused_with_a_reason(site, query: str, code: str) -> None:
    """A bad request gets problem+json that names the field, over both ways into the broadcaster."""
    reader = site.ask(f"/v1/stream?{query}")
    await reader.end()
    assert reader.status == 400
    assert fields_of(reader.head)["content-type"] == "application/problem+json"
    assert json.loads(reader.raw.partition(b"\r\n\r\n")[2])["code"] == code
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{site.port}") as client:
        await client.get("/")
        answer = await client.get(f"/v1/stream?{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, code)


async def test_head_options_and_post(site) -> None:
    """HEAD tells what a GET would, OPTIONS lets scripts of other sites send Last-Event-ID, POST is not allowed."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{site.port}") as client:
        head = await client.head("/v1/stream")
        assert head.headers["content-type"].startswith("text/event-stream")
        allowed = await client.options("/v1/stream")
        assert allowed.status_code == 204
        assert "Last-Event-ID" in allowed.headers["access-control-allow-headers"]
        assert (await client.post("/v1/stream", content=b"x")).status_code == 405
        assert (await client.get("/v1/streams")).status_code == 404
        assert (await client.post("/echo", content=b"y" * 300_000)).content == b"y" * 300_000


async def test_a_stream_behind_an_unanswered_request_is_refused(site) -> None:
    """Pipelined behind a request that is not answered yet, a stream cannot have the connection and says so."""
    connection = socket.create_connection(("127.0.0.1", site.port), 5)
    connection.sendall(
        b"GET /v1/poll?timeout=0.2 HTTP/1.1\r\nHost: a\r\n\r\nGET /v1/stream HTTP/1.1\r\nHost: a\r\n\r\n"
    )
    connection.setblocking(False)
    got = b""
    ends = time.monotonic() + 30
    while b"own-connection" not in got and time.monotonic() < ends:
        with contextlib.suppress(BlockingIOError):
            got += connection.recv(65536)
        await asyncio.sleep(0.01)
    assert got.count(b"HTTP/1.1 ") == 2
    assert b"own-connection" in got
    connection.close()


async def test_what_a_reader_sends_later_does_no_harm(site, make_event) -> None:
    """Bytes behind the request, pipelined or later, are not read, and the stream goes on."""
    reader = site.ask("/v1/stream")
    reader.socket.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" + b"x" * 10_000)
    await reader.until(lambda each: b"\nid: " in each.raw)
    site.publish(make_event(1))
    await reader.count(1)
    assert reader.raw.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
        b"GET /v1/stream\r\n\r\n",
        b"GET /v1/stream HTTP/9.9\r\n\r\n",
        b"GET /v1/stream?\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /v1/stream HTTP/1.1\nHost: a\n\n",
        b"GET /v1/stream HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"\r\n\r\n\r\n",
    ],
)
async def test_garbage_ends_itself_only(site, make_event, garbage: bytes) -> None:
    """Whatever comes first on a connection, others are served on."""
    reader = await site.follow()
    connection = socket.create_connection(("127.0.0.1", site.port), 5)
    with contextlib.suppress(OSError):
        connection.sendall(garbage)
        connection.shutdown(socket.SHUT_WR)
    connection.setblocking(False)
    with contextlib.suppress(OSError):
        while await asyncio.wait_for(asyncio.get_running_loop().sock_recv(connection, 65536), 30):
            pass
    site.publish(make_event(1))
    await reader.count(1)
    connection.close()


async def test_a_connection_may_be_torn(site) -> None:
    """Connections that are reset before, while and after they ask leave nothing behind."""
    for request in (b"", b"GET /v1/st", b"GET /v1/stream HTTP/1.1\r\nHost: a\r\n\r\n"):
        for _ in range(20):
            connection = socket.create_connection(("127.0.0.1", site.port), 5)
            connection.sendall(request)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
    reader = await site.follow()
    ends = time.monotonic() + 30
    while len(site.broadcaster) != 1 and time.monotonic() < ends:
        await asyncio.sleep(0.01)
    assert len(site.broadcaster) == 1
    assert reader.status == 200


async def test_one_address_has_a_limit(served) -> None:
    """Streams past the limit of an address are answered 429 with Retry-After; who leaves makes room."""
    untrusting = TrustedProxies()
    async with served(StreamLimits(per_address=2, proxies=untrusting)) as site:
        first, _ = await site.follow(), await site.follow()
        third = site.ask()
        await third.end()
        assert third.status == 429
        assert int(fields_of(third.head)["retry-after"]) > 0
        first.close()
        ends = time.monotonic() + 30
        while len(site.broadcaster) == 2 and time.monotonic() < ends:
            await asyncio.sleep(0.01)
        await site.follow()


async def test_readers_behind_a_trusted_proxy_are_distinguished(served) -> None:
    """A trusted proxy's word counts, its own address does not."""
    async with served(StreamLimits(per_address=1)) as site:
        one = await site.follow(fields="X-Forwarded-For: 203.0.113.9\r\n")
        assert one.status == 200
        again = site.ask(fields="X-Forwarded-For: 203.0.113.9, 127.0.0.9\r\nForwarded: for=192.0.2.77\r\n")
        await again.end()
        assert again.status == 429
        for name in ("198.51.100.7", "2001:db8::1"):
            await site.follow(fields=f"X-Forwarded-For: {name}\r\n")
        await site.follow()
        await site.follow()


async def test_a_full_or_starting_replica_says_so(served) -> None:
    """Before anything streams, overload is a 503 with Retry-After."""
    async with served(StreamLimits(most_connections=1)) as site:
        await site.follow()
        second = site.ask()
        await second.end()
        assert second.status == 503
        assert "retry-after" in fields_of(second.head)
    async with served(begin=None) as site:
        early = site.ask()
        await early.end()
        assert early.status == 503


async def test_drain_is_spread_and_says_when_to_come_back(served) -> None:
    """On shutdown connections end evenly over the grace period, each with a hint of its own; nobody is cut mid-event."""
    async with served() as site:
        readers = [await site.follow() for _ in range(40)]
        draining = asyncio.create_task(site.broadcaster.drain(1.5))
        left: list[int] = [len(readers)]
        ends = time.monotonic() + 30
        while left[-1] and time.monotonic() < ends:
            for reader in readers:
                reader.take()
            remaining = sum(not reader.ended for reader in readers)
            if remaining != left[-1]:
                left.append(remaining)
            await asyncio.sleep(0.01)
        await draining
        assert left[-1] == 0
        assert len(left) > 4
        assert max(before - after for before, after in itertools.pairwise(left)) <= 20
        assert all(reader.raw.count(b"retry: ") == 2 for reader in readers)
        late = site.ask()
        await late.end()
        assert late.status == 200
        assert late.parser.retry


async def test_many_reconnecting_readers_do_not_starve_the_others(served, make_event) -> None:
    """While hundreds come back with a replay each, those who stayed hear every event, and all get all."""
    async with served() as site:
        stayed = [await site.follow() for _ in range(20)]
        site.publish(*[make_event(offset) for offset in range(1, 61)])
        await stayed[0].count(60)
        back = [site.ask("/v1/stream?cursor=1-10") for _ in range(300)]
        for offset in range(61, 66):
            site.publish(make_event(offset))
            await asyncio.sleep(0.01)
        for reader in stayed:
            assert [each.last_event_id for each in await reader.count(65)] == [f"1-{n}" for n in range(1, 66)]
        for reader in back:
            assert [each.last_event_id for each in await reader.count(55)] == [f"1-{n}" for n in range(11, 66)]
