"""What `archive` and `cache` are as processes: a consumer of `updates.enriched` that knows its own position, and a watch beside it."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from types import MappingProxyType
from typing import Protocol

import structlog
from aiokafka import ConsumerRecord, TopicPartition

from publish.settings import Settings
from shared.consumer.consumer import Consumer
from shared.consumer.decode import Incoming, Rejection
from shared.kafka.broker import new_app, new_broker
from shared.kafka.producer import Producer
from shared.kafka.startup import open_producer, start_app
from shared.messages import EnrichedUpdate
from shared.observability.health import Health, health_server
from shared.observability.servers import Ask, ServerWatch, ask_kafka, ask_postgres
from shared.poison.notes import CrashNotes
from shared.poison.partitions import PartitionNotes
from shared.postgres.migrations import open_pool
from shared.postgres.pool import Pool
from shared.process import run_until
from shared.streams import ENRICHED

log = structlog.get_logger(__name__)

PACE_S = 0.25
"""Archive and cache take at most one batch every 250 ms: readers get updates from the log itself, and a batch of many
messages costs hardly more than a batch of one."""


class Channel(Protocol):
    """What one channel does with the log; see `Consumer` for `handle` and `check_position`."""

    async def handle(self, incoming: Sequence[Incoming[EnrichedUpdate]]) -> Sequence[Rejection]:
        """Store a batch."""

    async def check_position(
        self, records: Sequence["ConsumerRecord[bytes, bytes]"]
    ) -> Mapping[TopicPartition, int] | None:
        """Where to read instead, if these records do not follow on what is stored."""

    async def keep_watching(self) -> None:
        """Notice what changes while no message comes; until cancelled."""


OpenChannel = Callable[[Pool, Producer], AbstractAsyncContextManager[Channel]]
"""Makes a channel, and closes what it opened when the process ends."""


def channel_consumer(
    stage: str, channel: Channel, producer: Producer, settings: Settings, crash_notes: PartitionNotes | None = None
) -> Consumer[EnrichedUpdate]:
    """The consumer of `updates.enriched` for a channel."""
    return Consumer(
        stage=stage,
        stream=ENRICHED,
        handle=channel.handle,
        producer=producer,
        settings=settings,
        check_position=channel.check_position,
        pace_s=PACE_S,
        crash_notes=crash_notes,
    )


async def follow(
    settings: Settings,
    stop: asyncio.Event,
    name: str,
    open_channel: OpenChannel,
    *,
    health_port: int,
    max_size: int = 8,
    stateless: bool = False,
    servers: Mapping[str, Ask] = MappingProxyType({}),
) -> None:
    """The process of a channel: its health port answers at once, and it consumes once Postgres and Kafka have answered.

    `servers` are those that it needs besides.
    """
    stage, client_id = f"publish.{name}", f"slugline-publish-{name}"
    health = Health(stage, ready={"start": lambda: "Postgres or Kafka has not answered yet"})
    started = time.monotonic()
    async with health_server(health, settings, health_port):
        pool = await open_pool(settings, schema="publish", stop=stop, max_size=max_size, stateless=stateless)
        async with (
            open_producer(settings, client_id, source=f"slugline/publish/{name}", stop=stop) as producer,
            open_channel(pool, producer) as channel,
        ):
            notes = PartitionNotes(CrashNotes(pool, "publish", stage))
            consumer = channel_consumer(stage, channel, producer, settings, notes)
            app = new_app(new_broker(settings, client_id), consumer)
            if not stop.is_set():
                await start_app(app, stop)
                health.ready = {}
                consumer.report_to(health)
                watch = ServerWatch({"kafka": ask_kafka(settings), "postgres": ask_postgres(pool), **servers})
                watch.report_to(health)
                log.info("following the log", started_in_s=round(time.monotonic() - started, 2))
                await run_until(stop, consumer.run(), channel.keep_watching(), watch.keep_asking())
            health.draining = True
            await app.stop()
        await pool.close()
