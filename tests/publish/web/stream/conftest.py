"""A broadcaster on a real port, and events for it."""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

import publish.web
from publish.representation.position import Position
from publish.web.stream.broadcaster import Broadcaster, Over
from publish.web.stream.event import Replay, StreamEvent
from publish.web.stream.http.poll_routes import stream_routes
from publish.web.stream.http.serve import stream_server
from publish.web.stream.limits import StreamLimits
from shared.http.problem import PROBLEM_HANDLERS
from support.event_stream import Reader


def event(offset: int, *channels: str, kind: str = "publish", epoch: int = 1, data: bytes | None = None) -> StreamEvent:
    """An event of the channel of everything and of the ones named."""
    body = data if data is not None else b'{"n":%d}' % offset
    views = {"json": body, "page": body[:-1] + b',"html":"<p>"}'} if body.endswith(b"}") else {"json": body}
    return StreamEvent(epoch, offset, kind, frozenset({"news", *channels}), views)


@dataclass
class Site:
    """A broadcaster that is served, and its readers."""

    broadcaster: Broadcaster
    port: int
    readers: list[Reader] = field(default_factory=list)

    def publish(self, *events: StreamEvent) -> None:
        """The log's next events."""
        self.broadcaster.publish(events)

    def ask(self, target: str = "/v1/stream", *, version: str = "1.1", fields: str = "") -> Reader:
        """A new reader."""
        reader = Reader.ask(self.port, target, version=version, fields=fields)
        self.readers.append(reader)
        return reader

    async def follow(self, target: str = "/v1/stream", fields: str = "") -> Reader:
        """A new reader who is connected, and whom the next event reaches."""
        reader = self.ask(target, fields=fields)
        await reader.until(lambda each: b"\nid: " in each.raw)
        return reader


SCRIPTS = Path(publish.web.__file__).parent / "static"
LIVE_JS = ("ladder.js", "live.js")
LIVE_PAGE = """<!doctype html><html lang="en"><head><title>live</title>
<script>
window.seen = []; window.states = []; window.resets = [];
document.addEventListener("slugline:update", (event) => window.seen.push(event.detail.id));
document.addEventListener("slugline:state", (event) => window.states.push(event.detail.state));
document.addEventListener("slugline:reset", (event) => window.resets.push(event.detail.reason));
</script>
<script type="module" src="/live.js"></script></head>
<body data-cursor="{cursor}" data-channel="{channel}"><ol id="feed">{items}</ol></body></html>"""

Served = Callable[..., AbstractAsyncContextManager[Site]]


@contextlib.asynccontextmanager
async def _serve(
    limits: StreamLimits | None = None,
    replay: Replay | None = None,
    over: Over | None = None,
    *,
    begin: tuple[int, int] | None = (1, 0),
) -> AsyncIterator[Site]:
    broadcaster = Broadcaster(limits or StreamLimits(), replay, over)
    if begin is not None:
        broadcaster.begin(*begin)

    async def page(_: Request) -> Response:
        return PlainTextResponse("a page")

    async def live(request: Request) -> Response:
        channel = request.query_params.get("channel", "news")
        items = "".join(
            f"<li>{escape(str(each.position))}</li>"
            for each in broadcaster.buffer.between(Position(0, 0), broadcaster.head)
        )
        return HTMLResponse(LIVE_PAGE.format(cursor=broadcaster.head, channel=escape(channel), items=items))

    async def script(_: Request) -> Response:
        return Response(b"\n".join((SCRIPTS / name).read_bytes() for name in LIVE_JS), media_type="text/javascript")

    async def echo(request: Request) -> Response:
        return Response(await request.body())

    app = Starlette(
        routes=[
            *stream_routes(broadcaster),
            Route("/", page),
            Route("/live", live),
            Route("/live.js", script),
            Route("/echo", echo, methods=["POST"]),
        ],
        exception_handlers=PROBLEM_HANDLERS,
    )
    async with stream_server(app, broadcaster, "127.0.0.1", 0) as server:
        site = Site(broadcaster, server.servers[0].sockets[0].getsockname()[1])
        try:
            yield site
        finally:
            for reader in site.readers:
                reader.close()


@pytest.fixture
def served() -> Served:
    """Serve a broadcaster on a port of its own while a block runs."""
    return _serve


@pytest.fixture
def make_event() -> Callable[..., StreamEvent]:
    """Make an event."""
    return event


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """A broadcaster with all at its default, begun before the first event of epoch 1."""
    async with _serve() as made:
        yield made
