"""What ends an update, for a while or for ever, and what comes after it."""

import pytest

from enrich.text.domain.adoption import adopt
from enrich.text.domain.visibility import due_of
from support.folding import fold, step
from support.incoming import minute, order, version


def test_a_takedown_after_a_kill_says_more_and_a_kill_after_a_takedown_nothing() -> None:
    """Only a takedown destroys what is stored, so it must go out though the update is killed already."""
    _, revisions = fold([version(1), order("kill", 2), order("takedown", 3), order("kill", 4)])
    assert [each.removal for each in revisions] == [None, "killed", "taken-down"]


def test_what_a_source_says_after_a_withdrawal_comes_out() -> None:
    """A withdrawal is of what was said before it; the same version again is nothing new."""
    withdrawn = [version(1), order("withdraw", 2)]
    assert [each.removal for each in fold([*withdrawn, version(1)])[1]] == [None, "withdrawn"]
    _, revisions = fold([*withdrawn, version(3)])
    assert [(each.removal, each.version) for each in revisions] == [(None, "1"), ("withdrawn", "1"), (None, "3")]


def test_of_two_moments_the_earlier_is_waited_for() -> None:
    """A public version expires before the embargo of the next one ends."""
    state, _ = fold([version(1, expires_at=minute(60)), version(2, embargo_until=minute(90))], now=minute(5))
    assert due_of(state) == (minute(60), "expiry")
    state, _ = fold([version(1, expires_at=minute(90)), version(2, embargo_until=minute(60))], now=minute(5))
    assert due_of(state) == (minute(60), "embargo")


def test_the_end_of_an_embargo_is_not_the_end_of_the_update() -> None:
    """What came out at its moment stays until its expiry, of which it still hears."""
    raw = version(1, embargo_until=minute(60), expires_at=minute(90))
    state, revisions = fold([raw], now=minute(61))
    assert [each.removal for each in revisions] == [None]
    assert due_of(state) == (minute(90), "expiry")
    _, revisions = fold([raw], now=minute(91))
    assert [each.removal for each in revisions] == [None, "expired"]


@pytest.mark.parametrize("name", ["withdraw", "expire", "kill", "takedown"])
def test_a_removal_that_is_adopted_is_one(name: str) -> None:
    """What was removed before a crash is believed to be out of sight after it, as if it had been removed here."""
    public, _ = fold([version(1)])
    here, removal, transition = step(order(name, 2), public, minute(2))
    assert removal is not None
    adopted = adopt(transition.state, removal.update)
    assert not adopted.is_public
    assert adopted.revision == here.revision
    assert adopted.last_published == here.last_published
