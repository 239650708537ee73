"""One word as the languages of Europe write it: without its ending, and spelled by its sound."""

import re
from collections.abc import Container

from anyascii import anyascii

LONGEST_STEM = 6
"""Letters of a word that are compared: enough to see past endings that no rule knows."""
LEAST_STEM = 4
"""Letters of a stem by which a word of another language is known: shorter ones are alike by chance."""
LEAST_PART = 4
"""Letters of each part of a compound."""
LEAST_COMPOUND = 9
LEAST_ALONE = 5
"""Letters of a known part beside which the other part is not known."""
ENDING = re.compile(r"(?<=\w{3})(?:ings?|e[dnrm]|e?s)$")
LAST_VOWEL = re.compile(r"(?<=\w{3})e$|(?<=\w{4})[aeio]{1,2}$")
SOUNDS = (
    (re.compile(r"(?:tz|[tczs])(?=i[oa])|c(?=[eiy])|tsch|tch|sch|sh|sj|zh|tz|ts|z"), "s"),
    (re.compile(r"ch|ck|kh|qu|[cq]"), "k"),
    (re.compile(r"ph|v"), "f"),
    (re.compile(r"th"), "t"),
    (re.compile(r"gh"), "g"),
    (re.compile(r"w"), "f"),
    (re.compile(r"[yj]"), "i"),
    (re.compile(r"(.)\1+"), r"\1"),
)
"""Spellings that sound alike, in the order in which they are replaced: `Oreshin`, `Oreschin` and `Oresjin` are one name."""
LINKS = ("", "s", "n", "en", "es", "er")
"""What German, Dutch and the Scandinavian languages put between the parts of a compound."""


def latin(word: str) -> str:
    """A word in Latin letters without marks, if it is of Latin, Cyrillic or Greek letters."""
    return word if word.isascii() or not "\xc0" <= word[0] < "\u0530" and not word[0].isascii() else anyascii(word).lower()


def stem_of(word: str) -> str:
    """What different endings and spellings of a word in Latin letters have in common."""
    if word[0].isdigit():
        return word
    bare = LAST_VOWEL.sub("", ENDING.sub("", word))
    for spelled, sound in SOUNDS:
        bare = spelled.sub(sound, bare)
    return bare[:LONGEST_STEM]


def parts_of(word: str, known: Container[str]) -> tuple[str, str] | None:
    """The two parts of a compound, of which `known` has at least one: `messer` and `angriff`; None where it is none."""
    if len(word) < LEAST_COMPOUND:
        return None
    half: tuple[str, str] | None = None
    for at in range(LEAST_PART, len(word) - LEAST_PART + 1):
        last = word[at:]
        is_last_known = last in known
        first = next((part for link in LINKS if (part := word[: at - len(link)]) in known and word[:at].endswith(link) and len(part) >= LEAST_PART), None)
        if first is not None and is_last_known:
            return first, last
        if half is None and is_last_known and len(last) >= LEAST_ALONE:
            half = word[:at], last
        elif half is None and first is not None and len(first) >= LEAST_ALONE and len(last) >= LEAST_ALONE:
            half = first, last
    return half
