"""A newsroom with an archive, a site that says how far it is, and recipients that answer as a test says."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.child import free_port
from publish.archive import process as archive
from publish.archive import queries
from publish.push.settings import PushSettings
from shared.http.server.server import http_server
from shared.postgres.pool import Pool
from shared.settings import Connections
from support import push_keys as keys
from support.revisions import running


@dataclass
class Got:
    """One request as a recipient got it."""

    path: str
    headers: dict[str, str]
    body: bytes
    method: str = "POST"


Behaviour = Callable[[Got, int], Any]
"""The answer to the n-th request (from 1) on a path: a status, a Response, or an awaitable of one."""


@dataclass
class Recipients:
    """An HTTP server for recipients, one for each path; `behave` says how a path answers (204 where nothing is said)."""

    url: str = ""
    got: list[Got] = field(default_factory=list)
    behave: dict[str, Behaviour] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    """Set at the end of the test, for recipients that answer nothing until then."""

    def at(self, path: str) -> list[Got]:
        """What a path got, in order."""
        return [each for each in self.got if each.path == path]

    async def take(self, request: Request) -> Response:
        """One request."""
        got = Got(request.url.path, dict(request.headers), await request.body(), request.method)
        self.got.append(got)
        self.counts[got.path] += 1
        behaviour = self.behave.get(got.path)
        result: Any = behaviour(got, self.counts[got.path]) if behaviour else 204
        if hasattr(result, "__await__"):
            result = await result
        return result if isinstance(result, Response) else Response(None, result)


@pytest_asyncio.fixture
async def recipients() -> AsyncIterator[Recipients]:
    """Recipients of this test."""
    port = free_port()
    made = Recipients(f"http://127.0.0.1:{port}")
    methods = ["GET", "POST", "PURGE", "BAN", "DELETE"]
    app = Starlette(routes=[Route("/{path:path}", made.take, methods=methods)])
    async with http_server(app, "127.0.0.1", port):
        yield made
        made.closing.set()


@pytest.fixture
def settings(newsroom: Connections) -> PushSettings:
    """The settings of a push process in this newsroom, with the site's stand-in, and short pauses."""
    return PushSettings(
        **newsroom.model_dump()
        | {
            "health_port": free_port(),
            "publish_push_allow_private": True,
            "publish_push_check_cache": False,
            "publish_push_web_urls": f"http://127.0.0.1:{free_port()}",
            "publish_push_timeout_s": 10.0,
            "publish_push_readable_s": 3.0,
            "publish_push_schedule_s": "0.1,0.2,0.2,0.2",
        }
    )


@dataclass
class Site:
    """Stands in for a web replica: it answers from the archive, unless it is held back."""

    pool: Pool
    held_at: str | None = None
    asked: int = 0
    feeds_fail: bool = False

    async def feed(self, _: Request) -> Response:
        """The feed: the headlines, newest first."""
        if self.feeds_fail:
            return Response(None, 503)
        found = await queries.page(self.pool, "news", None, 50)
        return Response("\n".join(each.update.headline for each in found), 200, media_type="application/atom+xml")

    async def updates(self, _: Request) -> Response:
        """How far the replica is."""
        self.asked += 1
        return JSONResponse({"updates": [], "cursor": self.held_at or str(await queries.archived_up_to(self.pool))})

    async def update(self, request: Request) -> Response:
        """One update."""
        found = await queries.one(self.pool, request.path_params["update_id"])
        if found is None or self.held_at:
            return JSONResponse({}, 404)
        revision = {"revision": found.update.revision}
        return JSONResponse(revision, 410 if found.update.is_removal else 200)


@pytest_asyncio.fixture
async def site(settings: PushSettings, pool: Pool) -> AsyncIterator[Site]:
    """The site of this test, and the archive that it answers from."""
    made = Site(pool)
    app = Starlette(
        routes=[
            Route("/feeds/news.atom", made.feed),
            Route("/v1/updates", made.updates),
            Route("/v1/updates/{update_id}", made.update),
            Route("/updates/{update_id}/{slug}", made.update),
        ]
    )
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(http_server(app, "127.0.0.1", int(settings.web_urls[0].rsplit(":", 1)[1])))
        own = settings.model_copy(update={"health_port": free_port()})
        await stack.enter_async_context(running(lambda stop: archive.serve(own, stop)))
        yield made


@pytest_asyncio.fixture
async def key(pool: Pool) -> keys.Key:
    """A consumer's key."""
    _, token = await keys.add(pool, "consumer", ["webhooks"], ["news"])
    found = await keys.find(pool, token)
    assert found is not None
    return found
