"""Whether the servers that a process needs answer: asked every few seconds, told by /readyz and a metric.

A consumer whose broker is gone gets no message and no error, so without asking it would look idle.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping

import structlog
from aiokafka.admin import AIOKafkaAdminClient
from prometheus_client import Gauge

from shared.failures import Transient
from shared.failures.transient import TRANSIENT, reason_of
from shared.kafka.security import client_options
from shared.observability.health import Health
from shared.postgres.pool import Pool
from shared.redis_client import open_redis
from shared.settings import Connections

log = structlog.get_logger(__name__)

EVERY_S = 5.0
ANSWERS_WITHIN_S = 4.0
SILENT_S = 10.0
"""A shorter silence is a restart or a failover, and nobody needs to know of it."""

Ask = Callable[[], Awaitable[None]]
"""Returns once the server has answered; raises otherwise."""

ANSWERS = Gauge(
    "slugline_server_answers", "1 while a server that this process needs answers it, 0 otherwise", ["server"]
)


class ServerWatch:
    """Asks each server by its name."""

    def __init__(self, asks: Mapping[str, Ask], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._asks = asks
        self._clock = clock
        self._answered_at = dict.fromkeys(asks, clock())
        self._errors = dict.fromkeys(asks, "")
        for name in asks:
            ANSWERS.labels(name).set(1)

    def why_not(self, name: str) -> str | None:
        """For how long a server has been silent, and why; None while it answers."""
        silent_s = self._clock() - self._answered_at[name]
        if silent_s < SILENT_S + EVERY_S:
            return None
        return f"has not answered for {silent_s:.0f} s: {self._errors[name] or 'no answer'}"

    def report_to(self, health: Health, *, serves_without: Collection[str] = ()) -> None:
        """Tell it by /readyz. Without the servers in `serves_without`, the process is ready all the same."""
        for name in self._asks:
            checks = health.degraded if name in serves_without else health.ready
            checks[f"server {name}"] = lambda name=name: self.why_not(name)  # type: ignore[misc]

    async def ask(self) -> None:
        """Ask every server once."""
        await asyncio.gather(*(self._ask_one(name, ask) for name, ask in self._asks.items()))

    async def keep_asking(self) -> None:
        """Ask until cancelled."""
        while True:
            await self.ask()
            await asyncio.sleep(EVERY_S)

    async def _ask_one(self, name: str, ask: Ask) -> None:
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                await ask()
        except TRANSIENT as error:
            if not self._errors[name]:
                log.warning("a server does not answer", server=name, error=reason_of(error))
            self._errors[name] = reason_of(error)
            if self._clock() - self._answered_at[name] >= SILENT_S:
                ANSWERS.labels(name).set(0)
            return
        if self._errors[name]:
            silent_s = round(self._clock() - self._answered_at[name], 1)
            log.warning("a server answers again", server=name, silent_s=silent_s)
        self._answered_at[name], self._errors[name] = self._clock(), ""
        ANSWERS.labels(name).set(1)


TAKES_NO_WRITES = """
SELECT CASE WHEN pg_is_in_recovery() THEN 'it is a standby, which takes no writes'
WHEN current_setting('transaction_read_only')::bool THEN 'it takes no writes: default_transaction_read_only is on' ELSE '' END
"""
"""Why a Postgres that answers cannot be worked with; empty where it can."""


def ask_kafka(settings: Connections) -> Ask:
    """Whether a broker answers on a new connection."""

    async def ask() -> None:
        admin = AIOKafkaAdminClient(**client_options(settings), request_timeout_ms=int(ANSWERS_WITHIN_S * 1000))
        try:
            await admin.start()
        finally:
            await admin.close()

    return ask


def ask_postgres(pool: Pool) -> Ask:
    """Whether Postgres answers, and takes writes."""

    async def ask() -> None:
        if refusal := await pool.fetchval(TAKES_NO_WRITES):
            raise Transient(str(refusal))

    return ask


def ask_redis(settings: Connections) -> Ask:
    """Whether Redis answers on a new connection."""

    async def ask() -> None:
        async with open_redis(settings, timeout_s=ANSWERS_WITHIN_S) as redis:
            await redis.ping()

    return ask
