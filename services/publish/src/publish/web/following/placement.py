"""Revisions of updates that memory cannot place: the archive is asked for many at once, and never for long.

Readers of live news wait behind these questions, so that an archive that does not answer at once is left alone for a while.
What cannot be placed then, and is news, is announced without its place. What may be a repeat waits unseen until the archive
tells: it may be the words of an update that was killed.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import structlog
from prometheus_client import Counter, Gauge

from publish.archive.standings import Standing, Standings
from publish.representation.position import supersedes
from publish.representation.reader_update import ReaderUpdate
from publish.web.archive_client import ArchiveClient
from publish.web.feed_store import Applied, FeedStore
from shared.http.problem import Problem

log = structlog.get_logger(__name__)

PATIENCE_S = 0.2
"""For an answer that what is behind it in the log waits for."""
ASK_AGAIN_AFTER_S = 2.0
MOST_WAITING = 10_000
"""Updates that wait for their place; what memory lacks beyond that is found by a new snapshot."""

ASKED = Counter(
    "slugline_web_standings_asked", "Updates that the archive was asked for, since memory could not place them"
)
WAITING = Gauge("slugline_web_unplaced", "Updates that wait for the archive to tell their place")


class TooManyWait(Exception):
    """More updates waited for their place than are kept."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """The newest revision of an update that is not placed yet; `told` if readers were."""

    update: ReaderUpdate
    told: bool


class Placement:
    """Applies revisions to memory, with the help of the archive where memory cannot tell."""

    def __init__(
        self, archive: ArchiveClient, feed_store: FeedStore, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._archive = archive
        self._feed_store = feed_store
        self._clock = clock
        self._waiting: dict[str, _Waiting] = {}
        self._overflowed = False
        self._ask_after = float("-inf")

    @property
    def waits(self) -> bool:
        """Whether something waits for its place."""
        return bool(self._waiting) or self._overflowed

    def reset(self) -> None:
        """Memory was filled anew, from a snapshot that holds all that waited."""
        self._waiting.clear()
        self._overflowed = False
        WAITING.set(0)

    async def ask(self, updates: Iterable[ReaderUpdate]) -> Standings | None:
        """Where those of the next revisions stand that memory cannot place; None where the archive does not tell now."""
        asked: set[str] = set()
        seen: set[str] = set()
        for update in updates:
            if update.update_id not in seen and not self._feed_store.can_tell(update):
                asked.add(update.update_id)
            seen.add(update.update_id)
        if not asked or self._clock() < self._ask_after:
            return None
        ASKED.inc(len(asked))
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._archive.standings(asked)
        except Exception as error:
            if not isinstance(error, Problem | TimeoutError):
                log.exception("bug in asking the archive")
            self._ask_after = self._clock() + ASK_AGAIN_AFTER_S
            return None

    def apply(self, update: ReaderUpdate, standings: Standings | None) -> Applied | None:
        """Take in the next revision of the log; None where it changes nothing, or must wait for its place unseen."""
        if self._feed_store.can_tell(update):
            return self._feed_store.apply(update)
        if standings is not None and self._tells(standings):
            return self._placed(update, standings.by_id.get(update.update_id))
        if update.is_removal:
            # Even one of what nobody saw is told then: what is to be out of sight waits for nothing.
            return self._feed_store.apply(update)
        before = self._waiting.get(update.update_id)
        if before is not None and not supersedes(update, before.update):
            return None
        told = self._feed_store.known.is_news(update.passport.received_at)
        self._wait(update, told=told)
        return self._feed_store.pass_by(update) if told else None

    def _wait(self, update: ReaderUpdate, *, told: bool) -> None:
        if len(self._waiting) >= MOST_WAITING and update.update_id not in self._waiting:
            self._overflowed = True
            return
        self._waiting[update.update_id] = _Waiting(update, told)
        WAITING.set(len(self._waiting))

    def _tells(self, standings: Standings) -> bool:
        """Whether the archive has seen all that memory may have forgotten; the rest memory knows by itself."""
        return standings.reached >= self._feed_store.known.forgotten

    def _placed(self, update: ReaderUpdate, standing: Standing | None) -> Applied | None:
        if update.is_final and (standing is None or standing.position is None) and not self._was_told(update):
            # Nobody ever saw it, and its removal would tell of it.
            self._feed_store.note_unseen(update)
            return None
        if standing is None:
            return self._feed_store.apply(update)
        if standing.outdates(update):
            return None
        return self._feed_store.apply(replace(update, position=standing.position))

    def _was_told(self, update: ReaderUpdate) -> bool:
        """Whether words of it were announced that the archive may not have yet."""
        waiting = self._waiting.get(update.update_id)
        return waiting is not None and waiting.told

    async def place_those_waiting(self) -> bool:
        """Ask for those that wait; whether readers must look again, since something of them was not announced.

        Raises `TooManyWait` once the archive answers and only a new snapshot helps.
        """
        waiting = dict(self._waiting)
        standings = await self._archive.standings(waiting.keys())
        if self._overflowed:
            raise TooManyWait("more updates waited for their place than are kept")
        missed = False
        for update_id, each in waiting.items():
            if self._feed_store.can_tell(each.update):
                applied = self._feed_store.apply(each.update)
            elif self._tells(standings):
                applied = self._placed(each.update, standings.by_id.get(update_id))
            else:
                continue
            missed = missed or (applied is not None and not each.told)
            if self._waiting.get(update_id) is each:
                del self._waiting[update_id]
        WAITING.set(len(self._waiting))
        return missed
