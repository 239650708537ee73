"""Excerpts and reading time."""

import math
import re

from enrich.short_text import SPACES, UNSPACED

WORDS_A_MINUTE = {"en": 238, "de": 179, "fr": 195, "es": 218, "it": 188, "pt": 181, "nl": 202, "pl": 166, "ru": 184, "sv": 199, "fi": 161, "tr": 166, "ar": 138, "he": 187}  # fmt: skip
"""Silent reading of non-fiction, adults (Brysbaert 2019, table 5; Trauzettel-Klosinski and Dietz 2012)."""
OTHER_WORDS_A_MINUTE = 184
CHARACTERS_A_MINUTE = {"zh": 255, "ja": 357, "th": 900, "lo": 900, "km": 900, "my": 900}
OTHER_CHARACTERS_A_MINUTE = 300
EXCERPT_LENGTH = 240
SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]]*(?=\s)|[。！？][」』”’）]*")

ABBREVIATIONS = frozenset(
    """
    a.m p.m mr mrs ms dr prof st sr jr vs etc inc corp ltd co plc no nos sen rep gov gen col lt sgt capt hon rev messrs fig approx dept est jan feb mar apr jun jul aug sep sept oct nov dec
    z.b d.h u.a u.s bzw ca evtl ggf inkl nr str usw vgl hr fr geb gest abs art bd jh mio mrd tel uhr-bis sog gegr
    m mm mme mlle av bd env ex p.ex art chap c.-à-d sté ets sra srta dña avda ee.uu pág núm dott ing avv sig on
    u.k u.n e.u d.c l.a e.g i.e cf al ave blvd rd mt ft
    """.split()  # noqa: SIM905 -- easier to read than dozens of quotes
)
"""Whose full stop ends no sentence."""
BEFORE_STOP = re.compile(r"([^\s\"'“”„«»()]+)\.$")


def _ends_sentence(line: str, end: int) -> bool:
    """Whether a full stop before `end` ends a sentence: not one of `10 a.m.`, `31.`, `J.`, or before a small letter."""
    if line[end - 1 : end] != ".":
        return True
    word = BEFORE_STOP.search(line[max(0, end - 40) : end])
    following = line[end : end + 2].strip()[:1]
    if word is None or following.islower():
        return word is None
    bare = word[1].casefold()
    if bare.isdigit():
        return len(bare) > 2
    return (
        bare not in ABBREVIATIONS
        and not (len(bare) == 1 and bare.isalpha())
        and re.fullmatch(r"(?:\w\.)+\w", bare) is None
    )


def reading(text: str, language: str) -> tuple[int, int]:
    """Words, and minutes that reading them takes, begun ones counted. In scripts without spaces each character is a word."""
    primary = language.split("-", 1)[0]
    spaced, characters = (text, 0) if text.isascii() else UNSPACED.subn(" ", text)
    words = len(spaced.split())
    minutes = words / WORDS_A_MINUTE.get(primary, OTHER_WORDS_A_MINUTE)
    minutes += characters / CHARACTERS_A_MINUTE.get(primary, OTHER_CHARACTERS_A_MINUTE)
    return words + characters, max(1, math.ceil(minutes))


def excerpt_of(text: str, length: int = EXCERPT_LENGTH) -> str:
    """The beginning of a text, cut after a sentence where one ends in the second half, else between words."""
    line = text[: length * 3]
    line = (" ".join(line.split()) if line.isascii() else SPACES.sub(" ", line)).strip()
    if len(line) <= length:
        return line
    ends = [
        found.end()
        for found in SENTENCE_END.finditer(line, length // 2 - 1, length + 1)
        if found.end() <= length and _ends_sentence(line, found.end())
    ]
    if ends:
        return line[: ends[-1]]
    cut = line.rfind(" ", length // 2, length)
    return line[: cut if cut > 0 else length - 1].rstrip(" ,;:–—-") + "…"
