"""What is done with the records of one batch: decoded, handled or started, and set aside where they can never be handled."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.consumer.batches.in_flight import Records
from shared.consumer.batches.isolation import Handle, handle_isolating
from shared.consumer.ceiling import Ceiling
from shared.consumer.dead_letters import DeadLetters
from shared.consumer.decode import Incoming, Rejection, decode
from shared.failures.transient import is_transient
from shared.messages import Message

M = TypeVar("M", bound=Message)

Completed = asyncio.Future[None]


@dataclass(frozen=True, slots=True)
class StartedBatch:
    """A batch whose effects are under way."""

    rejections: Sequence[Rejection]
    completed: Completed
    """Ends once every effect is done. Batches complete in the order in which they were started, and once one has failed,
    so do all that were started after it."""


StartBatch = Callable[[Sequence[Incoming[M]]], Awaitable[StartedBatch]]
"""Starts all effects of the messages, in their order; the next batch may start before they complete."""


def completed_already() -> Completed:
    """For a batch that was handled."""
    completed: Completed = asyncio.get_running_loop().create_future()
    completed.set_result(None)
    return completed


class Effects(Generic[M]):
    """The effects of one stage on its messages. What fails for the moment is raised, and nothing is counted then."""

    def __init__(
        self,
        stage: str,
        types: Mapping[str, type[M]],
        handle: Handle[M],
        start_batch: StartBatch[M] | None,
        *,
        ceiling: Ceiling,
        dead_letters: DeadLetters,
    ) -> None:
        self._stage = stage
        self._types = types
        self._handle = handle
        self._start_batch = start_batch
        self._ceiling = ceiling
        self._dead_letters = dead_letters

    def check_ceiling(self) -> None:
        """Raise `Transient` if the dead letters have reached their ceiling."""
        self._ceiling.check()

    async def apply(self, records: Records, *, serial: bool) -> Completed:
        """Do the effects of a batch; unless `serial`, they may still be under way when this returns."""
        rejections: list[Rejection] = []
        incoming: list[Incoming[M]] = []
        for record in records:
            decoded = decode(record, self._types)
            if isinstance(decoded, Rejection):
                rejections.append(decoded)
            elif decoded is not None:
                incoming.append(decoded)
        started = await self._start(incoming, serial=serial)
        await self.set_aside([*rejections, *started.rejections], of=len(records))
        return started.completed

    async def set_aside(self, rejections: Sequence[Rejection], *, of: int) -> None:
        """Write the dead letters of a batch of so many records, unless they would pass the ceiling."""
        if rejections:
            self._ceiling.check(of, len(rejections))
            await self._dead_letters.send(rejections)
        self._ceiling.count(of, len(rejections))

    async def _start(self, incoming: Sequence[Incoming[M]], *, serial: bool) -> StartedBatch:
        if not incoming:
            return StartedBatch([], completed_already())
        if self._start_batch is not None and not serial:
            try:
                return await self._start_batch(incoming)
            except Exception as failure:
                if is_transient(failure):
                    raise
        # A batch that cannot be started fails again when it is handled, which finds the message at fault.
        return StartedBatch(await handle_isolating(self._handle, incoming, self._stage), completed_already())
