"""The hub: what is published goes to every reader who follows one of its channels, once and in order.

An event is encoded once. Readers who follow the same are one audience; whatever is published while its sockets are walked
leaves joined in the next walk. Who joins, or falls behind, is given what it missed as of the last walk that began, piece by
piece as its socket takes it, and is in every walk after: so replay and live meet without a seam. No copy of what a reader
missed is held for it, only its place: the pieces are made of the window when its socket has room.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import structlog

from publish.representation.position import NEWS, Position
from publish.web.stream import metrics
from publish.web.stream.connection import GONE, Audience, Connection
from publish.web.stream.event import Replay, Replayed, StreamEvent, frame, parse_cursor, reset_frame
from publish.web.stream.fanout import PIECE_BYTES, TURN_S, Fanout
from publish.web.stream.limits import Limits
from publish.web.stream.request import Wanted
from publish.web.stream.window import Encoded, Window
from shared.http.problem import Problem

__all__ = ["Hub", "Limits", "Replay", "Replayed", "StreamEvent"]

log = structlog.get_logger(__name__)

T = TypeVar("T")

Over = Callable[[str], bool]
"""Whether nothing is expected in a channel any more."""

HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
    "Access-Control-Allow-Origin": "*",
    "X-Content-Type-Options": "nosniff",
    "Connection": "close",
}

HEAD = b"HTTP/1.1 200 OK\r\n" + b"".join(b"%b: %b\r\n" % (n.encode(), v.encode()) for n, v in HEADERS.items()) + b"\r\n"
"""The body ends with the connection, so that a frame is the same bytes for every reader, whatever its HTTP version.

Nor is it compressed: gzip with a context for each reader makes 172 bytes of an event of 1,261, but takes 44 µs and 256 KiB a
reader, ten times what the write takes; compressed once for all, event by event, it makes 708, and frames lose their bounds.
"""

NO_MORE = (
    b"HTTP/1.1 204 No Content\r\nCache-Control: no-store\r\nAccess-Control-Allow-Origin: *\r\nConnection: close\r\n\r\n"
)
"""Tells an EventSource not to come back (WHATWG HTML, section 9.2)."""

MADE_AT_ONCE = 32
"""Frames that may be made for one piece of what a reader missed."""

LOOKED_AT = 2_000
"""Events of the window that are looked at for one piece."""

BEGUN_AT_ONCE = 20_000
"""Frames begun at once, each counted for every audience that is sent it: many events for many audiences are parted."""

ARCHIVE_PAGE = 250
"""Events that the archive is asked for at a time, once it is known that all of them may be replayed."""

RECENT_BYTES = 16 * 1024 * 1024
"""Of pieces that are kept for others who missed the same."""

ANSWER_BYTES = 1024 * 1024
"""Of events in one answer to a poll; a single event may be larger."""

NEARLY = 1_000
"""Records that one replica may be ahead of another without a doubt that both follow the same log."""


async def in_turns(work: Iterable[T]) -> list[T]:
    """What an iterator that computes comes to; the event loop gets its turns in between."""
    made: list[T] = []
    until = time.monotonic() + TURN_S / 2
    for each in work:
        made.append(each)
        if time.monotonic() > until:
            await asyncio.sleep(0)
            until = time.monotonic() + TURN_S / 2
    return made


def _fitting(found: list[Encoded], most: int) -> list[Encoded]:
    """The first of some events, at most so many, and no more bytes than one answer may have."""
    size = 0
    for count, entry in enumerate(found[:most]):
        size += len(entry.frames.get("json", b""))
        if size > ANSWER_BYTES and count:
            return found[:count]
    return found[:most]


@dataclass(slots=True, eq=False)
class _Reset:
    """A reset of everybody, in its place between events."""

    data: bytes
    position: Position


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some of what followed a place: `data` is complete up to and with `through`."""

    data: bytes
    through: Position
    count: int


@dataclass(slots=True, eq=False)
class _Parked:
    """A reader whose cursor is ahead of what this replica has written."""

    connection: Connection
    wanted: Wanted
    cursor: Position
    deadline: float


@dataclass(frozen=True, slots=True)
class Missed:
    """What followed a cursor, complete up to and with `through`; `more` tells that there is more behind that."""

    events: Sequence[Encoded]
    through: Position
    more: bool


