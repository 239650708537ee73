"""Readers' subscriptions to alerts: by browsers (Web Push) and by apps (FCM, APNs)."""

import base64
import binascii
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from publish.push.alerts.providers.web import new_vapid_key, why_no_keys
from publish.push.alerts.rules import LOWEST, TOP, Rules
from publish.push.delivery.endpoints import checked_channel, readable
from publish.push.delivery.keys import digest
from publish.push.delivery.outbound import check_url
from shared.http.problem import Problem
from shared.postgres.pool import Pool

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


class Wishes(BaseModel):
    """What a reader wants to be alerted to, and when not."""

    model_config = ConfigDict(extra="forbid")

    channels: tuple[str, ...] = Field(default=("news",), min_length=1, max_length=MAX_CHANNELS)
    time_zone: str = "UTC"
    quiet_from: time | None = None
    quiet_to: time | None = None
    break_through: int = Field(default=TOP, ge=0, le=LOWEST)
    per_hour: int | None = Field(default=None, ge=1, le=60)
    per_day: int | None = Field(default=None, ge=1, le=500)

    @field_validator("channels")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(checked_channel(channel) for channel in value)

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


class NewSubscription(Wishes):
    """A browser or an app that wants alerts."""

    subscription: Browser | None = None
    service: Literal["web", "fcm", "apns"] = "web"
    token: str | None = Field(default=None, min_length=8, max_length=4096, pattern=r"^[A-Za-z0-9_:.\-]+$")

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


class Subscriptions:
    """The subscriptions in Postgres. A reader's token, told once, opens the reader's own."""

    def __init__(self, pool: Pool, rules: Rules, *, allow_private: bool) -> None:
        self._pool = pool
        self._rules = rules
        self._allow_private = allow_private

    async def add(self, wanted: NewSubscription) -> dict[str, Any]:
        """A new subscription, or the same device again with new wishes."""
        p256dh = auth = expires_at = None
        target = wanted.token or ""
        if wanted.subscription is not None:
            target = wanted.subscription.endpoint
            if (why := check_url(target, allow_private=self._allow_private)) is not None:
                raise Problem(422, "not-valid", f"/subscription/endpoint: {why}", field="/subscription/endpoint")
            p256dh = _decoded(wanted.subscription.keys.p256dh, "/subscription/keys/p256dh")
            auth = _decoded(wanted.subscription.keys.auth, "/subscription/keys/auth")
            if (why := why_no_keys(p256dh, auth)) is not None:
                raise Problem(422, "not-valid", f"/subscription/keys: {why}", field="/subscription/keys")
            if wanted.subscription.expirationTime is not None:
                expires_at = _moment(wanted.subscription.expirationTime)
        token = secrets.token_urlsafe(24)
        subscription_id = await self._pool.fetchval(
            "INSERT INTO publish.subscriptions (service, target, target_hash, p256dh, auth, token_sha256, channels, "
            "time_zone, quiet_from, quiet_to, break_through, per_hour, per_day, expires_at) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) "
            "ON CONFLICT (target_hash) DO UPDATE SET p256dh = excluded.p256dh, auth = excluded.auth, "
            "token_sha256 = excluded.token_sha256, channels = excluded.channels, time_zone = excluded.time_zone, "
            "quiet_from = excluded.quiet_from, quiet_to = excluded.quiet_to, break_through = excluded.break_through, "
            "per_hour = excluded.per_hour, per_day = excluded.per_day, expires_at = excluded.expires_at RETURNING id",
            wanted.service, target, digest(f"{wanted.service} {target}"), p256dh, auth, digest(token),
            list(wanted.channels), wanted.time_zone, wanted.quiet_from, wanted.quiet_to, wanted.break_through,
            wanted.per_hour or self._rules.per_hour, wanted.per_day or self._rules.per_day, expires_at,
        )  # fmt: skip
        return {"id": subscription_id, "token": token}

    async def own(self, subscription_id: int, token: str) -> Mapping[str, Any]:
        """The subscription that a token opens."""
        row: Mapping[str, Any] | None = await self._pool.fetchrow(
            "SELECT * FROM publish.subscriptions WHERE id = $1 AND token_sha256 = $2",
            min(subscription_id, 2**62), digest(token),
        )  # fmt: skip
        if row is None:
            raise Problem(404, "no-such-subscription", "there is no such subscription under this token")
        return row

    async def change(self, subscription_id: int, token: str, wishes: Wishes) -> dict[str, Any]:
        """Other wishes; what is left out is as for a new subscription."""
        row = await self.own(subscription_id, token)
        await self._pool.execute(
            "UPDATE publish.subscriptions SET channels = $2, time_zone = $3, quiet_from = $4, quiet_to = $5, "
            "break_through = $6, per_hour = $7, per_day = $8 WHERE id = $1",
            row["id"], list(wishes.channels), wishes.time_zone, wishes.quiet_from, wishes.quiet_to,
            wishes.break_through, wishes.per_hour or self._rules.per_hour, wishes.per_day or self._rules.per_day,
        )  # fmt: skip
        return await self.shown(subscription_id, token)

    async def shown(self, subscription_id: int, token: str) -> dict[str, Any]:
        """A subscription as its reader sees it."""
        row = await self.own(subscription_id, token)
        names = ("id", "service", "channels", "time_zone", "break_through", "per_hour", "per_day", "created_at")
        quiet = {name: row[name].isoformat("minutes") if row[name] else None for name in ("quiet_from", "quiet_to")}
        return readable({name: row[name] for name in names}) | quiet

    async def remove(self, subscription_id: int, token: str) -> None:
        """End a subscription."""
        row = await self.own(subscription_id, token)
        await self._pool.execute("DELETE FROM publish.subscriptions WHERE id = $1", row["id"])


def _moment(milliseconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


async def vapid_key(pool: Pool, given: str) -> str:
    """The newsroom's private VAPID key: as given, else one that is made once and kept."""
    if given:
        return given
    await pool.execute(
        "INSERT INTO publish.push_identity (name, value) VALUES ('vapid', $1) ON CONFLICT DO NOTHING", new_vapid_key()
    )
    return str(await pool.fetchval("SELECT value FROM publish.push_identity WHERE name = 'vapid'"))
