"""Puts the batches of decided alerts on Kafka, once the site and the cache answer with what they lead to."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from prometheus_client import Histogram

from publish.archive import queries
from publish.archive.queries import Archived
from publish.push.alerts.alert import COLUMNS, Alert, audience
from publish.push.alerts.decisions import DECIDED
from publish.push.alerts.mutes import muted
from publish.push.alerts.rules import AlertRules
from publish.push.alerts.sending.batch import PushBatch
from publish.push.readiness import ReadinessChecks
from shared.background import keep_running
from shared.crash_points import reached
from shared.failures.backoff import Backoff
from shared.failures.transient import is_transient, reason_of
from shared.kafka.producer import Producer, acknowledged
from shared.postgres.clock import Clock, wall_clock
from shared.postgres.lease_queue import LeaseQueue
from shared.postgres.pool import Connection, Pool
from shared.postgres.set_aside import SetAside
from shared.streams import PUSH_BATCHES

log = structlog.get_logger(__name__)

BATCH = 500
IDLE_S = 1.0
RELEASED_AT_ONCE = 20
REPEATABLE_SHARE = 0.001
LEAST_SLOTS = 8

RELEASED = Histogram(
    "slugline_push_alert_released_seconds",
    "From enriched until the batches of an alert are on Kafka",
    buckets=(0.02, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2, 5, 10, 30, 60),
)

LOOKED_AT_AGAIN_S = 1.0
ALERTS_ASIDE = SetAside("publish", "alerts", Backoff(first_s=5.0, longest_s=120.0))

UNRELEASED = LeaseQueue(
    table="publish.alerts",
    key={"id": "text"},
    due="look_at",
    waiting="(q.state = 'unreadable' OR q.state = 'sending') AND q.released_at IS NULL AND "
    + ALERTS_ASIDE.is_free("q.id"),
    columns=COLUMNS,
    read=lambda row: Alert(**row),
)


@dataclass(frozen=True, slots=True)
class _Sought:
    """What an alert leads to, as the archive and the site have it."""

    archived: Archived | None
    missing: Sequence[str]


class AlertRelease:
    """Releases alerts whose update is readable, or ends those that became pointless while they waited."""

    def __init__(
        self,
        pool: Pool,
        rules: AlertRules,
        producer: Producer,
        readiness: ReadinessChecks,
        *,
        clock: Clock = wall_clock,
    ) -> None:
        self._pool = pool
        self._rules = rules
        self._producer = producer
        self._readiness = readiness
        self._clock = clock
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Look for alerts now."""
        self._wake.set()

    async def keep_releasing(self) -> None:
        """Put alerts that may leave on Kafka, until cancelled."""
        await keep_running("alerts", self._release, every_s=IDLE_S, wake=self._wake)

    async def _release(self) -> None:
        await self._pool.execute(
            "UPDATE publish.alerts SET state = 'suppressed', ended_at = now(), reason = reason || '; not approved in time' "
            "WHERE state = 'awaiting-approval' AND created_at < now() - make_interval(secs => $1)",
            self._rules.approval_s,
        )
        async with self._pool.acquire() as connection, connection.transaction():
            alerts = await UNRELEASED.lock(connection, RELEASED_AT_ONCE)
            # All are asked for at once: a page that hangs delays no other alert by more than its own timeout.
            sought = await asyncio.gather(*(self._sought(alert) for alert in alerts))
            for alert, found in zip(alerts, sought, strict=True):
                await self._release_or_set_aside(connection, alert, found)
        await self._pool.execute(
            "UPDATE publish.alerts a SET state = 'sent', ended_at = now() WHERE state = 'sending' AND released_at IS NOT NULL "
            "AND batches <= (SELECT count(*) FROM publish.alert_batches b WHERE b.alert_id = a.id)"
        )

    async def _sought(self, alert: Alert) -> "_Sought | Exception":
        """What an alert leads to, and the sinks that do not have it."""
        try:
            archived = (await queries.some(self._pool, [alert.update_id])).get(alert.update_id)
            return _Sought(archived, await self._readiness.missing(archived.update) if archived is not None else [])
        except Exception as error:
            if is_transient(error):
                raise
            return error

    async def _release_or_set_aside(self, connection: Connection, alert: Alert, found: "_Sought | Exception") -> None:
        """Release an alert; one that cannot be released is tried again until it is too old, and the others go on."""
        try:
            if isinstance(found, Exception):
                raise found
            async with connection.transaction():
                await self._release_one(connection, alert, found)
        except Exception as error:
            if is_transient(error):
                raise
            await ALERTS_ASIDE.put(connection, alert.id, error)
            if (self._clock() - alert.created_at).total_seconds() > self._rules.max_age_s:
                await self._end(connection, alert, "suppressed", f"it cannot be released: {reason_of(error)}"[:500])
        else:
            await ALERTS_ASIDE.clear(connection, [alert.id])

    async def _release_one(self, connection: Connection, alert: Alert, found: "_Sought") -> None:
        archived = found.archived
        if archived is None or (archived.update.is_removal and alert.kind != "withdraw"):
            return await self._end(connection, alert, "suppressed", "the update is out of sight")
        if alert.kind == "alert" and (reason := await muted(connection, alert.channels)) is not None:
            return await self._end(connection, alert, "suppressed", reason)
        missing = found.missing
        if missing and alert.kind != "withdraw":
            age_s = (self._clock() - alert.created_at).total_seconds()
            if age_s > self._rules.max_age_s:
                return await self._end(connection, alert, "suppressed", f"not readable in time: {', '.join(missing)}")
            await connection.execute(
                "UPDATE publish.alerts SET state = 'unreadable', look_at = now() + make_interval(secs => $2) WHERE id = $1",
                alert.id, LOOKED_AT_AGAIN_S,
            )  # fmt: skip

            return None
        ids = await audience(connection, alert.channels, alert.of_alert)
        if not ids:
            return await self._end(connection, alert, "sent", alert.reason)
        slots = max(LEAST_SLOTS, int(len(ids) * REPEATABLE_SHARE))
        batches = [ids[start : start + BATCH] for start in range(0, len(ids), BATCH)]
        futures = [
            await self._producer.send(
                PUSH_BATCHES,
                PushBatch(alert_id=alert.id, number=number, first=batch[0], last=batch[-1], slots=slots),
                key=f"{alert.id}:{number}",
                event_id=f"{alert.id}:{number}",
            )
            for number, batch in enumerate(batches)
        ]
        await acknowledged(futures)
        reached("push.alert-batches-sent")
        # A crash before this is written puts the batches on Kafka again; those that had it already are known by then.
        await connection.execute(
            "UPDATE publish.alerts SET state = 'sending', released_at = now(), audience = $2, batches = $3 WHERE id = $1",
            alert.id, len(ids), len(batches),
        )  # fmt: skip
        if alert.enriched_at is not None:
            RELEASED.observe(max((self._clock() - alert.enriched_at).total_seconds(), 0))
        log.info("alert released", alert=alert.id, audience=len(ids), batches=len(batches))
        return None

    async def _end(self, connection: Connection, alert: Alert, state: str, reason: str) -> None:
        await connection.execute(
            "UPDATE publish.alerts SET state = $2, reason = $3, released_at = now(), ended_at = now() WHERE id = $1",
            alert.id, state, reason,
        )  # fmt: skip
        DECIDED.labels(alert.kind, state).inc()
        log.info("alert ended", alert=alert.id, state=state, reason=reason)
