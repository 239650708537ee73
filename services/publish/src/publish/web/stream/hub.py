"""The hub: what is published goes to every reader who follows one of its channels, once and in order.

An event is encoded once. Readers who follow the same are one audience; whatever is published while its sockets are walked
leaves joined in the next walk. Who joins is given what it missed as of the last walk that began, and is in every one after:
so replay and live meet without a seam.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog

from publish.story import NEWS, Position
from publish.web.stream import metrics
from publish.web.stream.connection import GONE, Audience, Connection
from publish.web.stream.event import Replay, Replayed, StreamEvent, frame, parse_cursor, reset_frame
from publish.web.stream.fanout import TURN_S, Fanout
from publish.web.stream.limits import Limits
from publish.web.stream.request import Wanted
from publish.web.stream.window import Encoded, Window
from shared.problem import Problem

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
"""Frames that may be made for one reader who comes back within a turn of the loop."""

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


@dataclass(slots=True, eq=False)
class _Reset:
    """A reset of everybody, in its place between events."""

    data: bytes


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
        self.fanout = Fanout(self.limits)
        self.draining = False
        self.closed = False
        self._replay = replay
        self._over = over
        self._begun = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ticks = 0
        self._pending: list[Encoded | _Reset] = []
        self._walked: list[Encoded] = []
        self._held_back: list[StreamEvent] | None = None
        self._scheduled = False
        self._quiet = False
        self._started = Position(0, -1)
        self._moved_at = float("-inf")
        self._parked: list[_Parked] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking = asyncio.Semaphore(4)
        self._asked: dict[tuple[frozenset[str], Position], asyncio.Task[Replayed | None]] = {}
        self._joined: dict[tuple[frozenset[str], str, Position], tuple[bytes, int]] = {}
        self._joined_size = 0
        self._polls = 0
        self._waiters: dict[str, set[asyncio.Future[None]]] = {}
        base = self.limits.retry_ms
        self._hints = [b"retry: %d\n" % (base + base * index // 64) for index in range(64)]

    @property
    def head(self) -> Position:
        """The newest position that was published."""
        return self.window.head

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
            for connection in self.fanout.connections()[:count]:
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
            self._started = position
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
        self._pending.append(_Reset(reset_frame(reason, self.limits.snapshot, position)))
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
        self._pending.append(_Reset(reset_frame(reason, self.limits.snapshot, self.head)))
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

    def _begin_walks(self) -> None:
        batch, self._pending = self._pending, []
        self._quiet = False
        frames: dict[Audience, list[bytes]] = {}
        for entry in batch:
            if isinstance(entry, _Reset):
                for audience in self.fanout.audiences(None):
                    frames.setdefault(audience, []).append(entry.data)
                self._wake(None)
                continue
            self._walked.append(entry)
            self._wake(entry.channels)
            if entry.frames:
                for audience in self.fanout.audiences(entry.channels):
                    frames.setdefault(audience, []).append(self._frame(entry, audience.view))
        self._started = self.window.head
        self._joined.clear()
        self._joined_size = 0
        self._moved_at = time.monotonic()
        self.fanout.begin(frames)

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
            self._go_live(connection, wanted, b"")
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
        elif cursor >= self.window.floor and self._is_made(wanted, cursor):
            data, count = self._recent(wanted, cursor)
            metrics.REPLAYS.labels("memory").inc()
            metrics.REPLAYED.labels("memory").inc(count)
            self._go_live(connection, wanted, data)
        elif cursor < self.window.floor and self._replay is None:
            self._go_live(connection, wanted, self._reset("expired"))
        else:
            self._hold(connection, wanted)
            task = asyncio.get_running_loop().create_task(self._catch_up(connection, wanted, cursor))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _is_made(self, wanted: Wanted, cursor: Position) -> bool:
        """Whether what memory has behind a cursor is ready but for a few frames, which are made at once."""
        if wanted.view == "json" or (wanted.channels, wanted.view, cursor) in self._joined:
            return True
        entries = self.window.of(wanted.channels, cursor, self._started)
        return sum(wanted.view not in entry.frames for entry in entries) <= MADE_AT_ONCE

    async def _make(self, entries: Sequence[Encoded], view: str) -> None:
        """Make the frames of many events, but of those that are killed meanwhile."""
        await in_turns(self._frame(each, view) for each in entries if each.frames and view not in each.frames)

    def _recent(self, wanted: Wanted, cursor: Position) -> tuple[bytes, int]:
        """What memory has behind a cursor, as one buffer that all who ask for the same share."""
        key = (wanted.channels, wanted.view, cursor)
        found = self._joined.get(key)
        if found is None:
            entries = self.window.of(wanted.channels, cursor, self._started)
            frames = [self._frame(entry, wanted.view) for entry in entries]
            found = (b"".join(frames), len(frames))
            if self._joined_size > 16 * 1024 * 1024:
                self._joined.clear()
                self._joined_size = 0
            self._joined[key] = found
            self._joined_size += len(found[0])
        return found

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

    def _go_live(self, connection: Connection, wanted: Wanted, missed: bytes) -> None:
        """Give the reader what it missed, as of the last walk that began, and let it follow from there."""
        self.fanout.join(connection, wanted.channels, wanted.view)
        here = b"id: %d-%d\n\n" % self._started
        if connection.answered:
            self.fanout.send(connection, missed, here)
        else:
            connection.answered = True
            self.fanout.send(connection, HEAD + self._hello(wanted), missed, here)

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
        """Replay what is older than memory, then what memory has, then follow."""
        old: list[Encoded] = []
        reached, reason, made = cursor, "", False
        while not reason:
            if reached.epoch != self._started.epoch:
                reason = "epoch"
            elif reached < min(self.window.floor, self._started):
                answer = await self._older(wanted, reached)
                if (
                    answer is None
                    or answer.through <= reached
                    or len(old) + len(answer.events) > self.limits.replay_events
                ):
                    reason = "expired"
                else:
                    until = self._started
                    older = await in_turns(Encoded(each) for each in answer.events if reached < each.position <= until)
                    await self._make(older, wanted.view)
                    old += older
                    reached = min(answer.through, until)
            elif not made and not self._is_made(wanted, reached):
                await self._make(list(self.window.of(wanted.channels, reached, self._started)), wanted.view)
                made = True
            else:
                break
            if connection.waiting is GONE or connection.closing:
                return
        if reason:
            self._go_live(connection, wanted, self._reset(reason))
            return
        recent, count = self._recent(wanted, reached)
        metrics.REPLAYS.labels("archive" if cursor < reached else "memory").inc()
        metrics.REPLAYED.labels("archive").inc(len(old))
        metrics.REPLAYED.labels("memory").inc(count)
        self._go_live(connection, wanted, b"".join([*(self._frame(entry, wanted.view) for entry in old), recent]))

    async def _older(self, wanted: Wanted, after: Position) -> Replayed | None:
        """What the archive has behind a cursor; None where it cannot tell, or does not answer."""
        if self._replay is None:
            return None
        try:
            return await self._ask(wanted.channels, after)
        except Exception as error:  # noqa: BLE001 -- whatever the archive fails with, the reader is told of the hole
            log.warning("no replay from the archive", error=str(error) or type(error).__name__)
            return None

    async def _ask(self, channels: frozenset[str], after: Position) -> Replayed | None:
        """One question to the archive for all who have the same, and a few at a time."""
        key = (channels, after)
        task = self._asked.get(key)
        if task is None:

            async def ask() -> Replayed | None:
                async with self._asking:
                    if self._replay is None:
                        return None
                    return await self._replay(after, channels, self.limits.replay_events)

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
                answer = await self._ask(channels, cursor) if self._replay is not None else None
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
            for entry in self.window.of(channels, reached, self.head):
                if len(found) > most:
                    break
                found.append(entry)
        if len(found) > most:
            found = found[:most]
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
