"""So many requests a minute from one address."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from shared.http.problem import Problem

KNOWN_ADDRESSES = 10_000


class RateLimit:
    """A bucket for each address; what an address is counted under, `shared.http.proxies` says."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._seen: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def check(self, address: str) -> None:
        """Raises a Problem (429) with Retry-After for one that asks too often."""
        now = self._clock()
        most = float(self._per_minute)
        left, at = self._seen.pop(address, (most, now))
        left = min(left + (now - at) * self._per_minute / 60, most)
        self._seen[address] = (max(left - 1, 0.0), now)
        if len(self._seen) > KNOWN_ADDRESSES:
            self._seen.popitem(last=False)
        if left < 1:
            wait_s = math.ceil((1 - left) * 60 / self._per_minute)
            raise Problem(429, "too-often", "too many requests from this address", headers={"Retry-After": str(wait_s)})
