"""Sends the refreshes that stand in line: so many a second over all replicas, and no more than are soon handled.

Refreshes share `updates.raw` with live copy, which must not wait behind them. What has been sent is at most what is handled in
about two seconds: once the lane is behind, whatever it is behind with, no more is sent.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from aiokafka.structs import RecordMetadata
from prometheus_client import Counter, Gauge

from shared.background import keep_running
from shared.crash_points import reached
from shared.kafka.producer import Producer, acknowledged
from shared.messages import Refresh
from shared.postgres.clock import Clock, wall_clock
from shared.postgres.pool import Connection, Pool
from shared.postgres.rows import narrowed, typed
from shared.postgres.set_aside import SetAside, forget_old
from shared.streams import RAW

log = structlog.get_logger(__name__)

TURN_S = 0.1
"""Between two turns: what is sent in one is handled before the next, and live copy between them."""
WINDOW_S = 1.0
"""How much may be sent before it is asked whether the window before is handled."""
REPORT_S = 5.0

REFRESHES = Counter("slugline_enrich_refreshes", "Refreshes sent", ["cause"])
WAITING = Gauge("slugline_enrich_refreshes_waiting", "Updates that stand in line for a refresh")

REFRESHES_ASIDE = SetAside("enrich", "refreshes")

Committed = Callable[[], Awaitable[Mapping[int, int]]]
"""The offsets, by partition of `updates.raw`, up to which enrich text has committed; from the broker."""


@dataclass(frozen=True, slots=True)
class PendingRefresh:
    """An update that stands in line."""

    update_id: str
    source: str
    cause: str
    detail: str
    place: int

    def message(self, now: datetime) -> Refresh:
        """What is sent; ValueError where its row cannot become a message."""
        return Refresh.model_validate(
            {"update_id": self.update_id, "cause": self.cause, "detail": self.detail, "requested_at": now}
        )


BY_PLACE = "; ".join(f"SET LOCAL enable_{way} = off" for way in ("seqscan", "sort", "hashjoin", "mergejoin"))
"""Whatever Postgres believes of a line that was empty a moment ago: it is read along its index."""
FIRST = f"""
SELECT q.update_id, q.source, q.cause, q.detail, q.place FROM enrich.pending_refreshes q
WHERE {REFRESHES_ASIDE.is_free("q.update_id")} ORDER BY q.place LIMIT $1 FOR UPDATE OF q SKIP LOCKED
"""  # noqa: S608 -- ours

_TAKE_TURN = """
UPDATE enrich.refresh_pace SET next_at = now() + make_interval(secs => $1)
WHERE one IN (SELECT one FROM enrich.refresh_pace WHERE next_at <= now() FOR UPDATE SKIP LOCKED)
  AND EXISTS (SELECT FROM enrich.pending_refreshes)
RETURNING true
"""


@dataclass
class RefreshSender:
    """One process's part in sending refreshes."""

    pool: Pool
    producer: Producer
    committed: Committed
    per_s: float
    """Refreshes a second, of all replicas together."""
    clock: Clock = wall_clock
    _sent: dict[int, int] = field(default_factory=dict)
    """By partition, the last offset that was sent within this window."""
    _awaited: dict[int, int] = field(default_factory=dict)
    """Those of the window before, until they are handled."""
    _left: float = 0.0
    """How many may still be sent within this window."""

    async def keep_sending(self, interval_s: float) -> None:
        """Send until cancelled; `interval_s` seconds pass between two looks at a line that is empty or must wait."""

        async def step() -> None:
            while True:
                if not await self.send_some():
                    return
                await asyncio.sleep(self._at_once / self.per_s)

        await keep_running("refreshes", step, every_s=interval_s)

    @property
    def _at_once(self) -> int:
        return max(1, round(self.per_s * TURN_S))

    async def send_some(self) -> int:
        """Send those that are first in line, if it is this process's turn and what it sent before is handled; how many."""
        if self._left < 1 and not await self._begin_window():
            return 0
        async with self.pool.acquire() as connection, connection.transaction():
            if not await connection.fetchval(_TAKE_TURN, self._at_once / self.per_s):
                return 0
            await connection.execute(BY_PLACE)
            pending = typed(PendingRefresh, await connection.fetch(FIRST, self._at_once))
            await self._send(connection, pending)
        self._left -= len(pending)
        return len(pending)

    async def _begin_window(self) -> bool:
        """Begin a window, unless the one before the last is not handled yet."""
        if self._awaited:
            committed = await self.committed()
            self._awaited = {
                partition: offset
                for partition, offset in self._awaited.items()
                if committed.get(partition, 0) <= offset
            }
            if self._awaited:
                return False
        self._awaited, self._sent = self._sent, {}
        self._left = max(self.per_s * WINDOW_S, 1.0)
        return True

    async def _send(self, connection: Connection, pending: Sequence[PendingRefresh]) -> None:
        now, futures, sent = self.clock(), [], []
        for each in pending:
            try:
                message = each.message(now)
            except ValueError as error:
                # It keeps its place, and the others do not wait for it.
                await REFRESHES_ASIDE.put(connection, each.update_id, error)
                continue
            futures.append(
                await self.producer.send(
                    RAW, message, key=each.source or each.update_id, event_id=f"{each.update_id}:refresh:{each.place}"
                )
            )
            sent.append(each.update_id)
            REFRESHES.labels(message.cause).inc()
        for record in await acknowledged(futures):
            self._note(record)
        # A process that dies before this is committed leaves them to be sent once more, which changes nothing.
        reached("enrich.refreshes-sent")
        await connection.execute("DELETE FROM enrich.pending_refreshes WHERE update_id = ANY($1::text[])", sent)
        await REFRESHES_ASIDE.clear(connection, sent)

    def _note(self, record: object) -> None:
        if isinstance(record, RecordMetadata):
            self._sent[record.partition] = max(record.offset, self._sent.get(record.partition, -1))

    async def keep_reporting(self) -> None:
        """Count what stands in line, until cancelled."""
        before = 0

        async def step() -> None:
            nonlocal before
            waiting = narrowed(int, await self.pool.fetchval("SELECT count(*) FROM enrich.pending_refreshes"))
            WAITING.set(waiting)
            if waiting or before:
                log.info("refreshes wait in line", waiting=waiting, fold="refreshes")
            before = waiting
            await forget_old(self.pool, "enrich")

        await keep_running("refreshes in line", step, every_s=REPORT_S)
