"""A revision that comes again changes nothing, whatever it says by then: readers keep the first of each number."""

import pytest

from publish.representation.position import fold, supersedes
from support.revisions import revision

FIRST = revision("a", 2, headline="What was published")
AGAIN = revision("a", 2, headline="Made again with other words")


def test_of_each_number_the_first_counts() -> None:
    """Also where the repeat came out otherwise, as after a crash of who made it."""
    assert not supersedes(AGAIN, FIRST)
    [seen] = fold([((1, 0), FIRST), ((1, 1), AGAIN)])
    assert seen.update.headline == "What was published"
    [seen] = fold([((1, 0), FIRST), ((1, 1), revision("a", 1)), ((1, 2), AGAIN)])
    assert seen.update == FIRST


@pytest.mark.parametrize("removal", ["killed", "taken-down"])
def test_a_final_removal_wins_whatever_its_number(removal: str) -> None:
    """And nothing wins over it."""
    killed = revision("a", 1, removal=removal)
    assert supersedes(killed, FIRST)
    assert not supersedes(revision("a", 9), killed)
    assert fold([((1, 0), FIRST), ((1, 1), killed), ((1, 2), revision("a", 9))]) == []


def test_a_removal_that_is_not_final_is_a_revision_like_any_other() -> None:
    """An older one changes nothing, and a later text brings the update back."""
    withdrawn = revision("a", 3, removal="withdrawn")
    assert supersedes(withdrawn, FIRST)
    assert not supersedes(revision("a", 1, removal="withdrawn"), FIRST)
    assert supersedes(revision("a", 4), withdrawn)
