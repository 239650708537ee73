"""Slow reader detection: readers who take nothing, or too little, are cut off before they cost the others anything."""

import fcntl
import random
import struct
import termios
import time

from publish.web.stream import metrics
from publish.web.stream.event import reset_frame
from publish.web.stream.fanout.connection import UNSENT_BYTES, ReaderConnection
from publish.web.stream.fanout.fanout import TURN_S, Fanout
from publish.web.stream.fanout.walk import PIECE_BYTES
from publish.web.stream.limits import StreamLimits

HELD_BYTES = 2 * UNSENT_BYTES + PIECE_BYTES
"""Estimate of what a reader who is behind holds: in the kernel, which allocates up to 64 kB at a time, and one piece here."""

CROWDED_S = 2.0
"""How long a reader may take nothing while those behind hold more together than they may."""

SLOW_RETRY = 4
"""A reader who is too slow is asked to reconnect after so many times the usual wait."""


def unacknowledged(fd: int) -> int:
    """Bytes written to a socket that its reader has not acknowledged."""
    (count,) = struct.unpack("i", fcntl.ioctl(fd, termios.TIOCOUTQ, b"\0" * 4))
    return int(count)


class SlowReaders:
    """Watches the readers of a fan-out who are behind."""

    def __init__(self, fanout: Fanout, limits: StreamLimits) -> None:
        self._fanout = fanout
        self._limits = limits
        self._unchecked: list[ReaderConnection] = []

    def check(self) -> None:
        """Cut off those behind who take nothing, or too little; those who are behind for longest come first.

        If they are many, this takes several turns of the loop.
        """
        if not self._unchecked:
            self._unchecked = list(reversed(self._fanout.behind))
        until = time.monotonic() + TURN_S
        while self._unchecked:
            self._check_one(self._unchecked.pop(), time.monotonic())
            loop = self._fanout.loop
            if loop is not None and time.monotonic() > until:
                loop.call_soon(self.check)
                return

    def _check_one(self, connection: ReaderConnection, now: float) -> None:
        limits = self._limits
        if connection not in self._fanout.behind or now - connection.behind_at < min(limits.slow_s, CROWDED_S):
            return
        # The loop may not have reached a socket that has room: only a socket that is full now is its reader's fault.
        if self._fanout.feed(connection) or connection not in self._fanout.behind:
            return
        left = unacknowledged(connection.fd)
        if left < connection.unacknowledged:
            connection.progress_at = now
        connection.unacknowledged = left
        idle_s = now - connection.progress_at
        if idle_s > limits.stalled_s:
            self._abort(connection, "stalled")
        elif idle_s > CROWDED_S and len(self._fanout.behind) * HELD_BYTES > limits.behind_bytes:
            self._abort(connection, "crowded")
        elif now - connection.behind_at >= limits.slow_s and connection.lag > limits.buffer_bytes:
            self.evict(connection)

    def _abort(self, connection: ReaderConnection, reason: str) -> None:
        metrics.EVICTIONS.labels(reason).inc()
        self._fanout.drop(connection, reason, abort=True)

    def evict(self, connection: ReaderConnection) -> None:
        """Disconnect a reader who is too slow: a reset at the next frame boundary, then the end."""
        if connection.closing:
            return
        metrics.EVICTIONS.labels("slow").inc()
        metrics.RESETS.labels("slow").inc()
        retry_ms = int(self._limits.retry_ms * SLOW_RETRY * (1 + random.random()))
        channels = connection.audience.channels if connection.audience is not None else ()
        reset = reset_frame("slow", self._limits.snapshots(channels), None)
        self._fanout.end(connection, b"retry: %d\n%b" % (retry_ms, reset), "slow")
