"""An editor's word stands: what readers get of corrected updates, over whole histories."""

import itertools
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrich.text.domain.corrections.history import MOST_VERSIONS
from enrich.text.domain.corrections.published import headline_and_body
from enrich.text.domain.lifecycle import Input, decide
from enrich.text.domain.state import State
from shared.messages import RawUpdate, Release
from support.folding import UPDATE, fold, seen, step
from support.incoming import minute, order, version

WRONG = "<p>Prices rose 20 percent in May, the office said.</p>"
RIGHT = "<p>Prices rose 12 percent in May, the office said.</p>"
NEWS = "<p>Bread was dearest.</p>"


def said(number: int, body: str = WRONG, **more: Any) -> RawUpdate:
    """A version with a body, whose headline stays."""
    return version(number, **{"headline": "Prices rise 20 percent", "body_html": body, **more})


def corrected(at: float, body: str = RIGHT, **more: Any) -> Input:
    """A desk's correction of the body."""
    return order("correct", at, body_html=body, reason="The office said 12 percent", **more)


def bodies(messages: Sequence[Input]) -> list[str]:
    """The bodies that readers get, one after another."""
    return [each.body_html for each in fold(messages)[1]]


def told(messages: Sequence[Input]) -> list[tuple[str, str, str]]:
    """The open conflicts after a history: what they are about, what the desk says, what the source says."""
    return [(each.matter, each.desk, each.source) for each in fold(messages)[0].conflicts]


UNDATED = said(1, version=None, version_created=None)


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        pytest.param(UNDATED.model_copy(update={"received_at": minute(5)}), RIGHT, id="the old text is sent again"),
        pytest.param(said(5), RIGHT, id="a version with the same text"),
        pytest.param(said(5, WRONG + NEWS), RIGHT + NEWS, id="a version with the same mistake and a sentence more"),
        pytest.param(said(5, RIGHT + NEWS), RIGHT + NEWS, id="the source corrects it as well"),
        pytest.param(said(5, NEWS), NEWS, id="the source takes the sentence out"),
    ],
)
def test_a_corrected_mistake_is_not_published_again(later: RawUpdate, expected: str) -> None:
    """Whatever the source sends after the desk's correction."""
    history = [UNDATED, corrected(2), later]
    assert bodies(history)[1] == RIGHT
    assert bodies(history)[-1] == expected
    assert told(history) == []


def test_a_replay_of_the_wire_day_changes_nothing() -> None:
    """Every version again, dated or not, received hours later: readers keep the desk's words."""
    day = [said(1, WRONG.replace("20", "25")), said(2), said(3, WRONG + NEWS)]
    for dated in (True, False):
        versions = day if dated else [each.model_copy(update={"version_created": None}) for each in day]
        again = [each.model_copy(update={"received_at": each.received_at + timedelta(hours=3)}) for each in versions]
        for replayed in itertools.permutations(again):
            _, revisions = fold([*versions, corrected(4, RIGHT + NEWS), *replayed])
            assert {each.body_html for each in revisions[3:]} == {RIGHT + NEWS}


def test_where_both_change_the_same_words_the_desks_stand_and_it_is_told() -> None:
    """Until the source says the same; each conflict is told once."""
    history: list[Input] = [said(1), corrected(2), said(3, WRONG.replace("20", "22"))]
    assert bodies(history)[-1] == RIGHT
    assert told(history) == [("body", "12", "22")]
    state, _ = fold(history)
    again = decide(said(4, WRONG.replace("20", "22") + NEWS), state)
    assert again.conflicts == ()
    assert len(again.state.conflicts) == 1
    assert told([*history, said(4, RIGHT)]) == []


def test_what_the_source_has_taken_over_is_the_sources_again() -> None:
    """A number that it then changes passes; the mistake itself does not come back."""
    history = [said(1), corrected(2), said(3, RIGHT), said(4, RIGHT.replace("12", "13"))]
    assert bodies(history)[-1] == RIGHT.replace("12", "13")
    assert told(history) == []
    assert bodies([*history[:3], said(5, WRONG + NEWS)])[-1] == RIGHT + NEWS


def test_a_mistake_that_comes_back_later_is_not_published() -> None:
    """The source takes the sentence out, and brings it back in another version."""
    assert bodies([said(1), corrected(2), said(3, NEWS), said(4, NEWS + WRONG)])[-1] == NEWS + RIGHT


def test_corrections_build_on_one_another() -> None:
    """Each is made of the text with those before it."""
    second = (RIGHT + NEWS).replace("dearest", "cheapest")
    history = [
        said(1),
        corrected(2),
        said(3, WRONG + NEWS),
        corrected(4, second),
        said(5, WRONG + NEWS + "<p>End.</p>"),
    ]
    assert bodies(history)[-1] == second + "<p>End.</p>"
    assert told(history) == []


