"""The same said twice: a heading that is the headline, a standfirst that is the first paragraph. Pure."""

import re
import unicodedata

_NOT_WORDS = re.compile(r"[\W_]+")
MAX_COMPARED = 2000


def folded(words: str) -> str:
    """Words as they are compared: without case, accents' forms, punctuation and blanks."""
    cut = words[:MAX_COMPARED]
    if not cut.isascii():
        cut = unicodedata.normalize("NFKC", cut)
    return _NOT_WORDS.sub("", cut.casefold())


def same(one: str, other: str) -> bool:
    """Whether two texts say the same in the same words."""
    if one == other:
        return bool(one.strip())
    if abs(len(one) - len(other)) > 12 + len(other) // 4:
        return False
    left = folded(one)
    return bool(left) and left == folded(other)


def begins_with(whole: str, beginning: str, least: int = 40) -> bool:
    """Whether a text begins with another, which may end in an ellipsis."""
    short = beginning.rstrip(" .…[]")
    if len(short) < least or len(short) > len(whole) + 8:
        return False
    return folded(whole).startswith(folded(short))


_SENTENCE = re.compile(
    r"(?<=[^\s.][.!?…。！？])[\"”“»’')\]]{0,2}(?:\s+(?=[\"“„«‘'(\[]?[A-ZÀ-ÞΑ-ΩА-Я0-9¿¡]|[/|©–—]\s)|(?<=[。！？]))"
)
_ABBREVIATED = re.compile(
    r"(?:^|\W)(?:[A-Za-z]|mr|mrs|ms|dr|st|no|nr|prof|gen|col|sen|rep|gov|lt|sgt|vs|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|ca|bzw|usw|z\.b|u\.s|u\.k|a\.m|p\.m|inc|ltd|co|corp|\d{1,2})\.$",
    re.IGNORECASE,
)


def first_sentence(words: str) -> str:
    """The first sentence of a text; the whole where it has one only."""
    at = 0
    for found in _SENTENCE.finditer(words[:600]):
        if found.start() > 14 and not _ABBREVIATED.search(words[max(0, found.start() - 8) : found.start()]):
            at = found.end()
            break
    return words[:at].strip() if at else words
