"""The order in which the documents of one source are sent: that in which they were received.

A document takes its turn when it is received. It is stored, read and deduplicated beside the others, however long that takes,
and sent once those before it have been. None holds up those behind it for longer than a stated time: one that is larger or
slower is overtaken, and takes its place when it is ready.
"""

import asyncio

HOLD_S = 2.0
"""How long a document may hold up those of its source that were received after it, from when its last byte came."""
ARRIVAL_S = 0.25
"""The same while its body is still coming. One that takes longer has its place by its last byte."""


class _Place:
    """A place in the sequence of one source."""

    __slots__ = ("before", "ended", "until")

    def __init__(self, before: "_Place | None", until: float, ended: "asyncio.Future[None]") -> None:
        self.before = before
        """The place before it; None once nothing before it is waited for."""
        self.until = until
        """When it stops holding up others, by the loop's clock."""
        self.ended = ended

    def holds(self, now: float) -> bool:
        """Whether those behind it wait for it."""
        return not self.ended.done() and now < self.until


class Turn:
    """One document's turn among those of its source; it ends with its block, or before."""

    def __init__(self, turns: "Turns", source: str, hold_s: float) -> None:
        self._turns = turns
        self._source = source
        self._place = turns.append(source, hold_s)

    def __enter__(self) -> "Turn":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def arrived(self, hold_s: float = HOLD_S) -> None:
        """The body is here. If that took too long, the place is behind those that came meanwhile."""
        now = asyncio.get_running_loop().time()
        if self._place.holds(now):
            self._place.until = now + hold_s
        else:
            self.end()
            self._place = self._turns.append(self._source, hold_s)

    async def comes(self) -> None:
        """Return once nothing that was received before has to be sent first."""
        loop, mine = asyncio.get_running_loop(), self._place
        while (before := mine.before) is not None:
            while before.holds(loop.time()):
                await asyncio.wait([before.ended], timeout=before.until - loop.time())
            # What it still waits for itself was received before this, too.
            mine.before = before.before

    def end(self) -> None:
        """Hold up nobody any more: what there is to send has been handed over in order, or there is nothing."""
        if not self._place.ended.done():
            self._place.ended.set_result(None)
            self._turns.forget(self._source, self._place)


class Turns:
    """The documents of each source that are being taken, in the order of their receipt."""

    def __init__(self) -> None:
        self._last: dict[str, _Place] = {}

    def take(self, source: str, hold_s: float = HOLD_S) -> Turn:
        """A turn behind all that this source has had until now."""
        return Turn(self, source, hold_s)

    def append(self, source: str, hold_s: float) -> _Place:
        """A place behind all others of a source."""
        loop = asyncio.get_running_loop()
        before, now = self._last.get(source), loop.time()
        while before is not None and not before.holds(now):
            before = before.before
        place = self._last[source] = _Place(before, now + hold_s, loop.create_future())
        return place

    def forget(self, source: str, ended: _Place) -> None:
        """Keep nothing of a source of which nothing is being taken."""
        if self._last.get(source) is ended and ended.before is None:
            del self._last[source]
