"""From a revision on the log to the deliveries of each channel: once, in order, and only when it is readable."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager

import structlog
from prometheus_client import Histogram

from publish.archive import queries
from publish.archive.queries import Archived
from publish.push.delivery.notice import Notice, QueueDeliveries
from publish.push.purge.surrogate_keys import queue_purges_at_once
from publish.push.readiness import ReadinessChecks, wait_until_readable
from publish.representation.position import Position
from publish.representation.reader_update import ReaderUpdate
from publish.takedown.proof import forget_words, watch
from shared.background import keep_running
from shared.consumer.decode import Incoming, Rejection
from shared.crash_points import reached
from shared.failures import Transient
from shared.failures.transient import is_transient
from shared.kafka.cloudevents import REPUBLISHED
from shared.messages import EnrichedUpdate
from shared.postgres.pool import Connection, Pool
from shared.postgres.set_aside import SetAside

log = structlog.get_logger(__name__)

ARCHIVE_DEADLINE_S = 10.0
SET_ASIDE_AFTER_S = 5.0
RETRY_INTERVAL_S = 5.0
NOTICES_ASIDE = SetAside("publish", "notices")
"""By channel, update and revision: what a channel could not queue deliveries of."""
SILENT = ("takedowns", "purges")
"""Channels that tell no person and no partner: these take everything."""
QUEUED = Histogram(
    "slugline_push_queued_seconds",
    "From enriched until the deliveries of a revision are queued",
    buckets=(0.01, 0.02, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2, 5, 10, 30),
)


ANYBODY = (
    "SELECT EXISTS (SELECT FROM publish.endpoints WHERE state = 'active') OR EXISTS (SELECT FROM publish.subscriptions)"
)


async def queue_takedowns(connection: Connection, notices: Sequence[Notice]) -> None:
    """Have every kill checked, sink by sink, and take its words out of what push keeps of it."""
    for notice in notices:
        if notice.update.is_final:
            await forget_words(connection, notice.update.update_id)
            await watch(connection, notice.archived)


def told_by(channel: str, notices: Sequence[Notice]) -> list[Notice]:
    """Those that a channel is given: of what an operator had made again nobody is told, unless it takes something out of sight."""
    return [each for each in notices if channel in SILENT or not each.republished or each.update.is_removal]


class Notifier:
    """Handles batches of revisions."""

    def __init__(
        self,
        pool: Pool,
        readiness: ReadinessChecks,
        queues: Mapping[str, QueueDeliveries],
        *,
        readable_s: float,
        done: Callable[[], None],
        found: Callable[[Sequence[Archived]], None] = lambda _: None,
        waiting: Callable[[], AbstractAsyncContextManager[None]] = contextlib.nullcontext,
    ) -> None:
        self._pool = pool
        self._readiness = readiness
        self._queues = queues
        self._readable_s = readable_s
        self._done = done
        self._found = found
        self._waiting = waiting
        """Around what waits for other processes: who is killed meanwhile has not died of the revision that it waits with."""

    async def handle(self, incoming: Sequence[Incoming[EnrichedUpdate]]) -> Sequence[Rejection]:
        """Wait for the archive and the sinks, then queue what follows, once for each revision."""
        wanted = {_revision(message.event) for message in incoming}
        fresh = await self._not_pushed(wanted)
        if not fresh:
            return ()
        await self._archived(
            {key: message.record.offset for message in reversed(incoming) if (key := _revision(message.event)) in fresh}
        )
        # A record elsewhere than where its revision was archived is a repeat, however long ago it was pushed, or if it never was.
        offsets = {message.record.offset for message in incoming}
        servable = (await queries.servable(self._pool, fresh)).values()
        found = sorted((each for each in servable if each.cursor.offset in offsets), key=lambda each: each.cursor)
        if not found:
            return ()
        self._found(found)
        await self._purge_removed(found)
        waited = await self._pool.fetchval(ANYBODY)
        place = found[-1].cursor
        readable = not waited or await self._is_readable(place)
        untold = {(each.event.update_id, each.event.revision) for each in incoming if each.header(REPUBLISHED)}
        traces = {message.record.offset: message.header("traceparent") for message in incoming}
        notices = [
            Notice(
                archived,
                readable,
                republished=(archived.update.update_id, archived.update.revision) in untold,
                traceparent=traces.get(archived.cursor.offset, ""),
            )
            for archived in found
        ]
        async with self._pool.acquire() as connection, connection.transaction():
            new = await self._mark(connection, notices)
            await self._queue_all(connection, new)
            reached("push.queued")
        reached("push.queued-committed")
        now = time.time()
        for notice in new:
            QUEUED.observe(max(now - notice.enriched_at.timestamp(), 0))
        self._done()
        return ()

    async def _queue_all(self, connection: Connection, notices: Sequence[Notice]) -> None:
        """Queue the deliveries of all channels; where one fails, those of the others all the same."""
        try:
            async with connection.transaction():
                for channel, queue in self._queues.items():
                    if told := told_by(channel, notices):
                        await queue(connection, told)
        except Exception as error:
            if is_transient(error):
                raise
            for channel in self._queues:
                if told := told_by(channel, notices):
                    await self._queue(connection, channel, told)

    async def _queue(self, connection: Connection, channel: str, notices: Sequence[Notice]) -> None:
        """Queue a channel's deliveries. A notice of which it can make none is set aside for this channel alone."""
        try:
            async with connection.transaction():
                await self._queues[channel](connection, notices)
        except Exception as error:
            if is_transient(error):
                raise
            if len(notices) > 1:
                for notice in notices:
                    await self._queue(connection, channel, [notice])
                return
            for notice in notices:
                await NOTICES_ASIDE.put(connection, _key(channel, notice.update), error)

    async def keep_retrying(self) -> None:
        """Queue again what a channel has set aside, until cancelled."""

        async def step() -> None:
            for key, is_due in (await NOTICES_ASIDE.known(self._pool)).items():
                if is_due:
                    await self._retry(key)

        await keep_running("set aside by a channel", step, every_s=RETRY_INTERVAL_S)

    async def _retry(self, key: str) -> None:
        channel, update_id, revision = key.split(" ")
        wanted = (update_id, int(revision))
        archived = (await queries.servable(self._pool, {wanted})).get(wanted)
        async with self._pool.acquire() as connection, connection.transaction():
            if not await NOTICES_ASIDE.take(connection, key):
                return
            try:
                # Whether readers can have it is looked at anew by who waits for that.
                if archived is not None and channel in self._queues:
                    async with connection.transaction():
                        await self._queues[channel](connection, [Notice(archived, readable=False)])
            except Exception as error:
                if is_transient(error):
                    raise
                await NOTICES_ASIDE.put(connection, key, error)
            else:
                await NOTICES_ASIDE.clear(connection, [key])
        self._done()

    async def _purge_removed(self, found: Sequence[Archived]) -> None:
        """What readers must not have any more is purged before anything is waited for."""
        removed = [archived for archived in found if archived.update.is_removal]
        if not removed:
            return
        async with self._pool.acquire() as connection, connection.transaction():
            await queue_purges_at_once(connection, removed)
        self._done()

    async def _archived(self, wanted: Mapping[tuple[str, int], int]) -> None:
        """Wait for these revisions, by their offsets, to be archived, but not long for one that the archive has set aside."""
        started = time.monotonic()
        if not await self._missing(wanted):
            return
        async with self._waiting():
            while missing := await self._missing(wanted):
                waited_s = time.monotonic() - started
                if waited_s > SET_ASIDE_AFTER_S and await queries.is_past(self._pool, wanted):
                    log.error(
                        "revisions that the archive does not have are not pushed", missing=missing, wanted=[*wanted][:5]
                    )
                    return
                if waited_s > ARCHIVE_DEADLINE_S:
                    raise Transient("the archive does not have what is to be pushed")
                await asyncio.sleep(0.01 if waited_s < 1 else 0.1)

    async def _missing(self, wanted: Collection[tuple[str, int]]) -> int:
        return len(wanted) - await queries.count(self._pool, wanted)

    async def _is_readable(self, place: Position) -> bool:
        async with self._waiting():
            return await wait_until_readable(self._readiness, place, self._readable_s)

    async def _not_pushed(self, wanted: set[tuple[str, int]]) -> set[tuple[str, int]]:
        rows = await self._pool.fetch(
            "SELECT update_id, revision FROM publish.pushed WHERE update_id = ANY($1)", [key for key, _ in wanted]
        )
        return wanted - {(row["update_id"], row["revision"]) for row in rows}

    async def _mark(self, connection: Connection, notices: Sequence[Notice]) -> list[Notice]:
        """Mark these as pushed; those that no other process has marked before."""
        rows = await connection.fetch(
            "INSERT INTO publish.pushed (update_id, revision, epoch, log_offset, urgency, readable) "
            "SELECT * FROM unnest($1::text[], $2::int[], $3::int[], $4::bigint[], $5::int[], $6::bool[]) "
            "ON CONFLICT DO NOTHING RETURNING update_id, revision",
            [notice.update.update_id for notice in notices],
            [notice.update.revision for notice in notices],
            [notice.archived.cursor.epoch for notice in notices],
            [notice.archived.cursor.offset for notice in notices],
            [notice.update.urgency for notice in notices],
            [notice.readable for notice in notices],
        )
        new = {(row["update_id"], row["revision"]) for row in rows}
        return [notice for notice in notices if (notice.update.update_id, notice.update.revision) in new]


def _revision(update: EnrichedUpdate) -> tuple[str, int]:
    return update.update_id, update.revision


def _key(channel: str, update: ReaderUpdate) -> str:
    return f"{channel} {update.update_id} {update.revision}"
