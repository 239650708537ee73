"""`python -m publish web`: pages, API, feeds and streams on one port."""

import asyncio
import contextlib
import socket

import click
import structlog

from publish.keys import KEYS
from publish.polls.votes import Votes
from publish.representation.fragment import fitting
from publish.settings import Settings
from publish.web.application import build
from publish.web.archive_client import ArchiveClient
from publish.web.feed_store import FeedStore
from publish.web.following.follower import Follower
from publish.web.omissions import Omissions
from publish.web.quota import ApiQuotas
from publish.web.renderer import Fit
from publish.web.stream.http.serve import stream_server
from shared.access.ring import KeyRing
from shared.background import until_answered
from shared.failures.transient import TRANSIENT
from shared.http.server.limits import ServerLimits
from shared.observability.health import Health, internal_server
from shared.observability.servers import ServerWatch, ask_kafka, ask_postgres
from shared.poison.suspects import Suspects
from shared.postgres.migrations import open_pool
from shared.postgres.pool import Pool
from shared.process import run, run_until
from shared.redis_client import open_redis

log = structlog.get_logger(__name__)

STAGE = "publish.web"
CLOSE_S = 2.0
VOTES_S = 2.0
"""How long a vote waits for Redis, which this process asks for nothing else."""


async def serve(settings: Settings, stop: asyncio.Event, *, fit: Fit = fitting) -> None:
    """The process: the port answers at once, and /readyz says what is waited for. `fit` is the renderer's."""
    feed_store = FeedStore(settings.publish_web_updates, settings.publish_web_updates_bytes)
    archive = ArchiveClient()
    waiting: dict[str, str | None] = {"postgres": "waiting for Postgres"}
    health = Health(STAGE, ready={"postgres": lambda: waiting["postgres"]})
    answers, broadcaster = build(settings, feed_store, archive, health, fit=fit)
    follower = Follower(settings, feed_store, answers.renderer, archive, broadcaster)
    health.ready["log"] = follower.why_not_ready
    answers.response_cache.why_not = follower.why_not_ready
    health.live["log"] = follower.why_not_live
    health.live["stream"] = broadcaster.why_not_live

    suspects: Suspects | None = None

    async def follow() -> None:
        nonlocal suspects
        archive.pool = await open_pool(settings, schema="publish", stop=stop, stateless=True)
        suspects = await _start_noting(archive.pool, settings, answers.renderer.omissions, stop)
        waiting["postgres"] = None
        servers = ServerWatch({"kafka": ask_kafka(settings), "postgres": ask_postgres(archive.pool)})
        # Readers are served from memory: without either, what they see stands still.
        servers.report_to(health, serves_without=("kafka", "postgres"))
        await run_until(stop, follower.run(stop), servers.keep_asking(), partners.keep_fresh(archive.pool))

    partners = KeyRing(KEYS)
    quotas = ApiQuotas(answers.response_cache, settings, partners, lambda: archive.pool)
    limits = ServerLimits.of(settings, settings.publish_web_connections)
    async with (
        open_redis(settings, timeout_s=VOTES_S) as redis,
        stream_server(quotas, broadcaster, settings.bind_host, settings.port, limits),
        internal_server(health, settings),
    ):
        answers.votes = Votes.of(redis, settings)
        log.info("listening", port=settings.port)
        with contextlib.suppress(asyncio.CancelledError):
            await run_until(stop, follow())
        health.draining = True
        await broadcaster.drain(settings.publish_stream_drain_s)
    if archive.pool is not None:
        if suspects is not None:
            with contextlib.suppress(*TRANSIENT):
                await asyncio.wait_for(suspects.close(), CLOSE_S)
        await archive.pool.close()


async def _start_noting(pool: Pool, settings: Settings, omissions: Omissions, stop: asyncio.Event) -> Suspects:
    """Note from now on what is rendered, and leave out what took this process down before."""
    name = f"{settings.instance or socket.gethostname()}:{settings.port}"
    suspects = Suspects(pool, "publish", STAGE, name)
    await until_answered("crash notes", lambda: omissions.begin(suspects), stop)
    return suspects


@click.command()
def web() -> None:
    """Serve readers: pages, API, feeds and streams."""
    settings = Settings()
    run(settings, STAGE, lambda stop: serve(settings, stop))
