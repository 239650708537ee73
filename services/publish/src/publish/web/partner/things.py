"""What updates are of: stories with their key events, tags, authors."""

from collections.abc import Iterable, Mapping
from itertools import islice

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publish.archive.search.selection import Selection
from publish.representation.position import NEWS, Position
from publish.representation.reader_json import dump
from publish.representation.reader_update import ReaderAuthor, ReaderTag, ReaderUpdate
from publish.representation.retraction import WITHDRAWN, WORDS
from publish.representation.site import author_path, story_path, tag_path
from publish.representation.words import modified_at, title_of
from publish.web.archive_client import page_of
from publish.web.families import find_family, shown_beside
from publish.web.feed_store import FeedEntry
from publish.web.page_parts.translations import family_of
from publish.web.routes.answers import Answers, ReadyResponse
from publish.web.routes.parameters import UPDATE_ID
from publish.web.stories import closed_at
from shared.http.problem import Problem
from shared.http.query import with_query

LOOKED_AT = 1000
"""Newest updates of which tags and authors are listed."""
MOST = 200
KEY_EVENTS = 100
CLOSING = 50


class Things:
    """The routes under `/v1` that are not updates."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers

    def routes(self) -> list[Route]:
        """Where each is."""
        return [
            Route("/v1/updates/{update_id}/translations", with_query(self.translations)),
            Route("/v1/stories/{story}", with_query(self.story)),
            Route("/v1/tags", with_query(self.tags)),
            Route("/v1/tags/{code}", with_query(self.tag)),
            Route("/v1/authors", with_query(self.authors)),
            Route("/v1/authors/{slug}", with_query(self.author)),
        ]

    async def translations(self, request: Request) -> Response:
        """`GET /v1/updates/{update_id}/translations`: the same in other languages, and which of them are behind the original."""
        answers, update_id = self.answers, request.path_params["update_id"]
        if not UPDATE_ID.match(update_id):
            raise Problem(404, "not-found", "there is no such update")
        entry = answers.feed_store.get(update_id)
        update = entry.update if entry is not None else await self._archived(update_id)
        found = await find_family(answers.feed_store, answers.archive, update, in_memory=entry is not None)
        body = dump(
            {
                "original": family_of(update),
                "original_withdrawn": found.original_withdrawn,
                "translations": [
                    {
                        "update_id": each.update.update_id,
                        "language": each.update.language,
                        "url": answers.renderer.site.url + each.update.path,
                        "title": title_of(each.update),
                        "is_original": each.is_original,
                        "stale": each.is_stale,
                        "modified_at": modified_at(each.update),
                    }
                    for each in found.members
                ],
            }
        )
        answer = answers.json(body, channel=f"update:{update_id}", whole=entry is not None)
        answer.beside = shown_beside(update)
        return ReadyResponse(answers.keep(request, answer))

    async def _archived(self, update_id: str) -> ReaderUpdate:
        removed = self.answers.feed_store.removed(update_id)
        archived = None if removed is not None else await self.answers.archive.one(update_id)
        if removed is None and archived is None:
            raise Problem(404, "not-found", "there is no such update")
        if archived is None or archived.update.is_removal:
            gone = removed.removal if removed is not None else archived.update.removal if archived else None
            raise Problem(410, "gone", WORDS.get(gone or "", WITHDRAWN))
        return archived.update

    async def story(self, request: Request) -> Response:
        """`GET /v1/stories/{story}`: a story with its key events, newest first."""
        answers, story = self.answers, request.path_params["story"]
        channel = f"story:{story}"
        newest, whole = await self._newest(channel)
        store, archive = answers.feed_store, answers.archive
        # Before what is read: what comes meanwhile is in the stream behind it.
        cursor = await answers.cursor_of(channel)
        page = await page_of(store, archive, channel, None, KEY_EVENTS, selection=Selection(key_events=True))
        last = list(islice(store.newest(channel), CLOSING)) or [newest]
        ended = closed_at(last)
        record = await answers.story_record(story, newest)
        head = dump(
            {
                "id": story,
                "label": record.name(newest.update.story_label),
                "standfirst": record.standfirst,
                "summary": record.summary,
                "began_at": record.started_at,
                "url": answers.renderer.site.url + story_path(story),
                "closed": ended is not None,
                "closed_at": ended,
                "corroboration": max(each.update.corroboration.count for each in last),
                "channel": channel,
                "cursor": str(cursor),
            }
        )
        body = head[:-1] + b',"key_events":[' + answers.renderer.json_array(page.entries) + b"]}"
        answer = answers.json(body, channel=channel, whole=whole and page.whole)
        return ReadyResponse(answers.keep(request, answer))

    async def tags(self, request: Request) -> Response:
        """`GET /v1/tags`: the tags of the newest updates, the most frequent first."""
        cursor = await self.answers.cursor_of(NEWS)
        found: dict[str, tuple[ReaderTag, int]] = {}
        for entry in self._recent():
            for tag in entry.update.tags:
                known = found.get(tag.code)
                found[tag.code] = (known[0] if known else tag, known[1] + 1 if known else 1)
        return self._list(request, "tags", (self._tag(tag, count) for tag, count in found.values()), cursor)

    async def authors(self, request: Request) -> Response:
        """`GET /v1/authors`: the authors of the newest updates, the most frequent first."""
        cursor = await self.answers.cursor_of(NEWS)
        found: dict[str, tuple[ReaderAuthor, int]] = {}
        for entry in self._recent():
            for author in entry.update.authors:
                if author.slug:
                    known = found.get(author.slug)
                    found[author.slug] = (known[0] if known else author, known[1] + 1 if known else 1)
        return self._list(request, "authors", (self._author(author, count) for author, count in found.values()), cursor)

    def _list(self, request: Request, name: str, things: Iterable[Mapping[str, object]], cursor: Position) -> Response:
        answers = self.answers
        listed = sorted(things, key=lambda each: -int(str(each["updates"])))[:MOST]
        answer = answers.json(dump({name: listed, "cursor": str(cursor)}), channel=NEWS)
        return ReadyResponse(answers.keep(request, answer))

    async def tag(self, request: Request) -> Response:
        """`GET /v1/tags/{code}`: a tag, as its newest update has it."""
        code = request.path_params["code"]
        await self._newest(f"tag:{code}")
        cursor = await self.answers.cursor_of(f"tag:{code}")
        entry, whole = await self._newest(f"tag:{code}")
        tag = next((each for each in entry.update.tags if each.code == code), None)
        return self._one(request, f"tag:{code}", self._tag(tag) if tag else None, cursor, whole=whole)

    async def author(self, request: Request) -> Response:
        """`GET /v1/authors/{slug}`: an author, as the newest update has it."""
        slug = request.path_params["slug"]
        await self._newest(f"author:{slug}")
        cursor = await self.answers.cursor_of(f"author:{slug}")
        entry, whole = await self._newest(f"author:{slug}")
        author = next((each for each in entry.update.authors if each.slug == slug), None)
        return self._one(request, f"author:{slug}", self._author(author) if author else None, cursor, whole=whole)

    def _one(
        self, request: Request, channel: str, thing: Mapping[str, object] | None, cursor: Position, *, whole: bool
    ) -> Response:
        if thing is None:
            raise Problem(404, "not-found", "nothing has been published under this name")
        answers = self.answers
        value = {**thing, "channel": channel, "cursor": str(cursor)}
        return ReadyResponse(answers.keep(request, answers.json(dump(value), channel=channel, whole=whole)))

    def _recent(self) -> Iterable[FeedEntry]:
        return islice(self.answers.feed_store.newest(), LOOKED_AT)

    async def _newest(self, channel: str) -> tuple[FeedEntry, bool]:
        """The newest update of a channel, and whether memory has it."""
        if "\x00" not in channel and len(channel) <= 1100:
            page = await page_of(self.answers.feed_store, self.answers.archive, channel, None, 1)
            if page.entries:
                return page.entries[0], page.whole
        raise Problem(404, "not-found", "nothing has been published under this name")

    def _tag(self, tag: ReaderTag, count: int | None = None) -> dict[str, object]:
        shown: dict[str, object] = {
            "code": tag.code,
            "label": tag.label,
            "labels": tag.labels,
            "kind": tag.kind,
            "uri": tag.uri,
            "url": self.answers.renderer.site.url + tag_path(tag.code),
        }
        return shown if count is None else {**shown, "updates": count}

    def _author(self, author: ReaderAuthor, count: int | None = None) -> dict[str, object]:
        shown: dict[str, object] = {
            "slug": author.slug,
            "name": author.name,
            "kind": author.kind,
            "role": author.role,
            "bio": author.bio,
            "avatar_url": author.avatar_url,
            "links": author.links,
            "url": self.answers.renderer.site.url + author_path(author.slug or ""),
        }
        return shown if count is None else {**shown, "updates": count}
