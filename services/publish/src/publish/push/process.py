"""`python -m publish push`: webhooks, WebSub, alerts and purges; and the commands around them."""

import asyncio
import contextlib
import gc
import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import click
import structlog
from starlette.routing import Route

from publish.cache.store import open_read_model
from publish.keys import KEYS, PublishKeys, WantedPublishKey, disable_endpoints
from publish.push.alerts.decisions import AlertDecisions
from publish.push.alerts.desk_routes import DeskRoutes
from publish.push.alerts.providers.provider import Resources
from publish.push.alerts.providers.registry import open_providers
from publish.push.alerts.providers.web.client import WebPush
from publish.push.alerts.reader_routes import ReaderRoutes
from publish.push.alerts.rules import AlertRules, read_rules
from publish.push.alerts.sending.batch import PushBatch
from publish.push.alerts.sending.digests import Digests
from publish.push.alerts.sending.release import AlertRelease
from publish.push.alerts.sending.sender import AlertSender
from publish.push.alerts.subscriptions import Subscriptions
from publish.push.cli import alert_list, alert_one, endpoint_commands, key_commands, mute_commands, vapid_key
from publish.push.delivery.attempts import RetryPolicy
from publish.push.delivery.http import KeyedRoutes
from publish.push.delivery.outbound import Outbound
from publish.push.delivery.worker import DeliveryChannel, DeliveryWorker
from publish.push.monitor.monitor import PublishMonitor, sinks_of
from publish.push.monitor.routes import MonitorRoutes
from publish.push.monitor.watches import Watches
from publish.push.notifier import Notifier, queue_takedowns
from publish.push.openapi import openapi_route
from publish.push.purge.surrogate_keys import SCHEDULE_S, Purges, apply, queue_purges
from publish.push.readiness import ReadinessChecks
from publish.push.settings import PushSettings
from publish.push.webhooks.endpoints import Endpoints
from publish.push.webhooks.message import Webhooks
from publish.push.webhooks.queueing import queue_webhooks
from publish.push.webhooks.routes import EndpointRoutes
from publish.push.websub.feeds import FeedDistribution, queue_feeds
from publish.push.websub.hub import Hub
from publish.retention import PUSHED
from publish.takedown.proof import keep_proving
from publish.takedown.sinks.every import open_sinks
from shared.access.authentication import Authentication, WrongKeys
from shared.access.holder import KeyHolder
from shared.access.ring import KeyRing
from shared.access.routes import KeyRoutes
from shared.audit.author import Author
from shared.audit.log import append_if_changed
from shared.background import keep_running, until_answered
from shared.consumer.consumer import Consumer
from shared.http.problem import PROBLEM_HANDLERS
from shared.http.proxies import TrustedProxies
from shared.http.routing import Replaceable, application
from shared.http.server.limits import ServerLimits
from shared.http.server.server import http_server
from shared.kafka.broker import new_app, new_broker
from shared.kafka.producer import Producer
from shared.kafka.startup import open_producer, start_app
from shared.messages import EnrichedUpdate
from shared.observability.health import Health, internal_server, open_health_routes, starting_route
from shared.observability.servers import ServerWatch, ask_kafka, ask_postgres
from shared.poison.notes import CrashNotes
from shared.poison.partitions import PartitionNotes
from shared.postgres import set_aside
from shared.postgres.migrations import open_pool
from shared.postgres.pool import Pool
from shared.process import run, run_until
from shared.retention.prune import prune
from shared.streams import ENRICHED, PUSH_BATCHES

log = structlog.get_logger(__name__)

STAGE = "publish.push"
BATCHES_STAGE = "publish.push.batches"
CLIENT_ID = "slugline-publish-push"
FORGET_INTERVAL_S = 600.0
EXPIRED_INTERVAL_S = 60.0
SITE_TIMEOUT_S = 5.0
"""For a feed that a WebSub delivery is made of: with the question before it, less than the lease of the delivery."""
BATCHES_AT_ONCE = 4
"""Batches that one poll hands over: they are done before any is committed, and that must take less than a rebalance."""


