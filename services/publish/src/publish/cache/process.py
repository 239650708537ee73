"""`python -m publish cache`: updates.enriched into the Redis read model."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import click
import structlog
from aiokafka import ConsumerRecord, TopicPartition
from prometheus_client import Counter, Gauge

from publish.archive import queries
from publish.archive.standings import Standing, standings
from publish.cache.store import Flushed, ReadModel, open_read_model
from publish.channel import follow
from publish.polls.settled import keep_settling
from publish.polls.votes import Votes
from publish.representation.position import Position
from publish.representation.reader_update import ReaderUpdate, reader_update
from publish.settings import Settings
from shared.background import keep_running
from shared.consumer.decode import Incoming, Rejection
from shared.crash_points import reached
from shared.failures import Transient
from shared.kafka.producer import Producer
from shared.messages import EnrichedUpdate
from shared.observability.servers import ask_redis
from shared.postgres.pool import Pool
from shared.process import run
from shared.redis_client import open_redis
from shared.streams import ENRICHED

log = structlog.get_logger(__name__)

STAGE = "publish.cache"
WATCH_INTERVAL_S = 1.0
CATCH_UP_S = 10.0
NEW_FOR = timedelta(hours=1)
"""A first revision of what was received within this time is no repeat of something that the model has let go."""

REBUILDS = Counter("slugline_cache_rebuilds", "Times the read model was rebuilt from the archive")
WRITTEN = Counter("slugline_cache_writes", "Revisions written to the read model")
REPEATS = Counter("slugline_cache_repeats", "Revisions that were passed over, since the archive has them or later ones")
OFFSET = Gauge("slugline_cache_offset", "Offset in the log up to which the read model is whole")


class Cache:
    """Keeps the read model in step with the log, and with the archive where the log is not enough."""

    def __init__(self, pool: Pool, model: ReadModel, settings: Settings, votes: Votes | None = None) -> None:
        """With `votes` it settles those of polls too."""
        self._pool = pool
        self._votes = votes
        self._model = model
        self._days = settings.publish_cache_days
        self._partition = TopicPartition(settings.topic_prefix + ENRICHED.name, 0)
        self._lock = asyncio.Lock()
        self._in_step = False
        self._epoch = 0
        self._reach = -1
        self._written: Position | None = None
        self._rewound_to: int | None = None

    async def check_position(
        self, records: Sequence["ConsumerRecord[bytes, bytes]"]
    ) -> Mapping[TopicPartition, int] | None:
        """Where to read instead, if these records do not follow on what is in the model."""
        first = records[0].offset
        if not self._in_step or first > self._reach + 1:
            place = await self._get_in_step()
            if first > place.offset + 1 and self._rewound_to != place.offset + 1:
                self._rewound_to = place.offset + 1
                return {self._partition: place.offset + 1}
            self._in_step = True
        self._rewound_to = None
        self._reach = records[-1].offset
        return None

    async def _get_in_step(self) -> Position:
        """The place that the model is whole up to, after a rebuild where it was not."""
        async with self._lock:
            epoch = await queries.current_epoch(self._pool)
            if epoch == 0:
                raise Transient("the archive has not seen the log yet")
            mark = await self._model.watermark()
            if mark is None or mark.epoch != epoch:
                mark = await self._rebuild()
            self._epoch, self._written = mark.epoch, None
            return mark

    def _written_up_to(self) -> int:
        return self._written.offset if self._written is not None and self._written.epoch == self._epoch else -1

    async def _rebuild(self) -> Position:
        since = datetime.now(UTC) - timedelta(days=self._days)
        count = 0
        token = await self._model.begin_rebuild()
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            place = await queries.archived_up_to(connection)
            try:
                async for chunk in queries.everything(connection, since=since):
                    await self._model.rebuild([each.update for each in chunk])
                    reached("cache.rebuilding")
                    count += len(chunk)
                await self._model.done(place, token)
            except Flushed:
                raise Transient("the read model was flushed while it was rebuilt") from None
        REBUILDS.inc()
        log.warning("read model rebuilt from the archive", updates=count, cursor=str(place))
        return place

    async def handle(self, incoming: Sequence[Incoming[EnrichedUpdate]]) -> Sequence[Rejection]:
        """Write a batch to the model."""
        updates = [
            reader_update(message.event, cursor=Position(self._epoch, message.record.offset)) for message in incoming
        ]
        try:
            await self._write(updates)
        except Flushed:
            self._in_step = False
            raise Transient("the read model was flushed") from None
        self._written = updates[-1].cursor
        reached("cache.written")
        OFFSET.set(updates[-1].cursor.offset)
        return ()

    async def _write(self, updates: Sequence[ReaderUpdate]) -> None:
        """Place them and write them; raises Flushed."""
        async with self._lock:
            killed = [update.update_id for update in updates if update.is_final]
            if killed:
                await self._model.take_out(killed)
                reached("cache.taken-out")
            positions = await self._model.positions({update.update_id: None for update in updates}.keys())
            known = await self._standings([each for each in updates if each.update_id not in positions])
            placed = []
            for update in updates:
                standing = known.get(update.update_id)
                if update.is_final and update.update_id not in positions and _is_unseen(standing):
                    # Nobody ever saw it, and a tombstone would tell of it.
                    continue
                if standing is not None and not update.is_final:
                    if standing.outdates(update):
                        REPEATS.inc()
                        continue
                    if standing.position is not None:
                        positions.setdefault(update.update_id, standing.position)
                if not update.is_removal:
                    positions.setdefault(update.update_id, update.cursor)
                placed.append(replace(update, position=positions.get(update.update_id, update.cursor)))
            WRITTEN.inc(await self._model.write(placed, updates[-1].cursor, behind=self._written_up_to()))

    async def _standings(self, unknown: Sequence[ReaderUpdate]) -> Mapping[str, Standing]:
        """Where updates that the model does not know stand, unless they are new: it forgets a removal, and Redis lets it go."""
        recent = datetime.now(UTC) - NEW_FOR
        asked = {
            each.update_id
            for each in unknown
            if each.revision > 1 or each.is_removal or each.passport.received_at < recent
        }
        return (await standings(self._pool, asked)).by_id if asked else {}

    async def _wait_for_archive(self) -> None:
        """Wait a while for the archive, so that a rebuild holds what was flushed; what it lacks after that comes from the log."""
        deadline = asyncio.get_running_loop().time() + CATCH_UP_S
        while asyncio.get_running_loop().time() < deadline:
            if await queries.archived_up_to(self._pool) >= (self._epoch, self._reach):
                return
            await asyncio.sleep(0.05)

    async def keep_watching(self) -> None:
        """Notice a flush, a new epoch or a failover while no message comes, and rebuild the model; until cancelled."""

        async def step() -> None:
            # Before the question, so that what is written meanwhile is not taken for lost.
            written_up_to = self._written_up_to()
            mark = await self._model.watermark()
            if mark is None or mark.epoch != await queries.current_epoch(self._pool):
                self._in_step = False
                await self._wait_for_archive()
                await self._get_in_step()
            elif mark.offset < written_up_to:
                log.warning("redis has lost the latest writes", has=str(mark), written_up_to=written_up_to)
                self._in_step = False
                await self._wait_for_archive()
                async with self._lock:
                    await self._rebuild()
                    self._written = None

        async def watch() -> None:
            await asyncio.sleep(WATCH_INTERVAL_S)
            await keep_running("read model", step, every_s=WATCH_INTERVAL_S)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(watch())
            if self._votes is not None:
                tasks.create_task(keep_settling(self._pool, self._votes))


def _is_unseen(standing: Standing | None) -> bool:
    """Whether no revision of an update was ever visible. What the archive lacks is new, and then the model would have it."""
    return standing is None or standing.position is None


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """The process."""

    @asynccontextmanager
    async def opening(pool: Pool, _: Producer) -> AsyncIterator[Cache]:
        async with (
            open_read_model(settings, timeout_s=10) as model,
            open_redis(settings, timeout_s=10) as of_votes,
        ):
            yield Cache(pool, model, settings, Votes.of(of_votes, settings))

    redis = {"redis": ask_redis(settings)}
    await follow(settings, stop, "cache", opening, health_port=8096, max_size=4, servers=redis)


@click.command()
def cache() -> None:
    """Keep the Redis read model."""
    settings = Settings()
    run(settings, STAGE, lambda stop: serve(settings, stop))
