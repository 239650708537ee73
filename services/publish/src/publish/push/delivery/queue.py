"""The queue of deliveries to webhooks and WebSub subscribers: durable, in order for each story, and no one waits for another.

A delivery leaves when all earlier ones of its story to that endpoint have ended. An endpoint that fails is tried with
one delivery at a time, by the schedule, in slots of its own, so that those who hang take nothing from those who answer.
"""

import asyncio
import random
from collections import Counter as Tally
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import structlog
from prometheus_client import Counter, Gauge, Histogram

from publish.push.delivery.endpoints import queue_message
from publish.push.delivery.outbound import Answer, Outbound
from shared.background import keep_running
from shared.failures.transient import is_transient
from shared.http.retry_after import retry_after_s
from shared.postgres.pool import Connection, Pool
from shared.postgres.session import BY_INDEX

log = structlog.get_logger(__name__)

IDLE_S = 0.5
LOG_LIFE = timedelta(days=60)
"""Twice as long as Kafka keeps updates.enriched."""
CLAIM_AT_ONCE = 1000
MOST_LOST = 10
"""Times that a delivery is taken beyond its schedule when processes end before it does, whatever they end of."""
WINDOW = 64
"""Of one endpoint's deliveries, how many that are due are looked at before the orders are gone through."""
LEASE_MARGIN_S = 15.0
"""How long a delivery stays with a process beyond the timeout of its request: after so long that of one that died is repeated."""
SLOW_SHARE = 0.25
"""Of the requests under way, at most so many go to endpoints that failed last time."""
JITTER = 0.2

SENT = Counter("slugline_push_deliveries", "Attempts to deliver to an endpoint", ["kind", "outcome"])
SECONDS = Histogram("slugline_push_delivery_seconds", "From the queue to an endpoint's answer", ["kind"])
IN_FLIGHT = Gauge("slugline_push_deliveries_in_flight", "Requests to endpoints under way")
DISABLED = Counter("slugline_push_endpoints_disabled", "Endpoints that were disabled", ["reason"])


@dataclass(frozen=True, slots=True)
class Due:
    """One delivery whose turn it is, and where it goes."""

    id: int
    endpoint_id: str
    message_id: str
    type: str
    update_id: str
    revision: int
    body: str | None
    attempts: int
    created_at: datetime
    kind: Literal["webhook", "websub", "purge"]
    url: str
    topic: str | None
    secrets: Sequence[dict[str, Any]]
    failures: int
    failing_since: datetime | None
    owner: str | None
    lost: bool = False
    """Its process ended while it had it."""
    tried_alone: int = 0
    """How often a process that made it alone ended meanwhile."""


@dataclass(frozen=True, slots=True)
class Request:
    """What goes over the wire. `ours`: to an address of the settings, which may be a private one."""

    headers: dict[str, str]
    body: bytes | None
    method: str = "POST"
    ours: bool = False


@dataclass(frozen=True, slots=True)
class NotYet:
    """The request cannot be made now, through no fault of the endpoint."""

    reason: str


@dataclass(frozen=True, slots=True)
class CannotBeMade:
    """The request can never be made: this delivery fails, and it alone."""

    reason: str


Composed = Request | NotYet | CannotBeMade | str

Compose = Callable[[Sequence[Due]], Awaitable[Mapping[int, Request | NotYet | str]]]
"""The request of each delivery by its id, or the reason why it must not leave any more."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from an answer, for the delivery and for its endpoint."""

    state: Literal["waiting", "delivered", "failed", "skipped"]
    pause_s: float
    """Until the delivery's next attempt."""
    error: str
    endpoint: Literal["well", "fails", "gone", "hopeless", "as it was"]
    endpoint_pause_s: float = 0.0


PURGE_SCHEDULE_S = (0.2, 0.5, 1.0, 2.0, *[5.0] * 100)
"""A cache that is not purged serves what is gone: it is tried again at once, and for minutes."""
NOT_YET_S = 1.0


