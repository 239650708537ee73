"""What follows an emission: once Kafka has the revisions, their states are written and the outcomes are reported.

Batches that are emitted shortly after one another are written together, while the next ones are handled: states that may
not be in Postgres yet are kept here. Once one batch has failed, so does every batch that was started before the failure
was known, since it builds on states that will not be written.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from prometheus_client import Histogram

from enrich.text.domain.state import State
from enrich.text.state_store import UnknownName, count_unknown_names, store
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

ADDED = Histogram(
    "slugline_enrich_added_seconds",
    "From the start of a batch until Kafka has its revisions",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)


@dataclass(frozen=True, slots=True)
class EmittedBatch:
    """A batch whose revisions were handed to Kafka."""

    id: str
    """Of the batch, the same whenever it is handled again."""
    since: float
    """When it was started, by `time.monotonic`."""
    futures: list["asyncio.Future[object]"]
    states: Mapping[str, State]
    """Of the updates that it changed, by id."""
    outcomes: list[Outcome]
    unknown: Mapping[tuple[str, str], UnknownName]
    """By key of the name and update."""
    completed: "asyncio.Future[None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class StateWriter:
    """Completes batches in the order in which they were started."""

    def __init__(self, pool: Pool, producer: Producer, source: str) -> None:
        self._pool = pool
        self._producer = producer
        self._source = source
        self._waiting: list[EmittedBatch] = []
        self._pending: dict[str, tuple[State, EmittedBatch]] = {}
        self._running: asyncio.Task[None] | None = None
        self._next_at = 0.0
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

    async def _run(self) -> None:
        while self._waiting:
            rest_s = self._next_at - time.monotonic()
            if rest_s > 0 and sum(len(each.outcomes) for each in self._waiting) < FULL:
                await asyncio.sleep(rest_s)
            self._next_at = time.monotonic() + PACE_S
            batches, self._waiting = self._waiting, []
            try:
                done, failure = await self._acknowledged(batches)
                reached("enrich.revision-acknowledged")
                await self._record(done)
            except Exception as error:  # noqa: BLE001 -- raised in the consumer, by the batch's future
                done, failure = [], error
            for batch in done:
                self._drop_pending(batch)
                batch.completed.set_result(None)
            if failure is not None:
                self._fail([batch for batch in batches if not batch.completed.done()], failure)

    async def _acknowledged(self, batches: list[EmittedBatch]) -> tuple[list[EmittedBatch], Exception | None]:
        """The batches before the first that Kafka did not take, and why it did not."""
        for number, batch in enumerate(batches):
            try:
                await acknowledged(batch.futures)
            except Exception as failure:  # noqa: BLE001 -- raised in the consumer, by the batch's future
                return batches[:number], failure
        return batches, None

    async def _record(self, batches: list[EmittedBatch]) -> None:
        states = {update_id: state for batch in batches for update_id, state in batch.states.items()}
        unknown: dict[str, list[UnknownName]] = {}
        for batch in batches:
            for (key, _), each in batch.unknown.items():
                unknown.setdefault(key, []).append(each)

        async def write() -> None:
            if states:
                await store(self._pool, list(states.values()))
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


def _retrieve_exception(future: "asyncio.Future[object]") -> None:
    """For sends of a batch that has failed: asyncio would log an exception that nobody has retrieved."""
    if not future.cancelled():
        future.exception()
