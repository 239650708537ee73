"""Takes the batches of one consumer, one after another: when their effects start, what is read again, what is done."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from typing import Generic, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client import Counter, Histogram

from shared.consumer.batches.effects import Completed, Effects, completed_already
from shared.consumer.batches.in_flight import BatchInFlight, InFlight, Records
from shared.consumer.batches.passages import lines_are_wanted, tell
from shared.consumer.offsets import Offsets, first_offsets
from shared.consumer.retry import Retry
from shared.failures.transient import TRANSIENT, is_transient
from shared.messages import Message
from shared.poison.partitions import PartitionNotes

log = structlog.get_logger(__name__)

BUG_PAUSE_S = 0.1
RELEASE_S = 3.0

HANDLED = Counter("slugline_consumer_messages", "Messages whose effects are done", ["stage"])
BATCH_SECONDS = Histogram("slugline_consumer_batch_seconds", "Time to handle one batch", ["stage"])

M = TypeVar("M", bound=Message)

PositionCheck = Callable[[Records], Awaitable[Mapping[TopicPartition, int] | None]]
"""Looks at the records of a batch before anything is done: None to go on, or where to read instead; the batch is then dropped."""


class BatchProcessor(Generic[M]):
    """Processes batches in their order. Whatever fails for the moment is read again after a pause, with all that follows it."""

    def __init__(
        self,
        stage: str,
        effects: Effects[M],
        client: Callable[[], AIOKafkaConsumer | None],
        *,
        check_position: PositionCheck | None,
        crash_notes: PartitionNotes | None,
        most_in_flight: int,
        on_rewind: Callable[[Mapping[TopicPartition, int]], None] = lambda _: None,
    ) -> None:
        self._stage = stage
        self._effects = effects
        self._client = client
        self._check_position = check_position
        self._crash_notes = crash_notes
        self._most_in_flight = most_in_flight
        self._on_rewind = on_rewind
        self._in_flight = InFlight()
        self._offsets = Offsets(stage)
        self._stopping = asyncio.Event()
        self._retry = Retry(stage, self._stopping)
        self._lines = lines_are_wanted()
        self._working = asyncio.Lock()
        self._working_since: float | None = None
        self._read_again_at: dict[TopicPartition, int] = {}
        """Where partitions are read again that have not come since. What comes from beyond was polled before."""
        self._sought_twice: set[TopicPartition] = set()
        """Of these, what was polled before has been dropped: what comes from beyond now follows on a gap in the log."""
        self._recovery: asyncio.Task[None] | None = None

    @property
    def paused_by(self) -> str | None:
        """The failure that it waits for."""
        return self._retry.paused_by

    @property
    def oldest_started_at(self) -> float | None:
        """Since when the oldest batch has been running, pauses left out; None if none runs."""
        started_at = self._in_flight.oldest_started_at or self._working_since
        return max(started_at, self._retry.paused_until) if started_at is not None else None

    @property
    def stopping(self) -> bool:
        """Whether nothing is started any more."""
        return self._stopping.is_set()

    async def process(self, records: Records, *, is_current: Callable[[], bool] = lambda: True) -> None:
        """Take a batch, unless its partitions have another owner by then; once the next one may come, it returns. It raises nothing."""
        async with self._work():
            if not is_current():
                return
            await self._process_or_rewind(records)

    async def commit(self) -> None:
        """Commit what is done, and measure what is not."""
        if (client := self._client()) is not None:
            await self._offsets.commit(client)
            await self._offsets.measure_lag(client)

    async def rest(self, seconds: float) -> None:
        """Wait, unless the process ends."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def stop(self) -> None:
        """Start nothing any more, and wait for nothing but what runs."""
        self._stopping.set()

    async def end_work(self, within_s: float, otherwise: str) -> None:
        """Wait, bounded, until no batch is being handled and none is in flight, and commit what is done."""
        try:
            async with asyncio.timeout(within_s):
                async with self._working:
                    await self._in_flight.wait_for_all()
        except TimeoutError:
            log.warning(otherwise, stage=self._stage)
        if self._recovery is not None:
            self._recovery.cancel()
        self._advance()
        if (client := self._client()) is not None:
            await self._offsets.commit(client)

    def forget(self) -> None:
        """The partitions have another owner now, and what failed is its."""
        self._offsets.clear()
        self._in_flight.clear()
        self._retry.forget()
        self._read_again_at.clear()
        self._sought_twice.clear()

    async def release(self, partitions: Collection[TopicPartition] | None = None) -> None:
        """Release the partitions in the crash notes, all of them by default: what runs has not taken the process down."""
        if self._crash_notes is None:
            return
        try:
            async with asyncio.timeout(RELEASE_S):
                await self._crash_notes.release(partitions)
        except TRANSIENT as error:
            log.warning("partitions not released; the next process is careful", stage=self._stage, error=str(error))

    async def _process_or_rewind(self, records: Records) -> None:
        try:
            if stale := self._stale_partitions(records):
                # What is before them comes first.
                self._rewind(first_offsets(records) | self._read_again_at)
                self._sought_twice |= stale
                return
            for partition in first_offsets(records):
                self._read_again_at.pop(partition, None)
                self._sought_twice.discard(partition)
            if not self._stopping.is_set():
                await self._process(records)
        except Exception:
            log.exception(
                "bug in the consumer; the batch is read again",
                stage=self._stage, first_offset=records[0].offset, fold=self._stage,
            )  # fmt: skip
            await asyncio.sleep(BUG_PAUSE_S)
            self._rewind(first_offsets(records))

    async def _process(self, records: Records) -> None:
        while len(self._in_flight) >= self._most_in_flight and self._in_flight.failure is None:
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
            self._effects.check_ceiling()
            if self._check_position is not None and (elsewhere := await self._check_position(records)) is not None:
                self._rewind(elsewhere)
                return False
            completed = await apply(records)
        except Exception as failure:
            if not is_transient(failure):
                log.exception("bug in a handler", stage=self._stage, first_offset=records[0].offset, fold=self._stage)
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
                completed = await self._effects.apply(alone, serial=True)
            except Exception:
                # A process that is killed while it waits for a server has not died of the message. Of one that is cancelled
                # nobody knows: its note stays.
                await notes.end(alone[0])
                raise
            await notes.end(alone[0])
            return completed

        await self._in_flight.wait_for_all()
        self._advance()
        for number, record in enumerate(records):
            if self._stopping.is_set() or not await self._take([record], apply_alone, records[number:]):
                return
            if (client := self._client()) is not None:
                await self._offsets.commit(client)

    def _on_completed(self, completed: Completed) -> None:
        if not completed.cancelled():
            # Batches fail together, and only the failure of the oldest is logged: asyncio need not warn of the others.
            completed.exception()
        self._advance()
        if self._in_flight.failure is not None and (self._recovery is None or self._recovery.done()):
            self._recovery = asyncio.create_task(self._recover_when_idle(), name=f"recovery of {self._stage}")

    def _advance(self) -> None:
        """Advance the offset past every leading batch that has completed."""
        for batch in self._in_flight.pop_completed():
            self._offsets.advance(batch.records)
            self._retry.succeeded()
            HANDLED.labels(self._stage).inc(len(batch.records))
            BATCH_SECONDS.labels(self._stage).observe(time.monotonic() - batch.started_at)
            tell(self._stage, batch.records, batch.started_at, lines=self._lines)

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
            log.error("a batch failed in flight; its messages are handled again", stage=self._stage, exc_info=failure)
        await self._pause_and_rewind([*self._in_flight.take_back(), *polled], failure)

    async def _pause_and_rewind(self, records: Records, failure: BaseException) -> None:
        await self._retry.pause(failure)
        self._rewind(first_offsets(records))

    def _stale_partitions(self, records: Records) -> set[TopicPartition]:
        """The partitions of which records were in hand already when the consumer went back before them.

        FastStream takes one record at a time, so at most one batch is in hand: after it was dropped, a partition that still
        begins beyond the offset has lost what was before, to retention.
        """
        return {
            partition
            for partition, offset in first_offsets(records).items()
            if offset > self._read_again_at.get(partition, offset) and partition not in self._sought_twice
        }

    def _rewind(self, offsets: Mapping[TopicPartition, int]) -> None:
        if (client := self._client()) is not None:
            self._read_again_at |= offsets
            self._sought_twice -= offsets.keys()
            self._on_rewind(offsets)
            self._offsets.seek(client, offsets)

    @contextlib.asynccontextmanager
    async def _work(self) -> AsyncIterator[None]:
        async with self._working:
            self._working_since = time.monotonic()
            try:
                yield
            finally:
                self._working_since = None

    def _end_of_log(self, partition: TopicPartition) -> int | None:
        """The end of the log as Kafka gave it with the last records; None where it is not known."""
        client = self._client()
        if client is None or partition not in client.assignment():
            return None
        end: int | None = client.highwater(partition)
        return end
