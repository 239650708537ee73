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
from enrich.text.published.follower import LogFollower
from enrich.text.published.reader import PublishedLog
from enrich.text.published.recovery import Recovery
from enrich.text.refreshes.line import keep_queueing
from enrich.text.refreshes.sender import RefreshSender
from enrich.text.schedule import keep_releasing
from enrich.text.steps.text.language import load_model
from enrich.text.waiting import keep_counting_held
from shared.background import keep_running, until_answered
from shared.consumer.consumer import Consumer
from shared.http.problem import PROBLEM_HANDLERS
from shared.http.routing import Replaceable, application
from shared.http.server.limits import ServerLimits
from shared.http.server.server import http_server
from shared.kafka.broker import new_app, new_broker
from shared.kafka.group_offsets import group_offsets
from shared.kafka.producer import Producer
from shared.kafka.startup import open_producer, start_app
from shared.messages import Order, RawUpdate, Refresh, Release
from shared.observability.health import Health, health_routes, starting_route
from shared.observability.servers import ServerWatch, ask_kafka, ask_postgres
from shared.poison.notes import CrashNotes
from shared.poison.partitions import PartitionNotes
from shared.postgres.clock import SharedClock
from shared.postgres.migrations import open_pool
from shared.postgres.pool import Pool, connect
from shared.process import run_until
from shared.streams import RAW

log = structlog.get_logger(__name__)

PORT = 8093
CLIENT_ID = "slugline-enrich-text"


async def serve_text(
    settings: Settings, stop: asyncio.Event, api: Callable[[Pool, Settings, Producer], list[Route]]
) -> None:
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
        on_assignment=text.assigned,
        producer=producer,
        settings=settings,
        max_records=settings.enrich_batch,
        crash_notes=crash_notes,
    )


async def keep_recovering(text: TextHandler) -> None:
    """Recover whenever that is due though no message comes, until cancelled."""

    async def step() -> None:
        await text.wait_for_recovery()
        await text.keep_recovered()

    await keep_running("recovery", step, every_s=0)


async def _follow(
    settings: Settings,
    stop: asyncio.Event,
    health: Health,
    site: Replaceable,
    api: Callable[[Pool, Settings, Producer], list[Route]],
) -> None:
    pool = await open_pool(settings, schema="enrich", stop=stop)
    health.ready = {"kafka": lambda: "waiting for Kafka"}
    # The handler's own connections keep no lock and no listener, so none has to be cleaned after each batch.
    batch_pool = await connect(settings, schema="enrich", stop=stop, stateless=True, by_keys=True, max_size=4)
    async with open_producer(settings, CLIENT_ID, source=SOURCE, stop=stop) as producer:
        loader = ReferenceLoader(
            pool, settings.enrich_dictionary, ReferenceData(concept_tags=ConceptTags(settings.enrich_label_languages))
        )
        follower, clock = LogFollower(settings), SharedClock()
        recovery = Recovery(pool, PublishedLog(settings), follower)
        text = TextHandler(
            pool=batch_pool,
            producer=producer,
            loader=loader,
            settings=settings,
            follower=follower,
            recovery=recovery,
            clock=clock,
        )
        consumer = text_consumer(text, producer, settings, PartitionNotes(CrashNotes(pool, "enrich", STAGE)))
        app = new_app(new_broker(settings, CLIENT_ID), consumer)
        site.app = application([*health_routes(health), *api(pool, settings, producer)], PROBLEM_HANDLERS)
        if not stop.is_set():
            health.ready = {"reference": lambda: "loading the reference data"}
            await until_answered("the clock", lambda: clock.look(pool), stop)
            await until_answered("the reference data", loader.catch_up, stop)
            await asyncio.to_thread(load_model)
            await until_answered("updates.enriched", lambda: follower.start(stop), stop)
            await start_app(app, stop)
            health.ready = {"recovery": text.why_not_ready}
            consumer.report_to(health)
            servers = ServerWatch({"kafka": ask_kafka(settings), "postgres": ask_postgres(pool)})
            servers.report_to(health)
            await run_until(
                stop,
                servers.keep_asking(),
                clock.keep(pool),
                consumer.run(),
                keep_recovering(text),
                loader.follow(settings.enrich_reload_s),
                keep_releasing(
                    pool, producer,
                    interval_s=settings.enrich_release_interval_s, again_s=settings.enrich_release_again_s,
                ),
                _keep_refreshing(pool, producer, consumer.group, settings, clock),
                keep_counting_held(pool),
            )  # fmt: skip
        health.draining = True
        # The batches that end now are settled once they are seen in the log.
        await app.stop()
        await follower.stop()
    await batch_pool.close()
    await pool.close()


async def _keep_refreshing(pool: Pool, producer: Producer, group: str, settings: Settings, clock: SharedClock) -> None:
    interval_s = settings.enrich_release_interval_s
    async with group_offsets(settings, group, RAW) as committed:
        sender = RefreshSender(pool, producer, committed, settings.enrich_refreshes_per_s, clock)
        await asyncio.gather(
            keep_queueing(pool, interval_s), sender.keep_sending(interval_s), sender.keep_reporting(),
        )  # fmt: skip
