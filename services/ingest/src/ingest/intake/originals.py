"""The bytes as they reached us: kept before anything is made of them, for proof and for reading them again."""

import hashlib
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from shared.postgres.pool import Pool, Queryable, Row
from shared.postgres.rows import narrowed, table

Transport = Literal["api", "poll", "watch", "websub"]


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
    """What came with it and may explain it later; never credentials."""
    asked_format: str | None = None
    """The only format that its transport leaves open."""

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


async def was_received_before(pool: Pool, source: str, sha256: str) -> bool:
    """Whether a hub has sent these bytes before, and what was in them was emitted."""
    found = await pool.fetchval(
        "SELECT true FROM ingest.originals WHERE source = $1 AND sha256 = $2 AND transport = 'websub' "
        "AND read_at IS NOT NULL LIMIT 1",
        source,
        sha256,
    )
    return bool(found)


async def record_unreadable(pool: Pool, original_id: uuid.UUID, refused: Mapping[str, object]) -> None:
    """Record why nothing could be made of an original."""
    await pool.execute(
        "UPDATE ingest.originals SET refused = $2, updates = 0, read_at = now() WHERE id = $1", original_id, [refused]
    )


@dataclass(frozen=True, slots=True)
class OriginalFilter:
    """Selects originals; an empty field does not narrow the selection."""

    ids: tuple[uuid.UUID, ...] = ()
    source: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    format: str | None = None
    parser_version: str | None = None
    """Those that were parsed by this version of their parser."""
    refused: bool = False
    """Only those of which something or everything was refused."""

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


async def count(pool: Pool, wanted: OriginalFilter) -> int:
    """How many originals are selected."""
    where, values = wanted.where()
    return narrowed(int, await pool.fetchval(f"SELECT count(*) FROM ingest.originals WHERE {where}", *values))  # noqa: S608 -- conditions are ours


async def iterate(pool: Pool, wanted: OriginalFilter, columns: str = "*", page: int = 50) -> AsyncIterator[Row]:
    """The rows of the selected originals, oldest first; read in pages, so that memory use stays flat."""
    where, values = wanted.where()
    after = uuid.UUID(int=0)
    moment: datetime | None = None
    while True:
        rows = await pool.fetch(
            f"SELECT {columns} FROM ingest.originals WHERE {where} "  # noqa: S608
            f"AND (${len(values) + 1}::timestamptz IS NULL OR (received_at, id) > (${len(values) + 1}, ${len(values) + 2})) "
            f"ORDER BY received_at, id LIMIT {page}",
            *values,
            moment,
            after,
        )
        for row in rows:
            yield row
        if len(rows) < page:
            return
        moment, after = rows[-1]["received_at"], rows[-1]["id"]
