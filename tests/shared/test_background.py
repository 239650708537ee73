"""Loops in the background live as long as their process, and what waits for a server at the start waits in order."""

import asyncio

import asyncpg
import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from shared.background import keep_running, until_answered
from shared.failures import Unanswered
from support.waiting import eventually


def failures(loop: str, kind: str) -> float:
    """How many were counted."""
    return REGISTRY.get_sample_value("slugline_background_failures_total", {"loop": loop, "kind": kind}) or 0.0


async def test_a_loop_outlives_outages_and_bugs() -> None:
    """It goes on after each; an outage is a warning, a bug an error with its traceback, both are counted, and the end is told."""
    fails: list[Exception] = [
        asyncpg.InternalClientError("cannot switch to state 11"),
        OSError("refused"),
        KeyError("a bug"),
    ]
    ran = 0

    async def step() -> None:
        nonlocal ran
        ran += 1
        if fails:
            raise fails.pop(0)

    with capture_logs() as said:
        task = asyncio.create_task(keep_running("a loop", step, every_s=0.01))
        await eventually(lambda: ran > 5, what="it stopped")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [line["event"] for line in said] == [
        "background loop waits", "background loop waits", "bug in a background loop", "background loop goes on",
    ]  # fmt: skip
    assert said[2]["log_level"] == "error"
    assert isinstance(said[2]["exc_info"], KeyError)
    assert said[3]["failures"] == 3
    assert failures("a loop", "outage") == 2
    assert failures("a loop", "bug") == 1


async def test_a_loop_that_is_woken_runs_at_once() -> None:
    """Its interval is the longest time, not the least."""
    wake, ran = asyncio.Event(), asyncio.Event()

    async def step() -> None:
        ran.set()

    task = asyncio.create_task(keep_running("woken", step, every_s=3600, wake=wake))
    async with asyncio.timeout(5):
        await ran.wait()
        ran.clear()
        await asyncio.sleep(0)
        wake.set()
        await ran.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_is_asked_at_the_start_is_asked_until_it_is_answered() -> None:
    """A server that is away is waited for; a mistake is raised at once."""
    fails: list[Exception] = [OSError("refused"), asyncpg.CannotConnectNowError("starting up")]

    async def ask() -> str:
        if fails:
            raise fails.pop(0)
        return "answer"

    async with asyncio.timeout(10):
        assert await until_answered("an answer", ask) == "answer"

    async def wrong() -> None:
        raise asyncpg.UndefinedTableError("no such table")

    with pytest.raises(asyncpg.UndefinedTableError):
        await until_answered("an answer", wrong)


async def test_a_process_that_is_told_to_end_waits_no_longer() -> None:
    """`Unanswered` is raised once the stop is set, also in the middle of a pause."""
    stop = asyncio.Event()

    async def away() -> None:
        raise OSError("refused")

    asyncio.get_running_loop().call_later(0.1, stop.set)
    async with asyncio.timeout(5):
        with pytest.raises(Unanswered, match="refused"):
            await until_answered("an answer", away, stop)
