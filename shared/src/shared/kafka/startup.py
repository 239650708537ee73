"""Starts clients of Kafka, however long Kafka takes to answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError
from faststream import FastStream

from shared.background import BACKOFF, until_answered
from shared.kafka.producer import Producer, new_producer
from shared.settings import Connections

log = structlog.get_logger(__name__)


async def start_when_available(client: AIOKafkaProducer | AIOKafkaConsumer, what: str, stop: asyncio.Event) -> None:
    """Start a client, trying again with a bounded pause until Kafka answers or the process is told to stop."""
    failures = 0
    while not stop.is_set():
        try:
            await client.start()
        except (KafkaError, OSError) as error:
            failures += 1
            pause_s = BACKOFF.pause_s(failures)
            log.warning("kafka away", what=what, error=str(error), retry_in_s=round(pause_s, 1), fold=what)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause_s)
        else:
            return


@asynccontextmanager
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
