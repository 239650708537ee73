"""Writes a batch of revisions to the archive: folded in memory, then written in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from publish.archive.search.index import index
from publish.archive.story_records import write_stories
from publish.representation.pictures import renditions_shown
from publish.representation.position import NEWS, Position, channels_of
from shared.kafka.cloudevents import value_of
from shared.messages import EnrichedUpdate, without_source_words
from shared.postgres.pool import Connection, Pool

_BETWEEN = "\x1f"


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision and its place in the log."""

    place: Position
    update: EnrichedUpdate
    data: bytes

    @property
    def key(self) -> tuple[str, int]:
        """What it is known by, wherever it stands in the log: the update's id and its number."""
        return self.update.update_id, self.update.revision


@dataclass(frozen=True, slots=True)
class CurrentState:
    """The current state of one update."""

    update_id: str
    revision: int
    place: Position
    position: Position | None
    removal: str | None
    source: str
    story: str | None
    channels: frozenset[str]
    first_published_at: datetime
    updated_at: datetime | None
    data: bytes

    @property
    def visible(self) -> bool:
        """Whether readers may see it."""
        return self.removal is None

    @property
    def final(self) -> bool:
        """Whether nothing can bring it back."""
        return self.removal in ("killed", "taken-down")


def _storable(text: str) -> str:
    return text.replace("\x00", "").replace(_BETWEEN, "")


def revision_of(place: Position, update: EnrichedUpdate, data: bytes) -> Revision:
    """The revision as the archive keeps it: the bytes of the log, but for a removal that carries a source's words."""
    if update.is_removal and (bare := without_source_words(update)) != update:
        return Revision(place, bare, value_of(bare))
    return Revision(place, update, data)


def channels_concerned(before: CurrentState | None, update: EnrichedUpdate) -> frozenset[str]:
    """The channels that a revision concerns: its own, and those that it leaves."""
    own = frozenset(_storable(channel) for channel in channels_of(update))
    return own | before.channels if before is not None else own


def step(before: CurrentState | None, revision: Revision) -> CurrentState:
    """The state after one more revision; see `publish.representation.position.fold`, whose rules these are.

    A takedown after a kill is taken, since it also asks for the text's destruction.
    """
    update = revision.update
    position = before.position if before is not None else None
    if position is None and not update.is_removal:
        position = revision.place
    if before is not None:
        purges = before.removal == "killed" and update.removal == "taken-down"
        supersedes = purges if before.final else update.is_final or update.revision > before.revision
        if not supersedes:
            return replace(before, position=position) if position != before.position else before
    return CurrentState(
        update_id=update.update_id,
        revision=max(update.revision, before.revision if before is not None else 0),
        place=revision.place,
        position=position,
        removal=update.removal,
        source=_storable(update.source),
        story=_storable(update.story) if update.story else None,
        # A removal names few channels or none: it stays in those where readers saw the update.
        channels=channels_concerned(before if update.is_removal else None, update),
        first_published_at=update.first_published_at,
        updated_at=update.updated_at,
        data=revision.data,
    )


@dataclass(frozen=True, slots=True)
class Batch:
    """What a batch of revisions does to the archive."""

    revisions: list[tuple[Revision, frozenset[str]]]
    """Each with the channels that it concerns."""
    before: Mapping[str, CurrentState]
    after: dict[str, CurrentState]

    @property
    def moved(self) -> list[CurrentState]:
        """The updates whose state is another than before."""
        return [after for key, after in self.after.items() if self.before.get(key) != after]

    @property
    def replaced(self) -> dict[str, EnrichedUpdate]:
        """The revisions that are current now in the place of others."""
        return {
            revision.update.update_id: revision.update
            for revision, _ in self.revisions
            if self.after[revision.update.update_id].place == revision.place
        }

    @property
    def final(self) -> dict[str, bool]:
        """The updates whose text no reader is served any more, and whether it is destroyed."""
        return {key: after.removal == "taken-down" for key, after in self.after.items() if after.final}


def fold_batch(before: Mapping[str, CurrentState], revisions: Iterable[Revision]) -> Batch:
    """Fold revisions, in the order of the log, into the states before them."""
    after: dict[str, CurrentState] = {}
    concerned = []
    for revision in revisions:
        key = revision.update.update_id
        current = after.get(key) or before.get(key)
        concerned.append((revision, channels_concerned(current, revision.update)))
        after[key] = step(current, revision)
    return Batch(concerned, before, after)


