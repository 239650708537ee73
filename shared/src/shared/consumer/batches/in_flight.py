"""Batches whose effects have started and not completed. They start in order, and complete for the consumer in that order."""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aiokafka import ConsumerRecord, TopicPartition

from shared.consumer.offsets import partition_of

Records = Sequence["ConsumerRecord[bytes, bytes]"]


@dataclass(frozen=True, slots=True)
class BatchInFlight:
    """Records whose effects are under way, or done and waiting for the batches before them."""

    records: Records
    started_at: float
    completed: "asyncio.Future[None]"


class InFlight:
    """The batches in flight, oldest first."""

    def __init__(self) -> None:
        self._batches: deque[BatchInFlight] = deque()
        self._serial_below: dict[TopicPartition, int] = {}
        """Offset below which batches are processed one at a time, after an asynchronous failure."""

    def __len__(self) -> int:
        return len(self._batches)

    @property
    def oldest_started_at(self) -> float | None:
        """When the oldest batch started; None if there is none."""
        return self._batches[0].started_at if self._batches else None

    @property
    def failure(self) -> BaseException | None:
        """Why the oldest batch failed; None if it has not."""
        if not self._batches or not (oldest := self._batches[0].completed).done():
            return None
        return asyncio.CancelledError() if oldest.cancelled() else oldest.exception()

    def add(self, batch: BatchInFlight) -> None:
        """A batch has started."""
        self._batches.append(batch)

    def pop_completed(self) -> Iterator[BatchInFlight]:
        """Remove every leading batch that has completed."""
        while self._batches and self._batches[0].completed.done() and self.failure is None:
            yield self._batches.popleft()

    async def wait_for_oldest(self) -> None:
        """Return once the oldest batch has ended, well or not."""
        if self._batches:
            await asyncio.wait([self._batches[0].completed])

    async def wait_for_all(self) -> None:
        """Return once every batch has ended, well or not."""
        if self._batches:
            await asyncio.wait([batch.completed for batch in self._batches])

    def take_back(self) -> list["ConsumerRecord[bytes, bytes]"]:
        """Remove all batches after a failure: their records, which are from now on processed one batch at a time."""
        records = [record for batch in self._batches for record in batch.records]
        for record in records:
            self._serial_below[partition_of(record)] = record.offset + 1
        self._batches.clear()
        return records

    def must_be_serial(self, records: Records) -> bool:
        """Whether a batch has records that failed in flight before, so that it must complete before the next one starts."""
        serial = False
        for record in records:
            partition = partition_of(record)
            if partition in self._serial_below:
                if record.offset < self._serial_below[partition]:
                    serial = True
                else:
                    del self._serial_below[partition]
        return serial

    def clear(self) -> None:
        """Forget everything: the partitions have another owner."""
        self._batches.clear()
        self._serial_below.clear()
