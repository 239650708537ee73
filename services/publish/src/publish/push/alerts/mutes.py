"""Mutes: a desk holds back the alerts of a story, or of any channel, before there are any, with a reason and an end.

What is muted is whatever would newly alert readers: a rule's alert, an editor's order, a digest. Corrections and
withdrawals of what readers have already had go out all the same.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from publish.push.delivery.endpoints import checked_channel, readable
from shared.http.problem import Problem
from shared.postgres.pool import Connection, Pool

log = structlog.get_logger(__name__)

LONGEST = timedelta(days=31)

ACTIVE = """
SELECT * FROM publish.mutes WHERE channel = ANY($1) AND lifted_at IS NULL AND until > now() ORDER BY until DESC, id LIMIT 1
"""


class NewMute(BaseModel):
    """A desk's word that a channel's alerts stay."""

    model_config = ConfigDict(extra="forbid")

    channel: str
    reason: str = Field(min_length=1, max_length=300)
    until: AwareDatetime

    @field_validator("channel")
    @classmethod
    def _known(cls, value: str) -> str:
        return checked_channel(value)

    @field_validator("reason")
    @classmethod
    def _one_line(cls, value: str) -> str:
        words = " ".join(value.split())
        if not words:
            raise ValueError("a reason is needed")
        return words

    @field_validator("until")
    @classmethod
    def _ends(cls, value: datetime) -> datetime:
        now = datetime.now(UTC)
        if not now < value <= now + LONGEST:
            raise ValueError(f"a moment to come, at most {LONGEST.days} days away")
        return value


def words_of(mute: Mapping[str, Any]) -> str:
    """The mute as the reason of an alert that it holds back."""
    until = mute["until"].astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"muted: {mute['channel']} until {until} by {mute['muted_by']}: {mute['reason']} (mute {mute['id']})"


async def muted(connection: Connection, channels: Collection[str]) -> str | None:
    """Why alerts in these channels stay now; None where nothing mutes them. Of several, the one that lasts longest."""
    row = await connection.fetchrow(ACTIVE, list(channels))
    return words_of(row) if row is not None else None


class Mutes:
    """The mutes in Postgres."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(self, wanted: NewMute, person: str) -> dict[str, Any]:
        """Mute a channel; what waits to leave stays too."""
        row = await self._pool.fetchrow(
            "INSERT INTO publish.mutes (channel, reason, muted_by, until) VALUES ($1, $2, $3, $4) RETURNING *",
            wanted.channel, wanted.reason, person, wanted.until,
        )  # fmt: skip
        log.info("alerts muted", mute=row["id"], channel=row["channel"], by=person, reason=row["reason"])
        return readable(row)

    async def all(self, *, ended: bool, limit: int) -> list[dict[str, Any]]:
        """The mutes that hold now, or with those that have ended, newest first."""
        rows = await self._pool.fetch(
            "SELECT * FROM publish.mutes WHERE $1 OR (lifted_at IS NULL AND until > now()) ORDER BY id DESC LIMIT $2",
            ended, limit,
        )  # fmt: skip
        return [readable(row) for row in rows]

    async def lift(self, mute_id: int, person: str) -> dict[str, Any]:
        """End a mute before its time. What it held back meanwhile does not leave any more."""
        row = await self._pool.fetchrow(
            "UPDATE publish.mutes SET lifted_by = $2, lifted_at = now() "
            "WHERE id = $1 AND lifted_at IS NULL AND until > now() RETURNING *",
            min(mute_id, 2**62), person,
        )  # fmt: skip
        if row is None:
            raise Problem(404, "no-such-mute", "there is no such mute, or it has ended")
        log.info("mute lifted", mute=row["id"], channel=row["channel"], by=person)
        return readable(row)
