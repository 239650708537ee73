"""No address that a stranger gives leads inside: hosts, schemes, redirects and rebinding, by every fetcher, and a canary that counts."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from enrich.media.fetch import Fetcher, FetchLimits, PictureRefused, PictureUnavailable
from ingest.transports.http_client import http_client
from local.child import free_port
from publish.push.delivery.outbound import Outbound
from shared.http.client import guarded
from shared.http.client.addresses import why_forbidden
from shared.http.client.errors import RequestFailed, RequestRefused
from support.http_host import Answer, HttpHost
from support.places import ROOT

PUBLIC = "127.0.0.9"
"""Stands for a public address: this machine has no other."""
INSIDE = ("127.0.0.1", "127.0.0.2", "::1")


@dataclass
class World:
    """A public host, and the canaries inside, on one port."""

    host: HttpHost
    port: int
    connections: list[str] = field(default_factory=list)
    """Those that were made to a canary."""


Get = Callable[[str], Awaitable[bytes]]


@contextlib.asynccontextmanager
async def _ingest(_: int) -> AsyncIterator[Get]:
    async with http_client(allow_private=False) as client:

        async def get(url: str) -> bytes:
            return (await client.request("GET", url, max_bytes=1000)).body

        yield get


@contextlib.asynccontextmanager
async def _ingest_form(_: int) -> AsyncIterator[Get]:
    async with http_client(allow_private=False) as client:

        async def get(url: str) -> bytes:
            return (await client.post_form(url, {"hub.mode": "subscribe"})).body

        yield get


@contextlib.asynccontextmanager
async def _media(port: int) -> AsyncIterator[Get]:
    async with Fetcher(FetchLimits(bytes=1000, seconds=5, connect_s=2, ports=(80, 443, port))) as fetcher:

        async def get(url: str) -> bytes:
            async with fetcher.fetched(url) as body:
                return body

        yield get


@contextlib.asynccontextmanager
async def _push(_: int) -> AsyncIterator[Get]:
    async with Outbound(allow_private=False, timeout_s=5) as outbound:

        async def get(url: str) -> bytes:
            answer = await outbound.send("POST", url, body=b"{}")
            if answer.status is None:
                raise RequestRefused(answer.error)
            return answer.body

        yield get


@contextlib.asynccontextmanager
async def _push_stream(_: int) -> AsyncIterator[Get]:
    async with Outbound(allow_private=False, timeout_s=5) as outbound:
        yield lambda url: outbound.stream(url, for_s=1, most_bytes=100)


FETCHERS = {
    "ingest": _ingest, "ingest form": _ingest_form, "media": _media, "push": _push, "push stream": _push_stream,
}  # fmt: skip
"""Every client that the services make: polling, linked texts and hubs; pictures; webhooks, WebSub and purges."""
FOLLOWS = ("ingest", "media")
"""Those that follow redirects."""
TLS_ALONE = ("push",)
"""Those that speak to nobody without TLS, and so not to this public host."""
HOSTS = [
    "127.0.0.1", "127.0.0.2", "localhost", "LOCALHOST.", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001",
    "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::1%25lo]",
    "0", "0.0.0.0", "[::]", "127.0.0.1.", "①②⑦.⓪.⓪.①", "127。0。0。1", "inside.example", "INSIDE.example.", "later.example", "six.example", "user@127.0.0.1",
    "public.example@127.0.0.1", "127.0.0.1\\@public.example", "127.0.0.1#@public.example", "169.254.169.254", "[fd00:ec2::254]", "10.0.0.1", "100.100.100.200",
]  # fmt: skip
SCHEMES = [
    "http",
    "https",
    "HTTP",
    "ftp",
    "file",
    "gopher",
    "dict",
    "ws",
    "unix",
    "jar:http",
    "view-source:http",
    "data",
    "javascript",
    " http",
    "http\t",
]


@pytest_asyncio.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """One public host whose address is permitted, and names that lead to it, inside, or first here and then there."""
    found = World(HttpHost(), 0)

    async def canary(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.connections.append(str(writer.get_extra_info("sockname")))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ninside")
        writer.close()

    asked: dict[str, int] = {}

    def resolve(host: Any, port: Any, *more: Any, **named: Any) -> Any:
        name = (host.decode() if isinstance(host, bytes) else str(host)).rstrip(".").lower()
        asked[name] = asked.get(name, 0) + 1
        address = {
            "public.example": [PUBLIC], "inside.example": ["127.0.0.1"], "six.example": ["::1"], "mixed.example": ["127.0.0.1", "::1", PUBLIC],
            "later.example": ["127.0.0.1"], "localhost": ["127.0.0.1", "::1"], "rebound.example": [PUBLIC] if asked[name] == 1 else ["127.0.0.1"],
        }.get(name)  # fmt: skip
        if address is None:
            # Every notation of an address that the system knows, and no name: this test asks no server of names.
            return real(name, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port or 0))
            for each in address
        ]

    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(
        guarded, "why_forbidden", lambda address, **more: None if address == PUBLIC else why_forbidden(address, **more)
    )
    async with contextlib.AsyncExitStack() as stack:
        public = await stack.enter_async_context(await asyncio.start_server(found.host.serve, PUBLIC, free_port()))
        found.port = found.host.port = public.sockets[0].getsockname()[1]
        for address in INSIDE:
            await stack.enter_async_context(await asyncio.start_server(canary, address, found.port))
        yield found


async def tried(get: Get, url: str) -> str:
    """What came, or why nothing did."""
    try:
        return str(await get(url))
    except (RequestRefused, RequestFailed, PictureRefused, PictureUnavailable, OSError) as error:
        return f"refused: {error}"


@pytest.mark.parametrize("fetcher", FETCHERS)
async def test_no_host_in_no_notation_leads_inside(world: World, fetcher: str) -> None:
    """Whatever the scheme; and the public host is reached, so the test sees what it should."""
    world.host.routes["/"] = Answer(body=b"public")
    async with FETCHERS[fetcher](world.port) as get:
        said = await tried(get, f"http://public.example:{world.port}/")
        assert "public" in said or (fetcher in TLS_ALONE and "https" in said)
        for scheme in SCHEMES:
            for host in HOSTS if scheme in ("http", "https") else HOSTS[:3]:
                said = await tried(get, f"{scheme}://{host}:{world.port}/")
                assert said.startswith("refused"), (scheme, host, said)
    assert world.connections == []


@pytest.mark.parametrize("fetcher", FETCHERS)
async def test_no_redirect_leads_inside(world: World, fetcher: str) -> None:
    """From a public host, at once or after another hop, by every status and form of a location."""
    places = [f"{scheme}://{host}:{world.port}/" for scheme in ("http", "https") for host in HOSTS]
    places += [f"//{host}:{world.port}/" for host in HOSTS[:6]]
    places += [f"\\\\127.0.0.1:{world.port}/", "file:///etc/passwd", "gopher://127.0.0.1:6379/_FLUSHALL"]
    world.host.routes["/first"] = Answer(302, {"Location": f"http://public.example:{world.port}/away"})
    async with FETCHERS[fetcher](world.port) as get:
        for number, place in enumerate(places):
            status = (301, 302, 303, 307, 308)[number % 5]
            world.host.routes["/away"] = Answer(status, {"Location": place.encode().decode("latin-1")})
            said = await tried(get, f"http://public.example:{world.port}/{('away', 'first')[number % 2]}")
            assert "inside" not in said.partition("refused")[0], (place, said)
            # A backslash begins a path on the same host.
            if fetcher in FOLLOWS and "\\" not in place:
                assert said.startswith("refused"), (place, said)
    assert world.connections == []


@pytest.mark.parametrize("fetcher", FETCHERS)
async def test_a_name_that_changes_its_mind_leads_nowhere(world: World, fetcher: str) -> None:
    """Of a name with several addresses the permitted one is taken; of one that is rebound the first that was looked at."""
    world.host.routes["/"] = Answer(body=b"public")
    world.host.routes["/again"] = Answer(302, {"Location": f"http://rebound.example:{world.port}/"})
    async with FETCHERS[fetcher](world.port) as get:
        for name in ("mixed", "rebound"):
            said = await tried(get, f"http://{name}.example:{world.port}/")
            assert "public" in said or (fetcher in TLS_ALONE and "https" in said)
    async with FETCHERS[fetcher](world.port) as get:
        assert (await tried(get, f"http://rebound.example:{world.port}/")).startswith("refused")
        await tried(get, f"http://public.example:{world.port}/again")
    assert world.connections == []


CLIENTS = {
    "shared/src/shared/http/client": "the guarded client itself",
    "shared/src/slugline": "the operator's command asks the processes that the operator named",
    "services/ingest/src/ingest/cli/replay.py": "the operator's command sends a recording to the address that the operator gives",
    "services/publish/src/publish/push/alerts/providers/apns/client.py": "HTTP/2 to Apple's address, from the settings alone",
}
"""Where a program of ours opens connections for HTTP, and why no stranger says where to."""
ASKS = re.compile(
    r"^\s*(?:import|from) (?:aiohttp|httpx|requests|urllib3|urllib\.request|http\.client|websockets|pycurl)\b",
    re.MULTILINE,
)


def test_whoever_asks_an_address_asks_by_the_guarded_client() -> None:
    """A new client of HTTP fails here until it is the guarded one, or its addresses are nobody's but the operator's."""
    makers, others = set(), set()
    for path in [*ROOT.glob("services/*/src/**/*.py"), *ROOT.glob("shared/src/**/*.py")]:
        place, text = str(path.relative_to(ROOT)), path.read_text("utf-8")
        if ASKS.search(text) and not any(place.startswith(known) for known in CLIENTS):
            others.add(place)
        if re.search(r"\bGuardedClient\(\s*(?!\))[^:]", text):
            makers.add(place)
    assert others == set()
    assert makers == {
        "services/ingest/src/ingest/transports/http_client.py",
        "services/enrich/src/enrich/media/fetch.py",
        "services/publish/src/publish/push/delivery/outbound.py",
    }, "a new fetcher belongs into FETCHERS"
