"""Puts the updates that a change concerns in line for their refresh: each once, newest first, causes in turn.

A cause is a row of `enrich.refreshes`; its updates become rows of `enrich.pending_refreshes`, in slices. How far a cause has come
is written with each slice, so that a process that dies leaves the rest to another.

The place in line is that of start-time fair queueing: the nth update of a cause stands n places behind what was first in line
when the cause came. So causes take turns, and three updates of one author do not wait for the 700,000 of another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from shared.background import keep_running
from shared.failures.transient import is_transient
from shared.postgres.lease_queue import LeaseQueue
from shared.postgres.pool import Connection, Pool
from shared.postgres.rows import narrowed
from shared.postgres.set_aside import SetAside

log = structlog.get_logger(__name__)

SLICE = 20_000
"""Updates that are put in line by one statement: about a second's work for Postgres."""
CAUSES_AT_ONCE = 20
CAUSES_ASIDE = SetAside("enrich", "refresh causes")

_ONE_AT_A_TIME = 0x6C696E65
"""The advisory lock of who puts in line: two that meet the same updates would wait for each other."""


@dataclass(frozen=True, slots=True)
class RefreshJob:
    """A change that concerns many updates, and how far they have been put in line."""

    id: int
    cause: str
    author_ids: Sequence[str]
    unknown_names: Sequence[str]
    update_ids: Sequence[str]
    stories: Sequence[str]
    detail: str
    written_since: datetime | None
    first_place: int | None
    queued: int
    reached_at: datetime | None
    reached_id: str | None


REFRESH_JOBS = LeaseQueue(
    table="enrich.refreshes",
    key={"id": "bigint"},
    due="run_at",
    waiting=CAUSES_ASIDE.is_free("q.id::text"),
    columns="q.id, q.cause, q.author_ids, q.unknown_names, q.update_ids, q.stories, q.detail, q.written_since, q.first_place, "
    "q.queued, q.reached_at, q.reached_id",
    read=lambda row: RefreshJob(**row),
)

_FIRST_IN_LINE = "SELECT coalesce((SELECT place FROM enrich.pending_refreshes ORDER BY place LIMIT 1), 0)"

_MERGED = (
    "place = least(p.place, excluded.place), "
    "cause = CASE WHEN 'retry' IN (p.cause, excluded.cause) THEN 'retry' WHEN excluded.cause = 'republish' THEN p.cause "
    "ELSE excluded.cause END"
)
"""What an update that stands in line becomes when it is asked for again. A retry asks for its pictures too, and
of a republish nobody is told."""

_QUEUE = f"""
WITH concerned AS MATERIALIZED (
    SELECT update_id, source, written_at FROM enrich.updates WHERE update_id = ANY($1::text[])
    UNION SELECT update_id, source, written_at FROM enrich.updates WHERE status = 'live' AND author_ids && $2::text[]
    UNION SELECT update_id, source, written_at FROM enrich.updates WHERE status = 'live' AND unknown_names && $3::text[]
    UNION SELECT update_id, source, written_at FROM enrich.updates WHERE status = 'live' AND story = ANY($4::text[])
), slice AS (
    SELECT *, row_number() OVER (ORDER BY written_at DESC, update_id DESC) AS number FROM concerned
    WHERE ($5::timestamptz IS NULL OR written_at >= $5)
      AND ($6::timestamptz IS NULL OR (written_at, update_id) < ($6, $7::text))
    ORDER BY written_at DESC, update_id DESC LIMIT $8
), queued AS (
    INSERT INTO enrich.pending_refreshes AS p (update_id, source, cause, detail, place)
    SELECT update_id, source, $9, $10, $11::bigint + number FROM slice
    ON CONFLICT (update_id) DO UPDATE SET {_MERGED}
)
SELECT count(*) OVER () AS count, written_at, update_id FROM slice ORDER BY written_at, update_id LIMIT 1
"""  # noqa: S608 -- ours
# An update that is written meanwhile leaves the part that is still to come. It was made with what has changed, or is found by
# the repeat of the cause (`enrich.reference.changes`).


async def keep_queueing(pool: Pool, interval_s: float) -> None:
    """Put what due causes concern in line, until cancelled."""

    async def step() -> None:
        while await queue_causes(pool):
            pass

    await keep_running("refresh causes", step, every_s=interval_s)


async def queue_causes(pool: Pool) -> int:
    """Put the next slice of each due cause in line; how many updates that were."""
    total = 0
    async with pool.acquire() as connection, connection.transaction():
        if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _ONE_AT_A_TIME):
            return 0
        for job in await REFRESH_JOBS.lock(connection, CAUSES_AT_ONCE):
            try:
                async with connection.transaction():
                    total += await _queue_slice(connection, job)
            except Exception as error:
                if is_transient(error):
                    raise
                await CAUSES_ASIDE.put(connection, str(job.id), error)
    return total


async def _queue_slice(connection: Connection, job: RefreshJob) -> int:
    first = job.first_place
    if first is None:
        first = narrowed(int, await connection.fetchval(_FIRST_IN_LINE))
    last = await connection.fetchrow(
        _QUEUE, job.update_ids, job.author_ids, job.unknown_names, job.stories, job.written_since, job.reached_at, job.reached_id,
        SLICE, job.cause, job.detail, first + job.queued,
    )  # fmt: skip
    count = 0 if last is None else narrowed(int, last["count"])
    if last is None or count < SLICE:
        await connection.execute("DELETE FROM enrich.refreshes WHERE id = $1", job.id)
        await CAUSES_ASIDE.clear(connection, [str(job.id)])
        log.info("updates stand in line for a refresh", cause=job.cause, updates=job.queued + count)
        return count
    await connection.execute(
        "UPDATE enrich.refreshes SET first_place = $2, queued = $3, reached_at = $4, reached_id = $5 WHERE id = $1",
        job.id, first, job.queued + count, last["written_at"], last["update_id"],
    )  # fmt: skip
    return count


async def queue_retries(connection: Connection, update_ids: Sequence[str]) -> None:
    """Put updates in line of which a step has missed its budget."""
    if not update_ids:
        return
    first = narrowed(int, await connection.fetchval(_FIRST_IN_LINE))
    await connection.execute(
        "INSERT INTO enrich.pending_refreshes AS p (update_id, source, cause, place) "  # noqa: S608 -- ours
        "SELECT update_id, source, 'retry', $2::bigint + row_number() OVER (ORDER BY written_at DESC, update_id DESC) "
        "FROM enrich.updates WHERE update_id = ANY($1::text[]) ORDER BY update_id "
        f"ON CONFLICT (update_id) DO UPDATE SET {_MERGED}",
        list(update_ids), first,
    )  # fmt: skip
