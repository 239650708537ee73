"""`ingest poll`: feeds that are asked for again and again, each by one replica at a time."""

import asyncio
import contextlib
import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Counter, Gauge

from ingest.intake.deadline import Unavailable
from ingest.intake.receive import LARGE_BYTES, DocumentRejected, Intake
from ingest.settings import Settings
from ingest.sources import registry
from ingest.sources.registry import Source
from ingest.transports.feed_links import FeedLinks, feed_links
from ingest.transports.websub import Subscriber
from shared.background import keep_running, until_answered
from shared.failures.backoff import jittered
from shared.failures.transient import TRANSIENT, is_transient, reason_of
from shared.http.client import GuardedClient, HttpResponse, RequestFailed, RequestRefused
from shared.http.retry_after import retry_after_s
from shared.postgres.pool import Pool

log = structlog.get_logger(__name__)

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/json;q=0.8, application/xml;q=0.8, text/xml;q=0.8, */*;q=0.5"
)
LEASE_S = 4.0
"""A replica that dies gives its sources back after so long; one that lives renews its leases."""
RENEW_S = 1.0
IDLE_S = 0.75
RETRY_S = 5.0
MAX_BACKOFF_S = 1800.0
PUT_DOWN_S = 2.0
MOST_DEATHS = 2
LEAST_REST_S = 300.0
"""For a source whose documents ended so many processes in a row: the others of the poller are read in peace."""
MAX_PAGES = 50
ANNOUNCED_FACTOR = 5
"""A feed that a hub announces is asked so many times more rarely than one that brings nothing."""

POLLS = Counter("slugline_ingest_polls", "Polls by what they brought: new, nothing, failed", ["source", "outcome"])
FAILING = Gauge("slugline_ingest_poll_failures", "Polls of a source that failed in a row", ["source"])

_LEASE = """
UPDATE ingest.cursors AS c SET lease_owner = $1, lease_until = now() + make_interval(secs => $2),
    deaths = c.deaths + c.reading::int, reading = false
FROM (
    SELECT c.source FROM ingest.cursors AS c JOIN ingest.sources AS s ON s.name = c.source
    WHERE s.paused_at IS NULL AND s.kind IN ('poll', 'websub') AND c.next_at <= now()
        AND (c.lease_until IS NULL OR c.lease_until < now())
    ORDER BY c.next_at LIMIT $3 FOR UPDATE OF c SKIP LOCKED
) AS due
WHERE c.source = due.source
RETURNING c.source, c.etag, c.last_modified, c.sha256, c.interval_s, c.failures, c.recover_since, c.deaths
"""

_READING = "UPDATE ingest.cursors SET reading = true WHERE source = $1 AND lease_owner = $2"

_PUT_DOWN = (
    "UPDATE ingest.cursors SET reading = false, lease_owner = NULL, lease_until = NULL "
    "WHERE source = $1 AND lease_owner = $2"
)
_RENEW = """
UPDATE ingest.cursors SET lease_until = now() + make_interval(secs => $3)
WHERE source = ANY($2::text[]) AND lease_owner = $1
"""

_RELEASE = """
UPDATE ingest.cursors SET etag = $3, last_modified = $4, sha256 = $5, interval_s = $6,
    next_at = now() + make_interval(secs => $7), lease_owner = NULL, lease_until = NULL, polled_at = now(),
    status = $8, failures = $9, error = $10,
    recover_since = CASE WHEN $11 THEN NULL ELSE recover_since END,
    reading = false, deaths = $12
WHERE source = $1 AND lease_owner = $2
"""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a source has been read."""

    source: str
    etag: str | None = None
    last_modified: str | None = None
    sha256: str | None = None
    interval_s: float | None = None
    failures: int = 0
    recover_since: datetime | None = None
    deaths: int = 0
    """Processes in a row that ended while they read a document of it."""


@dataclass(frozen=True, slots=True)
class PollResult:
    """What one poll came to."""

    outcome: str
    """`new`, `nothing` or `failed`."""
    status: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    sha256: str | None = None
    error: str = ""
    wait_s: float | None = None
    """What the server asks for."""
    ours: bool = False
    """It failed through an outage of ours, which says nothing of the source: it is asked again in a moment."""
    recovered: bool = False
    announced: bool = False
    """A hub tells us what is new."""


def next_interval(polled: PollResult, cursor: Cursor, least_s: float, most_s: float) -> float:
    """Seconds until the next poll: halved while copy comes, a quarter longer while none does, doubled on each failure."""
    interval = min(max(cursor.interval_s or least_s, least_s), most_s)
    if polled.ours:
        return interval
    if polled.outcome == "new":
        return max(least_s, interval / 2)
    if polled.outcome == "nothing":
        return min(most_s, interval * 1.25)
    return min(MAX_BACKOFF_S, max(interval, 5.0) * float(2 ** min(cursor.failures, 10)))


class PageUnavailable(Exception):
    """An older page of a feed cannot be had for now."""


class Poller:
    """Leases the sources that are due, asks for them, and gives what is new to the intake."""

    def __init__(self, settings: Settings, pool: Pool, intake: Intake, client: GuardedClient, owner: str) -> None:
        self._settings = settings
        self._pool = pool
        self._intake = intake
        self._client = client
        self._owner = owner
        self.subscriber = Subscriber(settings, pool, client)
        self._running: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Poll until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(keep_running("polls", self._begin_due, every_s=jittered(IDLE_S, 1 / 3)))
                group.create_task(keep_running("polls' leases", self.renew, every_s=RENEW_S))
        finally:
            running = list(self._running.values())
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _begin_due(self) -> None:
        for cursor in await self.lease():
            if cursor.source in self._running:
                # Its lease ran out while Postgres was away: the poll that is under way ends it.
                continue
            task = asyncio.create_task(self.poll_and_release(cursor), name=f"poll:{cursor.source}")
            self._running[cursor.source] = task
            task.add_done_callback(lambda done: self._running.pop(done.get_name().removeprefix("poll:"), None))

    async def renew(self) -> None:
        """Keep the sources that are being polled from being polled elsewhere."""
        if self._running:
            await self._pool.execute(_RENEW, self._owner, list(self._running), LEASE_S)

    async def lease(self) -> list[Cursor]:
        """The sources that are due and that nobody else has in hand, now in ours."""
        free = self._settings.ingest_poll_concurrency - len(self._running)
        if free <= 0:
            return []
        await self._pool.execute(
            "INSERT INTO ingest.cursors (source) SELECT name FROM ingest.sources "
            "WHERE kind IN ('poll', 'websub') ON CONFLICT DO NOTHING"
        )
        return [Cursor(**dict(row)) for row in await self._pool.fetch(_LEASE, self._owner, LEASE_S, free)]

    async def poll_and_release(self, cursor: Cursor) -> None:
        """Poll one source and write down how far it was read; whatever happens, the lease ends."""
        source = await until_answered("a source", functools.partial(registry.one_source, self._pool, cursor.source))
        if source is None:
            return
        too_deadly = cursor.deaths >= MOST_DEATHS
        try:
            if too_deadly:
                log.error("a source takes the poller down; it is left alone for a while", source=source.name)
                polled = self._failed(cursor, f"set aside for a while: {cursor.deaths} processes ended reading it")
            else:
                polled = await self.poll(source, cursor)
        except asyncio.CancelledError:
            # Who is told to end while he reads has not died of it.
            with contextlib.suppress(*TRANSIENT):
                await asyncio.wait_for(self._pool.execute(_PUT_DOWN, cursor.source, self._owner), PUT_DOWN_S)
            raise
        except Exception as error:
            if is_transient(error):
                polled = self._away(cursor, reason_of(error))
            else:
                log.exception("bug in a poll", source=source.name)
                polled = self._failed(cursor, reason_of(error))
        least_s = float(source.min_interval_s or self._settings.ingest_poll_min_interval_s)
        most_s = max(least_s, float(source.max_interval_s or self._settings.ingest_poll_max_interval_s))
        interval = next_interval(polled, cursor, least_s, most_s)
        wait_s = RETRY_S if polled.ours else max(jittered(interval, 0.1), polled.wait_s or 0.0)
        if too_deadly:
            wait_s = max(wait_s, LEAST_REST_S)
        if polled.announced:
            wait_s = max(wait_s, most_s * ANNOUNCED_FACTOR)
        failures = cursor.failures + 1 if polled.outcome == "failed" else 0
        POLLS.labels(source.name, polled.outcome).inc()
        FAILING.labels(source.name).set(failures)
        if polled.ours:
            log.warning("poll waits for our servers", source=source.name, error=polled.error, fold="poll")
        elif polled.outcome == "failed":
            log.warning(
                "poll failed", source=source.name, error=polled.error, in_a_row=failures, retry_in_s=round(wait_s)
            )
        else:
            self._intake.statistics.heard(source.name)
        release = functools.partial(
            self._pool.execute,
            _RELEASE,
            cursor.source,
            self._owner,
            polled.etag,
            polled.last_modified,
            polled.sha256,
            min(interval, most_s),
            wait_s,
            polled.status,
            failures,
            polled.error[:1000],
            polled.recovered,
            # After a rest it is read once more; should that end another process, it rests again, for longer.
            MOST_DEATHS - 1 if too_deadly else 0,
        )
        await until_answered("the end of a poll", release)

    async def poll(self, source: Source, cursor: Cursor) -> PollResult:
        """Ask a source for what is new, and take it."""
        assert source.url is not None  # noqa: S101 -- its kind needs one
        headers = {"Accept": ACCEPT}
        if cursor.recover_since is None:
            headers |= {"If-None-Match": cursor.etag} if cursor.etag else {}
            headers |= {"If-Modified-Since": cursor.last_modified} if cursor.last_modified else {}
        try:
            answer = await self._client.request("GET", source.url, headers=headers, max_bytes=self._limit(source))
        except (RequestRefused, RequestFailed) as error:
            return self._failed(cursor, str(error) or type(error).__name__)
        if answer.status == 304:
            return replace(self._same(cursor, 304), announced=await self._announced(source, None))
        if answer.status == 410:
            await registry.pause(self._pool, source.name, "the feed is gone for good (410)")
            log.error("feed gone; source paused", source=source.name, url=source.url)
            return self._failed(cursor, "410: the feed is gone for good", answer)
        if answer.status != 200:
            return self._failed(cursor, f"the server answered {answer.status}", answer)
        polled = await self._take(source, cursor, answer)
        if polled.outcome == "failed":
            return polled
        return replace(polled, announced=await self._announced(source, answer))

    async def _announced(self, source: Source, answer: HttpResponse | None) -> bool:
        """Whether a hub tells us what is new, so that asking may be rare."""
        if source.kind != "websub":
            return False
        links = await _links(answer) if answer is not None else None
        return await self.subscriber.ensure_subscribed(source, links)

    async def _take(self, source: Source, cursor: Cursor, answer: HttpResponse) -> PollResult:
        sha256 = hashlib.sha256(answer.body).hexdigest()
        etag, last_modified = answer.headers.get("etag"), answer.headers.get("last-modified")
        if sha256 == cursor.sha256 and cursor.recover_since is None:
            return PollResult("nothing", 200, etag, last_modified, sha256)
        if not answer.body.strip():
            return self._failed(cursor, "the answer is empty", answer)
        try:
            await self._note_reading(source)
            receipt = await self._intake.take(
                source,
                answer.body,
                content_type=answer.headers.get("content-type"),
                transport="poll",
                headers=_kept(answer),
            )
            if receipt.count("error"):
                raise Unavailable("Kafka has not acknowledged everything")
            accepted = receipt.count("accepted")
            if cursor.recover_since is not None:
                accepted = await self._recover(source, answer, cursor.recover_since, receipt.oldest, accepted)
        except Unavailable as away:
            # Nothing is known of the feed's state: the next poll takes it again.
            return self._away(cursor, str(away), answer.status)
        except PageUnavailable as away:
            return self._failed(cursor, str(away), answer)
        except DocumentRejected as refusal:
            # The same bytes cannot be read next time either; an answer without conditions is asked for, should they change.
            return PollResult("failed", 200, None, None, sha256, f"{refusal.code}: {refusal.reason}")
        outcome = "new" if accepted else "nothing"
        return PollResult(outcome, 200, etag, last_modified, sha256, recovered=cursor.recover_since is not None)

    async def _note_reading(self, source: Source) -> None:
        """Note that a document is read now: should this process end meanwhile, the next one knows of what."""
        try:
            await self._pool.execute(_READING, source.name, self._owner)
        except TRANSIENT as error:
            raise Unavailable(str(error) or type(error).__name__) from error

    async def _recover(
        self, source: Source, newest: HttpResponse, since: datetime, oldest: datetime | None, accepted: int
    ) -> int:
        """Walk back through the feed's older pages (RFC 5005) until they are older than `since`.

        How many were new, with those of the first page. Raises `PageUnavailable` where a page cannot be had for now: the next poll
        begins again, and what was taken before is a duplicate then.
        """
        seen = {source.url, newest.url}
        answer = newest
        for _ in range(MAX_PAGES):
            older = (await _links(answer)).older
            if older is None or older in seen or (oldest is not None and oldest < since):
                break
            seen.add(older)
            try:
                answer = await self._client.request(
                    "GET", older, headers={"Accept": ACCEPT}, max_bytes=self._limit(source)
                )
            except RequestRefused as error:
                log.warning("recovery ends early", source=source.name, page=older, error=str(error))
                break
            except RequestFailed as error:
                raise PageUnavailable(f"the feed's older page {older}: {str(error) or type(error).__name__}") from error
            if answer.status >= 500 or answer.status == 429:
                raise PageUnavailable(f"the feed's older page {older}: the server answered {answer.status}")
            if answer.status != 200 or not answer.body.strip():
                log.warning("recovery ends early", source=source.name, page=older, status=answer.status)
                break
            await self._note_reading(source)
            receipt = await self._intake.take(
                source,
                answer.body,
                content_type=answer.headers.get("content-type"),
                transport="poll",
                headers=_kept(answer),
            )
            if receipt.count("error"):
                raise Unavailable("Kafka has not acknowledged everything")
            accepted += receipt.count("accepted")
            if not receipt.results or receipt.oldest is None:
                break
            oldest = receipt.oldest
        log.info(
            "recovered",
            source=source.name,
            since=since.isoformat(),
            older_pages=len(seen - {source.url, newest.url}),
            accepted=accepted,
        )
        return accepted

    def _limit(self, source: Source) -> int:
        return min(source.max_body_bytes or self._settings.ingest_max_body_bytes, self._settings.ingest_max_body_bytes)

    @staticmethod
    def _same(cursor: Cursor, status: int) -> PollResult:
        return PollResult("nothing", status, cursor.etag, cursor.last_modified, cursor.sha256)

    @staticmethod
    def _away(cursor: Cursor, error: str, status: int | None = None) -> PollResult:
        return PollResult("failed", status, cursor.etag, cursor.last_modified, cursor.sha256, error, ours=True)

    @staticmethod
    def _failed(cursor: Cursor, error: str, answer: HttpResponse | None = None) -> PollResult:
        wait_s = retry_after_s(answer.headers) if answer is not None else None
        status = answer.status if answer is not None else None
        return PollResult("failed", status, cursor.etag, cursor.last_modified, cursor.sha256, error, wait_s)


async def request_recovery(pool: Pool, name: str, hours: float) -> bool:
    """Let the next poll of a source take what it published in the last hours, older pages included; at once."""
    return bool(
        await pool.fetchval(
            "INSERT INTO ingest.cursors (source, recover_since) "
            "SELECT name, $2::timestamptz FROM ingest.sources WHERE name = $1 AND kind IN ('poll', 'websub') "
            "ON CONFLICT (source) DO UPDATE SET recover_since = excluded.recover_since, next_at = now() RETURNING true",
            name,
            datetime.now(UTC) - timedelta(hours=hours),
        )
    )


async def _links(answer: HttpResponse) -> FeedLinks:
    """The feed's own links; a large one is parsed in a thread."""
    if len(answer.body) <= LARGE_BYTES:
        return feed_links(answer.body, answer.url, answer.links)
    return await asyncio.to_thread(feed_links, answer.body, answer.url, answer.links)


def _kept(answer: HttpResponse) -> Mapping[str, str]:
    names = ("content-type", "etag", "last-modified", "date", "content-encoding")
    return {"url": answer.url} | {name: answer.headers[name] for name in names if name in answer.headers}
