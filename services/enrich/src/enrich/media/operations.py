"""What operators ask about pictures and do with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from obstore.store import ObjectStore

from enrich.media.store import remove_renditions
from shared.audit.author import Author
from shared.audit.log import append
from shared.kafka.producer import Producer, acknowledged
from shared.messages import Refresh, Rendition
from shared.postgres.pool import Connection, Pool
from shared.postgres.rows import typed, typed_or_none
from shared.streams import RAW


@dataclass(frozen=True, slots=True)
class ReferenceReport:
    """A reference of an update, its state and the reason."""

    update_id: str
    source: str
    url: str
    state: str
    reason: str
    attempts: int
    retry_at: datetime | None
    settled_at: datetime | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class SourceRights:
    """What was agreed with a source."""

    source: str
    forbidden: Sequence[str] = ()
    allowed: Sequence[str] = ()
    credit: str = ""


@dataclass(frozen=True, slots=True)
class Removal:
    """What removing a picture affected: copies of it, files in the store, and updates that showed it."""

    picture: str
    copies: int
    files: int
    updates: list[str]


async def references(pool: Pool, *, states: Sequence[str], source: str, limit: int) -> list[ReferenceReport]:
    """References in these states, newest first."""
    rows = await pool.fetch(
        "SELECT update_id, source, url, state, reason, attempts, retry_at, settled_at, sha256 "
        "FROM enrich.media_references WHERE state = ANY ($1::text[]) AND ($2 = '' OR source = $2) "
        "ORDER BY coalesce(settled_at, requested_at) DESC LIMIT $3",
        list(states), source, limit,
    )  # fmt: skip
    return typed(ReferenceReport, rows)


async def summary(pool: Pool, *, source: str) -> dict[str, int]:
    """How many references are in each state."""
    rows = await pool.fetch(
        "SELECT state, count(*) AS count FROM enrich.media_references WHERE $1 = '' OR source = $1 GROUP BY state ORDER BY state",
        source,
    )
    return {row["state"]: row["count"] for row in rows}


async def rights_of(connection: Connection, source: str) -> SourceRights:
    """What holds now."""
    row = await connection.fetchrow(
        "SELECT source, forbidden, allowed, credit FROM enrich.media_rights WHERE source = $1", source
    )
    return typed_or_none(SourceRights, row) or SourceRights(source)


async def set_rights(
    pool: Pool, source: str, *, forbid: Sequence[str], allow: Sequence[str], credit: str | None, clear: bool, by: Author
) -> SourceRights:
    """Add to what was agreed with a source, or replace it with `clear`; returns what holds now. With its audit entry."""
    async with pool.acquire() as connection, connection.transaction():
        before = await rights_of(connection, source)
        if clear:
            await connection.execute("DELETE FROM enrich.media_rights WHERE source = $1", source)
        if forbid or allow or credit is not None:
            await _add_rights(connection, source, forbid=forbid, allow=allow, credit=credit)
        now = await rights_of(connection, source)
        if now != before:
            await append(connection, by.entry("picture-rights-set", source, before, now))
        return now


async def _add_rights(
    connection: Connection, source: str, *, forbid: Sequence[str], allow: Sequence[str], credit: str | None
) -> None:
    await connection.execute(
        "INSERT INTO enrich.media_rights AS r (source, forbidden, allowed, credit) "
        "VALUES ($1, $2::text[], $3::text[], coalesce($4, '')) ON CONFLICT (source) DO UPDATE SET "
        "forbidden = (SELECT array_agg(DISTINCT each) FROM unnest(r.forbidden || excluded.forbidden) AS each), "
        "allowed = (SELECT array_agg(DISTINCT each) FROM unnest(r.allowed || excluded.allowed) AS each), "
        "credit = coalesce($4, r.credit), changed_at = now()",
        source, list(forbid), list(allow), credit,
    )  # fmt: skip


async def allow(pool: Pool, *, update_id: str, url: str, name: str, by: Author) -> int:
    """Allow the withheld pictures of an update, or the one of this URL, against their terms, for which the person of that name
    answers. Returns how many.

    A credit is needed all the same, and another picture under the URL asks again. `enrich media` announces them.
    """
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(
            "UPDATE enrich.media_references SET allowed_by = $3, allowed_because = $4, state = 'pending', attempts = 0, retry_at = now() "
            "WHERE update_id = $1 AND ($2 = '' OR url = $2) AND state = 'withheld' RETURNING url, reason",
            update_id, url, name, by.reason,
        )  # fmt: skip
        if rows:
            withheld = {row["url"]: row["reason"] for row in rows}
            await append(connection, by.entry("pictures-allowed", update_id, withheld, {"allowed_by": name}))
    return len(rows)


async def retry_refused(pool: Pool, *, source: str, update_id: str) -> int:
    """Queue failed references again, with all attempts, and forget bytes that were refused. Returns how many."""
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(
            "UPDATE enrich.media_references SET state = 'pending', attempts = 0, retry_at = now(), reason = '', sha256 = NULL, "
            "fetched_url = NULL, fetched_as = NULL "
            "WHERE state = 'failed' AND ($1 = '' OR source = $1) AND ($2 = '' OR update_id = $2) RETURNING sha256, reference",
            source, update_id,
        )  # fmt: skip
        await connection.execute(
            "DELETE FROM enrich.media m WHERE m.refused <> '' "
            "AND NOT EXISTS (SELECT FROM enrich.media_references r WHERE r.sha256 = m.sha256)"
        )
    return len(rows)


async def remove(
    pool: Pool, store: ObjectStore, producer: Producer, *, picture: str, by: Author, now: datetime
) -> Removal:
    """Remove a picture and its copies: mark it first, so that no new revision shows it; then delete its files; then ask for
    revisions of the updates that show it. Doing it again does no harm."""
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(
            "UPDATE enrich.media SET removed_at = coalesce(removed_at, $2), removed_reason = $3 "
            "WHERE picture = (SELECT picture FROM enrich.media WHERE sha256 = $1) RETURNING sha256, renditions",
            picture, now, by.reason,
        )  # fmt: skip
        if rows:
            copies = [row["sha256"] for row in rows]
            await append(connection, by.entry("picture-removed", picture, None, {"copies": copies}))
    files = 0
    for row in rows:
        files += await remove_renditions(store, [Rendition.model_validate(each) for each in row["renditions"]])
    updates = await pool.fetch(
        "UPDATE enrich.media_references SET state = 'withheld', reason = 'removed by the newsroom' "
        "WHERE sha256 = ANY ($1::text[]) AND state <> 'pending' RETURNING update_id, source",
        [row["sha256"] for row in rows],
    )
    sources = {row["update_id"]: row["source"] for row in updates}
    await acknowledged(
        [
            await producer.send(
                RAW,
                Refresh(update_id=update_id, cause="media", requested_at=now, detail="picture removed"),
                key=source,
                event_id=f"{update_id}:media-removed:{picture}",
            )
            for update_id, source in sorted(sources.items())
        ]
    )
    return Removal(picture, len(rows), files, sorted(sources))
