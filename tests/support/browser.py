"""Chromium for the tests that look at pages: the system's, else Playwright's own."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol, TypeVar

from playwright.async_api import BrowserType, async_playwright

from support.places import skip_or_fail

SYSTEM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
"""The program; None for Playwright's own."""
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


class Closable(Protocol):
    """A browser, or a profile of one."""

    async def close(self) -> None:
        """End it."""


Opened = TypeVar("Opened", bound=Closable)


@asynccontextmanager
async def chromium(launch: Callable[[BrowserType], Awaitable[Opened]]) -> AsyncIterator[Opened]:
    """What `launch` makes of Chromium; closed with the block.

    Where no browser starts, the test is skipped with the reason; REQUIRE_BROWSER=1 makes an error of that.
    """
    async with AsyncExitStack() as stack:
        try:
            playwright = await stack.enter_async_context(async_playwright())
            opened = await launch(playwright.chromium)
        except Exception as error:  # noqa: BLE001 -- a driver that does not start raises nothing more special
            skip_or_fail("REQUIRE_BROWSER", f"no browser starts here: {error!s:.300}")
        stack.push_async_callback(opened.close)
        yield opened
