"""Reading and writing topics in tests."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared.kafka.producer import Producer, acknowledged, new_producer
from shared.kafka.standalone import new_consumer
from shared.messages import RawUpdate, update_id_for
from shared.settings import Connections
from shared.streams import Stream
from support.waiting import eventually


def raw_update(guid: str, **fields: Any) -> RawUpdate:
    """A version of an update as a source sends it."""
    defaults: dict[str, Any] = {
        "update_id": update_id_for("test", guid),
        "source": "test",
        "guid": guid,
        "received_at": datetime.now(UTC),
        "headline": f"Headline of {guid}",
        "body_html": f"<p>Text of {guid}.</p>",
    }
    return RawUpdate(**(defaults | fields))


@asynccontextmanager
async def emitting(settings: Connections) -> AsyncIterator[Producer]:
    """An producer on a kafka_producer that ends with the block."""
    kafka_producer = new_producer(settings, "tests")
    await kafka_producer.start()
    try:
        yield Producer(kafka_producer, source="tests", topic_prefix=settings.topic_prefix)
    finally:
        await kafka_producer.stop()


async def send_all(settings: Connections, stream: Stream, updates: Sequence[RawUpdate]) -> None:
    """Send updates in order, keyed by their ids, and wait until Kafka has them."""
    async with emitting(settings) as producer:
        futures = [
            await producer.send(stream, each, key=each.update_id, event_id=f"{each.update_id}:{each.fingerprint()}")
            for each in updates
        ]
        await acknowledged(futures)


async def everything_in(settings: Connections, stream: Stream) -> list["ConsumerRecord[bytes, bytes]"]:
    """All records that a topic holds now, partition by partition."""
    consumer: AIOKafkaConsumer = new_consumer(settings, "tests")
    await consumer.start()
    try:
        name = settings.topic_prefix + stream.name
        numbers = await eventually(lambda: _partitions(consumer, name), what=f"no partitions of {name}")
        partitions = [TopicPartition(name, number) for number in sorted(numbers)]
        consumer.assign(partitions)
        first = await consumer.beginning_offsets(partitions)
        end = await consumer.end_offsets(partitions)
        records: list[ConsumerRecord[bytes, bytes]] = []
        for partition in partitions:
            consumer.seek(partition, first[partition])
        waiting = {partition for partition in partitions if first[partition] < end[partition]}
        async with asyncio.timeout(20):
            while waiting:
                for partition, batch in (await consumer.getmany(timeout_ms=200)).items():
                    records.extend(record for record in batch if record.offset < end[partition])
                for partition in list(waiting):
                    if await consumer.position(partition) >= end[partition]:
                        waiting.discard(partition)
        return sorted(records, key=lambda record: (record.partition, record.offset))
    finally:
        await consumer.stop()


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    found = consumer.partitions_for_topic(topic)
    if not found:
        await consumer._client._wait_on_metadata(topic)
        found = consumer.partitions_for_topic(topic)
    return found or set()


async def committed(settings: Connections, group: str, stream: Stream) -> dict[int, int]:
    """The committed offset of each partition of a topic in a group, which is not joined for that."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_servers, group_id=settings.topic_prefix + group, enable_auto_commit=False
    )
    await consumer.start()
    try:
        name = settings.topic_prefix + stream.name
        numbers = await eventually(lambda: _partitions(consumer, name), what=f"no partitions of {name}")
        partitions = [TopicPartition(name, number) for number in sorted(numbers)]
        consumer.assign(partitions)
        offsets = {each.partition: await consumer.committed(each) for each in partitions}
        return {number: offset for number, offset in offsets.items() if offset is not None}
    finally:
        await consumer.stop()
