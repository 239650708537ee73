"""What `archive` and `cache` are as processes: a lane on `updates.enriched` that knows its own place, and a watch beside it."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import structlog
from aiokafka import ConsumerRecord, TopicPartition

from publish.settings import Settings
from shared.consumer.consumer import Lane
from shared.consumer.decode import Delivery, Rejection
from shared.kafka.clients import Emitter, new_broker, new_producer, start_broker, start_patiently
from shared.messages import EnrichedUpdate
from shared.observability.health import Health, health_server
from shared.poison.notes import CrashNotes
from shared.poison.partitions import PartitionNotes
from shared.postgres.migrations import open_pool
from shared.process import run_until
from shared.streams import ENRICHED

log = structlog.get_logger(__name__)

PACE_S = 0.25
"""Readers are served by the log; a batch of many costs hardly more than one."""


class Follower(Protocol):
    """One channel's work on the log; see `Lane` for `handle` and `before`."""

    async def handle(self, deliveries: Sequence[Delivery[EnrichedUpdate]]) -> Sequence[Rejection]:
        """Take a batch."""

    async def before(self, records: Sequence["ConsumerRecord[bytes, bytes]"]) -> Mapping[TopicPartition, int] | None:
        """Where to read instead, if these records do not follow on what is done."""

    async def keep_watching(self) -> None:
        """Notice what changes while no message comes; until cancelled."""


Opening = Callable[[Any, Emitter], AbstractAsyncContextManager[Follower]]
"""Makes a follower of (pool, emitter), and ends what it opened when the process ends."""


async def follow(
    settings: Settings,
    stop: asyncio.Event,
    channel: str,
    opening: Opening,
    *,
    health_port: int,
    **pool_options: Any,
) -> None:
    """The process of a channel: its health port answers at once, the lane runs once Postgres and Kafka have answered."""
    stage, client_id = f"publish.{channel}", f"slugline-publish-{channel}"
    health = Health(stage, ready={"start": lambda: "Postgres or Kafka has not answered yet"})
    started = time.monotonic()
    async with health_server(health, settings, health_port):
        pool = await open_pool(settings, schema="publish", stop=stop, **pool_options)
        producer = new_producer(settings, client_id)
        await start_patiently(producer, "producer", stop)
        emitter = Emitter(producer, source=f"slugline/publish/{channel}", topic_prefix=settings.topic_prefix)
        async with opening(pool, emitter) as follower:
            lane = Lane(
                stage=stage,
                topic=ENRICHED,
                types={EnrichedUpdate.ce_type: EnrichedUpdate},
                handle=follower.handle,
                emitter=emitter,
                settings=settings,
                before=follower.before,
                pace_s=PACE_S,
                notes=PartitionNotes(CrashNotes(pool, "publish", stage)),
            )
            broker = new_broker(settings, client_id)
            lane.attach(broker)
            if not stop.is_set():
                await start_broker(broker, stop)
                health.ready = {"lane": lane.why_not_ready}
                health.roles = {"lane": lane.role}
                health.live = {"lane": lane.why_not_live}
                log.info("following the log", started_in_s=round(time.monotonic() - started, 2))
                await run_until(stop, lane.keep_committing(), follower.keep_watching())
            health.draining = True
            await lane.drain()
            await broker.stop()
        await producer.stop()
        await pool.close()
