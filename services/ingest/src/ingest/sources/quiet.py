"""A feed that goes quiet is an incident: who has brought nothing new for too long, and what that means for readers."""

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from prometheus_client import Gauge

from ingest.sources.statistics import AGE
from shared.background import keep_running
from shared.postgres.pool import Pool
from shared.postgres.rows import typed

log = structlog.get_logger(__name__)

LOOK_S = 5.0

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


@dataclass(frozen=True, slots=True)
class SourceActivity:
    """When a source was heard of last, as the database knows it."""

    name: str
    title: str
    silence_after_s: int | None
    created_at: datetime
    resumed_at: datetime | None
    last_heard_at: datetime | None
    last_accepted_at: datetime | None
    error: str
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
        """Whether it has lasted longer than it may."""
        return self.limit_s is not None and self.age_s > self.limit_s


def assess(source: SourceActivity, now: datetime) -> QuietPeriod:
    """How long one source has brought nothing new, and what that means."""
    since = max(filter(None, (source.last_accepted_at, source.created_at, source.resumed_at)))
    heard_at, limit_s = source.last_heard_at, source.silence_after_s
    if source.error:
        cause = f"asking it fails: {source.error}"
    elif heard_at is None:
        cause = "nothing was ever heard of it"
    elif limit_s is not None and (now - heard_at).total_seconds() < limit_s:
        cause = "it answers or sends, but nothing that is new or that can be read: is its own desk at work?"
    else:
        cause = f"nothing at all has been heard of it since {heard_at:%Y-%m-%d %H:%M} UTC: is its line down?"
    called = source.title or source.name
    readers = f"readers have been given nothing new from {called} since {since:%Y-%m-%d %H:%M} UTC"
    return QuietPeriod(source.name, max((now - since).total_seconds(), 0.0), limit_s, f"{readers}; {cause}")


async def assess_all(pool: Pool, now: datetime) -> list[QuietPeriod]:
    """The quiet period of every source that is not paused."""
    return [assess(source, now) for source in typed(SourceActivity, await pool.fetch(_SOURCES))]


class QuietSourceMonitor:
    """Remembers which sources are quiet, so that each quiet period is reported once, and its end."""

    def __init__(self) -> None:
        self._quiet: set[str] = set()
        self._known: set[str] = set()

    async def look(self, pool: Pool, now: datetime | None = None) -> list[QuietPeriod]:
        """Look at every source that is not paused; the alarms that begin now."""
        began: list[QuietPeriod] = []
        known: set[str] = set()
        for period in await assess_all(pool, now or datetime.now(UTC)):
            known.add(period.source)
            AGE.labels(period.source).set(period.age_s)
            if period.limit_s is not None:
                SILENT.labels(period.source).set(period.alarm)
                THRESHOLD.labels(period.source).set(period.limit_s)
            if period.alarm and period.source not in self._quiet:
                self._quiet.add(period.source)
                began.append(period)
                log.error("source silent", source=period.source, for_s=round(period.age_s), meaning=period.meaning)
            elif not period.alarm and period.source in self._quiet:
                self._quiet.discard(period.source)
                log.info("source speaks again", source=period.source)
        for gone in self._known - known:
            # A source that was paused or removed raises no alarm.
            self._quiet.discard(gone)
            for gauge in (AGE, SILENT, THRESHOLD):
                with contextlib.suppress(KeyError):
                    gauge.remove(gone)
        self._known = known
        return began

    async def keep_looking(self, pool: Pool) -> None:
        """Look every few seconds until cancelled."""
        await keep_running("quiet sources", lambda: self.look(pool), every_s=LOOK_S)
