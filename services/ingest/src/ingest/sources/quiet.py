"""Raises an alarm when a source has brought nothing new for too long, and says what that means for readers."""

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from prometheus_client import Gauge

from ingest.sources.statistics import AGE
from shared.background import keep_running
from shared.postgres.pool import Pool
from shared.postgres.rows import typed
from shared.postgres.set_aside import SetAside, forget_old

log = structlog.get_logger(__name__)

CHECK_S = 5.0
ACTIVITY_ASIDE = SetAside("ingest", "quiet sources")

SILENT = Gauge("slugline_ingest_silent", "1 while a source has brought nothing new for longer than it may", ["source"])
THRESHOLD = Gauge("slugline_ingest_silence_threshold_seconds", "How long a source may bring nothing new", ["source"])

_SOURCES = """
SELECT s.name, s.title, s.silence_after_s, s.created_at, s.resumed_at, a.last_heard_at, a.last_accepted_at,
    coalesce(c.error, '') AS error
FROM ingest.sources AS s
LEFT JOIN ingest.activity AS a ON a.source = s.name
LEFT JOIN ingest.cursors AS c ON c.source = s.name
WHERE s.paused_at IS NULL
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceActivity:
    """What the database knows of one source."""

    name: str
    title: str = ""
    silence_after_s: int | None = None
    created_at: datetime
    resumed_at: datetime | None = None
    last_heard_at: datetime | None = None
    last_accepted_at: datetime | None = None
    error: str = ""
    """Why the last poll failed."""


@dataclass(frozen=True, slots=True)
class QuietPeriod:
    """How long a source has brought nothing new, and whether that is too long."""

    source: str
    age_s: float
    limit_s: int | None
    meaning: str
    """For the person who is woken."""

    @property
    def alarm(self) -> bool:
        """Whether it is too long."""
        return self.limit_s is not None and self.age_s > self.limit_s


def assess(source: SourceActivity, now: datetime) -> QuietPeriod:
    """How long one source has been quiet."""
    since = max(filter(None, (source.last_accepted_at, source.created_at, source.resumed_at)))
    age_s = max((now - since).total_seconds(), 0.0)
    limit_s, heard = source.silence_after_s, source.last_heard_at
    readers = f"readers have been given nothing new from {source.title or source.name} since {since:%Y-%m-%d %H:%M} UTC"
    if source.error:
        cause = f"asking it fails: {source.error}"
    elif heard is None:
        cause = "nothing was ever heard of it"
    elif limit_s is not None and (now - heard).total_seconds() < limit_s:
        cause = "it answers or sends, but nothing that is new or that can be read: is its own desk at work?"
    else:
        cause = f"nothing at all has been heard of it since {heard:%Y-%m-%d %H:%M} UTC: is its line down?"
    return QuietPeriod(source.name, age_s, limit_s, f"{readers}; {cause}")


async def assess_all(pool: Pool, now: datetime) -> list[QuietPeriod]:
    """How long each source that is not paused has been quiet."""
    assessed: list[QuietPeriod] = []

    async def one(source: SourceActivity) -> None:
        assessed.append(assess(source, now))

    await ACTIVITY_ASIDE.each(pool, typed(SourceActivity, await pool.fetch(_SOURCES)), lambda source: source.name, one)
    return assessed


class QuietSourceMonitor:
    """Remembers which sources are quiet, so that the beginning and the end of each quiet period are reported once."""

    def __init__(self) -> None:
        self._silent: set[str] = set()
        self._known: set[str] = set()

    async def check(self, pool: Pool, now: datetime | None = None) -> list[QuietPeriod]:
        """Check every source that is not paused; returns the alarms that are new."""
        new: list[QuietPeriod] = []
        known: set[str] = set()
        for quiet in await assess_all(pool, now or datetime.now(UTC)):
            known.add(quiet.source)
            AGE.labels(quiet.source).set(quiet.age_s)
            if quiet.limit_s is not None:
                SILENT.labels(quiet.source).set(quiet.alarm)
                THRESHOLD.labels(quiet.source).set(quiet.limit_s)
            if quiet.alarm and quiet.source not in self._silent:
                self._silent.add(quiet.source)
                new.append(quiet)
                log.error("source silent", source=quiet.source, for_s=round(quiet.age_s), meaning=quiet.meaning)
            elif not quiet.alarm and quiet.source in self._silent:
                self._silent.discard(quiet.source)
                log.info("source speaks again", source=quiet.source)
        for gone in self._known - known:
            # A source that was paused or removed raises no alarm.
            self._silent.discard(gone)
            for gauge in (AGE, SILENT, THRESHOLD):
                with contextlib.suppress(KeyError):
                    gauge.remove(gone)
        self._known = known
        return new

    async def keep_checking(self, pool: Pool) -> None:
        """Check every few seconds until cancelled."""

        async def step() -> None:
            await self.check(pool)
            await forget_old(pool, "ingest")

        await keep_running("quiet sources", step, every_s=CHECK_S)
