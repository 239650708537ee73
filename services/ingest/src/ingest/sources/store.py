"""The sources in Postgres."""

from typing import Literal

import structlog
from pydantic import ValidationError

from ingest.sources.source import Source, complaint
from shared.audit.author import Author
from shared.audit.entry import Entry
from shared.audit.log import append
from shared.http.client.urls import without_secrets
from shared.postgres.pool import Pool
from shared.postgres.rows import narrowed

log = structlog.get_logger(__name__)

COLUMNS = tuple(Source.model_fields)
STATE = ("paused_at", "paused_because", "signing_generation")
"""Fields that only commands change, never a new description of the source."""


async def all_sources(pool: Pool, logged: set[str] | None = None) -> list[Source]:
    """Every source, by name. A source whose row is no longer valid (a profile of an older release) is left out and logged.

    `logged` are the names of those that were logged before.
    """
    sources = []
    for row in await pool.fetch(f"SELECT {', '.join(COLUMNS)} FROM ingest.sources ORDER BY name"):  # noqa: S608 -- columns are ours
        try:
            sources.append(Source.model_validate(dict(row)))
        except ValidationError as error:
            if logged is None or row["name"] not in logged:
                log.error("source cannot be used", source=row["name"], reason=complaint(error))
            if logged is not None:
                logged.add(row["name"])
    return sources


async def one_source(pool: Pool, name: str, *, unchecked: bool = False) -> Source | None:
    """The source of that name; with `unchecked` also one whose row is no longer valid, to be shown or mended."""
    row = await pool.fetchrow(f"SELECT {', '.join(COLUMNS)} FROM ingest.sources WHERE name = $1", name)  # noqa: S608
    if row is None:
        return None
    try:
        return Source.model_validate(dict(row))
    except ValidationError:
        if not unchecked:
            raise
        return Source.model_construct(**dict(row))


async def save(pool: Pool, source: Source, by: Author | None = None) -> Literal["added", "changed", "unchanged"]:
    """Add a source, or make it what is given. Whether it is paused and its signing secret stay as they are."""
    before = await one_source(pool, source.name, unchecked=True)
    if before is not None:
        source = source.model_copy(update={name: getattr(before, name) for name in STATE})
        if before == source:
            return "unchanged"
    values = source.model_dump(mode="python") | {
        "profile": source.profile.model_dump(mode="json", exclude_defaults=True)
    }
    sets = ", ".join(f"{column} = excluded.{column}" for column in COLUMNS if column != "name")
    places = ", ".join(f"${number}" for number in range(1, len(COLUMNS) + 1))
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            f"INSERT INTO ingest.sources ({', '.join(COLUMNS)}) VALUES ({places}) ON CONFLICT (name) DO UPDATE SET {sets}",  # noqa: S608
            *[values[column] for column in COLUMNS],
        )
        if before is not None and (before.kind, before.url) != (source.kind, source.url):
            await connection.execute(UNSUBSCRIBE, source.name)
            # A cursor is meaningless at another address. A poll that is running finds no row to update.
            await connection.execute("DELETE FROM ingest.cursors WHERE source = $1", source.name)
        if by is not None:
            what = "source-added" if before is None else "source-changed"
            await append(connection, by.entry(what, source.name, _described(before), _described(source)))
    return "added" if before is None else "changed"


_QUEUE_UNSUBSCRIPTIONS = """
INSERT INTO ingest.unsubscriptions (token, source, hub, topic, until)
SELECT token, source, hub, topic, coalesce(lease_until, requested_at + make_interval(secs => coalesce(lease_s, 864000)))
FROM unwanted WHERE state <> 'denied'
"""
UNSUBSCRIBE = (
    f"WITH unwanted AS (DELETE FROM ingest.subscriptions WHERE source = $1 RETURNING *) {_QUEUE_UNSUBSCRIPTIONS}"  # noqa: S608 -- ours
)
"""Queue the end of a subscription, which `ingest poll` then requests of the hub. A hub that has not answered may still confirm."""
UNSUBSCRIBE_UNUSED = f"""
WITH unwanted AS (
    DELETE FROM ingest.subscriptions AS asked USING ingest.sources AS source
    WHERE source.name = asked.source AND (source.paused_at IS NOT NULL OR source.kind <> 'websub') RETURNING asked.*
), afresh AS (
    UPDATE ingest.cursors SET etag = NULL, last_modified = NULL WHERE source IN (SELECT source FROM unwanted)
) {_QUEUE_UNSUBSCRIPTIONS}
"""  # noqa: S608 -- ours
"""The same for sources that are paused or no longer of kind `websub`. Once resumed they read the whole feed, to find its hub again."""


async def pause(pool: Pool, name: str, reason: str, by: Author | None = None) -> bool:
    """Take nothing more from a source until it is resumed. Returns whether there is such a source."""
    return await _changed(
        pool,
        "UPDATE ingest.sources SET paused_at = coalesce(paused_at, now()), paused_because = $2 WHERE name = $1 RETURNING true",
        (name, reason),
        None if by is None else by.entry("source-paused", name, None, {"paused_because": reason}),
    )


async def resume(pool: Pool, name: str, by: Author | None = None) -> bool:
    """Take from a source again. Returns whether there is such a source; one that is not paused stays as it is."""
    return await _changed(
        pool,
        "UPDATE ingest.sources SET resumed_at = CASE WHEN paused_at IS NULL THEN resumed_at ELSE now() END, "
        "paused_at = NULL, paused_because = '' WHERE name = $1 RETURNING true",
        (name,),
        None if by is None else by.entry("source-resumed", name),
    )


async def _changed(pool: Pool, statement: str, values: tuple[object, ...], entry: Entry | None) -> bool:
    """Run a statement that tells whether it changed something, with the entry in the audit log."""
    async with pool.acquire() as connection, connection.transaction():
        found = bool(await connection.fetchval(statement, *values))
        if found and entry is not None:
            await append(connection, entry)
    return found


async def remove(pool: Pool, name: str, by: Author | None = None) -> bool:
    """Delete a source and its keys and end its subscription; originals and items stay. Returns whether there was such a source."""
    before = await one_source(pool, name, unchecked=True) if by is not None else None
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(UNSUBSCRIBE, name)
        found = bool(await connection.fetchval("DELETE FROM ingest.sources WHERE name = $1 RETURNING true", name))
        if found and by is not None:
            await append(connection, by.entry("source-removed", name, _described(before)))
    return found


def _described(source: Source | None) -> dict[str, object] | None:
    """A source as the audit log tells of it: without what is as it always is, and without the password of its address."""
    if source is None:
        return None
    fields = source.model_dump(mode="json", exclude_defaults=True, warnings=False)
    return fields | ({"url": without_secrets(source.url)} if source.url else {})


async def next_signing_generation(pool: Pool, name: str, *, rotate: bool, by: Author | None = None) -> int | None:
    """The generation of a source's signing secret, after issuing the first or, with `rotate`, the next; None where there is no source."""
    async with pool.acquire() as connection, connection.transaction():
        generation = await connection.fetchval(
            "UPDATE ingest.sources SET signing_generation = greatest(signing_generation, 1) + $2 WHERE name = $1 "
            "RETURNING signing_generation",
            name,
            int(rotate),
        )
        if generation is not None and by is not None:
            await append(connection, by.entry("signing-secret-shown", name, None, {"generation": generation}))
    return None if generation is None else narrowed(int, generation)
