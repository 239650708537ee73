"""The same cursor for clients that cannot stream: long poll and `since`, as JSON.

Both answer `{"cursor", "more", "events": [{"id", "event", "data"}, ...]}`: what the stream would have sent behind the
cursor, a reset among it where the stream would have sent one. The answer's cursor is the next question's.
"""

import asyncio
import time

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publish.representation.position import Position
from publish.web.stream import metrics
from publish.web.stream.broadcaster import Broadcaster
from publish.web.stream.event import parse_cursor, reset_data
from publish.web.stream.http.response import HEADERS
from publish.web.stream.polls import Missed
from publish.web.stream.request import POLL_PARAMETERS, SINCE_PARAMETERS, StreamRequest, parse_request
from shared.http.problem import Problem

MOST_EVENTS = 1_000

KEPT_BYTES = 8 * 1024 * 1024
"""Of answers and what they answer, kept while nothing new comes."""

LONGEST_S = 55.0
"""Below the minute after which proxies give up."""

AHEAD_S = 0.2
"""Between two looks at whether this replica has caught up with a cursor."""

_CORS = {"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff"}


def stream_routes(broadcaster: Broadcaster) -> list[Route]:
    """`/v1/poll`, `/v1/since`, and what of `/v1/stream` is not a stream."""
    bodies = _Bodies(broadcaster)

    async def poll(request: Request) -> Response:
        """Wait for what follows the cursor; without one, for what is published next."""
        asked = parse_request(request.scope["query_string"].decode("latin-1"), known=POLL_PARAMETERS)
        timeout_s = _number(request, "timeout", 25, 0, LONGEST_S)
        limit = int(_number(request, "limit", 200, 1, MOST_EVENTS))
        broadcaster.admit(None)
        ends = time.monotonic() + timeout_s
        caught_up_by = min(ends, time.monotonic() + broadcaster.limits.catch_up_s)
        cursor = _cursor(asked, broadcaster)
        gone = asyncio.create_task(_gone(request))
        try:
            while True:
                now = time.monotonic()
                body, empty = await bodies.answer(asked, cursor, limit, may_wait=now < caught_up_by)
                if body and (not empty or now >= ends or gone.done() or broadcaster.closed):
                    return _json(body, "no-store")
                await broadcaster.polls.wait(asked.channels, ends - now if body else AHEAD_S, gone)
        finally:
            gone.cancel()

    async def since(request: Request) -> Response:
        """What followed the cursor; without one, only where the stream is now."""
        asked = parse_request(request.scope["query_string"].decode("latin-1"), known=SINCE_PARAMETERS)
        limit = int(_number(request, "limit", 200, 1, MOST_EVENTS))
        if not broadcaster.ready:
            raise Problem(503, "not-ready", "there is no stream here at this moment", headers={"Retry-After": "1"})
        body, _ = await bodies.answer(asked, _cursor(asked, broadcaster), limit, may_wait=False)
        return _json(body, "public, max-age=0, s-maxage=1")

    async def stream(request: Request) -> Response:
        """HEAD and OPTIONS of the stream; a GET comes here only where its connection cannot be taken over."""
        if request.method == "HEAD":
            return Response(headers=HEADERS)
        if request.method == "OPTIONS":
            allow = {
                "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
                "Access-Control-Allow-Headers": "Last-Event-ID, Cache-Control",
                "Access-Control-Max-Age": "86400",
                "Allow": "GET, HEAD, OPTIONS",
            }
            return Response(status_code=204, headers=_CORS | allow)
        raise Problem(
            503,
            "own-connection",
            "a stream needs a connection on which no other answer waits",
            headers={"Retry-After": "0"},
        )

    return [
        Route("/v1/poll", poll),
        Route("/v1/since", since),
        Route("/v1/stream", stream, methods=["GET", "HEAD", "OPTIONS"]),
    ]


class _Bodies:
    """Answers, kept while nothing new comes: many ask the same at the same moment."""

    def __init__(self, broadcaster: Broadcaster) -> None:
        self._broadcaster = broadcaster
        self._kept: dict[tuple[frozenset[str], str, Position | str, int], tuple[bytes, bool]] = {}
        self._size = 0
        self._head: Position | None = None

    async def answer(
        self, asked: StreamRequest, cursor: Position | str, limit: int, *, may_wait: bool
    ) -> tuple[bytes, bool]:
        """The body, and whether it holds no event. `may_wait`: a cursor ahead of this replica may be waited for."""
        if self._head != self._broadcaster.head or len(self._kept) > 256 or self._size > KEPT_BYTES:
            self._kept.clear()
            self._size = 0
            self._head = self._broadcaster.head
        key = (asked.channels, asked.view, cursor, limit)
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        missed = cursor if isinstance(cursor, str) else await self._broadcaster.polls.missed(asked, cursor, limit)
        if missed == "ahead" and may_wait:
            return b"", True
        made = (
            self._reset(missed, asked)
            if isinstance(missed, str)
            else (
                _body(missed, asked.view),
                not missed.events and not missed.more,
            )
        )
        if self._head == self._broadcaster.head and not isinstance(missed, str):
            self._kept[key] = made
            self._size += len(made[0]) + sum(map(len, asked.channels))
        return made

    def _reset(self, reason: str, asked: StreamRequest) -> tuple[bytes, bool]:
        metrics.RESETS.labels(reason).inc()
        head = self._broadcaster.head
        data = reset_data(reason, self._broadcaster.limits.snapshots(asked.channels), head)
        event = b'{"id":"%d-%d","event":"reset","data":%b}' % (*head, data)
        return b'{"cursor":"%d-%d","more":false,"events":[%b]}\n' % (*head, event), False


def _body(missed: Missed, view: str) -> bytes:
    events = [
        b'{"id":"%d-%d","event":"%b","data":%b}' % (*entry.position, entry.kind.encode(), entry.data(view))
        for entry in missed.events
        if entry.frames
    ]
    more = b"true" if missed.more else b"false"
    return b'{"cursor":"%d-%d","more":%b,"events":[%b]}\n' % (*missed.through, more, b",".join(events))


def _cursor(asked: StreamRequest, broadcaster: Broadcaster) -> Position | str:
    if not asked.cursor:
        return broadcaster.head
    try:
        return parse_cursor(asked.cursor)
    except ValueError:
        return "unknown-cursor"


def _number(request: Request, name: str, default: float, least: float, most: float) -> float:
    text = request.query_params.get(name)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise Problem(400, f"bad-{name}", f"{name}: a number from {least:g} to {most:g}", field=name)
    return value


def _json(body: bytes, cache: str) -> Response:
    return Response(body, media_type="application/json", headers=_CORS | {"Cache-Control": cache})


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
