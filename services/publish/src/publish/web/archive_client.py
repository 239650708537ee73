"""Asks the archive for what memory does not hold. While Postgres is away readers get a 503 for that, and everything else works."""

import asyncio
import contextlib
import sys
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from publish.archive import queries
from publish.archive.queries import Archived
from publish.archive.search.engine import Excerpt, Passage, PostgresSearch, SearchEngine
from publish.archive.search.filled import is_filled
from publish.archive.search.selection import Selection
from publish.archive.standings import Standings, standings
from publish.archive.story_records import story_records
from publish.representation.position import NEWS, Position, channels_of
from publish.representation.reader_update import ReaderUpdate
from publish.representation.story_record import StoryRecord
from publish.web.feed_store import Applied, FeedEntry, FeedPage, FeedStore, characters_of, has_change, weight_of
from publish.web.omissions import Omitted
from publish.web.renderer import Renderer, stream_event
from publish.web.stream.event import Replay, Replayed
from shared.failures.transient import is_transient
from shared.http.problem import Problem
from shared.postgres.pool import Pool

TIMEOUT_S = 3.0
RETRY_AFTER_S = 2
SEARCHES_AT_ONCE = 4
SEARCHES_WAITING = 64
"""Those under way among them."""

KEPT_ENTRIES = 2_000
"""Of the archive, each with some 5 kB that was rendered of it."""
KEPT_BYTES = 16 * 1024 * 1024
"""What they take at most, see `weight_of`."""

MOST_CHARACTERS = 1_000_000
"""Of the words of a page that shows all of them, beside the first update: whoever wants more asks for the next page."""

T = TypeVar("T")


