"""Search over all that was published: by API and by page.

Results come from the archive's index, and memory, which is ahead of it, has the last word: what was killed is not found from
the moment this replica knows, and what was corrected is looked at again in its new words. No answer is kept anywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publish.archive.queries import Archived
from publish.archive.search.engine import BEGIN, END, Excerpt, Passage
from publish.archive.search.selection import Selection
from publish.representation.position import NEWS, Position
from publish.representation.reader_json import dump
from publish.representation.words import full_text_of, printable, title_of
from publish.web.archive_client import with_changes
from publish.web.feed_store import FeedEntry
from publish.web.partner.selecting import FILTERS, selection_of
from publish.web.routes.answers import EXPOSED, NOSNIFF, OPEN, Answers
from publish.web.routes.parameters import before_of, limit_of
from shared.http.problem import Problem
from shared.http.query import with_query

MOST_CHARACTERS = 200
MOST_WORDS = 20
PAGE = 20
TRIES = 3
"""Times that more is asked for where what was found is out of sight by now."""
NO_STORE = (b"cache-control", b"no-store")


@dataclass(frozen=True, slots=True)
class Result:
    """An update that was found, and what is shown of it."""

    entry: FeedEntry
    title: Markup
    excerpt: Markup


@dataclass(frozen=True, slots=True)
class Results:
    """A page of results. `complete`: everything that is archived was searched."""

    found: list[Result]
    next: Position | None
    complete: bool


def words_of(request: Request) -> str:
    """The words of a search; a Problem (400) where they are none."""
    given = " ".join(printable(request.query_params.get("q", "")).split())
    if not given:
        raise Problem(400, "bad-q", "q: words are needed", field="q")
    if len(given) > MOST_CHARACTERS or len(given.split()) > MOST_WORDS:
        raise Problem(400, "bad-q", f"q: at most {MOST_CHARACTERS} characters and {MOST_WORDS} words", field="q")
    return given


def marked(text: str) -> Markup:
    """An excerpt as HTML: the text escaped, and `<mark>` around what was found."""
    html = escape(printable(text.replace(BEGIN, "\ue000").replace(END, "\ue001")))
    return Markup(html.replace("\ue000", "<mark>").replace("\ue001", "</mark>"))  # noqa: S704 -- escaped above


class Search:
    """`/v1/search` and `/search` of one replica."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers

    def routes(self) -> list[Route]:
        """The part of the API."""
        return [Route("/v1/search", with_query(self.api, "q", "channel", *FILTERS, "before", "limit"))]

    def pages(self) -> list[Route]:
        """The page."""
        return [Route("/search", with_query(self.page, "q", *FILTERS, "before"))]

    async def api(self, request: Request) -> Response:
        """`GET /v1/search`: results, newest first."""
        words, selection = words_of(request), _selection(request)
        results = await self._search(words, selection, before_of(request), limit_of(request, PAGE, 50))
        renderer = self.answers.renderer
        rows = [
            b'{"update":' + made + b',"highlights":' + dump({"title": each.title, "excerpt": each.excerpt}) + b"}"
            for each in results.found
            for made in renderer.json_list([each.entry])
        ]
        tail = {"q": words, "next": str(results.next) if results.next else None, "complete": results.complete}
        body = b'{"results":[' + b",".join(rows) + b"]," + dump(tail)[1:]
        headers = dict([NO_STORE, NOSNIFF, OPEN, EXPOSED])
        return Response(body, 200, {k.decode(): v.decode() for k, v in headers.items()}, "application/json")

    async def page(self, request: Request) -> Response:
        """`GET /search`: a form, and what was found."""
        answers, cursor = self.answers, self.answers.feed_store.cursor
        given = request.query_params.get("q", "")
        results, problem, words = Results([], None, complete=True), "", ""
        status, headers = 200, {"Cache-Control": "no-store"}
        if given.strip():
            try:
                words = words_of(request)
                results = await self._search(words, _selection(request), before_of(request), PAGE)
            except Problem as error:
                status, problem = error.status, error.detail
                headers |= error.headers
        body = answers.renderer.render(
            "search.html",
            words=printable(given[:MOST_CHARACTERS]),
            cursor=cursor,
            searched=bool(words),
            problem=problem,
            results=results.found,
            complete=results.complete,
            next=results.next,
            before=request.query_params.get("before"),
            others=[(name, value) for name, value in request.query_params.multi_items() if name in FILTERS],
        )
        for name, value in answers.security():
            headers[name.decode()] = value.decode()
        return Response(body, status, headers, "text/html; charset=utf-8")

    async def _search(self, words: str, selection: Selection, before: Position | None, limit: int) -> Results:
        archive = self.answers.archive
        found: list[Result] = []
        last, more = before, True
        for _ in range(TRIES):
            archived = await archive.find(words, selection, last, limit + 1)
            more = len(archived) > limit or (bool(archived) and archived[-1].is_cut)
            archived = archived[:limit]
            if archived:
                last = archived[-1].position
            room = limit - len(found)
            fitting = await self._shown(words, selection, await with_changes(archive, archived))
            if len(fitting) > room:
                last, more = fitting[room - 1].entry.position, True
            found += fitting[:room]
            if not more or len(found) >= limit:
                break
        return Results(found, last if more else None, await archive.is_filled())

    async def _shown(self, words: str, selection: Selection, archived: Sequence[Archived]) -> list[Result]:
        """Those that readers may see now and that fit still, by the newest words that this replica knows."""
        feed_store = self.answers.feed_store
        entries: list[tuple[FeedEntry, bool]] = []
        for each in archived:
            if feed_store.removed(each.update.update_id) is not None:
                continue
            known = feed_store.get(each.update.update_id)
            entry = known or self.answers.archive.entries.entry(each.update)
            if known is None or selection.matches(entry.update):
                entries.append((entry, entry.update.revision != each.update.revision))
        passages = [
            Passage(
                entry.update.language,
                title_of(entry.update),
                "\n".join((entry.update.summary, full_text_of(entry.update))),
            )
            for entry, _ in entries
        ]
        excerpts = await self.answers.archive.excerpts(words, passages)
        return [
            _result(entry, excerpt)
            for (entry, is_newer), excerpt in zip(entries, excerpts, strict=True)
            if excerpt.found or not is_newer
            # A kill may have come while Postgres was asked.
            if feed_store.removed(entry.update.update_id) is None
        ]


def _selection(request: Request) -> Selection:
    channel, selection = selection_of(request)
    return selection if channel == NEWS else replace(selection, channels=selection.channels | {channel})


def _result(entry: FeedEntry, excerpt: Excerpt) -> Result:
    return Result(entry, marked(excerpt.title), marked(excerpt.text))
