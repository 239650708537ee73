"""The process `enrich media`."""

import asyncio

from enrich.media.fetch import Fetcher, FetchLimits, MemoryBudget
from enrich.media.render.pool import RendererPool, RenderLimits
from enrich.media.store import open_store
from enrich.media.worker import MediaWorker
from enrich.settings import Settings
from shared.background import until_answered
from shared.consumer.consumer import Consumer
from shared.kafka.broker import new_app, new_broker
from shared.kafka.producer import Producer
from shared.kafka.startup import open_producer, start_app
from shared.observability.health import Health, health_server
from shared.observability.servers import ServerWatch, ask_kafka, ask_postgres
from shared.poison.notes import CrashNotes
from shared.poison.partitions import PartitionNotes
from shared.postgres.clock import SharedClock
from shared.postgres.migrations import open_pool
from shared.postgres.pool import Pool
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


def renderer_pool(settings: Settings, count: int | None = None) -> RendererPool:
    """The renderers, by the settings."""
    path = settings.enrich_media_trusted_issuers
    trusted = path.read_text("ascii") if path is not None else ""
    return RendererPool(count or settings.enrich_media_renderers, render_limits(settings), trusted=trusted)


async def media(settings: Settings, stop: asyncio.Event) -> None:
    """Fetch and render what is wanted until `stop`."""
    health = Health(STAGE)
    async with health_server(health, settings, HEALTH_PORT):
        health.ready["start"] = lambda: "not started yet"
        pool = await open_pool(settings, schema="enrich", stop=stop)
        try:
            async with open_producer(settings, STAGE, source="/slugline/enrich/media", stop=stop) as producer:
                if not stop.is_set():
                    await _serve(settings, stop, health, pool, producer)
        finally:
            await pool.close()


async def _serve(settings: Settings, stop: asyncio.Event, health: Health, pool: Pool, producer: Producer) -> None:
    clock = SharedClock()
    await until_answered("the clock", lambda: clock.look(pool), stop)
    budget = MemoryBudget(settings.enrich_media_held_bytes)
    fetcher = Fetcher(fetch_limits(settings), budget=budget, connections=2 * settings.enrich_media_fetches)
    async with fetcher, renderer_pool(settings) as renderers:
        worker = MediaWorker(
            settings,
            pool=pool,
            store=open_store(settings),
            fetcher=fetcher,
            renderers=renderers,
            producer=producer,
            clock=clock,
        )
        consumer = Consumer(
            stage=STAGE,
            stream=MEDIA,
            handle=worker.handle,
            producer=producer,
            settings=settings,
            crash_notes=PartitionNotes(CrashNotes(pool, "enrich", STAGE)),
        )
        app = new_app(new_broker(settings, STAGE), consumer)

        servers = ServerWatch({"kafka": ask_kafka(settings), "postgres": ask_postgres(pool)})

        async def follow() -> None:
            await start_app(app, stop)
            del health.ready["start"]
            consumer.report_to(health)
            servers.report_to(health)
            await run_until(stop, consumer.run(), servers.keep_asking())

        health.ready["worker"] = worker.why_not_ready
        try:
            # What is due in Postgres does not wait for the consumer group.
            await run_until(stop, follow(), worker.run(), worker.keep_leases(), clock.keep(pool))
        finally:
            health.draining = True
            await app.stop()
