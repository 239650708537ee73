"""The keys of sources, and of operators of ingest."""

from collections.abc import Sequence
from dataclasses import replace

from shared.access import store
from shared.access.holder import OPERATE
from shared.access.key import Key
from shared.access.management import KeyManagement, NoSuchHolder, described
from shared.access.store import KeyTable, NewKey, UnknownScope
from shared.audit.author import Author
from shared.audit.log import append
from shared.postgres.pool import Connection, Pool, Queryable, Row

LIVE_KEYS = 2
"""Keys of one person at a source that work at one time: the one in use, and the one that takes its place."""

SCOPES = {
    "send": "push copy",
    "status": "ask what became of it",
    "orders": "give orders about updates: a source's own, or with a desk's key everybody's",
}
KEYS = KeyTable(
    "ingest.keys",
    SCOPES,
    ("source", "desk", "operator"),
    holder_of_old="source",
    old_scopes=frozenset(SCOPES),
)

_NEWEST = "SELECT id FROM ingest.keys WHERE source = $1 AND person = $2 AND revoked_at IS NULL ORDER BY created_at DESC, sha256"


class SourceKeys(KeyManagement):
    """Keys of sources that there are, and of operators."""

    def __init__(self) -> None:
        super().__init__(KEYS)

    async def prepared(self, connection: Connection, new: NewKey) -> NewKey:
        """An operator's key belongs to no source; every other to the source that it names."""
        if new.kind == "operator":
            return new
        if OPERATE in new.scopes:
            raise UnknownScope("a source's key cannot be an operator's; make one of kind operator")
        desk = await connection.fetchval("SELECT desk FROM ingest.sources WHERE name = $1 FOR UPDATE", new.holder)
        if desk is None:
            raise NoSuchHolder(f"there is no source {new.holder[:63]}")
        return replace(new, kind="desk" if desk else "source", more={"source": new.holder})


async def make_key(
    connection: Connection, name: str, author: Author, *, person: str = "", label: str = ""
) -> tuple[Key, str, list[Key]]:
    """Make a key of a source within a transaction; of more than two of one person the oldest stop working.

    The key, its text, and those that ended. Raises `NoSuchHolder`.
    """
    new = NewKey("source", name, frozenset(SCOPES), person, label)
    made, token = await SourceKeys().make(connection, new, author)
    ended = await retire_keys(connection, name, LIVE_KEYS, author, person=person)
    return made, token, ended


async def set_keys(queryable: Queryable, name: str, digests: Sequence[bytes]) -> tuple[list[str], list[str]]:
    """Make these the source's only keys: the ids of those that ended, and of those that came."""
    rows = await queryable.fetch(
        "UPDATE ingest.keys SET revoked_at = now() WHERE source = $1 AND sha256 <> ALL($2) AND revoked_at IS NULL "
        "RETURNING id",
        name,
        list(digests),
    )
    added = await queryable.fetch(
        "INSERT INTO ingest.keys AS keys (sha256, source, holder) SELECT given.sha256, $1, $1 FROM unnest($2::bytea[]) AS given (sha256) "
        "ON CONFLICT (sha256) DO UPDATE SET source = $1, holder = $1, revoked_at = NULL, expires_at = NULL "
        "WHERE keys.source IS DISTINCT FROM $1 OR keys.revoked_at IS NOT NULL OR keys.expires_at IS NOT NULL RETURNING id",
        name,
        list(digests),
    )
    return [row["id"] for row in rows], [row["id"] for row in added]


async def retire_keys(connection: Connection, name: str, keep: int, author: Author, *, person: str = "") -> list[Key]:
    """End all but the newest `keep` keys of a person at a source: those that ended."""
    rows = await connection.fetch(
        f"UPDATE ingest.keys SET revoked_at = now() WHERE source = $1 AND person = $2 AND revoked_at IS NULL "  # noqa: S608
        f"AND id NOT IN ({_NEWEST} LIMIT $3) RETURNING {KEYS.columns}",
        name,
        person,
        keep,
    )
    return await _noted(connection, rows, author)


async def live_keys(pool: Pool, name: str, *, person: str = "") -> list[Key] | None:
    """The keys of a person at a source that work, the oldest first; None where there is no source."""
    if not await pool.fetchval("SELECT true FROM ingest.sources WHERE name = $1", name):
        return None
    return [key for key in await store.listed(pool, KEYS, holder=name) if key.person == person]


async def drop_newest_key(connection: Connection, name: str, author: Author, *, person: str = "") -> None:
    """End the newest key of a person at a source."""
    rows = await connection.fetch(
        f"UPDATE ingest.keys SET revoked_at = now() WHERE id = ({_NEWEST} LIMIT 1) RETURNING {KEYS.columns}",  # noqa: S608
        name,
        person,
    )
    await _noted(connection, rows, author)


async def _noted(connection: Connection, rows: Sequence[Row], author: Author) -> list[Key]:
    ended = [KEYS.key(row) for row in rows]
    for key in ended:
        await append(connection, author.entry("key-revoked", key.id, described(key)))
    return ended
