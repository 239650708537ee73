"""Keeps a replica's memory and its streams up to date with the log: a snapshot of the archive, then the log behind it.

The archive decides which log is the current one (its epoch) and what the position of each update is. A replica that starts,
or whose log is not the archive's any more, waits for the archive, takes a new snapshot, and resets every stream. What it has in
memory is served meanwhile.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError
from prometheus_client import Counter, Gauge, Histogram

from publish.archive import epochs, queries
from publish.representation.position import Position
from publish.representation.reader_update import ReaderUpdate, reader_update
from publish.representation.retraction import retraction_of
from publish.settings import Settings
from publish.web.archive_client import ArchiveClient
from publish.web.feed_store import Applied, FeedEntry, FeedStore, has_change
from publish.web.following.placement import Placement, TooManyWait
from publish.web.omissions import Omitted
from publish.web.renderer import Renderer, stream_event
from publish.web.stream.broadcaster import Broadcaster
from publish.web.stream.event import StreamEvent
from shared.consumer.decode import Rejection, decode, header_of
from shared.failures.backoff import jittered
from shared.failures.transient import TRANSIENT, is_transient, reason_of
from shared.http.problem import Problem
from shared.kafka.standalone import new_consumer
from shared.messages import EnrichedUpdate
from shared.observability.traces import exemplar_of, passage, spans_are_recorded
from shared.postgres.pool import Pool
from shared.streams import ENRICHED

log = structlog.get_logger(__name__)

CHUNK = 25
"""Revisions that are rendered and published before pages and streams get their turn."""
WATCH_INTERVAL_S = 2.0
HANGS_AFTER_S = 120.0
"""No step of the loop may take so long: what is waited for has a shorter time of its own."""
ANSWERS_WITHIN_S = 45.0
"""For Kafka to take a new client, and for Postgres to give a snapshot; after that it is tried again."""
RECALLED = 300
"""Newest updates of a snapshot whose last correction is looked up in the archive."""

APPLIED = Counter("slugline_web_revisions", "Revisions taken from the log", ["effect"])
HELD = Gauge("slugline_web_updates", "Visible updates in memory")
OFFSET = Gauge("slugline_web_offset", "Offset in the log up to which this replica has followed")
BEHIND = Gauge("slugline_web_lag_messages", "Messages of the log that this replica has not followed yet")
SNAPSHOTS = Counter("slugline_web_snapshots", "Snapshots taken of the archive")
LATENCY = Histogram(
    "slugline_web_latency_seconds",
    "From a stage of the passport until this replica's readers have the revision",
    ["since"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300),
)

SINCE_RECEIVED, SINCE_ENRICHED = LATENCY.labels("received"), LATENCY.labels("enriched")

TYPES = {EnrichedUpdate.ce_type: EnrichedUpdate}


class NotThisLog(Exception):
    """The log that is followed is not the archive's any more."""


