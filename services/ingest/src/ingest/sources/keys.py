"""The keys of sources, of which only digests are stored."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime

from shared.postgres.pool import Pool

LIVE_KEYS = 2


def new_key() -> str:
    """A key of 32 random bytes. So much entropy cannot be guessed offline, so a plain SHA-256 of it may be stored."""
    return "slk_" + secrets.token_urlsafe(32)


def digest_of(key: str) -> bytes:
    """The digest of a key that is stored."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


async def add_key(pool: Pool, name: str, sha256: bytes, label: str = "") -> bool:
    """Add a key. Of more than two the oldest stop working. False where the key is there already."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM ingest.sources WHERE name = $1 FOR UPDATE", name)
        added = await connection.fetchval(
            "INSERT INTO ingest.keys (sha256, source, label) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING true",
            sha256,
            name,
            label,
        )
        await connection.execute(
            "DELETE FROM ingest.keys WHERE source = $1 AND sha256 NOT IN "
            "(SELECT sha256 FROM ingest.keys WHERE source = $1 ORDER BY created_at DESC, sha256 LIMIT $2)",
            name,
            LIVE_KEYS,
        )
    return bool(added)


async def set_keys(pool: Pool, name: str, digests: Sequence[bytes]) -> bool:
    """Make these the source's only keys. Returns whether that changed something."""
    async with pool.acquire() as connection, connection.transaction():
        before = await connection.fetch("SELECT sha256 FROM ingest.keys WHERE source = $1 FOR UPDATE", name)
        if {bytes(row["sha256"]) for row in before} == set(digests):
            return False
        await connection.execute("DELETE FROM ingest.keys WHERE source = $1 AND sha256 <> ALL($2)", name, list(digests))
        await connection.executemany(
            "INSERT INTO ingest.keys (sha256, source) VALUES ($1, $2) ON CONFLICT (sha256) DO UPDATE SET source = excluded.source",
            [(digest, name) for digest in digests],
        )
    return True


async def retire_keys(pool: Pool, name: str, keep: int) -> int:
    """Delete all but the newest `keep` keys of a source. Returns how many were deleted."""
    rows = await pool.fetch(
        "DELETE FROM ingest.keys WHERE source = $1 AND sha256 NOT IN "
        "(SELECT sha256 FROM ingest.keys WHERE source = $1 ORDER BY created_at DESC, sha256 LIMIT $2) RETURNING 1",
        name,
        keep,
    )
    return len(rows)


async def live_keys(pool: Pool, name: str) -> list[datetime] | None:
    """When each key of a source was created, the oldest first; None where there is no source."""
    rows = await pool.fetch(
        "SELECT k.created_at FROM ingest.sources AS s LEFT JOIN ingest.keys AS k ON k.source = s.name "
        "WHERE s.name = $1 ORDER BY k.created_at, k.sha256 DESC",
        name,
    )
    return [row["created_at"] for row in rows if row["created_at"] is not None] if rows else None


async def drop_newest_key(pool: Pool, name: str) -> None:
    """Delete the newest key of a source."""
    await pool.execute(
        "DELETE FROM ingest.keys WHERE sha256 = "
        "(SELECT sha256 FROM ingest.keys WHERE source = $1 ORDER BY created_at DESC, sha256 LIMIT 1)",
        name,
    )
