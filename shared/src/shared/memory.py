"""Gives memory back to the system once something large has passed through a process.

The allocator keeps what was freed between things that are still in use, and the collector of cycles looks seldom, since it stops the
loop: a process that has read fifty megabytes would have them for ever.
"""

import asyncio
import ctypes
import gc
import os
from collections.abc import Callable
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

EVERY_S = 10.0
GROWN_BYTES = 24 * 1024 * 1024
"""Growth since the last look after which it is worth a few milliseconds."""
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def resident_bytes() -> int:
    """What the process has of the machine's memory (proc_pid_statm(5)); 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[1]) * _PAGE_BYTES
    except (OSError, ValueError, IndexError):
        return 0


def give_back() -> None:
    """Collect young cycles, and have the allocator return what is free (malloc_trim(3), where there is one).

    What was large was made a moment ago. To look at the oldest generation as well would stop a loop for a tenth of a second.
    """
    gc.collect(1)
    trim: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


async def keep_giving_back(every_s: float = EVERY_S, grown_bytes: int = GROWN_BYTES) -> None:
    """Give back whenever the process has grown, until cancelled."""
    rested = resident_bytes()
    while True:
        await asyncio.sleep(every_s)
        now = resident_bytes()
        if now < rested:
            rested = now
        elif now > rested + grown_bytes:
            give_back()
            rested = resident_bytes()
            log.info("gave memory back", before=now, after=rested)
