"""Other names of an update, by which later messages of its source refer to it.

A CAP Update is a new version of the alert it refers to, and the next message may refer to that Update instead of the alert. The
names are remembered, so that all of them mean the same update and a kill finds it.
"""

from collections.abc import Iterable

from ingest.formats import ReadResult
from shared.messages import RawUpdate, update_id_for
from shared.postgres.pool import Pool

FORMATS = ("cap",)
"""Formats whose messages refer to documents. For all others nothing is looked up."""


MAX_NAME_BYTES = 1000
"""A longer name is no identifier, and would not fit into the index."""


def needed(reading: ReadResult) -> bool:
    """Whether names have to be looked up for a document."""
    return bool(reading.aliases) or reading.format.startswith(FORMATS)


async def resolved(pool: Pool, source: str, reading: ReadResult) -> tuple[RawUpdate, ...]:
    """The updates of a document under the guids that they had first. The names that it gives are remembered."""
    wanted = {guid for update in reading.updates for guid in (update.guid, *update.replaces)}
    wanted |= {guid for _, guid in reading.aliases}
    rows = await pool.fetch(
        "SELECT alias, guid FROM ingest.aliases WHERE source = $1 AND alias = ANY($2)", source, sorted(wanted)
    )
    first = {row["alias"]: row["guid"] for row in rows}
    names = {alias: first.get(guid, guid) for alias, guid in reading.aliases}
    await _remember(pool, source, ((alias, guid) for alias, guid in sorted(names.items()) if alias != guid))
    return tuple(_renamed(update, first) for update in reading.updates)


async def _remember(pool: Pool, source: str, names: Iterable[tuple[str, str]]) -> None:
    pairs = [pair for pair in names if len(pair[0].encode()) <= MAX_NAME_BYTES]
    if pairs:
        await pool.execute(
            "INSERT INTO ingest.aliases (source, alias, guid) SELECT $1, named.alias, named.guid "
            "FROM unnest($2::text[], $3::text[]) AS named (alias, guid) ON CONFLICT DO NOTHING",
            source,
            [alias for alias, _ in pairs],
            [guid for _, guid in pairs],
        )


def _renamed(update: RawUpdate, first: dict[str, str]) -> RawUpdate:
    guid = first.get(update.guid, update.guid)
    replaces = tuple(dict.fromkeys(name for each in update.replaces if (name := first.get(each, each)) != guid))
    if guid == update.guid and replaces == update.replaces:
        return update
    return update.model_copy(
        update={"guid": guid, "update_id": update_id_for(update.source, guid), "replaces": replaces}
    )
