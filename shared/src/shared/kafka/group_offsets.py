"""How far a consumer group has committed, asked of the broker: whichever processes are its members."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient

from shared.kafka.security import client_options
from shared.settings import Connections
from shared.streams import Stream


@asynccontextmanager
async def group_offsets(
    settings: Connections, group: str, stream: Stream
) -> AsyncIterator[Callable[[], Awaitable[Mapping[int, int]]]]:
    """Asks for the offset, by partition, that the group reads next. A partition without a commit is left out.

    Connects when it is first asked; an outage is raised as a `KafkaError`.
    """
    topic = settings.topic_prefix + stream.name
    client: AIOKafkaAdminClient | None = None

    async def ask() -> Mapping[int, int]:
        nonlocal client
        if client is None:
            starting = AIOKafkaAdminClient(**client_options(settings))
            await starting.start()
            client = starting
        offsets = await client.list_consumer_group_offsets(group)
        return {place.partition: each.offset for place, each in offsets.items() if place.topic == topic}

    try:
        yield ask
    finally:
        if client is not None:
            await client.close()
