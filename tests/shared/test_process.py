"""The life of a process."""

import asyncio
import contextlib
import os
import sys

import pytest

from local.child import free_port
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


async def test_a_process_that_waits_for_postgres_ends_in_order_when_it_is_told_to() -> None:
    """No traceback and no failure: nothing was begun."""
    env = os.environ | {
        "POSTGRES_DSN": "postgresql://slugline@127.0.0.1:1/slugline", "HEALTH_PORT": str(free_port()), "BIND_HOST": "127.0.0.1",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "enrich",
        "gather",
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        while b"postgres away" not in await process.stdout.readline():
            assert process.returncode is None
        process.terminate()
        rest = (await process.communicate())[0]
    assert process.returncode == 0
    assert b"stopped before Postgres answered" in rest
    assert b"Traceback" not in rest
