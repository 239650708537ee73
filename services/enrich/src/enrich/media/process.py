"""The process `enrich media`."""

import asyncio

from enrich.media.fetch import Budget, Fetcher, FetchLimits
from enrich.media.render.pool import Renderers, RenderLimits
from enrich.media.store import open_store
from enrich.media.worker import PictureDesk
from enrich.settings import Settings
from shared.consumer.consumer import Lane
from shared.kafka.clients import Emitter, new_broker, new_producer, start_broker, start_patiently
from shared.messages import MediaWanted
from shared.observability.health import Health, health_server
from shared.poison.notes import CrashNotes
from shared.poison.partitions import PartitionNotes
from shared.postgres.migrations import open_pool
from shared.process import run_until
from shared.streams import MEDIA

STAGE = "enrich.media"
HEALTH_PORT = 8094


def fetch_limits(settings: Settings) -> FetchLimits:
    """What one fetch may cost and where it may go, by the settings."""
    return FetchLimits(
        bytes=settings.enrich_media_max_bytes,
        seconds=settings.enrich_media_fetch_s,
        connect_s=min(10.0, settings.enrich_media_fetch_s),
        ports=settings.enrich_media_ports,
        allow_private=settings.enrich_media_allow_private,
    )


def render_limits(settings: Settings) -> RenderLimits:
    """What the rendering of one picture may cost, by the settings."""
    return RenderLimits(
        pixels=settings.enrich_media_max_pixels,
        seconds=settings.enrich_media_render_s,
        memory_bytes=settings.enrich_media_render_bytes,
    )


async def media(settings: Settings, stop: asyncio.Event) -> None:
    """Fetch and render what is wanted until `stop`."""
    health = Health(STAGE)
    async with health_server(health, settings, HEALTH_PORT):
        health.ready["start"] = lambda: "not started yet"
        pool = await open_pool(settings, schema="enrich", stop=stop)
        producer = new_producer(settings, STAGE)
        await start_patiently(producer, STAGE, stop)
        emitter = Emitter(producer, source="/slugline/enrich/media", topic_prefix=settings.topic_prefix)
        try:
            await _serve(settings, stop, health, pool, emitter)
        finally:
            await producer.stop()
            await pool.close()


async def _serve(settings: Settings, stop: asyncio.Event, health: Health, pool: object, emitter: Emitter) -> None:
    if stop.is_set():
        return
    broker = new_broker(settings, STAGE)
    budget = Budget(settings.enrich_media_held_bytes)
    fetcher = Fetcher(fetch_limits(settings), budget=budget, connections=2 * settings.enrich_media_fetches)
    async with fetcher, Renderers(settings.enrich_media_renderers, render_limits(settings)) as renderers:
        desk = PictureDesk(
            settings, pool=pool, store=open_store(settings), fetcher=fetcher, renderers=renderers, emitter=emitter
        )
        lane = Lane(
            stage=STAGE,
            topic=MEDIA,
            types={MediaWanted.ce_type: MediaWanted},
            handle=desk.handle,
            emitter=emitter,
            settings=settings,
            notes=PartitionNotes(CrashNotes(pool, "enrich", STAGE)),
        )
        lane.attach(broker)

        async def follow() -> None:
            await start_broker(broker, stop)
            del health.ready["start"]
            health.ready["lane"] = lane.why_not_ready
            health.roles["lane"] = lane.role
            await lane.keep_committing()

        health.ready["desk"] = desk.why_not_ready
        health.live["lane"] = lane.why_not_live
        try:
            # What is due in Postgres does not wait for a place in the consumer group.
            await run_until(stop, follow(), desk.run(), desk.keep_leases())
        finally:
            health.draining = True
            await lane.drain()
            await broker.stop()
