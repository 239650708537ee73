"""Watches each publish at each sink: one question for each sink and turn, however many publishes are watched there."""

import asyncio
import time
from collections.abc import Callable, Sequence

import structlog
from prometheus_client import Counter, Gauge, Histogram

from publish.archive.queries import Archived
from publish.push.monitor import reports
from publish.push.monitor.watches import KINDS, Kind, Publish, Seen, Sink, Watches
from publish.push.readiness import ReadinessChecks
from publish.push.settings import PushSettings
from publish.representation.position import Position
from shared.background import keep_running
from shared.postgres.pool import Pool

log = structlog.get_logger(__name__)

TURN_S = 0.1
SLOW_TURN_S = 1.0
"""Between two questions to Postgres, of what takes seconds anyway."""
FRESH_S = 30.0
"""What was published longer ago when it is heard of is a backlog after an outage, and says nothing of the sinks now."""

SEEN_SECONDS = Histogram(
    "slugline_monitor_seen_seconds",
    "From the log until a publish was seen at a sink; its deadline or more where it was not",
    ["sink"],
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300),
)
LATE = Counter("slugline_monitor_late", "Publishes that were not seen at a sink by its deadline", ["sink"])
RED = Gauge("slugline_monitor_red", "1 while two of the last ten publishes were late at a sink of this kind", ["sink"])


def sinks_of(settings: PushSettings) -> list[Sink]:
    """The sinks that the settings name. Web addresses are numbered: the newsroom need not know where they are."""
    sinks = [
        Sink(f"page {number}", "page", settings.publish_push_monitor_page_s)
        for number, _ in enumerate(settings.web_urls, 1)
    ]
    if settings.publish_push_check_cache:
        sinks.append(Sink("cache", "cache", settings.publish_push_monitor_cache_s))
    if settings.purge_urls:
        sinks.append(Sink("CDN", "cdn", settings.publish_push_monitor_cdn_s))
    sinks.append(Sink("webhooks", "webhook", settings.publish_push_monitor_webhook_s))
    sinks.append(Sink("alerts", "alert", settings.publish_push_monitor_alert_s))
    return sinks


class PublishMonitor:
    """The watches, and the loops that ask."""

    def __init__(
        self, pool: Pool, readiness: ReadinessChecks, watches: Watches, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.watches = watches
        self._pool = pool
        self._readiness = readiness
        self._clock = clock
        self._wake = asyncio.Event()
        self._pages = [each for each in watches.sinks.values() if each.kind == "page"]
        self._told = [each for each in watches.sinks.values() if each.kind not in ("page", "cache")]
        self._red: set[str] = set()
        for kind in KINDS:
            RED.labels(kind).set(0)
            LATE.labels(kind)

    def watch(self, archived: Sequence[Archived]) -> None:
        """Watch these revisions, unless they are old news; waits for nothing."""
        now = self._clock()
        fresh = [publish for each in archived if now - (publish := publish_of(each)).at < FRESH_S]
        if fresh:
            self.watches.watch(fresh)
            self._wake.set()

    async def keep_watching(self) -> None:
        """Ask the sinks until cancelled; while nothing is watched, nobody is asked."""
        async with asyncio.TaskGroup() as group:
            group.create_task(keep_running("publish monitor", self.look, every_s=TURN_S))
            group.create_task(keep_running("publish monitor, told", self.look_at_told, every_s=SLOW_TURN_S))

    async def look(self) -> None:
        """One turn at page and cache: how far each is."""
        if not any(sink.open for sink in self.watches.sinks.values()):
            self._wake.clear()
            await self._wake.wait()
        asked = [self._ask_page(sink, url) for sink, url in zip(self._pages, self._readiness.web_urls, strict=True)]
        if (cache := self.watches.sinks.get("cache")) is not None:
            asked.append(self._ask_cache(cache))
        await asyncio.gather(*asked)

    async def look_at_told(self) -> None:
        """One turn at who is told: webhooks, alerts and caches that are purged."""
        watched = list({each.key: each for sink in self._told for each in sink.open.values()}.values())
        decided = await reports.decided(self._pool, watched) if watched else frozenset()
        for sink in self._told:
            publishes = list(sink.open.values())
            if not publishes:
                continue
            if sink.kind == "alert":
                found = await reports.alerts(self._pool, publishes)
            else:
                found = await reports.deliveries(self._pool, publishes, "purge" if sink.kind == "cdn" else sink.kind)
            now = self._clock()
            for each in publishes:
                standing = found.get(each.key, reports.NOBODY)
                if standing.out:
                    self._note(sink, sink.seen(each, standing.at or now))
                elif not standing.concerns:
                    # What is not decided by then is late at the places that the decision waits for, not here.
                    if each.key in decided or now - each.at > sink.deadline_s:
                        sink.forget(each)
                elif now - each.at > sink.deadline_s:
                    self._note(sink, sink.missed(each, now))

    async def _ask_page(self, sink: Sink, url: str) -> None:
        if sink.open:
            last = max(each.place for each in sink.open.values())
            self._reached(sink, await self._readiness.web_reached(url, last))

    async def _ask_cache(self, sink: Sink) -> None:
        if sink.open:
            self._reached(sink, await self._readiness.cache_reached())

    def _reached(self, sink: Sink, reached: Position | None) -> None:
        now = self._clock()
        for each in list(sink.open.values()):
            if reached is not None and reached >= each.place:
                self._note(sink, sink.seen(each, now))
        for each in sink.overdue(now):
            self._note(sink, sink.missed(each, now))

    def _note(self, sink: Sink, seen: Seen) -> None:
        self.watches.note(sink, seen)
        SEEN_SECONDS.labels(sink.kind).observe(seen.after_s)
        if seen.late:
            LATE.labels(sink.kind).inc()
            log.warning(
                "late", sink=sink.name, update_id=seen.publish.update_id, revision=seen.publish.revision,
                after_s=round(seen.after_s, 2), deadline_s=sink.deadline_s, fold=sink.name,
            )  # fmt: skip
        if sink.red != (sink.name in self._red):
            (self._red.add if sink.red else self._red.discard)(sink.name)
            log.error(
                "readers miss what is published" if sink.red else "what is published comes out again", sink=sink.name
            )
        RED.labels(sink.kind).set(self._is_red(sink.kind))

    def _is_red(self, kind: Kind) -> bool:
        return any(each.red for each in self.watches.sinks.values() if each.kind == kind)


def publish_of(archived: Archived) -> Publish:
    """A revision as it is watched."""
    update = archived.update
    at = update.passport.enriched_at or update.passport.received_at
    headline = "" if update.is_removal else update.headline
    return Publish(update.update_id, update.revision, archived.cursor, at.timestamp(), headline)