def test_a_correction_of_an_older_page_is_merged_with_what_came_since() -> None:
    """The order names the revision that the desk had before it: the source's news and another desk's correction stay."""
    other = (WRONG + NEWS).replace("dearest", "cheapest")
    base = said(1, WRONG + NEWS)
    history = [base, corrected(2, other), said(3, WRONG + NEWS + "<p>End.</p>"), corrected(4, RIGHT + NEWS, revision=1)]
    assert bodies(history)[-1] == (RIGHT + NEWS).replace("dearest", "cheapest") + "<p>End.</p>"


def test_a_correction_of_a_page_that_is_forgotten_stands_as_a_whole_and_is_told() -> None:
    """What it was made of is not known: nothing is merged, and the desk decides."""
    versions = [said(number, f"<p>Version {number}.</p>") for number in range(1, MOST_VERSIONS + 4)]
    history = [*versions, corrected(50, RIGHT, revision=1)]
    assert bodies(history)[-1] == RIGHT
    assert [each[0] for each in told(history)] == ["body"]


def test_a_headline_is_corrected_in_the_same_way() -> None:
    """The wrong number stays away from a headline that the source writes anew."""
    history = [
        said(1),
        order("correct", 2, headline="Prices rise 12 percent"),
        said(3, headline="Prices soar 20 percent"),
    ]
    state, revisions = fold(history)
    assert revisions[-1].headline == "Prices soar 12 percent"
    state, revisions = fold([*history, said(4, headline="Prices soar 30 percent")])
    assert revisions[-1].headline == "Prices soar 12 percent"
    assert state.conflicts[0].matter == "headline"


def test_the_change_that_readers_are_shown_is_from_what_they_had() -> None:
    """A version that brings the mistake and a sentence shows the sentence alone."""
    _, revisions = fold([said(1), corrected(2), said(3, WRONG + NEWS)])
    assert [sign for sign, _ in revisions[1].change.diff] == ["=", "-", "+", "="]
    assert [words.strip() for sign, words in revisions[2].change.diff if sign != "="] == ["Bread was dearest."]
    assert revisions[1].kind == "correct"


def test_a_correction_of_a_held_version_holds_once_it_is_published() -> None:
    """It was made of what the desk saw before the embargo ended; a correction of the open version goes along."""
    held = said(1, embargo_until=minute(60))
    _, revisions = fold([held, corrected(2), Release(update_id=UPDATE, due_at=minute(60)), said(61, WRONG + NEWS)])
    assert [each.body_html for each in revisions] == [RIGHT, RIGHT + NEWS]
    held = said(2, WRONG + NEWS, embargo_until=minute(60))
    assert bodies([said(1), held, corrected(3), Release(update_id=UPDATE, due_at=minute(60))])[-1] == RIGHT + NEWS


def test_withdrawn_and_back_it_is_corrected() -> None:
    """What hides an update takes no correction away; a kill takes all words."""
    history = [said(1), corrected(2), order("withdraw", 3), said(4, WRONG + NEWS), order("restore", 5)]
    assert bodies(history)[-1] == RIGHT + NEWS
    state, revisions = fold([*history, said(6, WRONG.replace("20", "22")), order("kill", 7)])
    assert (revisions[-1].is_final, state.conflicts, state.earlier, state.desk_decisions) == (True, (), (), {})


def test_the_sources_words_are_accepted_by_an_order() -> None:
    """Where they are in conflict; what else was corrected stands, and what the source says later passes."""
    two = (WRONG + NEWS).replace("dearest", "dearst")
    right = RIGHT + NEWS
    source = two.replace("20", "22")
    history = [said(1, two), corrected(2, right), said(3, source), order("accept-source", 4, revision=3)]
    assert bodies(history)[-1] == right.replace("12", "22")
    assert told(history) == []
    assert bodies([*history, said(5, source.replace("22", "23"))])[-1] == right.replace("12", "23")


def test_the_desks_words_are_kept_by_an_order() -> None:
    """The conflict is over, also for later versions that leave the words; another change of them is another conflict."""
    source = WRONG.replace("20", "22")
    history = [said(1), corrected(2), said(3, source), order("keep-correction", 4, revision=3)]
    assert bodies(history)[-1] == RIGHT
    assert told(history) == []
    assert bodies([*history, said(5, source + NEWS)])[-1] == RIGHT + NEWS
    assert told([*history, said(5, source + NEWS)]) == []
    assert told([*history, said(5, WRONG.replace("20", "23"))]) == [("body", "12", "23")]
    assert bodies([*history, said(5, WRONG + NEWS)])[-1] == RIGHT + NEWS


