"""What the archive answers: to web replicas, to the cache when it is rebuilt, and to push.

All of it is what readers may have: no internal field, no text of an update that is out of sight, and nothing at all of one that
was killed before anybody saw it: its removal would tell of it. Only `removal_of`, for proofs of takedowns, knows it.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog
from prometheus_client import Counter

from publish.archive.standings import LastChange, newest_standings
from publish.archive.story_records import story_records
from publish.representation.position import NEWS, Position
from publish.representation.reader_update import ReaderUpdate, reader_update
from publish.representation.story_record import StoryRecord
from shared.messages import EnrichedUpdate
from shared.postgres.pool import Connection, Pool, Queryable, Row
from shared.postgres.rows import narrowed, typed

log = structlog.get_logger(__name__)

MAX_PAGE = 1000
MOST_BYTES = 8 * 1024 * 1024
"""Of revisions that are read at once, beside the first: an update may have two megabytes, and a page a hundred updates."""
ALL_BYTES = 2**62
PREFETCHED = 20
"""Rows of a cursor, each of some megabytes at most."""
RETRACTED = 1000
"""Updates that were taken out of sight last, of which a snapshot tells."""

UNREADABLE = Counter("slugline_archive_unreadable", "Archived revisions that could not be read and were left out")


@dataclass(frozen=True, slots=True)
class Archived:
    """A revision of an update as readers may have it; `channels` are its own and, in a replay, those of the one before."""

    update: ReaderUpdate
    channels: frozenset[str]
    may_alert: bool = True
    """Whether its source's urgency may ask for an alert by itself."""
    is_cut: bool = False
    """Whether what was asked for goes on behind it, and was too much for one answer (`MOST_BYTES`)."""

    @property
    def position(self) -> Position:
        """The update's place for ever; of one that never was visible the place of this revision."""
        return self.update.position or self.update.cursor

    @property
    def cursor(self) -> Position:
        """This revision's own place in the log."""
        return self.update.cursor


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The newest visible updates, newest position first, as of the archived place `epoch`-`offset` (-1: before the first).

    `standings` are those of the updates that changed last, newest change first, whether they are visible or not.
    """

    epoch: int
    offset: int
    updates: list[Archived]
    standings: list[LastChange]
    stories: list[StoryRecord]
    """Of the stories that the updates belong to."""
    retracted: list[Archived] = field(default_factory=list)
    """The updates that readers had, and that were taken out of sight last; the last first."""


@dataclass(frozen=True, slots=True)
class _Row:
    data: bytes | None
    epoch: int
    log_offset: int
    position_epoch: int
    position_offset: int
    channels: Sequence[str]

    def archived(self) -> Archived:
        """The revision; ValueError where it cannot be read, as after a change of the contract."""
        update = EnrichedUpdate.model_validate_json(self.data or b"")
        place, position = Position(self.epoch, self.log_offset), Position(self.position_epoch, self.position_offset)
        readers = reader_update(update, cursor=place, position=position)
        return Archived(readers, frozenset(self.channels), update.may_alert)


_CURRENT = (
    "SELECT u.data, u.epoch, u.log_offset, coalesce(u.position_epoch, u.epoch) AS position_epoch, "
    "coalesce(u.position_offset, u.log_offset) AS position_offset, u.channels "
    "FROM publish.updates u "
)
_EVER_SEEN = "u.position_offset IS NOT NULL"
"""The update was visible once: readers may be told that it is gone."""


def _bounded(asked: str, most_bytes: int = MOST_BYTES) -> str:
    """The rows of a statement, in its order; of those behind so many bytes without their data, which Postgres does not even look up."""
    return (
        f"SELECT CASE WHEN b.before < {most_bytes} THEN b.data END AS data, b.epoch, b.log_offset, b.position_epoch, "  # noqa: S608 -- constants
        "b.position_offset, b.channels FROM (SELECT i.*, sum(octet_length(i.data)) OVER (ROWS UNBOUNDED PRECEDING) "
        f"- octet_length(i.data) AS before FROM ({asked}) i) b"
    )


def _readable(records: Iterable[Row]) -> list[Archived]:
    """The revisions that can be read: one that cannot takes no other with it. Those past the bound of bytes are left out."""
    found: list[Archived] = []
    for row in typed(_Row, records):
        if row.data is None:
            if found:
                found[-1] = replace(found[-1], is_cut=True)
            break
        try:
            found.append(row.archived())
        except ValueError:
            UNREADABLE.inc()
            log.exception("an archived revision cannot be read", epoch=row.epoch, offset=row.log_offset)
    return found


async def current_epoch(source: Queryable) -> int:
    """The epoch of the log that is followed now; 0 until the archive has seen a log."""
    return narrowed(int, await source.fetchval("SELECT coalesce(max(epoch), 0) FROM publish.epochs"))


async def archived_up_to(source: Queryable) -> Position:
    """The place up to which, and with which, everything is archived; `0--1` until the archive has seen a log."""
    row = await source.fetchrow("SELECT epoch, last_offset FROM publish.epochs ORDER BY epoch DESC LIMIT 1")
    return Position(row["epoch"], row["last_offset"]) if row else Position(0, -1)


async def is_past(source: Queryable, places: Mapping[tuple[str, int], int]) -> bool:
    """Whether the archive is past these offsets of the log that holds these revisions: not where it still is in another log, which
    was lost, and has another revision there."""
    place = await archived_up_to(source)
    rows = await source.fetch(
        "SELECT update_id, revision, log_offset FROM publish.revisions WHERE epoch = $1 AND log_offset = ANY($2)",
        place.epoch, list(places.values()),
    )  # fmt: skip
    there = {row["log_offset"]: (row["update_id"], row["revision"]) for row in rows}
    same_log = all(there.get(offset, key) == key for key, offset in places.items())
    return same_log and place.offset >= max(places.values(), default=-1)


async def snapshot(pool: Pool, limit: int, known: int = 0, most_bytes: int = MOST_BYTES) -> Snapshot:
    """The newest `limit` visible updates (or fewer, of so many bytes), where the `known` that changed last stand, and the place in the log up to which
    both are current: one consistent read.
    """
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        place = await archived_up_to(connection)
        updates = await page(connection, NEWS, None, limit, most_bytes)
        stories = await story_records(connection, {each.update.story for each in updates if each.update.story})
        gone = await retracted(connection)
        standings = await newest_standings(connection, known)
        return Snapshot(place.epoch, place.offset, updates, standings, stories, gone)


async def page(
    source: Queryable, channel: str, before: tuple[int, int] | None, limit: int, most_bytes: int = MOST_BYTES
) -> list[Archived]:
    """Visible updates of a channel, newest position first, older than `before`; the last `is_cut` where their bytes were too many.

    `source` is a source or a connection. A channel that nobody ever published in is empty.
    """
    if "\x00" in channel:
        return []
    epoch, offset = before if before is not None else (2**31 - 1, 2**63 - 1)
    kind, _, name = channel.partition(":")
    if kind == "update":
        found = await one(source, name)
        fits = found is not None and not found.update.is_removal and found.position < (epoch, offset)
        return [found] if found is not None and fits else []
    if channel == NEWS:
        rows = await source.fetch(
            _bounded(
                _CURRENT + "WHERE u.visible AND (u.position_epoch, u.position_offset) < ($1, $2) "
                "ORDER BY u.position_epoch DESC, u.position_offset DESC LIMIT $3",
                most_bytes,
            ),
            epoch, offset, limit,
        )  # fmt: skip
    else:
        rows = await source.fetch(
            _bounded(
                _CURRENT + "JOIN publish.update_channels c USING (update_id) WHERE c.channel = $1 AND (c.position_epoch, c.position_offset) < ($2, $3) "
                "AND u.visible ORDER BY c.position_epoch DESC, c.position_offset DESC LIMIT $4",
                most_bytes,
            ),
            channel, epoch, offset, limit,
        )  # fmt: skip
    return _readable(rows)


_RETRACTED = (
    _CURRENT + "JOIN (SELECT r.update_id, r.epoch, r.log_offset FROM publish.revisions r WHERE r.removal IS NOT NULL "  # noqa: S608 -- constants
    "ORDER BY r.epoch DESC, r.log_offset DESC LIMIT $1) last ON last.update_id = u.update_id AND last.epoch = u.epoch "
    "AND last.log_offset = u.log_offset WHERE NOT u.visible AND u.position_epoch IS NOT NULL "
    "ORDER BY u.epoch DESC, u.log_offset DESC"
)


async def retracted(source: Queryable, limit: int = RETRACTED) -> list[Archived]:
    """The removals of updates that readers had before, the last first: of the last removals, those that still hold."""
    return _readable(await source.fetch(_RETRACTED, limit))


async def one(source: Queryable, update_id: str) -> Archived | None:
    """The current revision of an update, or its removal, which carries no text; None if it was never visible."""
    row = await source.fetchrow(_CURRENT + f"WHERE u.update_id = $1 AND {_EVER_SEEN}", update_id.replace("\x00", "?"))
    return _Row(**row).archived() if row else None


async def removal_of(source: Queryable, update_id: str) -> Archived | None:
    """The kill or takedown of an update, even of one that was never visible; None where it has none."""
    row = await source.fetchrow(_CURRENT + "WHERE u.update_id = $1 AND u.final", update_id.replace("\x00", "?"))
    return _Row(**row).archived() if row else None


async def showing(source: Queryable, picture: str, limit: int = 100) -> list[str]:
    """The ids of visible updates that show a picture (see `publish.representation.pictures`)."""
    rows = await source.fetch(
        "SELECT update_id FROM publish.pictures WHERE picture = $1 AND shown ORDER BY update_id LIMIT $2",
        picture,
        limit,
    )
    return [row["update_id"] for row in rows]


async def ever_shown(source: Queryable, update_id: str) -> dict[str, list[str]]:
    """The pictures that an update shows or ever showed, with the paths of their renditions."""
    rows = await source.fetch("SELECT picture, paths FROM publish.pictures WHERE update_id = $1", update_id)
    return {row["picture"]: list(row["paths"]) for row in rows}


_STORIES = (
    "WITH RECURSIVE named AS ("
    "(SELECT channel FROM publish.update_channels WHERE channel >= 'story:' ORDER BY channel LIMIT 1) UNION ALL "
    "SELECT (SELECT c.channel FROM publish.update_channels c WHERE c.channel > named.channel ORDER BY c.channel LIMIT 1) "
    "FROM named WHERE starts_with(named.channel, 'story:')) "
    "SELECT substr(n.channel, 7) AS story, u.at FROM named n, LATERAL ("
    "SELECT coalesce(u.updated_at, u.first_published_at) AS at FROM publish.update_channels c "
    "JOIN publish.updates u USING (update_id) WHERE c.channel = n.channel AND u.visible "
    "ORDER BY c.position_epoch DESC, c.position_offset DESC LIMIT 1) u WHERE starts_with(n.channel, 'story:') LIMIT $1"
)
"""From story to story by the key's own order: Postgres has no loose index scan."""


