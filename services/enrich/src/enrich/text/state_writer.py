"""What follows an emission: once the log has the revisions, each as the first of its number, their states are written and the
outcomes are reported.

Batches that are emitted shortly after one another are written together, while the next ones are handled: states that may
not be in Postgres yet are kept here. Once one batch has failed, so does every batch that was started before the failure
was known, since it builds on states that will not be written.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from aiokafka.structs import RecordMetadata
from prometheus_client import Counter, Histogram

from enrich.text.domain.state import State
from enrich.text.published.places import Settled
from enrich.text.state_store import RowConflict, UnknownName, count_unknown_names, store
from shared.crash_points import reached
from shared.failures import Transient
from shared.kafka.producer import Producer, acknowledged
from shared.messages import Outcome, Outcomes
from shared.postgres.pool import Pool
from shared.streams import OUTCOMES

PACE_S = 0.25
"""The least time from one write to the next, so that batches are written together; no reader waits for it."""
FULL = 500
"""Outcomes that are written without waiting for more. Also the most outcomes of one message."""

SETTLED_EVERY_S = 1.0
"""The least time from one note of the settled place to the next, beside the rows: recovery reads so much more."""

CONFLICTS = Counter(
    "slugline_enrich_conflicts",
    "Batches that went back since another process had published or written first",
    ["where"],
)
ADDED = Histogram(
    "slugline_enrich_added_seconds",
    "From the start of a batch until Kafka has its revisions",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)


class Log(Protocol):
    """The log that revisions are sent to, as its follower sees it."""

    async def read_past(self, offset: int) -> None:
        """Return once the record at an offset has been read."""

    def is_taken(self, update_id: str, revision: int) -> bool:
        """Whether another writer's record of that number, or a higher one, was first."""


@dataclass(frozen=True, slots=True)
class SentRevision:
    """A revision that was handed to Kafka."""

    update_id: str
    revision: int
    future: "asyncio.Future[object]"