@contextlib.asynccontextmanager
async def readiness_checks(settings: PushSettings) -> AsyncIterator[ReadinessChecks]:
    """Where readers read, as the settings say; these addresses come from the settings, so private ones are in order."""
    async with (
        open_read_model(settings, timeout_s=3) as model,
        Outbound(allow_private=True, timeout_s=5.0) as outbound,
    ):
        yield ReadinessChecks(outbound, settings.web_urls, model if settings.publish_push_check_cache else None)


@dataclass(frozen=True, slots=True)
class Alerts:
    """The parts of the alerts channel."""

    decisions: AlertDecisions
    release: AlertRelease
    sender: AlertSender
    digests: Digests
    routes: list[Route]


@dataclass(frozen=True, slots=True)
class Parts:
    """What runs in the process."""

    workers: Sequence[DeliveryWorker]
    notifier: Notifier
    monitor: PublishMonitor
    alerts: Alerts
    hub: Hub
    routes: list[Route]


def _delivery_workers(settings: PushSettings, resources: Resources, site: Outbound) -> list[DeliveryWorker]:
    """One for each kind of endpoint, so that none waits for another."""
    feeds = FeedDistribution(
        site,
        site_url=settings.publish_site_url,
        web_url=settings.web_urls[0],
        hub_url=settings.websub_hub,
    )
    purges = Purges(
        method=settings.publish_push_purge_method,
        header=settings.publish_push_purge_header,
        authorization=settings.publish_push_purge_auth,
    )
    webhooks = Webhooks(resources.pool, settings.publish_site_url)
    policy = RetryPolicy(settings.push_schedule_s, timedelta(hours=settings.publish_push_disable_after_h))
    channels = {
        "purge": DeliveryChannel(purges.build, RetryPolicy(SCHEDULE_S, None)),
        "webhook": DeliveryChannel(webhooks.build, policy),
        "websub": DeliveryChannel(feeds.build, policy),
    }
    return [
        DeliveryWorker(
            resources.pool,
            resources.outbound,
            resources.trusted,
            {kind: channel},
            in_flight=settings.publish_push_in_flight,
            per_endpoint=settings.publish_push_per_endpoint,
            timeout_s=settings.publish_push_timeout_s,
        )
        for kind, channel in channels.items()
    ]


async def _alerts(
    settings: PushSettings,
    resources: Resources,
    producer: Producer,
    readiness: ReadinessChecks,
    stack: contextlib.AsyncExitStack,
    *,
    keys: Authentication,
) -> Alerts:
    pool, site_url, site_name = resources.pool, settings.publish_site_url, settings.publish_site_name
    rules = read_rules(settings.publish_push_rules)
    await until_answered("the audit log, for the rules", lambda: _note_rules(pool, rules), resources.stop)
    providers = await open_providers(settings, resources, stack)
    web_push = providers["web"]
    release = AlertRelease(pool, rules, producer, readiness, clock=resources.clock)
    decisions = AlertDecisions(pool, rules, release.wake, clock=resources.clock)
    sender = AlertSender(pool, providers, rules, site_url=site_url, clock=resources.clock)
    reader_routes = ReaderRoutes(
        Subscriptions(pool, rules, allow_private=settings.publish_push_allow_private),
        sender,
        public_key=web_push.public_key if isinstance(web_push, WebPush) else "",
        site_url=site_url,
        site_name=site_name,
        proxies=TrustedProxies.of(settings),
    )
    return Alerts(
        decisions,
        release,
        sender,
        Digests(pool, sender, rules, site_url=site_url, site_name=site_name),
        [*reader_routes.routes(), *DeskRoutes(pool, keys, decisions, rules, site_url).routes()],
    )


