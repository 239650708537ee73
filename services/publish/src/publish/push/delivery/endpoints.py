"""Webhook endpoints: who is told what, under which secrets, and what was delivered to them."""

import base64
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

from publish.push.delivery.keys import Key
from publish.push.delivery.outbound import check_url
from shared.http.problem import Problem
from shared.messages import Kind
from shared.postgres.pool import Connection, Pool

KINDS = frozenset(get_args(Kind))
MAX_CHANNELS = 100
ROTATION_OVERLAP = timedelta(hours=24)
SHOWN = (
    "id", "url", "description", "channels", "kinds", "max_urgency", "state", "disabled_reason", "disabled_at",
    "failures", "failing_since", "retry_at", "created_at",
)  # fmt: skip


class NewEndpoint(BaseModel):
    """What a consumer asks for."""

    model_config = ConfigDict(extra="forbid")

    url: str
    description: str = Field(default="", max_length=500)
    channels: tuple[str, ...] = Field(default=("news",), min_length=1, max_length=MAX_CHANNELS)
    kinds: tuple[str, ...] = ()
    max_urgency: int | None = Field(default=None, ge=1, le=9)

    @field_validator("channels")
    @classmethod
    def _known_channels(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(checked_channel(channel) for channel in value)

    @field_validator("kinds")
    @classmethod
    def _known_kinds(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for kind in value:
            if kind not in KINDS:
                raise ValueError(f"no such kind; there are {', '.join(sorted(KINDS))}")
        return value


class ChangedEndpoint(BaseModel):
    """What a consumer changes; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    url: str | None = None
    description: str | None = Field(default=None, max_length=500)
    channels: tuple[str, ...] | None = Field(default=None, min_length=1, max_length=MAX_CHANNELS)
    kinds: tuple[str, ...] | None = None
    max_urgency: int | None = Field(default=None, ge=1, le=9)
    state: str | None = Field(default=None, pattern="^(active|disabled)$")

    _channels = field_validator("channels")(
        lambda value: value if value is None else tuple(checked_channel(channel) for channel in value)
    )
    _kinds = field_validator("kinds")(lambda value: value if value is None else NewEndpoint(url="", kinds=value).kinds)


def checked_channel(channel: str) -> str:
    """A channel's name, if it can be one."""
    kind, colon, name = channel.partition(":")
    known = channel == "news" or (kind in ("source", "tag", "story", "author", "update") and colon and name)
    if not known or len(channel) > 200 or not channel.isprintable():
        raise ValueError("a channel is news, source:…, tag:…, story:…, author:… or update:…")
    return channel


def new_secret() -> str:
    """A secret as Standard Webhooks writes it: `whsec_` and 32 random bytes in base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def live_secrets(kept: Sequence[Mapping[str, Any]], now: datetime) -> list[str]:
    """The secrets to sign with, newest first: the current one, and those that were rotated out a short while ago."""
    return [each["secret"] for each in kept if each.get("until") is None or datetime.fromisoformat(each["until"]) > now]


def _checked_url(url: str, *, allow_private: bool) -> str:
    if (why := check_url(url, allow_private=allow_private)) is not None:
        raise Problem(422, "endpoint-url", why, field="/url")
    return url


def readable(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its times as text."""
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """An endpoint as its owner sees it: without its secrets."""
    return readable({name: row[name] for name in SHOWN})


class Endpoints:
    """The endpoints in Postgres. Where a key is given, it is its own endpoints, unless it may operate."""

    def __init__(self, pool: Pool, *, allow_private: bool) -> None:
        self._pool = pool
        self._allow_private = allow_private

    async def add(self, wanted: NewEndpoint, key: Key) -> dict[str, Any]:
        """A new endpoint; the answer holds its secret, which is told by `secret` again."""
        _checked_url(wanted.url, allow_private=self._allow_private)
        endpoint_id, secret = f"ep_{secrets.token_hex(12)}", new_secret()
        row = await self._pool.fetchrow(
            "INSERT INTO publish.endpoints (id, kind, owner, url, description, channels, entitled, kinds, max_urgency, "
            "secrets) VALUES ($1, 'webhook', $2, $3, $4, $5, $6, $7, $8, $9) RETURNING *",
            endpoint_id, key.id, wanted.url, wanted.description, list(wanted.channels), list(key.channels),
            list(wanted.kinds), wanted.max_urgency, [{"secret": secret, "until": None}],
        )  # fmt: skip
        return shown(row) | {"secret": secret}

    async def all(self, key: Key) -> list[dict[str, Any]]:
        """The endpoints of a key, newest first."""
        rows = await self._pool.fetch(
            "SELECT * FROM publish.endpoints WHERE kind = 'webhook' AND (owner = $1 OR $2) "
            "ORDER BY created_at DESC LIMIT 1000",
            key.id, "operate" in key.scopes,
        )  # fmt: skip
        return [shown(row) for row in rows]

    async def _own(self, endpoint_id: str, key: Key) -> Any:
        row = await self._pool.fetchrow(
            "SELECT * FROM publish.endpoints WHERE id = $1 AND kind = 'webhook' AND (owner = $2 OR $3)",
            endpoint_id.replace("\x00", ""), key.id, "operate" in key.scopes,
        )  # fmt: skip
        if row is None:
            raise Problem(404, "no-such-endpoint", "there is no such endpoint under this key")
        return row

    async def one(self, endpoint_id: str, key: Key) -> dict[str, Any]:
        """One endpoint, with what waits for it."""
        row = await self._own(endpoint_id, key)
        waiting = await self._pool.fetchval(
            "SELECT count(*) FROM publish.deliveries WHERE endpoint_id = $1 AND state = 'waiting'", row["id"]
        )
        return shown(row) | {"waiting": waiting}

    async def change(self, endpoint_id: str, changes: ChangedEndpoint, key: Key) -> dict[str, Any]:
        """Change an endpoint. Activating it again begins its retries anew."""
        row = await self._own(endpoint_id, key)
        new = changes.model_dump(exclude_unset=True)
        if new.get("url") is not None:
            _checked_url(new["url"], allow_private=self._allow_private)
        kept = {
            name: new.get(name) if new.get(name) is not None else row[name] for name in ("url", "description", "state")
        }
        activated = kept["state"] == "active" and row["state"] != "active"
        disabled = kept["state"] == "disabled" and row["state"] != "disabled"
        by = "by its owner" if row["owner"] == key.id else "by an operator"
        changed = await self._pool.fetchrow(
            "UPDATE publish.endpoints SET url = $2, description = $3, channels = $4, kinds = $5, max_urgency = $6, "
            "state = $7, disabled_reason = $8, disabled_at = CASE WHEN $7 = 'active' THEN NULL ELSE coalesce(disabled_at, now()) END, "
            "failures = CASE WHEN $9 THEN 0 ELSE failures END, failing_since = CASE WHEN $9 THEN NULL ELSE failing_since END, "
            "retry_at = CASE WHEN $9 THEN NULL ELSE retry_at END WHERE id = $1 RETURNING *",
            row["id"], kept["url"], kept["description"],
            list(new.get("channels") or row["channels"]),
            list(new["kinds"]) if new.get("kinds") is not None else row["kinds"],
            new["max_urgency"] if "max_urgency" in new else row["max_urgency"],
            kept["state"],
            "" if kept["state"] == "active" else (by if disabled else row["disabled_reason"]),
            activated or new.get("url") is not None,
        )  # fmt: skip
        return shown(changed)

    async def remove(self, endpoint_id: str, key: Key) -> None:
        """End an endpoint and its log."""
        row = await self._own(endpoint_id, key)
        await self._pool.execute("DELETE FROM publish.endpoints WHERE id = $1", row["id"])

    async def secret(self, endpoint_id: str, key: Key) -> str:
        """The current secret."""
        row = await self._own(endpoint_id, key)
        return live_secrets(row["secrets"], datetime.now(UTC))[0]

    async def rotate(self, endpoint_id: str, key: Key) -> dict[str, Any]:
        """A new secret; the old one signs beside it for a day."""
        row = await self._own(endpoint_id, key)
        now = datetime.now(UTC)
        until = (now + ROTATION_OVERLAP).isoformat()
        old = [
            {"secret": each["secret"], "until": each.get("until") or until}
            for each in row["secrets"]
            if each.get("until") is None or datetime.fromisoformat(each["until"]) > now
        ]
        secret = new_secret()
        await self._pool.execute(
            "UPDATE publish.endpoints SET secrets = $2 WHERE id = $1",
            row["id"],
            [{"secret": secret, "until": None}, *old[:3]],
        )
        return {"secret": secret, "old_secret_signs_until": until}

    async def test(self, endpoint_id: str, key: Key) -> dict[str, Any]:
        """Queue a test event."""
        row = await self._own(endpoint_id, key)
        if row["state"] != "active":
            raise Problem(409, "endpoint-disabled", "the endpoint is disabled; activate it first")
        message_id = f"msg_test_{secrets.token_hex(8)}"
        body = {
            "type": "endpoint.test",
            "timestamp": datetime.now(UTC).isoformat(),
            "data": {"endpoint_id": row["id"], "words": "This is a test event."},
        }
        delivery = await queue_message(self._pool, row["id"], message_id, body)
        return {"delivery_id": delivery, "message_id": message_id}

    async def deliveries(
        self, endpoint_id: str, key: Key, *, before: int | None, state: str | None, limit: int
    ) -> list[dict[str, Any]]:
        """The delivery log of an endpoint, newest first."""
        row = await self._own(endpoint_id, key)
        rows = await self._pool.fetch(
            "SELECT id, message_id, type, update_id, revision, state, attempts, created_at, ended_at, "
            "CASE WHEN state = 'waiting' THEN next_attempt_at END AS next_attempt_at, last_status, last_error, log "
            "FROM publish.deliveries WHERE endpoint_id = $1 AND ($2::bigint IS NULL OR id < $2) "
            "AND ($3::text IS NULL OR state = $3) ORDER BY id DESC LIMIT $4",
            row["id"], before, state, limit,
        )  # fmt: skip
        return [readable(each) for each in rows]

    async def redeliver(self, endpoint_id: str, delivery_id: int, key: Key) -> dict[str, Any]:
        """Queue a message again, under its own id."""
        row = await self._own(endpoint_id, key)
        if row["state"] != "active":
            raise Problem(409, "endpoint-disabled", "the endpoint is disabled; activate it first")
        again = await self._pool.fetchrow(
            "INSERT INTO publish.deliveries (endpoint_id, message_id, type, update_id, revision, order_key, body) "
            "SELECT endpoint_id, message_id, type, update_id, revision, order_key, body FROM publish.deliveries "
            "WHERE endpoint_id = $1 AND id = $2 RETURNING id, message_id",
            row["id"], delivery_id,
        )  # fmt: skip
        if again is None:
            raise Problem(404, "no-such-delivery", "the log of this endpoint has no such delivery")
        return {"delivery_id": again["id"], "message_id": again["message_id"]}

    async def recover(self, endpoint_id: str, since: datetime, key: Key) -> dict[str, Any]:
        """Queue again, in order, what the endpoint did not get since a moment: failed, or missed while it was disabled."""
        row = await self._own(endpoint_id, key)
        if row["state"] != "active":
            raise Problem(409, "endpoint-disabled", "the endpoint is disabled; activate it first")
        queued = await self._pool.fetchval(
            QUEUE_MISSED, row["id"], since, row["channels"], row["entitled"], row["kinds"], row["max_urgency"]
        )
        return {"queued": queued}


QUEUE_MISSED = """
WITH queued AS (
  INSERT INTO publish.deliveries (endpoint_id, message_id, type, update_id, revision, order_key)
  SELECT $1, 'msg_' || p.update_id || '_' || p.revision, 'update.' || r.kind, p.update_id, p.revision,
         coalesce(u.story, p.update_id)
  FROM publish.pushed p JOIN publish.revisions r USING (update_id, revision) JOIN publish.updates u USING (update_id)
  WHERE p.pushed_at >= $2 AND r.channels && $3 AND r.channels && $4
    AND ($6::int IS NULL OR r.removal IS NOT NULL OR coalesce(p.urgency, 9) <= $6)
    AND (r.removal IS NOT NULL OR ($5::text[] = '{}' OR r.kind = ANY($5)))
    AND NOT EXISTS (SELECT FROM publish.deliveries d WHERE d.endpoint_id = $1 AND d.update_id = p.update_id
                    AND d.revision = p.revision AND d.state IN ('waiting', 'delivered'))
  ORDER BY p.epoch, p.log_offset
  RETURNING id)
SELECT count(*) FROM queued
"""


async def queue_message(connection: Connection, endpoint_id: str, message_id: str, body: Mapping[str, Any]) -> int:
    """Queue a message that is about no update."""
    return int(
        await connection.fetchval(
            "INSERT INTO publish.deliveries (endpoint_id, message_id, type, order_key, body) "
            "VALUES ($1, $2, $3, $2, $4) RETURNING id",
            endpoint_id, message_id, body["type"], json.dumps(body),
        )
    )  # fmt: skip
