"""Offsets: which are done and not committed, where to read again, and how far behind the end of the log a consumer is."""

from collections.abc import Mapping, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError
from prometheus_client import Gauge

from shared.crash_points import reached
from shared.failures.transient import TRANSIENT

log = structlog.get_logger(__name__)

LAG = Gauge("slugline_consumer_lag_messages", "Messages that wait in the consumer's topic", ["stage", "partition"])


def partition_of(record: "ConsumerRecord[bytes, bytes]") -> TopicPartition:
    """The partition that a record is in."""
    return TopicPartition(record.topic, record.partition)


def first_offsets(records: Sequence["ConsumerRecord[bytes, bytes]"]) -> dict[TopicPartition, int]:
    """The first offset of each partition in a batch."""
    first: dict[TopicPartition, int] = {}
    for record in records:
        first.setdefault(partition_of(record), record.offset)
    return first


class Offsets:
    """What is done and waits for the next commit: for each partition, the offset that follows on it."""

    def __init__(self, stage: str) -> None:
        self._stage = stage
        self._done: dict[TopicPartition, int] = {}

    def advance(self, records: Sequence["ConsumerRecord[bytes, bytes]"]) -> None:
        """Everything up to the last of these records is done."""
        for record in records:
            self._done[partition_of(record)] = record.offset + 1

    def clear(self) -> None:
        """Forget what is not committed: the partitions have another owner."""
        self._done.clear()

    async def commit(self, consumer: AIOKafkaConsumer) -> None:
        """Commit what is done, of the partitions that this consumer still owns."""
        owned = consumer.assignment()
        offsets = {partition: offset for partition, offset in self._done.items() if partition in owned}
        if not offsets:
            return
        reached("consumer.done")
        try:
            await consumer.commit(offsets)
        except TRANSIENT as error:
            log.warning(
                "commit failed; the work may be repeated", stage=self._stage, error=str(error), fold=self._stage
            )
            return
        reached("consumer.committed")
        for partition, offset in offsets.items():
            if self._done.get(partition) == offset:
                del self._done[partition]

    def seek(self, consumer: AIOKafkaConsumer | None, offsets: Mapping[TopicPartition, int]) -> None:
        """Read on at these offsets, of the partitions that this consumer still owns."""
        for partition, offset in offsets.items():
            try:
                if consumer is not None:
                    consumer.seek(partition, offset)
            except IllegalStateError:
                log.info("partition has another owner now", stage=self._stage, partition=partition.partition)

    async def measure_lag(self, consumer: AIOKafkaConsumer) -> None:
        """How many messages of each partition have not been read. Known from the first fetch on, which sets a position too."""
        for partition in list(consumer.assignment()):
            if partition not in consumer.assignment() or (end := consumer.highwater(partition)) is None:
                continue
            try:
                position = await consumer.position(partition)
            except IllegalStateError:
                continue
            LAG.labels(self._stage, str(partition.partition)).set(max(end - position, 0))
