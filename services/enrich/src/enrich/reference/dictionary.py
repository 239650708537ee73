"""Names of people, places, organisations and house topics, found in a text by one pass of Aho–Corasick."""

import functools
import re
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from daachorse import CharwiseDoubleArrayAhoCorasick
from pydantic import Field, field_validator

from enrich.reference.automaton import build
from enrich.reference.inflections import ADDED, LEAST, LEAST_ADDED, BaseForms, to_base_forms
from enrich.reference.names.cues import sentence, speaks_of
from enrich.reference.names.evidence import STRONG, Kind, is_part_of_another, is_titled, stands_near, weigh
from enrich.reference.names.surroundings import Surroundings
from enrich.reference.names.tally import Tally
from enrich.reference.names.words import SOMEBODY
from shared.messages import Message

PREFIXES = {"person": "person:", "place": "place:", "organisation": "org:", "topic": "topic:"}

SUGGESTED = 0.3
"""The most confidence in what is a suggestion to editors: one of several of a name, or a word that may be none."""
CLEARLY = 1.5
"""How many times as likely one sense must be as the next to be the one that is meant."""
LEAD = 300
"""Characters of the text that say what it is about."""
Span: TypeAlias = tuple[int, int, int, bool]
"""Start, end, pattern, whether inflected."""
MOST_HITS = 5000
"""In one text: a text that is a list of names is cut there."""
CHUNK = 50_000
"""Characters between two looks at the clock."""

_JOINTS = {code: " " for code in range(0x3000) if not chr(code).isalnum()} | {
    code: " " for code in range(0x3000, 0x3040) if not chr(code).isalnum()
}
SHORT = 5
"""Characters of a pattern, its space included, below which it is less certain: many words are as short."""
INFLECTED = 0.05
"""By how much a name in another case is less certain."""
UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0eff\U00020000-\U0003fffd]")
AS_IT_IS, FIRST, ALL = range(3)
"""The capitals that a name must have in a text: none for a topic, the first letter for a name, all for an acronym."""
ACRONYM = 6
"""Letters: a name this short and in capitals is an acronym, and found only in capitals."""


class DictionaryEntry(Message):
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
    near: tuple[str, ...] = Field(default=(), max_length=100)
    """Words of which one must stand near, where the name is another word or somebody else's too."""

    @field_validator("code")
    @classmethod
    def _has_scheme(cls, value: str) -> str:
        if not re.fullmatch(r"[a-z]+:[\w.\-]{1,180}", value):
            raise ValueError("scheme and code, as in person:ada-lovelace")
        return value


@dataclass(slots=True)
class Hit:
    """An entry found in a text."""

    entry: DictionaryEntry
    places: list[tuple[int, int]]
    confidence: float
    because: str
    relevance: float = 1.0
    """How much the text is about it, from 0 to 1: by headline, lead and count."""
    is_suggested: bool = False
    """Whether it may be no name, or somebody else's."""


@functools.cache
def _score(kind: Kind, weight: float, senses: int, short: int, inflected: bool) -> tuple[float, str]:
    """How sure it is that a spelling which so many share means one of them; and why."""
    base = {"person": 0.9, "organisation": 0.85, "place": 0.8, "topic": 0.8}[kind]
    reason = f"name of a {kind}"
    if short:
        base, reason = base - 0.2, f"{reason}, short"
    if senses > 1:
        base, reason = min(base / senses, SUGGESTED), f"{reason}, one of {senses} of that name"
    if inflected:
        base, reason = base - INFLECTED, f"{reason}, inflected"
    return base * weight, reason


