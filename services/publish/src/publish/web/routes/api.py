"""The JSON API: what is visible now, with cursors."""

from functools import cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publish.representation.ninjs import ninjs
from publish.representation.position import NEWS
from publish.representation.reader_json import dump
from publish.representation.site import story_path
from publish.web.archive_client import page_of
from publish.web.feed_store import FeedEntry
from publish.web.routes.answers import Answers, ReadyResponse
from publish.web.routes.openapi import document
from publish.web.routes.parameters import NOW, UPDATE_ID, before_of, channel_of, limit_of
from publish.web.stories import stories_of
from shared.http.problem import Problem
from shared.http.query import with_query

API_PAGE = 20


class Api:
    """The routes under `/v1` of one replica."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        # Made once: it takes as long as a hundred pages.
        self._description = cache(lambda: answers.json(dump(document(answers.renderer.site.url))))

    def routes(self) -> list[Route]:
        """Where each is."""
        return [
            Route("/v1/updates", with_query(self.updates, "channel", "before", "limit", NOW)),
            Route("/v1/updates/{update_id}.ninjs", with_query(self.ninjs)),
            Route("/v1/updates/{update_id}", with_query(self.update)),
            Route("/v1/updates/{update_id}/revisions", with_query(self.revisions)),
            Route("/v1/stories", with_query(self.stories)),
            Route("/openapi.json", with_query(self.openapi)),
        ]

    async def updates(self, request: Request) -> Response:
        """`GET /v1/updates`: a page of a channel, newest position first."""
        answers = self.answers
        channel, before, limit = channel_of(request), before_of(request), limit_of(request, API_PAGE)
        cursor = answers.feed_store.cursor
        page = await page_of(answers.feed_store, answers.archive, channel, before, limit)
        parts = answers.renderer.json_array(page.entries)
        tail = dump({"channel": channel, "next": str(page.next) if page.next else None, "cursor": str(cursor)})
        body = b'{"updates":[' + parts + b"]," + tail[1:]
        answer = answers.json(body, channel=channel, whole=page.whole)
        # A channel that nobody published in is cheap to answer, and there are as many as one can think of names.
        return ReadyResponse(
            answers.keep(request, answer) if page.entries or not request.scope["query_string"] else answer
        )

    async def update(self, request: Request) -> Response:
        """`GET /v1/updates/{update_id}`."""
        entry, in_memory = await self._entry(request)
        answer = self.answers.json(
            self.answers.renderer.json(entry), channel=f"update:{entry.update.update_id}", whole=in_memory
        )
        return ReadyResponse(self.answers.keep(request, answer))

    async def ninjs(self, request: Request) -> Response:
        """`GET /v1/updates/{update_id}.ninjs`."""
        entry, in_memory = await self._entry(request)
        channel = f"update:{entry.update.update_id}"
        renderer = self.answers.renderer
        body = renderer.omissions.attempt(entry, "ninjs", lambda: dump(ninjs(renderer.site, entry.update)))
        answer = self.answers.json(body, channel=channel, whole=in_memory)
        return ReadyResponse(self.answers.keep(request, answer))

    async def _entry(self, request: Request) -> tuple[FeedEntry, bool]:
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
                return FeedEntry(archived.update), False
            removed = archived.update
        raise Problem(
            410, "gone", f"this update is out of sight: {removed.removal}",
            removal=removed.removal, update_id=update_id, revision=removed.revision,
        )  # fmt: skip

    async def revisions(self, request: Request) -> Response:
        """`GET /v1/updates/{update_id}/revisions`: what readers were given over time, first to last."""
        entry, _ = await self._entry(request)
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
            "cursor": str(answers.feed_store.cursor),
        }
        answer = answers.json(dump(value), channel=NEWS)
        return ReadyResponse(answers.keep(request, answer))

    async def openapi(self, request: Request) -> Response:  # noqa: ARG002
        """`GET /openapi.json`."""
        return ReadyResponse(self._description())