class Follower:
    """Follows `updates.enriched` without a group, so that every replica gets everything."""

    def __init__(
        self,
        settings: Settings,
        feed_store: FeedStore,
        renderer: Renderer,
        archive: ArchiveClient,
        broadcaster: Broadcaster,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._feed_store = feed_store
        self._renderer = renderer
        self._archive = archive
        self._broadcaster = broadcaster
        self._placement = Placement(archive, feed_store)
        self._clock = clock
        self._partition = TopicPartition(settings.topic_prefix + ENRICHED.name, 0)
        self._epoch = 0
        self._waiting: str | None = "not started"
        self._caught_up = False
        self._reached = 0
        self._turned_at: float | None = None

    def why_not_ready(self) -> str | None:
        """For `Health.ready`. Once there is something to serve, an outage is no reason to send readers away."""
        return None if self._caught_up else (self._waiting or "reading the log up to its end")

    def why_not_live(self) -> str | None:
        """For `Health.live`: a loop that stopped turning is mended only by a restart. An outage is waited for in turns."""
        silent_s = self._clock() - self._turned_at if self._turned_at is not None else 0.0
        return f"the follower of the log has hung for {silent_s:.0f} s" if silent_s > HANGS_AFTER_S else None

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until `stop`, whatever goes away in between."""
        pause_s = 0.2
        while not stop.is_set():
            self._turned_at = self._clock()
            try:
                await self._follow_one_log(stop)
                pause_s = 0.2
            except NotThisLog as reason:
                self._waiting = str(reason)
                log.warning("waiting for the archive", reason=str(reason), fold="archive")
            except Exception as error:
                self._waiting = reason_of(error)
                if is_transient(error):
                    log.warning("cannot follow the log", error=self._waiting, fold="log")
                else:
                    log.error("bug in following the log", exc_info=error, fold=type(error).__name__)
            await _pause(stop, pause_s)
            pause_s = min(pause_s * 2, 2.0)

    async def _follow_one_log(self, stop: asyncio.Event) -> None:
        pool = self._archive.connected()
        self._waiting = "waiting for Kafka"
        consumer = new_consumer(self._settings, "slugline-publish-web")
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                await consumer.start()
            self._waiting = "waiting for the archive's snapshot"
            snapshot = await self._take_snapshot(pool)
            consumer.assign([self._partition])
            first, end = await self._verify(consumer, pool, snapshot)
            await self._begin(snapshot)
            if first > snapshot.offset + 1:
                self._broadcaster.reset("gap")
            consumer.seek(self._partition, first)
            await self._tail(consumer, end, stop)
        finally:
            await consumer.stop()

    async def _take_snapshot(self, pool: Pool) -> queries.Snapshot:
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            snapshot = await queries.snapshot(
                pool,
                self._settings.publish_web_updates,
                self._feed_store.known.at_start,
                self._settings.publish_web_updates_bytes,
            )
        if snapshot.epoch == 0:
            raise NotThisLog("the archive has not seen a log yet")
        return snapshot

    async def _begin(self, snapshot: queries.Snapshot) -> None:
        """Serve a snapshot from now on, and tell the streams from where they are continued."""
        entries = [FeedEntry(archived.update) for archived in snapshot.updates]
        await self._recall_changes(entries)
        self._feed_store.reset(
            Position(snapshot.epoch, snapshot.offset),
            entries,
            complete=len(snapshot.updates) < self._settings.publish_web_updates
            and not any(archived.is_cut for archived in snapshot.updates[-1:]),
            standings=snapshot.standings,
            retracted=[
                retraction
                for archived in snapshot.retracted
                if (retraction := retraction_of(archived.update, archived.channels)) is not None
            ],
            stories=snapshot.stories,
        )
        self._epoch = snapshot.epoch
        self._placement.reset()
        self._broadcaster.begin(snapshot.epoch, snapshot.offset)
        SNAPSHOTS.inc()
        HELD.set(len(self._feed_store))
        log.info("snapshot taken", epoch=snapshot.epoch, offset=snapshot.offset, updates=len(self._feed_store))

    async def _verify(self, consumer: AIOKafkaConsumer, pool: Pool, snapshot: queries.Snapshot) -> tuple[int, int]:
        """Where to read on, and the log's end; NotThisLog when it is not the log that the archive knows."""
        partition = self._partition
        begin = (await consumer.beginning_offsets([partition]))[partition]
        end = (await consumer.end_offsets([partition]))[partition]
        if end <= snapshot.offset:
            raise NotThisLog("the log ends before the archived place")
        known = await epochs.newest(pool)
        if known is None or known.epoch != snapshot.epoch:
            raise NotThisLog("the archive has begun a new epoch")
        if begin <= known.last_offset < end:
            consumer.seek(partition, known.last_offset)
            batches = await consumer.getmany(partition, timeout_ms=2000, max_records=1)
            records = batches.get(partition, [])
            if records and (records[0].offset, epochs.event_id_of(records[0])) != (
                known.last_offset,
                known.last_event_id,
            ):
                raise NotThisLog("another record is at the archived place")
        if begin > snapshot.offset + 1:
            log.error(
                "records are gone from the log before they were archived", first=snapshot.offset + 1, last=begin - 1
            )
        return max(begin, snapshot.offset + 1), end

    async def _recall_changes(self, entries: Sequence[FeedEntry]) -> None:
        """Find the reason and the diff of corrections that late enrichment has followed; of the newest updates."""
        newest = sorted(entries, key=lambda entry: entry.position, reverse=True)[:RECALLED]
        lacking = {
            entry.update.update_id: entry
            for entry in newest
            if entry.update.updated_at is not None and not has_change(entry.update.change)
        }
        if not lacking:
            return
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            told = await queries.last_told(self._archive.connected(), lacking.keys())
        for update_id, revisions in told.items():
            entry = lacking[update_id]
            for archived in revisions:
                if archived.update.updated_at == entry.update.updated_at and has_change(archived.update.change):
                    entry.update = replace(entry.update, change=archived.update.change)
                    break

    async def _tail(self, consumer: AIOKafkaConsumer, end: int, stop: asyncio.Event) -> None:
        self._reached = self._feed_store.cursor.offset + 1
        watching = asyncio.create_task(self._keep_watching(consumer), name="watch of the log")
        try:
            while not stop.is_set():
                if watching.done():
                    watching.result()
                if not self._caught_up and self._reached >= end:
                    self._caught_up = True
                    self._waiting = None
                    log.info("caught up with the log", offset=self._reached - 1)
                await self._take_next(consumer)
                self._turned_at = self._clock()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _take_next(self, consumer: AIOKafkaConsumer) -> None:
        try:
            batches = await consumer.getmany(self._partition, timeout_ms=500, max_records=500)
        except OffsetOutOfRangeError as error:
            raise NotThisLog("the log has no such offset") from error
        records = batches.get(self._partition, [])
        for start in range(0, len(records), CHUNK):
            await self._take(records[start : start + CHUNK])
            await asyncio.sleep(0)
        if records:
            self._reached = records[-1].offset + 1
            BEHIND.set(max(0, (consumer.highwater(self._partition) or self._reached) - self._reached))

    async def _take(self, records: Sequence["ConsumerRecord[bytes, bytes]"]) -> None:
        """Apply records to memory, then publish them to streams: what is removed is gone before anything is rendered."""
        updates = [update for record in records if (update := self._read(record)) is not None]
        standings = await self._placement.ask(updates)
        done: list[Applied] = []
        for update in updates:
            try:
                applied = self._placement.apply(update, standings)
            except Exception:
                APPLIED.labels("failed").inc()
                log.exception("record passed over", offset=update.cursor.offset)
                continue
            APPLIED.labels(update.kind if applied is not None else "repeat").inc()
            if applied is not None:
                done.append(applied)
        events = _traced(self._events(done), records)
        self._broadcaster.publish(events, through=Position(self._epoch, records[-1].offset))
        OFFSET.set(records[-1].offset)
        HELD.set(len(self._feed_store))
        now = datetime.now(UTC)
        for event in events:
            if event.enriched_at:
                exemplar = exemplar_of(event.passage.traceparent) if event.passage is not None else None
                SINCE_ENRICHED.observe(max(0.0, now.timestamp() - event.enriched_at), exemplar)

    def _read(self, record: "ConsumerRecord[bytes, bytes]") -> ReaderUpdate | None:
        """What readers get of a record's revision; None where it is none, or cannot be read."""
        try:
            decoded = decode(record, TYPES)
            if decoded is None or isinstance(decoded, Rejection):
                APPLIED.labels("unreadable" if decoded else "other").inc()
                if decoded:
                    log.warning("record passed over", offset=record.offset, reason=decoded.failure.reason)
                return None
            update = decoded.event
            SINCE_RECEIVED.observe(max(0.0, (datetime.now(UTC) - update.passport.received_at).total_seconds()))
            place = Position(self._epoch, record.offset)
            # The first revision is given its place at once: a copy of an update costs as much as its JSON.
            first = place if update.revision == 1 and not update.is_removal else None
            return reader_update(update, cursor=place, position=first)
        except Exception:
            APPLIED.labels("failed").inc()
            log.exception("record passed over", offset=record.offset)
            return None

    def _events(self, done: Sequence[Applied]) -> Iterator[StreamEvent]:
        """The events for streams, without what cannot be shown and without updates that are removed by now."""
        for applied in done:
            if applied.entry is not None and self._feed_store.removed(applied.update.update_id) is not None:
                continue
            event = self.event(applied)
            try:
                event.views["json"]
            except Omitted:
                continue
            yield event

    async def _place_those_waiting(self) -> None:
        try:
            missed = await self._placement.place_those_waiting()
        except Problem:
            return
        except TooManyWait as reason:
            self._broadcaster.reset("gap")
            raise NotThisLog(str(reason)) from reason
        HELD.set(len(self._feed_store))
        if missed:
            # It was not told at its place in the log, and what follows that place was.
            self._broadcaster.reset("gap")

    async def _keep_watching(self, consumer: AIOKafkaConsumer) -> None:
        """Check the log and the archive beside the log's records, which wait for neither; raises what is found."""
        while True:
            await asyncio.sleep(WATCH_INTERVAL_S)
            await self._watch(consumer)

    async def _watch(self, consumer: AIOKafkaConsumer) -> None:
        """Check that this is still the archive's log; with Postgres or Kafka away, nothing is concluded."""
        try:
            async with asyncio.timeout(2):
                epoch = await queries.current_epoch(self._archive.connected())
        except TRANSIENT as error:
            log.warning("the archive does not answer", error=reason_of(error), fold="archive")
        else:
            if epoch != self._epoch:
                raise NotThisLog("the archive has begun a new epoch")
            if self._placement.waits:
                await self._place_those_waiting()
        reached = self._reached
        try:
            async with asyncio.timeout(2):
                end = (await consumer.end_offsets([self._partition]))[self._partition]
        except TRANSIENT as error:
            log.warning("kafka does not answer", error=reason_of(error), fold="kafka")
            return
        BEHIND.set(max(0, end - reached))
        if end < reached:
            raise NotThisLog("the log ends before the place that was reached")

    def event(self, applied: Applied) -> StreamEvent:
        """A revision as streams carry it."""
        return stream_event(self._renderer, applied)


def _traced(events: Iterable[StreamEvent], records: Sequence["ConsumerRecord[bytes, bytes]"]) -> list[StreamEvent]:
    """The events, those of sampled updates with the moment at which their records were taken."""
    if not spans_are_recorded():
        return list(events)
    passages = {
        each.offset: passed for each in records if (passed := passage(header_of(each, "traceparent"))) is not None
    }
    return [replace(each, passage=passages.get(each.offset)) for each in events]


async def _pause(stop: asyncio.Event, pause_s: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), jittered(pause_s))
    except TimeoutError:
        return
