"""The ceiling on dead letters: in a row, and of a window."""

import pytest

from shared.consumer.ceiling import MOST_IN_A_ROW, MOST_SHARE, WINDOW, Ceiling
from shared.failures import Transient


def test_so_many_in_a_row_are_taken_and_one_more_halts() -> None:
    """Checked before they are counted, and for good."""
    ceiling = Ceiling("stage")
    for _ in range(MOST_IN_A_ROW):
        ceiling.check(1, 1)
        ceiling.count(1, 1)
    with pytest.raises(Transient):
        ceiling.check(1, 1)
    with pytest.raises(Transient):
        ceiling.check()
    assert ceiling.halted


def test_a_good_message_ends_a_row() -> None:
    """A few bad ones among good ones never halt."""
    ceiling = Ceiling("stage")
    for _ in range(3):
        ceiling.check(MOST_IN_A_ROW, MOST_IN_A_ROW)
        ceiling.count(MOST_IN_A_ROW, MOST_IN_A_ROW)
        ceiling.count(MOST_IN_A_ROW * 9, 0)
    assert not ceiling.halted


def test_a_check_that_is_not_counted_adds_nothing() -> None:
    """An outage of the dead-letter topic repeats the same check."""
    ceiling = Ceiling("stage")
    for _ in range(10):
        ceiling.check(MOST_IN_A_ROW - 1, MOST_IN_A_ROW - 1)
    assert not ceiling.halted


def test_too_large_a_share_of_a_full_window_halts() -> None:
    """Though there is a good one after each."""
    ceiling = Ceiling("stage")
    bad = int(WINDOW * MOST_SHARE)
    for _ in range(bad):
        ceiling.count(1, 1)
        ceiling.count(1, 0)
    ceiling.count(WINDOW - 2 * bad, 0)
    ceiling.check(2, 0)
    ceiling.count(1, 1)
    ceiling.check()
    assert not ceiling.halted
    with pytest.raises(Transient):
        ceiling.check(2, 2)
