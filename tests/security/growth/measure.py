"""How the time that a function takes grows with what it is given."""

import time
from collections.abc import Callable
from typing import Any

FACTOR = 6.0
"""For four times as much: linear and a little more, since caches are left behind."""

FLOOR_S = 0.03
"""Shorter times cannot be distinguished from noise."""


def growth(function: Callable[[Any], Any], made: Callable[[int], Any], n: int) -> str:
    """Why a function's time is not in proportion to its input, from n to 4 n; empty where it is.

    Of several attempts the best counts, since a busy machine only ever makes things slower.
    """
    small, large = made(n), made(4 * n)
    before, after = 0.0, _took(function, large)
    for _ in range(3):
        if after <= max(FACTOR * before, FLOOR_S):
            return ""
        before = max(before, min(_took(function, small) for _ in range(3)))
        after = min(after, _took(function, large), _took(function, large))
    if after <= max(FACTOR * before, FLOOR_S):
        return ""
    return f"{before * 1000:.1f} ms became {after * 1000:.1f} ms for four times as much"


def _took(function: Callable[[Any], Any], given: Any) -> float:
    began = time.process_time()
    function(given)
    return time.process_time() - began
