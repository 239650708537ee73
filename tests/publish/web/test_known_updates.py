"""What a replica knows of updates that it does not show."""

from datetime import UTC, datetime

from publish.archive.standings import LastChange, Standing
from publish.representation.position import Position
from publish.web.known_updates import CLOCKS_DIFFER_S, NOTHING, KnownUpdates


def standing(revision: int = 1) -> Standing:
    """Where an update stands."""
    return Standing(revision, None, Position(1, revision), Position(1, 1))


def at(seconds: float) -> datetime:
    """A moment."""
    return datetime.fromtimestamp(seconds, UTC)


def test_what_changed_last_is_known_longest() -> None:
    """The update whose last change is oldest goes first, and what was received before that may be a repeat of it."""
    now = [1000.0]
    known = KnownUpdates(2, lambda: now[0])
    known.reset([])
    assert known.is_news(at(0))
    for moment, update_id in ((1000.0, "a"), (2000.0, "b"), (3000.0, "a"), (4000.0, "c")):
        now[0] = moment
        known.note(update_id, standing())
    assert (known.get("b"), len(known)) == (None, 2)
    assert known.get("a") is not None
    assert not known.is_news(at(1999))
    assert not known.is_news(at(2000 + CLOCKS_DIFFER_S))
    assert known.is_news(at(2001 + CLOCKS_DIFFER_S))


def test_a_snapshot_that_is_cut_off_says_so() -> None:
    """Where the archive may know more than was loaded, what was received before may repeat it; where not, nothing may."""
    known = KnownUpdates(2, lambda: 5000.0)
    newest, older = LastChange("newest", standing(3), 4000.0), LastChange("older", standing(2), 3000.0)
    known.reset([newest])
    assert known.is_news(at(0))
    assert known.forgotten == NOTHING
    known.reset([newest, older])
    assert not known.is_news(at(2999))
    assert known.is_news(at(3001 + CLOCKS_DIFFER_S))
    assert known.forgotten == (1, 2)
    known.note("another", standing())
    assert known.get("older") is None
    assert known.get("newest") == standing(3)
    known.note("one more", standing())
    assert (known.horizon, known.forgotten) == (4000.0, (1, 3))


def test_a_replica_starts_with_fewer_and_learns_the_others() -> None:
    """What the archive was not asked for may be repeated; what changes from then on is kept up to the limit."""
    known = KnownUpdates(3, lambda: 5000.0, at_start=1)
    known.reset([LastChange("newest", standing(3), 4000.0)])
    assert not known.is_news(at(3999))
    assert known.forgotten == (1, 3)
    for name in ("one more", "another"):
        known.note(name, standing())
    assert known.get("newest") == standing(3)
    assert known.horizon == 4000.0
