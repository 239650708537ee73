"""The sources: what is known of each, in Postgres, and the copy of it that a process answers from."""

import asyncio
import hashlib
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import urlsplit

import structlog
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from ingest.formats import FORMATS, SourceProfile
from shared.background import keep_running
from shared.postgres.pool import Pool
from shared.postgres.rows import narrowed

log = structlog.get_logger(__name__)

SourceName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
Kind = Literal["api", "poll", "watch", "websub"]
Count = Annotated[int, Field(gt=0, le=2**31 - 1)]

FORMAT_NAMES = tuple(sorted(name for one in FORMATS for name in one.names))

LIVE_KEYS = 2
REFRESH_S = 2.0
MISS_PAUSE_S = 0.2


class Source(BaseModel):
    """A sender of copy: its limits, how its copy arrives, and what is peculiar about it (`profile`)."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: SourceName
    kind: Kind = "api"
    title: str = Field(default="", max_length=200)
    url: str | None = Field(default=None, pattern=r"^https?://", max_length=2000)
    """The feed that is polled, or the topic that a hub announces."""
    folder: str | None = None
    """The folder that is watched; absolute."""
    format: str | None = None
    """The one format it sends; recognised from each document when empty."""
    profile: SourceProfile = SourceProfile()
    desk: bool = False
    """Its keys may give orders about every source's updates, and see them."""
    rate_per_s: float | None = Field(default=None, gt=0)
    burst: Count | None = None
    max_body_bytes: Count | None = None
    silence_after_s: Count | None = None
    """Without new copy for so long, an alarm is raised."""
    min_interval_s: Count | None = None
    max_interval_s: Count | None = None
    paused_at: datetime | None = None
    paused_because: str = ""
    signing_generation: int = 0
    """Which secret for signed pushes was given out last; 0 for none."""

    @field_validator("title", "url", "folder")
    @classmethod
    def _can_be_kept(cls, value: str | None) -> str | None:
        if value is not None and any(sign < " " for sign in value):
            raise ValueError("control characters cannot be kept")
        return value

    @field_validator("url")
    @classmethod
    def _names_a_host(cls, value: str | None) -> str | None:
        if value is not None and not urlsplit(value).hostname:
            raise ValueError("an http(s) URL with a host is needed")
        return value

    @field_validator("format")
    @classmethod
    def _can_be_read(cls, value: str | None) -> str | None:
        if value is not None and value not in FORMAT_NAMES:
            raise ValueError(f"there is no format {value[:60]!r}: {', '.join(FORMAT_NAMES)}")
        return value

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> "Source":
        if self.kind in ("poll", "websub") and not self.url:
            raise ValueError(f"a source of kind {self.kind} needs a url")
        if self.kind == "watch" and (not (self.folder or "").startswith("/") or not (self.folder or "").strip("/.")):
            raise ValueError("a source of kind watch needs an absolute folder, and not the root")
        if self.min_interval_s and self.max_interval_s and self.min_interval_s > self.max_interval_s:
            raise ValueError("min_interval_s is more than max_interval_s")
        return self

    @property
    def paused(self) -> bool:
        """Whether nothing is taken from it for the time being."""
        return self.paused_at is not None


COLUMNS = tuple(Source.model_fields)
OURS = ("paused_at", "paused_because", "signing_generation")
"""What changes by commands only, never by describing the source anew."""


SAID = {"extra_forbidden": "there is no such setting", "missing": "is needed"}
PATTERNS = {
    "name": "small letters, digits, '.', '_' and '-', at most 63, the first a letter or a digit",
    "url": "an http(s) URL is needed",
}


def complaint(error: ValidationError) -> str:
    """What is wrong with a source, in one line: the field and the reason."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(step) for step in first["loc"])
    reason = SAID.get(first["type"]) or first["msg"].removeprefix("Value error, ")
    if first["type"] == "string_pattern_mismatch":
        reason = PATTERNS.get(place, reason)
    return f"{place}: {reason}" if place else reason


def new_key() -> str:
    """A key of 32 random bytes. So much entropy cannot be guessed offline, hence a plain SHA-256 is kept of it."""
    return "slk_" + secrets.token_urlsafe(32)


def digest_of(key: str) -> bytes:
    """What is stored of a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


async def all_sources(pool: Pool, told: set[str] | None = None) -> list[Source]:
    """Every source, by name. One whose row no longer fits (a profile of an older release) is left out, and logged once."""
    sources = []
    for row in await pool.fetch(f"SELECT {', '.join(COLUMNS)} FROM ingest.sources ORDER BY name"):  # noqa: S608 -- columns are ours
        try:
            sources.append(Source.model_validate(dict(row)))
        except ValidationError as error:
            if told is None or row["name"] not in told:
                log.error("source cannot be used", source=row["name"], reason=complaint(error))
            if told is not None:
                told.add(row["name"])
    return sources


