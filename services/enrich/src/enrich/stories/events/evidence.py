"""How likely two updates report one event: by names, numbers, what happens, the words of their leads, and time."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from operator import mul
from typing import NamedTuple

from enrich.stories.events.signature import COMMON_TERMS, EventSignature, kinds_of, rarity

MOST_NAMES = 4.0
MOST_PLACES = 2.0
MOST_NUMBERS = 3.0
MOST_SMALL_NUMBERS = 1.0
MOST_WORDS = 5.0
HOURS = 12.0
PLACE_SHARE = 4
"""A name is that of a place where one in so many updates tells it as one."""


class Evidence(NamedTuple):
    """What speaks for two accounts telling of one event, or against it."""

    words: float
    """How many ordinary words they share: neither names nor such as all news is full of."""
    cosine: float
    """The cosine of their terms."""
    names: float
    """Names in common that are not of places, by how rare each is."""
    places: float
    """Names of places in common."""
    numbers: float
    """Numbers in common."""
    conflict: float
    """1 where different kinds of things happen."""
    headline: float
    """The share of either headline that the other account has."""
    apart: float
    """Time between them."""
    after: float
    """1 where one alone tells of what came of something."""


FITTED = Evidence(
    words=0.57,
    cosine=7.46,
    names=1.28,
    places=1.31,
    numbers=2.03,
    conflict=-0.14,
    headline=4.3,
    apart=-4.0,
    after=-1.03,
)
"""The weights of a logistic regression over pairs of accounts, which `tests/enrich/stories/fit_weights.py` fits to the labelled days beside it;
but that of time is held at what is reasonable: most accounts of those days follow one another sooner than on others."""
BIAS = -7.91


@dataclass(frozen=True, slots=True)
class Window:
    """What is known of terms from all updates that are compared."""

    counts: Mapping[str, int]
    """How many updates have a term."""
    places: Mapping[str, int]
    """In how many it stands where places are told."""
    total: int

    def is_place(self, term: str) -> bool:
        """Whether a name is one of a place: it is told as one often enough."""
        return PLACE_SHARE * self.places.get(term, 0) >= self.counts.get(term, 0)


def likelihood(  # noqa: PLR0917 -- two of each, and what both are seen in
    one: EventSignature, weights: Mapping[str, float], other: EventSignature, others: Mapping[str, float],
    window: Window, hours: float,
) -> tuple[float, dict[str, float]]:  # fmt: skip
    """How likely two updates report one event, from 0 to 1, and what each common term weighs.

    Nothing where a headline has no part in it, as in a round-up, or where they share no name: results and quakes are
    reported in set phrases. `weights` are those of the terms, `window` tells how rare they are.
    """
    found, shared = evidence(one, weights, other, others, window, hours)
    if found is None:
        return 0.0, {}
    score = BIAS + sum(map(mul, FITTED, found))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, score)))), shared


def evidence(  # noqa: PLR0917 -- as above
    one: EventSignature, weights: Mapping[str, float], other: EventSignature, others: Mapping[str, float],
    window: Window, hours: float,
) -> tuple[Evidence | None, dict[str, float]]:  # fmt: skip
    """What the likelihood is made of, and what each common term weighs."""
    in_one = _share(one.headline, others, other.kinds)
    in_other = in_one and _share(other.headline, weights, one.kinds)
    if not in_other:
        return None, {}
    shared = {term: weight * others[term] for term, weight in weights.items() if term in others}
    plain = [term for term in shared if term not in COMMON_TERMS]
    named = [term for term in plain if term in one.named or term in other.named]
    if not named:
        return None, {}
    rare = {term: rarity(window.counts.get(term, 0), window.total) for term in named}
    places = {term: rare[term] for term in named if window.is_place(term)}
    subjects = {term: rare[term] for term in named if term not in places}
    found = Evidence(
        words=min(len(plain) - len(named), MOST_WORDS),
        cosine=sum(shared.values()),
        names=min(_names(subjects, one, other), MOST_NAMES),
        places=min(_names(places, one, other), MOST_PLACES),
        numbers=_numbers(one, other),
        conflict=float(bool(one.kinds) and bool(other.kinds) and one.kinds.isdisjoint(other.kinds)),
        headline=min(in_one, in_other),
        apart=hours / HOURS,
        after=float(one.is_after != other.is_after),
    )
    return found, shared


def _names(rare: Mapping[str, float], one: EventSignature, other: EventSignature) -> float:
    """What common names say; one of several words counts once, and what either side has as one name does."""
    sums = []
    for side in (one, other):
        by_name: dict[str, float] = {}
        for term, value in rare.items():
            name = side.whole.get(term, term)
            by_name[name] = max(by_name.get(name, 0.0), value)
        sums.append(sum(by_name.values()))
    return min(sums)


def _share(headline: frozenset[str], terms: Mapping[str, float], kinds: frozenset[str]) -> float:
    """The share of a headline's terms that another account has, or tells by another word of the same kind."""
    lacking: Collection[str] = headline.difference(terms)
    if kinds and lacking:
        lacking = [term for term in lacking if kinds.isdisjoint(kinds_of(term))]
    return 1 - len(lacking) / len(headline) if headline else 0.0


def _numbers(one: EventSignature, other: EventSignature) -> float:
    """What common numbers say: those of one digit, which results of matches are full of, little."""
    common = one.numbers & other.numbers
    long = sum(1 for number in common if len(number) > 1)
    return min(long + min(0.5 * (len(common) - long), MOST_SMALL_NUMBERS), MOST_NUMBERS)
