"""Wires the processes: which collaborators each has, and in which order they start and end."""

import asyncio
import contextlib
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence

import structlog

from ingest.intake import items
from ingest.intake.receive import Intake
from ingest.parsers.pool import ParserPool
from ingest.settings import Settings
from ingest.sources.quiet import QuietSourceMonitor
from ingest.sources.rate_limit import SourceRateLimit
from ingest.sources.registry import Registry
from ingest.sources.statistics import SourceStatistics
from ingest.transports.api import idempotency
from ingest.transports.api.app import build
from ingest.transports.api.authentication import Api
from ingest.transports.api.openapi import document
from ingest.transports.http_client import http_client
from ingest.transports.linked_texts.fetcher import LinkedTexts
from ingest.transports.poll.poller import Poller
from ingest.transports.watch.watcher import Watcher
from ingest.transports.websub.callbacks import HubCallbacks
from shared.background import until_answered
from shared.consumer.consumer import Consumer
from shared.consumer.decode import Incoming, Rejection
from shared.failures.transient import is_transient, reason_of
from shared.http.server.limits import ServerLimits
from shared.http.server.server import http_server
from shared.kafka.broker import new_app, new_broker
from shared.kafka.producer import Producer
from shared.kafka.startup import open_producer
from shared.messages import Outcome, Outcomes
from shared.observability.health import Check, Health, health_server, internal_server
from shared.observability.servers import ServerWatch, ask_kafka, ask_postgres
from shared.poison.notes import CrashNotes
from shared.poison.partitions import PartitionNotes
from shared.postgres.migrations import open_pool
from shared.postgres.pool import Pool
from shared.process import run_until
from shared.streams import OUTCOMES

BACKGROUND_TIMEOUT_S = 10.0
"""For processes that fetch copy themselves, where no sender waits for an answer."""

log = structlog.get_logger(__name__)

OUTCOMES_STAGE = "ingest.outcomes"
OUTCOMES_PACE_S = 0.25
"""The outcomes consumer takes at most one batch every 250 ms: reporting is not latency-sensitive."""


async def open_postgres(intake: Intake, settings: Settings, stop: asyncio.Event) -> Pool:
    """A pool on a schema that is up to date, given to the intake; waits for Postgres as long as it takes."""
    pool = await open_pool(settings, schema="ingest", stop=stop, stateless=True, by_keys=True)
    # What is received is told from what was received before by the clock that all replicas share.
    await until_answered("the clock", lambda: intake.clock.look(pool), stop)
    intake.pool = pool
    return pool


async def open_kafka(
    intake: Intake, settings: Settings, stop: asyncio.Event, client_id: str, closing: contextlib.AsyncExitStack
) -> None:
    """A producer, given to the intake; waits for Kafka as long as it takes."""
    opening = open_producer(settings, client_id, source="slugline/ingest", stop=stop)
    producer = await closing.enter_async_context(opening)
    if not stop.is_set():
        intake.producer = producer


def why_not_ready(intake: Intake, registry: Registry) -> dict[str, Check]:
    """The checks of a process that takes copy in."""
    return {
        "postgres": lambda: None if intake.pool is not None else "Postgres has not answered yet",
        "kafka": lambda: None if intake.producer is not None else "Kafka has not answered yet",
        "sources": lambda: None if registry.loaded else "the sources have not been read yet",
    }


def why_not_live(intake: Intake) -> dict[str, Check]:
    """After a failed producer only a restart helps."""
    return {
        "producer": lambda: (
            "the Kafka producer has failed for good" if intake.producer is not None and intake.producer.failed else None
        )
    }


def outcomes_consumer(
    record: Callable[[Sequence[Outcome]], Awaitable[None]],
    producer: Producer,
    settings: Settings,
    crash_notes: PartitionNotes | None = None,
) -> Consumer[Outcomes]:
    """The consumer of `updates.outcomes`: what the later stages report is recorded, for the sender who asks."""

    async def handle(incoming: Sequence[Incoming[Outcomes]]) -> Sequence[Rejection]:
        await record([outcome for each in incoming for outcome in each.event.outcomes])
        return []

    return Consumer(
        stage=OUTCOMES_STAGE,
        stream=OUTCOMES,
        handle=handle,
        producer=producer,
        settings=settings,
        pace_s=OUTCOMES_PACE_S,
        crash_notes=crash_notes,
    )


async def follow_outcomes(pool: Pool, producer: Producer, settings: Settings, stop: asyncio.Event) -> None:
    """Consume outcomes until `stop`; while Kafka is away, copy is taken in all the same."""

    async def record(outcomes: Sequence[Outcome]) -> None:
        await items.record_outcomes(pool, outcomes)

    while not stop.is_set():
        notes = PartitionNotes(CrashNotes(pool, "ingest", OUTCOMES_STAGE))
        consumer = outcomes_consumer(record, producer, settings, notes)
        app = new_app(new_broker(settings, "slugline-ingest-outcomes"), consumer)
        try:
            await app.start()
            await consumer.run()
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("outcomes are not followed for now", error=reason_of(error), fold="outcomes")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 2.0)
        finally:
            await app.stop()


