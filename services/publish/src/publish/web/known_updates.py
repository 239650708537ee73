"""What a replica knows of the updates that changed last, shown or not: it tells a repeat from news, and places what comes next."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime

from publish.archive.standings import Standing

CLOCKS_DIFFER_S = 300.0
"""By how much the clocks of ingest and of this machine may differ."""


class KnownUpdates:
    """The standings of the newest `limit` updates by their last change.

    An update that is not among them changed last before `horizon`, in seconds of the Unix epoch. A message that was received
    after that can therefore not be a repeat of one of its revisions.
    """

    def __init__(self, limit: int, clock: Callable[[], float] = time.time) -> None:
        self.limit = limit
        self.horizon = float("-inf")
        self._clock = clock
        self._known: OrderedDict[str, tuple[Standing, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def reset(self, newest: Sequence[tuple[str, Standing]]) -> None:
        """Begin again from the archive's newest standings, newest first; fewer than `limit` are all that there are."""
        now = self._clock()
        self._known = OrderedDict((update_id, (standing, now)) for update_id, standing in reversed(newest))
        self.horizon = now if len(newest) >= self.limit else float("-inf")

    def get(self, update_id: str) -> Standing | None:
        """Where an update stands; None where that is not known."""
        known = self._known.get(update_id)
        return known[0] if known is not None else None

    def note(self, update_id: str, standing: Standing) -> None:
        """An update changed, or turned out to stand there."""
        self._known[update_id] = (standing, self._clock())
        self._known.move_to_end(update_id)
        while len(self._known) > self.limit:
            _, (_, changed_at) = self._known.popitem(last=False)
            self.horizon = max(self.horizon, changed_at)

    def is_news(self, received_at: datetime) -> bool:
        """Whether what was received then can repeat nothing of an update that is not known."""
        return received_at.timestamp() > self.horizon + CLOCKS_DIFFER_S
