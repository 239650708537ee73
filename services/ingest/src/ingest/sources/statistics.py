"""Counts what each source does: for the metrics at once, and for `sources list` once a second."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import UTC, datetime

import asyncpg
import structlog
from prometheus_client import Counter, Gauge

from shared.background import keep_running
from shared.failures.transient import reason_of
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

_FLUSH = """
INSERT INTO ingest.activity AS a (source, accepted, duplicate, repaired, rejected, last_heard_at, last_accepted_at)
SELECT $1, $2, $3, $4, $5, $6, $7 WHERE EXISTS (SELECT 1 FROM ingest.sources WHERE name = $1)
ON CONFLICT (source) DO UPDATE SET accepted = a.accepted + excluded.accepted, duplicate = a.duplicate + excluded.duplicate,
    repaired = a.repaired + excluded.repaired, rejected = a.rejected + excluded.rejected,
    last_heard_at = greatest(a.last_heard_at, excluded.last_heard_at),
    last_accepted_at = greatest(a.last_accepted_at, excluded.last_accepted_at)
"""


@dataclass(slots=True)
class Counts:
    """What happened since the last flush, in the order of the statement's parameters."""

    accepted: int = 0
    duplicate: int = 0
    repaired: int = 0
    rejected: int = 0
    last_heard_at: datetime | None = None
    last_accepted_at: datetime | None = None


class SourceStatistics:
    """The counts of every source; one for each process."""

    def __init__(self) -> None:
        self._counts: dict[str, Counts] = defaultdict(Counts)

    def record_contact(self, source: str, at: datetime | None = None) -> None:
        """The source has sent or answered something, with copy or without."""
        self._counts[source].last_heard_at = at or datetime.now(UTC)

    def record_document(self, source: str, *, accepted: int, duplicate: int, repaired: int) -> None:
        """A document was taken."""
        counts = self._counts[source]
        counts.accepted += accepted
        counts.duplicate += duplicate
        counts.repaired += repaired
        counts.last_heard_at = datetime.now(UTC)
        if accepted:
            counts.last_accepted_at = counts.last_heard_at
        ACCEPTED.labels(source).inc(accepted)
        DUPLICATE.labels(source).inc(duplicate)
        REPAIRED.labels(source).inc(repaired)

    def record_rejection(self, source: str, code: str) -> None:
        """Nothing could be made of a document or an item."""
        counts = self._counts[source]
        counts.rejected += 1
        counts.last_heard_at = datetime.now(UTC)
        REJECTED.labels(source, code).inc()

    async def flush(self, pool: Pool) -> None:
        """Add the counts to those in Postgres; after a failure they are kept for the next time."""
        counts, self._counts = self._counts, defaultdict(Counts)
        rows = [(name, *astuple(each)) for name, each in sorted(counts.items())]
        try:
            await pool.executemany(_FLUSH, rows, timeout=FLUSH_TIMEOUT_S)
        except asyncpg.DataError:
            # One that cannot be written takes no other with it.
            for row in rows:
                try:
                    await pool.execute(_FLUSH, *row)
                except asyncpg.DataError:
                    log.exception("statistics of a source cannot be written", source=row[0])
        except BaseException:
            self._restore(counts)
            raise

    def _restore(self, counts: Mapping[str, Counts]) -> None:
        for name, before in counts.items():
            newer = self._counts[name]
            newer.accepted += before.accepted
            newer.duplicate += before.duplicate
            newer.repaired += before.repaired
            newer.rejected += before.rejected
            newer.last_heard_at = newer.last_heard_at or before.last_heard_at
            newer.last_accepted_at = newer.last_accepted_at or before.last_accepted_at

    async def keep_flushing(self, pool: Pool) -> None:
        """Flush once a second until cancelled, and once more then."""

        async def step() -> None:
            if self._counts:
                await self.flush(pool)

        try:
            await keep_running("source statistics", step, every_s=FLUSH_S)
        finally:
            if self._counts:
                last = asyncio.create_task(self.flush(pool))
                # Shielded from a second cancellation, so its exception is read here, lest asyncio report it.
                last.add_done_callback(lambda late: late.cancelled() or late.exception())
                try:
                    await asyncio.wait_for(asyncio.shield(last), LAST_FLUSH_TIMEOUT_S)
                except Exception as error:  # noqa: BLE001 -- the process ends either way
                    log.warning("statistics of the last second are lost", error=reason_of(error))
