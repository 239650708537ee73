"""Crash notes of Kafka's partitions: which records are taken one by one after a crash, and which are not taken again."""

import contextlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractAsyncContextManager

from aiokafka import ConsumerRecord, TopicPartition

from shared.consumer.decode import Rejection
from shared.consumer.offsets import partition_of
from shared.failures import Permanent
from shared.poison.notes import CrashNotes

MOST_CAREFUL = 500
"""Most records of a partition that are taken one by one: a batch, since what is behind that the dead process had not begun; if it
had, they are among the next ones after one more crash. One by one takes twenty times as long, and a backlog waits behind it."""


def place_of(partition: TopicPartition) -> str:
    """The name of a partition in the notes."""
    return f"{partition.topic}/{partition.partition}"


def name_of(record: "ConsumerRecord[bytes, bytes]") -> str:
    """The name of a record in the notes: its offset and its time, since offsets start again in a log that was created again."""
    return f"{record.offset}@{record.timestamp}"


class PartitionNotes:
    """The notes of one stage about its partitions.

    A partition is taken with its first batch and not when it is assigned: a rebalance must not wait for Postgres.
    """

    def __init__(self, notes: CrashNotes) -> None:
        self._notes = notes
        self._taken: set[TopicPartition] = set()
        self._careful_until: dict[TopicPartition, int] = {}

    async def take(
        self, records: Sequence["ConsumerRecord[bytes, bytes]"], end_of: Callable[[TopicPartition], int | None]
    ) -> None:
        """Take the partitions of a batch that were not taken before; `end_of` gives the end of the log, where it is known."""
        first = {partition_of(record): record.offset for record in reversed(records)}
        fresh = [partition for partition in first if partition not in self._taken]
        if not fresh:
            return
        left_open = await self._notes.open([place_of(partition) for partition in fresh])
        for partition in fresh:
            self._taken.add(partition)
            if place_of(partition) in left_open:
                most = first[partition] + MOST_CAREFUL
                self._careful_until[partition] = min(end_of(partition) or most, most)

    async def are_careful(self, records: Sequence["ConsumerRecord[bytes, bytes]"]) -> bool:
        """Whether a batch is to be taken one by one. A partition whose careful part is done is forgotten."""
        if not self._careful_until:
            return False
        for record in records:
            partition = partition_of(record)
            until = self._careful_until.get(partition)
            if until is not None and record.offset < until:
                return True
        for partition in {partition_of(record) for record in records} & self._careful_until.keys():
            await self._notes.end(place_of(partition))
            del self._careful_until[partition]
        return False

    async def begin(self, record: "ConsumerRecord[bytes, bytes]") -> Rejection | None:
        """Note that a record is begun alone; or why it is set aside instead."""
        crashed_before = await self._notes.begin(place_of(partition_of(record)), name_of(record))
        return Rejection(record, Permanent(crashed_before.reason)) if crashed_before is not None else None

    async def end(self, record: "ConsumerRecord[bytes, bytes]") -> None:
        """A record has ended, well or not."""
        await self._notes.end(place_of(partition_of(record)))

    @contextlib.contextmanager
    def in_progress(self, records: Sequence["ConsumerRecord[bytes, bytes]"]) -> Iterator[None]:
        """Note that a batch of one is in progress while the block runs; it costs nothing."""
        if len(records) == 1:
            self._notes.progress.take(place_of(partition_of(records[0])), name_of(records[0]))
        try:
            yield
        finally:
            self._notes.progress.empty()

    def waiting(self) -> AbstractAsyncContextManager[None]:
        """See `CrashNotes.waiting`; for a handler that waits for another process."""
        return self._notes.waiting()

    async def release(self, partitions: Collection[TopicPartition] | None = None) -> None:
        """Release partitions, all of them by default: this process no longer has them, and lives."""
        released = set(self._taken) if partitions is None else self._taken & set(partitions)
        self._taken -= released
        for partition in released:
            self._careful_until.pop(partition, None)
        await self._notes.close([place_of(partition) for partition in released])

    def close(self) -> None:
        """The process ends in order; what it has not released stays so."""
        self._notes.progress.close()
