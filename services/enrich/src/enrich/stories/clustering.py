"""Which updates of several agencies report one event: near-duplicate texts, and independent accounts in other words."""

import heapq
import math
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from enrich.reference.stories import gathered_story
from enrich.stories.cluster import Attribution, Cluster, ClusterSummary, IndexedUpdate, UpdateIndex
from enrich.stories.events.evidence import Window, likelihood
from enrich.stories.events.signature import LEAD, event_signature, spelled, weighted
from enrich.stories.near_duplicates import sketch_of, words_of
from enrich.stories.witnesses import attributed, credited, is_copied, is_shared_credit, sentences_of

LEAST_LIKELY = 0.5
"""From which an account joins others: so likely, on the average over them, report they one event."""
LEAST_SURE = 0.8
"""From which readers are told of an account: so likely does it report the event of one of those that they are told of."""
LEAST_SURE_OF_ALL = 0.7
"""And so likely, on the average, that of all of those."""
LEAST_OF_ANY = 0.3
"""From which an account is compared with all of a cluster: what is below is no account of its event."""
MOST_COMPARED = 12
"""Members of a cluster that an account is compared with."""
MOST_CLUSTERS = 4
"""Clusters that an account is compared with, those of its likeliest members first."""
ACCOUNT_HOURS = timedelta(hours=12)
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
    credit: str = ""
    is_own: bool = False
    """Whether it is the newsroom's own copy, which is no witness of what agencies report."""


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
    is_sure: bool = False
    """Whether readers may see it as one story with the others; else it is a suggestion to the desk."""


