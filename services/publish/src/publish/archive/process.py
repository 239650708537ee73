"""`python -m publish archive`: updates.enriched into Postgres, in order, once."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import click
import structlog
from aiokafka import ConsumerRecord, TopicPartition
from prometheus_client import Counter, Gauge, Histogram

from publish.archive.epochs import Epoch, align, event_id_of, newest
from publish.archive.search.index import fill, find_missing
from publish.archive.store import Revision, find_missing_pictures, places_of, revision_of, write_batch
from publish.channel import follow
from publish.representation.position import Position
from publish.settings import Settings
from shared.background import keep_running, until_answered
from shared.consumer.decode import Incoming, Rejection
from shared.crash_points import reached
from shared.failures import Transient
from shared.kafka.producer import Producer, acknowledged
from shared.messages import EnrichedUpdate, Outcome, Outcomes
from shared.postgres.pool import Pool
from shared.process import run
from shared.settings import Connections
from shared.streams import ENRICHED, OUTCOMES

log = structlog.get_logger(__name__)

STAGE = "publish.archive"
WATCH_INTERVAL_S = 10.0
FILL_EVERY_S = 3600.0
FILL_PAUSE_S = 0.2
"""Between two batches of older updates: live ones are archived in between."""
LOOKED_BACK = 20_000
"""Records; more than arrive while two releases run side by side."""
OUT_OF_STEP = -2
"""An offset that no record follows, so that the log is checked before the next batch."""

LATENCY = Histogram(
    "slugline_archive_latency_seconds",
    "From a stage of the passport until the revision is archived",
    ["since"],
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300),
)
EPOCH = Gauge("slugline_archive_epoch", "The epoch of the log that is followed")
REPEATS = Counter("slugline_archive_repeats", "Records of the log that repeat a revision, and change nothing")
ARCHIVED = Gauge("slugline_archive_offset", "Offset in the log up to which everything is archived")


class Archive:
    """The archive's position in its log, and the batches that advance it."""

    def __init__(self, pool: Pool, producer: Producer, settings: Connections) -> None:
        self._pool = pool
        self._producer = producer
        self._settings = settings
        self._partition = TopicPartition(settings.topic_prefix + ENRICHED.name, 0)
        self._epoch: Epoch | None = None
        self._reach = -1
        """The last record of this log that this process has accepted, in order."""
        self._rewound_to: int | None = None

    async def check_position(
        self, records: Sequence["ConsumerRecord[bytes, bytes]"]
    ) -> Mapping[TopicPartition, int] | None:
        """Where to read instead, if these records do not follow on what is archived.

        The group's committed offset may be behind the archive (repeats, which change nothing), ahead of it (Postgres
        came back from a backup) or of another log altogether; the archive's own place is the truth.
        """
        first = records[0].offset
        if self._epoch is None or first != self._reach + 1:
            known = self._epoch
            await self.find_epoch()
            assert self._epoch is not None  # noqa: S101
            if known is not None and known.epoch != self._epoch.epoch:
                self._rewound_to = None
                return {self._partition: self._epoch.last_offset + 1}
            expected = max(self._epoch.last_offset, self._reach) + 1
            if first > expected:
                if self._rewound_to != expected:
                    self._rewound_to = expected
                    log.warning("the log is ahead of the archive; going back", at=first, to=expected)
                    return {self._partition: expected}
                log.error("records are gone from the log before they were archived", first=expected, last=first - 1)
        self._rewound_to = None
        self._reach = records[-1].offset
        return None

    async def find_epoch(self) -> None:
        """Compare the log with what is archived of it, and begin a new epoch where it is another log."""
        found = await align(self._pool, self._settings)
        if self._epoch is None or found.epoch != self._epoch.epoch:
            self._reach = found.last_offset
        self._epoch = found
        EPOCH.set(found.epoch)
        ARCHIVED.set(found.last_offset)

    async def look_back(self) -> None:
        """Record pictures and words of the newest updates that an older release, which may have run meanwhile, did not record."""
        if self._epoch is not None:
            after = self._epoch.last_offset - LOOKED_BACK
            await find_missing_pictures(self._pool, self._epoch.epoch, after)
            await find_missing(self._pool, self._epoch.epoch, after)

    async def handle(self, incoming: Sequence[Incoming[EnrichedUpdate]]) -> Sequence[Rejection]:
        """Archive a batch, then report its outcomes."""
        assert self._epoch is not None  # noqa: S101
        epoch = self._epoch.epoch
        revisions = [
            revision_of(Position(epoch, message.record.offset), message.event, bytes(message.record.value or b""))
            for message in incoming
        ]
        last = incoming[-1].record
        async with self._pool.acquire() as connection, connection.transaction():
            known = await newest(connection, lock=True)
            if known is None or known.epoch != epoch:
                self._reach = OUT_OF_STEP
                raise Transient("another archive process has begun a new epoch")
            fresh = [revision for revision in revisions if revision.place.offset > known.last_offset]
            if fresh:
                await write_batch(connection, fresh)
                reached("archive.written")
                moved = await connection.fetchval(
                    "UPDATE publish.epochs SET last_offset = $2, last_event_id = $3 WHERE epoch = $1 "
                    "AND NOT EXISTS (SELECT FROM publish.epochs WHERE epoch > $1) RETURNING epoch",
                    epoch, last.offset, event_id_of(last),
                )  # fmt: skip
                if moved is None:
                    self._reach = OUT_OF_STEP
                    raise Transient("a new epoch has begun meanwhile")
            places = await places_of(connection, revisions)
        reached("archive.committed")
        now = datetime.now(UTC)
        news = [revision for revision in fresh if places.get(revision.key) == revision.place]
        REPEATS.inc(len(fresh) - len(news))
        ARCHIVED.set(max(known.last_offset, last.offset))
        _measure(news, now)
        await self._report(revisions, places, now, incoming[0].header("traceparent"))
        return ()

    async def _report(
        self, revisions: Sequence[Revision], places: Mapping[tuple[str, int], Position], now: datetime, trace: str
    ) -> None:
        outcomes = Outcomes(
            outcomes=tuple(
                Outcome(
                    update_id=revision.update.update_id,
                    fingerprint=revision.update.fingerprint,
                    stage="published",
                    at=now,
                    revision=revision.update.revision,
                    position=str(places.get(revision.key, revision.place)),
                )
                for revision in revisions
            )
        )
        place = revisions[0].place
        future = await self._producer.send(
            OUTCOMES, outcomes, key=revisions[0].update.update_id, event_id=f"{STAGE}:{place}", traceparent=trace
        )
        await acknowledged([future])
        reached("archive.outcomes-sent")

    async def _index_older(self) -> None:
        more = True
        while more:
            more = await fill(self._pool)
            await asyncio.sleep(FILL_PAUSE_S)

    async def keep_watching(self) -> None:
        """Check the log regularly, since nothing else notices that it was recreated while no record comes; until cancelled.

        Beside it, what was archived before there was a search index is indexed, a little at a time.
        """

        async def step() -> None:
            found = await align(self._pool, self._settings)
            if self._epoch is not None and found.epoch != self._epoch.epoch:
                self._reach = OUT_OF_STEP

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(keep_running("search index", self._index_older, every_s=FILL_EVERY_S))
            tasks.create_task(keep_running("epochs", step, every_s=WATCH_INTERVAL_S))


def _measure(revisions: Sequence[Revision], now: datetime) -> None:
    for revision in revisions:
        passport = revision.update.passport
        LATENCY.labels("received").observe(max((now - passport.received_at).total_seconds(), 0))
        if passport.enriched_at is not None:
            LATENCY.labels("enriched").observe(max((now - passport.enriched_at).total_seconds(), 0))


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """The process."""

    @asynccontextmanager
    async def opening(pool: Pool, producer: Producer) -> AsyncIterator[Archive]:
        archive = Archive(pool, producer, settings)
        if not stop.is_set():
            await until_answered("the log", archive.find_epoch, stop)
            await until_answered("the newest updates", archive.look_back, stop)
        yield archive

    await follow(settings, stop, "archive", opening, health_port=8095, stateless=True)


@click.command()
def archive() -> None:
    """Keep every revision in Postgres, and the epochs and positions that all channels share."""
    settings = Settings()
    run(settings, STAGE, lambda stop: serve(settings, stop))
