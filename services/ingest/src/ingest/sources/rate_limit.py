"""The rate at which a source may send, counted by each process for itself."""

import time
from collections.abc import Callable

from ingest.sources.source import Source
from shared.http.rate import TokenBuckets


class SourceRateLimit:
    """A token bucket for each source that has a rate; a request takes one token."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._buckets = TokenBuckets(clock)

    def wait_s(self, source: Source) -> float:
        """Take a token: 0 where there was one, else the seconds until there is one again."""
        if source.rate_per_s is None:
            return 0.0
        burst = float(source.burst or max(1.0, source.rate_per_s))
        return self._buckets.wait_s(source.name, per_s=source.rate_per_s, burst=burst)