@dataclass
class StoryClusters:
    """The updates of a window of time. Bounded: what is older, or beyond `most`, is forgotten, oldest first."""

    threshold: float = 0.5
    window: timedelta = timedelta(hours=48)
    most: int = 30_000
    """An update of 160 words took 11 kB when 4,000 were first taken in, 21 once all had been replaced twice (2026-11-29, words drawn
    from 30,000): so many are to fit into the 768 MiB that Kubernetes gives the process."""
    _updates: "OrderedDict[str, IndexedUpdate]" = field(default_factory=OrderedDict, repr=False)
    _index: UpdateIndex = field(default_factory=UpdateIndex, repr=False)

    def __len__(self) -> int:
        """How many updates are compared."""
        return len(self._updates)

    def __contains__(self, update_id: str) -> bool:
        """Whether an update is compared with others."""
        return update_id in self._updates

    def place(self, candidate: StoryCandidate, known_story: str | None = None) -> StoryMembership:
        """Take an update in, or in again with other words; the story that it is in. `known_story` is what was found before."""
        update_id = candidate.update_id
        words = words_of(f"{candidate.headline} {candidate.text}")
        digest = hash((*words, candidate.slugline, *candidate.names, candidate.credit, candidate.is_own))
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
            source=Attribution(
                credited(candidate.credit) if candidate.credit else (),
                attributed(candidate.text),
                sentences_of(candidate.text),
                candidate.is_own or is_shared_credit(candidate.credit),
            ),
            text_of=update_id,
        )
        # Whatever may fail comes before the first change, so that a failure leaves what was known as it was.
        match, because, strays = self._best_match(update, candidate)
        if known is not None:
            self._index.remove(known)
            update.cluster, update.because = known.cluster, known.because
            if known.cluster is not None:
                joins = match is not None and match.cluster is known.cluster
                update.is_sure = known.is_sure or (update.is_sure and joins)
                match = match if joins else None
            update.text_of = update.text_of if update.text_of != update_id else known.text_of
            if update.cluster is not None:
                update.cluster.drop(update_id)
                update.cluster.add(update)
        self._updates[update_id] = update
        self._updates.move_to_end(update_id)
        self._index.add(update)
        self._forget_old(candidate.at)
        moved = _join(update, match, because, known_story, before)
        taken = [other for other in strays if self._take_stray(other, update)]
        if taken and update.cluster is not None:
            moved = tuple(member for member in update.cluster.members if member != update_id)
        return _membership(update, moved)

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

    def _best_match(
        self, update: IndexedUpdate, candidate: StoryCandidate
    ) -> tuple[IndexedUpdate | None, str, list[IndexedUpdate]]:
        """The account of another family that `update` belongs to, by the average over all of its cluster, why, and others that are alone."""
        compared: dict[int, list[tuple[float, IndexedUpdate, dict[str, float]]]] = {}
        for other in self._index.candidates(update):
            score, shared = self._compare(update, other)
            if score >= LEAST_OF_ANY:
                compared.setdefault(id(other.cluster or other), []).append((score, other, shared))
        best: tuple[float, float, IndexedUpdate, dict[str, float]] | None = None
        for found in heapq.nlargest(
            MOST_CLUSTERS, compared.values(), key=lambda each: max(score for score, _, _ in each)
        ):
            score, other, shared = max(found, key=lambda each: each[0])
            average = self._average(update, other, {each.update_id: score for score, each, _ in found})
            if max(average, score - 1) >= LEAST_LIKELY and (best is None or (average, score) > best[:2]):
                best = average, score, other, shared
        if best is None:
            return None, "", []
        _, most, other, shared = best
        strays = [
            each for found in compared.values() for score, each, _ in found
            if each.cluster is None and each is not other and score >= LEAST_LIKELY
        ]  # fmt: skip
        update.is_sure = self._is_sure(update, other, most)
        if most > 1:
            update.text_of = other.text_of or other.update_id
            return other, f"its text is {most - 1:.0%} that of {{family}}, update {{update_id}}", strays
        weightiest = sorted(shared, key=lambda term: (-shared[term], term))
        words = ", ".join(spelled(weightiest, f"{candidate.headline} {candidate.text[:LEAD]}")[:MOST_WORDS])
        hours = math.ceil(abs(other.at - update.at) / timedelta(hours=1))
        told = (
            f"{{family}} tells of {words} too, within {hours or 1} h, in update {{update_id}} (similarity {most:.2f})"
        )
        return other, told, strays

    def _take_stray(self, stray: IndexedUpdate, update: IndexedUpdate) -> bool:
        """Let an account that was alone join a newer one's cluster: its own family's account may have been all that it was like before."""
        cluster = update.cluster
        if cluster is None or stray.cluster is not None or len(cluster.members) >= MOST_MEMBERS:
            return False
        score, _ = self._compare(stray, update)
        if self._average(stray, update, {}) < LEAST_LIKELY:
            return False
        stray.is_sure = self._is_sure(stray, update, score)
        if score > 1:
            stray.text_of = update.text_of or update.update_id
        stray.cluster = cluster
        stray.because = _because("{family} tells of the same, in update {update_id}", update)
        cluster.add(stray)
        return True

    def _average(self, update: IndexedUpdate, other: IndexedUpdate, known: Mapping[str, float]) -> float:
        """How likely an update is of a cluster's event: on the average over its members, a few where there are many."""
        if other.cluster is None:
            return min(known[other.update_id], 1.0)
        scores = [
            min(known[each.update_id] if each.update_id in known else self._compare(update, each)[0], 1.0)
            for each in _some(list(other.cluster.members.values()))
            if each.update_id != update.update_id
        ]
        return sum(scores) / (len(scores) or 1)

    def _is_sure(self, update: IndexedUpdate, other: IndexedUpdate, score: float) -> bool:
        """Whether an update that is so like another one surely reports the event of all that readers are told of beside it."""
        sure = other.cluster.sure if other.cluster is not None else []
        if not sure:
            return score >= LEAST_SURE
        scores = [self._compare(update, each)[0] for each in _some(sure) if each is not update]
        most = max(scores, default=0.0)
        return most > 1 or (most >= LEAST_SURE and sum(scores) >= LEAST_SURE_OF_ALL * len(scores))

    def _compare(self, update: IndexedUpdate, other: IndexedUpdate) -> tuple[float, dict[str, float]]:
        """How like two updates are: from 1 to 2 the same text; below, how likely they report one event, and what they share."""
        apart = abs(other.at - update.at)
        if apart > self.window:
            return 0.0, {}
        if update.sketch is not None and other.sketch is not None:
            score = update.sketch.similarity(other.sketch)
            if score >= self.threshold:
                return 1 + score, {}
        if is_copied(update.source.sentences, other.source.sentences):
            return 1 + self.threshold, {}
        if apart > ACCOUNT_HOURS:
            return 0.0, {}
        total = len(self._updates)
        for each in (update, other):
            each.weights = each.weights or weighted(each.signature, self._index.counts, total)
        hours = apart.total_seconds() / 3600
        window = Window(self._index.counts, self._index.places, total)
        return likelihood(update.signature, update.weights, other.signature, other.weights, window, hours)

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
    before: ClusterSummary | None,
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
    if match is not None and cluster.sure == [update]:
        # One account alone is sure of nothing: these two are the first of which readers are told.
        match.is_sure = True
        cluster.add(match)
        cluster.label = min(cluster.sure, key=lambda each: (each.at, each.update_id)).headline
        before = None
    if cluster.story is None or not cluster.is_named:
        own = next((each.own_story for each in cluster.members.values() if each.own_story), None)
        if own is not None:
            cluster.story, cluster.is_named = own, True
        elif cluster.story is None:
            cluster.label = cluster.label or cluster.first.headline
            cluster.story = known_story or gathered_story(cluster.first.update_id)
    if cluster.summary == before:
        return ()
    return tuple(member for member in cluster.members if member != update.update_id)


def _membership(update: IndexedUpdate, moved: tuple[str, ...] = ()) -> StoryMembership:
    if update.cluster is None:
        return StoryMembership()
    summary = update.cluster.summary
    families = summary.witnesses if update.is_sure else ()
    return StoryMembership(summary.story, update.because, families, summary.label, moved, update.is_sure)


def _some(members: list[IndexedUpdate]) -> list[IndexedUpdate]:
    """The first and the last of many."""
    if len(members) <= MOST_COMPARED:
        return members
    return [*members[: MOST_COMPARED // 2], *members[-MOST_COMPARED // 2 :]]


def _because(reason: str, other: IndexedUpdate) -> str:
    return "same story because " + reason.format(family=other.family, update_id=other.update_id)
