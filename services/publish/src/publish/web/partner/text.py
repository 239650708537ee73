"""Text pages: whatever the size of the news, one request and at most 14 kB, what a connection carries before its first answer is
acknowledged (RFC 6928). No script or picture, and of style one line, so that no long word makes a page wider than its window.
"""

import base64
import hashlib
from collections.abc import Sequence

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publish.representation.position import NEWS, Position
from publish.representation.reader_update import ReaderUpdate
from publish.representation.retraction import WITHDRAWN, WORDS
from publish.representation.site import story_path
from publish.representation.words import full_text_of, title_of
from publish.web.archive_client import page_of
from publish.web.feed_store import FeedEntry
from publish.web.omissions import Omitted
from publish.web.response_cache import ReadyAnswer
from publish.web.routes.answers import Answers, ReadyResponse
from publish.web.routes.parameters import UPDATE_ID, before_of
from shared.http.problem import Problem
from shared.http.query import with_query

MOST_BYTES = 14_000
"""Of a body that is not compressed. The head of the answer takes about a kilobyte of the ten segments (14,600 bytes) that go out at once."""
FRAME_BYTES = 3_000
"""For what stands around the updates: the head of the answer, of the page, its title and links."""
ENTRIES = 30
SHORT_CHARACTERS = 280
STYLE = "body{max-width:42em;margin:auto;padding:0 1em;font:1em/1.5 sans-serif;overflow-wrap:anywhere;background:Canvas;color:CanvasText}"
_OWN_STYLE = f"'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"


class TextPages:
    """The routes under `/text` of one replica."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers

    def routes(self) -> list[Route]:
        """Where each is."""
        return [
            Route("/text", with_query(self.news, "before")),
            Route("/text/stories/{story}", with_query(self.story, "before")),
            Route("/text/updates/{update_id}", with_query(self.update)),
        ]

    async def news(self, request: Request) -> Response:
        """`GET /text`: the newest updates."""
        return await self._feed(request, NEWS, self.answers.settings.publish_site_name, "/")

    async def story(self, request: Request) -> Response:
        """`GET /text/stories/{story}`."""
        story = request.path_params["story"]
        if "\x00" in story:
            raise Problem(404, "not-found", "nothing has been published under this address")
        return await self._feed(request, f"story:{story}", story, story_path(story))

    async def _feed(self, request: Request, channel: str, name: str, path: str) -> Response:
        answers, before = self.answers, before_of(request)
        page = await page_of(answers.feed_store, answers.archive, channel, before, ENTRIES)
        if not page.entries and channel != NEWS and before is None:
            raise Problem(404, "not-found", "nothing has been published under this address")
        title = name
        if channel != NEWS and page.entries:
            newest = page.entries[0]
            title = (await answers.story_record(name, newest)).name(newest.update.story_label)
        items, shown = self._fitting(page.entries)
        following = shown if shown is not None and (page.more or shown != page.entries[-1].position) else None
        body = answers.renderer.render(
            "text.html",
            style=STYLE,
            title=title[:200],
            canonical=answers.renderer.site.url + path,
            body=Markup("").join(items),
            next=following,
        )
        return self._answer(request, body, channel, whole=page.whole)

    def _fitting(self, entries: Sequence[FeedEntry]) -> tuple[list[Markup], Position | None]:
        """As many items as fit, and the position of the last."""
        items: list[Markup] = []
        room, last = MOST_BYTES - FRAME_BYTES, None
        for entry in entries:
            update = entry.update
            whole = full_text_of(update)
            short = len(whole) <= SHORT_CHARACTERS
            text = whole if short else (update.excerpt or whole)[:SHORT_CHARACTERS].rstrip() + "…"
            try:
                item = self._item(entry, text, cut=not short, more=f"/text/updates/{update.update_id}")
            except Omitted:
                continue
            size = len(item.encode("utf-8", "replace"))
            if size > room:
                if items:
                    break
                continue
            items.append(item)
            room -= size
            last = entry.position
        return items, last

    def _item(self, entry: FeedEntry, text: str, *, cut: bool, more: str) -> Markup:
        paragraphs = [each for each in text.split("\n") if each.strip()]
        made = self.answers.renderer.omissions.attempt(
            entry,
            "text",
            lambda: self.answers.renderer.render(
                "text_item.html", update=entry.update, paragraphs=paragraphs, cut=cut, more=more
            ),
        )
        return Markup(made.decode())  # noqa: S704 -- the template escapes

    async def update(self, request: Request) -> Response:
        """`GET /text/updates/{update_id}`: one update, as much of it as fits."""
        answers, update_id = self.answers, request.path_params["update_id"]
        if not UPDATE_ID.match(update_id):
            raise Problem(404, "not-found", "there is no such update")
        entry = answers.feed_store.get(update_id)
        whole = entry is not None
        if entry is None:
            removed = answers.feed_store.removed(update_id)
            archived = None if removed is not None else await answers.archive.one(update_id)
            if removed is None and archived is None:
                raise Problem(404, "not-found", "there is no such update")
            if archived is None or archived.update.is_removal:
                gone = removed.removal if removed is not None else archived.update.removal if archived else None
                raise Problem(410, "gone", WORDS.get(gone or "", WITHDRAWN))
            entry = FeedEntry(archived.update)
        update = entry.update
        body = answers.renderer.render(
            "text.html",
            style=STYLE,
            title=title_of(update)[:200],
            canonical=answers.renderer.site.url + update.path,
            body=self._as_much_as_fits(entry, update),
            next=None,
        )
        return self._answer(request, body, f"update:{update_id}", whole=whole)

    def _as_much_as_fits(self, entry: FeedEntry, update: ReaderUpdate) -> Markup:
        room = MOST_BYTES - FRAME_BYTES
        characters, text = room, full_text_of(update)
        while True:
            cut = len(text) > characters
            item = self._item(entry, text[:characters], cut=cut, more=update.path)
            if len(item.encode("utf-8", "replace")) <= room or characters < SHORT_CHARACTERS:
                return item
            characters = characters * 2 // 3

    def _answer(self, request: Request, body: bytes, channel: str, *, whole: bool) -> Response:
        answer: ReadyAnswer = self.answers.page(body, channel=channel, whole=whole, style=_OWN_STYLE)
        return ReadyResponse(self.answers.keep(request, answer))