async def one_source(pool: Pool, name: str, *, unchecked: bool = False) -> Source | None:
    """The source of that name; with `unchecked` also one whose row no longer fits, to be looked at or mended."""
    row = await pool.fetchrow(f"SELECT {', '.join(COLUMNS)} FROM ingest.sources WHERE name = $1", name)  # noqa: S608
    if row is None:
        return None
    try:
        return Source.model_validate(dict(row))
    except ValidationError:
        if not unchecked:
            raise
        return Source.model_construct(**dict(row))


async def save(pool: Pool, source: Source) -> Literal["added", "changed", "unchanged"]:
    """Add a source or make it what is given; whether it is paused stays as it is, and its secrets do."""
    before = await one_source(pool, source.name, unchecked=True)
    if before is not None:
        source = source.model_copy(update={name: getattr(before, name) for name in OURS})
        if before == source:
            return "unchanged"
    values = source.model_dump(mode="python") | {
        "profile": source.profile.model_dump(mode="json", exclude_defaults=True)
    }
    sets = ", ".join(f"{column} = excluded.{column}" for column in COLUMNS if column != "name")
    places = ", ".join(f"${number}" for number in range(1, len(COLUMNS) + 1))
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            f"INSERT INTO ingest.sources ({', '.join(COLUMNS)}) VALUES ({places}) ON CONFLICT (name) DO UPDATE SET {sets}",  # noqa: S608
            *[values[column] for column in COLUMNS],
        )
        if before is not None and (before.kind, before.url) != (source.kind, source.url):
            await connection.execute(UNSUBSCRIBE, source.name)
            # What is known of one address says nothing of another; a poll under way writes nothing down.
            await connection.execute("DELETE FROM ingest.cursors WHERE source = $1", source.name)
    return "added" if before is None else "changed"


_LET_GO = """
INSERT INTO ingest.unsubscriptions (token, source, hub, topic, until)
SELECT token, source, hub, topic, coalesce(lease_until, requested_at + make_interval(secs => coalesce(lease_s, 864000)))
FROM unwanted WHERE state <> 'denied'
"""
UNSUBSCRIBE = f"WITH unwanted AS (DELETE FROM ingest.subscriptions WHERE source = $1 RETURNING *) {_LET_GO}"  # noqa: S608 -- ours
"""No longer want what a hub was asked for: `ingest poll` tells it so. A hub that has not answered may still confirm."""
UNSUBSCRIBE_UNUSED = f"""
WITH unwanted AS (
    DELETE FROM ingest.subscriptions AS asked USING ingest.sources AS source
    WHERE source.name = asked.source AND (source.paused_at IS NOT NULL OR source.kind <> 'websub') RETURNING asked.*
), afresh AS (
    UPDATE ingest.cursors SET etag = NULL, last_modified = NULL WHERE source IN (SELECT source FROM unwanted)
) {_LET_GO}
"""  # noqa: S608 -- ours
"""The same for the sources that are paused. Once resumed they read their feed whole, to find its hub again."""


async def pause(pool: Pool, name: str, because: str) -> bool:
    """Take nothing more from a source until it is resumed. Whether there is such a source."""
    return bool(
        await pool.fetchval(
            "UPDATE ingest.sources SET paused_at = coalesce(paused_at, now()), paused_because = $2 WHERE name = $1 RETURNING true",
            name,
            because,
        )
    )


async def resume(pool: Pool, name: str) -> bool:
    """Take from a source again. Whether there is such a source; one that is not paused stays as it is."""
    return bool(
        await pool.fetchval(
            "UPDATE ingest.sources SET resumed_at = CASE WHEN paused_at IS NULL THEN resumed_at ELSE now() END, "
            "paused_at = NULL, paused_because = '' WHERE name = $1 RETURNING true",
            name,
        )
    )


async def remove(pool: Pool, name: str) -> bool:
    """Forget a source and its keys, and let its hub know; originals and items stay. Whether there was such a source."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(UNSUBSCRIBE, name)
        return bool(await connection.fetchval("DELETE FROM ingest.sources WHERE name = $1 RETURNING true", name))


async def add_key(pool: Pool, name: str, sha256: bytes, label: str = "") -> bool:
    """Let a key in; of more than two the oldest stop to work. False where the key is there already."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM ingest.sources WHERE name = $1 FOR UPDATE", name)
        added = await connection.fetchval(
            "INSERT INTO ingest.keys (sha256, source, label) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING true",
            sha256,
            name,
            label,
        )
        await connection.execute(
            "DELETE FROM ingest.keys WHERE source = $1 AND sha256 NOT IN "
            "(SELECT sha256 FROM ingest.keys WHERE source = $1 ORDER BY created_at DESC, sha256 LIMIT $2)",
            name,
            LIVE_KEYS,
        )
    return bool(added)


