"""What is due: the ends of embargoes, expiries and retries, and the refreshes that a changed directory asks for.

Every replica looks; a row is one replica's while it sends, so that one release is sent however many look.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Counter

from shared.background import keep_running
from shared.kafka.producer import Producer, acknowledged
from shared.messages import Refresh, Release
from shared.postgres.pool import Pool
from shared.streams import RAW

log = structlog.get_logger(__name__)

AT_ONCE = 500

RELEASES = Counter("slugline_enrich_releases", "Releases sent", ["reason"])

REFRESHES = Counter("slugline_enrich_refreshes", "Refreshes sent", ["cause"])


async def keep_releasing(
    pool: Pool,
    producer: Producer,
    *,
    interval_s: float,
    again_s: float,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Send what is due until cancelled. An outage is waited out: what was due then is due still."""

    async def step() -> None:
        while await release_due(pool, producer, clock(), again_s) == AT_ONCE:
            pass
        while await refresh_asked(pool, producer, clock()):
            pass

    await keep_running("due updates", step, every_s=interval_s)


def _asking(update_id: str, due_at: datetime, due_for: str, now: datetime) -> Release | Refresh:
    if due_for == "retry":
        return Refresh(update_id=update_id, cause="retry", requested_at=now)
    return Release.model_validate({"update_id": update_id, "due_at": due_at, "reason": due_for})


async def release_due(pool: Pool, producer: Producer, now: datetime, again_s: float = 60.0) -> int:
    """Send a `Release`, or for a retry a `Refresh`, for each row that is due and not sent for; how many."""
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(
            """
            SELECT update_id, due_at, due_for FROM enrich.updates
            WHERE due_at <= $1 AND (asked_at IS NULL OR asked_at < $2)
            ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
            """,
            now, now - timedelta(seconds=again_s), AT_ONCE,
        )  # fmt: skip
        futures = []
        for row in rows:
            update_id, due_at, due_for = row["update_id"], row["due_at"], row["due_for"]
            try:
                message = _asking(update_id, due_at, due_for, now)
            except ValueError:
                # It is asked for again after a while, as what was sent and lost is; the others do not wait for it.
                log.exception("a due update cannot be asked for", update_id=update_id, due_for=due_for)
                continue
            event_id = f"{update_id}:{due_for}:{due_at.timestamp():.3f}"
            futures.append(await producer.send(RAW, message, key=update_id, event_id=event_id))
            RELEASES.labels(due_for).inc()
        await acknowledged(futures)
        if rows:
            await connection.execute(
                "UPDATE enrich.updates SET asked_at = $2 WHERE update_id = ANY($1::text[])",
                [row["update_id"] for row in rows], now,
            )  # fmt: skip
            log.info("sent what is due", count=len(rows))
        return len(rows)


async def refresh_asked(pool: Pool, producer: Producer, now: datetime) -> int:
    """Carry out one job of `enrich.refreshes` that is due: a `Refresh` for each update that it concerns. How many jobs."""
    async with pool.acquire() as connection, connection.transaction():
        job = await connection.fetchrow(
            "SELECT * FROM enrich.refreshes WHERE run_at <= $1 ORDER BY run_at LIMIT 1 FOR UPDATE SKIP LOCKED", now
        )
        if job is None:
            return 0
        rows = await connection.fetch(
            """
            SELECT unnest($1::text[]) AS update_id
            UNION SELECT update_id FROM enrich.updates WHERE status = 'live' AND author_ids && $2::text[]
            UNION SELECT update_id FROM enrich.updates WHERE status = 'live' AND unknown_names && $3::text[]
            UNION SELECT update_id FROM enrich.updates WHERE status = 'live' AND story = ANY($4::text[])
            """,
            job["update_ids"], job["author_ids"], job["unknown_names"], job["stories"],
        )  # fmt: skip
        for begin in range(0, len(rows), AT_ONCE):
            futures = []
            for row in rows[begin : begin + AT_ONCE]:
                update_id = row["update_id"]
                try:
                    refresh = Refresh(update_id=update_id, cause=job["cause"], requested_at=now, detail=job["detail"])
                except ValueError:
                    log.exception("an update cannot be asked to be made again", update_id=update_id, job=job["id"])
                    continue
                futures.append(
                    await producer.send(RAW, refresh, key=update_id, event_id=f"{update_id}:refresh:{job['id']}")
                )
                REFRESHES.labels(job["cause"]).inc()
            await acknowledged(futures)
        await connection.execute("DELETE FROM enrich.refreshes WHERE id = $1", job["id"])
        log.info("refreshes sent", cause=job["cause"], updates=len(rows))
        return 1
