"""Reads a stretch of `updates.enriched` for recovery."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from aiokafka import AIOKafkaConsumer, TopicPartition

from enrich.text.published.records import PublishedRecord, published_record
from shared.failures import Transient
from shared.kafka.standalone import new_consumer
from shared.settings import Connections
from shared.streams import ENRICHED, RAW

SILENT_S = 20.0
"""After which a log that gives nothing is an outage."""
MOST_RECORDS = 1000
"""Read at once."""


@dataclass(slots=True)
class LogReader:
    """Kafka, for one recovery."""

    consumer: AIOKafkaConsumer
    partition: TopicPartition
    raw_ends: dict[int, int]
    """The end of each partition of `updates.raw`."""
    first: int
    """The first offset that the log still has."""
    end: int
    """Its end, as of when it was opened."""

    async def offset_at(self, moment_s: float) -> int:
        """The first offset of a record that is not older than a moment in seconds since the epoch."""
        found = await self.consumer.offsets_for_times({self.partition: int(moment_s * 1000)})
        at = found.get(self.partition)
        return at.offset if at is not None else self.end

    async def read(self, begin: int) -> AsyncIterator[Sequence[PublishedRecord]]:
        """The records from an offset up to the end, in the log's order."""
        position, heard_at = max(begin, self.first), time.monotonic()
        if position < self.end:
            self.consumer.assign([self.partition])
            self.consumer.seek(self.partition, position)
        while position < self.end:
            found = await self.consumer.getmany(self.partition, timeout_ms=500, max_records=MOST_RECORDS)
            records = [record for each in found.values() for record in each if record.offset < self.end]
            if records:
                heard_at = time.monotonic()
                yield [self._known(each) for each in map(published_record, records) if each is not None]
            position = max(position, await self.consumer.position(self.partition))
            if time.monotonic() - heard_at > SILENT_S:
                raise Transient(f"updates.enriched gives nothing at {position}, though it ends at {self.end}")

    def _known(self, record: PublishedRecord) -> PublishedRecord:
        """A record whose cause is not there any more, since updates.raw was made anew, does not wait for it."""
        if record.cause is not None and record.cause.offset >= self.raw_ends.get(record.cause.partition, 0):
            return replace(record, cause=None)
        return record


class PublishedLog:
    """Opens the log for each recovery: it is read after what its reader must know of was written."""

    def __init__(self, settings: Connections) -> None:
        self._settings = settings

    @asynccontextmanager
    async def open(self, partitions: Collection[int]) -> AsyncIterator[LogReader]:
        """The log as it stands now; `partitions` are those of `updates.raw` that are recovered."""
        prefix = self._settings.topic_prefix
        enriched = TopicPartition(prefix + ENRICHED.name, 0)
        raw = {TopicPartition(prefix + RAW.name, number): number for number in partitions}
        consumer = new_consumer(self._settings, "slugline-enrich-text-recovery")
        async with asyncio.timeout(SILENT_S):
            await consumer.start()
        try:
            async with asyncio.timeout(SILENT_S):
                # The ends of updates.raw are asked for last, so that no cause is taken for gone that is there.
                end = (await consumer.end_offsets([enriched]))[enriched]
                first = (await consumer.beginning_offsets([enriched]))[enriched]
                raw_ends = {raw[each]: offset for each, offset in (await consumer.end_offsets(list(raw))).items()}
            yield LogReader(consumer, enriched, raw_ends, first, end)
        finally:
            await consumer.stop()
