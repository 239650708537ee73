"""Sends an alert to each of its readers once, whatever crashes.

A batch is committed on Kafka when each of its readers has a result in Postgres. After a crash the batch is consumed again and
skips those who have one. At most those under way are sent twice; their number is bounded for each alert (`slots`).
"""

import asyncio
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from prometheus_client import Counter, Histogram

from publish.archive import queries
from publish.push.alerts.alert import Alert
from publish.push.alerts.alert import find as find_alerts
from publish.push.alerts.notification import notification_of
from publish.push.alerts.providers.provider import Notification, Provider, SendResult, Target
from publish.push.alerts.rules import AlertRules, decide_for_reader
from publish.push.alerts.sending.batch import PushBatch
from publish.push.alerts.sending.results import ReaderResult, ResultRecorder
from publish.push.alerts.sending.silence import PUT_OFF, SilentServices, push_service
from publish.push.alerts.subscriptions import COLUMNS, AlertSubscription, reader_of, recent_counts
from publish.push.alerts.subscriptions import find as find_subscriptions
from shared.background import keep_running
from shared.consumer.decode import Incoming, Rejection
from shared.crash_points import reached
from shared.failures.backoff import Backoff
from shared.failures.transient import is_transient
from shared.postgres.clock import Clock, wall_clock
from shared.postgres.lease_queue import LeaseQueue
from shared.postgres.pool import Pool
from shared.postgres.rows import typed

log = structlog.get_logger(__name__)

RETRY_INTERVAL_S = 1.0
MAX_ATTEMPTS = 8
BACKOFF = Backoff(first_s=5.0, longest_s=900.0)
"""Between attempts where the provider asks for no pause; twice as long each time: twenty minutes in all."""
RETRIED_AT_ONCE = 40
RETRY_LEASE_S = 120.0
RETRIED_SLOTS = 8
"""How many retries are under way at a time: after a crash no more than these are repeated."""
SENT_AT_ONCE = 500

SENT = Counter("slugline_push_messages", "Messages to devices by result", ["service", "result"])
FIRST = Histogram(
    "slugline_push_first_seconds",
    "From enriched until the first notification of an alert is taken by a push service",
    buckets=(0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.5, 1, 2, 5, 10, 30, 60),
)

WANTING = f"""
SELECT {COLUMNS}
FROM publish.subscriptions s
WHERE s.id BETWEEN $1 AND $2 AND (s.expires_at IS NULL OR s.expires_at > now())
  AND CASE WHEN $4::text IS NULL THEN s.channels && $5::text[]
      ELSE EXISTS (SELECT FROM publish.alert_results o WHERE o.alert_id = $4 AND o.subscription_id = s.id
                   AND o.result IN ('sent', 'later', 'digested')) END
  AND NOT EXISTS (SELECT FROM publish.alert_results r WHERE r.alert_id = $3 AND r.subscription_id = s.id)
ORDER BY s.id
"""


@dataclass(frozen=True, slots=True)
class DueRetry:
    """A reader to whom an alert is to be sent again."""

    alert_id: str
    subscription_id: int
    attempts: int


RETRIES = LeaseQueue(
    table="publish.alert_results",
    key={"alert_id": "text", "subscription_id": "bigint"},
    due="retry_at",
    waiting="q.result = 'later'",
    columns="q.alert_id, q.subscription_id, q.attempts",
    read=lambda row: DueRetry(**row),
)


