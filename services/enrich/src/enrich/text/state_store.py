"""The rows of `enrich.updates`: read for a batch, and written by whoever started from what they say, and by no one else."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from enrich.reference.changes import as_word
from enrich.retention import WITHOUT_WORDS
from enrich.text.domain.state import KnownUpdate, State
from enrich.text.domain.visibility import due_of, status_of
from enrich.text.published.places import Settled, write_place
from shared.failures import Transient
from shared.messages import RawUpdate, update_id_for
from shared.postgres.pool import Pool, Row
from shared.postgres.rows import table


class Fetching(Protocol):
    """A pool, or a dedicated connection."""

    async def fetch(self, statement: str, /, *values: object) -> list[Row]:
        """The rows of a statement."""


@dataclass(frozen=True, slots=True)
class UnknownName:
    """A name of a byline that the directory does not know."""

    spelling: str
    example: str
    """The id of an update that has it."""
    source: str


_LOAD = """
SELECT asked.update_id, u.state, o.tags, o.story, o.story_because,
       g.story AS gathered, g.because AS gathered_because, g.label AS gathered_label, g.families, g.is_sure AS gathered_is_sure
FROM {asked} AS asked (update_id)
LEFT JOIN enrich.updates u USING (update_id)
LEFT JOIN enrich.overrides o USING (update_id)
LEFT JOIN enrich.gathered g USING (update_id)
"""

_STORE = """
INSERT INTO enrich.updates
    (update_id, turn, revision, status, source, story, author_ids, tag_codes, unknown_names,
     parent, due_at, due_for, state, conflict_since, hold_kind, hold_since, turn_before, written_at)
SELECT update_id, turn, revision, status, source, story, string_to_array(author_ids, ' '), string_to_array(tag_codes, ' '),
       string_to_array(unknown_names, ' '), parent, due_at, due_for, state, conflict_since, hold_kind, hold_since, turn_before,
       clock_timestamp()
