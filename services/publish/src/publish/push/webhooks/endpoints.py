"""Webhook endpoints: where messages go, which, under which secrets, and what was delivered."""

import base64
import dataclasses
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from publish.push.delivery.channel_name import ChannelNames
from publish.push.delivery.keys import Key
from publish.push.delivery.outbound import check_url
from publish.push.delivery.queue import Secret, queue_message
from publish.push.webhooks.queueing import QUEUE_MISSED
from shared.audit.entry import Entry
from shared.audit.log import append
from shared.http.client.urls import without_secrets
from shared.http.problem import Problem
from shared.messages import Kind
from shared.postgres.pool import Pool, Row
from shared.postgres.rows import typed, typed_or_none

KINDS = frozenset(get_args(Kind))
MAX_CHANNELS = 100
ROTATION_OVERLAP = timedelta(hours=24)


def _check_kinds(kinds: tuple[str, ...]) -> tuple[str, ...]:
    if not KINDS.issuperset(kinds):
        raise ValueError(f"no such kind; there are {', '.join(sorted(KINDS))}")
    return kinds


Kinds = Annotated[tuple[str, ...], AfterValidator(_check_kinds)]


class NewEndpoint(BaseModel):
    """A request for an endpoint."""

    model_config = ConfigDict(extra="forbid")

    url: str
    description: str = Field(default="", max_length=500)
    channels: ChannelNames = Field(default=("news",), min_length=1, max_length=MAX_CHANNELS)
    kinds: Kinds = ()
    max_urgency: int | None = Field(default=None, ge=1, le=9)


class ChangedEndpoint(BaseModel):
    """A change to an endpoint; fields left out stay as they are."""

    model_config = ConfigDict(extra="forbid")

    url: str | None = None
    description: str | None = Field(default=None, max_length=500)
    channels: ChannelNames | None = Field(default=None, min_length=1, max_length=MAX_CHANNELS)
    kinds: Kinds | None = None
    max_urgency: int | None = Field(default=None, ge=1, le=9)
    state: str | None = Field(default=None, pattern="^(active|disabled)$")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A webhook endpoint in Postgres."""

    id: str
    url: str
    description: str
    channels: Sequence[str]
    kinds: Sequence[str]
    max_urgency: int | None
    state: str
    disabled_reason: str
    disabled_at: datetime | None
    failures: int
    failing_since: datetime | None
    retry_at: datetime | None
    created_at: datetime
    owner: str
    entitled: Sequence[str]
    secrets: Sequence[Secret]

    @property
    def view(self) -> dict[str, object]:
        """The endpoint as its owner sees it: without its secrets."""
        return {name: getattr(self, name) for name in NAMES if name not in ("owner", "entitled", "secrets")}

    def check_active(self) -> None:
        """A Problem where the endpoint is disabled."""
        if self.state != "active":
            raise Problem(409, "endpoint-disabled", "the endpoint is disabled; activate it first")


NAMES = [field.name for field in dataclasses.fields(Endpoint)]
COLUMNS = ", ".join(NAMES)


@dataclass(frozen=True, slots=True)
class LoggedDelivery:
    """An entry of an endpoint's delivery log."""

    id: int
    message_id: str
    type: str
    update_id: str
    revision: int
    state: str
    attempts: int
    created_at: datetime
    ended_at: datetime | None
    next_attempt_at: datetime | None
    last_status: int | None
    last_error: str | None
    log: Sequence[dict[str, object]]