@dataclass
class Dictionary:
    """The automaton over all names, and whose they are."""

    entries: Sequence[DictionaryEntry] = ()
    edition: int = 0
    _owner: "array[int]" = field(default_factory=lambda: array("i"), repr=False)
    """By pattern: whose spelling it is; below zero, the place in `_shared` of those who share it. Arrays, and no object
    for each of 100,000 patterns: a hit then costs the processor few trips to memory."""
    _shared: list[tuple[int, ...]] = field(default_factory=list, repr=False)
    _is_short: bytes = b""
    _is_single: bytes = b""
    """Whether a pattern is one word, which may be another one as well."""
    _is_bound: bytes = b""
    """Whether an entry holds for some languages only, or names words that must be near."""
    _capitals: bytes = b""
    _words: frozenset[str] = field(default=frozenset(), repr=False)
    """Of all names, so that an inflected name is known when it is read back."""
    _bound_to_languages: bool = field(default=False, repr=False)
    _automaton: CharwiseDoubleArrayAhoCorasick | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls,
        entries: Iterable[DictionaryEntry],
        edition: int = 0,
        build_automaton: Callable[[Sequence[str]], CharwiseDoubleArrayAhoCorasick] = build,
    ) -> "Dictionary":
        """Build the indexes and the automaton: about a second for 100,000 names."""
        dictionary = cls(tuple(entries), edition)
        owners: dict[str, list[int]] = {}
        capitals: dict[str, int] = {}
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
                    AS_IT_IS
                    if entry.kind == "topic" and not name.isupper()
                    else ALL
                    if name.isupper() and len(name) <= ACRONYM
                    else FIRST
                )
                capitals[key] = min(needs, capitals.get(key, needs))
        dictionary._bound_to_languages = any(entry.languages for entry in dictionary.entries)
        if owners:
            dictionary._automaton = build_automaton(list(owners))
            for owned in owners.values():
                dictionary._owner.append(owned[0] if len(owned) == 1 else ~len(dictionary._shared))
                if len(owned) > 1:
                    dictionary._shared.append(tuple(owned))
            dictionary._is_bound = bytes(bool(entry.languages or entry.near) for entry in dictionary.entries)
            dictionary._is_short = bytes(len(key) <= SHORT for key in owners)
            dictionary._is_single = bytes(" " not in key.strip(" ") and not UNSPACED.match(key) for key in owners)
            dictionary._capitals = bytes(capitals.values())
            dictionary._words = frozenset(word for key in owners for word in key.split())
        return dictionary

    def find(
        self, headline: str, text: str, language: str = "und", spent: Callable[[], bool] | None = None
    ) -> list[Hit]:
        """The entries named in `headline + "\\n" + text`, best first. `spent()` is asked between stretches of a long text."""
        automaton = self._automaton
        if automaton is None:
            return []
        whole = f"{headline}\n{text}"
        primary = language.split("-", 1)[0]
        read = to_base_forms(whole, folded(whole), primary, self._words)
        spans = self._spans(automaton, read, whole, primary, spent)
        return self._scored(spans, whole, len(headline), primary)

    def _spans(
        self,
        automaton: CharwiseDoubleArrayAhoCorasick,
        read: BaseForms,
        whole: str,
        language: str,
        spent: Callable[[], bool] | None,
    ) -> list[tuple[int, int, int, bool]]:
        """Non-overlapping matches: start, end, pattern, whether inflected; of two that overlap the longer one, else the first."""
        found: list[tuple[int, int, int, bool]] = []
        haystack = f" {read.text} "
        needed = self._capitals
        added, least = ADDED.get(language, ()), LEAST_ADDED.get(language, LEAST)
        first_letters = {ending[0] for ending in added}
        for begin in range(0, len(haystack), CHUNK):
            if begin and spent is not None and spent():
                break
            # Stretches overlap by the length of a long name, so that none is cut in two.
            stretch = haystack if len(haystack) <= CHUNK else haystack[begin : begin + CHUNK + 200]
            for start, end, number in automaton.find_overlapping(stretch):
                if stretch[start] != " ":
                    # Of a script without spaces, whose names have no boundaries.
                    stop = end
                    first, last = start - 1, end - 1
                elif (following := stretch[end : end + 1]) == " ":
                    stop = end
                    first, last = start, end - 1
                elif following not in first_letters or end - start <= least:
                    # The beginning of another word.
                    continue
                else:
                    # An ending may follow.
                    stop = stretch.find(" ", end, end + 4)
                    if stop < 0 or stretch[end:stop] not in added:
                        continue
                    first, last = start, stop - 1
                if start >= CHUNK and len(haystack) > CHUNK:
                    continue
                first, last, inflected = begin + first, begin + last, stop != end
                if read.ends:
                    inflected = inflected or read.is_inflected(first, last)
                    first, last = read.place(first, last)
                if not needed[number] or _is_written(whole[first:last], needed[number]):
                    found.append((first, last, number, inflected))
            if len(found) > MOST_HITS:
                break
        return _apart(found)

    def _scored(self, spans: Sequence[Span], whole: str, headline_end: int, language: str) -> list[Hit]:
        # Most are names that are nobody else's, and that nothing around speaks about: these go the short way.
        hits: dict[int, Hit] = {}
        slight: dict[int, list[tuple[int, int]]] = {}
        tallies: dict[int, Tally] = {}
        named: set[int] = set()
        titled: bool | None = None
        entries, owners = self.entries, self._owner
        for span in spans:
            start, end, number, inflected = span
            owner = owners[number]
            if titled is None and start < headline_end:
                titled = is_titled(whole[:headline_end])
            is_titled_here = bool(titled) and end <= headline_end
            if owner < 0 or self._is_bound[owner]:
                named = named or {owners[each] for _, _, each, _ in spans}
                self._add_shared(tallies, span, named, whole, is_titled_here, language)
                continue
            entry = entries[owner]
            score, reason = _score(entry.kind, entry.weight, 1, self._is_short[number], inflected)
            if not self._is_single[number]:
                # Its capital is asked for first: most names are followed by small words.
                if (
                    whole[end + 1 : end + 2].isupper()
                    and whole[end] == " "
                    and is_part_of_another(whole, end, entry.kind)
                ) or (entry.kind == "organisation" and whole.startswith(SOMEBODY, end)):
                    continue
            else:
                weight, why = self._weighed(owner, Surroundings(whole, start, end), whole, (start, end), is_titled_here, language)  # fmt: skip
                if weight:
                    because = f"{reason}, {why}"
                    _tally(tallies, owner).add_weighed(start, end, score + weight, because, weight, is_alone=True, is_long=False)  # fmt: skip
                    continue
                slight.setdefault(owner, []).append((start, end))
            hit = hits.get(owner)
            if hit is None:
                hits[owner] = Hit(entry, [(start, end)], score, reason)
            else:
                hit.places.append((start, end))
                if score > hit.confidence:
                    hit.confidence, hit.because = score, reason
        for index, tally in tallies.items():
            hits[index] = _merged(tally, entries[index], hits.get(index), slight.get(index, ()))
        for hit in hits.values():
            _add_position(hit, headline_end)
        return sorted(hits.values(), key=_by_confidence)

    def _add_shared(  # noqa: PLR0917 -- one for each thing that is known of a place
        self, tallies: dict[int, Tally], span: Span, named: set[int], whole: str, titled: bool, language: str
    ) -> None:
        """A spelling that several share, or that holds for some languages or beside some words only."""
        start, end, number, inflected = span
        owner, entries = self._owner[number], self.entries
        candidates: Sequence[int] = (owner,) if owner >= 0 else self._shared[~owner]
        candidates = [each for each in candidates if language in (entries[each].languages or (language,))]
        if len(candidates) > 1:
            # A short form that two people share is the one whose full name is in the text too.
            candidates = [each for each in candidates if each in named] or candidates
        around = Surroundings(whole, start, end) if self._is_single[number] and candidates else None
        senses = [(index, *self._weighed(index, around, whole, (start, end), titled, language)) for index in candidates]
        if len(senses) > 1:
            senses = self._of_that_kind(self._most_likely(senses), whole, start, end)
        for index, weight, why in senses:
            entry = entries[index]
            score, reason = _score(entry.kind, entry.weight, len(senses), self._is_short[number], inflected)
            _tally(tallies, index).add_weighed(
                start, end, score + weight, f"{reason}, {why}" if why else reason, weight,
                is_alone=len(senses) == 1, is_long=around is None,
            )  # fmt: skip

    def _weighed(  # noqa: PLR0917 -- one for each thing that is known of a place
        self, index: int, around: Surroundings | None, whole: str, place: tuple[int, int], titled: bool, language: str
    ) -> tuple[float, str]:  # fmt: skip
        """What the surroundings say of one sense."""
        entry = self.entries[index]
        if entry.near and not stands_near(whole, *place, entry.near):
            return STRONG, "none of its words is near"
        if around is None:
            return 0.0, ""
        return weigh(
            around,
            entry.kind,
            lambda: folded(" ".join((entry.label, *entry.names))).split(),
            titled=titled,
            language=language,
        )

    def _of_that_kind(
        self, senses: list[tuple[int, float, str]], whole: str, start: int, end: int
    ) -> list[tuple[int, float, str]]:
        """Of senses of several kinds those of the one kind that the sentence speaks of, else all."""
        kinds = {self.entries[index].kind for index, _, _ in senses}
        if len(kinds) < 2:
            return senses
        said = sentence(whole, start, end)
        spoken = [kind for kind in kinds if speaks_of(kind, said)]
        return [each for each in senses if self.entries[each[0]].kind in spoken] if len(spoken) == 1 else senses

    def _most_likely(self, senses: list[tuple[int, float, str]]) -> list[tuple[int, float, str]]:
        """The senses that are left: one that its words, its weight or its surroundings set apart, else all."""
        near = [each for each in senses if self.entries[each[0]].near and each[1] > STRONG]
        senses = near or [each for each in senses if not self.entries[each[0]].near] or senses
        by_weight = [(self.entries[index].weight, index) for index, _, _ in senses]
        by_surroundings = [(1 + weight, index) for index, weight, _ in senses]
        for measured in (by_weight, by_surroundings):
            (best, index), *others = sorted(measured, reverse=True)
            if others and best >= CLEARLY * others[0][0]:
                return [each for each in senses if each[0] == index]
        return senses