async def _parts(
    settings: PushSettings,
    resources: Resources,
    producer: Producer,
    readiness: ReadinessChecks,
    stack: contextlib.AsyncExitStack,
    *,
    notes: PartitionNotes,
) -> Parts:
    pool = resources.pool
    site = await stack.enter_async_context(
        Outbound(allow_private=True, timeout_s=min(settings.publish_push_timeout_s, SITE_TIMEOUT_S))
    )
    workers = _delivery_workers(settings, resources, site)
    keys = Authentication(
        KeyRing(KEYS), WrongKeys(TrustedProxies.of(settings)), lambda: pool, realm="slugline push", on_demand=True
    )
    alerts = await _alerts(settings, resources, producer, readiness, stack, keys=keys)

    def wake() -> None:
        for worker in workers:
            worker.wake()

    def queued() -> None:
        wake()
        alerts.release.wake()

    monitor = PublishMonitor(pool, readiness, Watches(sinks_of(settings)), clock=resources.clock.timestamp)
    notifier = Notifier(
        pool,
        readiness,
        {
            "takedowns": queue_takedowns,
            "purges": queue_purges,
            "webhooks": queue_webhooks,
            "feeds": queue_feeds,
            "alerts": alerts.decisions.queue,
        },
        readable_s=settings.publish_push_readable_s,
        done=queued,
        found=monitor.watch,
        waiting=notes.waiting,
    )
    hub = Hub(
        pool,
        resources.outbound,
        site_url=settings.publish_site_url,
        allow_private=settings.publish_push_allow_private,
        proxies=TrustedProxies.of(settings),
    )
    endpoints = Endpoints(pool, allow_private=settings.publish_push_allow_private)
    routes = [*hub.routes(), *EndpointRoutes(keys, endpoints, wake).routes(), *alerts.routes]

    async def postgres() -> Pool:
        return pool

    routes += KeyRoutes(PublishKeys(), keys, postgres, wanted=WantedPublishKey).routes()
    watching = MonitorRoutes(monitor.watches, KeyedRoutes(keys), resources.clock.timestamp)
    routes += watching.routes()
    routes.append(openapi_route(routes, settings.publish_push_url))
    routes += watching.pages()
    return Parts(workers, notifier, monitor, alerts, hub, routes)


async def _note_rules(pool: Pool, rules: AlertRules) -> None:
    """The rules of a file have no other moment at which they change than a start."""
    by = Author(KeyHolder("process", STAGE), socket.gethostname(), "read at a start")
    async with pool.acquire() as connection, connection.transaction():
        await append_if_changed(
            connection, by.entry("alert-rules-set", "alert-rules", None, rules.model_dump(mode="json"))
        )


async def forget_old(pool: Pool, keep_days: int) -> None:
    """Delete what ended longer ago: deliveries, alerts with their results; and of what was pushed, what no log repeats."""
    await set_aside.forget_old(pool, "publish")
    await prune(pool, [replace(rule, days=max(keep_days, rule.least_days)) for rule in PUSHED])


async def _keep_forgetting(pool: Pool, keep_days: int) -> None:
    await asyncio.gather(
        keep_running("old deliveries", lambda: forget_old(pool, keep_days), every_s=FORGET_INTERVAL_S),
        keep_running("endpoints without a key", lambda: disable_endpoints(pool), every_s=EXPIRED_INTERVAL_S),
    )


async def serve(settings: PushSettings, stop: asyncio.Event) -> None:
    """The process: the port answers at once, and /readyz says what is waited for."""
    health = Health(STAGE, ready={"postgres": lambda: "waiting for Postgres"})
    site = Replaceable(application([*open_health_routes(health, settings), starting_route()], PROBLEM_HANDLERS))
    port = settings.health_port or settings.publish_push_port
    async with (
        http_server(site, settings.bind_host, port, ServerLimits.of(settings)),
        internal_server(health, settings),
    ):
        pool = await open_pool(settings, schema="publish", stop=stop, max_size=12)
        health.ready = {"kafka": lambda: "waiting for Kafka"}
        async with open_producer(settings, CLIENT_ID, source="slugline/publish/push", stop=stop) as producer:
            await _follow(settings, stop, health, site, pool=pool, producer=producer)
        await pool.close()