async def stories(source: Queryable, limit: int) -> list[tuple[str, datetime]]:
    """The stories that have visible updates, at most so many, each with the time of its newest update's words."""
    return [(row["story"], row["at"]) for row in await source.fetch(_STORIES, limit)]


async def some(source: Queryable, update_ids: Collection[str]) -> dict[str, Archived]:
    """The current revisions of several updates, by id, in this order; those never seen are left out. The last `is_cut` where
    their bytes were too many."""
    rows = await source.fetch(
        _bounded(
            _CURRENT + "JOIN unnest($1::text[]) WITH ORDINALITY AS w (update_id, nth) ON w.update_id = u.update_id "
            f"WHERE {_EVER_SEEN} ORDER BY w.nth"
        ),
        list(update_ids),
    )
    found = _readable(rows)
    return {each.update.update_id: each for each in found}


_REVISION = (
    "SELECT r.data, r.epoch, r.log_offset, coalesce(u.position_epoch, r.epoch) AS position_epoch, "
    "coalesce(u.position_offset, r.log_offset) AS position_offset, r.channels "
    "FROM publish.revisions r JOIN publish.updates u USING (update_id) "
    "WHERE r.data IS NOT NULL AND NOT r.withheld AND (u.visible OR r.removal IS NOT NULL) "
    "AND u.position_offset IS NOT NULL "
)


