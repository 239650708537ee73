"""The ceiling on dead letters: a bad deploy must build lag, and not empty the topic into the dead letters."""

from collections import deque

import structlog
from prometheus_client import Gauge

from shared.failures import Transient

log = structlog.get_logger(__name__)

MOST_IN_A_ROW = 200
WINDOW = 1000
MOST_SHARE = 0.2
"""Of the last `WINDOW` messages."""

HALTED = Gauge("slugline_consumer_halted", "1 while the dead-letter ceiling halts the consumer", ["stage"])


class Ceiling:
    """Counts dead letters, and halts its consumer for good once they are too many."""

    def __init__(self, stage: str) -> None:
        self._stage = stage
        self._recent: deque[bool] = deque(maxlen=WINDOW)
        self._in_a_row = 0
        self.halted = False

    def check(self, handled: int = 0, dead: int = 0) -> None:
        """Raise `Transient` if the ceiling is reached, or would be by so many more. Nothing is counted yet."""
        recent = [*self._recent, *[False] * (handled - dead), *[True] * dead][-WINDOW:]
        share = sum(recent) / WINDOW if len(recent) == WINDOW else 0.0
        in_a_row = self._in_a_row_after(handled, dead)
        if not self.halted and (in_a_row > MOST_IN_A_ROW or share > MOST_SHARE):
            self.halted = True
            HALTED.labels(self._stage).set(1)
            log.error(
                "dead-letter ceiling reached; the consumer halts", stage=self._stage, in_a_row=in_a_row, share=share
            )
        if self.halted:
            raise Transient("the dead-letter ceiling was reached")

    def count(self, handled: int, dead: int) -> None:
        """So many messages were handled, of which so many are now dead letters."""
        self._in_a_row = self._in_a_row_after(handled, dead)
        self._recent.extend([False] * (handled - dead) + [True] * dead)

    def _in_a_row_after(self, handled: int, dead: int) -> int:
        return self._in_a_row + dead if dead == handled else dead
