"""A lane: one stage's way through one topic. Batches in, effects done, dead letters written, then positions committed.

What must not break:
- a position is committed only when every effect of the messages before it is done and acknowledged;
- within a partition, messages are handled in order, and again in order after a failure;
- a message that can never be handled goes to the dead letters and lets the next one pass, unless too many do: then the
  lane halts, since a bad deploy must build lag and not empty the topic;
- nor does a message that takes the process down hold up those behind it: see `shared.poison.notes`;
- positions go to Kafka on a clock (and on revocation and at the end), never after every batch: a commit is a round
  trip, and since effects are idempotent a crash only repeats up to a second of work.
"""

import asyncio
import base64
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from prometheus_client import Counter, Gauge, Histogram

from shared.consumer.decode import Incoming, Rejection, dead_outcome, decode, header_of
from shared.failures import Invalid, Permanent, Transient
from shared.failures.backoff import Backoff
from shared.failures.transient import TRANSIENT, is_transient
from shared.kafka.producer import Producer, acknowledged
from shared.messages import DeadLetter, Message, Outcomes
from shared.observability.health import Health
from shared.poison.partitions import PartitionNotes
from shared.settings import Connections
from shared.streams import MAX_MESSAGE_BYTES, OUTCOMES, RAW, Stream

log = structlog.get_logger(__name__)

BACKOFF = Backoff(first_s=0.2, longest_s=5.0)

COMMIT_INTERVAL_S = 1.0
CEILING_IN_A_ROW = 200
CEILING_WINDOW = 1000
CEILING_SHARE = 0.2
BUG_ATTEMPTS = 3
BUG_PAUSE_S = 0.1
EMPTY_POLL_MS = 500
REVOCATION_PATIENCE_S = 15.0
MOST_UNDER_WAY = 500
"""Batches that were begun and have not settled: more than come, one update each, between two settlements."""
STALE_POLL_S = 30.0
"""An idle lane polls twice a second; one that has not polled for so long, and handles nothing, never will again."""
STUCK_S = 240.0
"""A batch that runs for so long awaits what never comes: no call that a handler makes may take so long."""
GIVE_BACK_S = 3.0
LETTER_BYTES = MAX_MESSAGE_BYTES // 2
"""Of a payload in a letter: base64 makes it a third longer, and a letter that Kafka refuses would block the lane for ever."""

HANDLED = Counter("slugline_consumer_messages", "Messages whose effects are done", ["stage"])
DEAD = Counter("slugline_consumer_dead_letters", "Messages set aside", ["stage", "failure"])
PAUSES = Counter("slugline_consumer_pauses", "Times a transient failure paused the lane", ["stage", "error"])
BATCH_SECONDS = Histogram("slugline_consumer_batch_seconds", "Time to handle one batch", ["stage"])
LAG = Gauge("slugline_consumer_lag_messages", "Messages that wait in the lane's topic", ["stage", "partition"])
HALTED = Gauge("slugline_consumer_halted", "1 while the dead-letter ceiling holds the lane", ["stage"])

Handle = Callable[[Sequence[Incoming[Any]]], Awaitable[Sequence[Rejection]]]
"""Does all effects of the deliveries, in their order, awaits every acknowledgement, and returns what can never be done."""


@dataclass(frozen=True, slots=True)
class StartedBatch:
    """A batch whose effects are under way."""

    rejections: Sequence[Rejection]
    completed: "asyncio.Future[None]"
    """Ends once every effect is done. Batches settle in the order in which they were begun, and once one has failed so
    do all that were begun after it."""


StartBatch = Callable[[Sequence[Incoming[Any]]], Awaitable[StartedBatch]]
"""Starts all effects of the deliveries, in their order; the next batch may begin while they settle."""

PositionCheck = Callable[[Sequence["ConsumerRecord[bytes, bytes]"]], Awaitable[Mapping[TopicPartition, int] | None]]
"""Looks at the records of a batch before anything is done: None to go on, or where to read instead; the batch is then dropped."""

Records = Sequence["ConsumerRecord[bytes, bytes]"]

Effects = tuple[list[Rejection], "asyncio.Future[None]"]
"""What was rejected of some records, and what ends once the rest is done."""


class Stuck(RuntimeError):
    """A batch that does not end: only a new process helps, which finds the message at fault."""


@dataclass(frozen=True, slots=True)
class _Flight:
    """Records whose effects are under way, or done and waiting for those before them."""

    records: Sequence["ConsumerRecord[bytes, bytes]"]
    since: float
    settled: "asyncio.Future[None]"


