"""How a replica answers: out of what it knows, with the headers that its answers have in common."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from publish.polls.votes import Votes
from publish.representation.position import Position
from publish.representation.retraction import Retraction
from publish.representation.story_record import StoryRecord
from publish.settings import Settings
from publish.web.archive_client import ArchiveClient
from publish.web.feed_store import FeedEntry, FeedStore
from publish.web.omissions import BACKOFF
from publish.web.renderer import Renderer
from publish.web.response_cache import BEGAN, Header, ReadyAnswer, ResponseCache
from publish.web.routes.machine_rights import headers_of
from publish.web.routes.parameters import NOW
from shared.http.problem import Problem

RETRACTIONS = 200
"""Most notices in one feed: those of the last removals."""

NOSNIFF: Header = (b"x-content-type-options", b"nosniff")
REFERRER: Header = (b"referrer-policy", b"strict-origin-when-cross-origin")
PERMISSIONS: Header = (
    b"permissions-policy",
    b"camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()",
)
OPEN: Header = (b"access-control-allow-origin", b"*")
EXPOSED: Header = (b"access-control-expose-headers", b"etag, link, retry-after, ratelimit, ratelimit-policy")


@dataclass
class Answers:
    """What one replica answers from, and the making and keeping of its answers."""

    settings: Settings
    feed_store: FeedStore
    archive: ArchiveClient
    renderer: Renderer
    votes: Votes | None = None
    """Where votes of polls are counted, once the process has it."""
    response_cache: ResponseCache = field(init=False)

    def retractions(self, channel: str) -> list[Retraction]:
        """What the feeds of a channel tell of updates that their readers may still keep."""
        since = datetime.now(UTC) - timedelta(days=self.settings.publish_feed_retraction_days)
        return [each for each in self.feed_store.retractions(channel, RETRACTIONS) if each.at >= since]

    async def cursor_of(self, channel: str) -> Position:
        """Behind which a stream of the channel goes on: its last change, so that every replica says the same.

        Without the archive it is the newest place of the log that this replica knows.
        """
        feed_store = self.feed_store
        known = feed_store.changed_at(channel)
        if known is None:
            here = feed_store.cursor
            try:
                known = await self.archive.last_change(channel, here)
            except Problem:
                return here
            if known is None or known.epoch < here.epoch:
                # Not kept: there are as many channels without a change as one can think of names.
                return feed_store.changed_at(channel) or Position(here.epoch, -1)
            feed_store.note_change(channel, known)
            known = feed_store.changed_at(channel) or known
        return known

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

    def security(self, style: str = "'self'") -> list[Header]:
        """The headers of every page. Nothing runs and nothing is loaded that is not this site's own; `style`: the styles that apply."""
        push = urlsplit(self.settings.publish_push_url) if self.settings.publish_web_alerts else None
        connect = f"'self' {push.scheme}://{push.netloc}" if push and push.netloc else "'self'"
        images = " ".join(["'self'", "data:", *self.settings.image_origins])
        scheme = urlsplit(self.settings.publish_site_url).scheme
        policy = (
            f"default-src 'none'; script-src 'self'; style-src {style}; worker-src 'self'; "
            f"connect-src {connect}; img-src {images}; frame-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
            + ("; upgrade-insecure-requests" if scheme == "https" else "")
        )
        return [
            (b"content-security-policy", policy.encode()),
            (b"cross-origin-opener-policy", b"same-origin"),
            NOSNIFF,
            REFERRER,
            PERMISSIONS,
            *headers_of(
                self.settings.publish_machine_rights,
                self.renderer.site.url,
                self.settings.publish_machine_terms_url,
            ),
        ]

    async def story_record(self, story: str, newest: FeedEntry) -> StoryRecord:
        """What is known of a story, here and in the archive; while that is away, what is known here."""
        known = self.feed_store.story(story)
        if known is not None and known.is_whole:
            return known
        by_newest = StoryRecord(story, newest.update.first_published_at, newest.update.story_profile)
        try:
            archived = await self.archive.story(story)
        except Problem:
            return known or by_newest
        return self.feed_store.learn_story(replace(archived or by_newest, is_whole=True))

    def page(self, body: bytes, *, channel: str, whole: bool = True, style: str = "'self'") -> ReadyAnswer:
        """An HTML answer; for `style` see `security`."""
        headers = [self.cache_of(channel), *self.security(style)]
        return ReadyAnswer(body, "text/html; charset=utf-8", headers, channel=channel, whole=whole)

    def json(
        self, body: bytes, *, channel: str = "", whole: bool = True, media_type: str = "application/json"
    ) -> ReadyAnswer:
        """A JSON answer of a body that is encoded."""
        headers = [self.cache_of(channel), NOSNIFF, OPEN, EXPOSED]
        return ReadyAnswer(body, media_type, headers, channel=channel, whole=whole)

    def keep(self, request: Request, answer: ReadyAnswer) -> ReadyAnswer:
        """Keep an answer under the address that it was asked by, unless that is one which nobody asks by again."""
        if NOW in request.query_params:
            return answer
        if answer.fresh_s is None and self.renderer.omissions.are_any:
            answer.fresh_s = BACKOFF.first_s
        began: int | None = request.scope.get(BEGAN)
        return self.response_cache.keep(request.scope["path"], request.scope["query_string"], answer, began)


class ReadyResponse(Response):
    """An `ReadyAnswer` that leaves by way of a route."""

    def __init__(self, answer: ReadyAnswer) -> None:
        super().__init__(answer.body)
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ReadyAnswer as the response cache does."""
        await self.answer(scope, receive, send)
