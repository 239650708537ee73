"""A feed that goes quiet is an incident: who has brought nothing new for too long, and what that means for readers."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from prometheus_client import Gauge

from ingest.sources.statistics import AGE
from shared.background import keep_running
from shared.postgres.pool import Pool

log = structlog.get_logger(__name__)

LOOK_S = 5.0

SILENT = Gauge("slugline_ingest_silent", "1 while a source has brought nothing new for longer than it may", ["source"])
THRESHOLD = Gauge("slugline_ingest_silence_threshold_seconds", "How long a source may bring nothing new", ["source"])

_SOURCES = """
SELECT s.name, s.kind, s.title, s.silence_after_s, s.created_at, s.resumed_at, a.last_heard_at, a.last_accepted_at,
    coalesce(c.error, '') AS error
FROM ingest.sources AS s
LEFT JOIN ingest.activity AS a ON a.source = s.name
LEFT JOIN ingest.cursors AS c ON c.source = s.name
WHERE s.paused_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class QuietPeriod:
    """How long a source has brought nothing new, and whether that is too long."""

    source: str
    age_s: float
    alarm: bool
    meaning: str
    """For the person who is woken."""


def assess(row: Mapping[str, Any], now: datetime) -> QuietPeriod:
    """The silence of one source, as the database knows it."""
    since: datetime = max(filter(None, (row["last_accepted_at"], row["created_at"], row["resumed_at"])))
    age_s = max((now - since).total_seconds(), 0.0)
    limit_s = row["silence_after_s"]
    called = row["title"] or row["name"]
    readers = f"readers have been given nothing new from {called} since {since:%Y-%m-%d %H:%M} UTC"
    heard: datetime | None = row["last_heard_at"]
    if row["error"]:
        cause = f"asking it fails: {row['error']}"
    elif heard is None:
        cause = "nothing was ever heard of it"
    elif limit_s is not None and (now - heard).total_seconds() < limit_s:
        cause = "it answers or sends, but nothing that is new or that can be read: is its own desk at work?"
    else:
        cause = f"nothing at all has been heard of it since {heard:%Y-%m-%d %H:%M} UTC: is its line down?"
    return QuietPeriod(row["name"], age_s, limit_s is not None and age_s > limit_s, f"{readers}; {cause}")


async def assess_all(pool: Pool, now: datetime) -> list[tuple[QuietPeriod, int | None]]:
    """The silence of every source that is not paused, with its threshold in seconds."""
    return [(assess(row, now), row["silence_after_s"]) for row in await pool.fetch(_SOURCES)]


class QuietSourceMonitor:
    """Remembers who is silent, so that each silence is told once, and its end."""

    def __init__(self) -> None:
        self._silent: set[str] = set()
        self._known: set[str] = set()

    async def look(self, pool: Pool, now: datetime | None = None) -> list[QuietPeriod]:
        """Look at every source that is not paused; the alarms that began now."""
        began: list[QuietPeriod] = []
        known: set[str] = set()
        for silence, limit_s in await assess_all(pool, now or datetime.now(UTC)):
            known.add(silence.source)
            AGE.labels(silence.source).set(silence.age_s)
            if limit_s is not None:
                SILENT.labels(silence.source).set(silence.alarm)
                THRESHOLD.labels(silence.source).set(limit_s)
            if silence.alarm and silence.source not in self._silent:
                self._silent.add(silence.source)
                began.append(silence)
                log.error("source silent", source=silence.source, for_s=round(silence.age_s), meaning=silence.meaning)
            elif not silence.alarm and silence.source in self._silent:
                self._silent.discard(silence.source)
                log.info("source speaks again", source=silence.source)
        for gone in self._known - known:
            # A source that was paused or removed alarms nobody.
            self._silent.discard(gone)
            for gauge in (AGE, SILENT, THRESHOLD):
                with contextlib.suppress(KeyError):
                    gauge.remove(gone)
        self._known = known
        return began

    async def keep_looking(self, pool: Pool) -> None:
        """Look every few seconds until cancelled."""
        await keep_running("quiet sources", lambda: self.look(pool), every_s=LOOK_S)
