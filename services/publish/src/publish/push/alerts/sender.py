"""Batches of an alert's fan-out: each reader once, whatever crashes.

A batch is committed on Kafka when every reader of it has a result in Postgres. After a crash it comes again and skips
those who have one; repeated are at most those that were under way, whose number is bounded for each alert (`slots`).
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import structlog
from prometheus_client import Counter, Histogram

from publish.archive import queries
from publish.push.alerts.decisions import PushBatch, message_of
from publish.push.alerts.mutes import muted
from publish.push.alerts.providers import Brought, Courier, Message, Target
from publish.push.alerts.rules import Reader, Rules, is_quiet, turn_of
from shared.background import keep_running
from shared.consumer.decode import Incoming, Rejection
from shared.failures.transient import is_transient
from shared.postgres.pool import Pool, Row

log = structlog.get_logger(__name__)

RETRY_INTERVAL_S = 1.0
DIGEST_INTERVAL_S = 20.0
DIGEST_TITLES = 5
MAX_ATTEMPTS = 8
FIRST_PAUSE_S, LAST_PAUSE_S = 5.0, 900.0
"""Between attempts where the push service asks for no pause; twice as long each time: twenty minutes in all."""
RETRIED_AT_ONCE = 40
RETRIED_SLOTS = 8
"""How many of them are under way: after a crash no more than these are repeated."""
SENT_AT_ONCE = 500

BROUGHT = Counter("slugline_push_messages", "Messages to devices by result", ["service", "result"])
FIRST = Histogram(
    "slugline_push_first_seconds",
    "From enriched until the first notification of an alert is taken by a push service",
    buckets=(0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.5, 1, 2, 5, 10, 30, 60),
)

WANTING = """
SELECT s.id, s.service, s.target, s.p256dh, s.auth, s.time_zone, s.quiet_from, s.quiet_to, s.break_through,
       s.per_hour, s.per_day
FROM publish.subscriptions s
WHERE s.id BETWEEN $1 AND $2 AND (s.expires_at IS NULL OR s.expires_at > now())
  AND CASE WHEN $4::text IS NULL THEN s.channels && $5::text[]
      ELSE EXISTS (SELECT FROM publish.alert_results o WHERE o.alert_id = $4 AND o.subscription_id = s.id
                   AND o.result IN ('sent', 'later', 'digested')) END
  AND NOT EXISTS (SELECT FROM publish.alert_results r WHERE r.alert_id = $3 AND r.subscription_id = s.id)
ORDER BY s.id
"""

HAD = """
SELECT r.subscription_id, count(*) FILTER (WHERE r.at > now() - interval '1 hour') AS hour, count(*) AS day
FROM publish.alert_results r JOIN publish.alerts a ON a.id = r.alert_id AND a.kind = 'alert'
WHERE r.subscription_id = ANY($1) AND r.result = 'sent' AND r.at > now() - interval '1 day'
GROUP BY r.subscription_id
"""

RECORD = """
INSERT INTO publish.alert_results AS r (alert_id, subscription_id, result, reason, status, retry_at)
SELECT a, s, e, w, t, CASE WHEN e = 'later' THEN now() + make_interval(secs => p) END
FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::int[], $6::float8[]) AS u (a, s, e, w, t, p)
ON CONFLICT (alert_id, subscription_id) DO UPDATE
SET result = excluded.result, reason = excluded.reason, status = excluded.status, retry_at = excluded.retry_at,
    at = now(), attempts = r.attempts + 1
"""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an alert at one reader."""

    alert_id: str
    subscription_id: int
    result: str
    reason: str = ""
    status: int | None = None
    pause_s: float = 0.0


