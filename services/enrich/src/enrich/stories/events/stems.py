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
LEAST_COMPOUND, LONGEST_COMPOUND = 9, 40
"""Letters of a word that is taken apart: a longer one is no word."""
LEAST_ALONE = 5
"""Letters of a known part beside which the other part is not known."""
LINKS = frozenset(("", "s", "n", "en", "es", "er"))
"""What German, Dutch and the Scandinavian languages put between the parts of a compound."""
ENDING = re.compile(r"(?<=\w{3})(?:ings?|e[dnrm]|e?s)$")
LAST_VOWEL = re.compile(r"(?<=\w{3})e$|(?<=\w{4})[aeio]{1,2}$")
LETTERS = str.maketrans("vwy", "ffi")
SOUND = re.compile(
    r"(?P<s>tsch|tch|sch|s[hj]|zh|t[zs]|[tczs](?=i[oa])|c(?=[ei])|z)|(?P<k>ch|ck|kh|qu?|c)|(?P<f>ph)|(?P<t>th)|(?P<g>gh)|(?P<i>j)"
)
"""Spellings that sound alike: `Oreshin`, `Oreschin` and `Oresjin` are one name."""
DOUBLE = re.compile(r"(.)\1+")


def latin(word: str) -> str:
    """A word in Latin letters without marks, if it is of Latin, Cyrillic or Greek letters."""
    if word.isascii() or not (word[0].isascii() or "\xc0" <= word[0] < "\u0530"):
        return word
    return anyascii(word).lower()


def stem_of(word: str) -> str:
    """What different endings and spellings of a word in Latin letters have in common."""
    if word[0].isdigit():
        return word
    bare = LAST_VOWEL.sub("", ENDING.sub("", word))
    return DOUBLE.sub(r"\1", SOUND.sub(_sound, bare.translate(LETTERS)))[:LONGEST_STEM]


def _sound(found: re.Match[str]) -> str:
    return found.lastgroup or ""


def parts_of(word: str, known: Container[str]) -> tuple[str, str] | None:
    """The two parts of a compound, of which `known` has at least one: `messer` and `angriff`; None where it is none."""
    if not LEAST_COMPOUND <= len(word) <= LONGEST_COMPOUND:
        return None
    places = range(LEAST_PART, len(word) - LEAST_PART + 1)
    ends = [at for at in places if word[:at] in known]
    starts = [at for at in places if word[at:] in known]
    for start in starts:
        for end in ends:
            if word[end:start] in LINKS and end <= start:
                return word[:end], word[start:]
    if starts and len(word) - starts[0] >= LEAST_ALONE:
        return word[: starts[0]], word[starts[0] :]
    if ends and ends[-1] >= LEAST_ALONE and len(word) - ends[-1] >= LEAST_ALONE:
        return word[: ends[-1]], word[ends[-1] :]
    return None
