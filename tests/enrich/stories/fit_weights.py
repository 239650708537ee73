"""Fit the weights of `enrich.stories.events.evidence` to the labelled days beside this file, and test them on each day that they were not fitted to.

    python tests/enrich/stories/fit_weights.py [--days accounts accounts_blind ...]

Prints, for each day, what weights of all other days make of it, and then the weights of all: a logistic regression with a ridge,
over pairs of accounts of different agencies, each pair as it is seen when the later one comes.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from test_accounts import Account, labelled, measure  # noqa: E402
from test_reports import REPORTS  # noqa: E402

from enrich.stories.events import evidence  # noqa: E402 -- after the path
from enrich.stories.events.evidence import FITTED, Evidence, Window  # noqa: E402
from enrich.stories.events.signature import event_signature, weighted  # noqa: E402

DAYS = ("accounts", "accounts_blind", "accounts_third", "accounts_fourth", "accounts_fifth")
RIDGE = 1 / 0.3
HELD = Evidence._fields.index("apart")
"""The weight that is not fitted."""

Numbers = NDArray[np.float64]


def pairs(accounts: Iterable[Account]) -> tuple[Numbers, Numbers]:
    """The evidence of each pair that has any, and whether both are of one event."""
    counts: Counter[str] = Counter()
    places: Counter[str] = Counter()
    before = []
    found, same = [], []
    for number, account in enumerate(accounts, 1):
        signature = event_signature(account.headline, account.text)
        counts.update(signature.terms)
        places.update(signature.places)
        weights = weighted(signature, counts, number)
        for other, its_signature, its_weights in before:
            hours = abs(account.minute - other.minute) / 60
            if other.family != account.family:
                window = Window(counts, places, number)
                each, _ = evidence.evidence(signature, weights, its_signature, its_weights, window, hours)
                if each is not None:
                    found.append(each)
                    same.append(float(other.event == account.event))
        before.append((account, signature, weights))
    return np.array(found, dtype=np.float64), np.array(same, dtype=np.float64)


def fitted(found: Numbers, same: Numbers) -> tuple[Evidence, float]:
    """The weights that tell pairs of one event best, and the bias: by Newton's steps, on evidence of one scale."""
    held = found[:, HELD] * FITTED.apart
    free = np.delete(found, HELD, axis=1)
    mean, scale = free.mean(axis=0), free.std(axis=0) + 1e-9
    scaled = np.hstack([(free - mean) / scale, np.ones((len(free), 1))])
    ridge = np.full(scaled.shape[1], RIDGE)
    ridge[-1] = 1e-9
    weights = np.zeros(scaled.shape[1])
    for _ in range(50):
        likely = 1 / (1 + np.exp(-np.clip(scaled @ weights + held, -30, 30)))
        slope = scaled.T @ (likely - same) + ridge * weights
        bend = (scaled.T * (likely * (1 - likely))) @ scaled + np.diag(ridge)
        weights -= np.linalg.solve(bend, slope)
    each = weights[:-1] / scale
    bias = float(weights[-1] - each @ mean)
    return Evidence(*(round(float(weight), 2) for weight in np.insert(each, HELD, FITTED.apart))), round(bias, 2)


def main() -> None:
    """Fit, test and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--days", nargs="+", default=DAYS)
    days = {day: sorted(labelled(f"{day}.txt"), key=lambda each: each.minute) for day in arguments.parse_args().days}
    data = {day: pairs(accounts) for day, accounts in days.items()}
    data["reports"] = pairs(
        Account(each.name, each.event, False, each.family, "en", each.minute, each.headline, each.text)
        for each in REPORTS
    )
    for day, accounts in days.items():
        others = [each for name, each in data.items() if name != day]
        evidence.FITTED, evidence.BIAS = fitted(*map(np.concatenate, zip(*others, strict=True)))  # type: ignore[misc]
        got = measure(accounts, None)
        print(
            f"{day}, by the others: gathered P {got.precision:.3f} R {got.recall:.3f}, counted P {got.counted_precision:.3f} "
            f"R {got.counted_recall:.3f}, across languages {got.across[0]} of {got.across[1]}"
        )
    print(*fitted(*map(np.concatenate, zip(*data.values(), strict=True))))


if __name__ == "__main__":
    main()
