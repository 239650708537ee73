"""How long to wait before trying again.

tenacity and stamina run the attempts themselves; here queues in Postgres, consumers and loops do, so only the pause is shared.
"""

import random
from dataclasses import dataclass

JITTER = 0.2


def jittered(seconds: float, jitter: float = JITTER) -> float:
    """A pause that is longer or shorter by up to a part, so that not all who wait come back at once."""
    return seconds * random.uniform(1 - jitter, 1 + jitter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Pauses that grow with each failure in a row, up to the longest."""

    longest_s: float
    first_s: float = 1.0
    """For a lease queue, the lease stands in its place."""
    factor: float = 2.0
    jitter: float = JITTER

    def mean_s(self, failures: int) -> float:
        """The pause after so many failures in a row, without jitter. 1,000 failures are no overflow."""
        return min(self.first_s * self.factor ** min(max(failures - 1, 0), 64), self.longest_s)

    def pause_s(self, failures: int) -> float:
        """The pause after so many failures in a row."""
        return jittered(self.mean_s(failures), self.jitter)
