"""Names of people, places, organisations and house topics, found in a text by one pass of Aho–Corasick."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import ahocorasick_rs
from pydantic import Field, field_validator

from shared.messages import Message

Kind = Literal["person", "place", "organisation", "topic"]
PREFIXES = {"person": "person:", "place": "place:", "organisation": "org:", "topic": "topic:"}

MOST_HITS = 5000
"""In one text: a text that is a list of names is cut there."""
CHUNK = 50_000
"""Characters between two looks at the clock."""

_JOINTS = {code: " " for code in range(0x3000) if not chr(code).isalnum()} | {
    code: " " for code in range(0x3000, 0x3040) if not chr(code).isalnum()
}
INFLECTED = re.compile(
    r"(?:['’](?:s|er|den|nın|nin|in|ın|a|e|da|de|ta|te)?|s['’]?|es|n|en|a|om|em|ом|ем|м|ю|а|у|е|ы|и|ой|ою|ів|ові|ého|em|ovi|ów|owi|iem|ja|lla|ssa|n)(?!\w)",
    re.IGNORECASE,
)
"""What may follow a name in languages that inflect names: genitive and plural, and the cases of Slavic, Finnish, Turkish."""
LEAST_INFLECTED = 5
"""Shorter names are not inflected: `Mali` would be found in `Malis`, and `Ares` in `Are`."""
LEAST_UNCUT = LEAST_INFLECTED - 1
"""Characters of a pattern, its space included, up to which nothing may follow a name."""
UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0eff\U00020000-\U0003fffd]")
ACRONYM = 6
"""Letters: a name this short and in capitals is an acronym, and found only in capitals."""


class Entry(Message):
    """Something that has names."""

    code: str = Field(max_length=200)
    """`person:…`, `place:…`, `org:…`, `topic:…`, or a Media Topic for a house rule."""
    kind: Kind
    label: str = Field(min_length=1, max_length=200)
    names: tuple[str, ...] = Field(default=(), max_length=200)
    """Spellings to be found beside the label."""
    labels: dict[str, str] = Field(default_factory=dict)
    uri: str | None = None
    weight: float = Field(default=1.0, gt=0, le=1)
    """How much a single appearance says; less for names that are common words."""
    languages: tuple[str, ...] = ()
    """Only in texts of these languages; all when empty."""

    @field_validator("code")
    @classmethod
    def _has_scheme(cls, value: str) -> str:
        if not re.fullmatch(r"[a-z]+:[\w.\-]{1,180}", value):
            raise ValueError("scheme and code, as in person:ada-lovelace")
        return value


@dataclass(slots=True)
class Hit:
    """An entry found in a text."""

    entry: Entry
    places: list[tuple[int, int]]
    confidence: float
    because: str


@dataclass
class Dictionary:
    """The automaton over all names, and whose they are."""

    entries: Sequence[Entry] = ()
    edition: int = 0
    _owners: list[list[int]] = field(default_factory=list, repr=False)
    _lengths: list[int] = field(default_factory=list, repr=False)
    _bound_to_languages: bool = field(default=False, repr=False)
    _capitals: list[str] = field(default_factory=list, repr=False)
    """For each pattern what must be capital: `all` of an acronym, the `first` letter of a name, `none` of a topic."""
    _automaton: Any = field(default=None, repr=False)

    @classmethod
    def of(cls, entries: Iterable[Entry], edition: int = 0) -> "Dictionary":
        """Build the automaton: about a second for 100,000 names."""
        dictionary = cls(tuple(entries), edition)
        owners: dict[str, list[int]] = {}
        capitals: dict[str, str] = {}
        for index, entry in enumerate(dictionary.entries):
            for name in dict.fromkeys((entry.label, *entry.names)):
                pattern = folded(name).strip(" ")
                if len(pattern) < 2:
                    continue
                # The space before a name is its left boundary; scripts without spaces have none.
                key = pattern if UNSPACED.match(pattern) else f" {pattern}"
                known = owners.setdefault(key, [])
                if index not in known:
                    known.append(index)
                needs = (
                    "none"
                    if entry.kind == "topic" and not name.isupper()
                    else "all"
                    if name.isupper() and len(name) <= ACRONYM
                    else "first"
                )
                capitals[key] = min(needs, capitals.get(key, needs), key=("none", "first", "all").index)
        dictionary._bound_to_languages = any(entry.languages for entry in dictionary.entries)
        if owners:
            dictionary._automaton = ahocorasick_rs.AhoCorasick(list(owners), store_patterns=False)
            dictionary._owners = list(owners.values())
            dictionary._lengths = [len(pattern) for pattern in owners]
            dictionary._capitals = list(capitals.values())
        return dictionary

    def find(self, headline: str, text: str, language: str = "und", spent: Any = None) -> list[Hit]:
        """The entries named in `headline + "\\n" + text`, best first. `spent()` is asked between stretches of a long text."""
        if self._automaton is None:
            return []
        whole = f"{headline}\n{text}"
        spans = self._spans(whole, spent)
        return self._judged(spans, len(headline), language.split("-", 1)[0])

    def _spans(self, whole: str, spent: Any) -> list[tuple[int, int, int]]:
        """Non-overlapping matches: start, end, pattern; of two that overlap the longer one, else the first."""
        found: list[tuple[int, int, int]] = []
        haystack = f" {folded(whole)} "
        for begin in range(0, len(haystack), CHUNK):
            if begin and spent is not None and spent():
                break
            # Stretches overlap by the length of a long name, so that none is cut in two.
            stretch = haystack if len(haystack) <= CHUNK else haystack[begin : begin + CHUNK + 200]
            for pattern, start, end in self._automaton.find_matches_as_indexes(stretch, overlapping=True):
                if end - start <= LEAST_UNCUT and stretch[end] != " " == stretch[start]:
                    # The beginning of another word, as most matches of short names are.
                    continue
                if start >= CHUNK and len(haystack) > CHUNK:
                    continue
                span = self._bounded(haystack, whole, pattern, begin + start, begin + end)
                if span is not None:
                    found.append(span)
            if len(found) > MOST_HITS:
                break
        if len(found) > 1:
            found.sort(key=lambda span: (span[0], -span[1]))
            kept = [found[0]]
            for span in found[1:]:
                last = kept[-1]
                if span[0] >= last[1]:
                    kept.append(span)
                elif span[1] - span[0] > last[1] - last[0]:
                    kept[-1] = span
            found = kept
        return found

    def _bounded(self, haystack: str, whole: str, pattern: int, start: int, end: int) -> tuple[int, int, int] | None:
        if haystack[start] != " ":
            return (start - 1, end - 1, pattern)
        capitals = self._capitals[pattern]
        if capitals != "none":
            written = whole[start : end - 1]
            if written.islower() or (capitals == "all" and not written.isupper()):
                return None
        if haystack[end] != " ":
            length = end - start - 1
            if length < (LEAST_INFLECTED if haystack[start:end].isascii() else LEAST_INFLECTED - 1) or not (
                found := INFLECTED.match(whole, end - 1)
            ):
                return None
            return (start, found.end(), pattern)
        return (start, end - 1, pattern)

    def _judged(self, spans: Sequence[tuple[int, int, int]], headline_end: int, language: str) -> list[Hit]:
        whole_places: dict[int, list[tuple[int, int]]] = {}
        best: dict[int, float] = {}
        why: dict[int, str] = {}
        self_named = self._full_names(spans)
        for start, end, pattern in spans:
            candidates = self._owners[pattern]
            if self._bound_to_languages:
                candidates = [each for each in candidates if language in (self.entries[each].languages or (language,))]
            if len(candidates) > 1:
                # A short form that two people share is the one whose full name is in the text too.
                candidates = [each for each in candidates if each in self_named] or candidates
            for index in candidates:
                entry = self.entries[index]
                score, reason = _score(entry, self._lengths[pattern], len(candidates))
                whole_places.setdefault(index, []).append((start, end))
                if score > best.get(index, 0.0):
                    best[index], why[index] = score, reason
        hits = []
        for index, places in whole_places.items():
            score, reason = best[index], why[index]
            if places[0][0] < headline_end:
                score, reason = score + 0.05, f"{reason}, in the headline"
            if len(places) > 1:
                score, reason = score + min(0.03 * (len(places) - 1), 0.09), f"{reason}, {len(places)} times"
            hits.append(Hit(self.entries[index], places, round(min(score, 0.99), 2), reason))
        hits.sort(key=lambda hit: (-hit.confidence, hit.places[0], hit.entry.code))
        return hits

    def _full_names(self, spans: Sequence[tuple[int, int, int]]) -> set[int]:
        counts = Counter(owners[0] for _, _, pattern in spans if len(owners := self._owners[pattern]) == 1)
        return set(counts)


def folded(text: str) -> str:
    """Small letters, and a space for whatever parts words; every character keeps its place."""
    small = text.lower()
    if len(small) != len(text):
        small = "".join(lower if len(lower := character.lower()) == 1 else character for character in text)
    return small.translate(_JOINTS)


def _score(entry: Entry, length: int, senses: int) -> tuple[float, str]:
    words = entry.kind
    base = {"person": 0.9, "organisation": 0.85, "place": 0.8, "topic": 0.8}[entry.kind]
    reason = f"name of a {words}"
    if length - 1 <= 4:
        base, reason = base - 0.2, f"{reason}, short"
    if senses > 1:
        base, reason = base / senses, f"{reason}, one of {senses} of that name"
    return base * entry.weight, reason
