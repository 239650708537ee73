"""Consumes one stream for one stage: batches in, effects done, dead letters written, then offsets committed.

What must not break:
- an offset is committed only when every effect of the messages before it is done and acknowledged;
- within a partition, messages are handled in order, and again in order after a failure;
- a message that can never be handled goes to the dead letters and lets the next one pass, unless too many do: then the
  consumer halts, since a bad deploy must build lag and not empty the topic;
- nor does a message that takes the process down hold up those behind it: see `shared.poison.notes`;
- offsets are committed on a clock (and on revocation and at the end), never after every batch: a commit is a round
  trip, and since effects are idempotent a crash only repeats up to a second of work.

FastStream polls and calls `Consumer.consume` with each batch. It must not raise: FastStream logs what a handler raises and
goes on with the next batch, whatever the acknowledgement policy.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from faststream.kafka import KafkaBroker
from faststream.kafka.subscriber.usecase import BatchSubscriber
from prometheus_client import Counter, Histogram

from shared.consumer import status
from shared.consumer.ceiling import Ceiling
from shared.consumer.dead_letters import DeadLetters
from shared.consumer.effects import Completed, Effects, StartBatch, completed_already
from shared.consumer.in_flight import BatchInFlight, InFlight, Records
from shared.consumer.isolation import Handle
from shared.consumer.offsets import Offsets, first_offsets
from shared.consumer.retry import Retry
from shared.consumer.status import Status
from shared.consumer.subscription import is_polling, subscribe
from shared.failures.transient import TRANSIENT, is_transient
from shared.kafka.producer import Producer
from shared.messages import Message
from shared.observability.health import Health
from shared.poison.partitions import PartitionNotes
from shared.settings import Connections
from shared.streams import Stream

log = structlog.get_logger(__name__)

BUG_PAUSE_S = 0.1
RELEASE_S = 3.0

HANDLED = Counter("slugline_consumer_messages", "Messages whose effects are done", ["stage"])
BATCH_SECONDS = Histogram("slugline_consumer_batch_seconds", "Time to handle one batch", ["stage"])

M = TypeVar("M", bound=Message)

PositionCheck = Callable[[Records], Awaitable[Mapping[TopicPartition, int] | None]]
"""Looks at the records of a batch before anything is done: None to go on, or where to read instead; the batch is then dropped."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much; other than in tests, these."""

    commit_interval_s: float = 1.0
    drain_s: float = 15.0
    """For the running batches to end, at the end of the process and when partitions are revoked."""
    batches_in_flight: int = 500
    """More than come, one update each, between two completions."""
    longest_batch_s: float = status.LONGEST_BATCH_S


class Stuck(RuntimeError):
    """A batch that does not end: only a new process helps, which finds the message at fault."""


