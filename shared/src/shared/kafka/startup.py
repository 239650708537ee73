"""Starts clients of Kafka, however long Kafka takes to answer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from faststream import FastStream

from shared.background import until_answered
from shared.failures import Unanswered
from shared.kafka.producer import Producer, new_producer
from shared.settings import Connections


async def start_when_available(client: AIOKafkaProducer | AIOKafkaConsumer, what: str, stop: asyncio.Event) -> None:
    """Start a client, trying again with a bounded pause until Kafka answers or the process is told to stop."""
    with contextlib.suppress(Unanswered):
        if not stop.is_set():
            await until_answered(f"Kafka, for the {what}", client.start, stop)


@contextlib.asynccontextmanager
async def open_producer(
    settings: Connections, client_id: str, *, source: str, stop: asyncio.Event
) -> AsyncIterator[Producer]:
    """A producer for as long as the block runs, which is entered once Kafka has answered or `stop` is set."""
    client = new_producer(settings, client_id)
    try:
        await start_when_available(client, "producer", stop)
        yield Producer(client, source=source, topic_prefix=settings.topic_prefix)
    finally:
        await client.stop()


async def start_app(app: FastStream, stop: asyncio.Event) -> None:
    """Start a FastStream application, trying again until Kafka answers; raises `Unanswered` once `stop` is set."""

    async def start() -> None:
        try:
            await app.start()
        except Exception:
            for broker in app.brokers:
                await broker.stop()
            raise

    await until_answered("Kafka", start, stop)
