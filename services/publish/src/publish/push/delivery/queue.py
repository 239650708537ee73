"""The queue of deliveries to other servers: durable, and in order for each story.

A delivery leaves when all earlier ones of its story to that endpoint have ended. An endpoint that fails is tried with
one delivery at a time.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NotRequired, TypedDict

from shared.postgres.lease_queue import LeaseQueue
from shared.postgres.pool import Queryable
from shared.postgres.rows import narrowed

REMOVAL = "update.kill"
"""The type of a message that takes an update out of sight, whatever the reason."""
WINDOW = 64
"""How many due deliveries of an endpoint a claim looks at before it goes through the stories."""


class Secret(TypedDict):
    """A secret of an endpoint; a webhook's has the moment until which it signs, or None."""

    secret: str
    until: NotRequired[str | None]


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A delivery that may leave now, and where it goes."""

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
    secrets: Sequence[Secret]
    failures: int
    failing_since: datetime | None
    owner: str | None
    lost: bool = False
    """The process that held it before died."""
    tried_alone: int = 0
    """How often a process died that built its request alone."""
    traceparent: str = ""
    """The trace context that its revision came with."""

    @property
    def is_removal(self) -> bool:
        """Whether it takes an update out of sight."""
        return self.type == REMOVAL


@dataclass(frozen=True, slots=True)
class DeliveryRequest:
    """What goes over the wire. `trusted`: to an address of the settings, which may be a private one."""

    headers: dict[str, str]
    body: bytes | None
    method: str = "POST"
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class Postponed:
    """The request cannot be built now, through no fault of the endpoint."""

    reason: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """The delivery must not leave any more."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unbuildable:
    """The request can never be built: this delivery fails, and it alone."""

    reason: str


Unsent = Postponed | Skipped | Unbuildable

BuildRequests = Callable[[Sequence[DueDelivery]], Awaitable[Mapping[int, DeliveryRequest | Unsent]]]
"""A channel's requests for deliveries, by the deliveries' ids."""


_SELECTION = f"""
WITH RECURSIVE queued AS (
  (SELECT endpoint_id FROM publish.deliveries WHERE state = 'waiting' ORDER BY endpoint_id LIMIT 1)
  UNION ALL
  SELECT (SELECT d.endpoint_id FROM publish.deliveries d
          WHERE d.state = 'waiting' AND d.endpoint_id > q.endpoint_id ORDER BY d.endpoint_id LIMIT 1)
  FROM queued q WHERE q.endpoint_id IS NOT NULL),
open AS MATERIALIZED (
  SELECT e.id, CASE WHEN e.failures > 0 THEN 1 ELSE $4 END AS most
  FROM queued q JOIN publish.endpoints e ON e.id = q.endpoint_id
  WHERE e.state = 'active' AND e.kind = ANY($6::text[]) AND (e.retry_at IS NULL OR e.retry_at <= now()) AND (e.failures = 0 OR $5)
    AND e.id <> ALL($3::text[])),
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
locked AS (
  SELECT d.id
  FROM (SELECT id, next_attempt_at FROM heads
        UNION ALL
        SELECT id, next_attempt_at FROM oldest WHERE endpoint_id NOT IN (SELECT id FROM short)) c
  JOIN publish.deliveries d ON d.id = c.id
  WHERE d.ended_at IS NULL AND (d.leased_until IS NULL OR d.leased_until < now())
  ORDER BY c.next_attempt_at, c.id LIMIT $1 FOR UPDATE OF d SKIP LOCKED),
due AS (
  SELECT l.id, e.kind, e.url, e.topic, e.secrets, e.failures, e.failing_since, e.owner
  FROM locked l JOIN publish.deliveries d ON d.id = l.id JOIN publish.endpoints e ON e.id = d.endpoint_id)
"""
"""What is due to endpoints of the kinds $6, at most $4 of each; none of the endpoints $3, and of those that failed last time
one each, if $5.

What it reads grows with what it takes, whatever waits and whatever Postgres believes of the table. Endpoints that have
deliveries waiting are found by steps along an index (`queued`). Of each, the deliveries that are due longest are looked at in
order (`oldest`), until enough of them are the first of their story. Where many wait behind others, the window holds too few of
these; then the first of each story are found by steps along the index of stories (`heads`). `locked` asks by id alone: with a
condition on `state`, Postgres would read all that waits, where it believes that hardly anything does.
"""
QUEUE = LeaseQueue(
    table="publish.deliveries",
    key={"id": "bigint"},
    due="next_attempt_at",
    lease="leased_until",
    attempts="attempts",
    on_claim="lost = q.leased_until IS NOT NULL",
    selection=_SELECTION,
    columns="q.id, q.endpoint_id, q.message_id, q.type, q.update_id, q.revision, q.body, q.attempts, q.created_at, "
    "due.kind, due.url, due.topic, due.secrets, due.failures, due.failing_since, due.owner, q.lost, q.tried_alone, q.traceparent",
    read=lambda row: DueDelivery(**row),
)
"""Claimed over a connection whose settings leave Postgres no other plan (`session.BY_INDEX`)."""


async def queue_message(connection: Queryable, endpoint_id: str, message_id: str, body: Mapping[str, object]) -> int:
    """Queue a message that is about no update."""
    return narrowed(
        int,
        await connection.fetchval(
            "INSERT INTO publish.deliveries (endpoint_id, message_id, type, order_key, body) "
            "VALUES ($1, $2, $3, $2, $4) RETURNING id",
            endpoint_id, message_id, body["type"], json.dumps(body),
        ),
    )  # fmt: skip