class Consumer(ConsumerRebalanceListener, Generic[M]):  # type: ignore[misc]
    """Consumes `stream` as a member of `group` and gives batches to `handle`; see the module.

    With `start_batch`, a batch may start before the one before has completed; an offset is still committed only when all
    before it have. What fails then is read again and given to `handle`, which finds the message at fault.
    `pace_s` is the least time from one batch to the next, unless the batch is full: fewer, larger batches, for a stage that
    no reader waits for. What comes after a pause is taken at once.
    """

    def __init__(
        self,
        *,
        stage: str,
        stream: Stream,
        handle: Handle[M],
        producer: Producer,
        settings: Connections,
        start_batch: StartBatch[M] | None = None,
        types: Mapping[str, type[M]] | None = None,
        max_records: int = 500,
        check_position: PositionCheck | None = None,
        pace_s: float = 0.0,
        crash_notes: PartitionNotes | None = None,
        limits: Limits | None = None,
    ) -> None:
        types = types or cast("Mapping[str, type[M]]", stream.types)
        if not types:
            raise ValueError(f"{stream.name} carries private messages: their types must be given")
        self.stage = stage
        self.stream = stream
        self.topic = settings.topic_prefix + stream.name
        self.group = settings.topic_prefix + stage
        self._fetch_wait_ms = settings.kafka_fetch_wait_ms
        self._max_records = max_records
        self._check_position = check_position
        self._pace_s = pace_s
        self._crash_notes = crash_notes
        self._limits = limits or Limits()
        self._producer = producer
        self._ceiling = Ceiling(stage)
        self._effects: Effects[M] = Effects(
            stage,
            types,
            handle,
            start_batch,
            ceiling=self._ceiling,
            dead_letters=DeadLetters(stage, stream, producer),
        )
        self._in_flight = InFlight()
        self._offsets = Offsets(stage)
        self._stopping = asyncio.Event()
        self._retry = Retry(stage, self._stopping)
        self._working = asyncio.Lock()
        self._working_since: float | None = None
        self._rewound: dict[TopicPartition, int] = {}
        self._rewinds = 0
        self._recovery: asyncio.Task[None] | None = None
        self._subscriber: BatchSubscriber | None = None
        self._assigned = False

    def subscribe(self, broker: KafkaBroker) -> None:
        """Declare the subscriber on a broker that has not started."""
        self._subscriber = subscribe(
            broker, self.consume, self,
            topic=self.topic, group=self.group, max_records=self._max_records, fetch_wait_ms=self._fetch_wait_ms,
            title=self.stage, description=self.stream.purpose,
        )  # fmt: skip

    def report_to(self, health: Health) -> None:
        """Add the checks of this consumer, under the name of its stream."""
        name = self.stream.name
        health.ready[name], health.live[name], health.roles[name] = self.why_not_ready, self.why_not_live, self.role

    def why_not_ready(self) -> str | None:
        """Why no work is done now; None if all is well."""
        return status.why_not_ready(self.status())

    def why_not_live(self) -> str | None:
        """Why only a restart helps; None if all is well."""
        return status.why_not_live(self.status(), self._limits.longest_batch_s)

    def role(self) -> str:
        """What this replica has of the topic."""
        return status.role(self.status())

    def status(self) -> Status:
        """This consumer at this moment."""
        consumer = self._client
        started = self._in_flight.oldest_started_at or self._working_since
        return Status(
            partitions=len(consumer.assignment()) if consumer is not None and self._assigned else None,
            paused_by=self._retry.paused_by,
            halted=self._ceiling.halted,
            oldest_batch_s=time.monotonic() - started if started is not None else None,
            polling=self._subscriber is None or is_polling(self._subscriber),
            producer_failed=self._producer.failed,
        )

    async def run(self) -> None:
        """Commit what is done, once a second, until cancelled; run it beside the broker. Raises `Stuck` if a batch does not end."""
        while True:
            await asyncio.sleep(self._limits.commit_interval_s)
            if (consumer := self._client) is not None:
                await self._offsets.commit(consumer)
                await self._offsets.measure_lag(consumer)
            if self._is_stuck():
                raise Stuck(f"{self.stage}: one batch has been running for {self._limits.longest_batch_s:g} s")

    async def drain(self) -> None:
        """Let the running batches end, and commit; call it before the broker stops."""
        self._stopping.set()
        await self._end_work("batch outlasts the drain; it will be repeated")
        # A batch that runs on at the end of the process has not taken it down, unless the process ends because of it.
        if not self._is_stuck():
            await self._release()
        if self._crash_notes is not None:
            self._crash_notes.close()

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Wait, bounded, for the running batches, and commit, so that the next owner repeats little."""
        self._assigned = False
        self._retry.forget()
        if not revoked:
            return
        await self._end_work("batch outlasts the revocation; the next owner repeats it")
        await self._release(revoked)
        self._offsets.clear()
        self._in_flight.clear()
        self._retry.forget()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """There is work, or this replica is one too many and stands by."""
        self._assigned = True
        log.info("assigned", stage=self.stage, partitions=sorted(tp.partition for tp in assigned))

    async def consume(self, records: Records) -> None:
        """Take a batch from FastStream. Nothing is fetched until it has been taken, and nothing is raised.

        aiokafka asks for more as soon as records are taken: that request would be made and sent before anything is done
        with them, and a partition that it leaves out would wait until the request is answered.
        """
        taken_at, rewinds, client = time.monotonic(), self._rewinds, self._client
        if client is not None:
            client.pause(*client.assignment())
        try:
            async with self._work():
                await self._consume_or_rewind(records, stale=rewinds != self._rewinds)
            await self._rest(taken_at, records)
        finally:
            if client is not None:
                client.resume(*client.paused())

    async def _consume_or_rewind(self, records: Records, *, stale: bool) -> None:
        try:
            if stale:
                # They were polled before the recovery went back: what is before them comes first.
                self._rewind(first_offsets(records) | self._rewound)
            elif not self._stopping.is_set():
                await self._consume_batch(records)
        except Exception:
            log.exception(
                "bug in the consumer; the batch is read again",
                stage=self.stage, first_offset=records[0].offset, fold=self.stage,
            )  # fmt: skip
            await asyncio.sleep(BUG_PAUSE_S)
            self._rewind(first_offsets(records))

    async def _consume_batch(self, records: Records) -> None:
        while len(self._in_flight) >= self._limits.batches_in_flight and self._in_flight.failure is None:
            await self._in_flight.wait_for_oldest()
            self._advance()
        if self._in_flight.failure is not None:
            await self._recover(records)
            return
        if self._crash_notes is None:
            await self._take(records, self._apply)
            return
        try:
            await self._crash_notes.take(records, self._end_of_log)
            careful = await self._crash_notes.are_careful(records)
        except Exception as failure:
            if not is_transient(failure):
                raise
            await self._pause_and_rewind(records, failure)
            return
        if careful:
            await self._take_one_by_one(records, self._crash_notes)
        else:
            await self._take(records, self._apply_noted)

    async def _take(
        self, records: Records, apply: Callable[[Records], Awaitable[Completed]], rest: Records | None = None
    ) -> bool:
        """Have the effects of records done; if that fails, they and the `rest` of their batch are read again: False."""
        started_at = time.monotonic()
        try:
            self._ceiling.check()
            if self._check_position is not None and (elsewhere := await self._check_position(records)) is not None:
                self._rewind(elsewhere)
                return False
            completed = await apply(records)
        except Exception as failure:
            if not is_transient(failure):
                log.exception("bug in a handler", stage=self.stage, first_offset=records[0].offset, fold=self.stage)
            await self._pause_and_rewind(rest or records, failure)
            return False
        self._in_flight.add(BatchInFlight(records, started_at, completed))
        completed.add_done_callback(self._on_completed)
        self._advance()
        return True

    async def _apply(self, records: Records) -> Completed:
        return await self._effects.apply(records, serial=self._in_flight.must_be_serial(records))

    async def _apply_noted(self, records: Records) -> Completed:
        assert self._crash_notes is not None  # noqa: S101
        with self._crash_notes.in_progress(records):
            return await self._apply(records)

    async def _take_one_by_one(self, records: Records, notes: PartitionNotes) -> None:
        """Have each record done alone, noted before it starts, and its offset committed before the next one starts."""

        async def apply_alone(alone: Records) -> Completed:
            if (rejection := await notes.begin(alone[0])) is not None:
                await self._effects.set_aside([rejection], of=1)
                return completed_already()
            try:
                return await self._effects.apply(alone, serial=True)
            finally:
                # Also after a failure: a process that is killed while it waits for a server has not died of the message.
                await notes.end(alone[0])

        await self._in_flight.wait_for_all()
        self._advance()
        for number, record in enumerate(records):
            if self._stopping.is_set() or not await self._take([record], apply_alone, records[number:]):
                return
            if (consumer := self._client) is not None:
                await self._offsets.commit(consumer)

    def _on_completed(self, _: Completed) -> None:
        self._advance()
        if self._in_flight.failure is not None and (self._recovery is None or self._recovery.done()):
            self._recovery = asyncio.create_task(self._recover_when_idle(), name=f"recovery of {self.stage}")

    def _advance(self) -> None:
        """Advance the offset past every leading batch that has completed."""
        for batch in self._in_flight.pop_completed():
            self._offsets.advance(batch.records)
            self._retry.succeeded()
            HANDLED.labels(self.stage).inc(len(batch.records))
            BATCH_SECONDS.labels(self.stage).observe(time.monotonic() - batch.started_at)

    async def _recover_when_idle(self) -> None:
        """Take up what failed in flight, though no more records may come."""
        async with self._work():
            await self._recover()

    async def _recover(self, polled: Records = ()) -> None:
        """Go back to the first record that failed in flight, and drop what was polled after it."""
        await self._in_flight.wait_for_all()
        self._advance()
        failure = self._in_flight.failure
        if failure is None:
            # Recovered already, or the partitions were revoked: whoever has them reads from what was committed.
            return
        if not is_transient(failure):
            log.error("a batch failed in flight; its messages are handled again", stage=self.stage, exc_info=failure)
        await self._pause_and_rewind([*self._in_flight.take_back(), *polled], failure)

    async def _pause_and_rewind(self, records: Records, failure: BaseException) -> None:
        await self._retry.pause(failure)
        self._rewind(first_offsets(records))

    def _rewind(self, offsets: Mapping[TopicPartition, int]) -> None:
        self._rewinds += 1
        self._rewound = dict(offsets)
        self._offsets.seek(self._client, offsets)

    async def _rest(self, taken_at: float, records: Records) -> None:
        rest_s = taken_at + self._pace_s - time.monotonic()
        if rest_s > 0 and len(records) < self._max_records:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), rest_s)

    @contextlib.asynccontextmanager
    async def _work(self) -> AsyncIterator[None]:
        async with self._working:
            self._working_since = time.monotonic()
            try:
                yield
            finally:
                self._working_since = None

    async def _end_work(self, otherwise: str) -> None:
        """Wait, bounded, until no batch is being handled and none is in flight, and commit what is done."""
        try:
            async with asyncio.timeout(self._limits.drain_s):
                async with self._working:
                    await self._in_flight.wait_for_all()
        except TimeoutError:
            log.warning(otherwise, stage=self.stage)
        if self._recovery is not None:
            self._recovery.cancel()
        self._advance()
        if (consumer := self._client) is not None:
            await self._offsets.commit(consumer)

    async def _release(self, partitions: Collection[TopicPartition] | None = None) -> None:
        if self._crash_notes is None:
            return
        try:
            async with asyncio.timeout(RELEASE_S):
                await self._crash_notes.release(partitions)
        except TRANSIENT as error:
            log.warning("partitions not released; the next process is careful", stage=self.stage, error=str(error))

    def _end_of_log(self, partition: TopicPartition) -> int | None:
        """The end of the log as Kafka gave it with the last records; None where it is not known."""
        consumer = self._client
        if consumer is None or partition not in consumer.assignment():
            return None
        end: int | None = consumer.highwater(partition)
        return end

    def _is_stuck(self) -> bool:
        return status.is_stuck(self.status(), self._limits.longest_batch_s)

    @property
    def _client(self) -> AIOKafkaConsumer | None:
        """aiokafka's consumer, once the broker has started; None in FastStream's `TestKafkaBroker`, which has none."""
        consumer = self._subscriber.consumer if self._subscriber is not None else None
        return consumer if isinstance(consumer, AIOKafkaConsumer) else None
