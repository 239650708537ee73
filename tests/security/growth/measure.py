"""How long the processor works on something, judged by what the machine does meanwhile and not by a clock.

Machines differ by half and more, and neighbours on a core slow it down. So work is compared with a yardstick that is
measured beside it, and growth with itself.
"""

import gc
import re
import time
from collections.abc import Callable
from typing import Any

FACTOR = 8.0
"""For four times as much: what is linear takes four, what is quadratic sixteen. Caches and the machine have the rest."""
FLOOR_S = 0.02
"""Shorter times cannot be distinguished from noise."""
ATTEMPTS = 8
"""At most, before something is called slow: a neighbour on the processor makes a single one long."""
WORD = re.compile(r"[a-z]+")
LINES = tuple(f"line {n} of some words, and more of them" for n in range(2500))
YARDSTICK_S = 0.0057
"""What the yardstick takes on the machine on which the bounds were measured (two shared cores, Python 3.11, doing nothing else;
median of 180 turns). They are given in its seconds."""


def growth(function: Callable[[Any], Any], made: Callable[[int], Any], n: int) -> str:
    """Why a function's time is not in proportion to its input, from n to 4 n; empty where it is."""
    large = made(4 * n)
    after = worked_s(function, large)
    if after <= FLOOR_S:
        return ""
    small, before = made(n), 0.0
    for _ in range(ATTEMPTS):
        before = max(before, min(worked_s(function, small) for _ in range(3)))
        if after <= max(FACTOR * before, FLOOR_S):
            return ""
        after = min(after, worked_s(function, large))
    return f"{before * 1000:.1f} ms became {after * 1000:.1f} ms for four times as much"


def worked_s(function: Callable[[Any], Any], given: Any) -> float:
    """Seconds of the processor that a call takes; the collector of garbage, which looks at all that there is, is left out."""
    gc.disable()
    try:
        began = time.process_time()
        function(given)
        return time.process_time() - began
    finally:
        gc.enable()


def quiet_s(function: Callable[[], Any], bound_s: float) -> float:
    """Seconds of the processor that a call would take on the yardstick's machine, of a few calls the best.

    No more calls are made than show that it is within the bound.
    """
    best = float("inf")
    for _ in range(ATTEMPTS // 2):
        before = slowness()
        began = time.process_time()
        function()
        took = time.process_time() - began
        best = min(best, took / max(before, slowness()))
        if best <= bound_s:
            break
    return best


def slowness() -> float:
    """How many times the yardstick's time this machine needs now."""
    return worked_s(_yardstick, LINES) / YARDSTICK_S


def _yardstick(lines: tuple[str, ...]) -> int:
    """Patterns, strings and dictionaries, as what is measured has them."""
    counts: dict[str, int] = {}
    for line in lines:
        for word in WORD.findall(line):
            counts[word] = counts.get(word, 0) + len(f"{word}, {line[:8]}")
    return len(counts)
