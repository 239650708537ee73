"""Readers' subscriptions to alerts: by browsers (Web Push) and by apps (FCM, APNs)."""

import base64
import binascii
import dataclasses
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import TypedDict
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from publish.push.alerts.providers.registry import PROVIDERS
from publish.push.alerts.providers.web.encryption import keys_problem
from publish.push.alerts.rules import LOWEST, TOP, AlertRules, Reader
from publish.push.delivery.channel_name import ChannelNames
from publish.push.delivery.outbound import check_url
from shared.access.key import digest_of
from shared.http.problem import Problem
from shared.postgres.pool import Pool
from shared.postgres.rows import typed, typed_or_none

MAX_CHANNELS = 50


class BrowserKeys(BaseModel):
    """The keys of a browser's PushSubscription."""

    p256dh: str = Field(max_length=200)
    auth: str = Field(max_length=100)


class Browser(BaseModel):
    """A PushSubscription as `toJSON()` gives it."""

    endpoint: str
    keys: BrowserKeys
    expirationTime: float | None = None  # noqa: N815 -- the browser's name for it


class Preferences(BaseModel):
    """What a reader wants to be alerted to, and when not."""

    model_config = ConfigDict(extra="forbid")

    channels: ChannelNames = Field(default=("news",), min_length=1, max_length=MAX_CHANNELS)
    time_zone: str = "UTC"
    quiet_from: time | None = None
    quiet_to: time | None = None
    break_through: int = Field(default=TOP, ge=0, le=LOWEST)
    per_hour: int | None = Field(default=None, ge=1, le=60)
    per_day: int | None = Field(default=None, ge=1, le=500)

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("no such time zone") from error
        return value

    @field_validator("quiet_from", "quiet_to")
    @classmethod
    def _local(cls, value: time | None) -> time | None:
        if value is not None and value.tzinfo is not None:
            raise ValueError("a local time, without an offset")
        return value


class NewSubscription(Preferences):
    """A browser or an app that wants alerts."""

    subscription: Browser | None = None
    service: str = Field(default="web", json_schema_extra={"enum": [*PROVIDERS]})
    token: str | None = Field(default=None, min_length=8, max_length=4096, pattern=r"^[A-Za-z0-9_:.\-]+$")

    @field_validator("service")
    @classmethod
    def _provider(cls, value: str) -> str:
        if value not in PROVIDERS:
            raise ValueError(f"one of {', '.join(PROVIDERS)} is needed")
        return value

    @model_validator(mode="after")
    def _whole(self) -> "NewSubscription":
        if (self.service == "web") != (self.subscription is not None):
            raise ValueError("a browser gives its subscription, an app its service and token")
        if (self.service != "web") != (self.token is not None):
            raise ValueError("a browser gives its subscription, an app its service and token")
        return self


