"""Leaves out what cannot be rendered of one update, or not in time, so that the page, feed or stream around it still works."""

import contextlib
import math
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from types import FrameType
from typing import TypeVar

import structlog
from prometheus_client import Counter

from publish.web.feed_store import FeedEntry
from shared.failures.backoff import Backoff
from shared.poison.suspects import Suspects

log = structlog.get_logger(__name__)

T = TypeVar("T")

BOUND_S = 0.25
"""Processor time to render one update in one place: readers of others wait no longer. The largest that enrich lets through takes a fifth."""
WAITED_S = 5.0
"""Wall-clock time, for what waits instead of working; longer, since a busy machine is no fault of the update."""
AGAIN_EVERY_S = 0.1
BACKOFF = Backoff(first_s=60.0, longest_s=3600.0)
"""What was left out is tried again after so long, since the cause may pass; twice as long each time."""
REMEMBERED = 10_000

OMITTED = Counter("slugline_web_omissions", "Times that something of one update was left out", ["what"])


class TooLong(Exception):
    """It has taken longer than it may."""


class Omitted(Exception):
    """This cannot be shown of an update, for now at least."""

    def __init__(self, update_id: str, what: str) -> None:
        super().__init__(f"{what} of {update_id} cannot be shown")


@contextlib.contextmanager
def within(bound_s: float, waited_s: float = math.inf) -> Iterator[None]:
    """Raise `TooLong` inside the block once it has worked for `bound_s`, or was in it for `waited_s`.

    By the alarm clock of the process, so only on its main thread, and between two steps of the interpreter: a call into C
    that does not return is ended by the watchdog of the process alone. On other threads nothing is bounded.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    began, worked = time.monotonic(), time.thread_time()
    over = False

    def ring(_: int, __: FrameType | None) -> None:
        if not over and (time.thread_time() - worked >= bound_s or time.monotonic() - began >= waited_s):
            raise TooLong(f"longer than {bound_s:g} s")

    handler = signal.signal(signal.SIGALRM, ring)
    left_s, every_s = signal.setitimer(signal.ITIMER_REAL, bound_s, min(AGAIN_EVERY_S, bound_s))
    try:
        yield
    finally:
        over = True
        # Whoever else has set the alarm finds it as it was.
        rest_s = max(left_s - (time.monotonic() - began), 0.001) if left_s else 0.0
        signal.setitimer(signal.ITIMER_REAL, rest_s, every_s)
        signal.signal(signal.SIGALRM, handler if handler is not None else signal.SIG_DFL)


class Omissions:
    """Renders single updates, and remembers for a while what could not be rendered."""

    def __init__(
        self,
        bound_s: float = BOUND_S,
        waited_s: float = WAITED_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bound_s = bound_s
        self._waited_s = waited_s
        self._clock = clock
        self._failed: dict[tuple[str, int, str], tuple[float, int]] = {}
        self._aside: frozenset[str] = frozenset()
        self._in_progress: Callable[[str], contextlib.AbstractContextManager[None]] = lambda _: contextlib.nullcontext()

    async def begin(self, suspects: Suspects) -> None:
        """From now on note what is being rendered, and leave out what earlier processes died of."""
        self._aside = frozenset(await suspects.open())
        self._in_progress = suspects.in_progress

    @property
    def are_any(self) -> bool:
        """Whether something is left out now, so that no answer should be kept for long."""
        return bool(self._failed)

    def attempt(self, entry: FeedEntry, what: str, make: Callable[[], T]) -> T:
        """What `make` gives; `Omitted` where it fails, takes too long, or did so for this revision a short while ago."""
        update = entry.update
        key = (update.update_id, update.revision, what)
        failed_at, times = self._failed.get(key, (0.0, 0))
        if self._aside and _name(entry) in self._aside:
            OMITTED.labels(what).inc()
            raise Omitted(update.update_id, what)
        if times and self._clock() - failed_at < BACKOFF.mean_s(times):
            raise Omitted(update.update_id, what)
        try:
            with self._in_progress(_name(entry)), within(self._bound_s, self._waited_s):
                made = make()
        except Exception as error:
            OMITTED.labels(what).inc()
            if not times:
                log.exception("left out", what=what, update_id=update.update_id, revision=update.revision)
            self._failed.pop(key, None)
            self._failed[key] = (self._clock(), times + 1)
            while len(self._failed) > REMEMBERED:
                del self._failed[next(iter(self._failed))]
            raise Omitted(update.update_id, what) from error
        if times:
            del self._failed[key]
        return made

    def those(
        self, entries: Iterable[FeedEntry], what: str, make: Callable[[FeedEntry], T]
    ) -> list[tuple[FeedEntry, T]]:
        """The entries that something can be made of, with what was made of each, in their order."""
        several = list(entries)
        if not self._aside and not any(
            (entry.update.update_id, entry.update.revision, what) in self._failed for entry in several
        ):
            # One alarm for all: to set one for each would take as long as rendering some of them.
            with contextlib.suppress(Exception), within(self._bound_s, self._waited_s):
                return [(entry, self._made(entry, make)) for entry in several]
        made: list[tuple[FeedEntry, T]] = []
        for entry in several:
            with contextlib.suppress(Omitted):
                made.append((entry, self.attempt(entry, what, partial(make, entry))))
        return made

    def _made(self, entry: FeedEntry, make: Callable[[FeedEntry], T]) -> T:
        with self._in_progress(_name(entry)):
            return make(entry)


def _name(entry: FeedEntry) -> str:
    return f"{entry.update.update_id}/{entry.update.revision}"
