"""The broadcaster: what is published goes to every reader who follows one of its channels, once and in order.

An event is encoded once. Readers of the same channels and view are one audience. What is published while its sockets are
being written to is joined and sent in the next walk. `replay/catch_up.py` gives readers who join or fall behind what they
missed.
"""

import asyncio
import math
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from publish.representation.position import NEWS, Position
from publish.web.stream import metrics
from publish.web.stream.event import Replay, StreamEvent, frame, parse_cursor, reset_frame
from publish.web.stream.fanout.connection import Audience
from publish.web.stream.fanout.fanout import TURN_S
from publish.web.stream.fanout.walk import PIECE_BYTES
from publish.web.stream.http.response import HEAD
from publish.web.stream.limits import StreamLimits
from publish.web.stream.polls import Polls
from publish.web.stream.replay.archive import ArchiveReplay
from publish.web.stream.replay.catch_up import CatchUp
from publish.web.stream.replay.pieces import Pieces
from publish.web.stream.request import StreamRequest
from publish.web.stream.ring_buffer import EncodedEvent, RingBuffer
from shared.http.problem import Problem
from shared.observability.traces import exemplar_of, record

log = structlog.get_logger(__name__)

Over = Callable[[str], bool]
"""Whether nothing is expected in a channel any more."""

DRAIN_STEP_S = 0.1
HANGS_AFTER_S = 60.0
"""For events to wait until they are written: the loop writes them in turns, each a fraction of a second."""

BEGUN_AT_ONCE = 20_000
"""Frames in one round of walks, each counted for every audience that is sent it."""


@dataclass(slots=True, eq=False)
class _Gap:
    """What the archive is asked for, up to `until`, and what was published meanwhile, which is told after it."""

    until: Position
    held_back: list[StreamEvent]
    through: tuple[int, int] | None = None


@dataclass(slots=True, eq=False)
class _Reset:
    """A reset of all readers, ordered among the events."""

    reason: str
    position: Position