async def revisions(source: Queryable, update_id: str) -> list[Archived]:
    """What may be served of an update's history, first revision first; of one out of sight, only its removals.

    Of more bytes than may be read at once it is the newest, and the first of them `is_cut`.
    """
    rows = await source.fetch(_bounded(_REVISION + "AND r.update_id = $1 ORDER BY r.revision DESC"), update_id)
    return _readable(rows)[::-1]


@dataclass(frozen=True, slots=True)
class Followed:
    """What followed a place in the log, in order; with nothing missing up to and with `reached`."""

    revisions: list[Archived]
    reached: Position


async def what_followed(pool: Pool, after: Position, channels: Collection[str], limit: int) -> Followed | None:
    """`replay`, and up to which place it is complete, in one consistent read.

    None where the place is not of this epoch.

    Asked one after the other without a snapshot, a batch that is archived in between would be in the answer and not in its
    reach, and readers would be told it twice.
    """
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        reached = await archived_up_to(connection)
        if reached.epoch != after.epoch:
            return None
        rows, last = await _replayed(connection, after.epoch, after.offset, channels, limit)
    return Followed(_readable(rows), reached if last is None else Position(after.epoch, last))


async def last_told(source: Queryable, update_ids: Collection[str], each: int = 3) -> dict[str, list[Archived]]:
    """The last revisions of these updates that were more than late enrichment, newest first, at most so many of each."""
    rows = await source.fetch(
        _bounded(
            _REVISION + "AND r.update_id = ANY($1) AND r.kind <> 'enrich' AND $2 > ("  # noqa: S608 -- constants
            "SELECT count(*) FROM publish.revisions l "
            "WHERE l.update_id = r.update_id AND l.kind <> 'enrich' AND l.revision > r.revision) ORDER BY r.revision DESC"
        ),
        list(update_ids), each,
    )  # fmt: skip
    found: dict[str, list[Archived]] = {}
    for archived in _readable(rows):
        found.setdefault(archived.update.update_id, []).append(archived)
    return found


