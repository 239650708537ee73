"""`python -m enrich gather`: updates of several agencies that report one event become one story, beside enrich text and never
before it.

One replica at a time works, under a lock in Postgres; another takes over when it ends. What it finds is written to
`enrich.gathered`, and the refreshes are asked for in the same transaction. It needs no Kafka.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Gauge

from enrich.settings import Settings
from enrich.stories.clustering import StoryClusters
from enrich.stories.gatherer import Gatherer
from shared.background import keep_running
from shared.failures.transient import TRANSIENT
from shared.observability.health import Health, health_server
from shared.observability.servers import ServerWatch, ask_postgres
from shared.poison.suspects import Suspects
from shared.postgres.migrations import open_pool
from shared.postgres.pool import Connection, Pool
from shared.postgres.session import LEADER_IDLE_S
from shared.process import run_until

log = structlog.get_logger(__name__)
LOCK = 0x51_06_11_9E
INTERVAL_S = 1.0
STAGE = "enrich.gather"
CLOSE_S = 2.0
HEALTH_PORT = 8098
LEADING = Gauge("slugline_enrich_gathering", "1 while this replica gathers stories")


async def keep_gathering(
    pool: Pool,
    families: Mapping[str, str],
    *,
    threshold: float,
    window_h: float,
    suspects: Suspects | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    leads: asyncio.Event | None = None,
    own_sources: Collection[str] = (),
) -> None:
    """Gather stories whenever this replica holds the lock, which sets `leads`; until cancelled."""
    leading = leads or asyncio.Event()

    async def step() -> None:
        async with pool.acquire() as connection:
            # A leader that freezes says nothing; its session ends, and with it the lock.
            await connection.execute(f"SET idle_session_timeout = {int(LEADER_IDLE_S * 1000)}")
            if await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
                try:
                    LEADING.set(1)
                    leading.set()
                    gatherer = Gatherer(StoryClusters(threshold, timedelta(hours=window_h)), families, own_sources)
                    if suspects is not None:
                        gatherer.set_aside, gatherer.in_progress = await suspects.open(), suspects.in_progress
                    await _lead(pool, connection, gatherer, clock)
                finally:
                    LEADING.set(0)
                    leading.clear()
                    with contextlib.suppress(*TRANSIENT):
                        await _unlock(connection)

    await keep_running("stories", step, every_s=INTERVAL_S * 5)


async def _lead(pool: Pool, connection: Connection, gatherer: Gatherer, clock: Callable[[], datetime]) -> None:
    await gatherer.begin(pool, clock())
    log.info("gathering stories", since=gatherer.cursor.isoformat())
    while True:
        # The lock is the connection's: once that is lost, another replica may lead, and this one must not go on.
        await connection.execute("SELECT 1")
        await gatherer.step(pool)
        await asyncio.sleep(INTERVAL_S)


async def _unlock(connection: Connection) -> None:
    if not connection.is_closed():
        await connection.execute("SELECT pg_advisory_unlock($1)", LOCK)
        await connection.execute("RESET idle_session_timeout")


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """The process, until `stop` is set."""
    health = Health(STAGE, ready={"postgres": lambda: "waiting for Postgres"})
    async with health_server(health, settings, HEALTH_PORT):
        pool = await open_pool(settings, schema="enrich", stop=stop, max_size=3)
        leads = asyncio.Event()
        health.roles["stories"] = lambda: "active" if leads.is_set() else "standing by: another gathers"
        del health.ready["postgres"]
        suspects = Suspects(pool, "enrich", STAGE, "updates")
        if not stop.is_set():
            servers = ServerWatch({"postgres": ask_postgres(pool)})
            servers.report_to(health)
            await run_until(
                stop,
                servers.keep_asking(),
                keep_gathering(
                    pool, settings.enrich_families,
                    threshold=settings.enrich_story_likeness, window_h=settings.enrich_story_window_h,
                    suspects=suspects, leads=leads, own_sources=settings.enrich_own_sources,
                ),
            )  # fmt: skip
        health.draining = True
        with contextlib.suppress(*TRANSIENT):
            await asyncio.wait_for(suspects.close(), CLOSE_S)
        await pool.close()