def judge(due: Due, answer: Answer, schedule_s: Sequence[float], now: datetime, disable_after: timedelta) -> Verdict:
    """What an answer means: taken, gone for ever, or to be tried again by the schedule or by `Retry-After`."""
    if answer.ok:
        return Verdict("delivered", 0.0, "", "well")
    if due.kind == "purge":
        schedule_s = PURGE_SCHEDULE_S
    error = answer.error or f"answered {answer.status}"
    if answer.status == 410 and due.kind != "purge":
        return Verdict("failed", 0.0, error, "gone")
    if due.failing_since is not None and now - due.failing_since > disable_after and due.kind != "purge":
        return Verdict("waiting", 0.0, error, "hopeless")
    # A refusal of this one message (400, 422) says nothing of the endpoint; silence, overload and errors of its own do.
    fails = answer.status is None or answer.status >= 500 or answer.status in (401, 403, 404, 408, 429)
    asked_s = retry_after_s(answer.headers) or 0.0
    pause_s = max(schedule_s[min(due.attempts, len(schedule_s)) - 1] * random.uniform(1 - JITTER, 1 + JITTER), asked_s)
    endpoint_pause_s = 0.0
    if fails:
        step = schedule_s[min(due.failures, len(schedule_s) - 1)]
        endpoint_pause_s = max(step * random.uniform(1 - JITTER, 1 + JITTER), asked_s)
    if due.attempts > len(schedule_s):
        return Verdict("failed", 0.0, error, "fails" if fails else "as it was", endpoint_pause_s)
    return Verdict("waiting", pause_s, error, "fails" if fails else "as it was", endpoint_pause_s)


CLAIM = f"""
WITH RECURSIVE queued AS (
  (SELECT endpoint_id FROM publish.deliveries WHERE state = 'waiting' ORDER BY endpoint_id LIMIT 1)
  UNION ALL
  SELECT (SELECT d.endpoint_id FROM publish.deliveries d
          WHERE d.state = 'waiting' AND d.endpoint_id > q.endpoint_id ORDER BY d.endpoint_id LIMIT 1)
  FROM queued q WHERE q.endpoint_id IS NOT NULL),
open AS MATERIALIZED (
  SELECT e.id, CASE WHEN e.failures > 0 THEN 1 ELSE $3 END AS most
  FROM queued q JOIN publish.endpoints e ON e.id = q.endpoint_id
  WHERE e.state = 'active' AND (e.retry_at IS NULL OR e.retry_at <= now()) AND (e.failures = 0 OR $4)
    AND e.id <> ALL($2::text[])),
oldest AS MATERIALIZED (
  SELECT o.id AS endpoint_id, o.most, h.id, h.next_attempt_at
  FROM open o CROSS JOIN LATERAL (
    SELECT w.id, w.next_attempt_at
    FROM (SELECT d.id, d.order_key, d.next_attempt_at, d.leased_until FROM publish.deliveries d
          WHERE d.endpoint_id = o.id AND d.state = 'waiting' AND d.next_attempt_at <= now()
          ORDER BY d.next_attempt_at, d.id LIMIT {WINDOW}) w
    WHERE (w.leased_until IS NULL OR w.leased_until < now())
      AND w.id = (SELECT b.id FROM publish.deliveries b WHERE b.endpoint_id = o.id AND b.order_key = w.order_key
                  AND b.state = 'waiting' ORDER BY b.id LIMIT 1)
    LIMIT o.most) h),
short AS MATERIALIZED (
  SELECT o.id, o.most FROM open o
  WHERE o.most > (SELECT count(*) FROM oldest h WHERE h.endpoint_id = o.id)
    AND EXISTS (SELECT FROM publish.deliveries d WHERE d.endpoint_id = o.id AND d.state = 'waiting'
                AND d.next_attempt_at <= now() ORDER BY d.next_attempt_at, d.id OFFSET {WINDOW})),
heads AS MATERIALIZED (
  SELECT s.id AS endpoint_id, h.id, h.next_attempt_at
  FROM short s CROSS JOIN LATERAL (
    WITH RECURSIVE head AS (
      (SELECT d.id, d.order_key, d.next_attempt_at, d.leased_until FROM publish.deliveries d
       WHERE d.endpoint_id = s.id AND d.state = 'waiting' ORDER BY d.order_key, d.id LIMIT 1)
      UNION ALL
      SELECT n.* FROM head p CROSS JOIN LATERAL (
        SELECT d.id, d.order_key, d.next_attempt_at, d.leased_until FROM publish.deliveries d
        WHERE d.endpoint_id = s.id AND d.state = 'waiting' AND d.order_key > p.order_key
        ORDER BY d.order_key, d.id LIMIT 1) n)
    SELECT head.id, head.next_attempt_at FROM head
    WHERE head.next_attempt_at <= now() AND (head.leased_until IS NULL OR head.leased_until < now())
    LIMIT s.most) h),
due AS (
  SELECT d.id
  FROM (SELECT id, next_attempt_at FROM heads
        UNION ALL
        SELECT id, next_attempt_at FROM oldest WHERE endpoint_id NOT IN (SELECT id FROM short)) c
  JOIN publish.deliveries d ON d.id = c.id
  WHERE d.ended_at IS NULL AND (d.leased_until IS NULL OR d.leased_until < now())
  ORDER BY c.next_attempt_at, c.id LIMIT $1 FOR UPDATE OF d SKIP LOCKED)
UPDATE publish.deliveries d
SET leased_until = now() + make_interval(secs => $5), attempts = d.attempts + 1, lost = d.leased_until IS NOT NULL
FROM due JOIN publish.deliveries t ON t.id = due.id JOIN publish.endpoints e ON e.id = t.endpoint_id
WHERE d.id = due.id
RETURNING d.id, d.endpoint_id, d.message_id, d.type, d.update_id, d.revision, d.body, d.attempts, d.created_at,
          e.kind, e.url, e.topic, e.secrets, e.failures, e.failing_since, e.owner, d.lost, d.tried_alone
"""  # noqa: S608 -- the window is ours
"""What is due, at most $3 of each endpoint and $1 in all, leased for $5 seconds; none of the endpoints $2, and of those that
failed last time one each, if $4.

What it reads grows with what it takes, whatever waits and whatever Postgres believes of the table. Endpoints that have a
queue are found by steps along an index (`queued`). Of each, the deliveries that are due longest are looked at (`oldest`), in
order, until enough of them are the first of their order. Where the window holds too few of these, because many wait behind
others, the first of each order are found by steps along the index of orders (`heads`): one for each order that is put off
and has others behind it. `due` asks by id alone: a condition
on `state` would let Postgres read all that waits, where it believes that hardly anything does.
"""

