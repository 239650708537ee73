"""Log lines that an outage would repeat thousands of times: the first at once, then one for each half minute, with a count.

Only lines that ask for it are folded: `log.warning("paused", stage=stage, error=…, fold=stage)`. Lines of one event with
the same `fold` are taken as one; `fold` itself is not printed. What says something of one update, item or document must
not ask for it. Warnings of the clients of Kafka and Postgres, which know nothing of this, are folded by their wording.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

import structlog

FOLDED_S = 30.0
MOST_KEPT = 256
"""Kinds of lines that are remembered at once; past that, the oldest is forgotten and its next line is printed."""
NOISY = ("aiokafka", "asyncpg")
"""Libraries whose warnings repeat for as long as a server is away."""

Line = MutableMapping[str, Any]


@dataclass(slots=True)
class _Kept:
    printed_at: float
    swallowed: int = 0
    last: Any = None


class Repeats:
    """What was printed lately, and how often it came again since. Holds no more than `most` kinds of lines."""

    def __init__(self, interval_s: float = FOLDED_S, most: int = MOST_KEPT) -> None:
        self._interval_s = interval_s
        self._most = most
        self._kept: OrderedDict[object, _Kept] = OrderedDict()

    def is_new(self, key: object, line: object, now: float) -> bool:
        """Whether the line is to be printed; else it is counted, and the last one kept for `due`."""
        kept = self._kept.get(key)
        if kept is not None:
            kept.swallowed += 1
            kept.last = line
            return False
        while len(self._kept) >= self._most:
            self._kept.popitem(last=False)
        self._kept[key] = _Kept(now)
        return True

    def due(self, now: float) -> list[tuple[Any, int]]:
        """The last line of each kind that came again and was not printed for an interval, with how often it came."""
        told = []
        for key, kept in list(self._kept.items()):
            if now - kept.printed_at < self._interval_s:
                continue
            if not kept.swallowed:
                # It did not come again: the next one is news.
                del self._kept[key]
                continue
            told.append((kept.last, kept.swallowed))
            self._kept[key] = _Kept(now)
        return told


class Folding:
    """The lines of a process, folded; a structlog processor, and a filter for what libraries log."""

    def __init__(self, repeats: Repeats, clock: Callable[[], float] = time.monotonic) -> None:
        self._repeats = repeats
        self._clock = clock

    def __call__(self, _: Any, method: str, line: Line) -> Line:
        """Let a line through or drop it."""
        fold = line.pop("fold", None)
        if fold is None:
            return line
        # The traceback of a repeated failure is that of the first one, and would keep alive all that it refers to.
        kept = {name: value for name, value in line.items() if name != "exc_info"}
        if not self._repeats.is_new((line.get("event"), fold), (method, kept), self._clock()):
            raise structlog.DropEvent
        return line

    def filter(self, record: logging.LogRecord) -> bool:
        """For a handler of `logging`: whether a library's line is printed. Its wording without the values names its kind."""
        if record.levelno < logging.WARNING or not record.name.startswith(NOISY):
            return True
        line = {"event": record.getMessage(), "logger": record.name}
        return self._repeats.is_new((record.name, record.msg), ("warning", line), self._clock())

    def print_due(self) -> None:
        """Print what was folded."""
        for (method, line), count in self._repeats.due(self._clock()):
            level = logging.ERROR if method == "exception" else logging.getLevelNamesMapping()[method.upper()]
            fields = {name: value for name, value in line.items() if name != "event"}
            structlog.get_logger().log(level, line["event"], **fields, repeated=count)

    async def keep_printing(self) -> None:
        """Print what was folded, until cancelled, and what is left then."""
        try:
            while True:
                await asyncio.sleep(FOLDED_S / 6)
                self.print_due()
        finally:
            self.print_due()
