"""Recovery: before anything of a partition of `updates.raw` is handled, what was published of it is known.

It is due whenever rows may be behind the log: when partitions are assigned, when a batch has failed whose revisions may be in
the log, and when another writer's record is seen. It reads `updates.enriched` from the settled place of these partitions to
the end as of then; what the rows lack is adopted when the raw records that it was made from are handled (again).
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Collection, Mapping

import structlog
from prometheus_client import Counter, Histogram

from enrich.text.published.ahead import Ahead
from enrich.text.published.follower import LogFollower
from enrich.text.published.places import Settled, forget_places, read_places, read_revisions
from enrich.text.published.reader import LogReader, PublishedLog
from enrich.text.published.records import PublishedRecord, counting
from shared.postgres.pool import Pool

log = structlog.get_logger(__name__)

LOOK_BACK_S = 3600.0
"""How far recovery reads where no place was noted yet: after the upgrade from a release that noted none."""

RECOVERIES = Counter("slugline_enrich_recoveries", "Times the log was read to learn what was published", ["because"])
RECOVERY_SECONDS = Histogram(
    "slugline_enrich_recovery_seconds",
    "Time to read the log for a recovery",
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300),
)


class Recovery:
    """Which partitions are this process's, and what the log has of them that the rows lack."""

    def __init__(
        self,
        pool: Pool,
        published: PublishedLog,
        follower: LogFollower,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._pool = pool
        self._published = published
        self._follower = follower
        self._clock = clock
        self._assigned: frozenset[int] = frozenset()
        self._recovered: frozenset[int] = frozenset()
        self._because = "start"
        self._end = 0
        self._looked_at = 0
        self._running = False
        self._changes = 0
        """Counts what makes a recovery that runs meanwhile worthless."""
        self._others: list[PublishedRecord] = []
        """Other writers' records that came by while recovery ran."""
        self._sending: set[asyncio.Future[object]] = set()
        self.ahead = Ahead()
        self.recovered_at = time.monotonic()
        self.wake = asyncio.Event()
        """Set when recovery becomes due though no message may come."""
        follower.on_other = self._see_other
        follower.on_new_log = lambda: self.invalidate("the log is another one")

    @property
    def writer(self) -> str:
        """The id that revisions are sent with. Another one begins with each recovery: what was sent under an earlier one counts
        like anybody else's."""
        return self._follower.writer

    def assign(self, partitions: Collection[int]) -> None:
        """These partitions, and no others, are this process's from now on."""
        self._assigned = frozenset(partitions)
        self._recovered = frozenset()
        self.invalidate("assignment")

    def invalidate(self, because: str) -> None:
        """Rows may be behind the log."""
        self._because = because
        self._recovered = frozenset()
        self._changes += 1
        if self._assigned:
            self.wake.set()

    def note_sent(self, future: "asyncio.Future[object]") -> None:
        """A revision is on its way; recovery waits until Kafka has it or will not have it."""
        self._sending.add(future)
        future.add_done_callback(self._sending.discard)

    def note_written(self, revisions: Mapping[str, int]) -> None:
        """Rows have these revisions now, by update id."""
        self.ahead.settle(revisions)

    def is_due(self, partitions: Collection[int] = ()) -> bool:
        """Whether these partitions, and those that are assigned, have to be recovered before anything is done."""
        return not self._assigned.union(partitions) <= self._recovered

    def why_not_ready(self) -> str | None:
        """For `Health.ready`."""
        if not (self._running or (self._assigned and self.is_due())):
            return None
        return (
            f"recovering ({self._because}): reading what was published, at offset {self._looked_at} of updates.enriched"
        )

    def settled(self, in_flight_from: int | None) -> Settled | None:
        """Up to where rows have everything, if batches in flight publish at `in_flight_from` or behind it; None if unknown."""
        if not self._assigned or self.is_due():
            return None
        places = (self._follower.position, in_flight_from, self.ahead.first_offset())
        return Settled(self._assigned, min(place for place in places if place is not None))

    async def recover(self, partitions: Collection[int] = ()) -> None:
        """Learn what was published of these and the assigned partitions. Nothing of them may be in flight meanwhile."""
        wanted, self._running = self._assigned.union(partitions), True
        began_at = time.monotonic()
        try:
            while True:
                changes = self._changes
                self._others.clear()
                if self._sending:
                    await asyncio.wait(self._sending)
                self._follower.begin_writer(uuid.uuid4().hex[:12])
                async with self._published.open(wanted) as opened:
                    records = await self._read(opened, wanted)
                behind = any(each.offset >= opened.end and each.partition in wanted for each in self._others)
                if changes == self._changes and not behind:
                    break
                wanted = self._assigned.union(partitions)
        finally:
            self._running = False
            self._others.clear()
        self.ahead, self._end, self._recovered = Ahead(records), opened.end, wanted
        self.recovered_at = time.monotonic()
        RECOVERIES.labels(self._because).inc()
        RECOVERY_SECONDS.observe(self.recovered_at - began_at)
        log.info(
            "recovered: rows and log agree" if not records else "recovered: the log has revisions that rows lack; they are adopted",
            because=self._because, partitions=sorted(wanted), revisions=len(records), read_up_to=opened.end,
            seconds=round(self.recovered_at - began_at, 2),
        )  # fmt: skip

    async def _read(self, opened: LogReader, partitions: Collection[int]) -> list[PublishedRecord]:
        if not partitions:
            # They were taken away while recovery waited.
            return []
        places = await read_places(self._pool, partitions)
        if any(place > opened.end for place in places.values()):
            log.error("updates.enriched ends before what was settled: the topic was made anew", end=opened.end)
            await forget_places(self._pool, partitions)
            places = dict.fromkeys(partitions, 0)
        unknown = None
        if places.keys() != set(partitions):
            unknown = await opened.offset_at(self._clock() - LOOK_BACK_S)
        begins = {number: places.get(number, unknown or 0) for number in partitions}
        newest: dict[str, int] = {}
        missing: list[PublishedRecord] = []
        async for records in opened.read(min(begins.values())):
            ours = [each for each in records if each.offset >= begins.get(each.partition, opened.end)]
            counted = counting(ours, newest)
            known = await read_revisions(self._pool, {each.update_id for each in counted}) if counted else {}
            missing += [each for each in counted if each.revision > known.get(each.update_id, 0)]
            if records:
                self._looked_at = records[-1].offset
        return missing

    def _see_other(self, record: PublishedRecord) -> None:
        """Another writer has published something that this process answers for, and may not know of."""
        if self._running and record.cause is not None:
            self._others.append(record)
        if record.offset >= self._end and record.cause is not None and record.partition in self._recovered:
            log.warning(
                "another process has published for a partition of this one; what it published is adopted",
                update_id=record.update_id, revision=record.revision, offset=record.offset, cause=str(record.cause),
                writer=record.writer,
            )  # fmt: skip
            self.invalidate("another writer")
