"""The updates that report one event, and the index by which the others of its kind are found."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from enrich.stories.events.signature import EventSignature
from enrich.stories.near_duplicates import TextSketch
from enrich.stories.witnesses import is_agency_key, witness_of

K = TypeVar("K")

LEAST_COMMON = 2
"""Words of the headline, or names, that two updates share before they are compared."""
RARE = 8
"""A word of the headline that so few updates have counts for two."""
MOST_CANDIDATES = 50
MOST_ALIKE = 16
"""Of texts that meet in a band: the newest represent all, so that a flood of one text costs no more than a few."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """Whose words an update has, by itself."""

    credited: tuple[str, ...] = ()
    named: frozenset[str] = frozenset()
    """Whom its text names as its source."""
    sentences: frozenset[int] = frozenset()
    is_silent: bool = False
    """Whether it is no witness: our own copy, or words of `staff and agencies`."""


@dataclass(slots=True)
class IndexedUpdate:
    """An update of the window."""

    update_id: str
    family: str
    headline: str
    signature: EventSignature
    sketch: TextSketch | None
    digest: int
    """Of all that it is compared by: an update with the same digest needs no second look."""
    own_story: str | None
    at: datetime
    cluster: "Cluster | None" = None
    because: str = ""
    weights: dict[str, float] = field(default_factory=dict)
    """Of the signature's terms, by how rare each was when it was first compared; most updates never are."""
    source: Attribution = field(default_factory=Attribution)
    text_of: str = ""
    """The update whose text it has, word for word or nearly; itself where it has words of its own."""
    is_sure: bool = False
    """Whether it is surely of its cluster's event, so that readers may be told of it."""

    @property
    def bands(self) -> tuple[bytes, ...]:
        """The bands of its text."""
        return self.sketch.bands if self.sketch is not None else ()


@dataclass(frozen=True, slots=True)
class ClusterSummary:
    """What each member is told of its cluster."""

    story: str | None
    label: str
    """For readers, where no source names the story."""
    witnesses: tuple[str, ...]


@dataclass(slots=True)
class Cluster:
    """Updates that report one event."""

    story: str | None = None
    label: str = ""
    is_named: bool = False
    """Whether a source names the story."""
    members: dict[str, IndexedUpdate] = field(default_factory=dict)
    _witnesses: tuple[str, ...] | None = None

    def add(self, update: IndexedUpdate) -> None:
        """Take an update in."""
        self.members[update.update_id] = update
        self._witnesses = None

    def drop(self, update_id: str) -> None:
        """Let an update go."""
        self.members.pop(update_id, None)
        self._witnesses = None

    @property
    def witnesses(self) -> tuple[str, ...]:
        """The families that surely report the event in words of their own."""
        if self._witnesses is None:
            self._witnesses = _witnesses(self.members.values())
        return self._witnesses

    @property
    def first(self) -> IndexedUpdate:
        """The member that came first."""
        return min(self.members.values(), key=lambda each: (each.at, each.update_id))

    @property
    def sure(self) -> list[IndexedUpdate]:
        """The members that surely report one event: readers may see them as one story."""
        return [member for member in self.members.values() if member.is_sure]

    @property
    def summary(self) -> ClusterSummary:
        """What each member is told of it."""
        return ClusterSummary(self.story, "" if self.is_named else self.label, self.witnesses)


@dataclass
class UpdateIndex:
    """The updates of the window by their bands of text, and by their headline words and names."""

    bands: dict[bytes, dict[str, IndexedUpdate]] = field(default_factory=lambda: defaultdict(dict))
    keys: dict[str, dict[str, IndexedUpdate]] = field(default_factory=lambda: defaultdict(dict))
    """By headline word or name, the updates that have it."""
    counts: Counter[str] = field(default_factory=Counter)
    """How many updates of the window have a term: one that all have says nothing."""
    places: Counter[str] = field(default_factory=Counter)
    """In how many of them it is the name of a place."""

    def add(self, update: IndexedUpdate) -> None:
        """Let an update be found."""
        for band in update.bands:
            bucket = self.bands[band]
            bucket[update.update_id] = update
            if len(bucket) > MOST_ALIKE:
                # A source's own repeats push each other out, not those of other sources.
                mine = (update_id for update_id, other in bucket.items() if other.family == update.family)
                oldest = next(mine)
                del bucket[oldest if oldest != update.update_id else next(iter(bucket))]
        for key in update.signature.keys:
            self.keys[key][update.update_id] = update
        self.counts.update(update.signature.terms)
        self.places.update(update.signature.places)

    def remove(self, update: IndexedUpdate) -> None:
        """Let an update not be found any more."""
        for band in update.bands:
            _drop(self.bands, band, update.update_id)
        for key in update.signature.keys:
            _drop(self.keys, key, update.update_id)
        for terms, counts in ((update.signature.terms, self.counts), (update.signature.places, self.places)):
            for term in terms:
                counts[term] -= 1
                if counts[term] <= 0:
                    del counts[term]

    def candidates(self, update: IndexedUpdate) -> list[IndexedUpdate]:
        """The updates of other families that may be like it."""
        found: dict[str, IndexedUpdate] = {}
        for band in update.bands:
            found |= {
                update_id: other
                for update_id, other in self.bands.get(band, {}).items()
                if other.family != update.family
            }
            if len(found) >= MOST_ALIKE:
                break
        for other in self._with_common_terms(update):
            if other.family != update.family:
                found.setdefault(other.update_id, other)
        found.pop(update.update_id, None)
        return list(found.values())

    def _with_common_terms(self, update: IndexedUpdate) -> list[IndexedUpdate]:
        sharing: list[str] = []
        updates: dict[str, IndexedUpdate] = {}
        for key in update.signature.sought:
            bucket = self.keys.get(key)
            # A word that everyone uses says nothing, and to compare all who do would take the time of all.
            if bucket and len(bucket) <= MOST_CANDIDATES:
                updates |= bucket
                sharing.extend(bucket)
                if len(bucket) <= RARE and key in update.signature.headline:
                    sharing.extend(bucket)
        shared = [(count, update_id) for update_id, count in Counter(sharing).items() if count >= LEAST_COMMON]
        if len(shared) > MOST_CANDIDATES:
            shared = heapq.nlargest(MOST_CANDIDATES, shared)
        return [updates[update_id] for _, update_id in shared]


def _witnesses(members: Iterable[IndexedUpdate]) -> tuple[str, ...]:
    sure = [member for member in members if member.is_sure and not member.source.is_silent]
    families = {member.family for member in sure}
    by_text: dict[str, set[str]] = defaultdict(set)
    for member in sure:
        source = member.source
        by_text[member.text_of or member.update_id].add(
            witness_of(member.family, source.credited, source.named, families)
        )
    # Of those who print one text it is the agency's; where none is one, that of the first by name.
    found = {min(each, key=lambda key: (not is_agency_key(key), key)) for each in by_text.values()}
    return tuple(sorted(found))


def _drop(places: dict[K, dict[str, IndexedUpdate]], key: K, update_id: str) -> None:
    bucket = places.get(key)
    if bucket is not None:
        bucket.pop(update_id, None)
        if not bucket:
            del places[key]
