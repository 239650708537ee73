"""`enrich text` in the test's own process, on real servers."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from enrich.settings import Settings
from shared.kafka.producer import Producer, new_producer
from shared.settings import Connections
from support.enrich_text import Desk, Replicas, running, settings_of


@pytest_asyncio.fixture
async def desk(newsroom: Connections) -> AsyncIterator[Desk]:
    """A desk of a newsroom in which enrich text does not run yet."""
    settings = settings_of(newsroom)
    kafka_producer = new_producer(settings, "test")
    await kafka_producer.start()
    try:
        yield Desk(settings, Producer(kafka_producer, source="test", topic_prefix=settings.topic_prefix))
    finally:
        await kafka_producer.stop()


@pytest_asyncio.fixture
async def replicas(newsroom: Connections) -> AsyncIterator[Replicas]:
    """Starts replicas of enrich text: `await replicas(2, enrich_…=…)`; they end with the test."""
    async with AsyncExitStack() as stack:

        async def start(count: int = 1, **changes: Any) -> list[Settings]:
            started = [settings_of(newsroom, **changes) for _ in range(count)]
            for settings in started:
                await stack.enter_async_context(running(settings))
            return started

        yield start


@pytest.fixture
def now() -> datetime:
    """The moment of the test, in UTC."""
    return datetime.now(UTC)
