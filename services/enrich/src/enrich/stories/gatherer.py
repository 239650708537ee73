"""Looks at every update that was written, and writes down which story it is in."""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Counter
from pydantic import Field

from enrich.reference.agencies import family_of, is_own_copy
from enrich.reference.changes import announce, as_word, ask_refresh
from enrich.reference.stories import is_apart, story_id
from enrich.stories.clustering import StoryCandidate, StoryClusters, StoryMembership, names_of
from enrich.stories.not_gathered import NotGathered, reason_of_failure
from shared.failures.transient import is_transient
from shared.messages import Message, RefreshCause
from shared.postgres.pool import Pool
from shared.postgres.rows import typed

log = structlog.get_logger(__name__)
AT_ONCE = 500
MOST_LISTED = 20_000
BEGINNING = datetime.min.replace(tzinfo=UTC)
OVERLAP = timedelta(seconds=10)
"""Rows become visible when their transaction ends, not in the order of their clocks: the newest are looked at again."""
YIELD_EVERY = 25
"""Rows between two turns of the event loop, on which the probes are answered."""
REFRESH_CAUSES: Mapping[str, RefreshCause] = {"authors": "authors", "stories": "story"}
"""Tables whose changes reach every update that shows them, and the cause that its refresh names."""
_MERGED = "SELECT story, merged_into FROM enrich.stories WHERE merged_into IS NOT NULL"
GATHERED = Counter("slugline_enrich_gathered", "Updates whose story or corroboration was found by comparison")
_UPDATES = """
SELECT u.update_id, u.status, u.state, u.written_at, o.story AS ordered, g.story, g.families, g.label, g.is_sure
FROM enrich.updates u LEFT JOIN enrich.overrides o USING (update_id) LEFT JOIN enrich.gathered g USING (update_id)
WHERE u.update_id = ANY($1::text[]) ORDER BY u.written_at
"""
_WRITE = """
INSERT INTO enrich.gathered (update_id, story, because, families, label, is_sure) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (update_id) DO UPDATE SET
    story = excluded.story, because = excluded.because, families = excluded.families,
    label = excluded.label, is_sure = excluded.is_sure, changed_at = now()
"""


class _Raw(Message):
    source: str
    credit: str = ""
    story: str | None = None
    slugline: str = ""


class _Version(Message):
    raw: _Raw


class _Published(Message):
    headline: str = ""
    text: str = ""
    summary: str = ""
    first_published_at: datetime
    story: str | None = None
    author_ids: tuple[str, ...] = ()
    tag_codes: tuple[str, ...] = ()
    unknown_names: tuple[str, ...] = ()
    editions: dict[str, int] = Field(default_factory=dict)


class LiveState(Message):
    """What is looked at of the state of an update that readers see."""

    current: _Version
    published: _Published = Field(alias="shown")


@dataclass(frozen=True, slots=True)
class ReferenceChange:
    """A change of reference data."""

    name: str
    edition: int
    keys: Sequence[str]


@dataclass(frozen=True, slots=True)
class Written:
    """What is written of an update: its story, the families that report it, the story's label, and whether readers see it there."""

    story: str | None = None
    families: tuple[str, ...] = ()
    label: str = ""
    is_sure: bool = False


NOTHING = Written()


