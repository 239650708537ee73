"""Excerpts and reading time."""

import re

from enrich.short_text import SPACES, UNSPACED

WORDS_A_MINUTE = {"en": 238, "de": 179, "fr": 195, "es": 218, "it": 188, "pt": 181, "nl": 202, "pl": 166, "ru": 184, "sv": 199, "fi": 161, "tr": 166, "ar": 138, "he": 187}  # fmt: skip
"""Silent reading of non-fiction, adults (Brysbaert 2019, table 5; Trauzettel-Klosinski and Dietz 2012)."""
OTHER_WORDS_A_MINUTE = 184
CHARACTERS_A_MINUTE = {"zh": 255, "ja": 357, "th": 900, "lo": 900, "km": 900, "my": 900}
OTHER_CHARACTERS_A_MINUTE = 300
EXCERPT_LENGTH = 240
SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]]*(?=\s)|[。！？][」』”’）]*")


def reading(text: str, language: str) -> tuple[int, int]:
    """Words, and minutes that reading them takes, at least one. In scripts without spaces each character is a word."""
    primary = language.split("-", 1)[0]
    characters = 0 if text.isascii() else len(UNSPACED.findall(text))
    words = len((UNSPACED.sub(" ", text) if characters else text).split())
    minutes = words / WORDS_A_MINUTE.get(primary, OTHER_WORDS_A_MINUTE)
    minutes += characters / CHARACTERS_A_MINUTE.get(primary, OTHER_CHARACTERS_A_MINUTE)
    return words + characters, max(1, round(minutes))


def excerpt_of(text: str, length: int = EXCERPT_LENGTH) -> str:
    """The beginning of a text, cut after a sentence where one ends in the second half, else between words."""
    line = text[: length * 3]
    line = (" ".join(line.split()) if line.isascii() else SPACES.sub(" ", line)).strip()
    if len(line) <= length:
        return line
    ends = [found.end() for found in SENTENCE_END.finditer(line, length // 2 - 1, length + 1) if found.end() <= length]
    if ends:
        return line[: ends[-1]]
    cut = line.rfind(" ", length // 2, length)
    return line[: cut if cut > 0 else length - 1].rstrip(" ,;:–—-") + "…"
