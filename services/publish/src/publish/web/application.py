"""The application of one replica: its routes, what it answers where it cannot, and the ready answers before them."""

from collections.abc import Mapping
from datetime import UTC, datetime

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publish.representation.fragment import fitting
from publish.settings import Settings
from publish.web.archive_client import ArchiveClient, replay_from
from publish.web.feed_store import FeedStore
from publish.web.omissions import BACKOFF, Omissions, Omitted
from publish.web.renderer import Fit, Renderer
from publish.web.response_cache import ResponseCache
from publish.web.routes.answers import Answers
from publish.web.routes.api import Api
from publish.web.routes.assets import Assets
from publish.web.routes.feeds import Feeds
from publish.web.routes.media import MediaRoute
from publish.web.routes.pages import Pages
from publish.web.stories import is_over
from publish.web.stream.broadcaster import Broadcaster
from publish.web.stream.http.poll_routes import stream_routes
from publish.web.stream.limits import StreamLimits
from shared.failures.transient import TRANSIENT
from shared.http.problem import PROBLEM_HANDLERS, Problem, outage_problem, problem_response
from shared.http.query import with_query
from shared.http.routing import application
from shared.observability.health import Health, open_health_routes

API_PREFIXES = ("/v1/", "/feeds/", "/media/", "/static/", "/openapi.json")
CODES: Mapping[int, str] = {404: "not-found", 405: "method-not-allowed"}


def build(
    settings: Settings,
    feed_store: FeedStore,
    archive: ArchiveClient,
    health: Health,
    *,
    fit: Fit = fitting,
    omissions: Omissions | None = None,
) -> tuple[Answers, Broadcaster]:
    """A replica's application, without anything that connects; `response_cache` of the answers is the ASGI application.

    `fit` and `omissions` are the renderer's: what makes bodies fit, and what leaves out what cannot be shown.
    """
    assets = Assets()
    renderer = Renderer(settings, assets, fit=fit, omissions=omissions)
    answers = Answers(settings, feed_store, archive, renderer)
    broadcaster = Broadcaster(
        StreamLimits.of(settings),
        replay_from(archive, renderer),
        lambda channel: is_over(feed_store, channel, datetime.now(UTC)),
    )
    pages = Pages(answers)
    problems = _Problems(pages)
    app = application(
        [
            *open_health_routes(health, settings),
            *Api(answers).routes(),
            *pages.routes(),
            *Feeds(answers).routes(),
            *stream_routes(broadcaster),
            *assets.routes(),
            Route("/media/{path:path}", with_query(MediaRoute(settings.media_store, feed_store, archive))),
            Route("/v1/{path:path}", preflight, methods=["OPTIONS"]),
        ],
        {
            **PROBLEM_HANDLERS,
            **dict.fromkeys((*TRANSIENT, Problem, HTTPException), problems.answer),
            Omitted: problems.answer_omitted,
        },
    )
    answers.response_cache = ResponseCache(app, feed_store, ignored=settings.ignored_parameters)
    return answers, broadcaster


async def preflight(_: Request) -> Response:
    """What a browser asks before a script of another site may read the API."""
    return Response(
        None,
        204,
        {
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
            "Access-Control-Allow-Headers": "If-None-Match, Last-Event-ID, Cache-Control, Authorization, X-API-Key",
            "Access-Control-Max-Age": "86400",
        },
    )


class _Problems:
    """Says what went wrong: to programs as RFC 9457 has it, to people by a page."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def answer(self, request: Request, error: Exception) -> Response:
        problem = error if isinstance(error, Problem) else _problem_of(error)
        if request.scope["path"].startswith(API_PREFIXES) or "text/html" not in request.headers.get("accept", ""):
            response = problem_response(problem)
            response.headers["Access-Control-Allow-Origin"] = "*"
            response.headers["X-Content-Type-Options"] = "nosniff"
            return response
        heading, words = "That did not work", problem.detail
        if problem.status == 404:
            heading, words = "Page not found", "There is nothing under this address."
        elif problem.status >= 500:
            heading, words = "One moment", "This page cannot be shown now. Please try again shortly."
        response = self._pages.message(problem.status, heading, words)
        response.headers.update(problem.headers)
        return response

    async def answer_omitted(self, request: Request, error: Exception) -> Response:
        problem = Problem(503, "not-shown", f"{error} now", headers={"Retry-After": str(int(BACKOFF.first_s))})
        return await self.answer(request, problem)


def _problem_of(error: Exception) -> Problem:
    if not isinstance(error, HTTPException):
        return outage_problem(error)
    status = error.status_code
    return Problem(status, CODES.get(status, f"http-{status}"), str(error.detail), headers=error.headers)
