"""Mutes: a desk holds back the alerts of a story, or of any channel, before there are any, with a reason and an end.

What is muted is whatever would newly alert readers: a rule's alert, an editor's order, a digest. Corrections and
withdrawals of what readers have already had go out all the same.
"""

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from publish.push.delivery.channel_name import ChannelName
from shared.audit.author import Author
from shared.audit.log import append
from shared.http.problem import Problem
from shared.postgres.pool import Pool, Queryable
from shared.postgres.rows import typed, typed_or_none

log = structlog.get_logger(__name__)

LONGEST = timedelta(days=31)


class NewMute(BaseModel):
    """A desk's request to hold back a channel's alerts."""

    model_config = ConfigDict(extra="forbid")

    channel: ChannelName
    reason: str = Field(min_length=1, max_length=300)
    until: AwareDatetime

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


@dataclass(frozen=True, slots=True)
class Mute:
    """A mute in Postgres."""

    id: int
    channel: str
    reason: str
    muted_by: str
    muted_at: datetime
    until: datetime
    lifted_by: str | None
    lifted_at: datetime | None

    @property
    def as_reason(self) -> str:
        """The mute as the reason of an alert that it holds back."""
        until = self.until.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
        return f"muted: {self.channel} until {until} by {self.muted_by}: {self.reason} (mute {self.id})"


COLUMNS = ", ".join(field.name for field in dataclasses.fields(Mute))

ACTIVE = f"""
SELECT {COLUMNS} FROM publish.mutes WHERE channel = ANY($1) AND lifted_at IS NULL AND until > now()
ORDER BY until DESC, id LIMIT 1
"""


async def muted(connection: Queryable, channels: Collection[str]) -> str | None:
    """Why alerts in these channels are held back now; None where nothing mutes them. Of several, the longest counts."""
    mute = typed_or_none(Mute, await connection.fetchrow(ACTIVE, list(channels)))
    return mute.as_reason if mute is not None else None


class Mutes:
    """The mutes in Postgres."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(self, wanted: NewMute, person: str, author: Author | None = None) -> Mute:
        """Mute a channel; what waits to leave stays too."""
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(
                "INSERT INTO publish.mutes (channel, reason, muted_by, until) VALUES ($1, $2, $3, $4) "
                f"RETURNING {COLUMNS}",
                wanted.channel, wanted.reason, person, wanted.until,
            )  # fmt: skip
            (mute,) = typed(Mute, rows)
            if author is not None:
                entry = replace(author, reason=wanted.reason).entry("mute-added", f"mute:{mute.id}", None, mute)
                await append(connection, entry)
        log.info("alerts muted", mute=mute.id, channel=mute.channel, by=person, reason=mute.reason)
        return mute

    async def all(self, *, ended: bool, limit: int) -> list[Mute]:
        """The mutes that hold now, or with those that have ended, newest first."""
        rows = await self._pool.fetch(
            f"SELECT {COLUMNS} FROM publish.mutes WHERE $1 OR (lifted_at IS NULL AND until > now()) ORDER BY id DESC LIMIT $2",
            ended, limit,
        )  # fmt: skip
        return typed(Mute, rows)

    async def lift(self, mute_id: int, person: str, author: Author | None = None) -> Mute:
        """End a mute before its time. What it held back stays held back."""
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(
                "UPDATE publish.mutes SET lifted_by = $2, lifted_at = now() "
                f"WHERE id = $1 AND lifted_at IS NULL AND until > now() RETURNING {COLUMNS}",
                min(mute_id, 2**62), person,
            )  # fmt: skip
            mute = typed_or_none(Mute, row)
            if mute is None:
                raise Problem(404, "no-such-mute", "there is no such mute, or it has ended")
            if author is not None:
                await append(connection, author.entry("mute-lifted", f"mute:{mute.id}", mute))
        log.info("mute lifted", mute=mute.id, channel=mute.channel, by=person)
        return mute
