"""Keys for subscribing endpoints and ordering alerts, as push knows them."""

from dataclasses import dataclass

from publish.keys import KEYS
from shared.access import key as access
from shared.access import store
from shared.audit.author import Author
from shared.postgres.pool import Pool


@dataclass(frozen=True, slots=True)
class Key:
    """A key's holder and its permissions. `id` is that of its lineage, to which endpoints belong."""

    id: str
    name: str
    scopes: frozenset[str]
    channels: frozenset[str]
    author: Author

    @property
    def signature(self) -> str:
        """Who did it: the person, whichever key that person uses; of a key without one the holder and the key."""
        person = self.author.actor.person
        return f"{person} ({self.name})" if person else f"{self.name} ({self.id})"

    @classmethod
    def of(cls, key: access.Key, author: Author) -> "Key":
        """A key that was found, and who uses it from where."""
        channels = key.more.get("channels")
        allowed = frozenset(map(str, channels)) if isinstance(channels, list) else frozenset[str]()
        return cls(key.lineage, key.holder, key.scopes, allowed, author)


async def live(pool: Pool, key_id: str, author: Author) -> Key | None:
    """The key of an id, if it works, for what `author` does in its holder's place."""
    key = await store.one(pool, KEYS, key_id)
    return Key.of(key, author) if key is not None and key.is_live() else None
