"""The pause after a transient failure. What failed is read again after it; polling goes on, so the group keeps this member."""

import asyncio
import contextlib
import time

import structlog
from prometheus_client import Counter

from shared.failures.backoff import Backoff

log = structlog.get_logger(__name__)

BACKOFF = Backoff(first_s=0.2, longest_s=5.0)
PAUSES = Counter("slugline_consumer_pauses", "Times a transient failure paused the consumer", ["stage", "error"])


class Retry:
    """How often handling has failed in a row, and what it waits for."""

    def __init__(self, stage: str, stopping: asyncio.Event) -> None:
        self._stage = stage
        self._stopping = stopping
        self._failures = 0
        self.paused_by: str | None = None
        """The failure of the last attempt, until one succeeds."""
        self.paused_until = float("-inf")
        """When the last pause ends, by the monotonic clock."""

    async def pause(self, failure: BaseException) -> None:
        """Wait, unless the process ends."""
        self._failures += 1
        self.paused_by = f"{type(failure).__name__}: {failure}"
        pause_s = BACKOFF.pause_s(self._failures)
        PAUSES.labels(self._stage, type(failure).__name__).inc()
        log.warning(
            "paused", stage=self._stage, error=self.paused_by, retry_in_s=round(pause_s, 2), in_a_row=self._failures,
            fold=self._stage,
        )  # fmt: skip
        self.paused_until = time.monotonic() + pause_s
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), pause_s)

    def succeeded(self) -> None:
        """A batch has completed."""
        if self.paused_by is not None:
            log.info("resumed", stage=self._stage, failures=self._failures)
        self._failures = 0
        self.paused_by = None

    def forget(self) -> None:
        """What failed is the next owner's now; a replica that stands by is not paused."""
        self.paused_by = None
