"""Which updates of several agencies tell the same: near-duplicate texts by MinHash, and independent accounts of one event."""

import heapq
import itertools
import math
import struct
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from rensa import RMinHash

from enrich.reference.dictionary import folded
from enrich.short_text import UNSPACED
from enrich.stories.event_signature import LEAD, Account, likeness_of, read_account, spelled, weighted

PERMUTATIONS = 64

ROWS = 4
"""Of a band: with 16 bands of 4 rows, two texts with half of their word groups in common meet with a chance of 64 %, with 0.7 of 99 %."""

SKETCH = struct.Struct(f"<{PERMUTATIONS}I")

BAND_BYTES = SKETCH.size * ROWS // PERMUTATIONS

LEAST_WORDS = 8
"""A shorter text says too little to be like another one."""

MOST_WORDS = 200
"""Of a text: its beginning is what agencies share."""

LIKE_ACCOUNTS = 0.33
"""From which two accounts tell of one event. In `tests/enrich/stories/reports.txt` other events of the same kind come to 0.25."""

ACCOUNT_HOURS = 12
"""Between two accounts of one event: beyond it the same words tell of the next one."""

LEAST_COMMON = 2
"""Words of the headline, or names, that two updates share before they are compared."""

RARE = 8
"""A word of the headline that so few updates have counts for two."""

MOST_CANDIDATES = 50

MOST_ALIKE = 16
"""Of texts that meet in a band: the newest stand for all, so that a flood of one text costs no more than a few."""

MOST_MEMBERS = 200

NAMES = ("person:", "place:", "org:", "topic:")

MOST_SAID = 6
"""Words that an explanation names."""


def names_of(codes: Iterable[str]) -> tuple[str, ...]:
    """Of the codes of an update's tags those of people, places, organisations and house topics."""
    return tuple([code for code in codes if code.startswith(NAMES)])


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
    names: tuple[str, ...] = ()
    """Codes of the people, places, organisations and house topics that it names."""
    slugline: str = ""


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
    account: Account
    sketch: Any
    bands: tuple[bytes, ...]
    digest: int
    own_story: str | None
    at: datetime
    cluster: "_Cluster | None" = None
    because: str = ""
    weights: tuple[float, ...] = ()
    """Of the account's terms, by how rare each was when it was first compared; most updates never are."""


@dataclass(slots=True)
class _Cluster:
    story: str | None = None
    label: str = ""
    named: bool = False
    members: dict[str, _Entry] = field(default_factory=dict)
    tellers: Counter[str] = field(default_factory=Counter)
    """How many members each family has."""

    def add(self, entry: _Entry) -> None:
        """Take an update in."""
        self.members[entry.update_id] = entry
        self.tellers[entry.family] += 1

    def drop(self, update_id: str) -> None:
        """Let an update go."""
        entry = self.members.pop(update_id, None)
        if entry is not None:
            self.tellers[entry.family] -= 1
            if not self.tellers[entry.family]:
                del self.tellers[entry.family]

    @property
    def standing(self) -> tuple[str | None, str, tuple[str, ...]]:
        """What each member is told: the story, its label, the families that tell it."""
        return self.story, "" if self.named else self.label, tuple(sorted(self.tellers))


