"""Which updates of several agencies tell the same: near-duplicate texts by MinHash, and headlines in the same words."""

import functools
import hashlib
import itertools
import re
from collections import OrderedDict, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from rensa import RMinHash

from enrich.steps.authors import AGENCIES
from enrich.steps.text import UNSPACED

PERMUTATIONS = 64
ROWS = 4
"""Of a band: with 16 bands of 4 rows, two texts with half of their word groups in common meet with a chance of 64 %, with 0.7 of 99 %."""
LEAST_WORDS = 8
"""A shorter text says too little to be like another one."""
MOST_WORDS = 200
"""Of a text: its beginning is what agencies share."""
LEAST_COMMON = 4
HEADLINE_LIKENESS = 0.6
HEADLINE_HOURS = 12
MOST_CANDIDATES = 50
MOST_MEMBERS = 200

WORD = re.compile(r"\w+")
SMALL_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "been",
        "but",
        "by",
        "for",
        "from",
        "had",
        "has",
        "have",
        "he",
        "her",
        "his",
        "in",
        "into",
        "is",
        "it",
        "its",
        "more",
        "new",
        "no",
        "not",
        "of",
        "off",
        "on",
        "or",
        "out",
        "over",
        "said",
        "says",
        "she",
        "than",
        "that",
        "the",
        "their",
        "they",
        "this",
        "to",
        "under",
        "up",
        "was",
        "were",
        "who",
        "will",
        "with",
        "after",
        "amid",
        "before",
        "during",
        "against",
        "about",
        "der",
        "die",
        "das",
        "und",
        "in",
        "im",
        "zu",
        "den",
        "dem",
        "des",
        "ein",
        "eine",
        "einer",
        "nach",
        "für",
        "mit",
        "von",
        "auf",
        "bei",
        "aus",
        "le",
        "la",
        "les",
        "de",
        "du",
        "des",
        "un",
        "une",
        "et",
        "en",
        "au",
        "aux",
        "pour",
        "sur",
        "dans",
        "par",
        "el",
        "los",
        "las",
        "del",
        "y",
        "en",
        "un",
        "una",
        "por",
        "para",
        "con",
        "se",
        "al",
        "o",
        "da",
        "do",
        "dos",
        "das",
        "e",
        "em",
        "no",
        "na",
        "um",
        "uma",
        "il",
        "lo",
        "gli",
        "di",
        "che",
        "per",
        "con",
    ]
)
FAMILIES: Mapping[str, str] = {
    "thomson reuters": "reuters", "thomson reuters foundation": "reuters", "associated press": "ap", "the associated press": "ap", "agence france presse": "afp",
    "pa media": "pa", "press association": "pa", "pa news agency": "pa", "deutsche presse agentur": "dpa", "dpa afx": "dpa", "agencia efe": "efe",
    "united press international": "upi", "itar tass": "tass", "the canadian press": "canadian press", "australian associated press": "aap", "xinhuanet": "xinhua",
    "kyodo news": "kyodo", "jiji press": "jiji", "yonhap news agency": "yonhap", "press trust of india": "pti", "anadolu agency": "anadolu", "tt news agency": "tt",
    "bloomberg news": "bloomberg", "bbc news": "bbc", "deutsche welle": "dw",
}  # fmt: skip


@functools.lru_cache(maxsize=4096)
def _credited(credit: str) -> str:
    return re.sub(r"[^\w]+", " ", credit.casefold()).strip()


def family_of(source: str, credit: str, families: Mapping[str, str]) -> str:
    """The publisher family that an update's words come from: the agency that it credits, else the source's own.

    A paper that prints an agency's text confirms nothing that the agency did not say.
    """
    own = families.get(source, source)
    credited = _credited(credit[:60]) if credit else ""
    if credited in AGENCIES:
        family = FAMILIES.get(credited, credited)
        return families.get(family, family)
    return own


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is looked at of an update."""

    update_id: str
    family: str
    headline: str
    text: str
    own_story: str | None
    """What its source calls the story."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an update stands among its likes."""

    story: str | None = None
    because: str = ""
    families: tuple[str, ...] = ()
    label: str = ""
    """For readers, where no source names the story: the first headline."""
    moved: tuple[str, ...] = ()
    """Other updates for which something changed by this one."""


