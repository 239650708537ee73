"""The life of a process: signals, a watchdog, the tasks that make it up, and an orderly end."""

import asyncio
import faulthandler
import gc
import os
import signal
from collections.abc import Awaitable, Callable

import structlog
import uvloop
from prometheus_client import Gauge

from shared import crash_points
from shared.failures import Unanswered
from shared.http.server.sockets import raise_descriptor_limit
from shared.memory import keep_giving_back
from shared.observability.logs import configure_logging
from shared.observability.traces import configure_tracing
from shared.settings import Connections

log = structlog.get_logger(__name__)

PROCESS = Gauge("slugline_process_info", "1, for what the process is: alerts miss one that is not there", ["process"])
ENDING_S = 30.0
"""For what is left after an orderly end: a thread that never returns must not hold the process."""


async def _keep_turning(limit_s: float) -> None:
    """End this process, with the stacks of all its threads on stderr, once the event loop has not turned for `limit_s`.

    A message may have hung it, and only a new process can pass over that message. Docker restarts what has ended, and not
    what hangs. Nothing in the services keeps the loop for more than a second or two.
    """
    try:
        while True:
            faulthandler.dump_traceback_later(limit_s, exit=True)
            await asyncio.sleep(limit_s / 6)
    finally:
        faulthandler.dump_traceback_later(max(limit_s, ENDING_S), exit=True)


def run(settings: Connections, name: str, main: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run `main(stop)` on uvloop until it returns. SIGTERM and SIGINT set `stop`; an event loop that hangs ends the process."""

    crash_points.arm(os.environ)
    PROCESS.labels(name).set(1)

    async def body() -> None:
        folding = configure_logging(settings, name)
        configure_tracing(settings, name)
        raise_descriptor_limit()
        # Modules stay. The collector would look through them for cycles, for tens of milliseconds that a reader would wait.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        log.info("starting")
        turning = asyncio.create_task(_keep_turning(settings.watchdog_s), name="watchdog")
        printing = asyncio.create_task(folding.keep_printing(), name="folded log lines")
        giving = asyncio.create_task(keep_giving_back(), name="memory")
        try:
            await main(stop)
        except Unanswered as error:
            log.warning("stopped before Postgres answered", error=str(error))
        else:
            log.info("stopped")
        finally:
            turning.cancel()
            for task in (printing, giving):
                task.cancel()
            await asyncio.gather(printing, giving, return_exceptions=True)

    uvloop.run(body())
    faulthandler.cancel_dump_traceback_later()


async def run_until(stop: asyncio.Event, *tasks: Awaitable[None]) -> None:
    """Run the tasks until `stop`. The first one that fails, or ends before, ends them all, and its error is raised."""
    running = [asyncio.ensure_future(task) for task in tasks]
    stopping = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait([stopping, *running], return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stopping}:
            task.result()
            if not stop.is_set():
                raise RuntimeError("a task of the process ended before its time")
    finally:
        stop.set()
        # More than once: on Python 3.11 `asyncio.wait_for` swallows a cancellation that comes as its future ends.
        while pending := {task for task in (*running, stopping) if not task.done()}:
            for task in pending:
                task.cancel()
            await asyncio.wait(pending, timeout=1)
        await asyncio.gather(*running, stopping, return_exceptions=True)