def _merged(tally: Tally, entry: DictionaryEntry, hit: Hit | None, slight: Sequence[tuple[int, int]]) -> Hit:
    """A tally with what went the short way."""
    if hit is not None:
        aside = set(slight)
        for place in hit.places:
            is_slight = place in aside
            tally.add_weighed(*place, hit.confidence, hit.because, 0.0, is_alone=True, is_long=not is_slight)
    places, score, because, is_suggested = tally.result()
    return Hit(entry, places, score, because, is_suggested=is_suggested)


def _add_position(hit: Hit, headline_end: int) -> None:
    """Let headline, lead and count tell how sure a hit is, and how relevant."""
    places = hit.places
    times, first = len(places), places[0][0]
    lead_end = headline_end + LEAD
    if first >= headline_end:
        hit.relevance = 0.4 if first < lead_end else 0.2
    else:
        hit.relevance = 0.8 if headline_end <= places[-1][0] < lead_end else 0.6
        hit.confidence += 0.05
        hit.because = f"{hit.because}, in the headline"
    if times > 1:
        hit.confidence += min(0.03 * (times - 1), 0.09)
        hit.because = f"{hit.because}, {times} times"
        hit.relevance = round(hit.relevance + min(0.05 * (times - 1), 0.2), 2)
    if hit.is_suggested:
        hit.confidence = max(min(hit.confidence, SUGGESTED), 0.01)
    hit.confidence = round(min(hit.confidence, 0.99), 2)