def test_what_the_source_said_after_the_decision_was_looked_at_is_not_accepted() -> None:
    """The order names a revision: a number that came meanwhile passes, since the source's words were accepted there."""
    history = [said(1), corrected(2), said(3, WRONG.replace("20", "22")), said(4, WRONG.replace("20", "22") + WRONG)]
    accepted = [*history, order("accept-source", 5, revision=3)]
    assert bodies(accepted)[-1] == WRONG.replace("20", "22") + WRONG


def test_a_decision_that_comes_again_changes_nothing() -> None:
    """Nor does the correction that it decided about."""
    history = [said(1), corrected(2), said(3, WRONG.replace("20", "22")), order("accept-source", 4)]
    state, _ = fold(history)
    for repeat in history:
        after, revision, transition = step(repeat, state, minute(500))
        assert (revision, transition.outcome) in ((None, "duplicate"), (None, "superseded"))
        assert headline_and_body(after) == headline_and_body(state)


def test_nothing_is_decided_where_no_correction_is() -> None:
    """Orders about conflicts of an update that nobody corrected are duplicates."""
    state, _ = fold([said(1)])
    assert decide(order("accept-source", 2), state).outcome == "duplicate"
    assert decide(order("keep-correction", 2), state).state == state


@pytest.mark.parametrize("number", [2, MOST_VERSIONS + 5])
def test_a_correction_outlasts_the_memory_of_versions(number: int) -> None:
    """However many versions follow, each with the mistake and something new."""
    later = [said(10 + each, WRONG + f"<p>Version {each} came.</p>") for each in range(number)]
    history = [said(1), corrected(2), *later]
    assert bodies(history)[-1] == RIGHT + f"<p>Version {number - 1} came.</p>"
    assert all("20 percent" not in each for each in bodies(history)[1:])
    assert len(fold(history)[0].earlier) <= MOST_VERSIONS


def test_a_row_of_a_release_that_remembered_nothing_is_read_as_it_was_meant() -> None:
    """Its correction holds until the source changes the text, and a newer one is merged."""
    state, _ = fold([said(1), corrected(2)])
    decision = state.desk_decisions["body"].model_copy(update={"revision": None})
    old = state.model_copy(update={"desk_decisions": {"body": decision}})
    assert headline_and_body(decide(said(3, WRONG, keywords=("x",)), old).state)[1] == RIGHT
    changed = decide(said(3, WRONG + NEWS), old).state
    assert headline_and_body(changed)[1] == WRONG + NEWS
    again = decide(corrected(4, RIGHT + NEWS), changed).state
    assert headline_and_body(decide(said(5, WRONG + NEWS + NEWS), again).state)[1] == RIGHT + NEWS + NEWS


def test_the_state_is_read_from_its_row_as_it_was() -> None:
    """With versions remembered, replaced words, and a version number that is longer than any integer of a database."""
    history = [
        said(1, version="9" * 40),
        corrected(2),
        said(3, WRONG + NEWS),
        said(4, WRONG.replace("20", "22")),
        order("keep-correction", 5),
    ]
    state, _ = fold(history)
    assert State.model_validate_json(state.model_dump_json(exclude_defaults=True)) == state


@st.composite
def histories(draw: st.DrawFn) -> list[Input]:
    """Versions that add, move and take over sentences, and corrections among them."""
    lines = st.lists(
        st.sampled_from([WRONG, RIGHT, NEWS, WRONG.replace("20", "22"), "<p>End.</p>"]), min_size=1, max_size=4
    )
    messages: list[Input] = [
        said(number, "".join(draw(lines)), version_created=draw(st.sampled_from([minute(number), None])))
        for number in range(1, draw(st.integers(2, 5)))
    ]
    for number in range(draw(st.integers(1, 3))):
        at = draw(st.integers(1, 6)) + (number + 1) / 10
        messages.append(corrected(at, "".join(draw(lines))))
    return messages


@settings(max_examples=300, deadline=None)
@given(histories(), st.data())
def test_any_order_of_arrival_with_repeats_ends_in_the_same_words_and_conflicts(
    history: list[Input], data: st.DataObject
) -> None:
    """The text is a function of the versions and of the newest correction."""
    again = data.draw(st.lists(st.sampled_from(history), max_size=3))
    shuffled = data.draw(st.permutations([*history, *again]))
    one, first = fold(history)
    other, second = fold(shuffled)
    assert seen(first) == seen(second)
    assert {each.words for each in one.conflicts} == {each.words for each in other.conflicts}
