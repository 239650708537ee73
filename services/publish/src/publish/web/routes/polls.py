"""Polls: a form that works without scripts, results for everybody, and one vote a browser.

Who votes is nobody: a browser is given a random name in a signed cookie that is sent here alone, and Redis keeps a digest of it
for each poll. Another site cannot vote for a reader, since a vote must come from a page of ours (Fetch Metadata, or else
`Origin`; RFC 6454). An open page asks for results every two seconds, and shared caches may answer for as long.
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from publish.polls.settled import settled_votes
from publish.polls.votes import PollKey, Votes, browser_of, signed, voter_of
from publish.representation.reader_blocks import ReaderPoll
from publish.representation.reader_json import dump
from publish.representation.reader_update import ReaderUpdate
from publish.representation.retraction import WITHDRAWN, WORDS
from publish.representation.site import poll_path
from publish.web.routes.answers import Answers
from publish.web.routes.parameters import UPDATE_ID
from shared.failures.transient import TRANSIENT
from shared.http.problem import Problem
from shared.http.proxies import TrustedProxies
from shared.http.query import with_query
from shared.http.rate import RateLimit

COOKIE = "slugline_poll"
COOKIE_S = 400 * 86_400
"""As long as browsers keep a cookie at most (RFC 6265bis)."""
MOST_BYTES = 2_000
"""Of a vote."""
FRESH_S = 2.0
"""How old results may be: a replica asks Redis once in that time, however many readers ask."""
MOST_KEPT = 1_000
FORM = "application/x-www-form-urlencoded"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Results:
    """How a poll stands."""

    poll: str
    open: bool
    closes_at: datetime | None
    total: int
    votes: Mapping[str, int]
    """By the options' ids, in their order."""


class Kept(Generic[T]):
    """What was asked for a moment ago, by poll or update; the oldest go first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: OrderedDict[object, tuple[float, T]] = OrderedDict()

    async def get(self, key: object, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer, asked for anew if it is older than `FRESH_S`."""
        known = self._found.get(key)
        if known is not None and self._clock() - known[0] < FRESH_S:
            return known[1]
        answer = await ask()
        self._found[key] = (self._clock(), answer)
        self._found.move_to_end(key)
        if len(self._found) > MOST_KEPT:
            self._found.popitem(last=False)
        return answer


