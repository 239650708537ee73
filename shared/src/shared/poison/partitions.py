"""Crash notes of Kafka's partitions: which records are taken one by one after a process has died, and which not any more."""

import contextlib
from collections.abc import Callable, Collection, Iterator, Sequence

from aiokafka import ConsumerRecord, TopicPartition

from shared.consumer.decode import Rejection
from shared.failures import Permanent
from shared.poison.notes import CrashNotes

MOST_CAREFUL = 5000
"""Records of a partition that are taken one by one at most; what is behind them was not read by the dead process, or comes
to be among them when its successor dies."""


def place_of(partition: TopicPartition) -> str:
    """The place that a partition is in the notes."""
    return f"{partition.topic}/{partition.partition}"


def name_of(record: "ConsumerRecord[bytes, bytes]") -> str:
    """What a record is in the notes: its offset and its time, since offsets begin again in a log that was made anew."""
    return f"{record.offset}@{record.timestamp}"


def partition_of(record: "ConsumerRecord[bytes, bytes]") -> TopicPartition:
    """Where a record lies."""
    return TopicPartition(record.topic, record.partition)


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
        """Take the partitions of a batch that were not taken before; `end_of` tells the log's end, where it is known."""
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
        """Whether a batch is to be taken one by one; what has been passed is done with."""
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
        took_down = await self._notes.begin(place_of(partition_of(record)), name_of(record))
        return Rejection(record, Permanent(took_down.reason)) if took_down is not None else None

    async def end(self, record: "ConsumerRecord[bytes, bytes]") -> None:
        """A record has ended, well or not."""
        await self._notes.end(place_of(partition_of(record)))

    @contextlib.contextmanager
    def in_hand(self, records: Sequence["ConsumerRecord[bytes, bytes]"]) -> Iterator[None]:
        """Note, where it costs nothing, that a batch of one is begun while the block runs."""
        if len(records) == 1:
            self._notes.hand.take(place_of(partition_of(records[0])), name_of(records[0]))
        try:
            yield
        finally:
            self._notes.hand.empty()

    async def give_back(self, partitions: Collection[TopicPartition] | None = None) -> None:
        """Give partitions back, all of them where none are named: this process no longer has them, and lives."""
        given = set(self._taken) if partitions is None else self._taken & set(partitions)
        self._taken -= given
        for partition in given:
            self._careful_until.pop(partition, None)
        await self._notes.close([place_of(partition) for partition in given])

    def close(self) -> None:
        """The process ends in order; what it left open stays so."""
        self._notes.hand.close()