class Consumer(ConsumerRebalanceListener):  # type: ignore[misc]
    """Consumes `topic` as a member of `group` and gives batches to `handle`; see the module.

    With `begin` a batch need not wait until the one before has settled; a position is still committed only when all
    before it has. What fails to settle is read again and given to `handle`, which finds the message that does it.
    `pace_s` is the least time from one batch to the next, unless the batch is full: fewer, larger batches, for a stage that
    no reader waits for. What comes after a pause is taken at once.
    """

    def __init__(
        self,
        *,
        stage: str,
        stream: Stream,
        handle: Handle,
        producer: Producer,
        settings: Connections,
        start_batch: StartBatch | None = None,
        group: str | None = None,
        max_records: int = 500,
        types: Mapping[str, type[Message]] | None = None,
        check_position: PositionCheck | None = None,
        pace_s: float = 0.0,
        crash_notes: PartitionNotes | None = None,
    ) -> None:
        self.stage = stage
        self.topic = settings.topic_prefix + stream.name
        self.group = settings.topic_prefix + (group or stage)
        self._stream = stream
        self._types = types or stream.types
        self._handle = handle
        self._start_batch = start_batch
        self._producer = producer
        self._max_records = max_records
        self._check_position = check_position
        self._pace_s = pace_s
        self._notes = crash_notes
        self._fetch_wait_ms = settings.kafka_fetch_wait_ms
        self._done: dict[TopicPartition, int] = {}
        self._under_way: deque[_Flight] = deque()
        self._careful: dict[TopicPartition, int] = {}
        """Up to which offset batches are not begun but handled, since one of them has failed to settle."""
        self._idle = asyncio.Event()
        self._idle.set()
        self._busy_since: float | None = None
        self._polled_at: float | None = None
        self._failures_in_a_row = 0
        self._recent: deque[bool] = deque(maxlen=CEILING_WINDOW)
        self._dead_in_a_row = 0
        self._paused_by: str | None = None
        self._halted = False
        self._assigned = False
        self._subscriber: Any = None
        self._stopping = asyncio.Event()

    def subscribe(self, broker: KafkaBroker) -> None:
        """Subscribe on a broker that has not started."""
        self._subscriber = broker.subscriber(
            self.topic,
            group_id=self.group,
            batch=True,
            max_records=self._max_records,
            # See `wait_for_records`.
            batch_timeout_ms=3,
            fetch_max_wait_ms=self._fetch_wait_ms,
            max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            listener=self,
        )
        self._subscriber(self._consume)
        # FastStream's way from a batch to its handler (context, middlewares, parsers, filters) is for what a lane does
        # itself; it takes a fifth of a millisecond that readers wait for, and it would pass over a batch that raises.
        self._subscriber.consume_one = self._consume

    async def run(self) -> None:
        """Commit what is done, once a second, until cancelled; run it beside the broker. `Stuck` where a batch does not end."""
        while True:
            await asyncio.sleep(COMMIT_INTERVAL_S)
            await self._commit()
            self._measure_lag()
            if self._is_stuck():
                raise Stuck(f"{self.stage}: one batch has been running for {STUCK_S:g} s")

    async def drain(self) -> None:
        """Let the running batch end and commit; call it before the broker stops."""
        self._stopping.set()
        try:
            await asyncio.wait_for(self._at_rest(), REVOCATION_PATIENCE_S)
        except TimeoutError:
            log.warning("batch outlasts the drain; it will be repeated", stage=self.stage)
        await self._commit()
        # What runs on while the process is told to end has not taken it down, unless it is for this that it must end.
        if not self._is_stuck():
            await self._give_back()
        if self._notes is not None:
            self._notes.close()

    async def _give_back(self, partitions: Collection[TopicPartition] | None = None) -> None:
        if self._notes is None:
            return
        try:
            async with asyncio.timeout(GIVE_BACK_S):
                await self._notes.give_back(partitions)
        except TRANSIENT as error:
            log.warning("not given back; the next process is careful", stage=self.stage, error=str(error))

    def report_to(self, health: Health) -> None:
        """Add this consumer's checks, under the name of its stream."""
        name = self._stream.name
        health.ready[name], health.live[name], health.roles[name] = self.why_not_ready, self.why_not_live, self.role

    def why_not_ready(self) -> str | None:
        """For `Health.ready`."""
        if self._halted:
            return "the dead-letter ceiling was reached; see the dead letters, then restart"
        if self._paused_by:
            return f"paused by {self._paused_by}"
        consumer = self._consumer
        if consumer is None or not self._assigned:
            return "no partitions assigned yet"
        return self._why_not_polling()

    def role(self) -> str:
        """For `Health.roles`: what this replica has of the topic."""
        if self._consumer is None or not self._assigned:
            return "joining"
        partitions = self._consumer.assignment()
        return f"active, {len(partitions)} partitions" if partitions else "standing by: others have every partition"

    def _why_not_polling(self) -> str | None:
        if self._polled_at is None or self._busy_since is not None:
            return None
        if time.monotonic() - self._polled_at > STALE_POLL_S:
            return f"nothing was polled for {STALE_POLL_S:g} s"
        return None

    def why_not_live(self) -> str | None:
        """For `Health.live`: a loop that stopped turning, or a sender that died, is mended only by a restart."""
        if self._producer.failed:
            return "the Kafka sender has died"
        if self._is_stuck():
            return f"one batch has been running for {STUCK_S:g} s"
        return self._why_not_polling()

    def _is_stuck(self) -> bool:
        oldest = min([each.since for each in self._under_way], default=self._busy_since)
        return oldest is not None and not self._paused_by and time.monotonic() - oldest > STUCK_S

    @property
    def _consumer(self) -> Any:
        return self._subscriber.consumer if self._subscriber is not None else None

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Wait, bounded, for the running batch, and commit, so that the next owner repeats little."""
        self._assigned = False
        # What failed is the next owner's now; a replica that stands by is not paused.
        self._paused_by = None
        if not revoked:
            return
        try:
            await asyncio.wait_for(self._at_rest(), REVOCATION_PATIENCE_S)
        except TimeoutError:
            log.warning("batch outlasts the revocation; the next owner repeats it", stage=self.stage)
        await self._commit()
        await self._give_back(revoked)
        self._done.clear()
        self._under_way.clear()
        self._careful.clear()

    async def _at_rest(self) -> None:
        """Return once no batch is being handled and none is under way."""
        await self._idle.wait()
        await self._settled()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Note that there is work, or that this replica is one too many and stands by."""
        self._assigned = True
        if self._consumer is not None:
            self._note_poll()
            wait_for_records(self._consumer, self._note_poll, self._after_empty_poll, self._pace_s)
        log.info("assigned", stage=self.stage, partitions=sorted(tp.partition for tp in assigned))

    async def _consume(self, records: Any) -> None:
        self._idle.clear()
        self._busy_since = time.monotonic()
        try:
            await self._consume_batch(records)
        except Exception:
            log.exception(
                "bug in the lane; the batch is read again",
                stage=self.stage, first_offset=records[0].offset, fold=self.stage,
            )  # fmt: skip
            await asyncio.sleep(BUG_PAUSE_S)
            self._read_on_at(_first_places(records))
        finally:
            self._busy_since = None
            self._idle.set()

    def _note_poll(self) -> None:
        self._polled_at = time.monotonic()

    async def _after_empty_poll(self) -> None:
        """Take up what failed while no records came."""
        if self._failed_flight() is None:
            return
        self._busy_since = time.monotonic()
        try:
            await self._read_again()
        finally:
            self._busy_since = None
            self._note_poll()

    async def _consume_batch(self, records: Records) -> None:
        if self._stopping.is_set():
            return
        while len(self._under_way) >= MOST_UNDER_WAY and self._failed_flight() is None:
            await asyncio.wait([self._under_way[0].settled])
            self._land()
        if self._failed_flight() is not None:
            await self._read_again(records)
            return
        notes = self._notes
        if notes is None:
            await self._take(records, self._effects, records)
            return
        try:
            await notes.take(records, self._end_of)
            careful = await notes.are_careful(records)
        except Exception as failure:
            if not is_transient(failure):
                raise
            await self._pause_and_rewind(records, failure)
            return
        if careful:
            await self._take_one_by_one(records, notes)
            return

        async def noted(records: Records) -> Effects:
            with notes.in_hand(records):
                return await self._effects(records)

        await self._take(records, noted, records)

    async def _take(self, records: Records, effects_of: Callable[[Records], Awaitable[Effects]], rest: Records) -> bool:
        """Have records done, the first of `rest`; where that fails for now, all of `rest` is read again: False."""
        started = time.monotonic()
        try:
            if self._halted:
                raise Transient("the dead-letter ceiling was reached")
            if self._check_position is not None and (elsewhere := await self._check_position(records)) is not None:
                self._read_on_at(elsewhere)
                return False
            rejections, settled = await effects_of(records)
            if rejections:
                self._check_ceiling(len(records), len(rejections))
                await self._set_aside(rejections)
            self._count_for_ceiling(len(records), len(rejections))
        except Exception as failure:
            if not is_transient(failure):
                log.exception("bug in a handler", stage=self.stage, first_offset=records[0].offset, fold=self.stage)
            await self._pause_and_rewind(rest, failure)
        else:
            self._under_way.append(_Flight(records, started, settled))
            settled.add_done_callback(lambda _: self._land())
            self._land()
            return True
        return False

    async def _take_one_by_one(self, records: Records, notes: PartitionNotes) -> None:
        """Have each record done alone, noted before it is begun, and its place committed before the next one is."""

        async def alone(one: Records) -> Effects:
            rejection = await notes.begin(one[0])
            if rejection is not None:
                return [rejection], _settled_already()
            try:
                effects = await self._effects(one, at_once=False)
            except Exception:
                # Who is killed while he waits for a server has not died of the message.
                await notes.end(one[0])
                raise
            await notes.end(one[0])
            return effects

        await self._settled()
        for number, record in enumerate(records):
            if self._stopping.is_set() or not await self._take([record], alone, records[number:]):
                return
            await self._commit()

    def _end_of(self, partition: TopicPartition) -> int | None:
        """The end of the log as Kafka told it with the last records; None where it is not known."""
        consumer = self._consumer
        end: int | None = consumer.highwater(partition) if partition in consumer.assignment() else None
        return end

    def _land(self) -> None:
        """Note what is done, as far as everything before it is."""
        while self._under_way and self._under_way[0].settled.done() and self._failed_flight() is None:
            flight = self._under_way.popleft()
            for record in flight.records:
                self._done[TopicPartition(record.topic, record.partition)] = record.offset + 1
            if self._paused_by is not None:
                log.info("goes on", stage=self.stage, failures=self._failures_in_a_row)
            self._failures_in_a_row = 0
            self._paused_by = None
            HANDLED.labels(self.stage).inc(len(flight.records))
            BATCH_SECONDS.labels(self.stage).observe(time.monotonic() - flight.since)

    def _failed_flight(self) -> BaseException | None:
        """Why the oldest batch that is under way did not settle."""
        if not self._under_way or not (first := self._under_way[0].settled).done():
            return None
        return asyncio.CancelledError() if first.cancelled() else first.exception()

    async def _settled(self) -> None:
        """Return once every batch that is under way has ended, well or not."""
        if self._under_way:
            await asyncio.wait([flight.settled for flight in self._under_way])
        self._land()

    async def _read_again(self, records: Sequence["ConsumerRecord[bytes, bytes]"] = ()) -> None:
        """Go back to the first record that did not settle, and pass over what was read meanwhile."""
        await self._settled()
        failure = self._failed_flight()
        if failure is None:
            # The partitions were revoked meanwhile: whoever has them next reads from what was committed.
            return
        if not is_transient(failure):
            log.error("a batch did not settle; its messages are taken one by one", stage=self.stage, exc_info=failure)
        failed = [record for flight in self._under_way for record in flight.records]
        for record in failed:
            self._careful[TopicPartition(record.topic, record.partition)] = record.offset + 1
        self._under_way.clear()
        await self._pause_and_rewind([*failed, *records], failure)

    async def _effects(self, records: Records, *, at_once: bool = True) -> Effects:
        """Decode and handle; with `at_once` a batch may still be under way when this returns."""
        rejections: list[Rejection] = []
        deliveries: list[Incoming[Any]] = []
        for record in records:
            decoded = decode(record, self._types)
            if isinstance(decoded, Rejection):
                rejections.append(decoded)
            elif decoded is not None:
                deliveries.append(decoded)
        settled: asyncio.Future[None] | None = None
        if deliveries and self._start_batch is not None and at_once and not self._must_be_careful(records):
            rejected, settled = await self._begin_or_handle(deliveries, self._start_batch)
            rejections.extend(rejected)
        elif deliveries:
            rejections.extend(await self._handle_isolating(deliveries))
        return rejections, settled or _settled_already()

    def _must_be_careful(self, records: Sequence["ConsumerRecord[bytes, bytes]"]) -> bool:
        careful = False
        for record in records:
            partition = TopicPartition(record.topic, record.partition)
            if partition in self._careful:
                if record.offset < self._careful[partition]:
                    careful = True
                else:
                    del self._careful[partition]
        return careful

    async def _begin_or_handle(
        self, deliveries: Sequence[Incoming[Any]], begin: StartBatch
    ) -> tuple[Sequence[Rejection], "asyncio.Future[None] | None"]:
        try:
            begun = await begin(deliveries)
        except Exception as failure:
            if is_transient(failure):
                raise
            # Found again and judged message by message.
            return await self._handle_isolating(deliveries), None
        return begun.rejections, begun.completed

    async def _handle_isolating(self, deliveries: Sequence[Incoming[Any]]) -> list[Rejection]:
        """Handle the batch; where it fails for a reason that is not the infrastructure, find the message that does it."""
        try:
            return list(await self._handle(deliveries))
        except Exception as failure:
            if is_transient(failure):
                raise
            if len(deliveries) > 1:
                rejections = []
                for delivery in deliveries:
                    rejections.extend(await self._handle_isolating([delivery]))
                return rejections
            if isinstance(failure, Invalid | Permanent):
                return [Rejection(deliveries[0].record, failure)]
            return await self._try_again(deliveries[0], failure)

    async def _try_again(self, delivery: Incoming[Any], failure: Exception) -> list[Rejection]:
        """A bug on one message: twice more, since it may be of the moment; then it is set aside and the rest goes on."""
        for attempt in range(1, BUG_ATTEMPTS):
            await asyncio.sleep(BUG_PAUSE_S * attempt)
            try:
                return list(await self._handle([delivery]))
            except Exception as again:
                if is_transient(again):
                    raise
                failure = again
        record = delivery.record
        log.error(
            "bug on one message; it is set aside",
            stage=self.stage,
            partition=record.partition,
            offset=record.offset,
            exc_info=failure,
        )
        return [Rejection(record, Permanent(f"{type(failure).__name__}: {failure}"))]

    def _check_ceiling(self, handled: int, bad: int) -> None:
        """Raise where setting so many aside would pass the ceiling; nothing is counted before they are set aside."""
        in_a_row = self._dead_in_a_row + bad if bad == handled else bad
        recent = [*self._recent, *[False] * (handled - bad), *[True] * bad][-CEILING_WINDOW:]
        share = sum(recent) / len(recent) if len(recent) == CEILING_WINDOW else 0.0
        if in_a_row > CEILING_IN_A_ROW or share > CEILING_SHARE:
            self._halted = True
            HALTED.labels(self.stage).set(1)
            log.error("dead-letter ceiling reached; the lane halts", stage=self.stage, in_a_row=in_a_row, share=share)
            raise Transient("the dead-letter ceiling was reached")

    def _count_for_ceiling(self, handled: int, bad: int) -> None:
        self._dead_in_a_row = self._dead_in_a_row + bad if bad == handled else bad
        self._recent.extend([False] * (handled - bad) + [True] * bad)

    async def _set_aside(self, rejections: Sequence[Rejection]) -> None:
        futures = []
        for rejection in rejections:
            record, failure = rejection.record, rejection.failure
            kind = "invalid" if isinstance(failure, Invalid) else "permanent"
            letter = DeadLetter(
                stage=self.stage,
                failure="invalid" if isinstance(failure, Invalid) else "permanent",
                reason=failure.reason,
                field=failure.field,
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                key=record.key.decode("utf-8", "replace") if record.key is not None else None,
                headers=tuple((name, base64.b64encode(value or b"").decode()) for name, value in record.headers),
                payload=base64.b64encode((record.value or b"")[:LETTER_BYTES]).decode(),
                whole=len(record.value or b"") <= LETTER_BYTES,
                traceparent=header_of(record, "traceparent"),
                failed_at=datetime.now(UTC),
            )
            log.warning(
                "dead letter", stage=self.stage, reason=failure.reason, field=failure.field,
                topic=record.topic, partition=record.partition, offset=record.offset, update_id=letter.key,
            )  # fmt: skip
            DEAD.labels(self.stage, kind).inc()
            futures.append(
                await self._producer.send(
                    self._stream.dead_letters,
                    letter,
                    key=letter.key or "",
                    event_id=f"{self.stage}:{record.topic}:{record.partition}:{record.offset}",
                    traceparent=letter.traceparent,
                )
            )
        now = datetime.now(UTC)
        told = [outcome for rejection in rejections if (outcome := dead_outcome(rejection, now)) is not None]
        if told and self._stream == RAW:
            # Whoever sent them asks what became of them, and what cannot be read can say nothing of itself.
            first = rejections[0].record
            event_id = f"{self.stage}:dead:{first.topic}:{first.partition}:{first.offset}"
            outcomes = Outcomes(outcomes=tuple(told))
            futures.append(await self._producer.send(OUTCOMES, outcomes, key=told[0].update_id, event_id=event_id))
        await acknowledged(futures)

    async def _pause_and_rewind(
        self, records: Sequence["ConsumerRecord[bytes, bytes]"], failure: BaseException
    ) -> None:
        """Wait, then let the same messages come again: polling goes on, so the group keeps this member."""
        self._failures_in_a_row += 1
        self._paused_by = f"{type(failure).__name__}: {failure}"
        pause_s = BACKOFF.pause_s(self._failures_in_a_row)
        PAUSES.labels(self.stage, type(failure).__name__).inc()
        log.warning(
            "paused",
            stage=self.stage,
            error=self._paused_by,
            retry_in_s=round(pause_s, 2),
            in_a_row=self._failures_in_a_row,
            fold=self.stage,
        )
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), pause_s)
        self._read_on_at(_first_places(records))

    def _read_on_at(self, places: Mapping[TopicPartition, int]) -> None:
        for partition, offset in places.items():
            try:
                self._consumer.seek(partition, offset)
            except (IllegalStateError, AttributeError):
                log.info("partition has another owner now", stage=self.stage, partition=partition.partition)

    async def _commit(self) -> None:
        consumer = self._consumer
        if consumer is None:
            return
        owned = consumer.assignment()
        positions = {partition: offset for partition, offset in self._done.items() if partition in owned}
        if not positions:
            return
        try:
            await consumer.commit(positions)
        except TRANSIENT as error:
            log.warning("commit failed; the work may be repeated", stage=self.stage, error=str(error), fold=self.stage)
            return
        for partition, offset in positions.items():
            if self._done.get(partition) == offset:
                del self._done[partition]

    def _measure_lag(self) -> None:
        consumer = self._consumer
        if consumer is None:
            return
        for partition in consumer.assignment():
            newest = consumer.highwater(partition)
            state = consumer._subscription.subscription.assignment.state_value(partition)  # noqa: SLF001 -- position() waits
            position = state._position if state is not None else None  # noqa: SLF001
            if newest is not None and position is not None:
                LAG.labels(self.stage, str(partition.partition)).set(max(newest - position, 0))


