"""`python -m publish web`: pages, API, feeds and streams on one port."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from datetime import UTC, datetime

import click
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publish.representation.fragment import fitting
from publish.representation.views import Views
from publish.settings import Settings
from publish.web.archive_client import ArchiveClient
from publish.web.feed_store import FeedStore
from publish.web.follower import Follower
from publish.web.omissions import RETRY_S, Omissions, Omitted
from publish.web.replay import replay_from
from publish.web.response_cache import ResponseCache
from publish.web.routes.answers import NOSNIFF, Answers, taking
from publish.web.routes.api import Api
from publish.web.routes.assets import SERVICE_WORKER, Assets
from publish.web.routes.feeds import Feeds
from publish.web.routes.media import MediaRoute
from publish.web.routes.pages import Pages
from publish.web.stories import is_over
from publish.web.stream.broadcaster import Broadcaster
from publish.web.stream.http.poll_routes import stream_routes
from publish.web.stream.http.serve import stream_server
from publish.web.stream.limits import Limits
from shared.background import until_answered
from shared.failures.transient import TRANSIENT
from shared.http.problem import PROBLEM_HANDLERS, Problem, outage_problem, problem_response
from shared.http.routing import application
from shared.http.server.bounds import Bounds
from shared.observability.health import Health, health_routes
from shared.poison.suspects import Suspects
from shared.postgres.migrations import open_pool
from shared.postgres.pool import Pool
from shared.process import run, run_until

log = structlog.get_logger(__name__)

STAGE = "publish.web"
CLOSE_S = 2.0
API_PREFIXES = ("/v1/", "/feeds/", "/media/", "/static/", "/openapi.json")


def build(
    settings: Settings,
    feed_store: FeedStore,
    archive: ArchiveClient,
    health: Health,
    *,
    fit: Callable[[str, int], str] = fitting,
    omissions: Omissions | None = None,
) -> tuple[Answers, Broadcaster]:
    """A replica's application, without anything that connects; `answers.response_cache` is the ASGI application.

    `fit` and `omissions` are the views': what makes bodies fit, and what leaves out what cannot be shown.
    """
    assets = Assets()
    answers = Answers(settings, feed_store, archive, Views(settings, assets, fit=fit, omissions=omissions), assets)
    broadcaster = Broadcaster(
        Limits.of(settings),
        replay_from(archive, answers.views),
        lambda channel: is_over(feed_store, channel, datetime.now(UTC)),
    )
    pages = Pages(answers)

    async def static(request: Request) -> Response:
        asset = assets.files.get(request.path_params.get("name", SERVICE_WORKER))
        if asset is None:
            raise Problem(404, "not-found", "there is no such file")
        newest = request.query_params.get("v") == asset.digest
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable" if newest else "public, max-age=0, must-revalidate",
            "ETag": f'"{asset.digest}"',
            NOSNIFF[0].decode(): NOSNIFF[1].decode(),
        }
        if asset.digest in request.headers.get("if-none-match", ""):
            return Response(None, 304, headers)
        return Response(asset.body, 200, headers, asset.content_type)

    async def preflight(_: Request) -> Response:
        return Response(
            None,
            204,
            {
                "Access-Control-Allow-Origin": "*",
                "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
                "Access-Control-Allow-Headers": "If-None-Match, Last-Event-ID, Cache-Control",
                "Access-Control-Max-Age": "86400",
            },
        )

    async def on_problem(request: Request, error: Exception) -> Response:
        problem = error if isinstance(error, Problem) else _problem_of(error)
        if request.scope["path"].startswith(API_PREFIXES) or "text/html" not in request.headers.get("accept", ""):
            response = problem_response(problem)
            response.headers["Access-Control-Allow-Origin"] = "*"
            response.headers["X-Content-Type-Options"] = "nosniff"
            return response
        if problem.status == 404:
            response = pages.message(404, "Page not found", "There is nothing under this address.")
        elif problem.status >= 500:
            response = pages.message(
                problem.status, "One moment", "This page cannot be shown now. Please try again shortly."
            )
        else:
            response = pages.message(problem.status, "That did not work", problem.detail)
        response.headers.update(problem.headers)
        return response

    async def on_omitted(request: Request, error: Exception) -> Response:
        return await on_problem(
            request, Problem(503, "not-shown", f"{error} now", headers={"Retry-After": str(int(RETRY_S))})
        )

    app = application(
        [
            *health_routes(health),
            *Api(answers).routes(),
            *pages.routes(),
            *Feeds(answers).routes(),
            *stream_routes(broadcaster),
            Route("/static/{name}", taking(static, "v")),
            Route(f"/{SERVICE_WORKER}", taking(static, "v", "push")),
            Route("/media/{path:path}", taking(MediaRoute(settings.media_store, feed_store, archive))),
            Route("/v1/{path:path}", preflight, methods=["OPTIONS"]),
        ],
        {
            **PROBLEM_HANDLERS,
            **dict.fromkeys((*TRANSIENT, Problem, HTTPException), on_problem),
            Omitted: on_omitted,
        },
    )
    answers.response_cache = ResponseCache(app, feed_store, ignored=settings.ignored_parameters)
    return answers, broadcaster


def _problem_of(error: Exception) -> Problem:
    if not isinstance(error, HTTPException):
        return outage_problem(error)
    status = error.status_code
    code = {404: "not-found", 405: "method-not-allowed"}.get(status, f"http-{status}")
    return Problem(status, code, str(error.detail), headers=error.headers)


async def serve(settings: Settings, stop: asyncio.Event, *, fit: Callable[[str, int], str] = fitting) -> None:
    """The process: the port answers at once, and /readyz says what is waited for. `fit` is the views'."""
    feed_store = FeedStore(settings.publish_web_updates)
    archive = ArchiveClient()
    waiting: dict[str, str | None] = {"postgres": "waiting for Postgres"}
    health = Health(STAGE, ready={"postgres": lambda: waiting["postgres"]})
    answers, broadcaster = build(settings, feed_store, archive, health, fit=fit)
    follower = Follower(settings, feed_store, answers.views, archive, broadcaster)
    health.ready["log"] = follower.why_not_ready
    health.live["log"] = follower.why_not_live

    suspects: Suspects | None = None

    async def follow() -> None:
        nonlocal suspects
        archive.pool = await open_pool(settings, schema="publish", stop=stop, stateless=True)
        suspects = await _noting(archive.pool, settings, answers.views.omissions, stop)
        waiting["postgres"] = None
        await follower.run(stop)

    bounds = Bounds.of(settings, settings.publish_web_connections)
    async with stream_server(answers.response_cache, broadcaster, settings.bind_host, settings.port, bounds):
        log.info("listening", port=settings.port)
        with contextlib.suppress(asyncio.CancelledError):
            await run_until(stop, follow())
        health.draining = True
        await broadcaster.drain(settings.publish_stream_drain_s)
    if archive.pool is not None:
        if suspects is not None:
            with contextlib.suppress(*TRANSIENT):
                await asyncio.wait_for(suspects.close(), CLOSE_S)
        await archive.pool.close()


async def _noting(pool: Pool, settings: Settings, omissions: Omissions, stop: asyncio.Event) -> Suspects:
    """Note from now on what is rendered, and leave out what took this process down before."""
    name = f"{settings.instance or socket.gethostname()}:{settings.port}"
    suspects = Suspects(pool, "publish", STAGE, name)
    await until_answered("what was noted", lambda: omissions.begin(suspects), stop)
    return suspects


@click.command()
def web() -> None:
    """Serve readers: pages, API, feeds and streams."""
    settings = Settings()
    run(settings, STAGE, lambda stop: serve(settings, stop))