def _decoded(value: str, field: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(value.rstrip("=") + "=" * (-len(value.rstrip("=")) % 4))
    except (ValueError, binascii.Error):
        raise Problem(422, "not-valid", f"{field}: base64url is needed", field=field) from None


@dataclass(frozen=True, slots=True)
class AlertSubscription:
    """A subscription in Postgres."""

    id: int
    service: str
    target: str
    p256dh: bytes | None
    auth: bytes | None
    channels: Sequence[str]
    time_zone: str
    quiet_from: time | None
    quiet_to: time | None
    break_through: int
    per_hour: int
    per_day: int
    created_at: datetime


NAMES = [field.name for field in dataclasses.fields(AlertSubscription)]
COLUMNS = ", ".join(NAMES)
VIEW = ("id", "service", "channels", "time_zone", "break_through", "per_hour", "per_day", "created_at")

RECENT = """
SELECT r.subscription_id, count(*) FILTER (WHERE r.at > now() - interval '1 hour') AS hour, count(*) AS day
FROM publish.alert_results r JOIN publish.alerts a ON a.id = r.alert_id AND a.kind = 'alert'
WHERE r.subscription_id = ANY($1) AND r.result = 'sent' AND r.at > now() - interval '1 day'
GROUP BY r.subscription_id
"""


async def find(pool: Pool, subscription_ids: Sequence[int]) -> list[AlertSubscription]:
    """These subscriptions, as far as there are such."""
    rows = await pool.fetch(f"SELECT {COLUMNS} FROM publish.subscriptions WHERE id = ANY($1)", subscription_ids)
    return typed(AlertSubscription, rows)


async def recent_counts(pool: Pool, subscription_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """How many alerts each subscription has had within the hour and within the day."""
    rows = await pool.fetch(RECENT, subscription_ids)
    return {row["subscription_id"]: (row["hour"], row["day"]) for row in rows}


def reader_of(subscription: AlertSubscription, counts: Mapping[int, tuple[int, int]]) -> Reader:
    """What a subscription asks for, with what it has had."""
    hour, day = counts.get(subscription.id, (0, 0))
    return Reader(
        subscription.time_zone, subscription.quiet_from, subscription.quiet_to, subscription.break_through,
        subscription.per_hour, subscription.per_day, hour, day,
    )  # fmt: skip


class NewToken(TypedDict):
    """A new subscription's id, and the token that opens it."""

    id: int
    token: str


class Subscriptions:
    """The subscriptions in Postgres. The token that a reader got when subscribing opens the reader's own."""

    def __init__(self, pool: Pool, rules: AlertRules, *, allow_private: bool) -> None:
        self._pool = pool
        self._rules = rules
        self._allow_private = allow_private

    async def add(self, wanted: NewSubscription) -> NewToken:
        """A new subscription, or the same device again with new preferences."""
        p256dh = auth = expires_at = None
        target = wanted.token or ""
        if wanted.subscription is not None:
            target = wanted.subscription.endpoint
            if (reason := check_url(target, allow_private=self._allow_private)) is not None:
                raise Problem(422, "not-valid", f"/subscription/endpoint: {reason}", field="/subscription/endpoint")
            p256dh = _decoded(wanted.subscription.keys.p256dh, "/subscription/keys/p256dh")
            auth = _decoded(wanted.subscription.keys.auth, "/subscription/keys/auth")
            if (reason := keys_problem(p256dh, auth)) is not None:
                raise Problem(422, "not-valid", f"/subscription/keys: {reason}", field="/subscription/keys")
            if wanted.subscription.expirationTime is not None:
                expires_at = _moment(wanted.subscription.expirationTime)
        token = secrets.token_urlsafe(24)
        rows = await self._pool.fetch(
            "INSERT INTO publish.subscriptions (service, target, target_hash, p256dh, auth, token_sha256, channels, "
            "time_zone, quiet_from, quiet_to, break_through, per_hour, per_day, expires_at) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) "
            "ON CONFLICT (target_hash) DO UPDATE SET p256dh = excluded.p256dh, auth = excluded.auth, "
            "token_sha256 = excluded.token_sha256, channels = excluded.channels, time_zone = excluded.time_zone, "
            "quiet_from = excluded.quiet_from, quiet_to = excluded.quiet_to, break_through = excluded.break_through, "
            "per_hour = excluded.per_hour, per_day = excluded.per_day, expires_at = excluded.expires_at RETURNING id",
            wanted.service, target, digest_of(f"{wanted.service} {target}"), p256dh, auth, digest_of(token),
            list(wanted.channels), wanted.time_zone, wanted.quiet_from, wanted.quiet_to, wanted.break_through,
            wanted.per_hour or self._rules.per_hour, wanted.per_day or self._rules.per_day, expires_at,
        )  # fmt: skip
        return NewToken(id=rows[0]["id"], token=token)

    async def own(self, subscription_id: int, token: str) -> AlertSubscription:
        """The subscription that a token opens."""
        row = await self._pool.fetchrow(
            f"SELECT {COLUMNS} FROM publish.subscriptions WHERE id = $1 AND token_sha256 = $2",
            min(subscription_id, 2**62), digest_of(token),
        )  # fmt: skip
        found = typed_or_none(AlertSubscription, row)
        if found is None:
            raise Problem(404, "no-such-subscription", "there is no such subscription under this token")
        return found

    async def change(self, subscription_id: int, token: str, preferences: Preferences) -> dict[str, object]:
        """Change the preferences; what is left out is as for a new subscription."""
        own = await self.own(subscription_id, token)
        await self._pool.execute(
            "UPDATE publish.subscriptions SET channels = $2, time_zone = $3, quiet_from = $4, quiet_to = $5, "
            "break_through = $6, per_hour = $7, per_day = $8 WHERE id = $1",
            own.id, list(preferences.channels), preferences.time_zone, preferences.quiet_from, preferences.quiet_to,
            preferences.break_through, preferences.per_hour or self._rules.per_hour, preferences.per_day or self._rules.per_day,
        )  # fmt: skip
        return await self.view(subscription_id, token)

    async def view(self, subscription_id: int, token: str) -> dict[str, object]:
        """A subscription as its reader sees it."""
        own = await self.own(subscription_id, token)
        quiet = {"quiet_from": own.quiet_from, "quiet_to": own.quiet_to}
        hours = {name: value.isoformat("minutes") if value else None for name, value in quiet.items()}
        return {name: getattr(own, name) for name in VIEW} | hours

    async def remove(self, subscription_id: int, token: str) -> None:
        """End a subscription."""
        own = await self.own(subscription_id, token)
        await self._pool.execute("DELETE FROM publish.subscriptions WHERE id = $1", own.id)


def _moment(milliseconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
