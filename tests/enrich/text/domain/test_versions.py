"""The order of versions, and embargoes."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from enrich.text.domain.state import State
from enrich.text.domain.versions import version_order
from enrich.text.domain.visibility import due_of
from support.folding import UPDATE, fold, step
from support.incoming import minute, version


def test_an_embargo_that_is_over_when_its_version_is_received_holds_nothing() -> None:
    """The moment of receipt decides, also where it is the very end."""
    for until in (minute(1), minute(0.5)):
        _, revisions = fold([version(1, embargo_until=until)], now=minute(1))
        assert [each.first_published_at for each in revisions] == [minute(1)]


@pytest.mark.parametrize("arrival", [[0, 1], [1, 0]])
def test_a_version_that_was_received_after_the_embargo_of_another_finds_it_open(arrival: list[int]) -> None:
    """Its source speaks of an update that is out: that one shows, under its own time and reason, and nothing of the new one."""
    first = version(1, embargo_until=minute(60), correction_reason="Of the first", signal="correction")
    second = version(2, at=61, embargo_until=minute(90), correction_reason="Of the second", signal="correction")
    messages = [first, second]
    state, revisions = fold([messages[place] for place in arrival], now=minute(62))
    assert [(each.version, each.first_published_at, each.change.reason) for each in revisions] == [
        ("1", minute(60), "Of the first")
    ]
    assert revisions[0].passport.received_at == minute(60)
    assert due_of(state) == (minute(90), "embargo")


def test_the_margin_of_a_source_is_added_to_its_embargo() -> None:
    """A source whose clock is fast is released by ours."""
    state, revision, _ = step(version(1, embargo_until=minute(60)), State(update_id=UPDATE), minute(60), margin_s=30)
    assert revision is None
    assert due_of(state) == (minute(60.5), "embargo")


def test_an_embargo_across_the_change_of_the_clocks_is_an_instant() -> None:
    """02:30 of the night when clocks go back, said with its offset, is released at that instant and not an hour off."""
    until = datetime.fromisoformat("2026-10-25T02:30:00+01:00")
    early = datetime(2026, 10, 25, 0, 45, tzinfo=UTC)
    raw = version(1, received_at=early - timedelta(hours=3), version_created=None, embargo_until=until)
    state, revision, _ = step(raw, State(update_id=UPDATE), early)
    assert revision is None
    assert due_of(state)[0] == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("older", "newer"), [("9", "10"), ("99999999999999999999", "100000000000000000000"), ("draft", "1")]
)
def test_versions_of_one_moment_are_ordered_as_numbers(older: str, newer: str) -> None:
    """Ten follows nine, however large the numbers are; what is no number comes before any."""
    assert version_order(version(1, version=older)) < version_order(version(1, version=newer))


BEGINNING = datetime.fromtimestamp(0, UTC)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_version_whose_time_is_not_believed_stands_behind_what_it_counts_from(order: tuple[int, ...]) -> None:
    """It follows what was made until then, and is followed by what was made before its own receipt."""
    messages = [
        version(1, at=0),
        version(2, version_created=None, received_at=minute(7), counts_from=minute(0)),
        version(3, version_created=minute(5), received_at=minute(9)),
    ]
    state, _ = fold([messages[place] for place in order])
    assert state.current_version.raw.version == "3"
    state, _ = fold([messages[place] for place in order if place < 2])
    assert state.current_version.raw.version == "2"


def test_a_version_whose_time_is_not_believed_follows_what_enrich_had_before_it() -> None:
    """Though ingest knew of nothing before it; what comes next is newer all the same."""
    wrong = version(2, version_created=None, received_at=minute(7), counts_from=BEGINNING)
    following = version(3, version_created=minute(5), received_at=minute(9))
    assert fold([version(1, at=0), wrong])[0].current_version.raw.version == "2"
    assert fold([version(1, at=0), wrong, following])[0].current_version.raw.version == "3"
    assert fold([following, wrong])[0].current_version.raw.version == "3"
