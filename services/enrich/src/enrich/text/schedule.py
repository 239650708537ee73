"""What is due: the ends of embargoes, expiries and retries, and the refreshes that a changed directory asks for.

Every replica looks. Rows are locked while their messages are sent, so that each is sent once however many replicas look. The
moments of updates and of the table are compared by the clock of Postgres, which all replicas share.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from prometheus_client import Counter

from shared.background import keep_running
from shared.crash_points import reached
from shared.kafka.producer import Producer, acknowledged
from shared.messages import Refresh, RefreshCause, Release
from shared.postgres.lease_queue import LeaseQueue
from shared.postgres.pool import Connection, Pool
from shared.streams import RAW

log = structlog.get_logger(__name__)

AT_ONCE = 500

RELEASES = Counter("slugline_enrich_releases", "Releases sent", ["reason"])
REFRESHES = Counter("slugline_enrich_refreshes", "Refreshes sent", ["cause"])


@dataclass(frozen=True, slots=True)
class DueUpdate:
    """An update whose moment has come."""

    update_id: str
    due_at: datetime
    due_for: str

    def message(self) -> Release | Refresh:
        """What asks for it to be looked at again."""
        if self.due_for == "retry":
            return Refresh(update_id=self.update_id, cause="retry", requested_at=datetime.now(UTC))
        return Release.model_validate({"update_id": self.update_id, "due_at": self.due_at, "reason": self.due_for})


@dataclass(frozen=True, slots=True)
class RefreshJob:
    """A change that concerns many updates; `id` goes into the ids of its messages."""

    id: int
    cause: RefreshCause
    author_ids: Sequence[str]
    unknown_names: Sequence[str]
    update_ids: Sequence[str]
    stories: Sequence[str]
    detail: str


DUE_UPDATES = LeaseQueue(
    table="enrich.updates",
    key={"update_id": "text"},
    due="due_at",
    # A message that was sent and lost is sent again after a while ($2).
    waiting="(q.asked_at IS NULL OR q.asked_at < now() - make_interval(secs => $2))",
    columns="q.update_id, q.due_at, q.due_for",
    read=lambda row: DueUpdate(**row),
)
REFRESH_JOBS = LeaseQueue(
    table="enrich.refreshes",
    key={"id": "bigint"},
    due="run_at",
    columns="q.id, q.cause, q.author_ids, q.unknown_names, q.update_ids, q.stories, q.detail",
    read=lambda row: RefreshJob(**row),
)


async def keep_releasing(pool: Pool, producer: Producer, *, interval_s: float, again_s: float) -> None:
    """Send what is due until cancelled. An outage is waited out: what was due then is still due."""

    async def step() -> None:
        while await release_due(pool, producer, again_s) == AT_ONCE:
            pass
        while await run_refresh_job(pool, producer):
            pass

    await keep_running("due updates", step, every_s=interval_s)


async def release_due(pool: Pool, producer: Producer, again_s: float) -> int:
    """Send a `Release`, or for a retry a `Refresh`, for each update that is due and not sent for; how many."""
    async with pool.acquire() as connection, connection.transaction():
        updates = await DUE_UPDATES.lock(connection, AT_ONCE, again_s)
        futures = []
        for update in updates:
            try:
                message = update.message()
            except ValueError:
                # It is tried again after a while, as what was sent and lost is; the others do not wait for it.
                log.exception("no message for a due update", update_id=update.update_id, due_for=update.due_for)
                continue
            event_id = f"{update.update_id}:{update.due_for}:{update.due_at.timestamp():.3f}"
            futures.append(await producer.send(RAW, message, key=update.update_id, event_id=event_id))
            RELEASES.labels(update.due_for).inc()
        await acknowledged(futures)
        if updates:
            reached("enrich.release-sent")
            await connection.execute(
                "UPDATE enrich.updates SET asked_at = now() WHERE update_id = ANY($1::text[])",
                [update.update_id for update in updates],
            )
            log.info("sent what is due", count=len(updates))
            reached("enrich.release-recorded")
        return len(updates)


async def run_refresh_job(pool: Pool, producer: Producer) -> bool:
    """Send a `Refresh` for each update that one due job concerns; False where none is due."""
    async with pool.acquire() as connection, connection.transaction():
        for job in await REFRESH_JOBS.lock(connection, 1):
            update_ids = await _updates_of(connection, job)
            for begin in range(0, len(update_ids), AT_ONCE):
                await _send_refreshes(producer, job, update_ids[begin : begin + AT_ONCE])
            reached("enrich.refreshes-sent")
            await connection.execute("DELETE FROM enrich.refreshes WHERE id = $1", job.id)
            log.info("refreshes sent", cause=job.cause, updates=len(update_ids))
            return True
    return False


async def _updates_of(connection: Connection, job: RefreshJob) -> list[str]:
    rows = await connection.fetch(
        """
        SELECT unnest($1::text[]) AS update_id
        UNION SELECT update_id FROM enrich.updates WHERE status = 'live' AND author_ids && $2::text[]
        UNION SELECT update_id FROM enrich.updates WHERE status = 'live' AND unknown_names && $3::text[]
        UNION SELECT update_id FROM enrich.updates WHERE status = 'live' AND story = ANY($4::text[])
        """,
        job.update_ids, job.author_ids, job.unknown_names, job.stories,
    )  # fmt: skip
    return [row["update_id"] for row in rows]


async def _send_refreshes(producer: Producer, job: RefreshJob, update_ids: Sequence[str]) -> None:
    futures = []
    for update_id in update_ids:
        try:
            refresh = Refresh(
                update_id=update_id, cause=job.cause, requested_at=datetime.now(UTC), detail=job.detail
            )  # fmt: skip
        except ValueError:
            log.exception("no refresh for an update", update_id=update_id, job=job.id)
            continue
        futures.append(await producer.send(RAW, refresh, key=update_id, event_id=f"{update_id}:refresh:{job.id}"))
        REFRESHES.labels(job.cause).inc()
    await acknowledged(futures)
