"""The wall clock that all processes of a newsroom share: Postgres's.

Moments that one process writes and another compares (receipts with the ends of embargoes, publications with the day on which
somebody subscribed) are of one clock, however wrong those of the machines are, and whenever they are set.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from shared.background import keep_running
from shared.postgres.pool import Pool, Queryable
from shared.postgres.rows import narrowed

EVERY_S = 10.0
"""Between two looks at Postgres's clock: ours drifts by less than a millisecond meanwhile."""
LONGEST_LOOK_S = 1.0
"""An answer that took longer tells too little; there is another soon."""

Clock = Callable[[], datetime]
"""Tells the time, in UTC."""


def wall_clock() -> datetime:
    """The time of this machine, for what nobody else compares."""
    return datetime.now(UTC)


class SharedClock:
    """Postgres's clock, carried on between two looks by a count of seconds, which no setting of a clock touches.

    Before the first look, and where Postgres has never answered, it is the machine's.
    """

    def __init__(self, *, wall: Clock = wall_clock, seconds: Callable[[], float] = time.monotonic) -> None:
        self._wall = wall
        self._seconds = seconds
        self._anchor: tuple[datetime, float] | None = None

    def __call__(self) -> datetime:
        """The time, in UTC."""
        if self._anchor is None:
            return self._wall()
        at, seconds = self._anchor
        return at + timedelta(seconds=self._seconds() - seconds)

    def timestamp(self) -> float:
        """The time, in seconds of the Unix epoch."""
        return self().timestamp()

    async def look(self, postgres: Queryable) -> None:
        """Ask Postgres; raises what asyncpg does where it does not answer, and goes on as before."""
        before = self._seconds()
        there = await now_of(postgres)
        self.set(there, before, self._seconds())

    def set(self, there: datetime, before: float, after: float) -> None:
        """Postgres said `there` between two counts of seconds. What is as right as can be told stays, so that time does not jump."""
        doubt_s = (after - before) / 2
        if self._anchor is not None:
            at, seconds = self._anchor
            off_s = ((there - at).total_seconds()) - ((before + after) / 2 - seconds)
            if after - before > LONGEST_LOOK_S or abs(off_s) <= doubt_s:
                return
        self._anchor = (there, (before + after) / 2)

    async def keep(self, pool: Pool) -> None:
        """Look again and again until cancelled."""
        await keep_running("clock", lambda: self.look(pool), every_s=EVERY_S)


async def now_of(postgres: Queryable) -> datetime:
    """Postgres's time now, for what comes as rarely as a person's order."""
    return narrowed(datetime, await postgres.fetchval("SELECT clock_timestamp()"))