@contextlib.asynccontextmanager
async def opened(
    intake: Intake, registry: Registry, settings: Settings, stop: asyncio.Event, client_id: str
) -> AsyncIterator[asyncio.Task[Pool]]:
    """Postgres, Kafka, the sources and their statistics, opened in the background while the block runs.

    The task ends once both servers have answered, with the pool.
    """
    background: list[asyncio.Task[None]] = []
    closing = contextlib.AsyncExitStack()

    async def open_all() -> Pool:
        async def postgres_first() -> Pool:
            pool = await open_postgres(intake, settings, stop)
            background.append(asyncio.create_task(intake.clock.keep(pool), name="clock"))
            background.append(asyncio.create_task(registry.keep_fresh(pool), name="sources"))
            background.append(asyncio.create_task(intake.statistics.keep_flushing(pool), name="source statistics"))
            return pool

        pool, _ = await asyncio.gather(postgres_first(), open_kafka(intake, settings, stop, client_id, closing))
        return pool

    opening = asyncio.create_task(open_all(), name="opening")
    try:
        yield opening
    finally:
        opening.cancel()
        for task in background:
            task.cancel()
        await asyncio.gather(opening, *background, return_exceptions=True)
        await closing.aclose()
        await intake.parsers.close()
        if intake.pool is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(intake.pool.close(), 5)


def new_owner(settings: Settings) -> str:
    """A name for this process's leases and claims; never that of an earlier process."""
    return f"{settings.instance or socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


SERVERS = ("kafka", "postgres")


def watch_servers(
    settings: Settings, pool: Pool, health: Health, *, serves_without: Collection[str] = ()
) -> ServerWatch:
    """Whether Kafka and Postgres answer, told by /readyz."""
    watch = ServerWatch({"kafka": ask_kafka(settings), "postgres": ask_postgres(pool)})
    watch.report_to(health, serves_without=serves_without)
    return watch


async def serve_poll(settings: Settings, stop: asyncio.Event) -> None:
    """`ingest poll` until `stop`."""
    sources = Registry()
    intake = Intake(SourceStatistics(), BACKGROUND_TIMEOUT_S, parsers=ParserPool(settings.ingest_read_timeout_s))
    health = Health("ingest.poll", why_not_ready(intake, sources), why_not_live(intake))
    async with (
        health_server(health, settings, 8091),
        opened(intake, sources, settings, stop, "slugline-ingest-poll") as opening,
        http_client(allow_private=settings.ingest_outgoing_allow_private) as fetcher,
    ):

        async def poll() -> None:
            pool = await opening
            poller = Poller(settings, pool, intake, fetcher, new_owner(settings))
            servers = watch_servers(settings, pool, health)
            texts = LinkedTexts(pool, intake, fetcher, allow_plain=settings.ingest_outgoing_allow_private)
            await asyncio.gather(
                poller.run(), texts.run(), poller.subscriber.keep_unsubscribing(), servers.keep_asking()
            )

        await run_until(stop, poll())


async def serve_watch(settings: Settings, stop: asyncio.Event) -> None:
    """`ingest watch` until `stop`."""
    # watchfiles logs every change that it sees; the watcher logs what becomes of each file.
    logging.getLogger("watchfiles").setLevel(logging.WARNING)
    sources = Registry()
    intake = Intake(SourceStatistics(), BACKGROUND_TIMEOUT_S, parsers=ParserPool(settings.ingest_read_timeout_s))
    health = Health("ingest.watch", why_not_ready(intake, sources), why_not_live(intake))
    async with (
        health_server(health, settings, 8092),
        opened(intake, sources, settings, stop, "slugline-ingest-watch") as opening,
    ):

        async def watch() -> None:
            servers = watch_servers(settings, await opening, health)
            watcher = Watcher(settings, sources, intake, new_owner(settings))
            await asyncio.gather(watcher.run(), servers.keep_asking())

        await run_until(stop, watch())


async def serve_api(settings: Settings, stop: asyncio.Event) -> None:
    """`ingest api` until `stop`: it listens at once, and answers 503 until Postgres and Kafka have answered."""
    registry = Registry()
    intake = Intake(
        SourceStatistics(), settings.ingest_dependency_timeout_s, parsers=ParserPool(settings.ingest_read_timeout_s)
    )
    health = Health("ingest.api", why_not_ready(intake, registry), why_not_live(intake))
    api = Api(settings, registry, intake, SourceRateLimit())
    app = build(api, health, document, HubCallbacks(settings, registry, intake).routes())

    async with (
        opened(intake, registry, settings, stop, "slugline-ingest-api") as opening,
        http_server(app, settings.bind_host, settings.ingest_port, ServerLimits.of(settings)),
        internal_server(health, settings),
    ):

        async def outcomes() -> None:
            pool = await opening
            if intake.producer is not None:
                await follow_outcomes(pool, intake.producer, settings, stop)

        async def quiet_sources() -> None:
            await QuietSourceMonitor().keep_checking(await opening)

        async def pruning() -> None:
            await idempotency.keep_pruning(await opening)

        async def servers() -> None:
            # Senders are told by each answer: an api that is not ready would leave them without one.
            await watch_servers(settings, await opening, health, serves_without=SERVERS).keep_asking()

        async def drain() -> None:
            await stop.wait()
            health.draining = True
            await asyncio.Event().wait()

        await run_until(stop, outcomes(), quiet_sources(), pruning(), servers(), drain())
