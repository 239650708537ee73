"""What a replica knows of the updates that changed last, shown or not: it tells a repeat from news, and places what comes next."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime

from publish.archive.standings import LastChange, Standing
from publish.representation.position import Position
from shared.messages import Removal

CLOCKS_DIFFER_S = 300.0
"""By how much the clocks of ingest, of Postgres and of this machine may differ."""
NOTHING = Position(0, -1)
"""Before every place of every log."""

_Packed = tuple[int, Removal | None, int, int, int, int, float]
"""A standing as a plain tuple of what holds no references, which the garbage collector leaves alone: a hundred thousand objects
would stop the loop for a tenth of a second at each full collection. A position of epoch -1 is none."""


def _packed(standing: Standing, changed_by: float) -> _Packed:
    return (standing.revision, standing.removal, *standing.place, *(standing.position or (-1, -1)), changed_by)


class KnownUpdates:
    """The standings of the newest `limit` updates by their last change.

    An update that is not among them changed last at the place `forgotten` of the log, or before, and by the time `horizon`,
    in seconds of the Unix epoch. A message that was received after that cannot be a repeat of one of its revisions.
    """

    def __init__(self, limit: int, clock: Callable[[], float] = time.time, *, at_start: int | None = None) -> None:
        self.limit = limit
        self.at_start = limit if at_start is None else at_start
        """How many the archive is asked for when a replica starts, which waits for them."""
        self.horizon = float("-inf")
        self.forgotten = NOTHING
        self._clock = clock
        self._known: OrderedDict[str, _Packed] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def reset(self, newest: Sequence[LastChange]) -> None:
        """Begin again from the archive's newest standings, newest first; fewer than `at_start` are all that there are."""
        self._known = OrderedDict(
            (each.update_id, _packed(each.standing, each.changed_by)) for each in reversed(newest)
        )
        self.horizon, self.forgotten = float("-inf"), NOTHING
        if len(newest) >= self.at_start:
            self.horizon, self.forgotten = newest[-1].changed_by, newest[-1].standing.place

    def get(self, update_id: str) -> Standing | None:
        """Where an update stands; None where that is not known."""
        packed = self._known.get(update_id)
        if packed is None:
            return None
        revision, removal, epoch, offset, position_epoch, position_offset, _ = packed
        position = Position(position_epoch, position_offset) if position_epoch >= 0 else None
        return Standing(revision, removal, Position(epoch, offset), position)

    def note(self, update_id: str, standing: Standing) -> None:
        """An update changed, or turned out to stand there."""
        self._known[update_id] = _packed(standing, self._clock())
        self._known.move_to_end(update_id)
        while len(self._known) > self.limit:
            _, (_, _, epoch, offset, _, _, changed_by) = self._known.popitem(last=False)
            self.horizon = max(self.horizon, changed_by)
            self.forgotten = max(self.forgotten, Position(epoch, offset))

    def is_news(self, received_at: datetime) -> bool:
        """Whether what was received then can repeat nothing of an update that is not known."""
        return received_at.timestamp() > self.horizon + CLOCKS_DIFFER_S
