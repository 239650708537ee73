"""What becomes of an alert, for the newsroom and for each reader."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publish.push.alerts.rules import (
    AlertRules,
    EarlierAlert,
    Reader,
    Rule,
    decide_alert,
    decide_for_reader,
    is_quiet,
    read_rules,
)
from shared.messages import Passport
from support.revisions import NOON, revision

READER = Reader("Europe/Kyiv", time(22), time(7), 1, 4, 12)


@pytest.mark.parametrize(
    ("at", "quiet"),
    [
        ("2026-01-10T19:59", False),
        ("2026-01-10T20:00", True),
        ("2026-01-11T04:59", True),
        ("2026-01-11T05:00", False),
        ("2026-03-29T03:59", True),
        ("2026-03-29T04:00", False),
        ("2026-07-10T19:00", True),
        ("2026-07-10T18:59", False),
    ],
)
def test_quiet_hours_go_by_the_readers_clock_over_midnight_and_daylight_saving(at: str, quiet: bool) -> None:
    """22:00 to 07:00 in Kyiv is two hours earlier in UTC in winter and three in summer, the night of the change included."""
    assert is_quiet(READER, datetime.fromisoformat(at).replace(tzinfo=UTC)) is quiet


@given(
    st.integers(1, 3), st.integers(0, 3), st.integers(0, 9), st.integers(0, 20), st.datetimes(timezones=st.just(UTC))
)
def test_nothing_is_dropped_and_the_break_through_level_always_comes(
    level: int, break_through: int, hour: int, day: int, now: datetime
) -> None:
    """A reader gets an alert now or in a digest with its reason; the top level comes through, unless the reader wants no break-through."""
    reader = Reader("UTC", time(22), time(7), break_through, 4, 12, hour, day)
    turn = decide_for_reader(reader, level, now)
    assert (turn.result == "send") is (not turn.reason)
    if level == 1 and break_through >= 1:
        assert turn.result == "send"
    if level > break_through and is_quiet(reader, now):
        assert turn.result == "digest"


def _decide(update: object, level: int, *earlier: EarlierAlert, people: int = 0, now: datetime = NOON) -> str:
    return decide_alert(
        update, level, "why", rules=AlertRules(), earlier=earlier, people=people, readable=True, now=now  # type: ignore[arg-type]
    ).state  # fmt: skip


def test_a_story_is_alerted_once_unless_it_escalates() -> None:
    """A later alert of the story at the same level stays, a more pressing one leaves, and so does one after the hours of a story."""
    update = revision("b", story="s")
    before = EarlierAlert("other", "s", 2, NOON - timedelta(hours=1))
    assert _decide(update, 2, before) == "suppressed"
    assert _decide(update, 3, before) == "suppressed"
    assert _decide(update, 1, before, people=2) == "sending"
    assert _decide(update, 2, EarlierAlert("other", "s", 2, NOON - timedelta(hours=13))) == "sending"
    assert _decide(revision("b"), 2, before) == "sending"


def test_the_top_level_waits_for_people_and_age_does_not_bind_an_editor() -> None:
    """One person is not enough for the top level; an editor may alert readers to what is old, a rule may not."""
    assert _decide(revision("a"), 1) == "awaiting-approval"
    assert _decide(revision("a"), 1, people=1) == "awaiting-approval"
    assert _decide(revision("a"), 1, people=2) == "sending"
    late = NOON + timedelta(hours=1)
    assert _decide(revision("a"), 2, now=late) == "suppressed"
    assert _decide(revision("a"), 2, people=1, now=late) == "sending"


def test_the_most_pressing_rule_that_holds_counts() -> None:
    """All that a rule names must hold; no rule, no alert."""
    rules = AlertRules(rules=(Rule(level=3, sources=("wire",)), Rule(level=2, channels=("tag:t",), urgency_at_most=3)))
    passport = Passport(received_at=NOON)
    assert rules.level_of(revision("a", passport=passport)) == (3, "source wire")
    assert rules.level_of(revision("a", tags=["t"], urgency=3)) == (2, "urgency up to 3, channel tag:t")
    assert rules.level_of(revision("a", source="other", tags=["t"], urgency=4)) is None


def test_rules_are_read_from_a_file(tmp_path: Path) -> None:
    """A newsroom's own file takes the place of the built-in rules; a mistake in it is named."""
    file = tmp_path / "rules.json"
    file.write_text('{"rules": [{"level": 2, "key_event": true}], "per_hour": 2}')
    assert read_rules(file).per_hour == 2
    file.write_text('{"rules": [{"level": 7}]}')
    with pytest.raises(ValueError, match="level"):
        read_rules(file)
