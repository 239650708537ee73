"""How long is waited for a revision to be readable."""

import time

from publish.push.readiness import LATE_S, ReadinessChecks, wait_until_readable
from publish.representation.position import Position

DEADLINE_S = 1.0
PLACE = Position(1, 7)


class Checks(ReadinessChecks):
    """Sinks that are behind as a test says."""

    away: tuple[str, ...] = ()
    asks_left = 1_000_000
    """How often they are behind."""

    async def behind(self, place: Position) -> list[str]:
        """Those that are."""
        type(self).asks_left -= 1
        return list(self.away) if self.asks_left >= 0 else []


async def waited(checks: Checks, *away: str, asks: int = 1_000_000) -> tuple[bool, float]:
    """Whether it was readable by the deadline, and after how long that was known."""
    Checks.away, Checks.asks_left = away, asks
    began = time.monotonic()
    return await wait_until_readable(checks, PLACE, DEADLINE_S), time.monotonic() - began


async def test_a_replica_that_is_away_is_waited_for_once_and_not_for_every_batch() -> None:
    """Another sink that falls behind beside it is waited for; once it has caught up, it is again."""
    checks = Checks(None, ["a", "b"], None)  # type: ignore[arg-type]
    found, took_s = await waited(checks, "a")
    assert (found, took_s >= DEADLINE_S) == (False, True)
    found, took_s = await waited(checks, "a")
    assert (found, LATE_S <= took_s < DEADLINE_S) == (False, True)
    found, took_s = await waited(checks, "a", "b")
    assert (found, took_s >= DEADLINE_S) == (False, True)
    # It answers soon after it was asked, as a replica does that is well.
    assert (await waited(checks, "a", asks=2))[0]
    found, took_s = await waited(checks, "a")
    assert (found, took_s >= DEADLINE_S) == (False, True)
