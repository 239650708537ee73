"""`python -m enrich text`: updates.raw becomes updates.enriched."""

import asyncio
from collections.abc import Callable

import structlog
from starlette.routing import Route

from enrich.reference.loader import ReferenceData, ReferenceLoader
from enrich.reference.vocabulary import ConceptTags
from enrich.settings import Settings
from enrich.text.emission import SOURCE
from enrich.text.handler import STAGE, TextHandler
from enrich.text.schedule import keep_releasing
from enrich.text.steps.text.language import load_model
from shared.background import until_answered
from shared.consumer.consumer import Consumer
from shared.http.problem import PROBLEM_HANDLERS
from shared.http.routing import Replaceable, application
from shared.http.server.limits import ServerLimits
from shared.http.server.server import http_server
from shared.kafka.broker import new_app, new_broker
from shared.kafka.producer import Producer
from shared.kafka.startup import open_producer, start_app
from shared.messages import Order, RawUpdate, Refresh, Release
from shared.observability.health import Health, health_routes, starting_route
from shared.observability.servers import ServerWatch, ask_kafka, ask_postgres
from shared.poison.notes import CrashNotes
from shared.poison.partitions import PartitionNotes
from shared.postgres.migrations import open_pool
from shared.postgres.pool import Pool, connect
from shared.process import run_until
from shared.streams import RAW

log = structlog.get_logger(__name__)

PORT = 8093
CLIENT_ID = "slugline-enrich-text"


async def serve_text(settings: Settings, stop: asyncio.Event, api: Callable[[Pool, Settings], list[Route]]) -> None:
    """The process, until `stop` is set: the port answers at once, and /readyz says what is waited for.

    `api` gives the routes of the newsroom's own API, which the port serves beside its health.
    """
    health = Health("enrich.text", ready={"postgres": lambda: "waiting for Postgres"})
    site = Replaceable(application([*health_routes(health), starting_route()], PROBLEM_HANDLERS))
    async with http_server(site, settings.bind_host, settings.health_port or PORT, ServerLimits.of(settings)):
        await _follow(settings, stop, health, site, api)


def text_consumer(
    text: TextHandler, producer: Producer, settings: Settings, crash_notes: PartitionNotes | None = None
) -> Consumer[RawUpdate | Order | Release | Refresh]:
    """The consumer of `updates.raw`."""
    return Consumer(
        stage=STAGE,
        stream=RAW,
        handle=text.handle,
        start_batch=text.start_batch,
        producer=producer,
        settings=settings,
        max_records=settings.enrich_batch,
        crash_notes=crash_notes,
    )


async def _follow(
    settings: Settings,
    stop: asyncio.Event,
    health: Health,
    site: Replaceable,
    api: Callable[[Pool, Settings], list[Route]],
) -> None:
    pool = await open_pool(settings, schema="enrich", stop=stop)
    health.ready = {"kafka": lambda: "waiting for Kafka"}
    # The handler's own connections keep no lock and no listener, so none has to be cleaned after each batch.
    batch_pool = await connect(settings, schema="enrich", stop=stop, stateless=True, by_keys=True, max_size=4)
    async with open_producer(settings, CLIENT_ID, source=SOURCE, stop=stop) as producer:
        loader = ReferenceLoader(
            pool, settings.enrich_dictionary, ReferenceData(concept_tags=ConceptTags(settings.enrich_label_languages))
        )
        text = TextHandler(pool=batch_pool, producer=producer, loader=loader, settings=settings)
        consumer = text_consumer(text, producer, settings, PartitionNotes(CrashNotes(pool, "enrich", STAGE)))
        app = new_app(new_broker(settings, CLIENT_ID), consumer)
        site.app = application([*health_routes(health), *api(pool, settings)], PROBLEM_HANDLERS)
        if not stop.is_set():
            health.ready = {"reference": lambda: "loading the reference data"}
            await until_answered("the reference data", loader.catch_up, stop)
            await asyncio.to_thread(load_model)
            await start_app(app, stop)
            health.ready = {}
            consumer.report_to(health)
            servers = ServerWatch({"kafka": ask_kafka(settings), "postgres": ask_postgres(pool)})
            servers.report_to(health)
            await run_until(
                stop,
                servers.keep_asking(),
                consumer.run(),
                loader.follow(settings.enrich_reload_s),
                keep_releasing(
                    pool, producer,
                    interval_s=settings.enrich_release_interval_s, again_s=settings.enrich_release_again_s,
                ),
            )  # fmt: skip
        health.draining = True
        await app.stop()
    await batch_pool.close()
    await pool.close()
