"""Keeps a replica's memory and its streams up to date with the log: a snapshot of the archive, then the log behind it.

The archive decides which log is the current one (its epoch) and what the position of each update is. A replica that starts,
or whose log is not the archive's any more, waits for the archive, takes a new snapshot, and resets every stream. What it has in
memory is served meanwhile.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError
from prometheus_client import Counter, Gauge, Histogram

from publish.archive import epochs, queries
from publish.representation.position import Position
from publish.representation.reader_update import ReaderUpdate, reader_update
from publish.settings import Settings
from publish.web.archive_client import ArchiveClient
from publish.web.feed_store import Applied, FeedEntry, FeedStore, has_change
from publish.web.omissions import Omitted
from publish.web.renderer import Renderer, stream_event
from publish.web.stream.broadcaster import Broadcaster
from publish.web.stream.event import StreamEvent
from shared.consumer.decode import Rejection, decode
from shared.failures.backoff import jittered
from shared.failures.transient import TRANSIENT, is_transient, reason_of
from shared.http.problem import Problem
from shared.kafka.standalone import new_consumer
from shared.kafka.startup import start_when_available
from shared.messages import EnrichedUpdate
from shared.postgres.pool import Pool
from shared.streams import ENRICHED

log = structlog.get_logger(__name__)

CHUNK = 25
"""Revisions that are rendered and published before pages and streams get their turn."""
WATCH_INTERVAL_S = 2.0
SILENT_AFTER_S = 15.0
ASK_AGAIN_AFTER_S = 2.0
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
    ) -> None:
        self._settings = settings
        self._feed_store = feed_store
        self._renderer = renderer
        self._archive = archive
        self._broadcaster = broadcaster
        self._partition = TopicPartition(settings.topic_prefix + ENRICHED.name, 0)
        self._epoch = 0
        self._waiting: str | None = "not started"
        self._caught_up = False
        self._unplaced: dict[str, ReaderUpdate] = {}
        self._ask_after = 0.0
        self._heard_at = time.monotonic()

    def why_not_ready(self) -> str | None:
        """For `Health.ready`. Once there is something to serve, an outage is no reason to send readers away."""
        return None if self._caught_up else (self._waiting or "reading the log up to its end")

    def why_not_live(self) -> str | None:
        """For `Health.live`: a loop that stopped turning is mended only by a restart."""
        silent = time.monotonic() - self._heard_at
        return f"the log has not been looked at for {silent:.0f} s" if silent > SILENT_AFTER_S * 8 else None

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until `stop`, whatever goes away in between."""
        pause_s = 0.2
        while not stop.is_set():
            self._heard_at = time.monotonic()
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
        self._waiting = "waiting for the archive's snapshot"
        snapshot = await queries.snapshot(pool, self._settings.publish_web_updates)
        if snapshot.epoch == 0:
            raise NotThisLog("the archive has not seen a log yet")
        self._waiting = "waiting for Kafka"
        consumer = new_consumer(self._settings, "slugline-publish-web")
        await start_when_available(consumer, "updates.enriched", stop)
        try:
            if stop.is_set():
                return
            consumer.assign([self._partition])
            first, end = await self._verify(consumer, pool, snapshot)
            entries = [FeedEntry(archived.update) for archived in snapshot.updates]
            await self._recall_changes(entries)
            self._feed_store.reset(
                Position(snapshot.epoch, snapshot.offset),
                entries,
                complete=len(snapshot.updates) < self._settings.publish_web_updates,
            )
            self._epoch = snapshot.epoch
            self._unplaced.clear()
            self._broadcaster.begin(snapshot.epoch, snapshot.offset)
            SNAPSHOTS.inc()
            HELD.set(len(self._feed_store))
            log.info("snapshot taken", epoch=snapshot.epoch, offset=snapshot.offset, updates=len(self._feed_store))
            consumer.seek(self._partition, first)
            await self._tail(consumer, end, stop)
        finally:
            await consumer.stop()

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
        for entry in newest:
            update = entry.update
            if update.updated_at is None or has_change(update.change):
                continue
            for archived in reversed(await queries.revisions(self._archive.connected(), update.update_id)):
                if archived.update.updated_at == update.updated_at and has_change(archived.update.change):
                    entry.update = replace(update, change=archived.update.change)
                    break

    async def _tail(self, consumer: AIOKafkaConsumer, end: int, stop: asyncio.Event) -> None:
        reached = self._feed_store.cursor.offset + 1
        watch_at = time.monotonic() + WATCH_INTERVAL_S
        while not stop.is_set():
            if not self._caught_up and reached >= end:
                self._caught_up = True
                self._waiting = None
                log.info("caught up with the log", offset=reached - 1)
            try:
                batches = await consumer.getmany(self._partition, timeout_ms=500, max_records=500)
            except OffsetOutOfRangeError as error:
                raise NotThisLog("the log has no such offset") from error
            records = batches.get(self._partition, [])
            for start in range(0, len(records), CHUNK):
                await self._take(records[start : start + CHUNK])
                await asyncio.sleep(0)
            if records:
                reached = records[-1].offset + 1
                BEHIND.set(max(0, (consumer.highwater(self._partition) or reached) - reached))
            self._heard_at = time.monotonic()
            if self._heard_at >= watch_at:
                await self._watch(consumer, reached)
                watch_at = time.monotonic() + WATCH_INTERVAL_S

    async def _take(self, records: Sequence["ConsumerRecord[bytes, bytes]"]) -> None:
        """Apply records to memory, then publish them to streams: what is removed is gone before anything is rendered."""
        done: list[Applied] = []
        for record in records:
            try:
                applied = await self._take_one(record)
            except Exception:
                APPLIED.labels("failed").inc()
                log.exception("record passed over", offset=record.offset)
                continue
            if applied is not None:
                done.append(applied)
        events = list(self._events(done))
        self._broadcaster.publish(events, through=Position(self._epoch, records[-1].offset))
        OFFSET.set(records[-1].offset)
        HELD.set(len(self._feed_store))
        now = datetime.now(UTC)
        for event in events:
            if event.enriched_at:
                SINCE_ENRICHED.observe(max(0.0, now.timestamp() - event.enriched_at))

    async def _take_one(self, record: "ConsumerRecord[bytes, bytes]") -> Applied | None:
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
        applied = await self._apply(reader_update(update, cursor=place, position=first))
        APPLIED.labels(update.kind if applied is not None else "none").inc()
        return applied

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

    async def _apply(self, update: ReaderUpdate) -> Applied | None:
        """Apply a revision; one of an update that memory cannot place gets its position from the archive."""
        if update.revision == 1 or update.is_removal or self._feed_store.knows(update.update_id):
            return self._feed_store.apply(update)
        try:
            return await self._apply_placed(update)
        except Problem:
            # Its words reach open pages now, its place is asked for again, and nothing is put on top meanwhile.
            self._unplaced[update.update_id] = update
            self._ask_after = time.monotonic() + ASK_AGAIN_AFTER_S
            return self._feed_store.pass_by(update)

    async def _apply_placed(self, update: ReaderUpdate) -> Applied | None:
        if time.monotonic() < self._ask_after:
            raise Problem(503, "archive-away", "the archive did not answer a moment ago")
        archived = await self._archive.one(update.update_id)
        if archived is None:
            epoch, offset = update.cursor
            if await self._archive.archived_up_to() < (epoch, offset - 1):
                raise Problem(503, "archive-behind", "the archive has not seen what came before this revision")
            return self._feed_store.apply(update)
        if archived.update.is_final:
            return None
        was_visible = not archived.update.is_removal or archived.position != archived.cursor
        if archived.update.revision > update.revision and not archived.update.is_removal:
            return self._feed_store.apply(replace(archived.update, cursor=update.cursor))
        return self._feed_store.apply(replace(update, position=archived.position if was_visible else None))

    async def _place_the_unplaced(self) -> None:
        for update_id, update in list(self._unplaced.items()):
            try:
                applied = await self._apply_placed(update)
            except Problem:
                return
            del self._unplaced[update_id]
            if applied is not None:
                HELD.set(len(self._feed_store))

    async def _watch(self, consumer: AIOKafkaConsumer, reached: int) -> None:
        """Check that this is still the archive's log; with Postgres or Kafka away, nothing is concluded."""
        try:
            async with asyncio.timeout(2):
                epoch = await queries.current_epoch(self._archive.connected())
        except TRANSIENT as error:
            log.warning("the archive does not answer", error=reason_of(error), fold="archive")
        else:
            if epoch != self._epoch:
                raise NotThisLog("the archive has begun a new epoch")
            if self._unplaced:
                await self._place_the_unplaced()
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


async def _pause(stop: asyncio.Event, pause_s: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), jittered(pause_s))
    except TimeoutError:
        return
