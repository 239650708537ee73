"""The JSON API: what is visible now, with cursors."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publish.archive.queries import Archived
from publish.archive.search.selection import Selection
from publish.representation.ninjs import ninjs
from publish.representation.position import NEWS, Position
from publish.representation.reader_json import dump
from publish.representation.reader_update import ReaderUpdate
from publish.representation.retraction import Retraction, canceled_ninjs, json_notice, retraction_of
from publish.representation.site import story_path
from publish.web.archive_client import MOST_CHARACTERS, page_of, with_changes
from publish.web.feed_store import FeedEntry, FeedPage
from publish.web.partner.negotiation import TYPES
from publish.web.partner.selecting import FILTERS, fields_of, only, selection_of
from publish.web.response_cache import ReadyAnswer
from publish.web.routes.answers import Answers, ReadyResponse
from publish.web.routes.feeds import Feed
from publish.web.routes.openapi import document
from publish.web.routes.parameters import NOW, UPDATE_ID, before_of, limit_of
from publish.web.stories import stories_of
from shared.http.problem import Problem
from shared.http.query import with_query

API_PAGE = 20


class Gone(Exception):
    """An update that was there and is out of sight."""

    def __init__(self, update_id: str, removal: str, revision: int, retraction: Retraction | None) -> None:
        super().__init__(update_id)
        self.update_id = update_id
        self.removal = removal
        self.revision = revision
        self.retraction = retraction

    def problem(self) -> Problem:
        """As programs are told."""
        return Problem(
            410, "gone", f"this update is out of sight: {self.removal}",
            removal=self.removal, update_id=self.update_id, revision=self.revision,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Asked:
    """A page as it was asked for."""

    channel: str
    selection: Selection
    before: Position | None
    limit: int
    fields: Sequence[str]


class Api:
    """The routes under `/v1` of one replica."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        # Made once: it takes as long as a hundred pages.
        self._description = cache(lambda: answers.json(dump(document(answers.renderer.site.url))))

    def routes(self) -> list[Route]:
        """Where each is."""
        of_page = ("channel", *FILTERS, "fields", "before", "limit", NOW)
        return [
            Route("/v1/updates", with_query(self.updates, *of_page)),
            Route("/v1/updates.{form}", with_query(self.updates, *of_page)),
            Route("/v1/updates/{update_id}.{form}", with_query(self.update, "fields")),
            Route("/v1/updates/{update_id}", with_query(self.update, "fields")),
            Route("/v1/updates/{update_id}/revisions", with_query(self.revisions)),
            Route("/v1/stories", with_query(self.stories)),
            Route("/openapi.json", with_query(self.openapi)),
        ]

    async def updates(self, request: Request) -> Response:
        """`GET /v1/updates`: a page of a channel, newest position first."""
        answers, form = self.answers, form_of(request)
        channel, selection = selection_of(request)
        asked = _Asked(channel, selection, before_of(request), limit_of(request, API_PAGE), fields_of(request))
        # Before the page: what comes meanwhile is on it and in the stream behind it, and never in neither.
        cursor = await answers.cursor_of(channel)
        page = await page_of(
            answers.feed_store,
            answers.archive,
            channel,
            asked.before,
            asked.limit,
            selection=selection,
            most_characters=MOST_CHARACTERS,
        )
        if form == "json":
            body = self._json_page(asked, page, cursor)
        else:
            following = self._address(request, page.next) if page.next is not None else ""
            retractions = self._retractions(asked, page)
            make = self._ninjs_page if form == "ninjs" else self._feed_page
            body = make(asked, page, cursor, following, retractions)
        answer = self._ready(body, form, channel=channel, whole=page.whole)
        # A channel that nobody published in is cheap to answer, and there are as many as one can think of names.
        return ReadyResponse(
            answers.keep(request, answer) if page.entries or not request.scope["query_string"] else answer
        )

    def _ready(self, body: bytes, form: str, *, channel: str, whole: bool) -> ReadyAnswer:
        answer = self.answers.json(body, channel=channel, whole=whole, media_type=TYPES[form])
        for head in (answer.head, answer.head_304, answer.head_gzip):
            head[:] = [(name, b"accept, accept-encoding" if name == b"vary" else value) for name, value in head]
        return answer

    def _json_page(self, asked: _Asked, page: FeedPage, cursor: Position) -> bytes:
        renderer = self.answers.renderer
        if asked.fields:
            made = renderer.json_list(page.entries)
            parts = b",".join(only(each, asked.fields) for each in made)
        else:
            parts = renderer.json_array(page.entries)
        tail = {"channel": asked.channel, "next": str(page.next) if page.next else None, "cursor": str(cursor)}
        return b'{"updates":[' + parts + b"]," + dump(tail)[1:]

    def _ninjs_page(
        self, asked: _Asked, page: FeedPage, cursor: Position, following: str, retractions: Sequence[Retraction]
    ) -> bytes:
        renderer = self.answers.renderer
        made = renderer.omissions.those(page.entries, "ninjs", lambda entry: ninjs(renderer.site, entry.update))
        items = [(entry.position, item) for entry, item in made]
        items += [(gone.position, canceled_ninjs(renderer.site, gone)) for gone in retractions]
        items.sort(key=lambda each: each[0], reverse=True)
        return dump(
            {
                "items": [item for _, item in items],
                "channel": asked.channel,
                "next": str(page.next) if page.next else None,
                "next_url": following or None,
                "cursor": str(cursor),
            }
        )

    def _feed_page(
        self, asked: _Asked, page: FeedPage, cursor: Position, following: str, retractions: Sequence[Retraction]
    ) -> bytes:
        settings = self.answers.settings
        feed = Feed(
            self.answers,
            title=settings.publish_site_name,
            page="/",
            address="/v1/updates.jsonfeed",
            hub="",
            entries=page.entries,
            name=settings.publish_site_name,
            retractions=retractions,
            following=following,
        )
        return feed.json(_slugline={"channel": asked.channel, "cursor": str(cursor)})

    def _retractions(self, asked: _Asked, page: FeedPage) -> list[Retraction]:
        """Those of the channel whose places lie on the page."""
        last = page.next
        return [
            each
            for each in self.answers.retractions(asked.channel)
            if (asked.before is None or each.position < asked.before) and (last is None or each.position > last)
        ]

    def _address(self, request: Request, before: Position) -> str:
        query = [(name, value) for name, value in request.query_params.multi_items() if name not in ("before", NOW)]
        return f"{self.answers.renderer.site.url}{request.scope['path']}?{urlencode([*query, ('before', str(before))])}"

    async def update(self, request: Request) -> Response:
        """`GET /v1/updates/{update_id}`, in any of the forms."""
        form, fields = form_of(request), fields_of(request)
        renderer = self.answers.renderer
        try:
            entry, in_memory = await self._entry(request)
        except Gone as gone:
            return self._gone(gone, form)
        channel = f"update:{entry.update.update_id}"
        if form == "ninjs":
            body = renderer.omissions.attempt(entry, "ninjs", lambda: dump(ninjs(renderer.site, entry.update)))
        elif form == "jsonfeed":
            page = FeedPage([entry], more=False, whole=True)
            asked = _Asked(channel, Selection(), None, 1, ())
            body = self._feed_page(asked, page, entry.update.cursor, "", ())
        else:
            body = renderer.json(entry)
            body = only(body, fields) if fields else body
        return ReadyResponse(self.answers.keep(request, self._ready(body, form, channel=channel, whole=in_memory)))

    def _gone(self, gone: Gone, form: str) -> Response:
        """410; in the words of the form, where readers had the update and the form has words for it."""
        retraction, site = gone.retraction, self.answers.renderer.site
        if retraction is None or form == "json":
            raise gone.problem()
        item = canceled_ninjs(site, retraction) if form == "ninjs" else json_notice(site, retraction)
        headers = {
            "Content-Type": TYPES[form],
            "Cache-Control": "no-store",
            "Access-Control-Allow-Origin": "*",
            "X-Content-Type-Options": "nosniff",
            "Vary": "accept",
        }
        return Response(dump(item), 410, headers)

    async def _entry(self, request: Request) -> tuple[FeedEntry, bool]:
        """The update that a path names, and whether memory has it; `Gone` where it is out of sight."""
        update_id = request.path_params["update_id"]
        if not UPDATE_ID.match(update_id):
            raise Problem(404, "not-found", "there is no such update")
        entry = self.answers.feed_store.get(update_id)
        if entry is not None:
            return entry, True
        removed = self.answers.feed_store.removed(update_id)
        if removed is None:
            archived = await self.answers.archive.one(update_id)
            if archived is None:
                raise Problem(404, "not-found", "there is no such update")
            if not archived.update.is_removal:
                return (await self._with_change(archived)), False
            removed = archived.update
        retraction = self.answers.feed_store.retraction(update_id)
        if retraction is None and isinstance(removed, ReaderUpdate):
            retraction = retraction_of(removed, ())
        raise Gone(update_id, removed.removal or "withdrawn", removed.revision, retraction)

    async def _with_change(self, archived: Archived) -> FeedEntry:
        (found,) = await with_changes(self.answers.archive, [archived])
        return self.answers.archive.entries.entry(found.update)

    async def revisions(self, request: Request) -> Response:
        """`GET /v1/updates/{update_id}/revisions`: what readers were given over time, first to last."""
        try:
            entry, _ = await self._entry(request)
        except Gone as gone:
            raise gone.problem() from None
        archived = await self.answers.archive.revisions(entry.update.update_id)
        renderer = self.answers.renderer
        parts = renderer.json_array(FeedEntry(each.update) for each in archived if not each.update.is_removal)
        return ReadyResponse(
            self.answers.json(
                b'{"revisions":[' + parts + b"]}", channel=f"update:{entry.update.update_id}", whole=False
            )
        )

    async def stories(self, request: Request) -> Response:
        """`GET /v1/stories`: the stories of the newest updates."""
        answers = self.answers
        cursor = await answers.cursor_of(NEWS)
        value = {
            "stories": [
                {
                    "id": story.id,
                    "label": story.label,
                    "url": answers.renderer.site.url + story_path(story.id),
                    "updates": story.count,
                    "closed": story.closed,
                    "corroboration": story.corroboration,
                    "newest": {
                        "update_id": story.newest.update.update_id,
                        "headline": story.newest.update.headline,
                        "first_published_at": story.newest.update.first_published_at,
                        "position": str(story.newest.position),
                    },
                }
                for story in stories_of(answers.feed_store)
            ],
            "cursor": str(cursor),
        }
        answer = answers.json(dump(value), channel=NEWS)
        return ReadyResponse(answers.keep(request, answer))

    async def openapi(self, request: Request) -> Response:  # noqa: ARG002
        """`GET /openapi.json`."""
        return ReadyResponse(self._description())


def form_of(request: Request) -> str:
    """The form that the suffix of an address names; JSON without one."""
    form: str = request.path_params.get("form", "json")
    if form not in TYPES:
        raise Problem(404, "not-found", f"updates end in {', '.join(f'.{each}' for each in TYPES)} or in nothing")
    return form