RECORD = """
UPDATE publish.deliveries d
SET state = t.state, leased_until = NULL, lost = false, tried_alone = 0, last_status = t.status, last_error = t.error,
    next_attempt_at = now() + make_interval(secs => t.pause),
    ended_at = CASE WHEN t.state = 'waiting' THEN NULL ELSE now() END,
    attempts = d.attempts - CASE WHEN t.unmade THEN 1 ELSE 0 END,
    log = (d.log || t.entry)[greatest(cardinality(d.log) - 48, 1):]
FROM unnest($1::bigint[], $2::text[], $3::int[], $4::text[], $5::float8[], $6::jsonb[], $7::bool[])
  AS t (id, state, status, error, pause, entry, unmade)
WHERE d.id = t.id
"""

RECORD_ENDPOINTS = """
UPDATE publish.endpoints e
SET failures = CASE WHEN t.health = 'well' THEN 0 ELSE e.failures + 1 END,
    failing_since = CASE WHEN t.health = 'well' THEN NULL ELSE coalesce(e.failing_since, now()) END,
    retry_at = CASE WHEN t.health = 'well' THEN NULL ELSE now() + make_interval(secs => t.pause) END
FROM unnest($1::text[], $2::text[], $3::float8[]) AS t (id, health, pause)
WHERE e.id = t.id AND (t.health = 'fails' OR e.failures > 0)
"""

Ended = tuple[Due, Answer | NotYet | CannotBeMade | str]

MOST_TRIED_ALONE = 2
TRY_ALONE = "UPDATE publish.deliveries SET tried_alone = tried_alone + $2 WHERE id = $1"
TOOK_DOWN = "the process that made it ended each time, {} times"
LOST_TOO_OFTEN = "taken {} times, and the process ended before it did"


