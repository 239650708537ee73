"""Leases the feeds that are due, so that each is polled by one replica at a time."""

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Counter, Gauge
from pydantic import ValidationError

from ingest.intake.deadline import Unavailable
from ingest.intake.receive import Intake
from ingest.settings import Settings
from ingest.sources import store
from ingest.sources.source import Source, complaint
from ingest.transports.poll.feed import FeedReader
from ingest.transports.poll.schedule import Cursor, PollResult, next_interval
from ingest.transports.websub.subscriber import Subscriber
from shared.background import keep_running, until_answered
from shared.failures.backoff import jittered
from shared.failures.transient import TRANSIENT, is_transient, reason_of
from shared.http.client.guarded import GuardedClient
from shared.postgres.lease_queue import LeaseQueue
from shared.postgres.pool import Pool

log = structlog.get_logger(__name__)

LEASE_S = 4.0
"""The sources of a replica that died are polled by others after so long; a live replica renews its leases."""
RENEW_S = 1.0
IDLE_S = 0.75
RETRY_S = 5.0
ABANDON_S = 2.0
MAX_DEATHS = 2
MIN_REST_S = 300.0
"""Pause for a source whose documents ended so many processes in a row, so that the poller's other sources are read."""
FAILING_SHARE = 0.5
"""Of the polls under way, at most so many are of sources whose last poll failed."""
ANNOUNCED_FACTOR = 5
"""A feed that a hub announces is polled so many times more rarely than one that brings nothing."""

POLLS = Counter("slugline_ingest_polls", "Polls by what they brought: new, nothing, failed", ["source", "outcome"])
FAILING = Gauge("slugline_ingest_poll_failures", "Polls of a source that failed in a row", ["source"])

CURSORS = LeaseQueue(
    table="ingest.cursors",
    key={"source": "text"},
    due="next_at",
    lease="lease_until",
    owner="lease_owner",
    waiting="(q.failures = 0 OR $4) AND EXISTS (SELECT FROM ingest.sources AS s WHERE s.name = q.source AND s.paused_at IS NULL "
    "AND s.kind IN ('poll', 'websub'))",
    # A row whose lease ended while its holder read a document has ended that process.
    on_claim="deaths = q.deaths + q.reading::int, reading = false",
    columns="q.source, q.etag, q.last_modified, q.sha256, q.interval_s, q.failures, q.recover_since, q.deaths",
    read=lambda row: Cursor(**row),
)

_MARK_READING = "UPDATE ingest.cursors SET reading = true WHERE source = $1 AND lease_owner = $2"

_ABANDON = (
    "UPDATE ingest.cursors SET reading = false, lease_owner = NULL, lease_until = NULL "
    "WHERE source = $1 AND lease_owner = $2"
)

_REST = """
UPDATE ingest.cursors SET next_at = now() + make_interval(secs => $4), lease_owner = NULL, lease_until = NULL, polled_at = now(),
    failures = failures + 1, error = $3
WHERE source = $1 AND lease_owner = $2
"""

_RELEASE = """
UPDATE ingest.cursors SET etag = $3, last_modified = $4, sha256 = $5, interval_s = $6,
    next_at = now() + make_interval(secs => $7), lease_owner = NULL, lease_until = NULL, polled_at = now(),
    status = $8, failures = $9, error = $10,
    recover_since = CASE WHEN $11 THEN NULL ELSE recover_since END,
    reading = false, deaths = $12
WHERE source = $1 AND lease_owner = $2
"""