async def current_states(connection: Connection, update_ids: Sequence[str]) -> dict[str, CurrentState]:
    """The current states of these updates."""
    rows = await connection.fetch(
        "SELECT update_id, revision, epoch, log_offset, position_epoch, position_offset, removal, source, story, "
        "channels, first_published_at, updated_at, data FROM publish.updates WHERE update_id = ANY($1)",
        update_ids,
    )
    return {
        row["update_id"]: CurrentState(
            update_id=row["update_id"],
            revision=row["revision"],
            place=Position(row["epoch"], row["log_offset"]),
            position=None if row["position_epoch"] is None else Position(row["position_epoch"], row["position_offset"]),
            removal=row["removal"],
            source=row["source"],
            story=row["story"],
            channels=frozenset(row["channels"]),
            first_published_at=row["first_published_at"],
            updated_at=row["updated_at"],
            data=row["data"],
        )
        for row in rows
    }


async def write_batch(connection: Connection, revisions: Sequence[Revision]) -> Batch:
    """Archive revisions in the order of the log; a repeat changes nothing. Run it inside a transaction."""
    before = await current_states(connection, list({revision.update.update_id for revision in revisions}))
    batch = fold_batch(before, revisions)
    await _insert_revisions(connection, batch.revisions)
    await write_stories(connection, (revision.update for revision in revisions))
    moved = batch.moved
    if moved:
        await _upsert_updates(connection, moved)
        await _place_in_channels(connection, before, moved)
        replaced = batch.replaced
        await write_pictures(connection, replaced)
        await index(connection, {key: (batch.after[key].position, update) for key, update in replaced.items()})
    if batch.final:
        await _withhold(connection, batch.final)
    return batch


async def places_of(connection: Connection, revisions: Sequence[Revision]) -> dict[tuple[str, int], Position]:
    """Where these revisions were archived first, by update id and number; a repeat stands where what it repeats does."""
    rows = await connection.fetch(
        "SELECT update_id, revision, epoch, log_offset FROM unnest($1::text[], $2::int[]) AS w (update_id, revision) "
        "JOIN publish.revisions USING (update_id, revision)",
        [revision.update.update_id for revision in revisions],
        [revision.update.revision for revision in revisions],
    )
    return {(row["update_id"], row["revision"]): Position(row["epoch"], row["log_offset"]) for row in rows}


async def _insert_revisions(connection: Connection, revisions: Sequence[tuple[Revision, frozenset[str]]]) -> None:
    await connection.execute(
        "INSERT INTO publish.revisions (update_id, revision, epoch, log_offset, kind, removal, channels, data) "
        "SELECT u, r, e, o, k, m, string_to_array(c, chr(31)), d FROM unnest($1::text[], $2::int[], $3::int[], "
        "$4::bigint[], $5::text[], $6::text[], $7::text[], $8::bytea[]) AS t (u, r, e, o, k, m, c, d) "
        "ON CONFLICT DO NOTHING",
        [revision.update.update_id for revision, _ in revisions],
        [revision.update.revision for revision, _ in revisions],
        [revision.place.epoch for revision, _ in revisions],
        [revision.place.offset for revision, _ in revisions],
        [revision.update.kind for revision, _ in revisions],
        [revision.update.removal for revision, _ in revisions],
        [_BETWEEN.join(sorted(channels)) for _, channels in revisions],
        [revision.data for revision, _ in revisions],
    )


async def _upsert_updates(connection: Connection, moved: Sequence[CurrentState]) -> None:
    await connection.execute(
        "INSERT INTO publish.updates (update_id, revision, epoch, log_offset, position_epoch, position_offset, visible, "
        "final, removal, source, story, channels, first_published_at, updated_at, data) "
        "SELECT i, r, e, o, pe, po, v, f, m, s, y, string_to_array(c, chr(31)), p, w, d FROM unnest($1::text[], "
        "$2::int[], $3::int[], $4::bigint[], $5::int[], $6::bigint[], $7::bool[], $8::bool[], $9::text[], $10::text[], "
        "$11::text[], $12::text[], $13::timestamptz[], $14::timestamptz[], $15::bytea[]) "
        "AS t (i, r, e, o, pe, po, v, f, m, s, y, c, p, w, d) "
        "ON CONFLICT (update_id) DO UPDATE SET revision = excluded.revision, epoch = excluded.epoch, "
        "log_offset = excluded.log_offset, position_epoch = excluded.position_epoch, "
        "position_offset = excluded.position_offset, visible = excluded.visible, final = excluded.final, "
        "removal = excluded.removal, source = excluded.source, story = excluded.story, channels = excluded.channels, "
        "first_published_at = excluded.first_published_at, updated_at = excluded.updated_at, data = excluded.data",
        [each.update_id for each in moved],
        [each.revision for each in moved],
        [each.place.epoch for each in moved],
        [each.place.offset for each in moved],
        [each.position.epoch if each.position else None for each in moved],
        [each.position.offset if each.position else None for each in moved],
        [each.visible for each in moved],
        [each.final for each in moved],
        [each.removal for each in moved],
        [each.source for each in moved],
        [each.story for each in moved],
        [_BETWEEN.join(sorted(each.channels)) for each in moved],
        [each.first_published_at for each in moved],
        [each.updated_at for each in moved],
        [each.data for each in moved],
    )


