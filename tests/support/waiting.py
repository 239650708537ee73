"""Waiting for something to become true, with a deadline: no test sleeps and hopes."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(
    look: Callable[[], T | Awaitable[T]],
    until: Callable[[T], object] = bool,
    *,
    within_s: float = 20.0,
    what: str = "",
) -> T:
    """Look again and again until `until` holds of what is seen, which is returned; fail with what was last seen.

    A look that fails with an OSError or a LookupError counts as not yet.
    """
    deadline = time.monotonic() + within_s
    pause_s = 0.02
    while True:
        try:
            looked = look()
            seen = await looked if inspect.isawaitable(looked) else looked
            if until(seen):
                return seen
            last: object = seen
        except (OSError, LookupError) as error:
            last = error
        if time.monotonic() > deadline:
            raise AssertionError(f"{what or 'not'} within {within_s:.0f} s; last seen: {last!r:.2000}")
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 1.3, 0.25)
