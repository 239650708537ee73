"""Which updates of several agencies report one event: near-duplicate texts, and independent accounts in other words."""

import math
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from enrich.stories.cluster import Cluster, IndexedUpdate, UpdateIndex
from enrich.stories.event_signature import LEAD, event_signature, similarity, spelled, weighted
from enrich.stories.near_duplicates import sketch_of, words_of

LEAST_SIMILARITY = 0.33
"""From which two accounts report one event. In `tests/enrich/stories/reports.txt` other events of the same kind come to 0.25."""
ACCOUNT_HOURS = 12
"""Between two accounts of one event: beyond it the same words are of the next one."""
MOST_MEMBERS = 200
NAMES = ("person:", "place:", "org:", "topic:")
MOST_WORDS = 6
"""That an explanation names."""


def names_of(codes: Iterable[str]) -> tuple[str, ...]:
    """Of the codes of an update's tags those of people, places, organisations and house topics."""
    return tuple([code for code in codes if code.startswith(NAMES)])


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryCandidate:
    """What is compared of an update."""

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
class StoryMembership:
    """The story that an update is in."""

    story: str | None = None
    because: str = ""
    families: tuple[str, ...] = ()
    label: str = ""
    """For readers, where no source names the story: the first headline."""
    moved: tuple[str, ...] = ()
    """Other updates for which something changed by this one."""


@dataclass
class StoryClusters:
    """The updates of a window of time. Bounded: what is older, or beyond `most`, is forgotten, oldest first."""

    threshold: float = 0.5
    window: timedelta = timedelta(hours=48)
    most: int = 100_000
    _updates: "OrderedDict[str, IndexedUpdate]" = field(default_factory=OrderedDict, repr=False)
    _index: UpdateIndex = field(default_factory=UpdateIndex, repr=False)

    def place(self, candidate: StoryCandidate, known_story: str | None = None) -> StoryMembership:
        """Take an update in, or in again with other words; the story that it is in. `known_story` is what was found before."""
        update_id = candidate.update_id
        words = words_of(f"{candidate.headline} {candidate.text}")
        digest = hash((*words, candidate.slugline, *candidate.names))
        known = self._updates.get(update_id)
        before = known.cluster.summary if known is not None and known.cluster is not None else None
        if known is not None and (known.digest, known.own_story, known.family) == (
            digest, candidate.own_story, candidate.family,
        ):  # fmt: skip
            return _membership(known)
        update = IndexedUpdate(
            update_id=update_id,
            family=candidate.family,
            headline=candidate.headline,
            signature=event_signature(candidate.headline, candidate.text, candidate.names, candidate.slugline),
            sketch=sketch_of(words),
            digest=digest,
            own_story=candidate.own_story,
            at=candidate.at,
        )
        # Whatever may fail comes before the first change, so that a failure leaves what was known as it was.
        match, because = self._best_match(update, candidate)
        if known is not None:
            self._index.remove(known)
            update.cluster, update.because = known.cluster, known.because
            if update.cluster is not None:
                update.cluster.drop(update_id)
                update.cluster.add(update)
        self._updates[update_id] = update
        self._updates.move_to_end(update_id)
        self._index.add(update)
        self._forget_old(candidate.at)
        return _membership(update, _join(update, match, because, known_story, before))

    def remove(self, update_id: str) -> tuple[str, ...]:
        """Forget an update that readers must not see; the others of its cluster, which lose a source."""
        update = self._updates.pop(update_id, None)
        if update is None:
            return ()
        self._index.remove(update)
        cluster = update.cluster
        if cluster is None:
            return ()
        cluster.drop(update_id)
        if cluster.members and cluster.label == update.headline:
            # Words that readers must not see any more name no story either.
            cluster.label = cluster.first.headline
        return tuple(cluster.members)

    def membership(self, update_id: str) -> StoryMembership:
        """The story that an update is in now."""
        update = self._updates.get(update_id)
        return _membership(update) if update is not None else StoryMembership()

    def _best_match(self, update: IndexedUpdate, candidate: StoryCandidate) -> tuple[IndexedUpdate | None, str]:
        best: IndexedUpdate | None = None
        most, common = 0.0, dict[str, float]()
        for other in self._index.candidates(update):
            score, shared = self._compare(update, other)
            if score > most:
                best, most, common = other, score, shared
        if best is None:
            return None, ""
        if not common:
            return best, f"its text is {most - 1:.0%} that of {{family}}, update {{update_id}}"
        weightiest = sorted(common, key=lambda term: (-common[term], term))
        words = ", ".join(spelled(weightiest, f"{candidate.headline} {candidate.text[:LEAD]}")[:MOST_WORDS])
        hours = math.ceil(abs(best.at - update.at) / timedelta(hours=1))
        return (
            best,
            f"{{family}} tells of {words} too, within {hours or 1} h, in update {{update_id}} (similarity {most:.2f})",
        )

    def _compare(self, update: IndexedUpdate, other: IndexedUpdate) -> tuple[float, dict[str, float]]:
        """How like two updates are: from 1 to 2 the same text; below, accounts of one event with what they share."""
        apart = abs(other.at - update.at)
        if apart > self.window:
            return 0.0, {}
        if update.sketch is not None and other.sketch is not None:
            score = update.sketch.similarity(other.sketch)
            if score >= self.threshold:
                return 1 + score, {}
        if apart > timedelta(hours=ACCOUNT_HOURS):
            return 0.0, {}
        for each in (update, other):
            each.weights = each.weights or weighted(each.signature, self._index.counts, len(self._updates))
        score, common = similarity(update.signature, update.weights, other.signature, other.weights)
        return (score, common) if common and score >= LEAST_SIMILARITY else (0.0, {})

    def _forget_old(self, now: datetime) -> None:
        while self._updates:
            first = next(iter(self._updates.values()))
            if len(self._updates) <= self.most and now - first.at <= self.window:
                return
            del self._updates[first.update_id]
            self._index.remove(first)


def _join(
    update: IndexedUpdate,
    match: IndexedUpdate | None,
    because: str,
    known_story: str | None,
    before: tuple[str | None, str, tuple[str, ...]] | None,
) -> tuple[str, ...]:
    """Put an update beside the one it is like; the others for which that changes something."""
    if update.cluster is None and match is not None:
        if match.cluster is None:
            match.cluster = Cluster()
            match.cluster.add(match)
        before = match.cluster.summary
        if len(match.cluster.members) < MOST_MEMBERS:
            match.cluster.add(update)
            update.cluster, update.because = match.cluster, _because(because, match)
            match.because = match.because or _because(because, update)
    cluster = update.cluster
    if cluster is None:
        return ()
    if cluster.story is None or not cluster.is_named:
        own = next((each.own_story for each in cluster.members.values() if each.own_story), None)
        if own is not None:
            cluster.story, cluster.is_named = own, True
        elif cluster.story is None:
            cluster.label = cluster.first.headline
            cluster.story = known_story or f"story-{cluster.first.update_id[:10]}"
    if cluster.summary == before:
        return ()
    return tuple(member for member in cluster.members if member != update.update_id)


def _membership(update: IndexedUpdate, moved: tuple[str, ...] = ()) -> StoryMembership:
    if update.cluster is None:
        return StoryMembership()
    story, label, families = update.cluster.summary
    return StoryMembership(story, update.because, families, label, moved)


def _because(reason: str, other: IndexedUpdate) -> str:
    return "same story because " + reason.format(family=other.family, update_id=other.update_id)