class Poller:
    """Leases the sources that are due, polls them, and writes down how far each was read."""

    def __init__(self, settings: Settings, pool: Pool, intake: Intake, client: GuardedClient, owner: str) -> None:
        self._settings = settings
        self._pool = pool
        self._intake = intake
        self._owner = owner
        self.subscriber = Subscriber(settings, pool, client)
        self._feeds = FeedReader(settings, pool, intake, client, self.subscriber, self._mark_reading)
        self._running: dict[str, asyncio.Task[None]] = {}
        self._failing: set[str] = set()
        """Of those that are polled now, the sources whose last poll failed."""

    async def run(self) -> None:
        """Poll until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(keep_running("polls", self._start_due, every_s=jittered(IDLE_S, 1 / 3)))
                group.create_task(keep_running("polls' leases", self.renew, every_s=RENEW_S))
        finally:
            running = list(self._running.values())
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _start_due(self) -> None:
        for cursor in await self.lease():
            if cursor.source in self._running:
                # Its lease ran out while Postgres was unavailable; the poll that is still running will release it.
                continue
            task = asyncio.create_task(self.poll_and_release(cursor), name=f"poll:{cursor.source}")
            self._running[cursor.source] = task
            task.add_done_callback(lambda done: self._running.pop(done.get_name().removeprefix("poll:"), None))

    async def renew(self) -> None:
        """Renew the leases of the sources that are being polled."""
        await CURSORS.renew(self._pool, [(source,) for source in self._running], LEASE_S, self._owner)

    async def lease(self) -> list[Cursor]:
        """Lease the sources that are due and that no other replica has leased."""
        free = self._settings.ingest_poll_concurrency - len(self._running)
        if free <= 0:
            return []
        await self._pool.execute(
            "INSERT INTO ingest.cursors (source) SELECT name FROM ingest.sources "
            "WHERE kind IN ('poll', 'websub') ON CONFLICT DO NOTHING"
        )
        # Those that failed last time have their own share, so that feeds that hang do not delay the others.
        share = max(1, int(self._settings.ingest_poll_concurrency * FAILING_SHARE))
        failing = max(0, min(free, share - len(self._failing & self._running.keys())))
        healthy = await CURSORS.claim(self._pool, free, LEASE_S, self._owner, False)
        again = (
            await CURSORS.claim(self._pool, min(failing, free - len(healthy)), LEASE_S, self._owner, True)
            if failing and len(healthy) < free
            else []
        )
        self._failing = {cursor.source for cursor in again if cursor.failures} | (self._failing & self._running.keys())
        return [*healthy, *again]

    async def poll_and_release(self, cursor: Cursor) -> None:
        """Poll one source, write down how far it was read, and release it, whatever happens."""
        try:
            source = await until_answered("a source", functools.partial(store.one_source, self._pool, cursor.source))
        except ValidationError as error:
            # Its row is of another release: nobody can poll it until it is mended.
            await until_answered("the end of a poll", functools.partial(self._rest, cursor.source, complaint(error)))
            return
        if source is None:
            return
        resting = cursor.deaths >= MAX_DEATHS
        try:
            if resting:
                log.error("a source takes the poller down; it is left alone for a while", source=source.name)
                result = cursor.failed(f"set aside for a while: {cursor.deaths} processes ended reading it")
            else:
                result = await self._feeds.poll(source, cursor)
        except asyncio.CancelledError:
            # A process that is stopped has not died of the document that it was reading.
            with contextlib.suppress(*TRANSIENT):
                await asyncio.wait_for(self._pool.execute(_ABANDON, cursor.source, self._owner), ABANDON_S)
            raise
        except Exception as error:
            if is_transient(error):
                result = cursor.interrupted(reason_of(error))
            else:
                log.exception("bug in a poll", source=source.name)
                result = cursor.failed(reason_of(error))
        await until_answered("the end of a poll", self._release(source, cursor, result, resting=resting))

    async def _rest(self, name: str, reason: str) -> None:
        """Leave a source alone for a while that cannot be polled at all; `sources list` says why."""
        log.error("a source cannot be polled", source=name, reason=reason)
        POLLS.labels(name, "failed").inc()
        await self._pool.execute(_REST, name, self._owner, reason.replace("\x00", "")[:1000], MIN_REST_S)

    def _release(
        self, source: Source, cursor: Cursor, result: PollResult, *, resting: bool
    ) -> Callable[[], Awaitable[str]]:
        """The statement that writes down a poll and ends the lease."""
        min_s = float(source.min_interval_s or self._settings.ingest_poll_min_interval_s)
        max_s = max(min_s, float(source.max_interval_s or self._settings.ingest_poll_max_interval_s))
        interval = next_interval(result, cursor, min_s, max_s)
        wait_s = RETRY_S if result.our_outage else max(jittered(interval, 0.1), result.wait_s or 0.0)
        if resting:
            wait_s = max(wait_s, MIN_REST_S)
        if result.announced:
            wait_s = max(wait_s, max_s * ANNOUNCED_FACTOR)
        failures = cursor.failures + 1 if result.outcome == "failed" else 0
        self._report(source, result, failures, wait_s)
        return functools.partial(
            self._pool.execute,
            _RELEASE,
            cursor.source,
            self._owner,
            result.etag,
            result.last_modified,
            result.sha256,
            min(interval, max_s),
            wait_s,
            result.status,
            failures,
            result.error[:1000],
            result.recovered,
            # After the pause it is read once more; if that ends another process, it pauses again.
            MAX_DEATHS - 1 if resting else 0,
        )

    def _report(self, source: Source, result: PollResult, failures: int, wait_s: float) -> None:
        POLLS.labels(source.name, result.outcome).inc()
        FAILING.labels(source.name).set(failures)
        if result.our_outage:
            log.warning("poll waits for our servers", source=source.name, error=result.error, fold="poll")
        elif result.outcome == "failed":
            log.warning(
                "poll failed", source=source.name, error=result.error, in_a_row=failures, retry_in_s=round(wait_s)
            )
        else:
            self._intake.statistics.record_contact(source.name)

    async def _mark_reading(self, source: Source) -> None:
        """Record that a document is being read: if this process ends meanwhile, others know of which source it was."""
        try:
            await self._pool.execute(_MARK_READING, source.name, self._owner)
        except TRANSIENT as error:
            raise Unavailable(str(error) or type(error).__name__) from error


async def request_recovery(pool: Pool, name: str, hours: float) -> bool:
    """Make the next poll of a source, at once, take what it published in the last hours, older pages included."""
    return bool(
        await pool.fetchval(
            "INSERT INTO ingest.cursors (source, recover_since) "
            "SELECT name, $2::timestamptz FROM ingest.sources WHERE name = $1 AND kind IN ('poll', 'websub') "
            "ON CONFLICT (source) DO UPDATE SET recover_since = excluded.recover_since, next_at = now() RETURNING true",
            name,
            datetime.now(UTC) - timedelta(hours=hours),
        )
    )
