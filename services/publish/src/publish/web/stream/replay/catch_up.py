"""Replay: a reader who reconnects is given what it missed up to the newest walk, and then follows live.

Replay and live meet without a gap, since a reader that has everything up to the newest walk is in every later one. No copy
of what a reader missed is held for it, only its position.
"""

import asyncio
import random
import time
from dataclasses import dataclass

from publish.representation.position import Position
from publish.web.stream import metrics
from publish.web.stream.event import Replayed, frame, parse_cursor, reset_frame
from publish.web.stream.fanout.connection import GONE, ReaderConnection
from publish.web.stream.fanout.fanout import Fanout
from publish.web.stream.fanout.slow_readers import SlowReaders
from publish.web.stream.fanout.walk import PIECE_BYTES
from publish.web.stream.http.response import HEAD
from publish.web.stream.limits import StreamLimits
from publish.web.stream.replay.archive import ArchiveReplay
from publish.web.stream.replay.pieces import MADE_AT_ONCE, Pieces
from publish.web.stream.request import StreamRequest
from publish.web.stream.ring_buffer import EncodedEvent, RingBuffer

ARCHIVE_PAGE = 250
"""Events that the archive is asked for at a time, once it is known that all of them may be replayed."""

NEARLY = 1_000
"""A cursor may be ahead of this replica by so many records: another replica may have read further."""


@dataclass(slots=True, eq=False)
class Parked:
    """A reader whose cursor is ahead of what this replica has written."""

    connection: ReaderConnection
    request: StreamRequest
    cursor: Position
    deadline: float


