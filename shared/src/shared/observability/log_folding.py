"""Log folding: a line that an outage repeats thousands of times is printed at once, then once in half a minute with a count.

Only lines that ask for it are folded: `log.warning("paused", stage=stage, error=…, fold=stage)`. Lines of one event with
the same `fold` count as the same line; `fold` itself is not printed. Lines about a single update, item or document must not
ask for it. Warnings of the Kafka and Postgres clients are folded by their wording.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog
from structlog.typing import EventDict

FOLDED_S = 30.0
MAX_KINDS = 256
"""Kinds of lines remembered at once; past that, the oldest is forgotten and its next line is printed."""
NOISY = ("aiokafka", "asyncpg")
"""Libraries whose warnings repeat for as long as a server is away."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it came: the name of its log method, and its fields."""

    method: str
    fields: Mapping[str, object]


@dataclass(slots=True)
class _Recent:
    printed_at: float
    repeated: int = 0
    last: Line | None = None


class RecentLines:
    """What was printed lately, and how often it was repeated since; at most `max_kinds` kinds of lines."""

    def __init__(self, interval_s: float = FOLDED_S, max_kinds: int = MAX_KINDS) -> None:
        self._interval_s = interval_s
        self._max_kinds = max_kinds
        self._kinds: OrderedDict[object, _Recent] = OrderedDict()

    def is_new(self, key: object, line: Line, now: float) -> bool:
        """Whether to print the line; otherwise it is counted and kept for `due`."""
        recent = self._kinds.get(key)
        if recent is not None:
            recent.repeated += 1
            recent.last = line
            return False
        while len(self._kinds) >= self._max_kinds:
            self._kinds.popitem(last=False)
        self._kinds[key] = _Recent(now)
        return True

    def due(self, now: float) -> list[tuple[Line, int]]:
        """The last line of each kind that was repeated and not printed for an interval, with its count."""
        due: list[tuple[Line, int]] = []
        for key, recent in list(self._kinds.items()):
            if now - recent.printed_at < self._interval_s:
                continue
            if recent.last is None:
                # It was not repeated, so the next one is printed at once.
                del self._kinds[key]
                continue
            due.append((recent.last, recent.repeated))
            self._kinds[key] = _Recent(now)
        return due


class LogFolding:
    """Folds the lines of a process: a structlog processor, and a filter for what libraries log."""

    def __init__(self, recent: RecentLines, clock: Callable[[], float] = time.monotonic) -> None:
        self._recent = recent
        self._clock = clock

    def __call__(self, _: object, method: str, line: EventDict) -> EventDict:
        """Let a line through or drop it."""
        fold = line.pop("fold", None)
        if fold is None:
            return line
        # The first line has the traceback; kept, it would keep alive all that it refers to.
        kept = {name: value for name, value in line.items() if name != "exc_info"}
        if not self._recent.is_new((line.get("event"), fold), Line(method, kept), self._clock()):
            raise structlog.DropEvent
        return line

    def filter(self, record: logging.LogRecord) -> bool:
        """For a handler of `logging`: whether to print a library's line. Its kind is its wording without the values."""
        if record.levelno < logging.WARNING or not record.name.startswith(NOISY):
            return True
        line = Line("warning", {"event": record.getMessage(), "logger": record.name})
        return self._recent.is_new((record.name, record.msg), line, self._clock())

    def print_due(self) -> None:
        """Print what was folded."""
        for line, count in self._recent.due(self._clock()):
            level = logging.ERROR if line.method == "exception" else logging.getLevelNamesMapping()[line.method.upper()]
            fields = {name: value for name, value in line.fields.items() if name != "event"}
            structlog.get_logger().log(level, line.fields["event"], **fields, repeated=count)

    async def keep_printing(self) -> None:
        """Print what was folded until cancelled, then what is left."""
        try:
            while True:
                await asyncio.sleep(FOLDED_S / 6)
                self.print_due()
        finally:
            self.print_due()
