"""The pause after a transient failure."""

import asyncio

from shared.consumer.retry import LONGEST_PAUSE_S, Retry, pause_after


def test_pauses_grow_up_to_the_longest() -> None:
    """Doubled each time, spread by a fifth."""
    middles = [sum(pause_after(failures) for _ in range(300)) / 300 for failures in (1, 2, 3, 7, 50)]
    assert middles == sorted(middles)
    assert all(pause_after(failures) <= LONGEST_PAUSE_S * 1.2 for failures in (1, 5, 500))
    assert 0.16 <= pause_after(1) <= 0.24


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
