"""What memory does not hold is asked of the archive; while Postgres is away, readers are told so and nothing else stops."""

import asyncio
from typing import Any

from publish.archive import queries
from publish.archive.queries import Archived
from publish.representation.position import NEWS, Position, channels_of
from publish.web.feed_store import FeedEntry, FeedStore, Page
from shared.failures.transient import is_transient
from shared.http.problem import Problem
from shared.postgres.pool import Pool

PATIENCE_S = 3.0
RETRY_AFTER_S = 2


def entry_of(archived: Archived) -> FeedEntry:
    """An archived revision as memory holds one."""
    return FeedEntry(archived.position, archived.cursor, archived.update, archived.update.change)


class ArchiveClient:
    """The archive as this replica reads it. `pool` is None until Postgres has answered for the first time."""

    def __init__(self) -> None:
        self.pool: Pool = None

    async def _ask(self, question: Any) -> Any:
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await question
        except Exception as error:
            if not is_transient(error):
                raise
            raise Problem(
                503, "archive-away", "the archive does not answer; the newest updates are here all the same",
                headers={"Retry-After": str(RETRY_AFTER_S)},
            ) from error  # fmt: skip

    def _connected(self) -> Any:
        if self.pool is None:
            raise Problem(
                503, "archive-away", "the archive has not answered yet", headers={"Retry-After": str(RETRY_AFTER_S)}
            )
        return self.pool

    async def one(self, update_id: str) -> Archived | None:
        """What stands of an update."""
        found: Archived | None = await self._ask(queries.one(self._connected(), update_id))
        return found

    async def reached(self) -> Position:
        """The place in the log up to which everything is archived."""
        place: Position = await self._ask(queries.archived_up_to(self._connected()))
        return place

    async def revisions(self, update_id: str) -> list[Archived]:
        """The revisions of an update that may be served."""
        found: list[Archived] = await self._ask(queries.revisions(self._connected(), update_id))
        return found

    async def showing(self, picture: str) -> list[str]:
        """The ids of visible updates that show a picture."""
        found: list[str] = await self._ask(queries.showing(self._connected(), picture))
        return found

    async def page(self, channel: str, before: Position | None, limit: int) -> list[Archived]:
        """Updates of a channel before a position."""
        found: list[Archived] = await self._ask(queries.page(self._connected(), channel, before, limit))
        return found


async def page_of(
    feed_store: FeedStore, archive: ArchiveClient, channel: str, before: Position | None, limit: int
) -> Page:
    """A page of a channel, from memory as far as it goes and then from the archive.

    Memory has the last word: it is ahead of the archive, so what it has seen removed or changed is not taken from there.
    `whole` tells whether memory alone answered. With the archive away, what memory holds is the page.
    """
    page = feed_store.page(channel, before, limit)
    if page.whole:
        return page
    entries = page.entries
    answers = entries[-1].position if entries else before
    try:
        older = await archive.page(channel, answers, limit - len(entries) + 1)
    except Problem:
        if not entries:
            raise
        return Page(entries, more=True, whole=False)
    fit: list[FeedEntry] = []
    for archived in older:
        update_id = archived.update.update_id
        if feed_store.removed(update_id) is not None:
            continue
        known = feed_store.get(update_id)
        if known is not None and channel not in channels_of(known.update):
            continue
        fit.append(known or entry_of(archived))
    room = limit - len(entries)
    # Memory has let go of updates that the archive, which lags behind, may not have yet.
    more = len(older) > room or (channel == NEWS and bool(entries))
    return Page([*entries, *fit[:room]], more=more, whole=False)
