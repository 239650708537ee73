"""When a feed is polled next. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.failures.backoff import Backoff

MAX_BACKOFF_S = 1800.0

Outcome = Literal["new", "nothing", "failed"]


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a source has been read."""

    source: str
    etag: str | None = None
    last_modified: str | None = None
    sha256: str | None = None
    interval_s: float | None = None
    failures: int = 0
    recover_since: datetime | None = None
    deaths: int = 0
    """Processes in a row that ended while they read one of its documents."""

    def unchanged(self, status: int) -> "PollResult":
        """A poll that brought nothing."""
        return PollResult("nothing", status, self.etag, self.last_modified, self.sha256)

    def failed(self, error: str, status: int | None = None, wait_s: float | None = None) -> "PollResult":
        """A poll that failed at the source."""
        return PollResult("failed", status, self.etag, self.last_modified, self.sha256, error, wait_s)

    def interrupted(self, error: str, status: int | None = None) -> "PollResult":
        """A poll that failed because Kafka or Postgres is unavailable."""
        return PollResult("failed", status, self.etag, self.last_modified, self.sha256, error, our_outage=True)


@dataclass(frozen=True, slots=True)
class PollResult:
    """The result of one poll, and the position in the feed that it leaves."""

    outcome: Outcome
    status: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    sha256: str | None = None
    error: str = ""
    wait_s: float | None = None
    """What the server asks for with Retry-After."""
    our_outage: bool = False
    """It failed because Kafka or Postgres is unavailable, which says nothing about the source: it is polled again soon."""
    recovered: bool = False
    announced: bool = False
    """A hub sends what is new."""


def next_interval(result: PollResult, cursor: Cursor, min_s: float, max_s: float) -> float:
    """Seconds until the next poll: halved while copy comes, a quarter longer while none does, doubled on each failure."""
    interval = min(max(cursor.interval_s or min_s, min_s), max_s)
    if result.our_outage:
        return interval
    if result.outcome == "new":
        return max(min_s, interval / 2)
    if result.outcome == "nothing":
        return min(max_s, interval * 1.25)
    return Backoff(first_s=max(interval, 5.0), longest_s=MAX_BACKOFF_S).mean_s(cursor.failures + 1)
