"""Consumers without a server: FastStream's broker in memory, a producer that keeps what is sent, and records."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import ConsumerRecord
from faststream.kafka import KafkaBroker, TestKafkaBroker

from shared.consumer.consumer import Consumer
from shared.kafka.broker import new_broker
from shared.kafka.cloudevents import headers_for, value_of
from shared.kafka.producer import Producer
from shared.messages import Message
from shared.settings import Connections
from shared.streams import RAW, Stream

SETTINGS = Connections(topic_prefix="")


@dataclass(frozen=True)
class Sent:
    """A message that was sent."""

    stream: Stream
    value: bytes
    key: bytes | None


class RecordingProducer(Producer):
    """Kafka has everything at once."""

    def __init__(self) -> None:
        super().__init__(None, source="tests")  # type: ignore[arg-type]
        self.sent: list[Sent] = []

    async def send_bytes(
        self,
        stream: Stream,
        value: bytes | None,
        *,
        key: bytes | None,
        headers: Sequence[tuple[str, bytes]],
        partition: int | None = None,
    ) -> "asyncio.Future[object]":
        """Keep it."""
        self.sent.append(Sent(stream, value or b"", key))
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        future.set_result(None)
        return future

    def values(self, stream: Stream) -> list[bytes]:
        """What was sent to a stream."""
        return [sent.value for sent in self.sent if sent.stream == stream]


def record_of(
    value: bytes,
    *,
    offset: int = 0,
    partition: int = 0,
    timestamp: int = 0,
    key: bytes | None = None,
    ce_type: str = "",
    ce_id: str = "",
) -> "ConsumerRecord[bytes, bytes]":
    """A record of `updates.raw`."""
    headers = [(name, text.encode()) for name, text in (("ce_type", ce_type), ("ce_id", ce_id)) if text]
    return ConsumerRecord(RAW.name, partition, offset, timestamp, 0, key, value, None, -1, len(value), headers)


@asynccontextmanager
async def in_memory(*consumers: Consumer) -> AsyncIterator[KafkaBroker]:
    """A broker in memory that gives each message to the consumers of its topic at once."""
    broker = new_broker(SETTINGS, "tests")
    for consumer in consumers:
        consumer.subscribe(broker)
    async with TestKafkaBroker(broker) as started:
        yield started


async def put(broker: KafkaBroker, stream: Stream, message: Message, *, key: str, event_id: str = "1") -> None:
    """Put a message on a stream; returns once its consumers have taken it."""
    headers = {name: value.decode() for name, value in headers_for(message, source="tests", event_id=event_id)}
    await broker.publish(value_of(message), topic=stream.name, key=key.encode(), headers=headers)