class Polls:
    """The routes of polls of one replica."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        settings = answers.settings
        self._limit = RateLimit(settings.publish_poll_per_minute, TrustedProxies.of(settings))
        self._key = settings.publish_poll_key.encode()
        self._archived: Kept[ReaderUpdate | None] = Kept()
        self._counts: Kept[Mapping[str, int]] = Kept()

    def api_routes(self) -> list[Route]:
        """What scripts of any site may read."""
        return [Route("/v1/polls/{update_id}/{poll}", with_query(self.results))]

    def routes(self) -> list[Route]:
        """The page of a poll, and where votes are sent."""
        return [
            Route("/polls/{update_id}/{poll}", with_query(self.page, "said")),
            Route("/polls/{update_id}/{poll}", with_query(self.vote), methods=["POST"]),
        ]

    async def results(self, request: Request) -> Response:
        """`GET /v1/polls/{update_id}/{poll}`: how it stands."""
        update, poll = await self._asked(request)
        headers = {
            "Cache-Control": f"public, max-age={FRESH_S:.0f}, must-revalidate",
            "Access-Control-Allow-Origin": "*",
            "X-Content-Type-Options": "nosniff",
        }
        return Response(dump(await self._results(update, poll)), 200, headers, "application/json")

    async def page(self, request: Request) -> Response:
        """`GET /polls/{update_id}/{poll}`: the results for those without scripts, and the form."""
        update, poll = await self._asked(request)
        return self._page(update, poll, await self._results(update, poll), request.query_params.get("said", ""))

    def _page(self, update: ReaderUpdate, poll: ReaderPoll, results: Results, said: str) -> Response:
        renderer, _ = self.answers.renderer, self.answers.renderer.interface.gettext
        words = {
            "counted": _("Your vote is counted."),
            "again": _("This browser has voted already."),
            "closed": _("This poll is closed."),
        }
        body = renderer.render("poll.html", update=update, block=poll, results=results, said=words.get(said, ""))
        headers = {name.decode(): value.decode() for name, value in self.answers.security()}
        return Response(body, 200, headers | {"Cache-Control": "no-store"}, "text/html")

    async def vote(self, request: Request) -> Response:
        """`POST /polls/{update_id}/{poll}` with `option`: back to the results, or how it stands as JSON."""
        settings = self.answers.settings
        if not is_from_here(request.headers, settings.publish_site_url):
            raise Problem(403, "not-from-here", "a vote comes from a page of this site")
        if settings.publish_poll_per_minute:
            self._limit.check(request)
        option = await _option(request)
        update, poll = await self._asked(request)
        if option not in {each.id for each in poll.options}:
            raise Problem(400, "unknown-option", "the poll has no such option", field="option")
        key = await self._signing_key()
        browser = browser_of(key, request.cookies.get(COOKIE, "")[:200])
        given = "" if browser else signed(key, secrets.token_urlsafe(16))
        if not _is_open(poll):
            said = "closed"
        else:
            voter = voter_of(key, browser or given.partition(".")[0], (update.update_id, poll.id))
            counted = await self._asking(self._counter.vote((update.update_id, poll.id), option, voter))
            said = "counted" if counted else "again"
        response = await self._answer(request, update, poll, said)
        if given:
            response.set_cookie(
                COOKIE, given, max_age=COOKIE_S, path="/polls", httponly=True, samesite="lax",
                secure=urlsplit(settings.publish_site_url).scheme == "https",
            )  # fmt: skip
        return response

    async def _answer(self, request: Request, update: ReaderUpdate, poll: ReaderPoll, said: str) -> Response:
        if "application/json" in request.headers.get("accept", ""):
            results = await self._results(update, poll)
            answer = {"said": said, "open": results.open, "total": results.total, "votes": results.votes}
            return JSONResponse(answer, headers={"Cache-Control": "no-store"})
        # 303: a reader who reloads what follows does not vote again.
        return RedirectResponse(
            f"{poll_path(update.update_id, poll.id)}?said={said}", 303, {"Cache-Control": "no-store"}
        )

    async def _asked(self, request: Request) -> tuple[ReaderUpdate, ReaderPoll]:
        """The update and its poll; 410 for what is out of sight."""
        update_id, answers = request.path_params["update_id"], self.answers
        nothing = Problem(404, "not-found", "there is no such poll")
        if not UPDATE_ID.match(update_id):
            raise nothing
        if (removed := answers.feed_store.removed(update_id)) is not None:
            raise Problem(410, "gone", WORDS.get(removed.removal or "", WITHDRAWN))
        entry = answers.feed_store.get(update_id)
        update = (
            entry.update if entry is not None else await self._archived.get(update_id, lambda: self._old(update_id))
        )
        if update is None:
            raise nothing
        if update.is_removal:
            raise Problem(410, "gone", WORDS.get(update.removal or "", WITHDRAWN))
        name = request.path_params["poll"]
        poll = next((each for each in update.blocks if isinstance(each, ReaderPoll) and each.id == name), None)
        if poll is None:
            raise nothing
        return update, poll

    async def _old(self, update_id: str) -> ReaderUpdate | None:
        archived = await self.answers.archive.one(update_id)
        return archived.update if archived is not None else None

    async def _results(self, update: ReaderUpdate, poll: ReaderPoll) -> Results:
        key = (update.update_id, poll.id)
        counted = await self._counts.get(key, lambda: self._count(key))
        votes = {option.id: counted.get(option.id, 0) for option in poll.options}
        return Results(poll.id, _is_open(poll), poll.closes_at, sum(votes.values()), votes)

    async def _count(self, key: PollKey) -> Mapping[str, int]:
        count = await self._asking(self._counter.count(key))
        if count.is_whole:
            return count.votes
        settled = await settled_votes(self.answers.archive.connected(), key)
        return {each: settled.get(each, 0) + count.votes.get(each, 0) for each in settled.keys() | count.votes.keys()}

    async def _signing_key(self) -> bytes:
        if not self._key:
            self._key = await self._asking(self._counter.key())
        return self._key

    @property
    def _counter(self) -> Votes:
        if self.answers.votes is None:
            raise _away()
        return self.answers.votes

    async def _asking(self, question: Awaitable[T]) -> T:
        try:
            return await question
        except TRANSIENT as error:
            raise _away() from error


def _away() -> Problem:
    return Problem(503, "votes-away", "votes cannot be counted now", headers={"Retry-After": "5"})


def _is_open(poll: ReaderPoll) -> bool:
    return poll.closes_at is None or datetime.now(UTC) < poll.closes_at


async def _option(request: Request) -> str:
    """The option that a form names."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise Problem(415, "not-a-form", f"a vote is sent as {FORM}")
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise Problem(413, "too-large", f"a vote has at most {MOST_BYTES} bytes")
    try:
        options = parse_qs(body.decode("ascii", "replace"), max_num_fields=10).get("option", [])
    except ValueError:
        options = []
    if len(options) != 1:
        raise Problem(400, "no-option", "a vote names one option", field="option")
    return options[0]


def is_from_here(headers: Mapping[str, str], site_url: str) -> bool:
    """Whether a browser sent a request from a page of the site itself. What says neither where it comes from nor that is refused."""
    if site := headers.get("sec-fetch-site"):
        return site == "same-origin"
    origin = urlsplit(headers.get("origin", ""))
    return bool(origin.netloc) and origin.netloc in (headers.get("host", ""), urlsplit(site_url).netloc)