async def replay(
    source: Queryable, epoch: int, after_offset: int, channels: Collection[str] | None = None, limit: int = MAX_PAGE
) -> list[Archived]:
    """Every revision of an epoch after a place in its log, in the log's order, of any of the channels (None: of all).

    The text of what is out of sight by now is left out; its removal is there. A repeated revision comes once. Whoever
    gets `limit` of them, or a last one that `is_cut`, asks again from its cursor.
    """
    rows, _ = await _replayed(source, epoch, after_offset, channels, limit)
    return _readable(rows)


_PLACES = (
    "SELECT DISTINCT l.log_offset FROM unnest($3::text[]) AS wanted (channel), LATERAL ("
    "SELECT c.log_offset FROM publish.channel_log c WHERE c.channel = wanted.channel AND c.epoch = $1 "
    "AND c.log_offset > $2 ORDER BY c.log_offset LIMIT $5) l "
    "UNION SELECT r.log_offset FROM publish.revisions r WHERE r.update_id = ANY($4::text[]) AND r.epoch = $1 AND r.log_offset > $2 "
    "ORDER BY log_offset LIMIT $5"
)
"""Where in the log something happened in some channels: each is read in its own order and no further than is asked for."""


async def _replayed(
    source: Queryable, epoch: int, after_offset: int, channels: Collection[str] | None, limit: int
) -> tuple[list[Row], int | None]:
    """The rows, and the last offset that was looked at; None where that is the log's end."""
    if channels is None or NEWS in channels:
        rows = await source.fetch(
            _bounded(_REVISION + "AND r.epoch = $1 AND r.log_offset > $2 ORDER BY r.log_offset LIMIT $3"),
            epoch, after_offset, limit,
        )  # fmt: skip
        return rows, _end_of(rows, rows[-1]["log_offset"] if len(rows) == limit else None)
    named = [channel for channel in channels if "\x00" not in channel]
    places = await source.fetch(
        _PLACES,
        epoch, after_offset, [channel for channel in named if not channel.startswith("update:")],
        [channel.removeprefix("update:") for channel in named if channel.startswith("update:")], limit,
    )  # fmt: skip
    if not places:
        return [], None
    offsets = [row["log_offset"] for row in places]
    rows = await source.fetch(
        _bounded(_REVISION + "AND r.epoch = $1 AND r.log_offset = ANY($2) ORDER BY r.log_offset"), epoch, offsets
    )
    return rows, _end_of(rows, offsets[-1] if len(offsets) == limit else None)