async def set_keys(pool: Pool, name: str, digests: Sequence[bytes]) -> bool:
    """Make these the source's keys and no others. Whether that changed something."""
    async with pool.acquire() as connection, connection.transaction():
        before = await connection.fetch("SELECT sha256 FROM ingest.keys WHERE source = $1 FOR UPDATE", name)
        if {bytes(row["sha256"]) for row in before} == set(digests):
            return False
        await connection.execute("DELETE FROM ingest.keys WHERE source = $1 AND sha256 <> ALL($2)", name, list(digests))
        await connection.executemany(
            "INSERT INTO ingest.keys (sha256, source) VALUES ($1, $2) ON CONFLICT (sha256) DO UPDATE SET source = excluded.source",
            [(digest, name) for digest in digests],
        )
    return True


async def retire_keys(pool: Pool, name: str, keep: int) -> int:
    """Let only the newest `keep` keys of a source work. How many stopped."""
    rows = await pool.fetch(
        "DELETE FROM ingest.keys WHERE source = $1 AND sha256 NOT IN "
        "(SELECT sha256 FROM ingest.keys WHERE source = $1 ORDER BY created_at DESC, sha256 LIMIT $2) RETURNING 1",
        name,
        keep,
    )
    return len(rows)


async def live_keys(pool: Pool, name: str) -> list[datetime] | None:
    """When each key of a source was made, the oldest first; None where there is no source."""
    rows = await pool.fetch(
        "SELECT k.created_at FROM ingest.sources AS s LEFT JOIN ingest.keys AS k ON k.source = s.name "
        "WHERE s.name = $1 ORDER BY k.created_at, k.sha256 DESC",
        name,
    )
    return [row["created_at"] for row in rows if row["created_at"] is not None] if rows else None


async def drop_newest_key(pool: Pool, name: str) -> None:
    """Let the newest key of a source stop to work."""
    await pool.execute(
        "DELETE FROM ingest.keys WHERE sha256 = "
        "(SELECT sha256 FROM ingest.keys WHERE source = $1 ORDER BY created_at DESC, sha256 LIMIT 1)",
        name,
    )


async def next_signing_generation(pool: Pool, name: str, *, rotate: bool) -> int | None:
    """The generation of a source's secret, after a first or a further one was given out; None where there is no source."""
    generation = await pool.fetchval(
        "UPDATE ingest.sources SET signing_generation = greatest(signing_generation, 1) + $2 WHERE name = $1 "
        "RETURNING signing_generation",
        name,
        int(rotate),
    )
    return None if generation is None else narrowed(int, generation)


class Registry:
    """The sources and keys as this process knows them: at most two seconds old while Postgres answers.

    While Postgres is away the last known copy lets senders in, so that they hear what is really wrong (503) and are
    not told that their key is bad.
    """

    def __init__(self) -> None:
        self.sources: Mapping[str, Source] = {}
        self._keys: Mapping[bytes, str] = {}
        self._loaded_at: float | None = None
        self._loading = asyncio.Lock()
        self._told: set[str] = set()

    @property
    def loaded(self) -> bool:
        """Whether the sources have been read since the start."""
        return self._loaded_at is not None

    async def load(self, pool: Pool) -> None:
        """Read everything; it is a few hundred rows at most."""
        sources = {source.name: source for source in await all_sources(pool, self._told)}
        self._told -= sources.keys()
        keys = {
            bytes(row["sha256"]): row["source"] for row in await pool.fetch("SELECT sha256, source FROM ingest.keys")
        }
        self.sources, self._keys, self._loaded_at = sources, keys, time.monotonic()

    async def keep_fresh(self, pool: Pool) -> None:
        """Read again every two seconds until cancelled."""
        await keep_running("sources", lambda: self.load(pool), every_s=REFRESH_S)

    def known_of_key(self, key: str) -> Source | None:
        """Whose key this is, as far as the copy tells."""
        name = self._keys.get(digest_of(key))
        return self.sources.get(name) if name is not None else None

    async def source_of_key(self, key: str, pool: Pool | None) -> Source | None:
        """Whose key this is. One that is not known is looked for in Postgres, since it may be new."""
        source = self.known_of_key(key)
        if source is None and pool is not None:
            async with self._loading:
                # Someone who tries keys must not be able to keep Postgres busy.
                if self._loaded_at is None or time.monotonic() - self._loaded_at > MISS_PAUSE_S:
                    await self.load(pool)
            source = self.known_of_key(key)
        return source

    async def source_named(self, name: str, pool: Pool | None) -> Source | None:
        """The source of that name, with the same care for one that is new."""
        if name not in self.sources and pool is not None:
            async with self._loading:
                if self._loaded_at is None or time.monotonic() - self._loaded_at > MISS_PAUSE_S:
                    await self.load(pool)
        return self.sources.get(name)


def of_kind(sources: Iterable[Source], *kinds: Kind) -> list[Source]:
    """Those of these kinds that are not paused."""
    return [source for source in sources if source.kind in kinds and not source.paused]
