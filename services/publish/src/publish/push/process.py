"""`python -m publish push`: webhooks, WebSub, alerts and purges; and the commands around them."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import click
import structlog
from redis.asyncio import Redis
from starlette.routing import Route

from publish.cache.store import ReadModel
from publish.push.alerts.decisions import Alerts, PushBatch
from publish.push.alerts.providers import Courier
from publish.push.alerts.providers.apns import Apns
from publish.push.alerts.providers.fcm import Fcm, ServiceAccount
from publish.push.alerts.providers.web import Vapid, WebPush
from publish.push.alerts.routes import AlertRoutes, ReaderRoutes
from publish.push.alerts.rules import read_rules
from publish.push.alerts.sender import Fanout
from publish.push.alerts.subscriptions import Subscriptions, vapid_key
from publish.push.cli import alert_list, alert_one, endpoint_commands, key_commands, mute_commands
from publish.push.cli import vapid_key as vapid_command
from publish.push.delivery.endpoints import Endpoints
from publish.push.delivery.outbound import Outbound
from publish.push.delivery.queue import Deliveries, forget_old
from publish.push.delivery.routes import EndpointRoutes
from publish.push.notify import Notifier, queue_takedowns, queue_webhooks
from publish.push.openapi import openapi_route
from publish.push.purge.surrogate_keys import Purges, apply, queue_purges
from publish.push.readiness import Sinks
from publish.push.webhooks.message import Webhooks
from publish.push.websub.hub import Feeds, Hub, queue_feeds
from publish.settings import Settings
from publish.takedown.prove import keep_proving, prover_of
from shared.background import keep_running, until_answered
from shared.consumer.consumer import Consumer
from shared.http.problem import PROBLEM_HANDLERS
from shared.http.proxies import TrustedProxies
from shared.http.routing import Replaceable, application
from shared.http.server.bounds import Bounds
from shared.kafka.broker import new_app, new_broker
from shared.kafka.producer import Producer
from shared.kafka.startup import open_producer, start_app
from shared.messages import EnrichedUpdate
from shared.observability.health import Health, health_routes, starting_route
from shared.poison.notes import CrashNotes
from shared.poison.partitions import PartitionNotes
from shared.postgres.migrations import open_pool
from shared.postgres.pool import Pool
from shared.process import http_server, run, run_until
from shared.streams import ENRICHED, PUSH_BATCHES

log = structlog.get_logger(__name__)

STAGE = "publish.push"
BATCHES_STAGE = "publish.push.batches"
CLIENT_ID = "slugline-publish-push"
FORGET_INTERVAL_S = 600.0
BATCHES_AT_ONCE = 4
"""Batches that one poll hands over: they are done before any is committed, and that must take less than a rebalance."""


@contextlib.asynccontextmanager
async def sinks_of(settings: Settings) -> AsyncIterator[Sinks]:
    """Where readers read, as the settings say; these addresses are ours, so private ones are in order."""
    redis = Redis.from_url(settings.redis_url, socket_timeout=3, socket_connect_timeout=2)
    model = ReadModel(
        redis,
        topic_prefix=settings.topic_prefix,
        feed_length=settings.publish_cache_feed_length,
        days=settings.publish_cache_days,
    )
    async with Outbound(allow_private=True, timeout_s=5.0) as outbound:
        try:
            yield Sinks(outbound, settings.web_urls, model if settings.publish_push_check_cache else None)
        finally:
            await redis.aclose()


async def _keep_forgetting(pool: Pool, keep: timedelta) -> None:
    await keep_running("old deliveries", lambda: forget_old(pool, keep), every_s=FORGET_INTERVAL_S)


@dataclass(frozen=True)
class Parts:
    """What the process is made of."""

    deliveries: Deliveries
    notifier: Notifier
    alerts: Alerts
    fanout: Fanout
    hub: Hub
    routes: list[Route]


async def _couriers(
    settings: Settings, outbound: Outbound, ours: Outbound, vapid: Vapid, stack: contextlib.AsyncExitStack
) -> dict[str, Courier]:
    couriers: dict[str, Courier] = {"web": WebPush(outbound, vapid)}
    if settings.publish_push_fcm_account is not None:
        account = ServiceAccount.read(settings.publish_push_fcm_account.read_bytes())
        couriers["fcm"] = Fcm(ours, account, url=settings.publish_push_fcm_url)
    if settings.publish_push_apns_key is not None:
        apns = Apns(
            private_key_pem=settings.publish_push_apns_key.read_text(),
            key_id=settings.publish_push_apns_key_id,
            team_id=settings.publish_push_apns_team,
            app=settings.publish_push_apns_app,
            url=settings.publish_push_apns_url,
            timeout_s=settings.publish_push_timeout_s,
        )
        stack.push_async_callback(apns.aclose)
        couriers["apns"] = apns
    return couriers


async def _parts(
    settings: Settings, pool: Pool, producer: Producer, sinks: Sinks, key: str, *, stack: contextlib.AsyncExitStack
) -> Parts:
    rules = read_rules(settings.publish_push_rules)
    outbound = await stack.enter_async_context(
        Outbound(allow_private=settings.publish_push_allow_private, timeout_s=settings.publish_push_timeout_s)
    )
    ours = await stack.enter_async_context(Outbound(allow_private=True, timeout_s=settings.publish_push_timeout_s))
    site_url = settings.publish_site_url
    feeds = Feeds(ours, site_url=site_url, web_url=settings.web_urls[0], hub_url=settings.websub_hub)
    purges = Purges(
        method=settings.publish_push_purge_method,
        header=settings.publish_push_purge_header,
        authorization=settings.publish_push_purge_auth,
    )
    deliveries = Deliveries(
        pool,
        outbound,
        ours,
        {"webhook": Webhooks(pool, site_url).compose, "websub": feeds.compose, "purge": purges.compose},
        in_flight=settings.publish_push_in_flight,
        per_endpoint=settings.publish_push_per_endpoint,
        schedule_s=settings.push_schedule_s,
        disable_after=timedelta(hours=settings.publish_push_disable_after_h),
        timeout_s=settings.publish_push_timeout_s,
    )
    alerts = Alerts(pool, rules, producer, sinks)
    vapid = Vapid(key, settings.publish_push_vapid_contact)
    fanout = Fanout(
        pool,
        await _couriers(settings, outbound, ours, vapid, stack),
        rules,
        site_url=settings.publish_site_url,
        site_name=settings.publish_site_name,
    )

    def queued() -> None:
        deliveries.wake()
        alerts.wake()

    notifier = Notifier(
        pool,
        sinks,
        [queue_takedowns, queue_purges, queue_webhooks, queue_feeds, alerts.queue],
        readable_s=settings.publish_push_readable_s,
        done=queued,
    )
    private = settings.publish_push_allow_private
    proxies = TrustedProxies.of(settings)
    hub = Hub(pool, outbound, site_url=site_url, allow_private=private, proxies=proxies)
    routes = [
        *hub.routes(),
        *EndpointRoutes(pool, Endpoints(pool, allow_private=private), deliveries.wake).routes(),
        *ReaderRoutes(
            Subscriptions(pool, rules, allow_private=private),
            fanout,
            public_key=vapid.public_key,
            site_url=settings.publish_site_url,
            site_name=settings.publish_site_name,
            proxies=proxies,
        ).routes(),
        *AlertRoutes(pool, alerts, rules, settings.publish_site_url).routes(),
    ]
    routes.append(openapi_route(routes, settings.publish_push_url))
    return Parts(deliveries, notifier, alerts, fanout, hub, routes)


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """The process: the port answers at once, and /readyz says what is waited for."""
    health = Health(STAGE, ready={"postgres": lambda: "waiting for Postgres"})
    site = Replaceable(application([*health_routes(health), starting_route()], PROBLEM_HANDLERS))
    port = settings.health_port or settings.publish_push_port
    async with http_server(site, settings.bind_host, port, Bounds.of(settings)):
        pool = await open_pool(settings, schema="publish", stop=stop, max_size=12)
        health.ready = {"kafka": lambda: "waiting for Kafka"}
        async with open_producer(settings, CLIENT_ID, source="slugline/publish/push", stop=stop) as producer:
            await _follow(settings, stop, health, site, pool=pool, producer=producer)
        await pool.close()


def updates_consumer(
    notifier: Notifier, producer: Producer, settings: Settings, crash_notes: PartitionNotes | None = None
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
    fanout: Fanout, producer: Producer, settings: Settings, crash_notes: PartitionNotes | None = None
) -> Consumer[PushBatch]:
    """The consumer of `push.batches`, which sends alerts to subscriptions."""
    return Consumer(
        stage=BATCHES_STAGE,
        stream=PUSH_BATCHES,
        types={PushBatch.ce_type: PushBatch},
        handle=fanout.handle,
        producer=producer,
        settings=settings,
        max_records=BATCHES_AT_ONCE,
        crash_notes=crash_notes,
    )


async def _follow(
    settings: Settings, stop: asyncio.Event, health: Health, site: Replaceable, *, pool: Pool, producer: Producer
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        sinks = await stack.enter_async_context(sinks_of(settings))
        prover = await stack.enter_async_context(prover_of(settings, pool))
        await until_answered("caches to purge", lambda: apply(pool, settings.purge_urls), stop)
        key = await until_answered(
            "the key of Web Push", lambda: vapid_key(pool, settings.publish_push_vapid_key), stop
        )
        parts = await _parts(settings, pool, producer, sinks, key, stack=stack)
        updates_notes = PartitionNotes(CrashNotes(pool, "publish", STAGE))
        batches_notes = PartitionNotes(CrashNotes(pool, "publish", BATCHES_STAGE))
        updates = updates_consumer(parts.notifier, producer, settings, updates_notes)
        batches = batches_consumer(parts.fanout, producer, settings, batches_notes)
        app = new_app(new_broker(settings, CLIENT_ID), updates, batches)
        site.app = application([*health_routes(health), *parts.routes], PROBLEM_HANDLERS)
        # A fan-out makes many short-lived objects and no cycles; at the usual thresholds half of its time goes to the collector.
        gc.collect()
        gc.freeze()
        gc.set_threshold(100_000, 50, 50)
        if not stop.is_set():
            await start_app(app, stop)
            health.ready = {}
            updates.report_to(health)
            batches.report_to(health)
            await run_until(
                stop,
                updates.run(),
                batches.run(),
                parts.deliveries.keep_delivering(),
                parts.hub.keep_verifying(),
                parts.alerts.keep_releasing(),
                parts.fanout.keep_trying_again(),
                parts.fanout.keep_digesting(),
                keep_proving(pool, prover),
                _keep_forgetting(pool, timedelta(days=settings.publish_push_keep_days)),
            )
        health.draining = True
        await app.stop()


@click.group(invoke_without_command=True)
@click.pass_context
def push(context: click.Context) -> None:
    """Deliver webhooks, WebSub, alerts and purges; without a command, run the process."""
    if context.invoked_subcommand is None:
        settings = Settings()
        run(settings, STAGE, lambda stop: serve(settings, stop))


for command in (key_commands, endpoint_commands, alert_list, alert_one, mute_commands, vapid_command):
    push.add_command(command)