def _settled_already() -> "asyncio.Future[None]":
    settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    settled.set_result(None)
    return settled


def _first_places(records: Sequence["ConsumerRecord[bytes, bytes]"]) -> dict[TopicPartition, int]:
    first: dict[TopicPartition, int] = {}
    for record in records:
        first.setdefault(TopicPartition(record.topic, record.partition), record.offset)
    return first


def wait_for_records(
    consumer: Any,
    before_poll: Callable[[], None],
    after_empty_poll: Callable[[], Awaitable[None]],
    pace_s: float = 0.0,
) -> None:
    """Let an empty poll of `consumer` wait for records instead of answering at once, and fetch nothing between two polls.

    FastStream sleeps after each empty poll as long as the poll may take: a record that comes then waits for it, and an
    idle lane turns hundreds of times a second. A poll ends as soon as there is a record, or when the consumer stops.

    aiokafka asks for more as soon as records are taken: that request, with a place in it for each partition, would be made
    and sent before anything is done with them. And a partition that it leaves out waits until the request is answered.
    """
    poll = type(consumer).getmany
    next_at = 0.0

    async def getmany(*partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None) -> Any:
        nonlocal next_at
        before_poll()
        if (rest_s := next_at - time.monotonic()) > 0:
            await asyncio.sleep(rest_s)
        consumer.resume(*consumer.paused())
        found = await poll(consumer, *partitions, timeout_ms=max(timeout_ms, EMPTY_POLL_MS), max_records=max_records)
        if found:
            consumer.pause(*consumer.assignment())
            is_full = max_records is not None and sum(map(len, found.values())) >= max_records
            next_at = 0.0 if is_full else time.monotonic() + pace_s
        else:
            await after_empty_poll()
        return found

    consumer.getmany = getmany


__all__ = ["TRANSIENT", "Consumer", "Handle", "PositionCheck", "StartBatch", "StartedBatch", "wait_for_records"]
