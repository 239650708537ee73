"""Work that runs in the background for as long as a process lives. A server that goes away is waited for, and ends nothing."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from prometheus_client import Counter

from shared.failures import Unanswered
from shared.failures.backoff import Backoff
from shared.failures.transient import is_transient, reason_of

log = structlog.get_logger(__name__)

T = TypeVar("T")

FAILURES = Counter(
    "slugline_background_failures", "Runs of a background loop that failed: an outage, or a bug", ["loop", "kind"]
)
BACKOFF = Backoff(first_s=0.2, longest_s=3.0)
"""Short enough that whatever waits goes on a few seconds after an outage."""


async def keep_running(
    loop: str, step: Callable[[], Awaitable[object]], *, every_s: float, wake: asyncio.Event | None = None
) -> None:
    """Run `step` until cancelled, `every_s` seconds after it ended, or at once when `wake` is set.

    An outage is logged once, waited out with a bounded pause, and its end is logged. A bug is logged with its traceback and
    counted (`slugline_background_failures`); the next run may succeed.
    """
    failures, failing_since = 0, 0.0
    while True:
        if wake is not None:
            wake.clear()
        try:
            await step()
        except Exception as error:  # noqa: BLE001 -- logged and counted; the loop must not end with it
            if not failures:
                failing_since = time.monotonic()
            failures += 1
            _report(loop, error)
            await asyncio.sleep(max(BACKOFF.pause_s(failures), min(every_s, BACKOFF.longest_s)))
            continue
        if failures:
            away_s = round(time.monotonic() - failing_since, 1)
            log.info("background loop goes on", loop=loop, failures=failures, away_s=away_s)
            failures = 0
        await _rest(every_s, wake)


def _report(loop: str, error: Exception) -> None:
    if is_transient(error):
        FAILURES.labels(loop, "outage").inc()
        log.warning("background loop waits", loop=loop, error=reason_of(error), fold=loop)
    else:
        FAILURES.labels(loop, "bug").inc()
        log.error("bug in a background loop", loop=loop, exc_info=error, fold=(loop, type(error).__name__))


async def _rest(every_s: float, wake: asyncio.Event | None) -> None:
    if wake is None:
        await asyncio.sleep(every_s)
        return
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(wake.wait(), every_s)


async def until_answered(what: str, step: Callable[[], Awaitable[T]], stop: asyncio.Event | None = None) -> T:
    """The result of `step`, tried again with a bounded pause for as long as a server is away.

    Raises `Unanswered` once `stop` is set. Whatever is not an outage is raised at once.
    """
    failures = 0
    while True:
        try:
            return await step()
        except Exception as error:
            if not is_transient(error) or isinstance(error, Unanswered):
                raise
            if stop is not None and stop.is_set():
                raise Unanswered(reason_of(error)) from error
            failures += 1
            log.warning("waiting for a server", what=what, error=reason_of(error), fold=what)
            await _rest(BACKOFF.pause_s(failures), stop)