class Broadcaster:
    """Holds the readers of one replica.

    `begin` sets the position from which the log is followed, `publish` takes its events; both in the log's order.
    """

    def __init__(
        self, limits: StreamLimits | None = None, replay: Replay | None = None, over: Over | None = None
    ) -> None:
        self.limits = limits or StreamLimits()
        self.buffer = RingBuffer(self.limits.window_events, self.limits.window_bytes)
        self.draining = False
        self.closed = False
        self._archive = ArchiveReplay(replay)
        self._pieces = Pieces(self.buffer, self.limits.snapshot)
        self._catch_up = CatchUp(self.limits, self.buffer, self._pieces, self._archive)
        self.fanout = self._catch_up.fanout
        self.polls = Polls(self.limits, self.buffer, self._pieces, self._archive, self._catch_up)
        self._over = over
        self._begun = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ticks = 0
        self._pending: deque[EncodedEvent | _Reset] = deque()
        self._walked: list[EncodedEvent] = []
        self._gap: _Gap | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._scheduled = False
        self._unwritten_since: float | None = None
        self._quiet = False
        self._moved_at = float("-inf")

    @property
    def head(self) -> Position:
        """The newest position that was published."""
        return self.buffer.head

    @property
    def _started(self) -> Position:
        """The newest position whose walk has begun."""
        return self.fanout.through

    @property
    def ready(self) -> bool:
        """Whether the position from which the log is followed is known."""
        return self._begun

    def __len__(self) -> int:
        return len(self.fanout)

    def start(self) -> None:
        """Serve on the running loop."""
        if self._loop is not None:
            return
        self._loop = asyncio.get_running_loop()
        self.fanout.open()
        self._timer = self._loop.call_later(1.0, self._on_tick)
        if self._pending:
            self._schedule()

    async def drain(self, grace_s: float) -> None:
        """Disconnect the readers evenly over the grace period; each is given its own time after which to reconnect.

        Those whose sockets are full are spread over it by themselves: they take nobody else's time, and may go late.
        """
        self.draining = True
        ends = time.monotonic() + grace_s
        while len(self.fanout):
            left = ends - time.monotonic()
            if left <= 0:
                break
            staying = [each for each in self.fanout.connections() if not each.closing]
            for group in (
                [each for each in staying if each.waiting is None],
                [each for each in staying if each.waiting is not None],
            ):
                for connection in group[: math.ceil(len(group) * DRAIN_STEP_S / max(left, DRAIN_STEP_S))]:
                    self.fanout.end(connection, self._catch_up.hint() + b"\n", "drain")
            await asyncio.sleep(min(DRAIN_STEP_S, left))
        for connection in self.fanout.connections():
            self.fanout.drop(connection, "drain")

    def close(self) -> None:
        """End every connection and leave the loop."""
        self.draining = self.closed = True
        self._catch_up.close()
        self._archive.close()
        for task in self._tasks:
            task.cancel()
        self.polls.wake(None)
        if self._timer is not None:
            self._timer.cancel()
        self._loop = None
        self.fanout.close()

    def begin(self, epoch: int, offset: int) -> None:
        """Set the position after which events are published next (offset -1: the first event of the epoch follows).

        If the broadcaster is ahead of it, events that it has already are skipped when they come again. If it is behind, it
        asks the archive for the gap and holds back new events until then. If the gap cannot be filled, or the epoch is a
        new one, every reader is sent a reset.
        """
        position = Position(epoch, offset)
        if not self._begun:
            self._begun = True
            self.fanout.through = position
            self.buffer.begin(position)
        elif epoch != self.head.epoch:
            self._begin_again(position, "epoch")
        elif self._gap is not None:
            # What was held back may end before this position: the archive is asked for all in between as well.
            self._gap.until = max(self._gap.until, position)
        elif position > self.head:
            self._gap = _Gap(position, [])
            task = asyncio.get_running_loop().create_task(self._fill(self._gap))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _begin_again(self, position: Position, reason: str) -> None:
        self._gap = None
        self._pending.append(_Reset(reason, position))
        metrics.RESETS.labels(reason).inc(len(self.fanout))
        self.buffer.begin(position)
        self._schedule()

    async def _fill(self, gap: _Gap) -> None:
        """Publish what the archive has between the broadcaster's position and the one from which the log is followed now."""
        try:
            while self._gap is gap and self.head < gap.until and self._archive.replay is not None:
                reached = self.head
                async with asyncio.timeout(self.limits.fill_s):
                    answer = await self._archive.replay(reached, (NEWS,), self.limits.replay_events)
                if self._gap is not gap or answer is None or answer.through <= reached:
                    break
                self._take(answer.events, answer.through)
        except Exception as error:  # noqa: BLE001 -- whatever the archive fails with, readers get a reset
            log.warning("no replay from the archive", error=str(error) or type(error).__name__)
        if self._gap is not gap:
            return  # A new epoch has begun meanwhile, of which everybody was told.
        if self.head < gap.until:
            self._begin_again(gap.until, "gap")
        self._gap = None
        self.publish(gap.held_back, gap.through)

    def reset(self, reason: str) -> None:
        """Tell every reader to fetch the snapshot again; the stream goes on from the newest event."""
        self._pending.append(_Reset(reason, self.head))
        metrics.RESETS.labels(reason).inc(len(self.fanout))
        self._schedule()

    def publish(self, events: Sequence[StreamEvent], through: tuple[int, int] | None = None) -> None:
        """Take the next events of the log; those taken before are skipped.

        `through` is the position up to which the log was read, if its last records had nothing for readers.
        """
        if self._gap is not None:
            self._gap.held_back.extend(events)
            self._gap.through = through or self._gap.through
            return
        self._take(events, through)

    def _take(self, events: Sequence[StreamEvent], through: tuple[int, int] | None) -> None:
        for event in events:
            position = event.position
            if not self._begun or position.epoch != self.buffer.floor.epoch:
                self.begin(position.epoch, position.offset - 1)
            elif position <= self.head:
                continue
            entry = EncodedEvent(event)
            self.buffer.append(entry)
            self._pending.append(entry)
            if entry.kind == "kill":
                self._pieces.forget()
        if through is not None and self._begun and Position(*through) > self.head:
            self.buffer.head = Position(*through)
            self._quiet = True
        metrics.LAG.set(max(0, self.head.offset - self._started.offset))
        self._schedule()

    def why_not_live(self) -> str | None:
        """For `Health.live`: events that wait for what never comes are told to readers after a restart alone."""
        waited_s = time.monotonic() - self._unwritten_since if self._unwritten_since is not None else 0.0
        return f"events have been waiting for {waited_s:.0f} s to be written" if waited_s > HANGS_AFTER_S else None

    def _schedule(self) -> None:
        if self._pending and self._unwritten_since is None:
            self._unwritten_since = time.monotonic()
        if not self._scheduled and self._loop is not None:
            self._scheduled = True
            self._loop.call_soon(self._work)

    def _work(self) -> None:
        self._scheduled = False
        until = time.monotonic() + TURN_S
        while self.fanout.walking or self._pending or self._quiet:
            if not self.fanout.walking:
                self._begin_walks()
            if not self.fanout.walk(until):
                self._schedule()
                return
            self._end_walks()
            self._unwritten_since = time.monotonic() if self._pending else None
            if time.monotonic() > until and (self._pending or self._quiet):
                self._schedule()
                return

    def _begin_walks(self) -> None:
        """Begin to write what is pending, at most a piece for each reader."""
        self._quiet = False
        through = self._started
        frames: dict[Audience, list[bytes]] = {}
        size = begun = 0
        while self._pending:
            entry = self._pending[0]
            if isinstance(entry, _Reset):
                for audience in self.fanout.audiences(None):
                    frames.setdefault(audience, []).append(self._reset_frame(entry, audience.channels))
                self.fanout.restart(partial(self._reset_frame, entry), entry.position)
                self.polls.wake(None)
                through = entry.position
            else:
                audiences = self.fanout.audiences(entry.channels) if entry.frames else ()
                size += len(entry.frames["json"]) if entry.frames else 0
                begun += len(audiences)
                if (size > PIECE_BYTES or begun > BEGUN_AT_ONCE) and frames:
                    break
                self._walked.append(entry)
                self.polls.wake(entry.channels)
                for audience in audiences:
                    frames.setdefault(audience, []).append(self._pieces.frame(entry, audience.view))
                through = entry.position
            self._pending.popleft()
        if not self._pending:
            through = self.buffer.head
        self._pieces.forget()
        self._moved_at = time.monotonic()
        self.fanout.begin(frames, through)

    def _reset_frame(self, reset: _Reset, channels: frozenset[str]) -> bytes:
        return reset_frame(reset.reason, self.limits.snapshots(channels), reset.position)

    def _end_walks(self) -> None:
        now = time.time()
        for entry in self._walked:
            if entry.enriched_at:
                exemplar = exemplar_of(entry.passage.traceparent) if entry.passage is not None else None
                metrics.TO_WRITTEN.observe(max(0.0, now - entry.enriched_at), exemplar)
            if entry.passage is not None:
                record(entry.passage, "publish.web.stream", {"slugline.cursor": str(entry.position)})
                entry.passage = None
        self._walked.clear()
        metrics.POSITION.set(self._started.offset)
        metrics.LAG.set(max(0, self.head.offset - self._started.offset))
        metrics.WINDOW.set(len(self.buffer))
        self._catch_up.unpark()

    def _on_tick(self) -> None:
        assert self._loop is not None  # noqa: S101
        self._timer = self._loop.call_later(1.0, self._on_tick)
        self._ticks += 1
        walking = self.fanout.walking
        moved = not walking and time.monotonic() - self._moved_at < self.limits.heartbeat_s + 1
        beat = b":\nid: %d-%d\n\n" % self._started if moved else b":\n"
        self.fanout.beat(self._ticks, beat, frame("ready", b"{}", None if walking else self._started))
        self._catch_up.slow_readers.check()
        self._catch_up.unpark()

    def admit(self, address: str | None) -> None:
        """Problem when one more reader from this address cannot be taken."""
        if not self._begun or self.closed:
            metrics.REFUSED.labels("starting" if not self._begun else "ending").inc()
            raise Problem(503, "not-ready", "there is no stream here at this moment", headers={"Retry-After": "1"})
        if len(self.fanout) + self.polls.waiting >= self.limits.most_connections:
            metrics.REFUSED.labels("full").inc()
            raise Problem(503, "full", "no more streams here now", headers={"Retry-After": str(random.randint(2, 10))})
        most = self.limits.per_address
        if address is not None and most and self.fanout.from_address(address) >= most:
            metrics.REFUSED.labels("address").inc()
            raise Problem(
                429,
                "too-many-streams",
                f"at most {most} streams from one address",
                headers={"Retry-After": str(random.randint(10, 30))},
            )

    def is_over(self, request: StreamRequest) -> bool:
        """Whether a client need not reconnect: everything that it follows is over, and it has missed nothing.

        Never true of pages: a kill must reach an open page however old its story is.
        """
        if self._over is None or request.view == "page" or not all(map(self._over, request.channels)):
            return False
        if not request.cursor:
            return True
        try:
            cursor = parse_cursor(request.cursor)
        except ValueError:
            return False
        missed = self.buffer.of(request.channels, cursor, self.head)
        return self.buffer.floor <= cursor <= self.head and next(missed, None) is None

    def connect(self, fd: int, request: StreamRequest, address: str | None) -> None:
        """Take over the non-blocking socket of a reader who was admitted, and respond."""
        connection = self.fanout.adopt(fd, address)
        if self.draining:
            self.fanout.send(connection, HEAD)
            self.fanout.end(connection, self._catch_up.hint() + b"\n", "drain")
            return
        self._catch_up.follow(connection, request)
