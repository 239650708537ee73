"""Keeps the search index, in the transactions that archive revisions; and fills it with what was archived before it was made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from publish.archive.epochs import newest
from publish.archive.search.languages import config_of
from publish.archive.search.selection import MOST_CHARACTERS, marks_of
from publish.representation.position import Position
from publish.representation.reader_update import ReaderUpdate, reader_update
from publish.representation.words import full_text_of, printable, title_of
from shared.messages import EnrichedUpdate
from shared.postgres.pool import Connection, Pool

log = structlog.get_logger(__name__)

BATCH = 200
"""Updates that are indexed in one transaction of the backfill, for which the archive waits."""
_BETWEEN = "\x1f"


@dataclass(frozen=True, slots=True)
class _Indexed:
    update_id: str
    revision: int
    position: Position
    update: ReaderUpdate

    @property
    def words(self) -> str:
        """What it is found by."""
        update = self.update
        parts = (title_of(update), update.summary, update.byline, full_text_of(update))
        return printable("\n".join(filter(None, parts))[:MOST_CHARACTERS]).replace(_BETWEEN, " ")


_WRITE = (
    "INSERT INTO publish.search_index (update_id, revision, position_epoch, position_offset, first_published_at, config, words) "
    "SELECT i, r, e, o, p, coalesce(c.cfgname, 'simple'), to_tsvector(coalesce(c.oid, 'pg_catalog.simple'::regconfig::oid)::regconfig, w) "
    "|| array_to_tsvector(string_to_array(m, chr(31)) || (chr(1) || 'config:' || coalesce(c.cfgname, 'simple'))) "
    "FROM unnest($1::text[], $2::int[], $3::int[], $4::bigint[], $5::timestamptz[], $6::text[], $7::text[], $8::text[]) "
    "AS t (i, r, e, o, p, l, w, m) "
    "LEFT JOIN pg_catalog.pg_ts_config c ON c.cfgname = l AND c.cfgnamespace = 'pg_catalog'::regnamespace "
    "ON CONFLICT (update_id) DO UPDATE SET revision = excluded.revision, position_epoch = excluded.position_epoch, "
    "position_offset = excluded.position_offset, first_published_at = excluded.first_published_at, "
    "config = excluded.config, words = excluded.words"
)


async def index(connection: Connection, current: Mapping[str, tuple[Position | None, EnrichedUpdate]]) -> None:
    """Let these updates be found by the words that they have now, and those that are out of sight not at all.

    They are the current revisions, by id, each with its update's position.
    """
    leaving = [key for key, (position, update) in current.items() if update.is_removal or position is None]
    if leaving:
        await connection.execute("DELETE FROM publish.search_index WHERE update_id = ANY($1)", leaving)
    await _write(
        connection,
        [
            _Indexed(key, update.revision, position, reader_update(update, cursor=position))
            for key, (position, update) in current.items()
            if position is not None and not update.is_removal
        ],
    )


async def _write(connection: Connection, rows: Sequence[_Indexed]) -> None:
    if not rows:
        return
    configs = [config_of(row.update.language) for row in rows]
    await connection.execute(
        _WRITE,
        [row.update_id for row in rows],
        [row.revision for row in rows],
        [row.position.epoch for row in rows],
        [row.position.offset for row in rows],
        [row.update.first_published_at for row in rows],
        configs,
        [row.words for row in rows],
        [_BETWEEN.join(marks_of(row.update, row.position)) for row in rows],
    )
    await connection.execute(
        "INSERT INTO publish.search_configs (config) SELECT DISTINCT coalesce(c.cfgname, 'simple') FROM unnest($1::text[]) AS l "
        "LEFT JOIN pg_catalog.pg_ts_config c ON c.cfgname = l AND c.cfgnamespace = 'pg_catalog'::regnamespace "
        "ON CONFLICT DO NOTHING",
        sorted(set(configs)),
    )


_CHOSEN = "SELECT u.update_id, u.revision, u.position_epoch, u.position_offset, u.data FROM publish.updates u "


async def _index_rows(connection: Connection, statement: str, *values: object) -> list[Position]:
    """Index what a statement that begins with `_CHOSEN` finds; the positions, in its order."""
    found, positions = [], []
    for row in await connection.fetch(statement, *values):
        position = Position(row["position_epoch"], row["position_offset"])
        positions.append(position)
        try:
            update = EnrichedUpdate.model_validate_json(row["data"])
        except ValueError:
            log.exception("an archived revision cannot be read", update_id=row["update_id"])
            continue
        found.append(_Indexed(row["update_id"], row["revision"], position, reader_update(update, cursor=position)))
    await _write(connection, found)
    return positions


async def fill(pool: Pool, batch: int = BATCH) -> bool:
    """Index the next updates of before there was an index, newest first; False once all are.

    It holds the archive's lock, so that nothing is killed or corrected between reading and writing.
    """
    async with pool.acquire() as connection, connection.transaction():
        await newest(connection, lock=True)
        below = await connection.fetchrow(
            "SELECT position_epoch, position_offset FROM publish.search_backfill WHERE NOT done FOR UPDATE"
        )
        if below is None:
            return False
        positions = await _index_rows(
            connection,
            _CHOSEN + "WHERE u.visible AND (u.position_epoch, u.position_offset) < ($1, $2) "
            "ORDER BY u.position_epoch DESC, u.position_offset DESC LIMIT $3",
            *below.values(), batch,
        )  # fmt: skip
        done = len(positions) < batch
        epoch, offset = positions[-1] if positions else tuple(below.values())
        await connection.execute(
            "UPDATE publish.search_backfill SET position_epoch = $1, position_offset = $2, done = $3",
            epoch,
            offset,
            done,
        )
        return not done


_LACKING = (
    _CHOSEN + "LEFT JOIN publish.search_index s USING (update_id) WHERE u.visible "  # noqa: S608 -- constants
    "AND u.update_id IN (SELECT r.update_id FROM publish.revisions r WHERE r.epoch = $1 AND r.log_offset > $2) "
    "AND s.revision IS DISTINCT FROM u.revision"
)


async def find_missing(pool: Pool, epoch: int, after: int) -> int:
    """Index updates that an older release, which may have run meanwhile, archived after a place in the log; how many."""
    async with pool.acquire() as connection, connection.transaction():
        await newest(connection, lock=True)
        return len(await _index_rows(connection, _LACKING, epoch, after))
