"""The place of a dateline, of its own field or at the beginning of a text. Pure."""

import re

from ingest.formats.copy.names import people
from ingest.formats.text import plain as text

_MONTH = r"(?i:jan|feb|m[aä]r|apr|ma[iyj]|jun|jul|aug|sep|o[ck]t|nov|de[cz]|janv|f[eé]v|avr|juin|juil|ao[uû]t|d[eé]c|ene|abr|ago|dic|gen|mag|giu|lug|set|ott|out|fev|mrt|tammi|helmi)[\w.éûçäö]{0,10}"
_WHEN = rf"(?:\d{{1,2}}[./-]\s?\d{{1,2}}(?:[./-]\s?(?:\d{{2,4}})?)?|\d{{4}}-\d\d-\d\d|\d{{1,2}}\.?(?:er|º)?\s+(?:de\s+)?{_MONTH}(?:\s+(?:de\s+)?\d{{4}})?|{_MONTH}\s+\d{{1,2}}(?:,?\s+\d{{4}})?)"
_PLACE = r"[^\W\d_]++(?:[ .'’`´\-/]{1,2}[^\W\d_]++){0,6}\.?(?:,\s[^\W\d_][\w .'’-]{1,40}?)?"
_DASH = r"(?:--|\.-|[-–—_:=])"
_DATELINE = re.compile(
    rf"(?:(?P<named>{_PLACE})(?:,?\s+{_WHEN})?,?\s*\.?\s?[(/](?P<agency>[^\W\d][\w. +&/-]{{1,40}})[)/]\.?\s*(?:,\s*{_WHEN}\s*)?(?P<dash>{_DASH})?(?:\s|$)"
    rf"|(?P<dated>{_PLACE}),?\s+{_WHEN}\s*(?:\(?(?P<told>[A-Z][\w./ ]{{1,20}})\)?)?\s*{_DASH}\s"
    rf"|(?P<house>{_PLACE})(?:\s?/\s?|,\s|\s)(?P<mark>[\w.-]{{2,14}})\s?{_DASH}\s)"
)
_SIGN = re.compile(r"[(–—_:=/]|-[ -]|\.-")
"""What every dateline has."""
_LONGEST = 110
_NO_PLACE = frozenset(
    [
        "the",
        "a",
        "an",
        "der",
        "die",
        "das",
        "ein",
        "eine",
        "le",
        "la",
        "les",
        "un",
        "une",
        "el",
        "los",
        "las",
        "il",
        "lo",
        "gli",
        "en",
        "ett",
        "den",
        "det",
        "de",
        "het",
        "een",
        "mr",
        "mrs",
        "herr",
        "frau",
    ]
)
MAX_PLACE = 60


_AGENCY_FIRST = re.compile(r"\((?P<agency>[A-Z][\w./ -]{1,20})\)\s*[-–—]\s+")
_CAPITALS = re.compile(
    r"(?P<named>[A-ZÀ-Þ][A-ZÀ-Þ .'’-]{2,30})(?P<agency>)(?P<dated>)(?P<house>)(?P<mark>)(?P<told>)(?P<dash>)\s[—–]\s"
)
"""`OTTAWA — The harbour ...`, as some houses write it without their name."""


def _found(words: str) -> re.Match[str] | None:  # noqa: PLR0911 -- a table of cases
    if not words[:1].isalpha() or _SIGN.search(words[:_LONGEST]) is None:
        return None
    match = _DATELINE.match(words[:200])
    if match is None:
        return _CAPITALS.match(words[:60])
    place = match.group("named") or match.group("dated") or match.group("house")
    own = place.replace("/", " ").split()
    if own[0].casefold() in _NO_PLACE and len(own) < 3:
        return None
    if mark := match.group("mark"):
        return match if people.is_agency(mark) else None
    capital = sum(one[0].isupper() for one in own) * 2 > len(own)
    agency = match.group("agency")
    if agency and not people.is_agency(agency):
        return (
            match if match.group("dash") and capital and own[0].casefold() not in _NO_PLACE and len(own) < 5 else None
        )
    if match.group("dated") and "," not in match.group(0)[len(place) : len(place) + 2] and not place.isupper():
        return None
    return match if capital else None


def _behind_agency(words: str) -> str:
    """A text without the agency that some put before the dateline: `(ANSA) - ROMA, 20 NOV - ...`."""
    words = words.lstrip()
    found = _AGENCY_FIRST.match(words) if words.startswith("(") else None
    return words[found.end() :] if found is not None and people.is_agency(found.group("agency")) else words


def of_text(words: str) -> str:
    """The place of the dateline that a text begins with; empty where it has none."""
    found = _found(_behind_agency(words))
    if found is None:
        return ""
    place = text.place_of_dateline(found.group("named") or found.group("dated") or found.group("house"))
    return place if len(place) <= MAX_PLACE and place[:1].isupper() else ""


def without_dateline(words: str) -> str:
    """A text without the dateline that it begins with."""
    words = _behind_agency(words)
    found = _found(words)
    return words[found.end() :].lstrip(" -–—:_") if found is not None else words


def agency_of(words: str) -> str:
    """The agency that the dateline of a text names; empty for none."""
    found = _found(_behind_agency(words))
    if found is None:
        return ""
    return (found.group("agency") or found.group("told") or found.group("mark") or "").strip()
