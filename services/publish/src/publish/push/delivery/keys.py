"""Keys for subscribing endpoints and ordering alerts. Only their hashes are stored."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.postgres.pool import Pool, Row
from shared.postgres.rows import typed

SCOPES = ("webhooks", "alerts", "operate")
"""`webhooks`: one's own endpoints; `alerts`: propose and approve; `operate`: everybody's."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key's holder and its permissions."""

    id: str
    name: str
    scopes: frozenset[str]
    channels: frozenset[str]


def digest(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


async def add(pool: Pool, name: str, scopes: Sequence[str], channels: Sequence[str]) -> tuple[str, str]:
    """A new key: its id and the token, which is stored nowhere."""
    key_id, token = f"key_{secrets.token_hex(8)}", f"slp_{secrets.token_urlsafe(32)}"
    await pool.execute(
        "INSERT INTO publish.push_keys (id, name, sha256, scopes, channels) VALUES ($1, $2, $3, $4, $5)",
        key_id, name, digest(token), list(scopes), list(channels),
    )  # fmt: skip
    return key_id, token


SELECT = "SELECT id, name, scopes, channels FROM publish.push_keys WHERE revoked_at IS NULL AND "


def _key(row: Row | None) -> Key | None:
    return Key(row["id"], row["name"], frozenset(row["scopes"]), frozenset(row["channels"])) if row else None


async def find(pool: Pool, token: str) -> Key | None:
    """The key that a token opens; None where there is none or it was revoked."""
    return _key(await pool.fetchrow(SELECT + "sha256 = $1", digest(token)))


async def live(pool: Pool, key_id: str) -> Key | None:
    """The key of an id, unless it was revoked."""
    return _key(await pool.fetchrow(SELECT + "id = $1", key_id))


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key as operators see it."""

    id: str
    name: str
    scopes: Sequence[str]
    channels: Sequence[str]
    created_at: datetime
    revoked_at: datetime | None


async def listed(pool: Pool) -> list[ListedKey]:
    """All keys, the oldest first."""
    rows = await pool.fetch(
        "SELECT id, name, scopes, channels, created_at, revoked_at FROM publish.push_keys ORDER BY created_at"
    )
    return typed(ListedKey, rows)


async def revoke(pool: Pool, key_id: str) -> bool:
    """End a key; its endpoints are disabled with it. Whether there was one."""
    async with pool.acquire() as connection, connection.transaction():
        found = await connection.fetchval(
            "UPDATE publish.push_keys SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING id", key_id
        )
        await connection.execute(
            "UPDATE publish.endpoints SET state = 'disabled', disabled_reason = 'the key was revoked', disabled_at = now() "
            "WHERE owner = $1 AND state = 'active'",
            key_id,
        )
    return found is not None
