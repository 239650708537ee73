"""Proof of a kill: looks at every sink until all are clean, and records since when each has been."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from prometheus_client import Gauge

from publish.archive import queries
from publish.archive.queries import Archived
from publish.representation.reader_update import ReaderUpdate
from publish.takedown.sinks import Finding, TakedownSinks
from shared.background import keep_running
from shared.crash_points import reached
from shared.failures.backoff import Backoff
from shared.postgres.pool import Connection, Pool
from shared.postgres.rows import narrowed, typed
from shared.postgres.set_aside import SetAside

log = structlog.get_logger(__name__)

PAUSE_S = 0.25
WATCHED_FOR = "1 hour"
LOOKED_AT_TOGETHER = 100
"""Those that were looked at longest ago."""
LOOKED_AT_ONCE = 8
"""So that a site that does not answer delays a proof by one timeout, not by one for each kill before it."""
TAKEDOWNS_ASIDE = SetAside("publish", "takedowns", Backoff(first_s=2.0, longest_s=60.0))

UNCLEAN = Gauge("slugline_takedown_unclean_sinks", "Sinks that a killed update is not known to be gone from")


async def record(pool: Pool, killed: Archived, findings: Sequence[Finding]) -> None:
    """Record what was found: since when each sink has been clean."""
    await pool.executemany(
        "INSERT INTO publish.takedowns (update_id, sink, removal, revision, clean_at, checked_at, detail) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (update_id, sink) DO UPDATE SET removal = excluded.removal, "
        "revision = excluded.revision, checked_at = excluded.checked_at, detail = excluded.detail, "
        "clean_at = CASE WHEN excluded.clean_at IS NULL THEN NULL ELSE coalesce(takedowns.clean_at, excluded.clean_at) END",
        [
            (
                killed.update.update_id, finding.sink, killed.update.removal, killed.update.revision,
                finding.checked_at if finding.clean else None, finding.checked_at, finding.detail,
            )
            for finding in findings
        ],
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class SinkReport:
    """What is known of one sink; a row of `publish.takedowns`."""

    sink: str
    clean_at: datetime | None
    checked_at: datetime
    detail: str


@dataclass(frozen=True, slots=True)
class Report:
    """What is known of a takedown, sink by sink."""

    killed: ReaderUpdate
    sinks: Sequence[SinkReport]

    @property
    def clean(self) -> bool:
        """Whether every sink is known to be clean."""
        return bool(self.sinks) and all(each.clean_at is not None for each in self.sinks)

    def seconds(self, sink: SinkReport) -> float | None:
        """How long after the order a sink was clean."""
        ordered_at = self.killed.passport.received_at
        return round((sink.clean_at - ordered_at).total_seconds(), 3) if sink.clean_at else None


async def report(pool: Pool, killed: Archived) -> Report:
    """What is known of a takedown."""
    rows = await pool.fetch(
        "SELECT sink, clean_at, checked_at, detail FROM publish.takedowns WHERE update_id = $1 ORDER BY sink",
        killed.update.update_id,
    )
    return Report(killed.update, typed(SinkReport, rows))


async def prove(pool: Pool, sinks: TakedownSinks, update_id: str, *, within_s: float) -> Report | None:
    """Look until every sink is clean or the time is up; the report, or None where the update is not killed."""
    deadline = asyncio.get_running_loop().time() + within_s
    while True:
        killed = await queries.removal_of(pool, update_id)
        if killed is not None:
            findings = await sinks.look(killed)
            reached("takedown.looked")
            await record(pool, killed, findings)
            reached("takedown.recorded")
            if all(finding.clean for finding in findings) or asyncio.get_running_loop().time() > deadline:
                return await report(pool, killed)
        elif asyncio.get_running_loop().time() > deadline:
            return None
        await asyncio.sleep(PAUSE_S)


async def watch(connection: Connection, killed: Archived) -> None:
    """Have a takedown looked at until it is clean: the rows say that nothing is known yet."""
    await connection.execute(
        "INSERT INTO publish.takedowns (update_id, sink, removal, revision, checked_at, detail) "
        "VALUES ($1, 'archive', $2, $3, now(), 'not looked at yet') ON CONFLICT DO NOTHING",
        killed.update.update_id, killed.update.removal, killed.update.revision,
    )  # fmt: skip


async def keep_proving(pool: Pool, sinks: TakedownSinks) -> None:
    """Look at watched takedowns until they are clean, an hour at most; until cancelled."""

    async def step() -> None:
        rows = await pool.fetch(
            "SELECT t.update_id FROM publish.takedowns t JOIN publish.revisions r USING (update_id) "
            "WHERE t.clean_at IS NULL AND r.removal IN ('killed', 'taken-down') "
            "AND r.written_at > now() - $1::text::interval GROUP BY t.update_id ORDER BY min(t.checked_at) LIMIT $2",
            WATCHED_FOR, LOOKED_AT_TOGETHER,
        )  # fmt: skip
        update_ids = [row["update_id"] for row in rows]

        async def look(update_id: str) -> None:
            await prove(pool, sinks, update_id, within_s=0)

        await TAKEDOWNS_ASIDE.each(pool, update_ids, str, look, at_once=LOOKED_AT_ONCE)
        unclean = await pool.fetchval("SELECT count(*) FROM publish.takedowns WHERE clean_at IS NULL")
        UNCLEAN.set(narrowed(int, unclean))

    await keep_running("takedowns", step, every_s=PAUSE_S)
