"""The pause after a transient failure."""

import asyncio

from shared.consumer.retry import BACKOFF, Retry


def test_the_longest_pause_is_a_few_seconds() -> None:
    """Whoever reads on is back soon after an outage."""
    assert [BACKOFF.mean_s(failures) for failures in (1, 2, 3, 50)] == [0.2, 0.4, 0.8, 5.0]


async def test_a_pause_ends_with_the_process_and_is_said_until_one_succeeds() -> None:
    """The probes name what it waits for."""
    stopping = asyncio.Event()
    stopping.set()
    retry = Retry("stage", stopping)
    async with asyncio.timeout(1):
        for _ in range(20):
            await retry.pause(OSError("away"))
    assert retry.paused_by == "OSError: away"
    retry.succeeded()
    assert retry.paused_by is None
    await retry.pause(OSError("away"))
    retry.forget()
    assert retry.paused_by is None
