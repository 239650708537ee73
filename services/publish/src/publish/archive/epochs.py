"""Epochs: which log the archive follows, and how it notices that the log was replaced.

A log that was recreated, truncated or moved numbers its records anew, so a cursor of the old one would point at the
wrong place. The archive remembers the offset and the id of the last record it archived. A log that does not have that record
there is a new log: it gets an epoch of its own and is read from its beginning.
"""

from dataclasses import dataclass
from hashlib import sha256

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import OffsetOutOfRangeError

from shared.consumer.decode import header_of
from shared.failures import Transient
from shared.kafka.security import client_options
from shared.kafka.standalone import new_consumer
from shared.postgres.pool import Pool, Queryable
from shared.settings import Connections
from shared.streams import ENRICHED

log = structlog.get_logger(__name__)

READ_TIMEOUT_MS = 5000


@dataclass(frozen=True, slots=True)
class Log:
    """The log as Kafka has it: records from `start` to before `end`; `event_id` of the record that was asked for, None where it is gone."""

    cluster_id: str
    start: int
    end: int
    event_id: str | None


@dataclass(frozen=True, slots=True)
class Epoch:
    """The log as the archive knows it; `last_offset` is before `first_offset` while nothing of it is archived."""

    epoch: int
    cluster_id: str
    first_offset: int
    last_offset: int
    last_event_id: str

    @property
    def is_empty(self) -> bool:
        """Whether nothing of this log is archived."""
        return self.last_offset < self.first_offset


def event_id_of(record: "ConsumerRecord[bytes, bytes]") -> str:
    """The `ce_id` of a record; of one without, a digest of its value."""
    return header_of(record, "ce_id")[:200].replace("\x00", "") or sha256(record.value or b"").hexdigest()[:32]


def reason_for_new_epoch(known: Epoch | None, seen: Log) -> str | None:
    """Why the log that Kafka has is not the one that is known; None where it is the same."""
    if known is None:
        return "the first log"
    if known.is_empty:
        return "the log ends before it began" if seen.end < known.first_offset else None
    if seen.end <= known.last_offset:
        return "the log ends before the archived place"
    if seen.event_id is None:
        return (
            "another cluster, whose log begins after the archived place"
            if seen.cluster_id != known.cluster_id
            else None
        )
    return "another record is at the archived place" if seen.event_id != known.last_event_id else None


async def inspect(settings: Connections, offset: int | None) -> Log:
    """The log as it is now, with the id of the record at `offset`; Transient while Kafka does not answer."""
    admin = AIOKafkaAdminClient(**client_options(settings), client_id="slugline-archive", request_timeout_ms=10_000)
    consumer = new_consumer(settings, "slugline-archive-epochs")
    partition = TopicPartition(settings.topic_prefix + ENRICHED.name, 0)
    try:
        await admin.start()
        await consumer.start()
        cluster_id = str((await admin.describe_cluster()).get("cluster_id") or "")
        consumer.assign([partition])
        start = (await consumer.beginning_offsets([partition]))[partition]
        end = (await consumer.end_offsets([partition]))[partition]
        event_id = None
        if offset is not None and start <= offset < end:
            consumer.seek(partition, offset)
            event_id = await _event_id_at(consumer, partition, offset)
        return Log(cluster_id, start, end, event_id)
    finally:
        await consumer.stop()
        await admin.close()


async def _event_id_at(consumer: AIOKafkaConsumer, partition: TopicPartition, offset: int) -> str | None:
    try:
        batches = await consumer.getmany(partition, timeout_ms=READ_TIMEOUT_MS, max_records=1)
    except OffsetOutOfRangeError:
        return None
    records = batches.get(partition, [])
    if not records:
        raise Transient(f"offset {offset} of {partition.topic} was not answered")
    return event_id_of(records[0]) if records[0].offset == offset else None


_NEWEST = (
    "SELECT epoch, cluster_id, first_offset, last_offset, last_event_id FROM publish.epochs ORDER BY epoch DESC LIMIT 1"
)


async def newest(source: Queryable, *, lock: bool = False) -> Epoch | None:
    """The current epoch, locked against another archive process if asked for; None before the first."""
    row = await source.fetchrow(_NEWEST + " FOR UPDATE" if lock else _NEWEST)
    return Epoch(**row) if row else None


async def align(pool: Pool, settings: Connections) -> Epoch:
    """The epoch of the log as it is now: the known one, or a new one that is begun here."""
    known = await newest(pool)
    seen = await inspect(settings, None if known is None or known.is_empty else known.last_offset)
    reason = reason_for_new_epoch(known, seen)
    async with pool.acquire() as connection, connection.transaction():
        current = await newest(connection, lock=True)
        if current is not None and (known is None or current.epoch != known.epoch):
            return current
        if reason is None and current is not None:
            if current.cluster_id != seen.cluster_id:
                await connection.execute(
                    "UPDATE publish.epochs SET cluster_id = $2 WHERE epoch = $1", current.epoch, seen.cluster_id
                )
            return current
        begun = Epoch(1 if known is None else known.epoch + 1, seen.cluster_id, seen.start, seen.start - 1, "")
        inserted = await connection.fetchval(
            "INSERT INTO publish.epochs (epoch, cluster_id, reason, first_offset, last_offset) "
            "VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING epoch",
            begun.epoch, begun.cluster_id, reason, begun.first_offset, begun.last_offset,
        )  # fmt: skip
        if inserted is None:
            raise Transient("another archive process has begun a new epoch")
    log.warning("new epoch", epoch=begun.epoch, reason=reason, cluster_id=begun.cluster_id, first_offset=seen.start)
    return begun