def _end_of(rows: Sequence[Row], last: int | None) -> int | None:
    """The last offset that was looked at; that of the last row that has its data, where there are some without."""
    if not rows or rows[-1]["data"] is not None:
        return last
    last_read: int = max(row["log_offset"] for row in rows if row["data"] is not None)
    return last_read


async def last_change(source: Queryable, channel: str, until: Position) -> Position | None:
    """The place of the last revision, up to `until`, that concerned a channel; None where there was none."""
    kind, _, name = channel.partition(":")
    if "\x00" in channel:
        return None
    place = "ORDER BY epoch DESC, log_offset DESC LIMIT 1"
    if channel == NEWS:
        row = await source.fetchrow(
            f"SELECT epoch, log_offset FROM publish.revisions WHERE (epoch, log_offset) <= ($1, $2) {place}",  # noqa: S608 -- a constant
            *until,
        )
    else:
        of = "revisions WHERE update_id" if kind == "update" else "channel_log WHERE channel"
        row = await source.fetchrow(
            f"SELECT epoch, log_offset FROM publish.{of} = $1 AND (epoch, log_offset) <= ($2, $3) {place}",  # noqa: S608 -- constants
            name if kind == "update" else channel, *until,
        )  # fmt: skip
    return Position(row["epoch"], row["log_offset"]) if row else None


async def everything(connection: Connection, *, since: datetime, chunk: int = 500) -> AsyncIterator[list[Archived]]:
    """The current revision of every update that readers were given words of since then, removals too, oldest change first.

    Comes in chunks; run it inside a transaction.
    """
    query = (
        _CURRENT
        + f"WHERE coalesce(u.updated_at, u.first_published_at) > $1 AND {_EVER_SEEN} ORDER BY u.epoch, u.log_offset"
    )
    batch: list[Archived] = []
    size = 0
    async for row in connection.cursor(query, since, prefetch=PREFETCHED):
        batch.extend(_readable([row]))
        size += len(row["data"])
        if len(batch) >= chunk or size >= MOST_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


async def servable(
    source: Queryable, wanted: Collection[tuple[str, int]], most_bytes: int = ALL_BYTES
) -> dict[tuple[str, int], Archived]:
    """Those of these revisions that may be served now, by update id and revision; of so many bytes the first in the log, and the
    last of them `is_cut`."""
    rows = await source.fetch(
        _bounded(
            _REVISION
            + "AND r.update_id = ANY($1) AND r.update_id || ':' || r.revision = ANY($2) ORDER BY r.epoch, r.log_offset",
            most_bytes,
        ),
        list({update_id for update_id, _ in wanted}),
        [f"{update_id}:{revision}" for update_id, revision in wanted],
    )
    found = _readable(rows)
    return {(each.update.update_id, each.update.revision): each for each in found}


async def count(source: Queryable, wanted: Collection[tuple[str, int]]) -> int:
    """How many of these revisions are archived, whether they may be served or not."""
    return narrowed(
        int,
        await source.fetchval(
            "SELECT count(*) FROM unnest($1::text[], $2::int[]) AS w (update_id, revision) "
            "JOIN publish.revisions r USING (update_id, revision)",
            [update_id for update_id, _ in wanted],
            [revision for _, revision in wanted],
        ),
    )