async def _answer(question: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await question
    except Exception as error:
        if not is_transient(error):
            raise
        raise Problem(
            503, "archive-away", "the archive does not answer; the newest updates are here all the same",
            headers={"Retry-After": str(RETRY_AFTER_S)},
        ) from error  # fmt: skip


class ArchivedEntries:
    """What was rendered of the updates that the archive gave last: pages far back, of stories, tags and authors, share them."""

    def __init__(self, most: int = KEPT_ENTRIES, most_bytes: int = KEPT_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[str, FeedEntry] = OrderedDict()

    def entry(self, update: ReaderUpdate) -> FeedEntry:
        """The entry of an update, which is kept for as long as the archive gives the very same."""
        known = self._kept.pop(update.update_id, None)
        entry = known if known is not None and known.update == update else FeedEntry(update)
        self._kept[update.update_id] = entry
        self._bytes += weight_of(update) - (weight_of(known.update) if known is not None else 0)
        while len(self._kept) > self._most or self._bytes > self._most_bytes:
            self._bytes -= weight_of(self._kept.popitem(last=False)[1].update)
        return entry


class ArchiveClient:
    """The archive as this replica reads it. `pool` is None until Postgres has answered for the first time."""

    def __init__(self, engine: Callable[[Pool], SearchEngine] = PostgresSearch) -> None:
        self.pool: Pool | None = None
        self.entries = ArchivedEntries()
        self._engine = engine
        self._filled = False
        self._searching = asyncio.Semaphore(SEARCHES_AT_ONCE)
        self._waiting = 0

    def connected(self) -> Pool:
        """The pool; a Problem until there is one."""
        if self.pool is None:
            raise Problem(
                503, "archive-away", "the archive has not answered yet", headers={"Retry-After": str(RETRY_AFTER_S)}
            )
        return self.pool

    async def one(self, update_id: str) -> Archived | None:
        """The current revision of an update, or its removal."""
        return await _answer(queries.one(self.connected(), update_id))

    async def standings(self, update_ids: Collection[str]) -> Standings:
        """Where updates stand."""
        return await _answer(standings(self.connected(), update_ids))

    async def revisions(self, update_id: str) -> list[Archived]:
        """The revisions of an update that may be served."""
        return await _answer(queries.revisions(self.connected(), update_id))

    async def last_told(self, update_ids: Collection[str]) -> dict[str, list[Archived]]:
        """The last revisions of updates that were more than late enrichment."""
        return await _answer(queries.last_told(self.connected(), update_ids))

    async def showing(self, picture: str) -> list[str]:
        """The ids of visible updates that show a picture."""
        return await _answer(queries.showing(self.connected(), picture))

    async def last_change(self, channel: str, until: Position) -> Position | None:
        """The place of the last revision, up to `until`, that concerned a channel."""
        return await _answer(queries.last_change(self.connected(), channel, until))

    async def stories(self, limit: int) -> list[tuple[str, datetime]]:
        """Stories with the time of their newest update."""
        return await _answer(queries.stories(self.connected(), limit))

    async def is_filled(self) -> bool:
        """Whether all that is archived can be found."""
        self._filled = self._filled or await _answer(is_filled(self.connected()))
        return self._filled

    async def find(self, words: str, selection: Selection, before: Position | None, limit: int) -> list[Archived]:
        """See `SearchEngine`. A few at a time: whoever comes when too many wait is sent away."""
        async with self._turn():
            return await _answer(self._engine(self.connected()).find(words, selection, before, limit))

    async def excerpts(self, words: str, passages: Sequence[Passage]) -> list[Excerpt]:
        """See `SearchEngine`."""
        async with self._turn():
            return await _answer(self._engine(self.connected()).excerpts(words, passages))

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= SEARCHES_WAITING:
            raise Problem(503, "busy", "too many searches at this moment", headers={"Retry-After": "1"})
        self._waiting += 1
        try:
            async with self._searching:
                yield
        finally:
            self._waiting -= 1

    async def story(self, story: str) -> StoryRecord | None:
        """What is known of a story."""
        found = await _answer(story_records(self.connected(), [story]))
        return found[0] if found else None

    async def page(self, channel: str, before: Position | None, limit: int) -> list[Archived]:
        """Updates of a channel before a position."""
        return await _answer(queries.page(self.connected(), channel, before, limit))


ALL = Selection()


async def page_of(
    feed_store: FeedStore,
    archive: ArchiveClient,
    channel: str,
    before: Position | None,
    limit: int,
    *,
    selection: Selection = ALL,
    most_characters: int = sys.maxsize,
) -> FeedPage:
    """A page of a channel, of the updates that a selection is of, from memory as far as it goes and then from the archive.

    At most `limit` of them, and no more once their words have `most_characters`: for pages that show all words. Memory is ahead of the archive, so what it knows to be removed or changed is not taken from there. `whole` says whether
    memory alone answered. With the archive away, what memory holds is the page.
    """
    page = feed_store.page(channel, before, limit, None if selection.is_empty else selection.matches)
    fitting = _fitting(page, most_characters)
    if page.whole or fitting is not page:
        return replace(fitting, whole=True)
    entries = page.entries
    answers = entries[-1].position if entries else before
    try:
        older = await _older(archive, channel, answers, limit - len(entries) + 1, selection)
    except Problem:
        if not entries:
            raise
        return FeedPage(entries, more=True, whole=False)
    fit: list[FeedEntry] = []
    for archived in older:
        update_id = archived.update.update_id
        if feed_store.removed(update_id) is not None:
            continue
        known = feed_store.get(update_id)
        if known is not None and not (channel in channels_of(known.update) and selection.matches(known.update)):
            continue
        fit.append(known or archive.entries.entry(archived.update))
    room = limit - len(entries)
    # The archive lags behind: it may not have updates yet that memory has evicted.
    more = len(older) > room or (channel == NEWS and bool(entries)) or (bool(older) and older[-1].is_cut)
    return _fitting(FeedPage([*entries, *fit[:room]], more=more, whole=False), most_characters)


def _fitting(page: FeedPage, most_characters: int) -> FeedPage:
    """The page itself, or its first entries up to the one with which they have so many characters."""
    size = 0
    for number, entry in enumerate(page.entries, 1):
        size += characters_of(entry.update)
        if size > most_characters and number < len(page.entries):
            return FeedPage(page.entries[:number], more=True, whole=page.whole)
    return page


async def _older(
    archive: ArchiveClient, channel: str, before: Position | None, limit: int, selection: Selection
) -> list[Archived]:
    if selection.is_empty:
        found = await archive.page(channel, before, limit)
    else:
        if not await archive.is_filled():
            raise Problem(
                503,
                "index-filling",
                "older updates can be filtered once they are indexed",
                headers={"Retry-After": "60"},
            )
        narrowed = replace(selection, channels=selection.channels | {channel})
        found = await archive.find("", narrowed, before, limit)
    return await with_changes(archive, found)


async def with_changes(archive: ArchiveClient, found: Sequence[Archived]) -> list[Archived]:
    """Updates of the archive with the last change that was told of them, which late enrichment has followed, as memory has it."""
    lacking = {
        each.update.update_id: each.update
        for each in found
        if each.update.updated_at is not None and not has_change(each.update.change)
    }
    if not lacking:
        return list(found)
    told = await archive.last_told(lacking.keys())
    changes = {
        update_id: next(
            (
                each.update.change
                for each in told.get(update_id, ())
                if each.update.updated_at == update.updated_at and has_change(each.update.change)
            ),
            update.change,
        )
        for update_id, update in lacking.items()
    }
    return [
        replace(each, update=replace(each.update, change=changes[each.update.update_id]))
        if each.update.update_id in changes
        else each
        for each in found
    ]


def replay_from(archive: ArchiveClient, renderer: Renderer) -> Replay:
    """What streams ask for: the revisions after a cursor that memory does not reach back to.

    None where the cursor is of another epoch: what followed it is unknown.
    """

    async def replay(after: Position, channels: Collection[str], limit: int) -> Replayed | None:
        if archive.pool is None:
            return None
        found = await _answer(queries.what_followed(archive.pool, after, channels, limit))
        if found is None:
            return None
        events = []
        for each in found.revisions:
            entry = None if each.update.is_removal else FeedEntry(each.update)
            event = stream_event(renderer, Applied(each.update, each.channels, entry))
            with contextlib.suppress(Omitted):
                # Rendered now, so that what cannot be shown is left out here.
                event.views["json"]
                events.append(event)
        return Replayed(events, found.reached)

    return replay