@dataclass
class Gatherer:
    """Keeps the clusters up with `enrich.updates`."""

    clusters: StoryClusters
    families: Mapping[str, str]
    """Publisher families by source, as the newsroom has set them."""
    own_sources: Collection[str] = ()
    """The newsroom's own, whose copy is no witness."""
    cursor: datetime = BEGINNING
    written: dict[str, Written] = field(default_factory=dict)
    """What Postgres has of the updates that were looked at and are compared with others."""
    changes: Sequence[ReferenceChange] = ()
    labels: dict[str | None, str] | None = None
    """What stories are called that others were merged into, as was last announced."""
    touched: set[str] = field(default_factory=set)
    """Updates whose story may be another than what is written; kept over a failure to write."""
    seen: dict[str, datetime] = field(default_factory=dict)
    """When each update was written that was looked at and may be listed again."""

    set_aside: Collection[str] = frozenset()
    """What is not looked at, since processes have died of it."""
    not_gathered: NotGathered = field(default_factory=NotGathered)
    """What failed, and is tried again."""
    in_progress: Callable[[str], contextlib.AbstractContextManager[None]] = lambda _: contextlib.nullcontext()
    """Notes what is looked at while it is."""

    async def begin(self, pool: Pool, now: datetime) -> None:
        """Start at the beginning of the window."""
        self.cursor = now - self.clusters.window
        await self.not_gathered.load(pool, self.clusters.window)

    async def step(self, pool: Pool) -> int:
        """Look at what was written since; how many updates.

        Nothing is written down before all of it was looked at: after a start, an update that stands alone until the others
        of its story are known would lose the story that readers see.
        """
        looked_at: list[str] = []
        failed: dict[str, str] = {}
        listed = MOST_LISTED
        while listed == MOST_LISTED:
            rows = await pool.fetch(
                "SELECT update_id, written_at FROM enrich.updates WHERE written_at > $1 ORDER BY written_at LIMIT $2",
                self.cursor, MOST_LISTED,
            )  # fmt: skip
            listed = len(rows)
            fresh = [row["update_id"] for row in rows if self.seen.get(row["update_id"]) != row["written_at"]]
            if not looked_at:
                fresh = list(dict.fromkeys((*fresh, *await self.not_gathered.due(pool))))
            for begin in range(0, len(fresh), AT_ONCE):
                await self._look_at_all(pool, fresh[begin : begin + AT_ONCE], failed)
            looked_at += fresh
            self.seen |= {row["update_id"]: row["written_at"] for row in rows}
            if rows:
                newest = rows[-1]["written_at"]
                self.cursor = newest if listed == MOST_LISTED else max(self.cursor, newest - OVERLAP)
                self.seen = {update_id: at for update_id, at in self.seen.items() if at > self.cursor}
        if looked_at or self.touched:
            found = {each: self.clusters.membership(each) for each in self.touched}
            changed = {each: now for each, now in found.items() if self.written.get(each, NOTHING) != _written(now)}
            await self._write(pool, changed, failed)
            self.touched.clear()
            await self._announce_labels(pool, {row["story"]: row["merged_into"] for row in await pool.fetch(_MERGED)})
            await self.not_gathered.settle(pool, failed, looked_at)
        if len(self.written) > 2 * len(self.clusters) + AT_ONCE:
            self.written = {update_id: was for update_id, was in self.written.items() if update_id in self.clusters}
        return len(looked_at)

    async def _look_at_all(self, pool: Pool, update_ids: Sequence[str], failed: dict[str, str]) -> None:
        """Look at some; those that fail are put into `failed`."""
        rows = await pool.fetch(_UPDATES, update_ids)
        # Asked after the rows were read: a change that comes later finds them by itself, see `ask_refresh`.
        self.changes = typed(ReferenceChange, await pool.fetch("SELECT name, edition, keys FROM enrich.changes"))
        merged_into = {row["story"]: row["merged_into"] for row in await pool.fetch(_MERGED)}
        stale: dict[str, list[str]] = {}
        for number, row in enumerate(rows, 1):
            update_id: str = row["update_id"]
            what = f"{update_id}@{row['written_at'].timestamp():.6f}"
            if what in self.set_aside:
                continue
            if update_id not in self.written and row["label"] is not None:
                self.written[update_id] = Written(row["story"], tuple(row["families"]), row["label"], row["is_sure"])
            try:
                with self.in_progress(what):
                    state = LiveState.model_validate_json(row["state"]) if row["status"] == "live" else None
                    self.touched |= self._look_at(update_id, state, row["ordered"], merged_into)
                    if state is not None and (name := self._stale_table(state.published)):
                        stale.setdefault(name, []).append(update_id)
            except Exception as failure:
                # Of one row, whatever it is: the stories of all others do not wait for it.
                failed[update_id] = reason_of_failure(failure)
                log.exception("an update is set aside", update_id=update_id)
            if number % YIELD_EVERY == 0:
                await asyncio.sleep(0)
        for name, ids in stale.items():
            await ask_refresh(pool, REFRESH_CAUSES[name], update_ids=ids, repeat=False)
            log.info("made with an older edition", table=name, updates=len(ids))

    def _stale_table(self, published: _Published) -> str | None:
        """The table of which an update shows what has changed since; its row was written too late to be found then."""
        for change in self.changes:
            if published.editions.get(change.name, change.edition) < change.edition:
                authors = (*published.author_ids, *map(as_word, published.unknown_names))
                shows = authors if change.name == "authors" else (published.story,)
                if not set(change.keys).isdisjoint(shows):
                    return change.name
        return None

    def _look_at(
        self, update_id: str, state: LiveState | None, ordered: str | None, merged_into: Mapping[str, str]
    ) -> set[str]:
        """The updates whose story may be another after a look at this one; None is one that readers do not see."""
        if state is None:
            return {update_id, *self.clusters.remove(update_id)}
        placed = self.clusters.place(self._candidate(update_id, state), self.written.get(update_id, NOTHING).story)
        touched = {update_id, *placed.moved}
        if is_apart(ordered, placed.story, merged_into):
            # An editor put it elsewhere: then it corroborates none of those that it is like.
            touched |= {*self.clusters.remove(update_id)}
        return touched

    def _candidate(self, update_id: str, state: LiveState) -> StoryCandidate:
        raw, published = state.current.raw, state.published
        return StoryCandidate(
            update_id=update_id,
            family=family_of(raw.source, raw.credit, self.families),
            headline=published.headline,
            text=published.text or published.summary,
            own_story=story_id(raw.story) if raw.story and raw.story.strip() else None,
            at=published.first_published_at,
            names=names_of(published.tag_codes),
            slugline=raw.slugline,
            credit=raw.credit,
            is_own=is_own_copy(raw.source, self.own_sources),
        )

    async def _announce_labels(self, pool: Pool, merged_into: Mapping[str, str]) -> None:
        """Let the replicas read again what stories are called that others were merged into, once that has changed."""
        targets = set(merged_into.values())
        labels: dict[str | None, str] = {}
        if targets:
            labels |= {each.story: each.label for each in self.written.values() if each.label and each.story in targets}
        if self.labels is not None and labels != self.labels:
            async with pool.acquire() as connection, connection.transaction():
                await announce(connection, "stories", [story for story in labels if story])
        self.labels = labels

    async def _write(self, pool: Pool, changed: Mapping[str, StoryMembership], failed: dict[str, str]) -> None:
        """Write memberships down; one that Postgres does not take is parted from the others, and noted in `failed`."""
        if not changed:
            return
        try:
            await self._write_all(pool, changed)
        except Exception as failure:
            if is_transient(failure):
                raise
            update_ids = sorted(changed)
            if len(update_ids) == 1:
                failed[update_ids[0]] = reason_of_failure(failure)
                log.exception("what was found of an update is not written", update_id=update_ids[0])
                return
            for half in (update_ids[: len(update_ids) // 2], update_ids[len(update_ids) // 2 :]):
                await self._write(pool, {update_id: changed[update_id] for update_id in half}, failed)

    async def _write_all(self, pool: Pool, changed: Mapping[str, StoryMembership]) -> None:
        rows = [
            (
                update_id,
                now.story,
                now.because.replace("\x00", ""),
                list(now.families),
                now.label.replace("\x00", ""),
                now.is_sure,
            )
            for update_id, now in sorted(changed.items())
        ]
        async with pool.acquire() as connection, connection.transaction():
            await connection.executemany(_WRITE, rows)
            await ask_refresh(connection, "story", update_ids=sorted(changed), repeat=False)
        self.written |= {update_id: _written(now) for update_id, now in changed.items()}
        GATHERED.inc(len(changed))


def _written(membership: StoryMembership) -> Written:
    return Written(membership.story, membership.families, membership.label, membership.is_sure)