class Hub:
    """Holds the readers of one replica.

    `begin` says from where the log is followed, `publish` takes what it brought; both in the log's order.
    """

    def __init__(self, limits: Limits | None = None, replay: Replay | None = None, over: Over | None = None) -> None:
        self.limits = limits or Limits()
        self.window = Window(self.limits.window_events, self.limits.window_bytes)
        self.fanout = Fanout(self.limits, self._more)
        self.draining = False
        self.closed = False
        self._replay = replay
        self._over = over
        self._begun = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ticks = 0
        self._pending: deque[Encoded | _Reset] = deque()
        self._walked: list[Encoded] = []
        self._held_back: list[StreamEvent] | None = None
        self._scheduled = False
        self._quiet = False
        self._moved_at = float("-inf")
        self._parked: list[_Parked] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking = asyncio.Semaphore(4)
        self._asked: dict[tuple[frozenset[str], Position, int], asyncio.Task[Replayed | None]] = {}
        self._pieces: dict[tuple[frozenset[str], str, Position], _Piece] = {}
        self._pieces_size = 0
        self._polls = 0
        self._waiters: dict[str, set[asyncio.Future[None]]] = {}
        base = self.limits.retry_ms
        self._hints = [b"retry: %d\n" % (base + base * index // 64) for index in range(64)]

    @property
    def head(self) -> Position:
        """The newest position that was published."""
        return self.window.head

    @property
    def _started(self) -> Position:
        """The newest position that was begun to be written."""
        return self.fanout.through

    @property
    def ready(self) -> bool:
        """Whether it is known from where the log is followed."""
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
        """Send the readers away evenly over the grace period; each is told a time of its own to come back after."""
        self.draining = True
        step_s = 0.1
        ends = time.monotonic() + grace_s
        while len(self.fanout):
            left = ends - time.monotonic()
            if left <= 0:
                break
            count = max(1, round(len(self.fanout) * step_s / max(left, step_s)))
            staying = (each for each in self.fanout.connections() if not each.closing)
            for connection in list(islice(staying, count)):
                self.fanout.end(connection, self._hint() + b"\n", "drain")
            await asyncio.sleep(min(step_s, left))
        for connection in self.fanout.connections():
            self.fanout.drop(connection, "drain")

    def close(self) -> None:
        """End every connection and leave the loop."""
        self.draining = self.closed = True
        for task in [*self._tasks, *self._asked.values()]:
            task.cancel()
        self._wake(None)
        if self._timer is not None:
            self._timer.cancel()
        self._loop = None
        self.fanout.close()

    def begin(self, epoch: int, offset: int) -> None:
        """Say that what is published next follows this place in the log (offset -1: it is the first of its epoch).

        Where the hub was further, what it has is passed over when it comes again. Where it was not so far, it asks the
        archive for what is between, and keeps back what is published until then. Only where that cannot be had, or the
        epoch is another one, every reader is sent a reset.
        """
        position = Position(epoch, offset)
        if not self._begun:
            self._begun = True
            self.fanout.through = position
            self.window.begin(position)
        elif epoch != self.head.epoch:
            self._begin_again(position, "epoch")
        elif position > self.head and self._held_back is None:
            self._held_back = []
            task = asyncio.get_running_loop().create_task(self._fill(position))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _begin_again(self, position: Position, reason: str) -> None:
        self._held_back = None
        self._pending.append(_Reset(reset_frame(reason, self.limits.snapshot, position), position))
        metrics.RESETS.labels(reason).inc(len(self.fanout))
        self.window.begin(position)
        self._schedule()

    async def _fill(self, until: Position) -> None:
        """Publish what the archive has between the hub's place and the one that the log is followed from now."""
        answer: Replayed | None = Replayed([], self.head)
        try:
            while self.head < until and answer is not None and self._replay is not None:
                reached = self.head
                answer = await self._replay(reached, (NEWS,), self.limits.replay_events)
                if self._held_back is None or self.head.epoch != until.epoch:
                    return
                if answer is None or answer.through <= reached:
                    break
                self._take(answer.events, answer.through)
        except Exception as error:  # noqa: BLE001 -- whatever the archive fails with, readers are told of the hole
            log.warning("no replay from the archive", error=str(error) or type(error).__name__)
        held_back = self._held_back
        if held_back is None:
            return
        if self.head < until:
            self._begin_again(until, "gap")
        self._held_back = None
        self.publish(held_back)

    def reset(self, reason: str) -> None:
        """Tell every reader to fetch the snapshot again; the stream goes on from the newest event."""
        self._pending.append(_Reset(reset_frame(reason, self.limits.snapshot, self.head), self.head))
        metrics.RESETS.labels(reason).inc(len(self.fanout))
        self._schedule()

    def publish(self, events: Sequence[StreamEvent], through: tuple[int, int] | None = None) -> None:
        """Take the next events of the log; what was taken before is passed over.

        `through` is the place up to which the log was read, where its last records told readers nothing.
        """
        if self._held_back is not None:
            self._held_back.extend(events)
            return
        self._take(events, through)

    def _take(self, events: Sequence[StreamEvent], through: tuple[int, int] | None) -> None:
        for event in events:
            position = event.position
            if not self._begun or position.epoch != self.window.floor.epoch:
                self.begin(position.epoch, position.offset - 1)
            elif position <= self.head:
                continue
            entry = Encoded(event)
            self.window.append(entry)
            self._pending.append(entry)
            if entry.kind == "kill":
                self._forget_pieces()
        if through is not None and self._begun and Position(*through) > self.head:
            self.window.head = Position(*through)
            self._quiet = True
        metrics.LAG.set(max(0, self.head.offset - self._started.offset))
        self._schedule()

    def _schedule(self) -> None:
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
            if time.monotonic() > until and (self._pending or self._quiet):
                self._schedule()
                return

    def _begin_walks(self) -> None:
        """Begin to write what is pending, or so much of it that each reader is sent no more than a piece."""
        self._quiet = False
        through = self._started
        frames: dict[Audience, list[bytes]] = {}
        size = begun = 0
        while self._pending:
            entry = self._pending[0]
            if isinstance(entry, _Reset):
                for audience in self.fanout.audiences(None):
                    frames.setdefault(audience, []).append(entry.data)
                self.fanout.restart(entry.data, entry.position)
                self._wake(None)
                through = entry.position
            else:
                audiences = self.fanout.audiences(entry.channels) if entry.frames else ()
                size += len(entry.frames["json"]) if entry.frames else 0
                begun += len(audiences)
                if (size > PIECE_BYTES or begun > BEGUN_AT_ONCE) and frames:
                    break
                self._walked.append(entry)
                self._wake(entry.channels)
                for audience in audiences:
                    frames.setdefault(audience, []).append(self._frame(entry, audience.view))
                through = entry.position
            self._pending.popleft()
        if not self._pending:
            through = self.window.head
        self._forget_pieces()
        self._moved_at = time.monotonic()
        self.fanout.begin(frames, through)

    def _frame(self, entry: Encoded, view: str) -> bytes:
        """The frame of an event for a view; where it cannot be made, the reset that tells its readers of the hole."""
        try:
            return self.window.frame(entry, view)
        except Exception:
            log.exception("an event cannot be shown", position=str(entry.position), view=view)
            metrics.RESETS.labels("broken").inc()
            return reset_frame("broken", self.limits.snapshot, entry.position)

    def _end_walks(self) -> None:
        now = time.time()
        for entry in self._walked:
            if entry.enriched_at:
                metrics.TO_WRITTEN.observe(max(0.0, now - entry.enriched_at))
        self._walked.clear()
        metrics.POSITION.set(self._started.offset)
        metrics.LAG.set(max(0, self.head.offset - self._started.offset))
        metrics.WINDOW.set(len(self.window))
        if self._parked:
            self._unpark()

    def _on_tick(self) -> None:
        assert self._loop is not None  # noqa: S101
        self._timer = self._loop.call_later(1.0, self._on_tick)
        self._ticks += 1
        walking = self.fanout.walking
        moved = not walking and time.monotonic() - self._moved_at < self.limits.heartbeat_s + 1
        beat = b":\nid: %d-%d\n\n" % self._started if moved else b":\n"
        self.fanout.beat(self._ticks, beat, frame("ready", b"{}", None if walking else self._started))
        self.fanout.judge()
        if self._parked:
            self._unpark()

    def _hint(self) -> bytes:
        return self._hints[int(random.random() * len(self._hints))]

    def admit(self, address: str | None) -> None:
        """Problem when one more reader from this address cannot be taken."""
        if not self._begun or self.closed:
            metrics.REFUSED.labels("starting" if not self._begun else "ending").inc()
            raise Problem(503, "not-ready", "there is no stream here at this moment", headers={"Retry-After": "1"})
        if len(self.fanout) + self._polls >= self.limits.most_connections:
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

    def is_over(self, wanted: Wanted) -> bool:
        """Whether a reader need not come back: all that it follows is over, and it has missed nothing.

        Pages are never told so: a kill reaches an open page however old its story is.
        """
        if self._over is None or wanted.view == "page" or not all(map(self._over, wanted.channels)):
            return False
        if not wanted.cursor:
            return True
        try:
            cursor = parse_cursor(wanted.cursor)
        except ValueError:
            return False
        missed = self.window.of(wanted.channels, cursor, self.head)
        return self.window.floor <= cursor <= self.head and next(missed, None) is None

    def connect(self, fd: int, wanted: Wanted, address: str | None) -> None:
        """Take over the non-blocking socket of a reader who was admitted, and answer."""
        connection = self.fanout.adopt(fd, address)
        if self.draining:
            self.fanout.send(connection, HEAD)
            self.fanout.end(connection, self._hint() + b"\n", "drain")
            return
        self._follow(connection, wanted)

    def _follow(self, connection: Connection, wanted: Wanted) -> None:
        if not wanted.cursor:
            self._go_live(connection, wanted)
            return
        try:
            cursor = parse_cursor(wanted.cursor)
        except ValueError:
            self._go_live(connection, wanted, self._reset("unknown-cursor"))
            return
        self._resume(connection, wanted, cursor, time.monotonic() + self.limits.catch_up_s)

    def _reset(self, reason: str) -> bytes:
        metrics.RESETS.labels(reason).inc()
        return reset_frame(reason, self.limits.snapshot, self._started)

    def _resume(self, connection: Connection, wanted: Wanted, cursor: Position, deadline: float) -> None:
        if cursor > self._started:
            self._hold(connection, wanted)
            self._parked.append(_Parked(connection, wanted, cursor, deadline))
        elif cursor.epoch != self.window.floor.epoch:
            self._go_live(connection, wanted, self._reset("epoch"))
        elif cursor >= self.window.floor:
            metrics.REPLAYS.labels("memory").inc()
            self._go_on(connection, wanted, cursor)
        elif self._replay is None:
            self._go_live(connection, wanted, self._reset("expired"))
        else:
            self._hold(connection, wanted)
            self._begin_catching_up(connection, wanted, cursor)

    def _begin_catching_up(self, connection: Connection, wanted: Wanted, cursor: Position) -> None:
        task = asyncio.get_running_loop().create_task(self._catch_up(connection, wanted, cursor))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _go_on(self, connection: Connection, wanted: Wanted, cursor: Position) -> None:
        """Let a reader follow who has all up to a place that memory has, and begin to give it what it missed."""
        if cursor == self._started:
            self._go_live(connection, wanted)
            return
        if connection.answered or not self._is_made(wanted, cursor):
            # Many may have waited for the same moment: each is given its first piece when the fan-out comes to it.
            self._hold(connection, wanted)
            self.fanout.join(connection, wanted.channels, wanted.view, cursor)
            return
        piece = self._piece(wanted.channels, wanted.view, cursor)
        metrics.REPLAYED.labels("memory").inc(piece.count)
        connection.answered = True
        self.fanout.join(connection, wanted.channels, wanted.view, piece.through)
        self.fanout.send(connection, HEAD + self._hello(wanted), piece.data)

    def _is_made(self, wanted: Wanted, cursor: Position) -> bool:
        """Whether the first piece of what memory has behind a cursor takes no time to be made."""
        if wanted.view == "json" or (wanted.channels, wanted.view, cursor) in self._pieces:
            return True
        entries = islice(self.window.between(cursor, self._started), LOOKED_AT)
        return all(wanted.view in each.frames for each in entries if each.frames)

    async def _make(self, entries: Sequence[Encoded], view: str) -> None:
        """Make the frames of many events, but of those that are killed meanwhile."""
        await in_turns(self._frame(each, view) for each in entries if each.frames and view not in each.frames)

    def _more(self, connection: Connection) -> bytes | None:
        """What the fan-out gives a reader next who is behind."""
        audience, reached = connection.audience, connection.reached
        if audience is None or reached == self._started:
            return None
        if self._started < self.window.floor:
            return b""  # What is pending is more than memory holds, or a reset comes first: it is known once that is begun.
        if reached < self.window.floor:
            if self._replay is None or connection.lag > self.limits.buffer_bytes:
                self.fanout.evict(connection)
                return b""
            self.fanout.leave(connection)
            self._begin_catching_up(connection, Wanted(audience.channels, audience.view, ""), reached)
            return None
        piece = self._piece(audience.channels, audience.view, reached)
        connection.reached = piece.through
        if connection.newcomer:
            metrics.REPLAYED.labels("memory").inc(piece.count)
        else:
            metrics.WRITES.inc()
            metrics.DELIVERIES.inc(piece.count)
            metrics.BYTES.inc(len(piece.data))
        return piece.data

    def _piece(self, channels: frozenset[str], view: str, after: Position) -> _Piece:
        """The next of what memory has behind a place, as one buffer that all who ask for the same share.

        Where it comes as far as the newest place that was begun, it ends with that place's id.
        """
        key = (channels, view, after)
        found = self._pieces.get(key)
        if found is not None:
            return found
        frames: list[bytes] = []
        size = made = 0
        through = after
        entries = self.window.between(after, self._started)
        for entry in islice(entries, LOOKED_AT):
            if entry.frames and not entry.channels.isdisjoint(channels):
                made += view not in entry.frames
                data = self._frame(entry, view)
                size += len(data)
                if frames and size > PIECE_BYTES:
                    break
                frames.append(data)
            through = entry.position
            if size > PIECE_BYTES or made >= MADE_AT_ONCE:
                break
        else:
            if next(entries, None) is None:
                through = self._started
        count = len(frames)
        if through == self._started and size <= PIECE_BYTES:
            frames.append(b"id: %d-%d\n\n" % through)
        found = _Piece(frames[0] if len(frames) == 1 else b"".join(frames), through, count)
        if self._pieces_size > RECENT_BYTES:
            self._forget_pieces()
        self._pieces[key] = found
        self._pieces_size += len(found.data)
        return found

    def _forget_pieces(self) -> None:
        self._pieces.clear()
        self._pieces_size = 0

    def _hello(self, wanted: Wanted) -> bytes:
        greeting = b": slugline\n" + self._hint() + b"\n"
        if wanted.view == "page":
            greeting += frame("ready", b"{}")
        return greeting

    def _hold(self, connection: Connection, wanted: Wanted) -> None:
        """Answer, and keep the reader out of every audience until it is known what it missed."""
        if not connection.answered:
            connection.answered = True
            self.fanout.send(connection, HEAD, self._hello(wanted))

    def _go_live(self, connection: Connection, wanted: Wanted, reset: bytes = b"") -> None:
        """Let a reader follow from the newest place that was begun, perhaps after a reset."""
        self.fanout.join(connection, wanted.channels, wanted.view, self._started)
        here = b"%bid: %d-%d\n\n" % (reset, *self._started)
        if connection.answered:
            self.fanout.send(connection, here)
        else:
            connection.answered = True
            self.fanout.send(connection, HEAD + self._hello(wanted) + here)

    def _unpark(self) -> None:
        """Let go on who was ahead of this replica: it has caught up, or the wait was long enough."""
        now = time.monotonic()
        parked, self._parked = self._parked, []
        for each in parked:
            if each.connection.waiting is GONE or each.connection.closing:
                continue
            if each.cursor <= self._started or each.cursor.epoch < self._started.epoch:
                self._resume(each.connection, each.wanted, each.cursor, each.deadline)
            elif now >= each.deadline and not self._nearly(each.cursor):
                self._go_live(each.connection, each.wanted, self._reset("ahead"))
            else:
                self._parked.append(each)

    def _nearly(self, cursor: Position) -> bool:
        """Whether a cursor ahead of this replica is so by little, as another replica's may be that has read further.

        Then what follows it comes as soon as the log moves on, however long that takes.
        """
        return cursor.epoch == self._started.epoch and cursor.offset - self._started.offset <= NEARLY

    async def _catch_up(self, connection: Connection, wanted: Wanted, cursor: Position) -> None:
        """Replay what is older than memory, as fast as the reader takes it, then go on from memory.

        While its socket is full, nothing is held for it: the archive is asked again from where it is then.
        """
        reached, most = cursor, self.limits.replay_events + 1
        while connection.waiting is not GONE and not connection.closing:
            if reached.epoch != self._started.epoch:
                self._go_live(connection, wanted, self._reset("epoch"))
                return
            if reached >= min(self.window.floor, self._started):
                self._go_on(connection, wanted, reached)
                return
            answer = await self._older(wanted, reached, most)
            if connection.waiting is GONE or connection.closing:
                return
            if answer is None or answer.through <= reached or len(answer.events) > self.limits.replay_events:
                self._go_live(connection, wanted, self._reset("expired"))
                return
            if reached == cursor:
                metrics.REPLAYS.labels("archive").inc()
            most = min(ARCHIVE_PAGE, self.limits.replay_events)
            reached = await self._replay_older(connection, wanted, reached, answer)
            del answer
            await self.fanout.drained(connection)

    async def _replay_older(
        self, connection: Connection, wanted: Wanted, reached: Position, answer: Replayed
    ) -> Position:
        """Write of the archive's answer what the socket takes; the place up to which the reader was given all then."""
        until = self._started
        events = (event for event in answer.events if reached < event.position <= until)
        frames: list[bytes] = []
        size = 0
        for event in events:
            if until.epoch != self._started.epoch:
                return reached
            frames.append(self._frame(Encoded(event), wanted.view))
            size += len(frames[-1])
            if size > PIECE_BYTES or (wanted.view != "json" and len(frames) >= MADE_AT_ONCE):
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

    async def _older(self, wanted: Wanted, after: Position, most: int) -> Replayed | None:
        """What the archive has behind a cursor; None where it cannot tell, or does not answer."""
        if self._replay is None:
            return None
        try:
            return await self._ask(wanted.channels, after, most)
        except Exception as error:  # noqa: BLE001 -- whatever the archive fails with, the reader is told of the hole
            log.warning("no replay from the archive", error=str(error) or type(error).__name__)
            return None

    async def _ask(self, channels: frozenset[str], after: Position, most: int) -> Replayed | None:
        """One question to the archive for all who have the same, and a few at a time."""
        key = (channels, after, most)
        task = self._asked.get(key)
        if task is None:

            async def ask() -> Replayed | None:
                async with self._asking:
                    if self._replay is None:
                        return None
                    return await self._replay(after, channels, most)

            task = self._asked[key] = asyncio.get_running_loop().create_task(ask())
            task.add_done_callback(lambda _: self._asked.pop(key, None))
        return await asyncio.shield(task)

    async def missed(self, wanted: Wanted, cursor: Position, most: int) -> Missed | str:
        """At most `most` events behind a cursor, for those who ask again and again; or the reason of a reset."""
        channels = wanted.channels
        if cursor.epoch != self.window.floor.epoch:
            return "epoch"
        if cursor > self.head:
            return Missed([], cursor, more=False) if self._nearly(cursor) else "ahead"
        found: list[Encoded] = []
        reached = cursor
        if cursor < self.window.floor:
            try:
                limit = min(most + 1, self.limits.replay_events)
                answer = await self._ask(channels, cursor, limit) if self._replay is not None else None
            except Exception as error:
                log.warning("no replay from the archive", error=str(error) or type(error).__name__)
                away = {"Retry-After": "2"}
                raise Problem(503, "archive-away", "the archive does not answer", headers=away) from error
            if answer is None or answer.through <= cursor:
                return "expired"
            behind = [event for event in answer.events if event.position > cursor]
            found += await in_turns(Encoded(event) for event in behind[: most + 1])
            reached = answer.through
        through = reached
        if reached >= self.window.floor:
            through = self.head
            found += islice(self.window.of(channels, reached, self.head), max(0, most + 1 - len(found)))
        fitting = _fitting(found, most)
        if len(fitting) < len(found):
            found = fitting
            through = found[-1].position
        await self._make(found, wanted.view)
        return Missed(found, through, more=through < self.head)

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
        self._polls += 1
        try:
            async with asyncio.timeout(timeout_s):
                await waiter
        except TimeoutError:
            pass
        finally:
            gone.remove_done_callback(leave)
            metrics.POLLS.dec()
            self._polls -= 1
            for channel in channels:
                waiters = self._waiters.get(channel)
                if waiters is not None:
                    waiters.discard(waiter)
                    if not waiters:
                        del self._waiters[channel]

    def _wake(self, channels: frozenset[str] | None) -> None:
        for channel in self._waiters if channels is None else channels:
            for waiter in self._waiters.get(channel, ()):
                if not waiter.done():
                    waiter.set_result(None)
