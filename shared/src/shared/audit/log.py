"""The audit log of a service in Postgres."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import asyncpg
import orjson
import structlog

from shared.audit.entry import GENESIS, Entry, Row, canonical, sealed
from shared.failures.transient import TRANSIENT, reason_of
from shared.postgres.pool import Connection, Pool, Queryable

PAGE = 1000
AFTER_S = 2.0
REFUSALS: tuple[type[Exception], ...] = (*TRANSIENT, asyncpg.PostgresError)

log = structlog.get_logger(__name__)

_LOCK = (
    "SELECT current_schema() AS service FROM "
    "pg_advisory_xact_lock(hashtext('slugline.audit'), hashtext(current_schema()::text))"
)
_APPEND = """
INSERT INTO audit (seq, entry, erasable, previous, hash)
SELECT last.seq + 1, $1, $2, last.hash, sha256(last.hash || convert_to((last.seq + 1)::text || ' ' || $1, 'UTF8'))
FROM (
    (SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1) UNION ALL SELECT 0, $3::bytea ORDER BY seq DESC LIMIT 1
) AS last RETURNING seq
"""

_LAST = """
SELECT erasable->'after'->>'value' FROM audit
WHERE entry::jsonb->>'action' = $1 AND entry::jsonb->>'subject' = $2 ORDER BY seq DESC LIMIT 1
"""


async def append(connection: Connection, entry: Entry) -> int:
    """Add an entry within the caller's transaction, so that the change and its entry are there both or not at all: its number.

    The service's schema is the first of the search path, as `postgres.pool.connect` sets it. Entries are added one at a time
    until the transaction ends, so this stands last in it: whoever held rows that another waits for would wait in a circle.
    """
    service = await connection.fetchval(_LOCK)
    covered, erasable = sealed(entry, str(service), datetime.now(UTC))
    return int(await connection.fetchval(_APPEND, covered, erasable, GENESIS))


async def append_if_changed(connection: Connection, entry: Entry) -> bool:
    """Add the entry of what is set by a file or a setting, where it is not as the newest entry of it says: whether it was added."""
    await connection.fetchval(_LOCK)
    last = await connection.fetchval(_LAST, entry.action, entry.subject)
    if last == canonical(entry.after):
        return False
    before = orjson.loads(last) if last is not None else None
    await append(connection, replace(entry, before=before))
    return True


async def append_after(pool: Pool, entry: Entry) -> bool:
    """Add the entry of what is done already and cannot be undone, such as an order that Kafka has: whether it was written.

    What Postgres did not take is logged, with its subject and action.
    """
    try:
        async with asyncio.timeout(AFTER_S), pool.acquire() as connection, connection.transaction():
            await append(connection, entry)
    except REFUSALS as error:
        log.error(
            "done and not in the audit log", action=entry.action, subject=entry.subject, key_id=entry.actor.key_id,
            error=reason_of(error),
        )  # fmt: skip
        return False
    return True


async def rows(queryable: Queryable, schema: str, *, after: int = 0) -> AsyncIterator[Row]:
    """All entries behind a number, in order."""
    while True:
        page = await queryable.fetch(
            f"SELECT seq, entry, erasable, previous, hash FROM {schema}.audit WHERE seq > $1 ORDER BY seq LIMIT $2",  # noqa: S608
            after,
            PAGE,
        )
        for row in page:
            yield Row(row["seq"], row["entry"], row["erasable"], bytes(row["previous"]), bytes(row["hash"]))
        if len(page) < PAGE:
            return
        after = page[-1]["seq"]


async def newest(
    queryable: Queryable, schema: str, *, limit: int, subject: str = "", action: str = "", key_id: str = "",
    person: str = "", since: datetime | None = None, before: datetime | None = None,
) -> list[Row]:  # fmt: skip
    """The newest entries that fit, the oldest of them first. An action fits that begins as `action` does."""
    found = await queryable.fetch(
        f"""
        SELECT seq, entry, erasable, previous, hash FROM (
            SELECT audit.*, entry::jsonb AS said FROM {schema}.audit
        ) AS audit
        WHERE ($1 = '' OR said->>'subject' = $1) AND starts_with(said->>'action', $2)
            AND ($3 = '' OR said->>'key_id' = $3) AND ($4 = '' OR erasable->'person'->>'value' = $4)
            AND ($5::timestamptz IS NULL OR (said->>'at')::timestamptz >= $5)
            AND ($6::timestamptz IS NULL OR (said->>'at')::timestamptz < $6)
        ORDER BY seq DESC LIMIT $7
        """,  # noqa: S608 -- a name of a schema of ours
        subject, action, key_id, person, since, before, limit,
    )  # fmt: skip
    return [
        Row(row["seq"], row["entry"], row["erasable"], bytes(row["previous"]), bytes(row["hash"]))
        for row in reversed(found)
    ]


async def erase(connection: Connection, schema: str, *, person: str, names: Sequence[str]) -> list[int]:
    """Erase these values from the entries of a person: the numbers of the entries. The chain stays whole."""
    found = await connection.fetch(
        f"UPDATE {schema}.audit SET erasable = erasable - $2::text[] WHERE erasable->'person'->>'value' = $1 RETURNING seq",  # noqa: S608
        person,
        list(names),
    )
    return sorted(row["seq"] for row in found)