FROM unnest($1::text[], $2::bigint[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::text[], $11::timestamptz[], $12::text[], $13::bytea[], $14::timestamptz[], $15::text[], $16::timestamptz[],
            $17::bigint[])
     AS new (update_id, turn, revision, status, source, story, author_ids, tag_codes, unknown_names, parent, due_at, due_for,
             state, conflict_since, hold_kind, hold_since, turn_before)
ON CONFLICT (update_id) DO UPDATE SET
    turn = excluded.turn, revision = excluded.revision, status = excluded.status, source = excluded.source,
    story = excluded.story, author_ids = excluded.author_ids, tag_codes = excluded.tag_codes, unknown_names = excluded.unknown_names,
    parent = excluded.parent, due_at = excluded.due_at, due_for = excluded.due_for, asked_at = NULL,
    conflict_since = excluded.conflict_since, hold_kind = excluded.hold_kind, hold_since = excluded.hold_since, state = excluded.state, turn_before = excluded.turn_before,
    written_at = excluded.written_at
WHERE enrich.updates.turn = excluded.turn_before
   OR (enrich.updates.turn = excluded.turn AND enrich.updates.state = excluded.state)
RETURNING update_id
"""

_REFRESH_CHILDREN = """
INSERT INTO enrich.refreshes (cause, update_ids)
SELECT 'story', array_agg(child.update_id)
FROM (
    SELECT update_id, parent, status, story FROM enrich.updates WHERE update_id = ANY($1::text[])
    UNION
    SELECT update_id, parent, status, story FROM enrich.updates WHERE parent = ANY($1::text[])
) child JOIN enrich.updates parent ON parent.update_id = child.parent
WHERE child.status = 'live' AND parent.story IS NOT NULL AND child.story IS DISTINCT FROM parent.story
  AND NOT EXISTS (SELECT 1 FROM enrich.overrides o WHERE o.update_id = child.update_id AND o.story IS NOT NULL)
HAVING count(*) > 0
"""


async def load(postgres: Fetching, update_ids: Iterable[str]) -> dict[str, KnownUpdate]:
    """What is known of each of the updates, in one query; an update that was never seen has an empty state."""
    ids = list(dict.fromkeys(update_ids))
    asked, values = table("text", [(update_id,) for update_id in ids])
    rows = await postgres.fetch(_LOAD.format(asked=asked), *values)
    return {row["update_id"]: _known(row) for row in rows}


def _known(row: Row) -> KnownUpdate:
    stored = row["state"]
    return KnownUpdate(
        state=State.model_validate_json(stored) if stored is not None else State(update_id=row["update_id"]),
        tags=row["tags"] or {},
        story=row["story"],
        story_because=row["story_because"] or "",
        gathered=row["gathered"],
        gathered_because=row["gathered_because"] or "",
        gathered_label=row["gathered_label"] or "",
        gathered_is_sure=row["gathered_is_sure"] is True,
        families=tuple(row["families"] or ()),
    )


_FORGET_CAPTIONS = f"UPDATE enrich.media_references SET {WITHOUT_WORDS} WHERE update_id = ANY($1::text[])"  # noqa: S608


class RowConflict(Transient):
    """Another writer has moved rows on since they were read: go back and read them again."""

    def __init__(self, update_ids: Sequence[str]) -> None:
        some = ", ".join(update_ids[:3])
        super().__init__(f"{len(update_ids)} rows of enrich.updates were written by another process meanwhile: {some}")
        self.update_ids = update_ids


async def store(
    pool: Pool, states: Sequence[State], turns_before: Mapping[str, int], settled: Settled | None = None
) -> None:
    """Write states, and the settled place that holds once they are written: all or nothing.

    `turns_before` has, by update id, the turn of the row that each state was made from, 0 where there was none. Raises
    `RowConflict` if a row has another turn by now.
    """
    # In one order everywhere: two batches that write the same rows must not wait for each other in a ring.
    rows = [_row(state, turns_before[state.update_id]) for state in sorted(states, key=lambda each: each.update_id)]
    columns = [list(column) for column in zip(*rows, strict=True)]
    related = [state.update_id for state in states if _has_relatives(state)]
    async with pool.acquire() as connection, connection.transaction():
        if rows:
            written = {row["update_id"] for row in await connection.fetch(_STORE, *columns)}
            if len(written) < len(rows):
                raise RowConflict([str(row[0]) for row in rows if row[0] not in written])
        if related:
            await connection.execute(_REFRESH_CHILDREN, related)
        if ended := [state.update_id for state in states if state.final is not None]:
            await connection.execute(_FORGET_CAPTIONS, ended)
        if settled is not None:
            await write_place(connection, settled)


def _row(state: State, turn_before: int) -> tuple[object, ...]:
    """The columns of `_STORE`, in their order."""
    due_at, due_for = due_of(state)
    published = state.last_published
    return (
        state.update_id,
        state.state_version,
        state.revision,
        status_of(state),
        state.source.replace("\x00", ""),
        published.story if published else None,
        " ".join(published.author_ids) if published else "",
        " ".join(published.tag_codes) if published else "",
        " ".join(map(as_word, published.unknown_names)) if published else "",
        parent_of(state.current.raw) if state.current else None,
        due_at,
        due_for,
        state.model_dump_json(exclude_defaults=True).encode(),
        min((each.since for each in state.conflicts), default=None),
        "" if state.hold is None else "spiked" if state.spiked else state.hold.kind,
        state.hold_since,
        turn_before,
    )


def _has_relatives(state: State) -> bool:
    """Whether a parent or children of an update may have to follow each other's story."""
    if state.last_published is None:
        return False
    return bool(state.last_published.story or (state.current and parent_of(state.current.raw)))


def parent_of(raw: RawUpdate) -> str | None:
    """The update whose story this one follows; None where its source names a story of its own."""
    if not raw.evolved_from or (raw.story and raw.story.strip()):
        return None
    return update_id_for(raw.source, raw.evolved_from)


async def count_unknown_names(pool: Pool, names: Mapping[str, Sequence[UnknownName]]) -> None:
    """Count names of bylines that the directory does not know, by their key."""
    if not names:
        return
    keys = sorted(names)
    await pool.execute(
        """
        INSERT INTO enrich.unknown_names (name, spelling, example, source, seen)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])
        ON CONFLICT (name) DO UPDATE SET
            seen = enrich.unknown_names.seen + excluded.seen, last_seen = now(), example = excluded.example
        """,
        keys,
        [names[key][-1].spelling for key in keys],
        [names[key][-1].example for key in keys],
        [names[key][-1].source for key in keys],
        [len(names[key]) for key in keys],
    )
