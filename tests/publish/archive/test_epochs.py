"""When a log is another one than the archive knows."""

import pytest

from publish.archive.epochs import Epoch, Log, reason_for_new_epoch

KNOWN = Epoch(3, "cluster", 0, 41, "x:1")


@pytest.mark.parametrize(
    ("known", "seen", "another"),
    [
        (KNOWN, Log("cluster", 0, 42, "x:1"), False),
        (KNOWN, Log("another", 0, 42, "x:1"), False),
        (KNOWN, Log("cluster", 50, 60, None), False),
        (KNOWN, Log("another", 50, 60, None), True),
        (KNOWN, Log("cluster", 0, 41, None), True),
        (KNOWN, Log("cluster", 0, 42, "y:1"), True),
        (KNOWN, Log("cluster", 0, 0, None), True),
        (Epoch(1, "cluster", 0, -1, ""), Log("another", 0, 7, None), False),
        (None, Log("cluster", 0, 0, None), True),
    ],
)
def test_a_log_is_another_one_when_it_does_not_hold_what_was_archived_of_it(
    known: Epoch | None, seen: Log, another: bool
) -> None:
    """Content decides, not the name of the cluster, unless retention has taken what could be compared."""
    assert (reason_for_new_epoch(known, seen) is not None) is another
