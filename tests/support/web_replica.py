"""A web replica in memory: what it was told, and an archive that answers from a list."""

import functools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from publish.archive.queries import Archived
from publish.archive.search.engine import BEGIN, END, Excerpt, Passage
from publish.archive.search.selection import Selection
from publish.archive.standings import Standing, Standings
from publish.representation.pictures import renditions_shown
from publish.representation.position import Position, channels_of
from publish.representation.reader_update import reader_update
from publish.representation.story_record import StoryRecord, record_of
from publish.settings import Settings
from publish.web.application import build
from publish.web.archive_client import ArchiveClient
from publish.web.feed_store import Applied, FeedStore
from publish.web.routes.answers import Answers
from publish.web.stream.broadcaster import Broadcaster
from shared.http.problem import Problem
from shared.messages import EnrichedUpdate
from shared.observability.health import Health


class ListedArchive(ArchiveClient):
    """An archive of a few revisions; `away` is Postgres down."""

    def __init__(self) -> None:
        super().__init__()
        self.archived: list[Archived] = []
        self.reached = Position(1, 10**9)
        self.away = False

    def _look(self) -> list[Archived]:
        if self.away:
            raise Problem(503, "archive-away", "the archive does not answer", headers={"Retry-After": "2"})
        return self.archived

    async def one(self, update_id: str) -> Archived | None:
        """The newest revision of an update."""
        found = [each for each in self._look() if each.update.update_id == update_id]
        return max(found, key=lambda each: each.update.revision, default=None)

    async def standings(self, update_ids: Collection[str]) -> Standings:
        """Where the newest revisions of updates stand."""
        found = {
            each.update.update_id: Standing(
                each.update.revision, each.update.removal, each.update.cursor, each.update.position
            )
            for each in sorted(self._look(), key=lambda each: each.update.cursor)
            if each.update.update_id in update_ids
        }
        return Standings(self.reached, found)

    async def revisions(self, update_id: str) -> list[Archived]:
        """All of them."""
        return [each for each in self._look() if each.update.update_id == update_id]

    async def showing(self, picture: str) -> list[str]:
        """The updates whose newest revision shows a picture."""
        newest = {each.update.update_id: each.update for each in self._look()}
        return [update_id for update_id, update in newest.items() if picture in renditions_shown(update)]

    async def last_change(self, channel: str, until: Position) -> Position | None:
        """The place of the newest revision of a channel."""
        places = [each.cursor for each in self._look() if channel in each.channels and each.cursor <= until]
        return max(places, default=None)

    async def stories(self, limit: int) -> list[tuple[str, datetime]]:
        """Every story."""
        found = {each.update.story: each.update.first_published_at for each in self._look() if each.update.story}
        return list(found.items())[:limit]

    async def last_told(self, update_ids: Collection[str]) -> dict[str, list[Archived]]:
        """Of each its revisions, newest first."""
        return {update_id: (await self.revisions(update_id))[::-1] for update_id in update_ids}

    async def is_filled(self) -> bool:
        """It is."""
        return True

    async def find(self, words: str, selection: Selection, before: Position | None, limit: int) -> list[Archived]:
        """Current revisions in which each of the words stands."""
        newest = {each.update.update_id: each for each in self._look()}
        return sorted(
            (
                each
                for each in newest.values()
                if not each.update.is_removal
                and selection.matches(each.update)
                and (before is None or each.position < before)
                and all(word in f"{each.update.headline} {each.update.text}".lower() for word in words.lower().split())
            ),
            key=lambda each: each.position,
            reverse=True,
        )[:limit]

    async def excerpts(self, words: str, passages: Sequence[Passage]) -> list[Excerpt]:
        """The text around the first word."""
        self._look()
        word = words.split(maxsplit=1)[0] if words.split() else ""
        mark = lambda text: text.replace(word, f"{BEGIN}{word}{END}")  # noqa: E731
        return [
            Excerpt(
                all(each in f"{passage.title} {passage.text}".lower() for each in words.lower().split()),
                mark(passage.title),
                mark(passage.text[:200]),
            )
            for passage in passages
        ]

    async def story(self, story: str) -> StoryRecord | None:
        """What the revisions tell of a story."""
        told = [record for each in self._look() if (record := record_of(each.update)) and record.story == story]
        return functools.reduce(StoryRecord.with_record, told) if told else None

    async def page(self, channel: str, before: Position | None, limit: int) -> list[Archived]:
        """Older ones, newest first."""
        fit = [
            each
            for each in self._look()
            if channel in each.channels and not each.update.is_removal and (before is None or each.position < before)
        ]
        return sorted(fit, key=lambda each: each.position, reverse=True)[:limit]


@dataclass
class Replica:
    """The application, its memory, and the end of the log that it was given."""

    answers: Answers
    broadcaster: Broadcaster
    archive: ListedArchive
    feed_store: FeedStore
    client: httpx.AsyncClient
    offset: int = field(default=-1)

    def take(self, *updates: EnrichedUpdate) -> list[Applied | None]:
        """Apply revisions as the follower does."""
        applied = []
        for update in updates:
            self.offset += 1
            cursor = Position(1, self.offset)
            done = self.feed_store.apply(reader_update(update, cursor=cursor))
            applied.append(done)
            placed = reader_update(update, cursor=cursor, position=cursor)
            self.archive.archived.append(Archived(placed, done.channels if done else channels_of(update)))
        return applied

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """GET, as a browser unless told otherwise."""
        return await self.client.get(path, headers={"accept": "text/html", **headers})


Make = Callable[..., Replica]


def replicas(folder: Path) -> Make:
    """Makes replicas with settings of the test's own; pictures are in `folder`."""

    def make(limit: int = 1000, **settings: Any) -> Replica:
        settings.setdefault("media_store", f"file://{folder}/media")
        settings.setdefault("publish_site_url", "https://news.example")
        given = Settings(**settings)
        feed_store, archive = FeedStore(limit), ListedArchive()
        feed_store.reset(Position(1, -1), [], complete=True)
        answers, broadcaster = build(given, feed_store, archive, Health("publish.web"))
        transport = httpx.ASGITransport(app=answers.response_cache, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url="http://test")
        return Replica(answers, broadcaster, archive, feed_store, client)

    return make