@dataclass
class Likeness:
    """The updates of a window of time. Bounded: what is older, or beyond `most`, is forgotten, oldest first."""

    threshold: float = 0.5
    window: timedelta = timedelta(hours=48)
    most: int = 100_000
    _entries: "OrderedDict[str, _Entry]" = field(default_factory=OrderedDict, repr=False)
    _bands: dict[bytes, dict[str, _Entry]] = field(default_factory=lambda: defaultdict(dict), repr=False)
    _keys: dict[str, dict[str, _Entry]] = field(default_factory=lambda: defaultdict(dict), repr=False)
    """By headline word or name, the updates that have it."""
    _counts: Counter[str] = field(default_factory=Counter, repr=False)
    """How many updates of the window have a term: what all have tells nothing."""

    def place(self, told: Told, known_story: str | None = None) -> Placed:
        """Take an update in, or in again with other words, and tell what it is like. `known_story` is what was found before."""
        update_id = told.update_id
        tokens = _tokens(f"{told.headline} {told.text}")
        digest = hash((*tokens, told.slugline, *told.names))
        known = self._entries.get(update_id)
        before = known.cluster.standing if known is not None and known.cluster is not None else None
        if known is not None and (known.digest, known.own_story, known.family) == (digest, told.own_story, told.family):
            return self._told(known, ())
        entry = self._entry(told, tokens, digest)
        if known is not None:
            self._forget_places(known)
            entry.cluster, entry.because = known.cluster, known.because
            if entry.cluster is not None:
                entry.cluster.drop(update_id)
                entry.cluster.add(entry)
        like, because = self._most_like(entry, told)
        self._remember(entry)
        self._forget_old(told.at)
        moved = self._join(entry, like, because, known_story, before)
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
        cluster.drop(update_id)
        if cluster.members and cluster.label == entry.headline:
            # Words that readers must not see any more name no story either.
            cluster.label = _first_of(cluster).headline
        return tuple(cluster.members)

    def where(self, update_id: str) -> Placed:
        """What is known of an update now."""
        entry = self._entries.get(update_id)
        return self._told(entry, ()) if entry is not None else Placed()

    def _entry(self, told: Told, tokens: list[str], digest: int) -> _Entry:
        sketch: Any = None
        bands: tuple[bytes, ...] = ()
        if len(tokens) >= LEAST_WORDS:
            sketch = RMinHash(num_perm=PERMUTATIONS, seed=1)
            sketch.update(list(map(" ".join, itertools.pairwise(tokens))))
            values = sketch.digest()
            packed = SKETCH.pack(*values)
            bands = tuple([packed[row : row + BAND_BYTES] for row in range(0, SKETCH.size, BAND_BYTES)])
        account = read_account(told.headline, told.text, told.names, told.slugline)
        return _Entry(
            told.update_id, told.family, told.headline, account, sketch, bands, digest, told.own_story, told.at,
        )  # fmt: skip

    def _most_like(self, entry: _Entry, told: Told) -> tuple[_Entry | None, str]:
        best: _Entry | None = None
        most, common = 0.0, dict[str, float]()
        for other in self._met(entry):
            likeness, shared = self._compare(entry, other)
            if likeness > most:
                best, most, common = other, likeness, shared
        if best is None:
            return None, ""
        if not common:
            return best, f"its text is {most - 1:.0%} that of {{family}}, update {{update_id}}"
        weightiest = sorted(common, key=lambda term: (-common[term], term))
        words = ", ".join(spelled(weightiest, f"{told.headline} {told.text[:LEAD]}")[:MOST_SAID])
        hours = math.ceil(abs(best.at - entry.at) / timedelta(hours=1))
        return (
            best,
            f"{{family}} tells of {words} too, within {hours or 1} h, in update {{update_id}} (likeness {most:.2f})",
        )

    def _compare(self, entry: _Entry, other: _Entry) -> tuple[float, dict[str, float]]:
        """How like two updates are: from 1 to 2 the same text; below, accounts of one event with what they share."""
        apart = abs(other.at - entry.at)
        if apart > self.window:
            return 0.0, {}
        if entry.sketch is not None and other.sketch is not None:
            likeness = float(entry.sketch.jaccard(other.sketch))
            if likeness >= self.threshold:
                return 1 + likeness, {}
        if apart > timedelta(hours=ACCOUNT_HOURS):
            return 0.0, {}
        for each in (entry, other):
            each.weights = each.weights or weighted(each.account, self._counts, len(self._entries))
        likeness, common = likeness_of(entry.account, entry.weights, other.account, other.weights)
        return (likeness, common) if common and likeness >= LIKE_ACCOUNTS else (0.0, {})

    def _met(self, entry: _Entry) -> list[_Entry]:
        """The updates of other families that may be like it."""
        met: dict[str, _Entry] = {}
        for band in entry.bands:
            met |= {
                update_id: other
                for update_id, other in self._bands.get(band, {}).items()
                if other.family != entry.family
            }
            if len(met) >= MOST_ALIKE:
                break
        beside: list[str] = []
        for key in entry.account.sought:
            bucket = self._keys.get(key)
            # A word that everyone uses tells nothing, and looking at all who do would take the time of all.
            if bucket and len(bucket) <= MOST_CANDIDATES:
                beside.extend(bucket)
                if len(bucket) <= RARE and key in entry.account.headline:
                    beside.extend(bucket)
        shared = [(count, update_id) for update_id, count in Counter(beside).items() if count >= LEAST_COMMON]
        if len(shared) > MOST_CANDIDATES:
            shared = heapq.nlargest(MOST_CANDIDATES, shared)
        for _, update_id in shared:
            other = self._entries[update_id]
            if other.family != entry.family:
                met.setdefault(update_id, other)
        met.pop(entry.update_id, None)
        return list(met.values())

    def _join(
        self,
        entry: _Entry,
        like: _Entry | None,
        because: str,
        known_story: str | None,
        before: tuple[str | None, str, tuple[str, ...]] | None,
    ) -> tuple[str, ...]:
        """Put an update beside the one it is like; the others for which that changes something."""
        if entry.cluster is None and like is not None:
            if like.cluster is None:
                like.cluster = _Cluster()
                like.cluster.add(like)
            before = like.cluster.standing
            if len(like.cluster.members) < MOST_MEMBERS:
                like.cluster.add(entry)
                entry.cluster, entry.because = like.cluster, _because(because, like)
                like.because = like.because or _because(because, entry)
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
        if cluster.standing == before:
            return ()
        return tuple(member for member in cluster.members if member != entry.update_id)

    def _told(self, entry: _Entry, moved: tuple[str, ...]) -> Placed:
        if entry.cluster is None:
            return Placed()
        story, label, families = entry.cluster.standing
        return Placed(story, entry.because, families, label, moved)

    def _remember(self, entry: _Entry) -> None:
        self._entries[entry.update_id] = entry
        self._entries.move_to_end(entry.update_id)
        for band in entry.bands:
            bucket = self._bands[band]
            bucket[entry.update_id] = entry
            if len(bucket) > MOST_ALIKE:
                # A source's own repeats push each other out, not the other tellers.
                mine = (update_id for update_id, other in bucket.items() if other.family == entry.family)
                oldest = next(mine)
                del bucket[oldest if oldest != entry.update_id else next(iter(bucket))]
        for key in entry.account.keys:
            self._keys[key][entry.update_id] = entry
        self._counts.update(entry.account.terms)

    def _forget_places(self, entry: _Entry) -> None:
        for band in entry.bands:
            _drop(self._bands, band, entry.update_id)
        for key in entry.account.keys:
            _drop(self._keys, key, entry.update_id)
        for term in entry.account.terms:
            self._counts[term] -= 1
            if self._counts[term] <= 0:
                del self._counts[term]

    def _forget_old(self, now: datetime) -> None:
        while self._entries:
            first = next(iter(self._entries.values()))
            if len(self._entries) <= self.most and now - first.at <= self.window:
                return
            del self._entries[first.update_id]
            self._forget_places(first)


def _because(reason: str, other: _Entry) -> str:
    return "same story because " + reason.format(family=other.family, update_id=other.update_id)


def _first_of(cluster: _Cluster) -> _Entry:
    return min(cluster.members.values(), key=lambda each: (each.at, each.update_id))


def _drop(places: dict[Any, dict[str, _Entry]], key: Any, update_id: str) -> None:
    bucket = places.get(key)
    if bucket is not None:
        bucket.pop(update_id, None)
        if not bucket:
            del places[key]


def _tokens(text: str) -> list[str]:
    small = folded(text[: MOST_WORDS * 12])
    if not small.isascii() and UNSPACED.search(small):
        # In scripts without spaces a pair of characters is what a word is elsewhere.
        small = UNSPACED.sub(lambda found: f" {found[0]} ", small)
    return small.split(None, MOST_WORDS)[:MOST_WORDS]
