"""`python -m enrich text`: updates.raw becomes updates.enriched."""

import asyncio

import structlog
from starlette.applications import Starlette

from enrich.admin.api import author_routes
from enrich.reference.library import Knowledge, Library
from enrich.reference.vocabulary import Labels
from enrich.settings import Settings
from enrich.text.handler import SOURCE, STAGE, TYPES, TextLane
from enrich.text.schedule import keep_releasing
from enrich.text.steps.text.language import prepare
from shared.background import until_answered
from shared.consumer.consumer import Lane
from shared.http.problem import PROBLEM_HANDLERS
from shared.http.routing import application
from shared.http.server.bounds import Bounds
from shared.kafka.clients import Emitter, new_broker, new_producer, start_broker, start_patiently
from shared.observability.health import Health, health_routes, starting_route
from shared.poison.notes import CrashNotes
from shared.poison.partitions import PartitionNotes
from shared.postgres.migrations import open_pool
from shared.postgres.pool import connect
from shared.process import http_server, run_until
from shared.streams import RAW

log = structlog.get_logger(__name__)

PORT = 8093


async def serve_text(settings: Settings, stop: asyncio.Event) -> None:
    """The process, until `stop` is set: the port answers at once, and /readyz says what is waited for."""
    health = Health("enrich.text", ready={"postgres": lambda: "waiting for Postgres"})
    app = application([*health_routes(health), starting_route()], PROBLEM_HANDLERS)
    async with http_server(app, settings.bind_host, settings.health_port or PORT, Bounds.of(settings)):
        await _follow(settings, stop, health, app)


async def _follow(settings: Settings, stop: asyncio.Event, health: Health, app: Starlette) -> None:
    pool = await open_pool(settings, schema="enrich", stop=stop)
    health.ready = {"kafka": lambda: "waiting for Kafka"}
    producer = new_producer(settings, "slugline-enrich-text")
    await start_patiently(producer, "producer", stop)
    emitter = Emitter(producer, source=SOURCE, topic_prefix=settings.topic_prefix)
    library = Library(pool, settings.enrich_dictionary, Knowledge(labels=Labels(settings.enrich_label_languages)))
    # The lane's own connections keep no lock and no listener, so none has to be cleaned after each batch.
    lane_pool = await connect(settings, schema="enrich", stop=stop, stateless=True, by_keys=True, max_size=4)
    text = TextLane(pool=lane_pool, emitter=emitter, library=library, settings=settings)
    lane = Lane(
        stage=STAGE, topic=RAW, types=TYPES, handle=text.handle, begin=text.begin,
        emitter=emitter, settings=settings, max_records=settings.enrich_batch,
        notes=PartitionNotes(CrashNotes(pool, "enrich", STAGE)),
    )  # fmt: skip
    broker = new_broker(settings, "slugline-enrich-text")
    lane.attach(broker)
    app.router.routes[:] = [*health_routes(health), *author_routes(pool, settings.enrich_api_key_sha256)]
    if not stop.is_set():
        health.ready = {"lane": lambda: "loading what it knows"}
        await until_answered("what is known", library.catch_up, stop)
        await asyncio.to_thread(prepare)
        await start_broker(broker, stop)
        health.ready = {"lane": lane.why_not_ready}
        health.roles = {"lane": lane.role}
        health.live = {"lane": lane.why_not_live}
        await run_until(
            stop,
            lane.keep_committing(),
            library.follow(settings.enrich_reload_s),
            keep_releasing(
                pool, emitter,
                interval_s=settings.enrich_release_interval_s, again_s=settings.enrich_release_again_s,
            ),
        )  # fmt: skip
    health.draining = True
    await lane.drain()
    await broker.stop()
    await producer.stop()
    await lane_pool.close()
    await pool.close()