class Deliveries:
    """Takes what is due, sends it, and writes down what came of it."""

    def __init__(
        self,
        pool: Pool,
        outbound: Outbound,
        ours: Outbound,
        compose: Mapping[str, Compose],
        *,
        in_flight: int,
        per_endpoint: int,
        schedule_s: Sequence[float],
        disable_after: timedelta,
        timeout_s: float,
    ) -> None:
        self._pool = pool
        self._claims = pool.dedicated(BY_INDEX)
        self._outbound = outbound
        self._ours = ours
        self._composers = compose
        self._most = in_flight
        self._per_endpoint = per_endpoint
        self._schedule_s = schedule_s
        self._disable_after = disable_after
        self._lease_s = timeout_s + LEASE_MARGIN_S
        self._wake = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
        self._of_endpoint: Tally[str] = Tally()
        self._slow = 0
        self._ended: asyncio.Queue[Ended] = asyncio.Queue()
        self._unwritten: list[Ended] = []

    def wake(self) -> None:
        """Something was queued."""
        self._wake.set()

    async def keep_delivering(self) -> None:
        """Deliver until cancelled; what was under way is repeated after its lease."""

        async def take_all() -> None:
            while await self._take():
                self._wake.clear()

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(keep_running("deliveries", take_all, every_s=IDLE_S, wake=self._wake))
                group.create_task(keep_running("results of deliveries", self._record_ended, every_s=0.0))
        finally:
            for task in self._under_way:
                task.cancel()

    async def _take(self) -> int:
        """Begin what is due and fits; how many."""
        room = min(self._most - len(self._under_way), CLAIM_AT_ONCE)
        if room <= 0:
            return 0
        busy = [key for key, count in self._of_endpoint.items() if count >= self._per_endpoint]
        rows = await self._claims.fetch(
            CLAIM, room, busy, self._per_endpoint, self._slow < self._most * SLOW_SHARE, self._lease_s
        )
        due = [Due(**dict(row)) for row in rows]
        requests = await self._compose([each for each in due if not each.lost])
        for each in due:
            if each.lost:
                requests[each.id] = await self._compose_alone(each)
        for each in due:
            self._begin(each, requests[each.id])
        return len(due)

    async def _compose(self, due: Sequence[Due]) -> dict[int, Composed]:
        requests: dict[int, Composed] = {}
        for kind, compose in self._composers.items():
            if of_kind := [each for each in due if each.kind == kind]:
                requests.update(await self._compose_isolating(compose, of_kind))
        return requests

    async def _compose_isolating(self, compose: Compose, due: Sequence[Due]) -> Mapping[int, Composed]:
        """The requests; where one cannot be made, which one."""
        try:
            return await compose(due)
        except Exception as error:
            if is_transient(error):
                raise
            failure = error
        if len(due) > 1:
            found: dict[int, Composed] = {}
            for each in due:
                found.update(await self._compose_isolating(compose, [each]))
            return found
        log.error("a delivery cannot be made", delivery=due[0].id, update_id=due[0].update_id, exc_info=failure)
        return {due[0].id: CannotBeMade(f"it cannot be made: {type(failure).__name__}: {failure}"[:500])}

    async def _compose_alone(self, due: Due) -> Composed:
        """The request of a delivery that was in hand when its process ended: it is noted before it is begun, by itself."""
        if due.tried_alone >= MOST_TRIED_ALONE:
            log.error("a delivery takes its process down; it is set aside", delivery=due.id, update_id=due.update_id)
            return CannotBeMade(TOOK_DOWN.format(due.tried_alone))
        if due.attempts > MOST_LOST + len(self._schedule_s):
            log.error("a delivery never ends; it is set aside", delivery=due.id, update_id=due.update_id)
            return CannotBeMade(LOST_TOO_OFTEN.format(due.attempts))
        await self._pool.execute(TRY_ALONE, due.id, 1)
        request = (await self._compose([due]))[due.id]
        await self._pool.execute(TRY_ALONE, due.id, -1)
        return request

    def _begin(self, due: Due, request: Composed) -> None:
        self._of_endpoint[due.endpoint_id] += 1
        self._slow += due.failures > 0
        if not isinstance(request, Request):
            self._ended.put_nowait((due, request))
            return
        task = asyncio.create_task(self._send(due, request))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        IN_FLIGHT.set(len(self._under_way))

    async def _send(self, due: Due, request: Request) -> None:
        outbound = self._ours if request.ours else self._outbound
        answer = await outbound.send(request.method, due.url, headers=request.headers, body=request.body)
        SENT.labels(due.kind, "taken" if answer.ok else "refused").inc()
        SECONDS.labels(due.kind).observe((datetime.now(UTC) - due.created_at).total_seconds())
        self._ended.put_nowait((due, answer))

    async def _record_ended(self) -> None:
        """Write down what has ended; what cannot be written now stays for the next time."""
        ended = self._unwritten
        if not ended:
            ended.append(await self._ended.get())
        while not self._ended.empty() and len(ended) < CLAIM_AT_ONCE:
            ended.append(self._ended.get_nowait())
        try:
            await self._record(ended)
        except Exception as error:
            if is_transient(error):
                raise
            await self._record_one_by_one(ended)
        self._unwritten = []
        for due, _ in ended:
            self._of_endpoint[due.endpoint_id] -= 1
            if not self._of_endpoint[due.endpoint_id]:
                del self._of_endpoint[due.endpoint_id]
            self._slow -= due.failures > 0
        self._wake.set()

    async def _record_one_by_one(self, ended: Sequence[Ended]) -> None:
        """One result that cannot be written holds up no other: its delivery is repeated after its lease."""
        for each in ended:
            try:
                await self._record([each])
            except Exception as error:
                if is_transient(error):
                    raise
                log.exception("a result cannot be written", delivery=each[0].id, endpoint=each[0].endpoint_id)

    def _verdict(self, due: Due, result: Answer | NotYet | CannotBeMade | str, now: datetime) -> Verdict:
        if isinstance(result, CannotBeMade):
            return Verdict("failed", 0.0, result.reason, "as it was")
        if isinstance(result, str):
            return Verdict("skipped", 0.0, result, "as it was")
        if isinstance(result, NotYet):
            return Verdict("waiting", NOT_YET_S, result.reason, "as it was")
        return judge(due, result, self._schedule_s, now, self._disable_after)

    async def _record(self, ended: Sequence[Ended]) -> None:
        now = datetime.now(UTC)
        verdicts = [self._verdict(due, result, now) for due, result in ended]
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(
                RECORD,
                [due.id for due, _ in ended],
                [verdict.state for verdict in verdicts],
                [result.status if isinstance(result, Answer) else None for _, result in ended],
                [verdict.error for verdict in verdicts],
                [verdict.pause_s for verdict in verdicts],
                [_entry(result, now) for _, result in ended],
                [isinstance(result, NotYet) for _, result in ended],
            )
            # One line for each endpoint, the last answer counts; in order of id, so that two processes never deadlock.
            health = {
                due.endpoint_id: verdict
                for (due, _), verdict in zip(ended, verdicts, strict=True)
                if verdict.endpoint in ("well", "fails")
            }
            if health:
                names = sorted(health)
                await connection.execute(
                    RECORD_ENDPOINTS, names, [health[name].endpoint for name in names],
                    [health[name].endpoint_pause_s for name in names],
                )  # fmt: skip
            for (due, _), verdict in zip(ended, verdicts, strict=True):
                if verdict.endpoint in ("gone", "hopeless"):
                    await _disable(connection, due, verdict)


