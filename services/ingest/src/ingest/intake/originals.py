"""The bytes as they were received: kept before they are read, as evidence and for reading them again."""

import hashlib
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from ingest.formats import RefusedItem
from shared.postgres.pool import Pool, Queryable
from shared.postgres.rows import narrowed, table, typed

Transport = Literal["api", "poll", "watch", "websub"]

PAGE = 50
SENT_AGAIN = timedelta(minutes=10)
"""For how long a sender who got no answer is expected to send the same again."""


def new_original_id() -> uuid.UUID:
    """A UUID version 7 (RFC 9562, section 5.7): ordered by time, so that the index grows at its end."""
    value = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    return uuid.UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


@dataclass(frozen=True, slots=True)
class Original:
    """One document as received."""

    id: uuid.UUID
    source: str
    transport: Transport
    received_at: datetime
    content_type: str | None
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    """Those that may explain the document later; never a credential."""
    asked_format: str | None = None
    """The only format that it may have, where the transport says so."""

    @property
    def sha256(self) -> str:
        """Hex digest of the body."""
        return hashlib.sha256(self.body).hexdigest()


_STORE = """
INSERT INTO ingest.originals (id, source, transport, received_at, content_type, headers, sha256, body, asked_format)
SELECT * FROM {kept} AS kept ON CONFLICT (id) DO NOTHING
"""


async def store(database: Queryable, originals: Sequence[tuple[Original, str]]) -> None:
    """Keep originals, each with its checksum; once this returns, Postgres has them for good."""
    kept, values = table(
        "uuid text text timestamptz text jsonb text bytea text",
        [
            (
                original.id, original.source, original.transport, original.received_at, original.content_type,
                dict(original.headers), sha256, original.body, original.asked_format,
            )
            for original, sha256 in originals
        ],
    )  # fmt: skip
    await database.execute(_STORE.format(kept=kept), *values)


_OFFERED = """
SELECT min(received_at) FROM (
    SELECT received_at FROM (
        SELECT received_at, sha256, read_at FROM ingest.originals
        WHERE source = $1 AND received_at < $3 AND received_at > $3 - $4::interval ORDER BY received_at DESC LIMIT 2000
    ) AS earlier
    WHERE sha256 = $2 AND read_at IS NULL
    UNION ALL SELECT received_at FROM ingest.originals WHERE id = $5 AND received_at < $3 AND read_at IS NULL
) AS offered
"""


async def first_offered(database: Queryable, original: Original, sha256: str, before: datetime) -> datetime | None:
    """When these very bytes were first received shortly before a moment, if that came to no end: its process died, or a server
    was away. Looks at the last 2,000 documents of the source within `SENT_AGAIN`, and at the original itself, which was kept
    when it was first refused (`Resends`)."""
    found = await database.fetchval(_OFFERED, original.source, sha256, before, SENT_AGAIN, original.id)
    return narrowed(datetime, found) if found is not None else None


async def was_received_before(pool: Pool, source: str, sha256: str) -> bool:
    """Whether a hub has sent these very bytes before, and what was read from them was emitted."""
    found = await pool.fetchval(
        "SELECT true FROM ingest.originals WHERE source = $1 AND sha256 = $2 AND transport = 'websub' "
        "AND read_at IS NOT NULL LIMIT 1",
        source,
        sha256,
    )
    return bool(found)


async def record_unreadable(pool: Pool, original_id: uuid.UUID, refused: RefusedItem) -> None:
    """Write beside an original why nothing could be made of it."""
    await pool.execute(
        "UPDATE ingest.originals SET refused = $2, updates = 0, read_at = now() WHERE id = $1",
        original_id,
        [refused.model_dump()],
    )


@dataclass(frozen=True, slots=True)
class OriginalFilter:
    """Which originals are meant; an empty field matches all."""

    ids: tuple[uuid.UUID, ...] = ()
    source: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    format: str | None = None
    parser_version: str | None = None
    """Those that were parsed by this version of their parser."""
    refused: bool = False
    """Only those of which something, or everything, was refused."""

    def where(self) -> tuple[str, list[object]]:
        """The condition in SQL, and its parameters."""
        conditions: list[str] = []
        values: list[object] = []
        for condition, value in (
            ("id = ANY(${})", list(self.ids) or None),
            ("source = ${}", self.source),
            ("received_at >= ${}", self.since),
            ("received_at < ${}", self.until),
            ("format = ${}", self.format),
            ("parser_version = ${}", self.parser_version),
        ):
            if value is not None:
                values.append(value)
                conditions.append(condition.format(len(values)))
        if self.refused:
            conditions.append("(refused <> '[]' OR read_at IS NULL)")
        return " AND ".join(conditions) or "true", values