@dataclass(frozen=True, slots=True)
class EmittedBatch:
    """A batch whose revisions were handed to Kafka."""

    id: str
    """Of the batch, the same whenever it is handled again."""
    since: float
    """When it was started, by `time.monotonic`."""
    futures: list["asyncio.Future[object]"]
    revisions: Sequence[SentRevision]
    """Those of the futures that are revisions."""
    published_from: int
    """An offset of the log behind which, or at which, they are."""
    states: Mapping[str, State]
    """Of the updates that it changed, by id."""
    turns_before: Mapping[str, int]
    """The turn of each of these updates before the batch."""
    outcomes: list[Outcome]
    unknown: Mapping[tuple[str, str], UnknownName]
    """By key of the name and update."""
    completed: "asyncio.Future[None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class StateWriter:
    """Completes batches in the order in which they were started."""

    def __init__(
        self,
        pool: Pool,
        producer: Producer,
        source: str,
        *,
        published: Log,
        settled: Callable[[int | None], Settled | None],
        on_written: Callable[[Mapping[str, int]], None],
    ) -> None:
        """`settled` gives the settled place if what is in flight is published at an offset or behind it; `on_written` is told
        the revision of each update whose row was written."""
        self._pool = pool
        self._producer = producer
        self._source = source
        self._published = published
        self._settled = settled
        self._on_written = on_written
        self._settled_at = 0.0
        self._in_progress: list[EmittedBatch] = []
        self._waiting: list[EmittedBatch] = []
        self._pending: dict[str, tuple[State, EmittedBatch]] = {}
        self._running: asyncio.Task[None] | None = None
        self._next_at = 0.0
        self.begun_at: int | None = None
        """The offset of the log at which, or behind which, the batch publishes that is being started; None if none is."""
        self.failures = 0
        """Counts them; a batch that was started under a lower count fails with those before it."""

    def pending(self) -> dict[str, State]:
        """The states, by update id, that may not be in Postgres yet. To be read before Postgres is."""
        return {update_id: state for update_id, (state, _) in self._pending.items()}

    def add(self, emitted: EmittedBatch, failures: int) -> "asyncio.Future[None]":
        """Take over a batch that was started when `failures` were counted. The future ends once it is complete."""
        if failures != self.failures:
            for future in emitted.futures:
                future.add_done_callback(_retrieve_exception)
            emitted.completed.set_exception(Transient("a batch before this one failed"))
            return emitted.completed
        if emitted.futures:
            emitted.futures[-1].add_done_callback(lambda _: ADDED.observe(time.monotonic() - emitted.since))
        self._waiting.append(emitted)
        self._pending |= {update_id: (state, emitted) for update_id, state in emitted.states.items()}
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        return emitted.completed

    async def wait_for_all(self) -> None:
        """Return once every batch has ended, well or not."""
        while running := [each.completed for each in (*self._in_progress, *self._waiting)]:
            await asyncio.wait(running)

    async def settle(self) -> None:
        """Note the settled place though no rows are written; for a process that has little to do."""
        if not (self._in_progress or self._waiting) and (settled := self._settled(self.begun_at)) is not None:
            await store(self._pool, [], {}, settled)

    def write_at_once(self) -> None:
        """Do not wait for more to write together with: the caller waits for this, as when messages are handled one by one."""
        self._next_at = 0.0

    async def _run(self) -> None:
        while self._waiting:
            rest_s = self._next_at - time.monotonic()
            if rest_s > 0 and sum(len(each.outcomes) for each in self._waiting) < FULL:
                await asyncio.sleep(rest_s)
            self._next_at = time.monotonic() + PACE_S
            batches, self._waiting = self._waiting, []
            self._in_progress = batches
            try:
                done, failure = await self._acknowledged(batches)
                reached("enrich.revision-acknowledged")
                done, failure = await self._first_in_log(done, failure)
                await self._record(done, may_settle=failure is None)
            except Exception as error:  # noqa: BLE001 -- raised in the consumer, by the batch's future
                if isinstance(error, RowConflict):
                    CONFLICTS.labels("row").inc()
                done, failure = [], error
            for batch in done:
                self._drop_pending(batch)
                batch.completed.set_result(None)
            if failure is not None:
                self._fail([batch for batch in batches if not batch.completed.done()], failure)
            self._in_progress = []

    async def _acknowledged(self, batches: list[EmittedBatch]) -> tuple[list[EmittedBatch], Exception | None]:
        """The batches before the first that Kafka did not take, and why it did not."""
        for number, batch in enumerate(batches):
            try:
                await acknowledged(batch.futures)
            except Exception as failure:  # noqa: BLE001 -- raised in the consumer, by the batch's future
                return batches[:number], failure
        return batches, None

    async def _first_in_log(
        self, batches: list[EmittedBatch], failure: Exception | None
    ) -> tuple[list[EmittedBatch], Exception | None]:
        """The batches before the first of which another writer's revision was first, once the log has been read past them."""
        offsets = [offset_of(sent.future) for batch in batches for sent in batch.revisions]
        if offsets:
            await self._published.read_past(max(offsets))
        for number, batch in enumerate(batches):
            for sent in batch.revisions:
                if self._published.is_taken(sent.update_id, sent.revision):
                    CONFLICTS.labels("log").inc()
                    return batches[:number], taken(sent.update_id, sent.revision)
        return batches, failure

    def _place(self) -> Settled | None:
        """The settled place that holds once what is in progress is written; None while it need not be noted."""
        if time.monotonic() < self._settled_at + SETTLED_EVERY_S:
            return None
        settled = self._settled(self._waiting[0].published_from if self._waiting else self.begun_at)
        if settled is not None:
            self._settled_at = time.monotonic()
        return settled

    async def _record(self, batches: list[EmittedBatch], *, may_settle: bool) -> None:
        settled = self._place() if may_settle else None
        turns_before = {
            update_id: turn for batch in reversed(batches) for update_id, turn in batch.turns_before.items()
        }
        states = {update_id: state for batch in batches for update_id, state in batch.states.items()}
        unknown: dict[str, list[UnknownName]] = {}
        for batch in batches:
            for (key, _), each in batch.unknown.items():
                unknown.setdefault(key, []).append(each)

        async def write() -> None:
            if states or settled is not None:
                await store(self._pool, list(states.values()), turns_before, settled)
                self._on_written({update_id: state.revision for update_id, state in states.items()})
            if states:
                reached("enrich.rows-written")
            await count_unknown_names(self._pool, unknown)

        # Awaited together, and both to their end: the outcomes of a batch are true once Kafka has its revisions.
        results = await asyncio.gather(write(), self._report(batches), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _report(self, batches: list[EmittedBatch]) -> None:
        outcomes = [outcome for batch in batches for outcome in batch.outcomes]
        futures = []
        for begin in range(0, len(outcomes), FULL):
            some = tuple(outcomes[begin : begin + FULL])
            futures.append(
                await self._producer.send(
                    OUTCOMES,
                    Outcomes(outcomes=some),
                    key=some[0].update_id,
                    event_id=f"{self._source}:{batches[0].id}:{begin}",
                )
            )
        await acknowledged(futures)
        reached("enrich.outcomes-sent")

    def _fail(self, batches: Iterable[EmittedBatch], failure: Exception) -> None:
        self.failures += 1
        for batch in [*batches, *self._waiting]:
            for future in batch.futures:
                future.add_done_callback(_retrieve_exception)
            batch.completed.set_exception(failure)
        self._waiting.clear()
        self._pending.clear()

    def _drop_pending(self, batch: EmittedBatch) -> None:
        for update_id in batch.states:
            if (kept := self._pending.get(update_id)) is not None and kept[1] is batch:
                del self._pending[update_id]


def taken(update_id: str, revision: int) -> Transient:
    """What a batch fails with whose revision is not the first of its number."""
    return Transient(f"another process was first with revision {revision} of {update_id}; what it published is adopted")


def offset_of(future: "asyncio.Future[object]") -> int:
    """Where Kafka has put a message that it has acknowledged."""
    metadata = future.result()
    assert isinstance(metadata, RecordMetadata)  # noqa: S101
    return int(metadata.offset)


def _retrieve_exception(future: "asyncio.Future[object]") -> None:
    """For sends of a batch that has failed: asyncio would log an exception that nobody has retrieved."""
    if not future.cancelled():
        future.exception()
