"""What an attempt to deliver comes to: for the delivery, and for its endpoint."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import structlog
from prometheus_client import Counter
from pydantic import JsonValue

from publish.push.delivery.outbound import Answer
from publish.push.delivery.queue import DueDelivery, Postponed, Skipped, Unbuildable, Unsent, queue_message
from shared.failures.backoff import jittered
from shared.http.client.retry_after import retry_after_s
from shared.postgres.pool import Connection, Pool

log = structlog.get_logger(__name__)

JITTER = 0.2
POSTPONED_S = 1.0
REMOVAL_S = 60.0
"""Between two attempts to deliver a removal, at most: whoever shows the text is to take it away soon after they can be reached."""
DISABLED = Counter("slugline_push_endpoints_disabled", "Endpoints that were disabled", ["reason"])


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When a channel's deliveries are tried again, and after how long a failing endpoint is disabled (None: never)."""

    schedule_s: Sequence[float]
    disable_after: timedelta | None
    removal_s: float = REMOVAL_S
    """The longest pause of a removal, and of what a removal waits for; it is tried for as long as the schedule lasts."""

    def gives_up(self, due: DueDelivery, now: datetime) -> bool:
        """Whether a delivery that failed once more is not tried again."""
        if due.is_removal and now - due.created_at <= timedelta(seconds=sum(self.schedule_s)):
            return False
        return due.attempts > len(self.schedule_s)

    def pause_s(self, due: DueDelivery) -> float:
        """Until its next attempt."""
        step = self.schedule_s[min(due.attempts, len(self.schedule_s)) - 1]
        return min(step, self.removal_s) if due.is_removal else step


@dataclass(frozen=True, slots=True)
class AttemptOutcome:
    """What follows from an attempt, for the delivery and for its endpoint."""

    state: Literal["waiting", "delivered", "failed", "skipped"]
    pause_s: float
    """Until the delivery's next attempt."""
    error: str
    endpoint: Literal["healthy", "failing", "gone", "hopeless", "unchanged"]
    endpoint_pause_s: float = 0.0
    hurried_s: float = REMOVAL_S
    """The longest pause where a removal waits: what the recipient asked for is kept."""


def evaluate(due: DueDelivery, answer: Answer, policy: RetryPolicy, now: datetime) -> AttemptOutcome:
    """What an answer means: accepted, gone, or to be tried again by the schedule or by `Retry-After`."""
    disable_after = policy.disable_after
    if answer.ok:
        return AttemptOutcome("delivered", 0.0, "", "healthy")
    error = answer.error or f"answered {answer.status}"
    if answer.status == 410 and disable_after is not None:
        return AttemptOutcome("failed", 0.0, error, "gone")
    if disable_after is not None and due.failing_since is not None and now - due.failing_since > disable_after:
        return AttemptOutcome("waiting", 0.0, error, "hopeless")
    # A refusal of this one message (400, 422) says nothing about the endpoint; silence, overload, an address that has moved
    # and its own errors do.
    fails = (
        answer.status is None
        or answer.status >= 500
        or 300 <= answer.status < 400
        or answer.status in (401, 403, 404, 408, 429)
    )
    asked_s = retry_after_s(answer.headers) or 0.0
    pause_s = max(jittered(policy.pause_s(due), JITTER), asked_s)
    endpoint_pause_s = 0.0
    if fails:
        step = policy.schedule_s[min(due.failures, len(policy.schedule_s) - 1)]
        endpoint_pause_s = max(jittered(step, JITTER), asked_s)
    health: Literal["failing", "unchanged"] = "failing" if fails else "unchanged"
    hurried_s = max(policy.removal_s, asked_s)
    if policy.gives_up(due, now):
        return AttemptOutcome("failed", 0.0, error, health, endpoint_pause_s, hurried_s)
    return AttemptOutcome("waiting", pause_s, error, health, endpoint_pause_s, hurried_s)


RECORD = """
UPDATE publish.deliveries d
SET state = t.state, leased_until = NULL, lost = false, tried_alone = 0, last_status = t.status, last_error = t.error,
    next_attempt_at = now() + make_interval(secs => CASE WHEN t.hurried THEN t.longest ELSE t.pause END),
    ended_at = CASE WHEN t.state = 'waiting' THEN NULL ELSE now() END,
    attempts = d.attempts - CASE WHEN t.unmade OR t.hurried THEN 1 ELSE 0 END,
    log = (d.log || t.entry)[greatest(cardinality(d.log) - 48, 1):]
FROM (
  SELECT u.*, u.state = 'waiting' AND u.pause > u.longest AND EXISTS (
    SELECT FROM publish.deliveries own JOIN publish.deliveries r
      ON r.endpoint_id = own.endpoint_id AND r.order_key = own.order_key AND r.id > own.id AND r.state = 'waiting'
    WHERE own.id = u.id AND r.type = 'update.kill') AS hurried
  FROM unnest($1::bigint[], $2::text[], $3::int[], $4::text[], $5::float8[], $6::jsonb[], $7::bool[], $8::float8[])
    AS u (id, state, status, error, pause, entry, unmade, longest)) t
WHERE d.id = t.id
"""
# A removal that waits behind others of its story has them tried as often as itself; these attempts do not count for them.

