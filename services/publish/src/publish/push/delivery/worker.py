"""Takes deliveries that are due, builds their requests, sends them, and has the results written.

Endpoints that failed last time have their own share of the slots, so that those that hang do not delay the others. Each kind of
endpoint has a worker of its own: what a purge of a kill waits for is neither a feed that cannot be read nor anybody's webhook.
"""

import asyncio
from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from opentelemetry.trace import SpanKind
from prometheus_client import Counter, Gauge, Histogram

from publish.push.delivery.attempts import Attempt, Attempts, RetryPolicy
from publish.push.delivery.outbound import Answer, Outbound
from publish.push.delivery.queue import (
    QUEUE,
    BuildRequests,
    DeliveryRequest,
    DueDelivery,
    Postponed,
    Unbuildable,
    Unsent,
)
from shared.background import keep_running
from shared.crash_points import reached
from shared.failures.transient import is_transient, reason_of
from shared.observability.traces import passage, record, trace_id_of
from shared.postgres.pool import Pool
from shared.postgres.session import BY_INDEX

log = structlog.get_logger(__name__)

IDLE_S = 0.5
CLAIM_AT_ONCE = 1000
MOST_LOST = 10
"""How many attempts beyond its schedule a delivery has when processes end during its attempts."""
LEASE_MARGIN_S = 15.0
"""How long a lease lasts beyond the timeout of a request; a delivery whose process died is repeated after it."""
MOST_BYTES = 32 * 1024 * 1024
"""Of bodies under way; what comes on top, but for removals, waits for a moment."""
SLOW_SHARE = 0.25
"""Of the requests under way, at most so many go to endpoints that failed last time."""
MOST_TRIED_ALONE = 3
TRY_ALONE = "UPDATE publish.deliveries SET tried_alone = $2 WHERE id = $1"
GIVE_BACK = """
UPDATE publish.deliveries d SET leased_until = CASE WHEN t.lost THEN now() END, tried_alone = t.tried_alone, attempts = d.attempts - 1
FROM unnest($1::bigint[], $2::int[], $3::bool[], $4::int[]) AS t (id, attempts, lost, tried_alone)
WHERE d.id = t.id AND d.attempts = t.attempts AND d.state = 'waiting'
"""
"""What was claimed and never begun, since a server was away, is due as before: it waits for no lease, and nothing counts against it."""
TOOK_DOWN = "the process that made it ended each time, {} times"
LOST_TOO_OFTEN = "taken {} times, and the process ended before it did"
NOT_MADE = "nothing was made of it"

Built = DeliveryRequest | Unsent

SENT = Counter("slugline_push_deliveries", "Attempts to deliver to an endpoint", ["kind", "outcome"])
SECONDS = Histogram("slugline_push_delivery_seconds", "From the queue to an endpoint's answer", ["kind"])
IN_FLIGHT = Gauge("slugline_push_deliveries_in_flight", "Requests to endpoints under way")


@dataclass(frozen=True, slots=True)
class DeliveryChannel:
    """How deliveries of one kind are built and tried again."""

    build: BuildRequests
    policy: RetryPolicy


