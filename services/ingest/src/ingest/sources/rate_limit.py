"""How fast a source may send: a token bucket for each, in this process."""

import time
from collections.abc import Callable

from ingest.sources.registry import Source


class SourceRateLimit:
    """One bucket of tokens for each source that has a rate; a request takes one. Each replica counts for itself."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._levels: dict[str, tuple[float, float]] = {}

    def wait_s(self, source: Source) -> float:
        """Take a token: 0 where there was one, else the seconds until there is one again."""
        if source.rate_per_s is None:
            return 0.0
        burst = float(source.burst or max(1.0, source.rate_per_s))
        now = self._clock()
        level, at = self._levels.get(source.name, (burst, now))
        level = min(burst, level + (now - at) * source.rate_per_s)
        if level < 1.0:
            self._levels[source.name] = (level, now)
            return (1.0 - level) / source.rate_per_s
        self._levels[source.name] = (level - 1.0, now)
        return 0.0
