"""The keys of publish: of those who subscribe endpoints or order alerts, and of partners who use the API."""

from collections.abc import Collection
from dataclasses import replace

from pydantic import Field

from publish.representation.position import NEWS
from shared.access.key import Key
from shared.access.management import KeyManagement
from shared.access.routes import WantedKey
from shared.access.store import KeyTable, NewKey
from shared.postgres.pool import Connection, Queryable

SCOPES = {
    "webhooks": "subscribe one's own endpoints",
    "alerts": "propose, approve and mute alerts",
    "read": "more requests to the API",
    "revisions": "more requests for earlier revisions",
    "search": "more searches",
}
KEYS = KeyTable(
    "publish.push_keys", SCOPES, ("partner", "desk", "operator"), holder="name", more=("channels", "per_minute")
)


class WantedPublishKey(WantedKey):
    """A key to be made, with what its holder may have."""

    channels: list[str] = Field(default=[NEWS], min_length=1, max_length=100, description="What its webhooks may have")
    per_minute: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        description="Requests to the API a minute; the default for partners when left out",
    )

    def more(self) -> dict[str, object]:
        """Its channels and its quota."""
        return {"channels": self.channels, "per_minute": self.per_minute}


class PublishKeys(KeyManagement):
    """Endpoints end with the last of the keys that they belong to."""

    def __init__(self, *, channels: Collection[str] = (NEWS,), per_minute: int | None = None) -> None:
        """`channels` are what the holder of a new key may have, `per_minute` how often it may ask the API."""
        super().__init__(KEYS)
        self._more = {"channels": list(channels), "per_minute": per_minute}

    async def prepared(self, connection: Connection, new: NewKey) -> NewKey:  # noqa: ARG002
        """With its channels and its quota."""
        return replace(new, more={**self._more, **new.more})

    async def ended(self, connection: Connection, key: Key) -> None:
        """Disable what belongs to the key, unless another of its lineage works."""
        await disable_endpoints(connection, key.lineage)


async def disable_endpoints(queryable: Queryable, lineage: str = "") -> None:
    """Disable the endpoints of a lineage of keys, or of all, of which no key works any more."""
    await queryable.execute(
        "UPDATE publish.endpoints AS endpoint SET state = 'disabled', disabled_reason = 'the key was revoked or has expired', "
        "disabled_at = now() WHERE state = 'active' AND owner IS NOT NULL AND ($1 = '' OR owner = $1) AND NOT EXISTS ("
        "SELECT 1 FROM publish.push_keys AS key WHERE coalesce(key.lineage, key.id) = endpoint.owner "
        "AND key.revoked_at IS NULL AND (key.expires_at IS NULL OR key.expires_at > now()))",
        lineage,
    )