class Recorder:
    """Writes results down in groups: many at a time, and whoever waits knows that its own is durable."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._waiting: list[tuple[Result, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def put(self, result: Result) -> None:
        """Ends once the result is committed."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((result, done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        await done

    async def _write(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            try:
                await self.put_all([result for result, _ in group])
            except Exception as error:  # noqa: BLE001 -- handed to whoever waits
                for _, done in group:
                    if not done.done():
                        done.set_exception(error)
            else:
                for _, done in group:
                    if not done.done():
                        done.set_result(None)

    async def put_all(self, results: Sequence[Result]) -> None:
        """Write results; subscriptions that are gone end here."""
        gone = [result.subscription_id for result in results if result.result == "gone"]
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(
                RECORD,
                [result.alert_id for result in results],
                [result.subscription_id for result in results],
                [result.result for result in results],
                [result.reason[:300] for result in results],
                [result.status for result in results],
                [result.pause_s for result in results],
            )
            if gone:
                await connection.execute("DELETE FROM publish.subscriptions WHERE id = ANY($1)", gone)


def reader_of(row: Mapping[str, Any], had: Mapping[int, tuple[int, int]]) -> Reader:
    """What a subscription asks for, with what it has had."""
    hour, day = had.get(row["id"], (0, 0))
    return Reader(
        row["time_zone"], row["quiet_from"], row["quiet_to"], row["break_through"], row["per_hour"], row["per_day"],
        hour, day,
    )  # fmt: skip


async def had_of(pool: Pool, subscription_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """How many alerts each has had within the hour and within the day."""
    rows = await pool.fetch(HAD, list(subscription_ids))
    return {row["subscription_id"]: (row["hour"], row["day"]) for row in rows}


class Fanout:
    """Handles batches, what is to be tried again, and digests."""

    def __init__(
        self, pool: Pool, couriers: Mapping[str, Courier], rules: Rules, *, site_url: str, site_name: str
    ) -> None:
        self._pool = pool
        self._couriers = couriers
        self._rules = rules
        self._site_url = site_url
        self._site_name = site_name
        self._recorder = Recorder(pool)

    async def handle(self, incoming: Sequence[Incoming[Any]]) -> Sequence[Rejection]:
        """Bring batches, one after the other."""
        for message in incoming:
            await self._batch(message.event)
        return ()

    async def _batch(self, batch: PushBatch) -> None:
        alert = await self._pool.fetchrow("SELECT * FROM publish.alerts WHERE id = $1", batch.alert_id)
        if alert is not None:
            rows = await self._pool.fetch(
                WANTING, batch.first, batch.last, alert["id"], alert["of_alert"], alert["channels"]
            )
            if rows:
                await self._bring_all(alert, rows, batch.slots)
            await self._pool.execute(
                "INSERT INTO publish.alert_batches (alert_id, number) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                alert["id"], batch.number,
            )  # fmt: skip

    async def _bring_all(self, alert: Any, rows: Sequence[Any], slots: int) -> None:
        if (reason := await self._why_not(alert)) is not None:
            await self._recorder.put_all([Result(alert["id"], row["id"], "suppressed", reason) for row in rows])
            return
        now = datetime.now(UTC)
        sending = list(rows)
        if alert["kind"] == "alert":
            had = await had_of(self._pool, [row["id"] for row in rows])
            turns = {row["id"]: turn_of(reader_of(row, had), alert["level"], now) for row in rows}
            held = [
                Result(alert["id"], key, "digest", turn.reason)
                for key, turn in turns.items()
                if turn.result == "digest"
            ]
            if held:
                await self._recorder.put_all(held)
            sending = [row for row in rows if turns[row["id"]].result == "send"]
        message = message_of(alert, self._site_url, self._rules.ttl_s)
        queue = iter(sending)

        async def bring_some() -> None:
            for row in queue:
                await self._bring(alert, row, message)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(max(slots, 1), SENT_AT_ONCE, len(sending))):
                    group.create_task(bring_some())
        except ExceptionGroup as failures:
            # The lane judges the failure itself; those of the others are of the same kind.
            raise failures.exceptions[0] from failures

    async def _why_not(self, alert: Any) -> str | None:
        """Why an alert is taken back while it is on its way."""
        if alert["state"] == "suppressed":
            return str(alert["reason"])
        if alert["kind"] in ("alert", "replace"):
            archived = await queries.one(self._pool, alert["update_id"])
            if archived is None or archived.update.is_removal:
                return "the update is out of sight by now"
        return None

    async def _bring(self, alert: Any, row: Row, message: Message, attempts: int = 0) -> Brought:
        brought = await self.bring(row, message)
        pause_s = brought.pause_s
        if pause_s is None:
            pause_s = min(FIRST_PAUSE_S * 2**attempts, LAST_PAUSE_S) * random.uniform(0.8, 1.2)
        await self._recorder.put(
            Result(alert["id"], row["id"], brought.result, brought.reason, brought.status, pause_s)
        )
        if brought.result == "sent" and alert["first_sent_at"] is None:
            await self._note_first(alert)
        return brought

    async def _note_first(self, alert: Any) -> None:
        first = await self._pool.fetchval(
            "UPDATE publish.alerts SET first_sent_at = now() WHERE id = $1 AND first_sent_at IS NULL RETURNING first_sent_at",
            alert["id"],
        )
        if first is not None and alert["enriched_at"] is not None:
            FIRST.observe(max((first - alert["enriched_at"]).total_seconds(), 0))

    async def bring(self, row: Mapping[str, Any], message: Message) -> Brought:
        """One message to one subscription."""
        courier = self._couriers.get(row["service"])
        if courier is None:
            return Brought("failed", None, f"no courier for {row['service']} is configured")
        try:
            brought = await courier.bring(Target(row["target"], row["p256dh"], row["auth"]), message)
        except Exception as error:
            if is_transient(error):
                raise
            # What cannot be made for one reader must not hold up the others of its batch.
            log.exception("a message cannot be made", subscription=row["id"], service=row["service"])
            brought = Brought("failed", None, f"it cannot be made: {type(error).__name__}")
        BROUGHT.labels(row["service"], brought.result).inc()
        return brought

    async def keep_trying_again(self) -> None:
        """Bring again what push services put off, until cancelled."""

        async def step() -> None:
            while await self._try_again():
                continue

        await keep_running("messages to try again", step, every_s=RETRY_INTERVAL_S)

    async def _try_again(self) -> int:
        rows = await self._pool.fetch(
            "WITH due AS (SELECT alert_id, subscription_id FROM publish.alert_results WHERE result = 'later' "
            "AND retry_at <= now() ORDER BY retry_at LIMIT $1 FOR UPDATE SKIP LOCKED) "
            "UPDATE publish.alert_results r SET retry_at = now() + interval '2 minutes' FROM due "
            "WHERE r.alert_id = due.alert_id AND r.subscription_id = due.subscription_id "
            "RETURNING r.alert_id, r.subscription_id, r.attempts",
            RETRIED_AT_ONCE,
        )
        if not rows:
            return 0
        alerts = await self._pool.fetch(
            "SELECT * FROM publish.alerts WHERE id = ANY($1)", [row["alert_id"] for row in rows]
        )
        readers = await self._pool.fetch(
            "SELECT * FROM publish.subscriptions WHERE id = ANY($1)", [row["subscription_id"] for row in rows]
        )
        by_alert, by_reader = {each["id"]: each for each in alerts}, {each["id"]: each for each in readers}
        oldest = datetime.now(UTC) - timedelta(seconds=self._rules.ttl_s)
        why_not = {key: await self._why_not(alert) for key, alert in by_alert.items()}

        async def again_or_told(row: Row) -> None:
            try:
                await again(row)
            except Exception as error:
                if is_transient(error):
                    raise
                log.exception("a message cannot be made", alert=row["alert_id"], subscription=row["subscription_id"])
                reason = f"it cannot be made: {type(error).__name__}"
                await self._recorder.put(Result(row["alert_id"], row["subscription_id"], "failed", reason))

        async def again(row: Row) -> None:
            alert, reader = by_alert[row["alert_id"]], by_reader.get(row["subscription_id"])
            ended: Result | None = None
            if reader is None:
                ended = Result(alert["id"], row["subscription_id"], "gone", "unsubscribed")
            elif (reason := why_not[alert["id"]]) is not None:
                ended = Result(alert["id"], row["subscription_id"], "suppressed", reason)
            elif row["attempts"] >= MAX_ATTEMPTS or alert["created_at"] < oldest:
                ended = Result(alert["id"], row["subscription_id"], "failed", "not taken in time")
            if ended is not None:
                await self._recorder.put(ended)
            else:
                await self._bring(alert, reader, message_of(alert, self._site_url, self._rules.ttl_s), row["attempts"])

        queue = iter(rows)

        async def bring_some() -> None:
            for row in queue:
                await again_or_told(row)

        await asyncio.gather(*(bring_some() for _ in range(RETRIED_SLOTS)))
        return len(rows)

    async def keep_digesting(self) -> None:
        """Send readers what was kept for them once they may have it, until cancelled."""
        await keep_running("digests", lambda: self.digest(datetime.now(UTC)), every_s=DIGEST_INTERVAL_S)

    async def digest(self, now: datetime) -> int:
        """One digest to each reader who has some kept and is open for it now; how many left."""
        rows = await self._pool.fetch(
            "SELECT s.*, k.alerts FROM (SELECT subscription_id, array_agg(alert_id) AS alerts FROM publish.alert_results "
            "WHERE result = 'digest' GROUP BY subscription_id ORDER BY min(at) LIMIT 1000) k "
            "JOIN publish.subscriptions s ON s.id = k.subscription_id"
        )
        had = await had_of(self._pool, [row["id"] for row in rows])
        open_now = [
            row
            for row in rows
            if not is_quiet(reader := reader_of(row, had), now)
            and reader.sent_hour < reader.per_hour
            and reader.sent_day < reader.per_day
        ]
        sent = 0
        for row in open_now:
            try:
                sent += await self._digest_one(row, now)
            except Exception as error:
                if is_transient(error):
                    raise
                log.exception("a digest cannot be made", subscription=row["id"])
        return sent

    async def _digest_one(self, row: Row, now: datetime) -> bool:
        kept = await self._pool.fetch(
            "SELECT a.id, a.title, a.update_id, a.channels FROM publish.alerts a JOIN publish.updates u USING (update_id) "
            "WHERE a.id = ANY($1) AND u.visible ORDER BY a.level, a.created_at DESC",
            row["alerts"],
        )
        reasons = dict.fromkeys(row["alerts"], "the update is out of sight")
        reasons |= {each["id"]: await muted(self._pool, each["channels"]) for each in kept}
        alerts = [each for each in kept if reasons[each["id"]] is None]
        visible = {each["id"] for each in alerts}
        lost = [Result(key, row["id"], "suppressed", reason) for key, reason in reasons.items() if reason is not None]
        if lost:
            await self._recorder.put_all(lost)
        if not alerts:
            return False
        brought = await self.bring(row, digest_of(alerts, self._site_url, self._site_name, self._rules.ttl_s, now))
        if brought.result == "later":
            return False
        result = "digested" if brought.result == "sent" else brought.result
        await self._recorder.put_all([Result(key, row["id"], result, "in a digest", brought.status) for key in visible])
        return brought.result == "sent"


def digest_of(alerts: Sequence[Mapping[str, Any]], site_url: str, site_name: str, ttl_s: int, now: datetime) -> Message:
    """What was kept for a reader, as one message."""
    titles = [str(each["title"]) for each in alerts[:DIGEST_TITLES]]
    more = len(alerts) - len(titles)
    title = f"{site_name}: {len(alerts)} {'update' if len(alerts) == 1 else 'updates'}"
    body = "\n".join(f"• {each}" for each in titles) + (f"\n… and {more} more" if more > 0 else "")
    payload = {
        "kind": "digest",
        "tag": "digest",
        "title": title,
        "body": body,
        "url": f"{site_url}/",
        "level": 3,
        "timestamp": int(now.timestamp() * 1000),
        "updates": [each["update_id"] for each in alerts],
    }
    return Message(orjson.dumps(payload), title, body, f"{site_url}/", "digest", ttl_s, "low")
