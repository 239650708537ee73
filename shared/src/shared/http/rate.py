"""How often somebody may ask: token buckets, and a limit for each address.

The `limits` library counts windows of time, at whose edge a sender may send twice its rate; a bucket is ten lines.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.requests import Request

from shared.http.problem import Problem
from shared.http.proxies import TrustedProxies

MAX_BUCKETS = 10_000
Clock = Callable[[], float]


class TokenBuckets:
    """A bucket for each key; those not used for longest are forgotten. Each process counts for itself."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, key: str, *, per_s: float, burst: float) -> float:
        """Take a token: 0 where there was one, else the seconds until there is one again."""
        now = self._clock()
        level, at = self._levels.pop(key, (burst, now))
        level = min(burst, level + (now - at) * per_s)
        wait_s = 0.0 if level >= 1.0 else (1.0 - level) / per_s
        self._levels[key] = (level if wait_s else level - 1.0, now)
        if len(self._levels) > MAX_BUCKETS:
            self._levels.popitem(last=False)
        return wait_s


class RateLimit:
    """So many requests a minute from one client, as far as trusted proxies name it."""

    def __init__(self, per_minute: int, proxies: TrustedProxies, clock: Clock = time.monotonic) -> None:
        self._per_minute = per_minute
        self._proxies = proxies
        self._buckets = TokenBuckets(clock)

    def check(self, request: Request) -> None:
        """Raises a Problem (429) with Retry-After for one that asks too often."""
        address = self._proxies.client(request.client.host if request.client else "", request.headers.raw)
        wait_s = self._buckets.wait_s(address, per_s=self._per_minute / 60, burst=self._per_minute)
        if wait_s:
            headers = {"Retry-After": str(math.ceil(wait_s))}
            raise Problem(429, "too-often", "too many requests from this address", headers=headers)
