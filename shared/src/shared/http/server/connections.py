"""The open connections of one HTTP port: how many there are, what each waits for, and which ends to make room.

uvicorn has no deadline for the receiving of a request, nor for the taking of an answer. Both are kept here, by one look
at all that are late every half second: a request that comes in one piece, as nearly all do, meets no timer.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import structlog
from prometheus_client import Counter, Gauge

from shared.http.problem import Problem
from shared.http.server.bounds import Bounds
from shared.http.server.listen import descriptor_limit

log = structlog.get_logger(__name__)

DROPPED = Counter("slugline_http_dropped", "Connections that a bound of an HTTP port ended", ["reason"])
OPEN = Gauge("slugline_http_connections", "Connections to HTTP ports of this process, streams apart")

LOOK_S = 0.5
LEAST_READ_PER_S = 1024
"""Bytes of an answer that a reader takes, over the time that it is given. The slowest mobile networks do more."""
SPARE = 64
"""Connections past the bounds whose request is heard all the same: a probe must be answered, others are told why not."""
LEAST = 64
OTHER_FILES = 256
"""Descriptors that a process needs besides those of its HTTP port."""


class Connection(Protocol):
    """What is asked of a connection here."""

    body_bytes: int
    """Of the request's body, as they have come."""

    @property
    def is_silent(self) -> bool:
        """Whether nothing has come on it that was not answered."""

    @property
    def is_paused(self) -> bool:
        """Whether we do not read from it at this moment."""

    @property
    def unsent(self) -> int:
        """Bytes of answers that the kernel has not taken."""

    def refuse(self, problem: Problem) -> None:
        """Answer with a problem, then end."""

    def drop(self) -> None:
        """End now."""


@dataclass(slots=True)
class _Unread:
    size: int
    since: float