def new_secret() -> str:
    """A secret as Standard Webhooks writes it: `whsec_` and 32 random bytes in base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _live(kept: Iterable[Secret], now: datetime) -> list[Secret]:
    return [each for each in kept if not (until := each.get("until")) or datetime.fromisoformat(until) > now]


def live_secrets(kept: Iterable[Secret], now: datetime) -> list[str]:
    """The secrets to sign with, newest first: the current one, and those that were rotated out a short while ago."""
    return [each["secret"] for each in _live(kept, now)]


def _check_url(url: str, *, allow_private: bool) -> None:
    if (reason := check_url(url, allow_private=allow_private)) is not None:
        raise Problem(422, "endpoint-url", reason, field="/url")


class Endpoints:
    """The endpoints in Postgres. A key sees its own endpoints, or all of them with the scope `operate`."""

    def __init__(self, pool: Pool, *, allow_private: bool) -> None:
        self._pool = pool
        self._allow_private = allow_private

    async def add(self, wanted: NewEndpoint, key: Key) -> dict[str, object]:
        """A new endpoint, with its secret."""
        _check_url(wanted.url, allow_private=self._allow_private)
        endpoint_id, secret = f"ep_{secrets.token_hex(12)}", new_secret()
        rows = await self._changed(
            key.author.entry("endpoint-added", endpoint_id, None, {"url": without_secrets(wanted.url), "owner": key.id}),
            "INSERT INTO publish.endpoints (id, kind, owner, url, description, channels, entitled, kinds, max_urgency, "
            f"secrets) VALUES ($1, 'webhook', $2, $3, $4, $5, $6, $7, $8, $9) RETURNING {COLUMNS}",
            endpoint_id, key.id, wanted.url, wanted.description, list(wanted.channels), list(key.channels),
            list(wanted.kinds), wanted.max_urgency, [{"secret": secret, "until": None}],
        )  # fmt: skip
        return typed(Endpoint, rows)[0].view | {"secret": secret}

    async def all(self, key: Key) -> list[dict[str, object]]:
        """The endpoints of a key, newest first."""
        rows = await self._pool.fetch(
            f"SELECT {COLUMNS} FROM publish.endpoints WHERE kind = 'webhook' AND (owner = $1 OR $2) "
            "ORDER BY created_at DESC LIMIT 1000",
            key.id, "operate" in key.scopes,
        )  # fmt: skip
        return [endpoint.view for endpoint in typed(Endpoint, rows)]

    async def _changed(self, entry: Entry, statement: str, *values: object) -> list[Row]:
        """The rows that a statement changed, with the entry in the audit log."""
        async with self._pool.acquire() as connection, connection.transaction():
            rows: list[Row] = await connection.fetch(statement, *values)
            await append(connection, entry)
        return rows

    async def _own(self, endpoint_id: str, key: Key) -> Endpoint:
        row = await self._pool.fetchrow(
            f"SELECT {COLUMNS} FROM publish.endpoints WHERE id = $1 AND kind = 'webhook' AND (owner = $2 OR $3)",
            endpoint_id.replace("\x00", ""), key.id, "operate" in key.scopes,
        )  # fmt: skip
        endpoint = typed_or_none(Endpoint, row)
        if endpoint is None:
            raise Problem(404, "no-such-endpoint", "there is no such endpoint under this key")
        return endpoint

    async def one(self, endpoint_id: str, key: Key) -> dict[str, object]:
        """One endpoint, with what waits for it."""
        endpoint = await self._own(endpoint_id, key)
        waiting = await self._pool.fetchval(
            "SELECT count(*) FROM publish.deliveries WHERE endpoint_id = $1 AND state = 'waiting'", endpoint.id
        )
        return endpoint.view | {"waiting": waiting}

    async def change(self, endpoint_id: str, changes: ChangedEndpoint, key: Key) -> dict[str, object]:
        """Change an endpoint. Activating it again begins its retries anew."""
        endpoint = await self._own(endpoint_id, key)
        new = changes.model_dump(exclude_unset=True)
        if new.get("url") is not None:
            _check_url(new["url"], allow_private=self._allow_private)
        kept = {
            name: new.get(name) if new.get(name) is not None else getattr(endpoint, name)
            for name in ("url", "description", "state")
        }
        activated = kept["state"] == "active" and endpoint.state != "active"
        disabled = kept["state"] == "disabled" and endpoint.state != "disabled"
        by = "by its owner" if endpoint.owner == key.id else "by an operator"
        shown = {name: without_secrets(str(value)) if name == "url" else value for name, value in new.items()}
        rows = await self._changed(
            key.author.entry("endpoint-changed", endpoint.id, {"state": endpoint.state}, shown),
            "UPDATE publish.endpoints SET url = $2, description = $3, channels = $4, kinds = $5, max_urgency = $6, "
            "state = $7, disabled_reason = $8, disabled_at = CASE WHEN $7 = 'active' THEN NULL ELSE coalesce(disabled_at, now()) END, "
            "failures = CASE WHEN $9 THEN 0 ELSE failures END, failing_since = CASE WHEN $9 THEN NULL ELSE failing_since END, "
            f"retry_at = CASE WHEN $9 THEN NULL ELSE retry_at END WHERE id = $1 RETURNING {COLUMNS}",
            endpoint.id, kept["url"], kept["description"],
            list(new.get("channels") or endpoint.channels),
            list(new["kinds"]) if new.get("kinds") is not None else endpoint.kinds,
            new.get("max_urgency", endpoint.max_urgency),
            kept["state"],
            "" if kept["state"] == "active" else (by if disabled else endpoint.disabled_reason),
            activated or new.get("url") is not None,
        )  # fmt: skip
        return typed(Endpoint, rows)[0].view

    async def remove(self, endpoint_id: str, key: Key) -> None:
        """End an endpoint and its log."""
        endpoint = await self._own(endpoint_id, key)
        entry = key.author.entry("endpoint-removed", endpoint.id, {"url": without_secrets(endpoint.url)})
        await self._changed(entry, "DELETE FROM publish.endpoints WHERE id = $1", endpoint.id)

    async def secret(self, endpoint_id: str, key: Key) -> str:
        """The current secret."""
        endpoint = await self._own(endpoint_id, key)
        return live_secrets(endpoint.secrets, datetime.now(UTC))[0]

    async def rotate(self, endpoint_id: str, key: Key) -> dict[str, object]:
        """A new secret; the old one signs beside it for a day."""
        endpoint = await self._own(endpoint_id, key)
        now = datetime.now(UTC)
        until = (now + ROTATION_OVERLAP).isoformat()
        old = [Secret(secret=each["secret"], until=each.get("until") or until) for each in _live(endpoint.secrets, now)]
        secret = new_secret()
        await self._changed(
            key.author.entry("endpoint-secret-rotated", endpoint.id),
            "UPDATE publish.endpoints SET secrets = $2 WHERE id = $1",
            endpoint.id,
            [{"secret": secret, "until": None}, *old[:3]],
        )
        return {"secret": secret, "old_secret_signs_until": until}

    async def test(self, endpoint_id: str, key: Key) -> dict[str, object]:
        """Queue a test event."""
        endpoint = await self._own(endpoint_id, key)
        endpoint.check_active()
        message_id = f"msg_test_{secrets.token_hex(8)}"
        body = {
            "type": "endpoint.test",
            "timestamp": datetime.now(UTC).isoformat(),
            "data": {"endpoint_id": endpoint.id, "words": "This is a test event."},
        }
        delivery = await queue_message(self._pool, endpoint.id, message_id, body)
        return {"delivery_id": delivery, "message_id": message_id}

    async def deliveries(
        self, endpoint_id: str, key: Key, *, before: int | None, state: str | None, limit: int
    ) -> list[LoggedDelivery]:
        """The delivery log of an endpoint, newest first."""
        endpoint = await self._own(endpoint_id, key)
        rows = await self._pool.fetch(
            "SELECT id, message_id, type, update_id, revision, state, attempts, created_at, ended_at, "
            "CASE WHEN state = 'waiting' THEN next_attempt_at END AS next_attempt_at, last_status, last_error, log "
            "FROM publish.deliveries WHERE endpoint_id = $1 AND ($2::bigint IS NULL OR id < $2) "
            "AND ($3::text IS NULL OR state = $3) ORDER BY id DESC LIMIT $4",
            endpoint.id, before, state, limit,
        )  # fmt: skip
        return typed(LoggedDelivery, rows)

    async def redeliver(self, endpoint_id: str, delivery_id: int, key: Key) -> dict[str, object]:
        """Queue a message again, under its own id."""
        endpoint = await self._own(endpoint_id, key)
        endpoint.check_active()
        again = await self._pool.fetchrow(
            "INSERT INTO publish.deliveries (endpoint_id, message_id, type, update_id, revision, order_key, body) "
            "SELECT endpoint_id, message_id, type, update_id, revision, order_key, body FROM publish.deliveries "
            "WHERE endpoint_id = $1 AND id = $2 RETURNING id, message_id",
            endpoint.id, delivery_id,
        )  # fmt: skip
        if again is None:
            raise Problem(404, "no-such-delivery", "the log of this endpoint has no such delivery")
        return {"delivery_id": again["id"], "message_id": again["message_id"]}

    async def recover(self, endpoint_id: str, since: datetime, key: Key) -> dict[str, object]:
        """Queue again, in order, what the endpoint has missed since a moment: what failed, and what came while it was disabled."""
        endpoint = await self._own(endpoint_id, key)
        endpoint.check_active()
        queued = await self._pool.fetchval(
            QUEUE_MISSED, endpoint.id, since, endpoint.channels, endpoint.entitled, endpoint.kinds, endpoint.max_urgency
        )
        return {"queued": queued}
