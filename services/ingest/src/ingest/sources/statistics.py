"""What each source does: counted for the metrics at once, and for `sources list` in steps of a second."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from prometheus_client import Counter, Gauge

from shared.background import keep_running
from shared.postgres.pool import Pool

log = structlog.get_logger(__name__)

FLUSH_S = 1.0
FLUSH_TIMEOUT_S = 10.0
LAST_FLUSH_TIMEOUT_S = 2.0

ACCEPTED = Counter("slugline_ingest_accepted", "Versions of updates that Kafka has acknowledged", ["source"])
DUPLICATE = Counter("slugline_ingest_duplicate", "Versions that were known already", ["source"])
REPAIRED = Counter(
    "slugline_ingest_repaired", "Accepted versions that were broken and understood all the same", ["source"]
)
REJECTED = Counter("slugline_ingest_rejected", "Documents and items of which nothing could be made", ["source", "code"])
AGE = Gauge("slugline_ingest_age_seconds", "Time since the source last brought new copy", ["source"])


@dataclass(slots=True)
class Counts:
    """What happened since it was last written down."""

    accepted: int = 0
    duplicate: int = 0
    repaired: int = 0
    rejected: int = 0
    last_heard_at: datetime | None = None
    last_accepted_at: datetime | None = None


class SourceStatistics:
    """Counts; one for each process."""

    def __init__(self) -> None:
        self._tallies: dict[str, Counts] = defaultdict(Counts)

    def heard(self, source: str, at: datetime | None = None) -> None:
        """The source has shown a sign of life, with copy or without."""
        self._tallies[source].last_heard_at = at or datetime.now(UTC)

    def took(self, source: str, *, accepted: int, duplicate: int, repaired: int) -> None:
        """A document was taken."""
        tally = self._tallies[source]
        tally.accepted += accepted
        tally.duplicate += duplicate
        tally.repaired += repaired
        tally.last_heard_at = datetime.now(UTC)
        if accepted:
            tally.last_accepted_at = tally.last_heard_at
        ACCEPTED.labels(source).inc(accepted)
        DUPLICATE.labels(source).inc(duplicate)
        REPAIRED.labels(source).inc(repaired)

    def refused(self, source: str, code: str, count: int = 1) -> None:
        """Of a document, or of items of it, nothing could be made."""
        tally = self._tallies[source]
        tally.rejected += count
        tally.last_heard_at = datetime.now(UTC)
        REJECTED.labels(source, code).inc(count)

    async def flush(self, pool: Pool) -> None:
        """Write down what happened; on failure it is kept for the next time."""
        tallies, self._tallies = self._tallies, defaultdict(Counts)
        try:
            await pool.executemany(
                "INSERT INTO ingest.activity AS a (source, accepted, duplicate, repaired, rejected, last_heard_at, last_accepted_at) "
                "SELECT $1, $2, $3, $4, $5, $6, $7 WHERE EXISTS (SELECT 1 FROM ingest.sources WHERE name = $1) "
                "ON CONFLICT (source) DO UPDATE SET accepted = a.accepted + excluded.accepted, "
                "duplicate = a.duplicate + excluded.duplicate, repaired = a.repaired + excluded.repaired, "
                "rejected = a.rejected + excluded.rejected, last_heard_at = greatest(a.last_heard_at, excluded.last_heard_at), "
                "last_accepted_at = greatest(a.last_accepted_at, excluded.last_accepted_at)",
                [
                    (
                        name,
                        tally.accepted,
                        tally.duplicate,
                        tally.repaired,
                        tally.rejected,
                        tally.last_heard_at,
                        tally.last_accepted_at,
                    )
                    for name, tally in sorted(tallies.items())
                ],
                timeout=FLUSH_TIMEOUT_S,
            )
        except BaseException:
            self._put_back(tallies)
            raise

    def _put_back(self, tallies: Mapping[str, Counts]) -> None:
        for name, tally in tallies.items():
            newer = self._tallies[name]
            newer.accepted += tally.accepted
            newer.duplicate += tally.duplicate
            newer.repaired += tally.repaired
            newer.rejected += tally.rejected
            newer.last_heard_at = newer.last_heard_at or tally.last_heard_at
            newer.last_accepted_at = newer.last_accepted_at or tally.last_accepted_at

    async def keep_flushing(self, pool: Pool) -> None:
        """Write down once a second until cancelled, and once more then."""

        async def step() -> None:
            if self._tallies:
                await self.flush(pool)

        try:
            await keep_running("activity", step, every_s=FLUSH_S)
        finally:
            if self._tallies:
                last = asyncio.create_task(self.flush(pool))
                # Shielded from a second cancellation; its failure is told here, or nowhere.
                last.add_done_callback(lambda late: late.cancelled() or late.exception())
                try:
                    await asyncio.wait_for(asyncio.shield(last), LAST_FLUSH_TIMEOUT_S)
                except Exception as error:  # noqa: BLE001 -- the process ends either way
                    log.warning("activity of the last second is lost", error=str(error) or type(error).__name__)
