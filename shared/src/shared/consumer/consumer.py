"""Consumes one stream for one stage: batches in, effects done, dead letters written, then offsets committed.

What must not break:
- an offset is committed only when every effect of the messages before it is done and acknowledged;
- within a partition, messages are handled in order, and again in order after a failure;
- a message that can never be handled goes to the dead letters and lets the next one pass, unless too many do: then the
  consumer halts, since a bad deploy must build lag and not empty the topic;
- nor does a message that takes the process down hold up those behind it: see `shared.poison.notes`;
- offsets are committed on a clock (and on revocation and at the end), never after every batch: a commit is a round
  trip, and since effects are idempotent a crash only repeats up to a second of work.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from faststream.kafka import KafkaBroker
from faststream.kafka.subscriber.usecase import DefaultSubscriber

from shared.consumer import status
from shared.consumer.batches.arrivals import Arrivals
from shared.consumer.batches.effects import Effects, StartBatch
from shared.consumer.batches.in_flight import Records
from shared.consumer.batches.isolation import Handle
from shared.consumer.batches.processor import BatchProcessor, PositionCheck
from shared.consumer.ceiling import Ceiling
from shared.consumer.dead_letters import DeadLetters
from shared.consumer.status import Status
from shared.consumer.subscription import Record, is_polling, subscribe
from shared.kafka.producer import Producer
from shared.messages import Message
from shared.observability.health import Health
from shared.poison.partitions import PartitionNotes
from shared.settings import Connections
from shared.streams import Stream

log = structlog.get_logger(__name__)

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much; tests have others."""

    commit_interval_s: float = 1.0
    drain_s: float = 15.0
    """For the running batches to end, at the end of the process and when partitions are revoked."""
    batches_in_flight: int = 500
    """More than come, one update each, between two completions."""
    longest_batch_s: float = status.LONGEST_BATCH_S


class Stuck(RuntimeError):
    """A batch that does not end: only a new process helps, which finds the message at fault."""


class Consumer(ConsumerRebalanceListener, Generic[M]):  # type: ignore[misc]
    """Consumes `stream` as the group of its stage and gives batches to `handle`; see the module.

    With `start_batch`, a batch may start before the one before has completed; an offset is still committed only when all
    before it have. What fails then is read again and given to `handle`, which finds the message at fault.
    `pace_s` is the least time from one batch to the next, unless the batch is full: fewer, larger batches, for a stage that
    no reader waits for. What comes after a pause is taken at once.
    `on_assignment` is told which partitions this consumer has from now on, before any of their records comes; none between
    two assignments.
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
        on_assignment: Callable[[frozenset[int]], None] | None = None,
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
        self._session_timeout_s = settings.kafka_session_timeout_s
        self._max_records = max_records
        self._pace_s = pace_s
        self._crash_notes = crash_notes
        self._on_assignment = on_assignment or (lambda _: None)
        self._limits = limits or Limits()
        self._producer = producer
        self._ceiling = Ceiling(stage)
        self._arrivals = Arrivals(max_records)
        self._processor: BatchProcessor[M] = BatchProcessor(
            stage,
            Effects(
                stage,
                types,
                handle,
                start_batch,
                ceiling=self._ceiling,
                dead_letters=DeadLetters(stage, stream, producer),
            ),
            lambda: self._client,
            check_position=check_position,
            crash_notes=crash_notes,
            most_in_flight=self._limits.batches_in_flight,
            on_rewind=self._arrivals.drop,
        )
        self._subscriber: DefaultSubscriber | None = None
        self._assigned = False

    def subscribe(self, broker: KafkaBroker) -> None:
        """Declare the subscriber on a broker that has not started."""
        self._subscriber = subscribe(
            broker, self.consume, self,
            topic=self.topic, group=self.group, fetch_wait_ms=self._fetch_wait_ms,
            session_timeout_s=self._session_timeout_s, title=self.stage, description=self.stream.purpose,
        )  # fmt: skip

    async def consume(self, first: Record) -> None:
        """Take a record from FastStream, and what was fetched along with it, in order of receipt. It raises nothing that a batch
        fails with: FastStream would log it and go on with the next record.

        Meanwhile nothing is fetched. aiokafka asks for more as soon as records are taken: that request would be made and
        sent before anything is done with them, and a partition that it leaves out would wait until it is answered.
        """
        taken_at, client, assignment = time.monotonic(), self._client, self._arrivals.assignments
        records = await self._arrivals.begin(first, client)
        await self._process(records, client, taken_at, assignment)
        while client is not None and self._arrivals and not self._processor.stopping:
            taken_at, assignment = time.monotonic(), self._arrivals.assignments
            records = await self._arrivals.batch(client)
            await self._process(records, client, taken_at, assignment)

    async def _process(
        self, records: Records, client: AIOKafkaConsumer | None, taken_at: float, assignment: int
    ) -> None:
        if not records:
            return
        if client is not None:
            client.pause(*client.assignment())
        try:
            await self._processor.process(records, is_current=lambda: assignment == self._arrivals.assignments)
            rest_s = taken_at + self._pace_s - time.monotonic()
            if rest_s > 0 and len(records) < self._max_records:
                await self._processor.rest(rest_s)
        finally:
            if client is not None:
                client.resume(*client.paused())

    async def run(self) -> None:
        """Commit what is done, once a second, until cancelled; run it beside the broker. Raises `Stuck` if a batch does not end."""
        while True:
            await asyncio.sleep(self._limits.commit_interval_s)
            await self._processor.commit()
            if self._is_stuck():
                raise Stuck(f"{self.stage}: one batch has been running for {self._limits.longest_batch_s:g} s")

    async def drain(self) -> None:
        """Let the running batches end, and commit; call it before the broker stops."""
        self._processor.stop()
        await self._processor.end_work(self._limits.drain_s, "batch outlasts the drain; it will be repeated")
        # A batch that runs on at the end of the process has not taken it down, unless the process ends because of it.
        if not self._is_stuck():
            await self._processor.release()
        if self._crash_notes is not None:
            self._crash_notes.close()

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Wait, bounded, for the running batches, and commit, so that the next owner repeats little."""
        self._assigned = False
        if revoked:
            await self._processor.end_work(
                self._limits.drain_s, "batch outlasts the revocation; the next owner repeats it"
            )
            await self._processor.release(revoked)
        self._on_assignment(frozenset())
        self._processor.forget()
        self._arrivals.clear()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """There is work, or this replica is one too many and stands by."""
        self._assigned = True
        self._on_assignment(frozenset(partition.partition for partition in assigned))
        log.info("assigned", stage=self.stage, partitions=sorted(tp.partition for tp in assigned))

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
        client, started_at = self._client, self._processor.oldest_started_at
        return Status(
            partitions=len(client.assignment()) if client is not None and self._assigned else None,
            paused_by=self._processor.paused_by,
            halted=self._ceiling.halted,
            oldest_batch_s=time.monotonic() - started_at if started_at is not None else None,
            polling=self._subscriber is None or is_polling(self._subscriber),
            producer_failed=self._producer.failed,
        )

    def _is_stuck(self) -> bool:
        return status.is_stuck(self.status(), self._limits.longest_batch_s)

    @property
    def _client(self) -> AIOKafkaConsumer | None:
        """aiokafka's consumer, once the broker has started; None in FastStream's `TestKafkaBroker`, which has none."""
        consumer = self._subscriber.consumer if self._subscriber is not None else None
        return consumer if isinstance(consumer, AIOKafkaConsumer) else None
