"""The application of one replica: its routes, what it answers where it cannot, and the ready answers before them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NoReturn

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from publish.representation.fragment import fitting
from publish.settings import Settings
from publish.web.archive_client import ArchiveClient, replay_from
from publish.web.feed_store import FeedStore
from publish.web.omissions import BACKOFF, Omissions, Omitted
from publish.web.page_parts.story_cards import card_of
from publish.web.partner.docs import Docs
from publish.web.partner.embed import Embeds
from publish.web.partner.search import Search
from publish.web.partner.text import TextPages
from publish.web.partner.things import Things
from publish.web.renderer import Fit, Renderer
from publish.web.response_cache import ResponseCache
from publish.web.routes.answers import Answers
from publish.web.routes.api import Api
from publish.web.routes.assets import Assets
from publish.web.routes.feeds import Feeds
from publish.web.routes.frames import Frames
from publish.web.routes.machine_rights import MachineRightsRoutes
from publish.web.routes.media import MediaRoute
from publish.web.routes.pages import Pages
from publish.web.routes.polls import Polls
from publish.web.routes.sitemaps import Sitemaps
from publish.web.stories import is_over
from publish.web.stream.broadcaster import Broadcaster
from publish.web.stream.http.poll_routes import stream_routes
from publish.web.stream.limits import StreamLimits
from shared.failures.transient import TRANSIENT
from shared.http.problem import PROBLEM_HANDLERS, Problem, outage_problem, problem_response
from shared.http.query import with_query
from shared.http.routing import application
from shared.observability.health import Health, open_health_routes

API_PREFIXES = ("/v1/", "/oembed", "/feeds/", "/media/", "/static/", "/openapi.json")
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
    renderer = Renderer(
        settings, assets, fit=fit, omissions=omissions, find_card=lambda story: card_of(feed_store, story)
    )
    answers = Answers(settings, feed_store, archive, renderer)
    broadcaster = Broadcaster(
        StreamLimits.of(settings),
        replay_from(archive, renderer),
        lambda channel: is_over(feed_store, channel, datetime.now(UTC)),
    )
    pages = Pages(answers)
    machine_rights = MachineRightsRoutes(settings)
    problems = _Problems(pages)
    search = Search(answers)
    polls = Polls(answers)
    open_routes = [
        *Api(answers).routes(),
        *Things(answers).routes(),
        *search.routes(),
        *polls.api_routes(),
        *Feeds(answers).routes(),
        *stream_routes(broadcaster),
    ]
    app = application(
        [
            *open_health_routes(health, settings),
            *open_routes,
            Preflight(open_routes),
            *pages.routes(),
            *search.pages(),
            *polls.routes(),
            *Docs(answers).routes(),
            *TextPages(answers).routes(),
            *Embeds(answers, assets).routes(),
            *Sitemaps(answers).routes(),
            *Frames(answers).routes(),
            *machine_rights.routes(),
            *assets.routes(),
            Route("/media/{path:path}", with_query(MediaRoute(settings.media_store, feed_store, archive))),
        ],
        {
            **PROBLEM_HANDLERS,
            **dict.fromkeys((*TRANSIENT, Problem, HTTPException), problems.answer),
            Omitted: problems.answer_omitted,
        },
    )
    answers.response_cache = ResponseCache(app, feed_store, ignored=settings.ignored_parameters)
    return answers, broadcaster


METHODS = "GET, HEAD, OPTIONS"


class Preflight(BaseRoute):
    """What a browser asks before a script of another site may read one of these routes: of them alone, any other is 404."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = routes

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """OPTIONS of an address that one of the routes has."""
        if scope["type"] != "http" or scope["method"] != "OPTIONS":
            return Match.NONE, {}
        known = any(route.matches({**scope, "method": "GET"})[0] is Match.FULL for route in self._routes)
        return (Match.FULL if known else Match.NONE), {}

    def url_path_for(self, name: str, /, **_: object) -> NoReturn:
        """It has no address of its own."""
        raise LookupError(name)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Allow it."""
        headers = {
            "Allow": METHODS,
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Methods": METHODS,
            "Access-Control-Allow-Headers": "If-None-Match, Last-Event-ID, Cache-Control, Authorization, X-API-Key",
            "Access-Control-Max-Age": "86400",
        }
        await Response(None, 204, headers)(scope, receive, send)


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
            return _allowing(request, response)
        _ = self._pages.answers.renderer.interface.gettext
        heading, words = _("That did not work"), problem.detail
        if problem.status == 404:
            heading, words = _("Page not found"), _("There is nothing under this address.")
        elif problem.status >= 500:
            heading, words = _("One moment"), _("This page cannot be shown now. Please try again shortly.")
        response = self._pages.own_page.message(problem.status, heading, words)
        response.headers.update(problem.headers)
        return _allowing(request, response)

    async def answer_omitted(self, request: Request, error: Exception) -> Response:
        problem = Problem(503, "not-shown", f"{error} now", headers={"Retry-After": str(int(BACKOFF.first_s))})
        return await self.answer(request, problem)


def _allowing(request: Request, response: Response) -> Response:
    """`Allow` of a 405 in one order, with OPTIONS where it is answered (RFC 9110, section 15.5.6)."""
    if allow := response.headers.get("allow"):
        methods = {each.strip() for each in allow.split(",")}
        if request.scope["path"].startswith(("/v1/", "/feeds/", "/openapi.json")) and "GET" in methods:
            methods.add("OPTIONS")
        response.headers["Allow"] = ", ".join(sorted(methods))
    return response


def _problem_of(error: Exception) -> Problem:
    if not isinstance(error, HTTPException):
        return outage_problem(error)
    status = error.status_code
    return Problem(status, CODES.get(status, f"http-{status}"), str(error.detail), headers=error.headers)
