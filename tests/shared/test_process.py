"""The life of a process."""

import asyncio
import contextlib

import pytest

from shared.process import run_until


async def forever() -> None:
    """A task that ends only by cancellation."""
    await asyncio.Event().wait()


async def test_a_task_that_swallows_a_cancellation_does_not_hold_the_end() -> None:
    """The end of a process never waits for a task that missed its cancellation, as `asyncio.wait_for` makes happen."""

    async def deaf_once() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await forever()
        await forever()

    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, stop.set)
    async with asyncio.timeout(30):
        await run_until(stop, deaf_once(), forever())


async def test_a_task_that_fails_ends_the_others_and_is_told() -> None:
    """The error of one part ends the process, with that error."""

    async def fails() -> None:
        raise OSError("the disk is full")

    stop = asyncio.Event()
    with pytest.raises(OSError, match="disk is full"):
        await run_until(stop, forever(), fails())
    assert stop.is_set()


async def test_a_task_that_ends_before_its_time_is_an_error() -> None:
    """A part that returns while the process should run is not silently missing."""

    async def returns() -> None:
        return

    with pytest.raises(RuntimeError, match="before its time"):
        await run_until(asyncio.Event(), forever(), returns())