@dataclass(frozen=True, slots=True)
class OriginalSummary:
    """What is known of an original, without its bytes."""

    id: uuid.UUID
    source: str
    transport: Transport
    received_at: datetime
    content_type: str | None
    sha256: str
    size_bytes: int
    format: str | None
    parser_version: str | None
    updates: int | None
    refused: list[dict[str, object]]
    read_at: datetime | None


_SUMMARY = (
    "SELECT id, source, transport, received_at, content_type, sha256, octet_length(body) AS size_bytes, format, "
    "parser_version, updates, refused, read_at FROM ingest.originals WHERE"
)


async def summary(pool: Pool, original_id: uuid.UUID) -> OriginalSummary | None:
    """What is known of one original."""
    found = typed(OriginalSummary, await pool.fetch(f"{_SUMMARY} id = $1", original_id))
    return found[0] if found else None


async def newest(pool: Pool, wanted: OriginalFilter, limit: int) -> list[OriginalSummary]:
    """What is known of the newest originals, newest first."""
    where, values = wanted.where()
    query = f"{_SUMMARY} {where} ORDER BY received_at DESC, id DESC LIMIT ${len(values) + 1}"
    return typed(OriginalSummary, await pool.fetch(query, *values, limit))


async def count(pool: Pool, wanted: OriginalFilter) -> int:
    """How many originals are meant."""
    where, values = wanted.where()
    return narrowed(int, await pool.fetchval(f"SELECT count(*) FROM ingest.originals WHERE {where}", *values))  # noqa: S608 -- conditions are ours


async def ids(pool: Pool, wanted: OriginalFilter) -> list[uuid.UUID]:
    """The ids of the originals that are meant, oldest first."""
    where, values = wanted.where()
    rows = await pool.fetch(f"SELECT id FROM ingest.originals WHERE {where} ORDER BY received_at, id", *values)  # noqa: S608
    return [row["id"] for row in rows]


@dataclass(frozen=True, slots=True)
class StoredOriginal:
    """An original as Postgres has it."""

    id: uuid.UUID
    source: str
    transport: Transport
    received_at: datetime
    content_type: str | None
    sha256: str
    body: bytes
    format: str | None
    """What it was read as."""
    asked_format: str | None
    updates: int | None
    """How many updates were read from it; None where that is not known."""
    reprocessed: int
    """How often it was read again."""


_STORED = "id, source, transport, received_at, content_type, sha256, body, format, asked_format, updates, reprocessed"


async def iterate(pool: Pool, wanted: OriginalFilter, page: int = PAGE) -> AsyncIterator[StoredOriginal]:
    """The originals that are meant, oldest first; read in pages, so that memory stays bounded."""
    where, values = wanted.where()
    query = (
        f"SELECT {_STORED} FROM ingest.originals WHERE {where} "  # noqa: S608
        f"AND (${len(values) + 1}::timestamptz IS NULL OR (received_at, id) > (${len(values) + 1}, ${len(values) + 2})) "
        f"ORDER BY received_at, id LIMIT {page}"
    )
    last: tuple[datetime | None, uuid.UUID] = (None, uuid.UUID(int=0))
    while True:
        found = typed(StoredOriginal, await pool.fetch(query, *values, *last))
        for original in found:
            yield original
        if len(found) < page:
            return
        last = (found[-1].received_at, found[-1].id)


async def begin_reprocessing(pool: Pool, original_id: uuid.UUID) -> StoredOriginal | None:
    """Count that an original is read again; None where it was deleted meanwhile."""
    query = f"UPDATE ingest.originals SET reprocessed = reprocessed + 1 WHERE id = $1 RETURNING {_STORED}"  # noqa: S608
    found = typed(StoredOriginal, await pool.fetch(query, original_id))
    return found[0] if found else None


async def delete_some(pool: Pool, before: datetime) -> int:
    """Delete at most a thousand originals that were received before a time. Returns how many were deleted."""
    rows = await pool.fetch(
        "DELETE FROM ingest.originals WHERE id IN "
        "(SELECT id FROM ingest.originals WHERE received_at < $1 LIMIT 1000) RETURNING 1",
        before,
    )
    return len(rows)
