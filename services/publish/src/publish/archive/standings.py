"""Where updates stand, without their words: their numbers, removals and positions, for who must tell a repeat from news."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from publish.representation.position import Position, supersedes
from publish.representation.reader_update import ReaderUpdate
from shared.messages import Removal
from shared.postgres.pool import Connection, Queryable, Row

CHUNK = 5_000
"""Rows that are taken off a cursor at a time."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The current revision of an update: its number, its removal, and its place in the log.

    `position` is the place of the update for ever; None while it was never visible.
    """

    revision: int
    removal: Removal | None
    place: Position
    position: Position | None

    @property
    def is_final(self) -> bool:
        """Whether no later revision can bring the update back."""
        return self.removal in ("killed", "taken-down")

    def outdates(self, update: ReaderUpdate) -> bool:
        """Whether a record of the log shows nothing new: a repeat, or words that are old by now.

        Where the archive is further than the record, the revision that is current there is still to come.
        """
        if self.place == update.cursor:
            return False
        return self.place > update.cursor or not supersedes(update, self)


@dataclass(frozen=True, slots=True)
class Standings:
    """The archive's answer: everything up to `reached` is in it, and who is not in `by_id` was never seen."""

    reached: Position
    by_id: Mapping[str, Standing]


_STANDING = "u.update_id, u.revision, u.removal, u.epoch, u.log_offset, u.position_epoch, u.position_offset"


def _standing(row: Row) -> Standing:
    offset = row["position_offset"]
    return Standing(
        row["revision"],
        row["removal"],
        Position(row["epoch"], row["log_offset"]),
        None if offset is None else Position(row["position_epoch"], offset),
    )


async def standings(source: Queryable, update_ids: Collection[str]) -> Standings:
    """Where these updates stand, and up to which place that is known: one statement, so that both are of one moment."""
    rows = await source.fetch(
        f"SELECT e.epoch AS reached_epoch, e.last_offset, {_STANDING} "  # noqa: S608 -- a constant
        "FROM (SELECT epoch, last_offset FROM publish.epochs ORDER BY epoch DESC LIMIT 1) e "
        "LEFT JOIN publish.updates u ON u.update_id = ANY($1)",
        [update_id.replace("\x00", "?") for update_id in update_ids],
    )
    if not rows:
        return Standings(Position(0, -1), {})
    reached = Position(rows[0]["reached_epoch"], rows[0]["last_offset"])
    return Standings(reached, {row["update_id"]: _standing(row) for row in rows if row["update_id"] is not None})


@dataclass(frozen=True, slots=True)
class LastChange:
    """Where an update stands, and a time, in seconds of the Unix epoch, before which it changed last."""

    update_id: str
    standing: Standing
    changed_by: float


_NEWEST = (
    f"SELECT {_STANDING}, extract(epoch FROM r.written_at)::float AS changed_by "  # noqa: S608 -- a constant
    "FROM publish.revisions r JOIN publish.updates u USING (update_id, revision) "
    "ORDER BY r.epoch DESC, r.log_offset DESC LIMIT $1"
)
"""Backwards through the log by the index of revisions: the rows of updates have none of their place, and there may be millions.
Each update is met once, at the row of its number."""


async def newest_standings(connection: Connection, limit: int) -> list[LastChange]:
    """The updates that changed last, removed ones too, newest change first, at most `limit`. Run it inside a transaction."""
    # However many they are beside what there is, they are not sorted.
    await connection.execute("SET LOCAL enable_seqscan = off")
    await connection.execute("SET LOCAL enable_sort = off")
    cursor = await connection.cursor(_NEWEST, limit)
    found: list[LastChange] = []
    while rows := await cursor.fetch(CHUNK):
        found += [LastChange(row["update_id"], _standing(row), row["changed_by"]) for row in rows]
    return found
