"""The open connections of one HTTP port: how many there are, what each waits for, and which is closed to make room.

uvicorn has no deadline for receiving a request or for sending a response. Both are enforced here, twice a second for all
connections: a request that comes in one piece, as nearly all do, needs no timer.
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
from shared.http.server.limits import ServerLimits
from shared.http.server.sockets import descriptor_limit

log = structlog.get_logger(__name__)

DROPPED = Counter("slugline_http_dropped", "Connections that a limit of an HTTP port ended", ["reason"])
OPEN = Gauge("slugline_http_connections", "Connections to HTTP ports of this process, streams apart")

CHECK_INTERVAL_S = 0.5
MIN_READ_BYTES_PER_S = 1024
"""What a client must read of a response, on average over its time. The slowest mobile networks do more."""
EXTRA_CONNECTIONS = 64
"""Connections past the limit whose request is read all the same: probes are answered, others learn why not."""
MIN_CONNECTIONS = 64
RESERVED_DESCRIPTORS = 256
"""Descriptors that a process needs besides those of its HTTP port."""


class Connection(Protocol):
    """What a connection must be able to do."""

    body_bytes: int
    """Received of the request's body."""

    @property
    def is_silent(self) -> bool:
        """Whether nothing was received that was not answered."""

    @property
    def is_paused(self) -> bool:
        """Whether reading from it is paused."""

    @property
    def unsent(self) -> int:
        """Bytes of responses that the kernel has not taken."""

    def refuse(self, problem: Problem) -> None:
        """Send a problem, then close."""

    def drop(self) -> None:
        """Close with a reset."""


@dataclass(slots=True)
class _Unread:
    size: int
    since: float