def updates_consumer(
    notifier: Notifier, producer: Producer, settings: PushSettings, crash_notes: PartitionNotes | None = None
) -> Consumer[EnrichedUpdate]:
    """The consumer of `updates.enriched`, which queues deliveries and alerts."""
    return Consumer(
        stage=STAGE,
        stream=ENRICHED,
        handle=notifier.handle,
        producer=producer,
        settings=settings,
        crash_notes=crash_notes,
    )


def batches_consumer(
    sender: AlertSender, producer: Producer, settings: PushSettings, crash_notes: PartitionNotes | None = None
) -> Consumer[PushBatch]:
    """The consumer of `push.batches`, which sends alerts to subscriptions."""
    return Consumer(
        stage=BATCHES_STAGE,
        stream=PUSH_BATCHES,
        types={PushBatch.ce_type: PushBatch},
        handle=sender.handle,
        producer=producer,
        settings=settings,
        max_records=BATCHES_AT_ONCE,
        crash_notes=crash_notes,
    )


async def _follow(
    settings: PushSettings, stop: asyncio.Event, health: Health, site: Replaceable, *, pool: Pool, producer: Producer
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        readiness = await stack.enter_async_context(readiness_checks(settings))
        takedown_sinks = await stack.enter_async_context(open_sinks(settings, pool))
        await until_answered("caches to purge", lambda: apply(pool, settings.purge_urls), stop)
        timeout_s = settings.publish_push_timeout_s
        private = settings.publish_push_allow_private
        resources = Resources(
            pool,
            await stack.enter_async_context(Outbound(allow_private=private, timeout_s=timeout_s)),
            await stack.enter_async_context(Outbound(allow_private=True, timeout_s=timeout_s)),
            timeout_s,
            stop,
        )
        await until_answered("the clock", lambda: resources.clock.look(pool), stop)
        updates_notes = PartitionNotes(CrashNotes(pool, "publish", STAGE))
        parts = await _parts(settings, resources, producer, readiness, stack, notes=updates_notes)
        batches_notes = PartitionNotes(CrashNotes(pool, "publish", BATCHES_STAGE))
        updates = updates_consumer(parts.notifier, producer, settings, updates_notes)
        batches = batches_consumer(parts.alerts.sender, producer, settings, batches_notes)
        app = new_app(new_broker(settings, CLIENT_ID), updates, batches)
        site.app = application([*open_health_routes(health, settings), *parts.routes], PROBLEM_HANDLERS)
        # Sending an alert makes many short-lived objects and no cycles: at the usual thresholds, half of its time goes to the collector.
        gc.collect()
        gc.freeze()
        gc.set_threshold(100_000, 50, 50)
        if not stop.is_set():
            await start_app(app, stop)
            health.ready = {}
            updates.report_to(health)
            batches.report_to(health)
            servers = ServerWatch({"kafka": ask_kafka(settings), "postgres": ask_postgres(pool)})
            servers.report_to(health)
            await run_until(
                stop,
                servers.keep_asking(),
                resources.clock.keep(pool),
                updates.run(),
                batches.run(),
                *(worker.keep_delivering() for worker in parts.workers),
                parts.notifier.keep_retrying(),
                parts.monitor.keep_watching(),
                parts.hub.keep_verifying(),
                parts.alerts.release.keep_releasing(),
                parts.alerts.sender.keep_retrying(),
                parts.alerts.digests.keep_sending(),
                keep_proving(pool, takedown_sinks),
                _keep_forgetting(pool, settings.publish_push_keep_days),
            )
        health.draining = True
        await app.stop()


@click.group(invoke_without_command=True)
@click.pass_context
def push(context: click.Context) -> None:
    """Deliver webhooks, WebSub, alerts and purges; without a command, run the process."""
    if context.invoked_subcommand is None:
        settings = PushSettings()
        run(settings, STAGE, lambda stop: serve(settings, stop))


for command in (key_commands, endpoint_commands, alert_list, alert_one, mute_commands, vapid_key):
    push.add_command(command)