@dataclass(slots=True)
class _Entry:
    update_id: str
    family: str
    headline: str
    words: frozenset[str]
    sketch: Any
    bands: tuple[bytes, ...]
    digest: bytes
    own_story: str | None
    at: datetime
    cluster: "_Cluster | None" = None
    because: str = ""


@dataclass(slots=True)
class _Cluster:
    story: str | None = None
    label: str = ""
    named: bool = False
    members: dict[str, _Entry] = field(default_factory=dict)


@dataclass
class Likeness:
    """The updates of a window of time. Bounded: what is older, or beyond `most`, is forgotten, oldest first."""

    threshold: float = 0.5
    window: timedelta = timedelta(hours=48)
    most: int = 100_000
    _entries: "OrderedDict[str, _Entry]" = field(default_factory=OrderedDict, repr=False)
    _bands: dict[tuple[int, bytes], dict[str, _Entry]] = field(default_factory=lambda: defaultdict(dict), repr=False)
    _words: dict[str, dict[str, _Entry]] = field(default_factory=lambda: defaultdict(dict), repr=False)

    def place(self, told: Told, known_story: str | None = None) -> Placed:
        """Take an update in, or in again with other words, and tell what it is like. `known_story` is what was found before."""
        update_id = told.update_id
        tokens = _tokens(f"{told.headline} {told.text}")
        digest = hashlib.blake2b(" ".join(tokens).encode(), digest_size=8).digest()
        known = self._entries.get(update_id)
        if known is not None and (known.digest, known.own_story, known.family) == (digest, told.own_story, told.family):
            return self._told(known, ())
        entry = self._entry(told, tokens, digest)
        if known is not None:
            self._forget_places(known)
            entry.cluster, entry.because = known.cluster, known.because
            if entry.cluster is not None:
                entry.cluster.members[update_id] = entry
        like, because = self._most_like(entry)
        self._remember(entry)
        self._forget_old(told.at)
        moved = self._join(entry, like, because, known_story)
        return self._told(entry, moved)

    def remove(self, update_id: str) -> tuple[str, ...]:
        """Forget an update that readers must not see; the others of its cluster, which lose a teller."""
        entry = self._entries.pop(update_id, None)
        if entry is None:
            return ()
        self._forget_places(entry)
        if entry.cluster is None:
            return ()
        cluster = entry.cluster
        cluster.members.pop(update_id, None)
        if cluster.members and cluster.label == entry.headline:
            # Words that readers must not see any more name no story either.
            cluster.label = _first_of(cluster).headline
        return tuple(cluster.members)

    def where(self, update_id: str) -> Placed:
        """What is known of an update now."""
        entry = self._entries.get(update_id)
        return self._told(entry, ()) if entry is not None else Placed()

    def _entry(self, told: Told, tokens: list[str], digest: bytes) -> _Entry:
        sketch: Any = None
        bands: tuple[bytes, ...] = ()
        if len(tokens) >= LEAST_WORDS:
            sketch = RMinHash(num_perm=PERMUTATIONS, seed=1)
            sketch.update([f"{one} {two}" for one, two in itertools.pairwise(tokens)])
            values = sketch.digest()
            bands = tuple(
                hashlib.blake2b(repr(values[row : row + ROWS]).encode(), digest_size=8).digest()
                for row in range(0, PERMUTATIONS, ROWS)
            )
        words = frozenset(_stem(word) for word in _tokens(told.headline) if word not in SMALL_WORDS and len(word) > 1)
        return _Entry(told.update_id, told.family, told.headline, words, sketch, bands, digest, told.own_story, told.at)

    def _most_like(self, entry: _Entry) -> tuple[_Entry | None, str]:
        best: tuple[float, str, _Entry] | None = None
        for other in self._met(entry):
            if other.family == entry.family or abs(other.at - entry.at) > self.window:
                continue
            score, because = self._compare(entry, other)
            if because and (best is None or score > best[0]):
                best = (score, because, other)
        return (best[2], best[1]) if best is not None else (None, "")

    def _compare(self, entry: _Entry, other: _Entry) -> tuple[float, str]:
        if entry.sketch is not None and other.sketch is not None:
            likeness = float(entry.sketch.jaccard(other.sketch))
            if likeness >= self.threshold:
                return (
                    likeness,
                    f"same story because its text is {likeness:.0%} that of {other.family}, update {other.update_id}",
                )
        common = entry.words & other.words
        if len(common) >= LEAST_COMMON and abs(other.at - entry.at) <= timedelta(hours=HEADLINE_HOURS):
            likeness = len(common) / min(len(entry.words), len(other.words))
            if likeness >= HEADLINE_LIKENESS:
                return (
                    likeness * self.threshold,
                    f"same story because {other.family} has the same words in its headline: {', '.join(sorted(common))}",
                )
        return 0.0, ""

    def _met(self, entry: _Entry) -> list[_Entry]:
        met: dict[str, _Entry] = {}
        for number, band in enumerate(entry.bands):
            bucket = self._bands.get((number, band))
            if bucket:
                met.update(list(bucket.items())[-MOST_CANDIDATES:])
        counts: dict[str, int] = defaultdict(int)
        if len(entry.words) >= LEAST_COMMON:
            for word in entry.words:
                bucket = self._words.get(word)
                # A word that everyone uses tells nothing, and looking at all who do would take the time of all.
                if bucket and len(bucket) <= MOST_CANDIDATES:
                    for update_id in bucket:
                        counts[update_id] += 1
        for update_id, count in counts.items():
            if count >= min(LEAST_COMMON, 2):
                met.setdefault(update_id, self._entries[update_id])
        met.pop(entry.update_id, None)
        return list(met.values())

    def _join(self, entry: _Entry, like: _Entry | None, because: str, known_story: str | None) -> tuple[str, ...]:
        if entry.cluster is None and like is not None:
            if like.cluster is None:
                like.cluster = _Cluster(members={like.update_id: like})
            if len(like.cluster.members) < MOST_MEMBERS:
                entry.cluster, entry.because = like.cluster, because
                like.cluster.members[entry.update_id] = entry
                like.because = like.because or because.replace(
                    f"that of {like.family}", f"that of {entry.family}"
                ).replace(f"because {like.family} has", f"because {entry.family} has").replace(
                    repr(like.headline[:80]), repr(entry.headline[:80])
                )
        cluster = entry.cluster
        if cluster is None:
            return ()
        if cluster.story is None or not cluster.named:
            own = next((each.own_story for each in cluster.members.values() if each.own_story), None)
            if own is not None:
                cluster.story, cluster.named = own, True
            elif cluster.story is None:
                first = _first_of(cluster)
                cluster.label = first.headline
                cluster.story = known_story or f"story-{first.update_id[:10]}"
        return tuple(member for member in cluster.members if member != entry.update_id)

    def _told(self, entry: _Entry, moved: tuple[str, ...]) -> Placed:
        if entry.cluster is None:
            return Placed()
        families = tuple(sorted({each.family for each in entry.cluster.members.values()}))
        label = "" if entry.cluster.named else entry.cluster.label
        return Placed(entry.cluster.story, entry.because, families, label, moved)

    def _remember(self, entry: _Entry) -> None:
        self._entries[entry.update_id] = entry
        self._entries.move_to_end(entry.update_id)
        for number, band in enumerate(entry.bands):
            self._bands[number, band][entry.update_id] = entry
        for word in entry.words:
            self._words[word][entry.update_id] = entry

    def _forget_places(self, entry: _Entry) -> None:
        for number, band in enumerate(entry.bands):
            _drop(self._bands, (number, band), entry.update_id)
        for word in entry.words:
            _drop(self._words, word, entry.update_id)

    def _forget_old(self, now: datetime) -> None:
        while self._entries:
            first = next(iter(self._entries.values()))
            if len(self._entries) <= self.most and now - first.at <= self.window:
                return
            del self._entries[first.update_id]
            self._forget_places(first)


def _first_of(cluster: _Cluster) -> _Entry:
    return min(cluster.members.values(), key=lambda each: (each.at, each.update_id))


def _drop(places: dict[Any, dict[str, _Entry]], key: Any, update_id: str) -> None:
    bucket = places.get(key)
    if bucket is not None:
        bucket.pop(update_id, None)
        if not bucket:
            del places[key]


def _tokens(text: str) -> list[str]:
    small = text[: MOST_WORDS * 12].casefold()
    if not small.isascii() and UNSPACED.search(small):
        # In scripts without spaces a pair of characters is what a word is elsewhere.
        small = UNSPACED.sub(lambda found: f" {found[0]} ", small)
    return WORD.findall(small)[:MOST_WORDS]


def _stem(word: str) -> str:
    """What `minister`, `ministers` and `ministerial` have in common; enough for comparing headlines."""
    return word if word.isdigit() or len(word) <= 5 else word[:5]