def _rows_of(state: CurrentState | None) -> frozenset[str]:
    """The channels in whose pages an update is listed; `news` and its own need no row."""
    if state is None or not state.visible:
        return frozenset()
    return state.channels - {NEWS, f"update:{state.update_id}"}


def _listed(states: Iterable[CurrentState]) -> list[tuple[str, int, int, str]]:
    """The rows that list updates in their channels."""
    return [
        (channel, each.position.epoch, each.position.offset, each.update_id)
        for each in states
        if each.position is not None
        for channel in _rows_of(each)
    ]


async def _place_in_channels(
    connection: Connection, before: Mapping[str, CurrentState], moved: Sequence[CurrentState]
) -> None:
    changed = [each for each in moved if _rows_of(each) != _rows_of(before.get(each.update_id))]
    leaving = _listed(before[each.update_id] for each in changed if each.update_id in before)
    if leaving:
        await connection.execute(
            "DELETE FROM publish.update_channels c USING unnest($1::text[], $2::int[], $3::bigint[], $4::text[]) "
            "AS t (channel, epoch, place, update_id) WHERE c.channel = t.channel AND c.position_epoch = t.epoch "
            "AND c.position_offset = t.place AND c.update_id = t.update_id",
            *(list(column) for column in zip(*leaving, strict=True)),
        )
    rows = _listed(changed)
    if rows:
        await connection.execute(
            "INSERT INTO publish.update_channels (channel, position_epoch, position_offset, update_id) "
            "SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[], $4::text[]) ON CONFLICT DO NOTHING",
            *(list(column) for column in zip(*rows, strict=True)),
        )


async def write_pictures(connection: Connection, current: Mapping[str, EnrichedUpdate]) -> None:
    """Record which pictures these updates show now; what they showed before is shown no more."""
    rows = [
        (picture, update_id, list(paths))
        for update_id, update in current.items()
        for picture, paths in renditions_shown(update).items()
    ]
    await connection.execute(
        "UPDATE publish.pictures SET shown = false WHERE update_id = ANY($1) AND shown", list(current)
    )
    if rows:
        await connection.executemany(
            "INSERT INTO publish.pictures (picture, update_id, shown, paths) VALUES ($1, $2, true, $3) "
            "ON CONFLICT (picture, update_id) DO UPDATE SET shown = true, paths = excluded.paths",
            rows,
        )


async def find_missing_pictures(pool: Pool, epoch: int, after: int) -> int:
    """Record the pictures of updates that a release without this table archived after a place in the log; how many updates."""
    rows = await pool.fetch(
        "SELECT u.update_id, u.data FROM publish.updates u WHERE u.visible AND position('/media/'::bytea IN u.data) > 0 "
        "AND u.update_id IN (SELECT r.update_id FROM publish.revisions r WHERE r.epoch = $1 AND r.log_offset > $2) "
        "AND NOT EXISTS (SELECT FROM publish.pictures p WHERE p.update_id = u.update_id)",
        epoch, after,
    )  # fmt: skip
    found = {row["update_id"]: EnrichedUpdate.model_validate_json(row["data"]) for row in rows}
    if found:
        async with pool.acquire() as connection, connection.transaction():
            await write_pictures(connection, found)
    return len(found)


async def _withhold(connection: Connection, final: Mapping[str, bool]) -> None:
    """Take the text of killed and taken-down updates out of every read; of the latter it is destroyed."""
    await connection.execute(
        "UPDATE publish.revisions r SET withheld = true, data = CASE WHEN t.destroyed THEN NULL ELSE r.data END "
        "FROM unnest($1::text[], $2::bool[]) AS t (update_id, destroyed) "
        "WHERE r.update_id = t.update_id AND r.removal IS NULL AND (NOT r.withheld OR t.destroyed AND r.data IS NOT NULL)",
        list(final), list(final.values()),
    )  # fmt: skip