class CatchUp:
    """Starts readers' streams, resumes them after a cursor, and lets them go live."""

    def __init__(self, limits: StreamLimits, buffer: RingBuffer, pieces: Pieces, archive: ArchiveReplay) -> None:
        self.fanout = Fanout(limits, self._more)
        self.slow_readers = SlowReaders(self.fanout, limits)
        self._limits = limits
        self._buffer = buffer
        self._pieces = pieces
        self._archive = archive
        self._parked: list[Parked] = []
        self._tasks: set[asyncio.Task[None]] = set()
        base = limits.retry_ms
        self._hints = [b"retry: %d\n" % (base + base * index // 64) for index in range(64)]

    @property
    def _started(self) -> Position:
        """The newest position whose walk has begun."""
        return self.fanout.through

    def close(self) -> None:
        """Give up every replay."""
        for task in self._tasks:
            task.cancel()

    def hint(self) -> bytes:
        """A time, at random, after which a reader may come back."""
        return self._hints[int(random.random() * len(self._hints))]

    def _reset(self, reason: str, request: StreamRequest) -> bytes:
        metrics.RESETS.labels(reason).inc()
        return reset_frame(reason, self._limits.snapshots(request.channels), self._started)

    def follow(self, connection: ReaderConnection, request: StreamRequest) -> None:
        """Begin a reader's stream where its request says."""
        if not request.cursor:
            self._go_live(connection, request)
            return
        try:
            cursor = parse_cursor(request.cursor)
        except ValueError:
            self._go_live(connection, request, self._reset("unknown-cursor", request))
            return
        self._resume(connection, request, cursor, time.monotonic() + self._limits.catch_up_s)

    def _resume(self, connection: ReaderConnection, request: StreamRequest, cursor: Position, deadline: float) -> None:
        if cursor > self._started:
            self._hold(connection, request)
            self._parked.append(Parked(connection, request, cursor, deadline))
        elif cursor.epoch != self._buffer.floor.epoch:
            self._go_live(connection, request, self._reset("epoch", request))
        elif cursor >= self._buffer.floor:
            metrics.REPLAYS.labels("memory").inc()
            self._go_on(connection, request, cursor)
        elif self._archive.replay is None:
            self._go_live(connection, request, self._reset("expired", request))
        else:
            self._hold(connection, request)
            self._begin_catching_up(connection, request, cursor)

    def _begin_catching_up(self, connection: ReaderConnection, request: StreamRequest, cursor: Position) -> None:
        task = asyncio.get_running_loop().create_task(self._catch_up(connection, request, cursor))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _go_on(self, connection: ReaderConnection, request: StreamRequest, cursor: Position) -> None:
        """Let a reader follow who has all up to a position in memory, and begin to give it what it missed."""
        if cursor == self._started:
            self._go_live(connection, request)
            return
        if connection.answered or not self._pieces.is_made(request.channels, request.view, cursor, self._started):
            # Many may have waited for the same moment: each is given its first piece when its socket is ready.
            self._hold(connection, request)
            self.fanout.join(connection, request.channels, request.view, cursor)
            return
        piece = self._pieces.piece(request.channels, request.view, cursor, self._started)
        metrics.REPLAYED.labels("memory").inc(piece.count)
        connection.answered = True
        self.fanout.join(connection, request.channels, request.view, piece.through)
        self.fanout.send(connection, HEAD + self._hello(request), piece.data)

    def _more(self, connection: ReaderConnection) -> bytes | None:
        """What the fan-out gives a reader next who is behind."""
        audience, reached = connection.audience, connection.reached
        if audience is None or reached == self._started:
            return None
        if self._started < self._buffer.floor:
            return b""  # What is pending is more than memory holds, or a reset comes first: it is known once that is begun.
        if reached < self._buffer.floor:
            if self._archive.replay is None or connection.lag > self._limits.buffer_bytes:
                self.slow_readers.evict(connection)
                return b""
            self.fanout.leave(connection)
            self._begin_catching_up(connection, StreamRequest(audience.channels, audience.view, ""), reached)
            return None
        piece = self._pieces.piece(audience.channels, audience.view, reached, self._started)
        connection.reached = piece.through
        if connection.newcomer:
            metrics.REPLAYED.labels("memory").inc(piece.count)
        else:
            metrics.WRITES.inc()
            metrics.DELIVERIES.inc(piece.count)
            metrics.BYTES.inc(len(piece.data))
        return piece.data

    def _hello(self, request: StreamRequest) -> bytes:
        greeting = b": slugline\n" + self.hint() + b"\n"
        if request.view == "page":
            greeting += frame("ready", b"{}")
        return greeting

    def _hold(self, connection: ReaderConnection, request: StreamRequest) -> None:
        """Send the response's head, and keep the reader out of every audience until it is known what it missed."""
        if not connection.answered:
            connection.answered = True
            self.fanout.send(connection, HEAD, self._hello(request))

    def _go_live(self, connection: ReaderConnection, request: StreamRequest, reset: bytes = b"") -> None:
        """Let a reader follow from the newest walk on, perhaps after a reset."""
        self.fanout.join(connection, request.channels, request.view, self._started)
        here = b"%bid: %d-%d\n\n" % (reset, *self._started)
        if connection.answered:
            self.fanout.send(connection, here)
        else:
            connection.answered = True
            self.fanout.send(connection, HEAD + self._hello(request) + here)

    def unpark(self) -> None:
        """Resume readers who were ahead of this replica, if it has caught up or they have waited long enough."""
        now = time.monotonic()
        parked, self._parked = self._parked, []
        for each in parked:
            if each.connection.waiting is GONE or each.connection.closing:
                continue
            if each.cursor <= self._started or each.cursor.epoch < self._started.epoch:
                self._resume(each.connection, each.request, each.cursor, each.deadline)
            elif now >= each.deadline and not self.is_nearly_reached(each.cursor):
                self._go_live(each.connection, each.request, self._reset("ahead", each.request))
            else:
                self._parked.append(each)

    def is_nearly_reached(self, cursor: Position) -> bool:
        """Whether a cursor ahead of this replica is so by little, as another replica's may be that has read further.

        Then what follows it comes as soon as the log moves on, however long that takes.
        """
        return cursor.epoch == self._started.epoch and cursor.offset - self._started.offset <= NEARLY

    async def _catch_up(self, connection: ReaderConnection, request: StreamRequest, cursor: Position) -> None:
        """Replay what is older than the ring buffer, as fast as the reader takes it, then go on from the buffer.

        While its socket is full, nothing is held for it: the archive is asked again from its position.
        """
        reached, most = cursor, self._limits.replay_events + 1
        while connection.waiting is not GONE and not connection.closing:
            if reached.epoch != self._started.epoch:
                self._go_live(connection, request, self._reset("epoch", request))
                return
            if reached >= min(self._buffer.floor, self._started):
                self._go_on(connection, request, reached)
                return
            answer = await self._archive.ask_or_none(request.channels, reached, most)
            if connection.waiting is GONE or connection.closing:
                return
            if answer is None or answer.through <= reached or len(answer.events) > self._limits.replay_events:
                self._go_live(connection, request, self._reset("expired", request))
                return
            if reached == cursor:
                metrics.REPLAYS.labels("archive").inc()
            most = min(ARCHIVE_PAGE, self._limits.replay_events)
            reached = await self._replay_older(connection, request, reached, answer)
            del answer
            await self.fanout.drained(connection)

    async def _replay_older(
        self, connection: ReaderConnection, request: StreamRequest, reached: Position, answer: Replayed
    ) -> Position:
        """Write as much of the archive's answer as the socket takes; the position that the reader has reached then."""
        until = self._started
        events = (event for event in answer.events if reached < event.position <= until)
        frames: list[bytes] = []
        size = 0
        for event in events:
            if until.epoch != self._started.epoch:
                return reached
            frames.append(self._pieces.frame(EncodedEvent(event), request.view))
            size += len(frames[-1])
            if size > PIECE_BYTES or (request.view != "json" and len(frames) >= MADE_AT_ONCE):
                reached = event.position
                metrics.REPLAYED.labels("archive").inc(len(frames))
                self.fanout.send(connection, *frames)
                frames, size = [], 0
                if connection.waiting is not None:
                    return reached
                await asyncio.sleep(0)
                if connection.waiting is not None:
                    return reached
        if frames:
            metrics.REPLAYED.labels("archive").inc(len(frames))
            self.fanout.send(connection, *frames)
        return min(answer.through, until)
