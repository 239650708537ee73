"""Which words changed between two texts."""

import re
from collections.abc import Sequence
from typing import Literal

from rapidfuzz.distance import Indel

Diff = tuple[tuple[Literal["=", "-", "+"], str], ...]
DIFF_WORDS = 3000
"""A diff of more changed words helps no reader, and takes time that grows with their square."""
DIFF_LENGTH = 16_384
KEPT_WORDS = 40
LOOKED_THROUGH = 640
"""Characters that most often hold twice as many words."""
LONGEST_WORD = 1000
"""Characters in which the end of a word is looked for."""
WORD = re.compile(r"\s*\w+|\s*[^\w\s]|\s+")
"""With the space before it: half as many as words and spaces, and a diff takes time that grows with the square."""


def word_diff(old: str, new: str) -> Diff:
    """The words kept, taken out and put in. Bounded: long stretches that were kept are shortened, and beyond
    `DIFF_WORDS` changed words the whole changed stretch is one."""
    if old == new:
        return ()
    begin = _word_start(old, _common(old, new))
    end = _common(old[begin:][::-1], new[begin:][::-1])
    end = _word_start_from(old, len(old) - end)
    end_new = len(new) - (len(old) - end)
    before, after = WORD.findall(old, begin, end), WORD.findall(new, begin, end_new)
    least = min(len(before), len(after))
    head = 0
    while head < least and before[head] == after[head]:
        head += 1
    tail = 0
    while tail < least - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    kept = old[:begin] + "".join(before[:head])
    parts: list[tuple[Literal["=", "-", "+"], str]] = [("=", _ending(kept))]
    parts.extend(_changed(before[head : len(before) - tail], after[head : len(after) - tail]))
    parts.append(("=", _beginning("".join(before[len(before) - tail :]) + old[end:])))
    return _bounded([(sign, words) for sign, words in parts if words])


def _common(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _word_start(text: str, end: int) -> int:
    """The last place before `end` where the space before a word begins; 0 where there is none near."""
    for place in range(end - 1, max(end - LONGEST_WORD, 0), -1):
        if text[place].isspace() and not text[place - 1].isspace():
            return place
    return 0


def _word_start_from(text: str, begin: int) -> int:
    """The first place behind `begin` where the space before a word begins; the end where there is none near."""
    for place in range(begin + 1, min(begin + LONGEST_WORD, len(text))):
        if text[place].isspace() and not text[place - 1].isspace():
            return place
    return len(text)


def _ending(text: str) -> str:
    """The last words of a stretch that was kept."""
    words = WORD.findall(text, _word_start(text, len(text) - LOOKED_THROUGH)) if len(text) > LOOKED_THROUGH else []
    if len(words) <= 2 * KEPT_WORDS:
        words = WORD.findall(text)
    return _shortened(words, keep_end=True)


def _beginning(text: str) -> str:
    """The first words of a stretch that was kept."""
    words = WORD.findall(text, 0, _word_start_from(text, LOOKED_THROUGH)) if len(text) > LOOKED_THROUGH else []
    if len(words) <= 2 * KEPT_WORDS:
        words = WORD.findall(text)
    return _shortened(words, keep_start=True)


def _changed(before: Sequence[str], after: Sequence[str]) -> list[tuple[Literal["=", "-", "+"], str]]:
    if len(before) > DIFF_WORDS or len(after) > DIFF_WORDS:
        return [("-", "".join(before)), ("+", "".join(after))]
    parts: list[tuple[Literal["=", "-", "+"], str]] = []
    taken, put = "", ""
    for operation in Indel.opcodes(before, after):
        kept = before[operation.src_start : operation.src_end]
        if operation.tag == "equal":
            parts += (("-", taken), ("+", put), ("=", _shortened(kept, keep_start=True, keep_end=True)))
            taken, put = "", ""
        else:
            taken += "".join(kept)
            put += "".join(after[operation.dest_start : operation.dest_end])
    return [*parts, ("-", taken), ("+", put)]


def _shortened(words: Sequence[str], *, keep_start: bool = False, keep_end: bool = False) -> str:
    most = KEPT_WORDS * (keep_start + keep_end)
    if len(words) <= most + KEPT_WORDS:
        return "".join(words)
    return (
        ("".join(words[:KEPT_WORDS]) if keep_start else "") + " … " + ("".join(words[-KEPT_WORDS:]) if keep_end else "")
    )


def _bounded(parts: Sequence[tuple[Literal["=", "-", "+"], str]]) -> Diff:
    kept: list[tuple[Literal["=", "-", "+"], str]] = []
    left = DIFF_LENGTH
    for sign, words in parts:
        if left <= 0:
            break
        kept.append((sign, words if len(words) <= left else words[:left] + " …"))
        left -= len(words)
    return tuple(kept)