RECORD_ENDPOINTS = """
UPDATE publish.endpoints e
SET failures = CASE WHEN t.health = 'healthy' THEN 0 ELSE e.failures + 1 END,
    failing_since = CASE WHEN t.health = 'healthy' THEN NULL ELSE coalesce(e.failing_since, now()) END,
    retry_at = CASE WHEN t.health = 'healthy' THEN NULL ELSE now() + make_interval(secs => least(t.pause, CASE WHEN EXISTS (
        SELECT FROM publish.deliveries r WHERE r.endpoint_id = e.id AND r.state = 'waiting' AND r.type = 'update.kill'
      ) THEN t.longest END)) END
FROM unnest($1::text[], $2::text[], $3::float8[], $4::float8[]) AS t (id, health, pause, longest)
WHERE e.id = t.id AND (t.health = 'failing' OR e.failures > 0)
"""

Attempt = tuple[DueDelivery, Answer | Unsent]


class Attempts:
    """Evaluates attempts and writes down what they come to."""

    def __init__(self, pool: Pool, policies: Mapping[str, RetryPolicy]) -> None:
        self._pool = pool
        self._policies = policies

    def _outcome(self, due: DueDelivery, result: Answer | Unsent, now: datetime) -> AttemptOutcome:
        if isinstance(result, Unbuildable):
            return AttemptOutcome("failed", 0.0, result.reason, "unchanged")
        if isinstance(result, Skipped):
            return AttemptOutcome("skipped", 0.0, result.reason, "unchanged")
        if isinstance(result, Postponed):
            return AttemptOutcome("waiting", POSTPONED_S, result.reason, "unchanged")
        return evaluate(due, result, self._policies[due.kind], now)

    async def record(self, ended: Sequence[Attempt]) -> None:
        """Write down attempts that have ended."""
        now = datetime.now(UTC)
        outcomes = [self._outcome(due, result, now) for due, result in ended]
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(
                RECORD,
                [due.id for due, _ in ended],
                [outcome.state for outcome in outcomes],
                [result.status if isinstance(result, Answer) else None for _, result in ended],
                [outcome.error.replace("\x00", "") for outcome in outcomes],
                [outcome.pause_s for outcome in outcomes],
                [_entry(result, now) for _, result in ended],
                [isinstance(result, Postponed) for _, result in ended],
                [outcome.hurried_s for outcome in outcomes],
            )
            # One line for each endpoint, the last answer counts; in order of id, so that two processes never deadlock.
            health = {
                due.endpoint_id: outcome
                for (due, _), outcome in zip(ended, outcomes, strict=True)
                if outcome.endpoint in ("healthy", "failing")
            }
            if health:
                names = sorted(health)
                await connection.execute(
                    RECORD_ENDPOINTS, names, [health[name].endpoint for name in names],
                    [health[name].endpoint_pause_s for name in names], [health[name].hurried_s for name in names],
                )  # fmt: skip
            for (due, _), outcome in zip(ended, outcomes, strict=True):
                if outcome.endpoint in ("gone", "hopeless"):
                    await _disable(connection, due, outcome)


def _entry(result: Answer | Unsent, now: datetime) -> dict[str, JsonValue]:
    if not isinstance(result, Answer):
        return {"at": now.isoformat(), "error": result.reason}
    entry: dict[str, JsonValue] = {"at": now.isoformat(), "status": result.status, "duration_ms": result.duration_ms}
    if result.error:
        entry["error"] = result.error.replace("\x00", "")
    if result.body and not result.ok:
        entry["answer"] = result.body[:500].decode("utf-8", "replace").replace("\x00", "")
    return entry


async def _disable(connection: Connection, due: DueDelivery, outcome: AttemptOutcome) -> None:
    """Disable an endpoint and notify its owner: on the endpoint itself, in the log, and at the owner's other endpoints."""
    reason = "it answered 410 Gone" if outcome.endpoint == "gone" else f"nothing but failures for long: {outcome.error}"
    found = await connection.fetchval(
        "UPDATE publish.endpoints SET state = 'disabled', disabled_reason = $2, disabled_at = now() "
        "WHERE id = $1 AND state = 'active' RETURNING id",
        due.endpoint_id, reason,
    )  # fmt: skip
    if found is None:
        return
    if due.kind == "websub":
        await connection.execute("DELETE FROM publish.endpoints WHERE id = $1", due.endpoint_id)
    DISABLED.labels(outcome.endpoint).inc()
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
