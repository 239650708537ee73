"""What is due: the ends of embargoes and expiries, which are sent at once, and retries, which stand in line with the refreshes.

Every replica looks. Rows are locked while their messages are sent, so that each is sent once however many replicas look. The
moments of updates and of the table are compared by the clock of Postgres, which all replicas share.
"""

from dataclasses import dataclass
from datetime import datetime

import structlog
from prometheus_client import Counter

from enrich.text.refreshes.line import queue_retries
from shared.background import keep_running
from shared.crash_points import reached
from shared.kafka.producer import Producer, acknowledged
from shared.messages import Release
from shared.postgres.lease_queue import LeaseQueue
from shared.postgres.pool import Pool
from shared.postgres.set_aside import SetAside
from shared.streams import RAW

log = structlog.get_logger(__name__)

AT_ONCE = 500

RELEASES = Counter("slugline_enrich_releases", "Releases sent", ["reason"])


RELEASES_ASIDE = SetAside("enrich", "due updates")


@dataclass(frozen=True, slots=True)
class DueUpdate:
    """An update whose moment has come."""

    update_id: str
    source: str
    due_at: datetime
    due_for: str

    def message(self) -> Release:
        """What asks for it to be looked at again; ValueError where its row cannot become a message."""
        return Release.model_validate({"update_id": self.update_id, "due_at": self.due_at, "reason": self.due_for})


DUE_UPDATES = LeaseQueue(
    table="enrich.updates",
    key={"update_id": "text"},
    due="due_at",
    # A message that was sent and lost is sent again after a while ($2).
    waiting="(q.asked_at IS NULL OR q.asked_at < now() - make_interval(secs => $2)) AND "
    + RELEASES_ASIDE.is_free("q.update_id"),
    columns="q.update_id, q.source, q.due_at, q.due_for",
    read=lambda row: DueUpdate(**row),
)


async def keep_releasing(pool: Pool, producer: Producer, *, interval_s: float, again_s: float) -> None:
    """Send what is due until cancelled. An outage is waited out: what was due then is still due."""

    async def step() -> None:
        while await release_due(pool, producer, again_s) == AT_ONCE:
            pass

    await keep_running("due updates", step, every_s=interval_s)


async def release_due(pool: Pool, producer: Producer, again_s: float) -> int:
    """Send a `Release` for each update that is due and not sent for, or put it in line for a retry; how many."""
    async with pool.acquire() as connection, connection.transaction():
        updates = await DUE_UPDATES.lock(connection, AT_ONCE, again_s)
        futures, asked = [], []
        for update in updates:
            if update.due_for != "retry":
                try:
                    message = update.message()
                except ValueError as error:
                    # The others do not wait for it.
                    await RELEASES_ASIDE.put(connection, update.update_id, error)
                    continue
                event_id = f"{update.update_id}:{update.due_for}:{update.due_at.timestamp():.3f}"
                key = update.source or update.update_id
                futures.append(await producer.send(RAW, message, key=key, event_id=event_id))
            asked.append(update.update_id)
            RELEASES.labels(update.due_for).inc()
        await acknowledged(futures)
        if asked:
            await queue_retries(connection, [each.update_id for each in updates if each.due_for == "retry"])
            reached("enrich.release-sent")
            await connection.execute(
                "UPDATE enrich.updates SET asked_at = now() WHERE update_id = ANY($1::text[])", asked
            )
            await RELEASES_ASIDE.clear(connection, asked)
            log.info("sent what is due", count=len(asked))
            reached("enrich.release-recorded")
        return len(updates)