class AlertSender:
    """Sends alerts to the readers of each batch, and again what providers put off."""

    def __init__(
        self,
        pool: Pool,
        providers: Mapping[str, Provider],
        rules: AlertRules,
        *,
        site_url: str,
        clock: Clock = wall_clock,
    ) -> None:
        self._pool = pool
        self._providers = providers
        self._rules = rules
        self._site_url = site_url
        self._recorder = ResultRecorder(pool)
        self._silent = SilentServices()
        self._clock = clock

    async def handle(self, incoming: Sequence[Incoming[PushBatch]]) -> Sequence[Rejection]:
        """Send batches, one after the other."""
        for message in incoming:
            await self._batch(message.event)
        return ()

    async def _batch(self, batch: PushBatch) -> None:
        for alert in await find_alerts(self._pool, [batch.alert_id]):
            rows = await self._pool.fetch(WANTING, batch.first, batch.last, alert.id, alert.of_alert, alert.channels)
            if rows:
                await self._send_all(alert, typed(AlertSubscription, rows), batch.slots)
                reached("push.alert-sent")
            await self._pool.execute(
                "INSERT INTO publish.alert_batches (alert_id, number) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                alert.id, batch.number,
            )  # fmt: skip
            reached("push.alert-batch-recorded")

    async def _send_all(self, alert: Alert, subscriptions: Sequence[AlertSubscription], slots: int) -> None:
        if (reason := await self._suppression(alert)) is not None:
            await self._recorder.put_all(
                [ReaderResult(alert.id, each.id, "suppressed", reason) for each in subscriptions]
            )
            return
        now = self._clock()
        sending = list(subscriptions)
        if alert.kind == "alert":
            counts = await recent_counts(self._pool, [each.id for each in subscriptions])
            sending, kept = _parted(alert, subscriptions, counts, now)
            if kept:
                await self._recorder.put_all(kept)
        notification = notification_of(alert, self._site_url, self._rules.ttl_s)
        by_service: dict[str, list[AlertSubscription]] = {}
        for each in sending:
            by_service.setdefault(push_service(each), []).append(each)

        async def send_some(queue: Iterator[AlertSubscription]) -> None:
            for subscription in queue:
                await self._send_and_record(alert, subscription, notification)

        most = min(max(slots, 1), SENT_AT_ONCE)
        try:
            async with asyncio.TaskGroup() as group:
                for own in by_service.values():
                    # A service's share of the slots is that of its readers: none waits for a slot that another's silence holds.
                    queue = iter(own)
                    for _ in range(min(math.ceil(most * len(own) / len(sending)), len(own))):
                        group.create_task(send_some(queue))
        except ExceptionGroup as failures:
            # The consumer looks at the failure itself; the others' are of the same kind.
            raise failures.exceptions[0] from failures

    async def _suppression(self, alert: Alert) -> str | None:
        """Why an alert is taken back while it is on its way."""
        if alert.state == "suppressed":
            return alert.reason
        if alert.kind in ("alert", "replace"):
            archived = await queries.one(self._pool, alert.update_id)
            if archived is None or archived.update.is_removal:
                return "the update is out of sight by now"
        return None

    async def _send_and_record(
        self, alert: Alert, subscription: AlertSubscription, notification: Notification, attempts: int = 0
    ) -> None:
        sent = await self.send(subscription, notification)
        pause_s = sent.pause_s
        if pause_s is None:
            pause_s = BACKOFF.pause_s(attempts + 1)
        await self._recorder.put(
            ReaderResult(alert.id, subscription.id, sent.result, sent.reason, sent.status, pause_s)
        )
        if sent.result == "sent" and alert.first_sent_at is None:
            await self._note_first(alert)

    async def _note_first(self, alert: Alert) -> None:
        first = await self._pool.fetchval(
            "UPDATE publish.alerts SET first_sent_at = now() WHERE id = $1 AND first_sent_at IS NULL RETURNING first_sent_at",
            alert.id,
        )
        if isinstance(first, datetime) and alert.enriched_at is not None:
            FIRST.observe(max((first - alert.enriched_at).total_seconds(), 0))

    async def send(self, subscription: AlertSubscription, notification: Notification) -> SendResult:
        """Send one notification to one subscription."""
        provider = self._providers.get(subscription.service)
        if provider is None:
            return SendResult("failed", None, f"no provider for {subscription.service} is configured")
        target = Target(subscription.target, subscription.p256dh, subscription.auth)
        service = push_service(subscription)
        if self._silent.is_left_alone(service):
            SENT.labels(subscription.service, PUT_OFF.result).inc()
            return PUT_OFF
        try:
            sent = await provider.send(target, notification)
            self._silent.note(service, answered=sent.status is not None or sent.result != "later")
        except Exception as error:
            if is_transient(error):
                raise
            # What cannot be built for one reader must not hold up the others of its batch.
            log.exception("a notification cannot be built", subscription=subscription.id, service=subscription.service)
            sent = SendResult("failed", None, f"it cannot be made: {type(error).__name__}")
        SENT.labels(subscription.service, sent.result).inc()
        return sent

    async def keep_retrying(self) -> None:
        """Send again what providers put off, until cancelled."""

        async def step() -> None:
            while await self._retry_some():
                continue

        await keep_running("messages to try again", step, every_s=RETRY_INTERVAL_S)

    async def _retry_some(self) -> int:
        due = await RETRIES.claim(self._pool, RETRIED_AT_ONCE, RETRY_LEASE_S)
        if not due:
            return 0
        alerts = {each.id: each for each in await find_alerts(self._pool, [each.alert_id for each in due])}
        subscriptions = {
            each.id: each for each in await find_subscriptions(self._pool, [each.subscription_id for each in due])
        }
        suppressed = {key: await self._suppression(alert) for key, alert in alerts.items()}
        queue = iter(due)

        async def retry_some() -> None:
            for each in queue:
                if (alert := alerts.get(each.alert_id)) is not None:
                    await self._retry(each, alert, subscriptions.get(each.subscription_id), suppressed[alert.id])

        await asyncio.gather(*(retry_some() for _ in range(RETRIED_SLOTS)))
        return len(due)

    async def _retry(
        self, due: DueRetry, alert: Alert, subscription: AlertSubscription | None, suppressed: str | None
    ) -> None:
        try:
            oldest = self._clock() - timedelta(seconds=self._rules.ttl_s)
            if subscription is None:
                await self._end(due, "gone", "unsubscribed")
            elif suppressed is not None:
                await self._end(due, "suppressed", suppressed)
            elif due.attempts >= MAX_ATTEMPTS or alert.created_at < oldest:
                await self._end(due, "failed", "not taken in time")
            else:
                notification = notification_of(alert, self._site_url, self._rules.ttl_s)
                await self._send_and_record(alert, subscription, notification, due.attempts)
        except Exception as error:
            if is_transient(error):
                raise
            log.exception("a notification cannot be built", alert=due.alert_id, subscription=due.subscription_id)
            await self._end(due, "failed", f"it cannot be made: {type(error).__name__}")

    async def _end(self, due: DueRetry, result: str, reason: str) -> None:
        await self._recorder.put(ReaderResult(due.alert_id, due.subscription_id, result, reason))


def _parted(
    alert: Alert, subscriptions: Sequence[AlertSubscription], counts: Mapping[int, tuple[int, int]], now: datetime
) -> tuple[list[AlertSubscription], list[ReaderResult]]:
    """Who gets an alert now, and the results of those who do not; a reader of whom that cannot be said gets none."""
    sending: list[AlertSubscription] = []
    results: list[ReaderResult] = []
    for each in subscriptions:
        try:
            decision = decide_for_reader(reader_of(each, counts), alert.level, now)
        except Exception as error:
            log.exception("what a reader wants cannot be read", subscription=each.id)
            results.append(
                ReaderResult(alert.id, each.id, "failed", f"preferences cannot be read: {type(error).__name__}")
            )
            continue
        if decision.result == "send":
            sending.append(each)
        elif decision.result == "digest":
            results.append(ReaderResult(alert.id, each.id, "digest", decision.reason))
    return sending, results
