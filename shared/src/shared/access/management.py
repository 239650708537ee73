"""Making, rotating and revoking keys, with the entry in the audit log; what commands and APIs share."""

from collections.abc import Mapping
from datetime import timedelta

from shared.access import store
from shared.access.key import Key
from shared.access.store import OVERLAP, KeyTable, NewKey
from shared.audit.author import Author
from shared.audit.log import append
from shared.postgres.pool import Connection


class NoSuchHolder(ValueError):
    """Keys of this kind are for somebody that is known, and nobody of this name is."""


class KeyManagement:
    """The keys of one service. Each function is called within a transaction."""

    def __init__(self, table: KeyTable) -> None:
        self.table = table

    async def prepared(self, connection: Connection, new: NewKey) -> NewKey:  # noqa: ARG002
        """A key as it will be made, with what the service adds; raises `NoSuchHolder` where it cannot be."""
        return new

    async def ended(self, connection: Connection, key: Key) -> None:
        """What ends with a key that was revoked."""

    async def make(self, connection: Connection, new: NewKey, author: Author) -> tuple[Key, str]:
        """Make a key: what is known of it, and the key, which is shown now or never."""
        new = await self.prepared(connection, new)
        made, token = await store.add(connection, self.table, new)
        await append(connection, author.entry("key-made", made.id, None, described(made)))
        return made, token

    async def rotate(
        self, connection: Connection, key_id: str, author: Author, overlap: timedelta = OVERLAP
    ) -> tuple[Key, Key, str] | None:
        """Make a key in the place of another, which works for `overlap` yet: both, and the new key; None where there is none."""
        rotated = await store.rotate(connection, self.table, key_id, overlap)
        if rotated is not None:
            old, made, _ = rotated
            await append(connection, author.entry("key-rotated", key_id, described(old), described(made)))
        return rotated

    async def revoke(self, connection: Connection, key_id: str, author: Author) -> Key | None:
        """End a key now; None where none of that id works."""
        revoked = await store.revoke(connection, self.table, key_id)
        if revoked is not None:
            await self.ended(connection, revoked)
            await append(connection, author.entry("key-revoked", key_id, described(revoked)))
        return revoked


def described(key: Key) -> Mapping[str, object]:
    """A key as the audit log tells of it."""
    return {name: value for name, value in key.shown().items() if name != "last_used_at"}