class OpenConnections:
    """Counts connections and ends those that break a bound. All times are of `time.monotonic`.

    Each dictionary is in the order of its times, the oldest first.
    """

    def __init__(self, bounds: Bounds, other_files: int = OTHER_FILES) -> None:
        self.bounds = bounds
        self.most = min(bounds.connections, max(descriptor_limit() - other_files, LEAST))
        if self.most < bounds.connections:
            log.warning("fewer connections than set, for want of open files", most=self.most, wanted=bounds.connections)
        self._all: dict[Connection, str] = {}
        self._from: dict[str, int] = {}
        self._incomplete: dict[Connection, float] = {}
        self._receiving: dict[Connection, float] = {}
        self._rest: dict[Connection, float] = {}
        self._idle: dict[Connection, None] = {}
        self._unread: dict[Connection, _Unread] = {}
        self._ending: dict[Connection, float] = {}
        self._held = 0

    def __len__(self) -> int:
        return len(self._all)

    def add(self, connection: Connection, peer: str) -> Problem | None:
        """Take a connection in; the reason if nothing but a probe is to be answered on it."""
        proxies = self.bounds.proxies
        address = "" if proxies.trusts(peer) else proxies.peer(peer)
        self._all[connection] = address
        count = 0
        refusal = None
        if address:
            count = self._from[address] = self._from.get(address, 0) + 1
        most = self.bounds.per_address
        if most and count > most:
            detail = f"at most {most} connections from one address"
            refusal = Problem(429, "too-many-connections", detail, headers={"Retry-After": "10"})
            if count > most + SPARE:
                self._drop(connection, "address")
                return refusal
        elif len(self._all) > self.most and not self._make_room():
            refusal = Problem(503, "too-many-connections", "no more connections here now", headers={"Retry-After": "5"})
            if len(self._all) > self.most + SPARE:
                self._drop(connection, "full")
                return refusal
        elif len(self._incomplete) >= self.bounds.incomplete:
            self._drop(next(iter(self._incomplete)), "incomplete")
        self._incomplete[connection] = time.monotonic()
        return refusal

    def remove(self, connection: Connection) -> None:
        """A connection is gone."""
        address = self._all.pop(connection, "")
        if address:
            left = self._from[address] - 1
            if left:
                self._from[address] = left
            else:
                del self._from[address]
        self._forget(connection)
        self._ending.pop(connection, None)

    def head_begins(self, connection: Connection) -> None:
        """A part of a request's head has come; its deadline begins with the first part and is not renewed."""
        if connection not in self._incomplete:
            self._incomplete[connection] = time.monotonic()

    def head_ends(self, connection: Connection) -> None:
        """A request's head is whole."""
        self._incomplete.pop(connection, None)

    def body_begins(self, connection: Connection) -> None:
        """A body is awaited."""
        if connection not in self._receiving:
            self._receiving[connection] = time.monotonic()

    def body_ends(self, connection: Connection) -> None:
        """A body is whole."""
        self._receiving.pop(connection, None)
        self._rest.pop(connection, None)

    def answered(self, connection: Connection, *, whole: bool) -> None:
        """An answer is written; `whole` tells whether its request had come to the end, else its rest has little time."""
        if whole:
            self._idle[connection] = None
        else:
            self._receiving.pop(connection, None)
            self._rest[connection] = time.monotonic()

    def stirs(self, connection: Connection) -> None:
        """Something has come on a connection."""
        self._idle.pop(connection, None)

    def blocks(self, connection: Connection) -> None:
        """The kernel takes no more of what is written."""
        size = connection.unsent
        before = self._unread.pop(connection, None)
        self._held += size - (before.size if before else 0)
        self._unread[connection] = _Unread(size, time.monotonic())
        while self._held > self.bounds.unsent_bytes and self._unread:
            self._drop(next(iter(self._unread)), "unsent")

    def flows(self, connection: Connection) -> None:
        """The kernel has taken all of it."""
        unread = self._unread.pop(connection, None)
        if unread is not None:
            self._held -= unread.size

    def ends(self, connection: Connection) -> None:
        """A connection was told why it ends; it has a moment to read that."""
        self._forget(connection)
        self._ending[connection] = time.monotonic()

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """End what is late while the block runs, on the running loop."""
        loop = asyncio.get_running_loop()
        timer: asyncio.TimerHandle
        before = time.monotonic()

        def look() -> None:
            nonlocal timer, before
            timer = loop.call_later(LOOK_S, look)
            now = time.monotonic()
            passed_s, before = now - before, now
            self.look(now, passed_s)

        timer = loop.call_later(LOOK_S, look)
        try:
            yield
        finally:
            timer.cancel()

    def look(self, now: float, passed_s: float) -> None:
        """End what is late; `passed_s` is the time since the last look."""
        bounds = self.bounds
        OPEN.set(len(self._all))
        for connection in _before(self._incomplete, now - bounds.head_s):
            if connection.is_silent:
                self._drop(connection, "silent")
            else:
                self._refuse(
                    connection, "head-late", f"the head of the request was not whole within {bounds.head_s:g} s"
                )
        for connection, since in list(self._receiving.items()):
            self._look_at_body(connection, now - since, passed_s)
        for connection in _before(self._rest, now - bounds.linger_s):
            self._drop(connection, "rest-late")
        for connection in _before(self._ending, now - bounds.linger_s):
            self._drop(connection, "")
        for connection, unread in list(self._unread.items()):
            self._look_at_unread(connection, unread, now)

    def _look_at_body(self, connection: Connection, age_s: float, passed_s: float) -> None:
        bounds = self.bounds
        if connection.is_paused:
            # Not its sender's fault.
            self._receiving[connection] += passed_s
        elif age_s > bounds.body_s:
            self._refuse(connection, "body-late", f"the body was not whole within {bounds.body_s:g} s")
        elif connection.body_bytes < bounds.body_bytes_per_s * (age_s - bounds.body_grace_s):
            self._refuse(connection, "body-slow", f"the body came slower than {bounds.body_bytes_per_s} bytes/s")

    def _look_at_unread(self, connection: Connection, unread: _Unread, now: float) -> None:
        size = connection.unsent
        if unread.size - size >= min(LEAST_READ_PER_S * self.bounds.write_s, unread.size):
            self._held -= unread.size - size
            del self._unread[connection]
            self._unread[connection] = _Unread(size, now)
        elif now - unread.since > self.bounds.write_s:
            self._drop(connection, "unread")

    def _make_room(self) -> bool:
        """End the connection that would be missed least; False where each has a request under way that is not overdue."""
        for some, reason in (
            (self._ending, "full"), (self._incomplete, "full"), (self._idle, "full"), (self._rest, "full"),
            (self._receiving, "full"), (self._unread, "full"),
        ):  # fmt: skip
            if some:
                self._drop(next(iter(some)), reason)
                return True
        return False

    def _refuse(self, connection: Connection, code: str, detail: str) -> None:
        DROPPED.labels(code).inc()
        connection.refuse(Problem(408, code, detail))

    def _drop(self, connection: Connection, reason: str) -> None:
        if reason:
            DROPPED.labels(reason).inc()
        self.remove(connection)
        connection.drop()

    def _forget(self, connection: Connection) -> None:
        self._incomplete.pop(connection, None)
        self._receiving.pop(connection, None)
        self._rest.pop(connection, None)
        self._idle.pop(connection, None)
        self.flows(connection)


def _before(times: dict[Connection, float], latest: float) -> list[Connection]:
    """Those whose time is over, of a dictionary in the order of times."""
    found = []
    for connection, since in times.items():
        if since > latest:
            break
        found.append(connection)
    return found
