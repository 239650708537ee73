"""Proof of a kill: looks at every sink until all are clean, records since when each has been, and looks again later."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Gauge

from publish.archive.queries import Archived
from publish.takedown.report import Report, report
from publish.takedown.sinks.every import TakedownSinks
from publish.takedown.sinks.finding import Finding, Killed
from shared.background import keep_running
from shared.crash_points import reached
from shared.failures.backoff import Backoff
from shared.postgres.pool import Connection, Pool, Queryable
from shared.postgres.rows import narrowed
from shared.postgres.set_aside import SetAside

log = structlog.get_logger(__name__)

PAUSE_S = 0.25
SLOWEST_S = 900.0
"""Between two looks at what stays unclean; before that, a tenth of the time since the kill."""
LOOKED_AT_AGAIN = (timedelta(hours=1), timedelta(days=1))
"""After the kill: every sink once more, since a cache, a replica or a backup may bring it back."""
GIVEN_UP_AFTER = timedelta(days=7)
"""What is unclean by then stays in the report and in the metric; the command looks at it again."""
LEASE_S = 60.0
"""For which one push process has a takedown to itself."""
LOOKED_AT_TOGETHER = 100
LOOKED_AT_ONCE = 8
"""So that a site that does not answer delays a proof by one timeout, not by one for each kill before it."""
TAKEDOWNS_ASIDE = SetAside("publish", "takedowns", Backoff(first_s=2.0, longest_s=60.0))

UNCLEAN = Gauge("slugline_takedown_unclean_sinks", "Sinks that a killed update is not known to be gone from")

_CLAIM = """
UPDATE publish.takedown_checks c SET due_at = now() + make_interval(secs => $2)
FROM (SELECT update_id FROM publish.takedown_checks WHERE due_at <= now() ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED) d
WHERE c.update_id = d.update_id RETURNING c.update_id
"""

_FORGET_ALERTS = (
    "UPDATE publish.alerts SET title = '', body = '', path = '/updates/' || update_id "
    "WHERE update_id = $1 AND (title <> '' OR body <> '' OR path <> '/updates/' || update_id)"
)
"""What is still on its way is taken back by its sender, which looks at the update first."""
_FORGET_ANSWERS = (
    "UPDATE publish.deliveries SET log = (SELECT array_agg(entry - 'answer' ORDER BY nth) "
    "FROM unnest(log) WITH ORDINALITY AS entries (entry, nth)) "
    "WHERE update_id = $1 AND update_id <> '' AND type <> 'update.kill' AND log <> '{}'"
)
"""An endpoint may have answered with what it was sent."""


async def forget_words(database: Queryable, update_id: str) -> None:
    """Take the words of a killed update out of what push keeps of it: the records of alerts, and the logs of deliveries."""
    await database.execute(_FORGET_ALERTS, update_id)
    await database.execute(_FORGET_ANSWERS, update_id)


async def record(pool: Pool, killed: Killed, findings: Sequence[Finding], *, full: bool) -> None:
    """Record what was found: since when each sink has been clean; of a look at all, that it was one."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.executemany(
            "INSERT INTO publish.takedowns (update_id, sink, removal, revision, clean_at, checked_at, detail) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (update_id, sink) DO UPDATE SET removal = excluded.removal, "
            "revision = excluded.revision, checked_at = excluded.checked_at, detail = excluded.detail, "
            "clean_at = CASE WHEN excluded.clean_at IS NULL THEN NULL "
            "ELSE coalesce(takedowns.clean_at, excluded.clean_at) END",
            [
                (
                    killed.update_id, finding.sink, killed.update.removal, killed.update.revision,
                    finding.checked_at if finding.clean else None, finding.checked_at, finding.detail,
                )
                for finding in findings
            ],
        )  # fmt: skip
        if full:
            # A replica that is no more is no sink, and what an older release called them is not either.
            await connection.execute(
                "DELETE FROM publish.takedowns WHERE update_id = $1 AND sink <> ALL($2::text[])",
                killed.update_id, [finding.sink for finding in findings],
            )  # fmt: skip
            unclean = sorted(finding.sink for finding in findings if not finding.clean)
            await connection.execute(
                "INSERT INTO publish.takedown_looks (update_id, clean, unclean) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                killed.update_id, not unclean, unclean,
            )  # fmt: skip


