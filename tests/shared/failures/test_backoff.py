"""Pauses between attempts."""

import pytest

from shared.background import BACKOFF
from shared.failures.backoff import Backoff, jittered


def test_pauses_grow_by_their_factor_up_to_the_longest() -> None:
    """The first failure waits the first pause, and any number of failures is no overflow."""
    backoff = Backoff(first_s=2.0, longest_s=100.0, factor=4.0)
    assert [backoff.mean_s(count) for count in (0, 1, 2, 3, 4, 10**9)] == [2, 2, 8, 32, 100, 100]


def test_jitter_keeps_to_its_part() -> None:
    """Who waits does not come back with everybody else, and not much earlier or later."""
    pauses = [jittered(10.0, 0.1) for _ in range(200)]
    assert all(9.0 <= pause <= 11.0 for pause in pauses)
    assert len(set(pauses)) > 100


@pytest.mark.parametrize("failures", [1, 5, 50, 5000, 10**9])
def test_background_work_is_back_a_few_seconds_after_an_outage(failures: int) -> None:
    """However long it was."""
    assert 0.15 < BACKOFF.pause_s(failures) <= BACKOFF.longest_s * 1.2
    assert BACKOFF.pause_s(5000) >= BACKOFF.longest_s * 0.8
