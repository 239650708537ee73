"""Named places at which a test may have a process die: one at every durable boundary, where a crash leaves half of something done.

Off unless the process was started with `CRASH_AT=name`, or `CRASH_AT=name:3` for the third time that it comes there. It then
writes the name to the file that `CRASH_MARK` names, so that a test knows that the fault has fired, and kills itself. Neither is
a setting of the product: nobody who runs it sets them.
"""

import os
import signal
from collections.abc import Mapping

POINTS = (
    "ingest.original-stored", "ingest.emitted", "ingest.recorded", "ingest.order-emitted", "ingest.order-recorded",
    "enrich.revision-sent", "enrich.revision-acknowledged", "enrich.rows-written", "enrich.outcomes-sent",
    "enrich.release-sent", "enrich.release-recorded", "enrich.refreshes-sent",
    "media.stored", "media.indexed", "media.finished", "media.announced",
    "archive.written", "archive.committed", "archive.outcomes-sent",
    "cache.taken-out", "cache.written", "cache.rebuilding",
    "push.queued", "push.queued-committed", "push.claimed", "push.sent", "push.recorded",
    "push.alert-batches-sent", "push.alert-sent", "push.alert-batch-recorded",
    "takedown.looked", "takedown.recorded",
    "consumer.done", "consumer.committed",
)  # fmt: skip
"""All of them; `tests/contract/test_crash_points.py` holds that each is reached somewhere."""


class _Crash:
    """Where this process is to die, and how often it must come there first."""

    def __init__(self) -> None:
        self.point = ""
        self.passes_left = 0
        self.mark = ""


_crash = _Crash()


def arm(environment: Mapping[str, str]) -> None:
    """Read where to die, as the process starts. Raises ValueError for a name that is none: such a fault would never fire."""
    point, _, times = environment.get("CRASH_AT", "").partition(":")
    if point and point not in POINTS:
        raise ValueError(f"CRASH_AT: {point} is no crash point")
    _crash.point, _crash.passes_left, _crash.mark = point, int(times or 1), environment.get("CRASH_MARK", "")


def reached(point: str) -> None:
    """The process has come to this place; where it was told to die here, it does."""
    if point != _crash.point:
        return
    _crash.passes_left -= 1
    if not _crash.passes_left:
        _die()


def _die() -> None:
    if _crash.mark:
        descriptor = os.open(_crash.mark, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(descriptor, f"{_crash.point}\n".encode())
        os.fsync(descriptor)
    os.kill(os.getpid(), signal.SIGKILL)