async def _look(pool: Pool, sinks: TakedownSinks, killed: Killed, only: Collection[str] | None) -> list[str]:
    """Look at all sinks or some, and record it; those that are not clean."""
    findings = await sinks.look(killed, only)
    reached("takedown.looked")
    await record(pool, killed, findings, full=only is None)
    reached("takedown.recorded")
    return sorted(finding.sink for finding in findings if not finding.clean)


async def prove(pool: Pool, sinks: TakedownSinks, update_id: str, *, within_s: float) -> Report | None:
    """Look until every sink is clean or the time is up; the report, or None where the update is not killed."""
    deadline = asyncio.get_running_loop().time() + within_s
    unclean: list[str] | None = None
    while True:
        killed = await sinks.killed(update_id)
        if killed is not None:
            unclean = await _look(pool, sinks, killed, unclean)
            if not unclean or asyncio.get_running_loop().time() > deadline:
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
    await connection.execute(
        "INSERT INTO publish.takedown_checks (update_id) VALUES ($1) "
        "ON CONFLICT (update_id) DO UPDATE SET started_at = now(), due_at = now(), full_looks = 0",
        killed.update.update_id,
    )


async def _unclean(pool: Pool, update_id: str) -> list[str] | None:
    """The sinks that were not clean last time; None where all are to be looked at."""
    rows = await pool.fetch("SELECT sink, clean_at FROM publish.takedowns WHERE update_id = $1", update_id)
    unclean = [row["sink"] for row in rows if row["clean_at"] is None]
    return unclean if unclean and len(rows) > 1 else None


def next_look(age: timedelta, full_looks: int, *, clean: bool) -> timedelta | None:
    """After which time a takedown of that age is looked at again; None where it is not.

    `full_looks`: how many looks found every sink clean, this one included.
    """
    if clean:
        if full_looks > len(LOOKED_AT_AGAIN):
            return None
        return max(LOOKED_AT_AGAIN[full_looks - 1] - age, timedelta(0))
    if age > GIVEN_UP_AFTER:
        return None
    return timedelta(seconds=min(max(age.total_seconds() / 10, PAUSE_S), SLOWEST_S))


async def check(pool: Pool, sinks: TakedownSinks, update_id: str) -> None:
    """Look at a takedown that is due: at what was unclean, or at all; and say when it is looked at next."""
    killed = await sinks.killed(update_id)
    only = await _unclean(pool, update_id)
    if killed is not None:
        # An attempt that was under way when the kill came has written its log since.
        await forget_words(pool, update_id)
    unclean = [] if killed is None else await _look(pool, sinks, killed, only)
    if killed is not None and not unclean and only is not None:
        unclean = await _look(pool, sinks, killed, None)
    row = await pool.fetchrow(
        "SELECT started_at, full_looks FROM publish.takedown_checks WHERE update_id = $1", update_id
    )
    if row is None:
        return
    clean = killed is not None and not unclean
    age = datetime.now(UTC) - row["started_at"]
    full_looks = row["full_looks"] + clean
    again = next_look(age, full_looks, clean=clean)
    await pool.execute(
        "UPDATE publish.takedown_checks SET full_looks = $2, due_at = now() + $3::interval "
        "WHERE update_id = $1 AND started_at = $4",
        update_id, full_looks, again, row["started_at"],
    )  # fmt: skip
    if unclean and full_looks:
        log.error("what was gone is back, or cannot be looked at", update_id=update_id, sinks=unclean)


async def keep_proving(pool: Pool, sinks: TakedownSinks) -> None:
    """Look at takedowns when they are due, until cancelled: until all is clean, and once more after an hour and a day."""

    async def step() -> None:
        rows = await pool.fetch(_CLAIM, LOOKED_AT_TOGETHER, LEASE_S)
        due = [row["update_id"] for row in rows]
        await TAKEDOWNS_ASIDE.each(pool, due, str, lambda key: check(pool, sinks, key), at_once=LOOKED_AT_ONCE)
        unclean = await pool.fetchval("SELECT count(*) FROM publish.takedowns WHERE clean_at IS NULL")
        UNCLEAN.set(narrowed(int, unclean))

    await keep_running("takedowns", step, every_s=PAUSE_S)