def _tally(tallies: dict[int, "Tally"], index: int) -> "Tally":
    tally = tallies.get(index)
    if tally is None:
        tally = tallies[index] = Tally()
    return tally


def _is_written(name: str, capitals: int) -> bool:
    """Whether a name has the capitals in a text that it needs."""
    return name.isupper() if capitals == ALL else not name.islower()


def _apart(found: list[tuple[int, int, int, bool]]) -> list[tuple[int, int, int, bool]]:
    """Of spans that overlap the longer one, else the first."""
    if len(found) < 2:
        return found
    found.sort(key=_by_place)
    kept = [found[0]]
    for span in found[1:]:
        last = kept[-1]
        if span[0] >= last[1]:
            kept.append(span)
        elif span[1] - span[0] > last[1] - last[0]:
            kept[-1] = span
    return kept


def _by_place(span: tuple[int, int, int, bool]) -> tuple[int, int]:
    return span[0], -span[1]


def _by_confidence(hit: Hit) -> tuple[float, tuple[int, int], str]:
    return -hit.confidence, hit.places[0], hit.entry.code


def folded(text: str) -> str:
    """Small letters, and a space for whatever parts words; every character keeps its place."""
    small = text.lower()
    if len(small) != len(text):
        small = "".join(lower if len(lower := character.lower()) == 1 else character for character in text)
    return small.translate(_JOINTS)
