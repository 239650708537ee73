"""Polling: what a client has missed since its cursor, and waiting for the next event."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import structlog

from publish.representation.position import Position
from publish.web.stream import metrics
from publish.web.stream.fanout.fanout import TURN_S
from publish.web.stream.limits import StreamLimits
from publish.web.stream.replay.archive import ArchiveReplay
from publish.web.stream.replay.catch_up import CatchUp
from publish.web.stream.replay.pieces import Pieces
from publish.web.stream.request import StreamRequest
from publish.web.stream.ring_buffer import EncodedEvent, RingBuffer
from shared.http.problem import Problem

log = structlog.get_logger(__name__)

T = TypeVar("T")

ANSWER_BYTES = 1024 * 1024
"""Of events in one answer to a poll; a single event may be larger."""


async def in_turns(work: Iterable[T]) -> list[T]:
    """The items of an iterator that computes; it yields to the event loop now and then."""
    made: list[T] = []
    until = time.monotonic() + TURN_S / 2
    for each in work:
        made.append(each)
        if time.monotonic() > until:
            await asyncio.sleep(0)
            until = time.monotonic() + TURN_S / 2
    return made


def _fitting(found: list[EncodedEvent], most: int) -> list[EncodedEvent]:
    """The first events, at most `most`, and no more bytes than one answer may have."""
    size = 0
    for count, entry in enumerate(found[:most]):
        size += len(entry.frames.get("json", b""))
        if size > ANSWER_BYTES and count:
            return found[:count]
    return found[:most]


@dataclass(frozen=True, slots=True)
class Missed:
    """What followed a cursor, complete up to and with `through`; `more`: there is more after that."""

    events: Sequence[EncodedEvent]
    through: Position
    more: bool


class Polls:
    """Answers polls."""

    def __init__(
        self, limits: StreamLimits, buffer: RingBuffer, pieces: Pieces, archive: ArchiveReplay, catch_up: CatchUp
    ) -> None:
        self.waiting = 0
        self._limits = limits
        self._buffer = buffer
        self._pieces = pieces
        self._archive = archive
        self._catch_up = catch_up
        self._waiters: dict[str, set[asyncio.Future[None]]] = {}

    async def missed(self, request: StreamRequest, cursor: Position, most: int) -> Missed | str:
        """At most `most` events after a cursor, or the reason for a reset."""
        channels = request.channels
        if cursor.epoch != self._buffer.floor.epoch:
            return "epoch"
        if cursor > self._buffer.head:
            return Missed([], cursor, more=False) if self._catch_up.is_nearly_reached(cursor) else "ahead"
        found: list[EncodedEvent] = []
        reached = cursor
        if cursor < self._buffer.floor:
            try:
                limit = min(most + 1, self._limits.replay_events)
                answer = await self._archive.ask(channels, cursor, limit)
            except Exception as error:
                log.warning("no replay from the archive", error=str(error) or type(error).__name__)
                away = {"Retry-After": "2"}
                raise Problem(503, "archive-away", "the archive does not answer", headers=away) from error
            if answer is None or answer.through <= cursor:
                return "expired"
            behind = [event for event in answer.events if event.position > cursor]
            found += await in_turns(EncodedEvent(event) for event in behind[: most + 1])
            reached = answer.through
        through = reached
        if reached >= self._buffer.floor:
            through = self._buffer.head
            found += islice(self._buffer.of(channels, reached, self._buffer.head), max(0, most + 1 - len(found)))
        fitting = _fitting(found, most)
        if len(fitting) < len(found):
            found = fitting
            through = found[-1].position
        await self._make(found, request.view)
        return Missed(found, through, more=through < self._buffer.head)

    async def _make(self, entries: Sequence[EncodedEvent], view: str) -> None:
        """Make the frames of many events, but of those that are killed meanwhile."""
        await in_turns(self._pieces.frame(each, view) for each in entries if each.frames and view not in each.frames)

    async def wait(self, channels: frozenset[str], timeout_s: float, gone: asyncio.Future[None]) -> None:
        """Wait until something is published in one of the channels, `gone` is done, or `timeout_s` has passed."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def leave(_: asyncio.Future[None]) -> None:
            if not waiter.done():
                waiter.set_result(None)

        gone.add_done_callback(leave)
        for channel in channels:
            self._waiters.setdefault(channel, set()).add(waiter)
        metrics.POLLS.inc()
        self.waiting += 1
        try:
            async with asyncio.timeout(timeout_s):
                await waiter
        except TimeoutError:
            pass
        finally:
            gone.remove_done_callback(leave)
            metrics.POLLS.dec()
            self.waiting -= 1
            for channel in channels:
                waiters = self._waiters.get(channel)
                if waiters is not None:
                    waiters.discard(waiter)
                    if not waiters:
                        del self._waiters[channel]

    def wake(self, channels: frozenset[str] | None) -> None:
        """Let those waiting for one of the channels answer; None for everybody."""
        for channel in self._waiters if channels is None else channels:
            for waiter in self._waiters.get(channel, ()):
                if not waiter.done():
                    waiter.set_result(None)
