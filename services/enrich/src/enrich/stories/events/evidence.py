"""How likely two updates report one event: by names, numbers, what happens, the words of their leads, and time."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from enrich.stories.events.signature import COMMON_TERMS, EventSignature, rarity

MOST_NAMES = 4.0
MOST_NUMBERS = 3.0
MOST_SMALL_NUMBERS = 1.0
MOST_WORDS = 0.12
UNKNOWN_WORDS = 0.04
"""What common words are taken for between two languages, which share none."""
UNKNOWN_KIND = 0.3
LEAST_OF_LANGUAGE = 0.34
"""Share of the small words of either that two texts of one language have in common."""
HOURS = 12.0


@dataclass(frozen=True, slots=True)
class Weights:
    """A logistic regression over pairs of accounts, fitted to the labelled sets of `tests/enrich/stories`."""

    words: float = 29.4
    language: float = -2.52
    cosine: float = 4.02
    names: float = 2.5
    numbers: float = 2.91
    kind: float = 1.73
    conflict: float = -1.18
    headline: float = 4.1
    covered: float = 3.88
    apart: float = -4.69
    bias: float = -9.48


FITTED = Weights()


def likelihood(  # noqa: PLR0917 -- two of each, and what both are seen in
    one: EventSignature, weights: Mapping[str, float], other: EventSignature, others: Mapping[str, float],
    counts: Mapping[str, int], total: int, hours: float, fitted: Weights = FITTED,
) -> tuple[float, dict[str, float]]:  # fmt: skip
    """How likely two updates report one event, from 0 to 1, and what each common term weighs.

    Nothing where a headline has no part in it, as in a round-up, or where they share no name: results and quakes are
    reported in set phrases. `weights` are those of the terms, `counts` how many of `total` updates have each.
    """
    in_one, in_other = _share(one.headline, others), _share(other.headline, weights)
    if not in_one or not in_other:
        return 0.0, {}
    shared = {term: weight * others[term] for term, weight in weights.items() if term in others}
    named = [term for term in shared if (term in one.named or term in other.named) and term not in COMMON_TERMS]
    if not named:
        return 0.0, {}
    is_one_language = _is_one_language(one, other)
    words = sum(shared.values()) - sum(shared[term] for term in named)
    score = (
        fitted.bias
        + fitted.words * (min(words, MOST_WORDS) if is_one_language else UNKNOWN_WORDS)
        + fitted.language * is_one_language
        + fitted.cosine * sum(shared.values())
        + fitted.names * min(sum(rarity(counts.get(term, 0), total) for term in named), MOST_NAMES)
        + fitted.numbers * _numbers(one, other)
        + fitted.kind * _kinds(one, other)
        + fitted.conflict * (bool(one.kinds) and bool(other.kinds) and one.kinds.isdisjoint(other.kinds))
        + fitted.headline * min(in_one, in_other)
        + fitted.covered * min(_squares(weights, shared), _squares(others, shared))
        + fitted.apart * hours / HOURS
    )
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, score)))), shared


def _share(headline: frozenset[str], terms: Mapping[str, float]) -> float:
    return sum(1 for term in headline if term in terms) / max(len(headline), 1)


def _squares(weights: Mapping[str, float], shared: Mapping[str, float]) -> float:
    return sum(weights[term] ** 2 for term in shared)


def _numbers(one: EventSignature, other: EventSignature) -> float:
    """What common numbers say: those of one digit, which results of matches are full of, little."""
    common = one.numbers & other.numbers
    long = sum(1 for number in common if len(number) > 1)
    return min(long + min(0.5 * (len(common) - long), MOST_SMALL_NUMBERS), MOST_NUMBERS)


def _kinds(one: EventSignature, other: EventSignature) -> float:
    if not one.kinds or not other.kinds:
        return UNKNOWN_KIND
    return len(one.kinds & other.kinds) / min(len(one.kinds), len(other.kinds))


def _is_one_language(one: EventSignature, other: EventSignature) -> bool:
    least = min(len(one.small), len(other.small))
    return least > 0 and len(one.small & other.small) >= LEAST_OF_LANGUAGE * least
