"""Keys of publish, for tests."""

from collections.abc import Sequence

from publish.keys import KEYS, PublishKeys
from publish.push.delivery.keys import Key
from shared.access.key import digest_of
from shared.access.store import NewKey, live_keys
from shared.audit.author import of_command
from shared.postgres.pool import Pool


async def add(pool: Pool, name: str, scopes: Sequence[str], channels: Sequence[str]) -> tuple[str, str]:
    """A new key: its id, and the key."""
    async with pool.acquire() as connection, connection.transaction():
        new = NewKey("partner", name, frozenset(scopes))
        made, token = await PublishKeys(channels=channels).make(connection, new, of_command())
    return made.id, token


async def find(pool: Pool, token: str) -> Key | None:
    """The key of that text."""
    key = (await live_keys(pool, KEYS)).get(digest_of(token))
    return None if key is None else Key.of(key, of_command())
