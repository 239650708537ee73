"""What the routes share, and how they answer."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from publish.representation.position import Position
from publish.representation.views import Views, modified_at
from publish.settings import Settings
from publish.web.archive_client import ArchiveClient
from publish.web.feed_store import FeedEntry, FeedStore
from publish.web.omissions import BACKOFF
from publish.web.response_cache import Header, ReadyAnswer, ResponseCache
from publish.web.routes.assets import Assets
from shared.http.problem import Problem

UPDATE_ID = re.compile(r"^[a-z2-7]{26}$")
CHANNEL_KINDS = ("source", "tag", "story", "author", "update")
MAX_CHANNEL_CHARS = 300
NOW = "at"
"""The parameter, with any value, of who asks past every cache for what is true now: our own push process does."""

NOSNIFF: Header = (b"x-content-type-options", b"nosniff")
REFERRER: Header = (b"referrer-policy", b"strict-origin-when-cross-origin")
PERMISSIONS: Header = (
    b"permissions-policy",
    b"camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()",
)
OPEN: Header = (b"access-control-allow-origin", b"*")
EXPOSED: Header = (b"access-control-expose-headers", b"etag, link, retry-after")


@dataclass
class Answers:
    """One web replica: what it knows and how it renders."""

    settings: Settings
    feed_store: FeedStore
    archive: ArchiveClient
    views: Views
    assets: Assets
    response_cache: ResponseCache = field(init=False)

    @property
    def cache(self) -> Header:
        """How long others may keep what changes.

        A shared cache asks again after seconds, so that a kill reaches readers through caches that nobody purges; the
        stale times cover a moment of ours and no more.
        """
        fresh = self.settings.publish_web_fresh_s
        return (
            b"cache-control",
            f"public, max-age=0, s-maxage={fresh}, stale-while-revalidate={fresh * 2}, stale-if-error=30".encode(),
        )

    def cache_of(self, channel: str) -> Header:
        """As `cache`; but what shows one update alone is never served stale, so that not even an outage of ours brings a killed one back."""
        if not channel.startswith("update:"):
            return self.cache
        fresh = self.settings.publish_web_fresh_s
        return (b"cache-control", f"public, max-age=0, s-maxage={fresh}, must-revalidate".encode())

    def security(self) -> list[Header]:
        """The headers of every page. Nothing runs and nothing is loaded that is not this site's own."""
        push = urlsplit(self.settings.publish_push_url) if self.settings.publish_web_alerts else None
        connect = f"'self' {push.scheme}://{push.netloc}" if push and push.netloc else "'self'"
        images = " ".join(["'self'", "data:", *self.settings.image_origins])
        scheme = urlsplit(self.settings.publish_site_url).scheme
        policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; worker-src 'self'; "
            f"connect-src {connect}; img-src {images}; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            + ("; upgrade-insecure-requests" if scheme == "https" else "")
        )
        return [
            (b"content-security-policy", policy.encode()),
            (b"cross-origin-opener-policy", b"same-origin"),
            NOSNIFF,
            REFERRER,
            PERMISSIONS,
        ]

    def page(self, body: bytes, *, channel: str, whole: bool = True) -> ReadyAnswer:
        """An HTML answer."""
        return ReadyAnswer(
            body, "text/html; charset=utf-8", [self.cache_of(channel), *self.security()], channel=channel, whole=whole
        )

    def json(self, body: bytes, *, channel: str = "", whole: bool = True) -> ReadyAnswer:
        """A JSON answer of a body that is encoded."""
        headers = [self.cache_of(channel), NOSNIFF, OPEN, EXPOSED]
        return ReadyAnswer(body, "application/json", headers, channel=channel, whole=whole)

    def keep(self, request: Request, answer: ReadyAnswer) -> ReadyAnswer:
        """Keep an answer under the address that it was asked by, unless that is one which nobody asks by again."""
        if NOW in request.query_params:
            return answer
        if answer.fresh_s is None and self.views.omissions.are_any:
            answer.fresh_s = BACKOFF.first_s
        return self.response_cache.keep(request.scope["path"], request.scope["query_string"], answer)


class ReadyResponse(Response):
    """An `ReadyAnswer` that leaves by way of a route."""

    def __init__(self, answer: ReadyAnswer) -> None:
        super().__init__(answer.body)
        self.answer = answer

    async def __call__(self, scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        """ReadyAnswer as the response cache does."""
        await self.answer(scope, receive, send)


Endpoint = Callable[[Request], Awaitable[Response]]


def taking(endpoint: Endpoint, *names: str) -> Endpoint:
    """An endpoint that takes these query parameters, each once, and no others: 400 names the one it does not know."""
    known = frozenset(names)

    async def checked(request: Request) -> Response:
        if request.scope["query_string"]:
            given = [name for name, _ in request.query_params.multi_items()]
            for name in given:
                if name not in known:
                    raise Problem(400, "unknown-parameter", f"{name[:100]!r} is no parameter here", field=name[:100])
                if given.count(name) > 1:
                    raise Problem(400, "repeated-parameter", f"{name} is given more than once", field=name)
        return await endpoint(request)

    return checked


def before_of(request: Request) -> Position | None:
    """The cursor `before` of a request."""
    given = request.query_params.get("before")
    if given is None or given == "":
        return None
    try:
        return Position.parse(given)
    except ValueError as error:
        raise Problem(400, "bad-cursor", f"before: {error}", field="before") from error


def limit_of(request: Request, default: int, most: int = 100) -> int:
    """The `limit` of a request."""
    given = request.query_params.get("limit")
    if given is None:
        return default
    if not (given.isascii() and given.isdigit() and len(given) < 6 and 1 <= int(given) <= most):
        raise Problem(400, "bad-limit", f"limit: a whole number from 1 to {most} is needed", field="limit")
    return int(given)


def channel_of(request: Request) -> str:
    """The `channel` of a request; `news` without one."""
    given = request.query_params.get("channel", "news")
    kind, colon, name = given.partition(":")
    known = given == "news" or (colon and name and kind in CHANNEL_KINDS)
    if not known or len(given) > MAX_CHANNEL_CHARS or "\x00" in given:
        raise Problem(
            400, "bad-channel",
            "channel: news, source:NAME, tag:CODE, story:ID, author:SLUG or update:ID is needed", field="channel",
        )  # fmt: skip
    return given


def closed_at(entries: list[FeedEntry]) -> datetime | None:
    """When a story's coverage ended, by the updates that say it is over; None while it is open."""
    times = [
        entry.update.version_created or modified_at(entry.update) for entry in entries if entry.update.flags.closed
    ]
    return max(times) if times else None