class OpenConnections:
    """Counts connections and closes those past a limit. All times are of `time.monotonic`.

    Each dictionary is ordered by its times, the oldest first.
    """

    def __init__(self, limits: ServerLimits, reserved_descriptors: int = RESERVED_DESCRIPTORS) -> None:
        self.limits = limits
        self.max_connections = min(limits.connections, max(descriptor_limit() - reserved_descriptors, MIN_CONNECTIONS))
        if self.max_connections < limits.connections:
            log.warning(
                "fewer connections than configured: too few open files",
                most=self.max_connections,
                wanted=limits.connections,
            )
        self._all: dict[Connection, str] = {}
        self._from: dict[str, int] = {}
        self._incomplete: dict[Connection, float] = {}
        self._receiving: dict[Connection, float] = {}
        self._early_answered: dict[Connection, float] = {}
        self._idle: dict[Connection, None] = {}
        self._unread: dict[Connection, _Unread] = {}
        self._closing: dict[Connection, float] = {}
        self._unsent_bytes = 0

    def __len__(self) -> int:
        return len(self._all)

    def add(self, connection: Connection, peer: str) -> Problem | None:
        """Count a connection; returns the problem where only probes are answered on it."""
        proxies = self.limits.proxies
        address = "" if proxies.trusts(peer) else proxies.peer(peer)
        self._all[connection] = address
        count = 0
        refusal = None
        if address:
            count = self._from[address] = self._from.get(address, 0) + 1
        most = self.limits.per_address
        if most and count > most:
            detail = f"at most {most} connections from one address"
            refusal = Problem(429, "too-many-connections", detail, headers={"Retry-After": "10"})
            if count > most + EXTRA_CONNECTIONS:
                self._drop(connection, "address")
                return refusal
        elif len(self._all) > self.max_connections and not self._make_room():
            refusal = Problem(503, "too-many-connections", "no more connections here now", headers={"Retry-After": "5"})
            if len(self._all) > self.max_connections + EXTRA_CONNECTIONS:
                self._drop(connection, "full")
                return refusal
        elif len(self._incomplete) >= self.limits.incomplete:
            self._drop(next(iter(self._incomplete)), "incomplete")
        self._incomplete[connection] = time.monotonic()
        return refusal

    def remove(self, connection: Connection) -> None:
        """A connection is closed."""
        address = self._all.pop(connection, "")
        if address:
            left = self._from[address] - 1
            if left:
                self._from[address] = left
            else:
                del self._from[address]
        self._forget(connection)
        self._closing.pop(connection, None)

    def head_started(self, connection: Connection) -> None:
        """Part of a request's head was received; the deadline counts from the first part."""
        if connection not in self._incomplete:
            self._incomplete[connection] = time.monotonic()

    def head_received(self, connection: Connection) -> None:
        """A request's head is complete."""
        self._incomplete.pop(connection, None)

    def body_started(self, connection: Connection) -> None:
        """A body is being received."""
        if connection not in self._receiving:
            self._receiving[connection] = time.monotonic()

    def body_received(self, connection: Connection) -> None:
        """A body is complete."""
        self._receiving.pop(connection, None)
        self._early_answered.pop(connection, None)

    def response_sent(self, connection: Connection, *, complete: bool) -> None:
        """A response is written. Where its request is not `complete`, the rest has little time."""
        if complete:
            self._idle[connection] = None
        else:
            self._receiving.pop(connection, None)
            self._early_answered[connection] = time.monotonic()

    def became_active(self, connection: Connection) -> None:
        """Something was received on a connection."""
        self._idle.pop(connection, None)

    def write_blocked(self, connection: Connection) -> None:
        """The kernel takes no more of what is written."""
        size = connection.unsent
        before = self._unread.pop(connection, None)
        self._unsent_bytes += size - (before.size if before else 0)
        self._unread[connection] = _Unread(size, time.monotonic())
        while self._unsent_bytes > self.limits.unsent_bytes and self._unread:
            self._drop(next(iter(self._unread)), "unsent")

    def write_resumed(self, connection: Connection) -> None:
        """The kernel has taken all of it."""
        unread = self._unread.pop(connection, None)
        if unread is not None:
            self._unsent_bytes -= unread.size

    def closing(self, connection: Connection) -> None:
        """A problem was sent; the client has a moment to read it."""
        self._forget(connection)
        self._closing[connection] = time.monotonic()

    @contextlib.contextmanager
    def enforced(self) -> Iterator[None]:
        """Close what is late while the block runs, on the running loop."""
        loop = asyncio.get_running_loop()
        timer: asyncio.TimerHandle
        before = time.monotonic()

        def check() -> None:
            nonlocal timer, before
            timer = loop.call_later(CHECK_INTERVAL_S, check)
            now = time.monotonic()
            passed_s, before = now - before, now
            self.enforce(now, passed_s)

        timer = loop.call_later(CHECK_INTERVAL_S, check)
        try:
            yield
        finally:
            timer.cancel()

    def enforce(self, now: float, passed_s: float) -> None:
        """Close what is late; `passed_s` is the time since the last check."""
        limits = self.limits
        OPEN.set(len(self._all))
        for connection in _overdue(self._incomplete, now - limits.head_s):
            if connection.is_silent:
                self._drop(connection, "silent")
            else:
                self._refuse(
                    connection, "head-late", f"the head of the request was not whole within {limits.head_s:g} s"
                )
        for connection, since in list(self._receiving.items()):
            self._check_body(connection, now - since, passed_s)
        for connection in _overdue(self._early_answered, now - limits.linger_s):
            self._drop(connection, "rest-late")
        for connection in _overdue(self._closing, now - limits.linger_s):
            self._drop(connection, "")
        for connection, unread in list(self._unread.items()):
            self._check_unread(connection, unread, now)

    def _check_body(self, connection: Connection, age_s: float, passed_s: float) -> None:
        limits = self.limits
        if connection.is_paused:
            # We do not read, so the sender is not late.
            self._receiving[connection] += passed_s
        elif age_s > limits.body_s:
            self._refuse(connection, "body-late", f"the body was not whole within {limits.body_s:g} s")
        elif connection.body_bytes < limits.body_bytes_per_s * (age_s - limits.body_grace_s):
            self._refuse(connection, "body-slow", f"the body came slower than {limits.body_bytes_per_s} bytes/s")

    def _check_unread(self, connection: Connection, unread: _Unread, now: float) -> None:
        size = connection.unsent
        if unread.size - size >= min(MIN_READ_BYTES_PER_S * self.limits.write_s, unread.size):
            self._unsent_bytes -= unread.size - size
            del self._unread[connection]
            self._unread[connection] = _Unread(size, now)
        elif now - unread.since > self.limits.write_s:
            self._drop(connection, "unread")

    def _make_room(self) -> bool:
        """Close the least useful connection; False where each has a request under way that is not overdue."""
        for some, reason in (
            (self._closing, "full"), (self._incomplete, "full"), (self._idle, "full"), (self._early_answered, "full"),
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
        self._early_answered.pop(connection, None)
        self._idle.pop(connection, None)
        self.write_resumed(connection)


def _overdue(times: dict[Connection, float], latest: float) -> list[Connection]:
    """The connections whose time is up, of a dictionary ordered by time."""
    found = []
    for connection, since in times.items():
        if since > latest:
            break
        found.append(connection)
    return found