class DeliveryWorker:
    """Claims due deliveries, sends them, and has the results recorded."""

    def __init__(
        self,
        pool: Pool,
        outbound: Outbound,
        trusted: Outbound,
        channels: Mapping[str, DeliveryChannel],
        *,
        in_flight: int,
        per_endpoint: int,
        timeout_s: float,
    ) -> None:
        self._pool = pool
        self._claims = pool.dedicated(BY_INDEX)
        self._outbound = outbound
        self._trusted = trusted
        self._channels = channels
        self._attempts = Attempts(pool, {kind: channel.policy for kind, channel in channels.items()})
        self._most = in_flight
        self._per_endpoint = per_endpoint
        self._lease_s = timeout_s + LEASE_MARGIN_S
        self._wake = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
        self._bytes = 0
        self._bodies: Tally[int] = Tally()
        """How often each body is under way, which all endpoints of a revision share, by its identity; and the bytes of them all."""
        self._of_endpoint: Tally[str] = Tally()
        self._slow = 0
        self._ended: asyncio.Queue[Attempt] = asyncio.Queue()
        self._unwritten: list[Attempt] = []
        self._unbegun: dict[int, DueDelivery] = {}
        """What was claimed, by id, until it is begun."""

    def wake(self) -> None:
        """Something was queued."""
        self._wake.set()

    async def keep_delivering(self) -> None:
        """Deliver until cancelled; what is under way then is repeated after its lease."""

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
        """Claim and begin as many deliveries as there are free slots; how many."""
        await self._give_back()
        room = min(self._most - len(self._under_way), CLAIM_AT_ONCE)
        if room <= 0:
            return 0
        busy = [key for key, count in self._of_endpoint.items() if count >= self._per_endpoint]
        due = await QUEUE.claim(
            self._claims,
            room,
            self._lease_s,
            busy,
            self._per_endpoint,
            self._slow < self._most * SLOW_SHARE,
            [*self._channels],
        )
        self._unbegun = {each.id: each for each in due}
        if due:
            reached("push.claimed")
        requests = await self._build([each for each in due if not each.lost])
        for each in due:
            if each.lost:
                requests[each.id] = await self._build_alone(each)
        for each in due:
            self._begin(each, requests.get(each.id) or Unbuildable(NOT_MADE))
        self._unbegun = {}
        return len(due)

    async def _give_back(self) -> None:
        """Give back what the last turn claimed and could not begin."""
        if unbegun := list(self._unbegun.values()):
            await self._pool.execute(
                GIVE_BACK, [each.id for each in unbegun], [each.attempts for each in unbegun],
                [each.lost for each in unbegun], [each.tried_alone for each in unbegun],
            )  # fmt: skip
        self._unbegun = {}

    async def _build(self, due: Sequence[DueDelivery]) -> dict[int, Built]:
        requests: dict[int, Built] = {}
        for kind, channel in self._channels.items():
            if of_kind := [each for each in due if each.kind == kind]:
                requests.update(await self._build_isolating(channel.build, of_kind))
        return requests

    async def _build_isolating(self, build: BuildRequests, due: Sequence[DueDelivery]) -> Mapping[int, Built]:
        """The requests; where one cannot be built, the others all the same. An outage costs nobody an attempt."""
        try:
            return await build(due)
        except Exception as error:  # noqa: BLE001 -- one that cannot be built fails alone
            if is_transient(error):
                log.warning("deliveries wait to be made", error=reason_of(error), count=len(due), fold="deliveries")
                return {each.id: Postponed(f"it cannot be made for now: {reason_of(error)}"[:500]) for each in due}
            failure = error
        if len(due) > 1:
            found: dict[int, Built] = {}
            for each in due:
                found.update(await self._build_isolating(build, [each]))
            return found
        log.error(
            "a delivery cannot be made",
            delivery=due[0].id,
            update_id=due[0].update_id,
            trace_id=trace_id_of(due[0].traceparent),
            exc_info=failure,
        )
        return {due[0].id: Unbuildable(f"it cannot be made: {type(failure).__name__}: {failure}"[:500])}

    async def _build_alone(self, due: DueDelivery) -> Built:
        """The request of a delivery that was leased when its process ended: built by itself, and counted before."""
        if due.tried_alone >= MOST_TRIED_ALONE:
            log.error(
                "a delivery takes its process down; it is set aside",
                delivery=due.id,
                update_id=due.update_id,
                trace_id=trace_id_of(due.traceparent),
            )
            return Unbuildable(TOOK_DOWN.format(due.tried_alone))
        if not due.is_removal and due.attempts > MOST_LOST + len(self._channels[due.kind].policy.schedule_s):
            log.error(
                "a delivery never ends; it is set aside",
                delivery=due.id,
                update_id=due.update_id,
                trace_id=trace_id_of(due.traceparent),
            )
            return Unbuildable(LOST_TOO_OFTEN.format(due.attempts))
        await self._pool.execute(TRY_ALONE, due.id, due.tried_alone + 1)
        request = (await self._build([due])).get(due.id) or Unbuildable(NOT_MADE)
        await self._pool.execute(TRY_ALONE, due.id, due.tried_alone)
        return request

    def _begin(self, due: DueDelivery, request: Built) -> None:
        self._of_endpoint[due.endpoint_id] += 1
        self._slow += due.failures > 0
        if isinstance(request, DeliveryRequest) and self._bytes > MOST_BYTES and not due.is_removal:
            request = Postponed("too many bytes are under way to endpoints")
        if not isinstance(request, DeliveryRequest):
            self._ended.put_nowait((due, request))
            return
        self._hold(request.body, 1)
        task = asyncio.create_task(self._send(due, request))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        IN_FLIGHT.set(len(self._under_way))

    def _hold(self, body: bytes | None, more: int) -> None:
        before = self._bodies[id(body)]
        self._bodies[id(body)] += more
        if not before or not self._bodies[id(body)]:
            self._bytes += more * len(body or b"")
        if not self._bodies[id(body)]:
            del self._bodies[id(body)]

    async def _send(self, due: DueDelivery, request: DeliveryRequest) -> None:
        client = self._trusted if request.trusted else self._outbound
        passed = passage(due.traceparent)
        try:
            answer = await client.send(request.method, due.url, headers=request.headers, body=request.body)
            reached("push.sent")
        except Exception as error:
            # Its slot is given back whatever it failed of, and it is tried again by its schedule.
            log.exception("a delivery cannot be sent", delivery=due.id, endpoint=due.endpoint_id)
            answer = Answer(None, f"it cannot be sent: {reason_of(error)}"[:500])
        finally:
            self._hold(request.body, -1)
        SENT.labels(due.kind, "taken" if answer.ok else "refused").inc()
        SECONDS.labels(due.kind).observe((datetime.now(UTC) - due.created_at).total_seconds())
        if passed is not None:
            attributes: dict[str, str | int] = {
                "slugline.update_id": due.update_id,
                "slugline.endpoint": due.endpoint_id,
                "http.response.status_code": answer.status or 0,
            }
            record(passed, f"publish.push.{due.kind}", attributes, kind=SpanKind.CLIENT)
        self._ended.put_nowait((due, answer))

    async def _record_ended(self) -> None:
        """Record what has ended; what cannot be recorded now is kept for the next time."""
        ended = self._unwritten
        if not ended:
            ended.append(await self._ended.get())
        while not self._ended.empty() and len(ended) < CLAIM_AT_ONCE:
            ended.append(self._ended.get_nowait())
        try:
            await self._attempts.record(ended)
        except Exception as error:
            if is_transient(error):
                raise
            await self._record_one_by_one(ended)
        reached("push.recorded")
        self._unwritten = []
        for due, _ in ended:
            self._of_endpoint[due.endpoint_id] -= 1
            if not self._of_endpoint[due.endpoint_id]:
                del self._of_endpoint[due.endpoint_id]
            self._slow -= due.failures > 0
        self._wake.set()

    async def _record_one_by_one(self, ended: Sequence[Attempt]) -> None:
        """A result that cannot be recorded does not block the others: its delivery is repeated after its lease."""
        for each in ended:
            try:
                await self._attempts.record([each])
            except Exception as error:
                if is_transient(error):
                    raise
                log.exception("a result cannot be written", delivery=each[0].id, endpoint=each[0].endpoint_id)