def _entry(result: Answer | NotYet | CannotBeMade | str, now: datetime) -> dict[str, Any]:
    if not isinstance(result, Answer):
        return {"at": now.isoformat(), "error": result if isinstance(result, str) else result.reason}
    entry: dict[str, Any] = {"at": now.isoformat(), "status": result.status, "duration_ms": result.duration_ms}
    if result.error:
        entry["error"] = result.error.replace("\x00", "")
    if result.body and not result.ok:
        entry["answer"] = result.body[:500].decode("utf-8", "replace").replace("\x00", "")
    return entry


async def _disable(connection: Connection, due: Due, verdict: Verdict) -> None:
    """Disable an endpoint and give its owner notice: on the endpoint itself, in the log, and at the owner's other endpoints."""
    reason = "it answered 410 Gone" if verdict.endpoint == "gone" else f"nothing but failures for long: {verdict.error}"
    found = await connection.fetchval(
        "UPDATE publish.endpoints SET state = 'disabled', disabled_reason = $2, disabled_at = now() "
        "WHERE id = $1 AND state = 'active' RETURNING id",
        due.endpoint_id, reason,
    )  # fmt: skip
    if found is None:
        return
    if due.kind == "websub":
        await connection.execute("DELETE FROM publish.endpoints WHERE id = $1", due.endpoint_id)
    DISABLED.labels(verdict.endpoint).inc()
    log.error("endpoint disabled", endpoint=due.endpoint_id, owner=due.owner, url=due.url, reason=reason)
    if due.owner is None:
        return
    body = {
        "type": "endpoint.disabled",
        "timestamp": datetime.now(UTC).isoformat(),
        "data": {"endpoint_id": due.endpoint_id, "url": due.url, "reason": reason},
    }
    others = await connection.fetch(
        "SELECT id FROM publish.endpoints WHERE owner = $1 AND state = 'active' AND kind = 'webhook' AND failures = 0",
        due.owner,
    )
    for other in others:
        await queue_message(connection, other["id"], f"msg_disabled_{due.endpoint_id}_{due.id}", body)


async def forget_old(pool: Pool, keep: timedelta) -> None:
    """Delete what ended longer ago: deliveries, alerts with their results; and of what was pushed, what no log repeats."""
    await pool.execute(
        "DELETE FROM publish.deliveries WHERE state <> 'waiting' AND ended_at < now() - $1::interval", keep
    )
    await pool.execute("DELETE FROM publish.alerts WHERE ended_at < now() - $1::interval", keep)
    await pool.execute("DELETE FROM publish.pushed WHERE pushed_at < now() - $1::interval", max(keep, LOG_LIFE))
