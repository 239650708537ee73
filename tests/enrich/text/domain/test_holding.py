"""What waits for a desk: no trace of it before the release, whatever comes meanwhile, and a kill that ends it."""

from collections.abc import Sequence

import pytest

from enrich.text.domain.holding.why import if_released
from enrich.text.domain.lifecycle import Input
from enrich.text.domain.state import State
from enrich.text.domain.visibility import due_of, status_of
from shared.messages import EnrichedUpdate, Flags, Hold, Order, RawUpdate, Release
from shared.messages.powers import OF_A_WIRE, POWERS
from support.folding import UPDATE, step
from support.incoming import minute, order, version

ADVISORY = Hold(kind="advisory", because="genre dpatextgenre:27 (Achtung)")
POLICY = Hold(kind="policy", because="all copy of this source waits for a desk")


def held(number: int = 1, hold: Hold = ADVISORY, **said: object) -> RawUpdate:
    """A version that a rule of ingest holds."""
    return version(number, status="held", hold=hold, **said)


def after(*messages: Input) -> tuple[State, list[EnrichedUpdate], list[str | None]]:
    """The state, the revisions, and what became of each message."""
    state, revisions, outcomes = State(update_id=UPDATE), [], []
    for message in messages:
        state, revision, transition = step(message, state, minute(500))
        state = State.model_validate_json(state.model_dump_json(exclude_defaults=True))
        revisions += [revision.update] if revision is not None else []
        outcomes.append(transition.outcome)
    return state, revisions, outcomes


def words(revisions: Sequence[EnrichedUpdate]) -> list[tuple[str, str]]:
    """Kind and headline of each revision."""
    return [(each.kind, each.headline) for each in revisions]


def test_a_held_update_leaves_no_trace_until_it_is_released_with_its_newest_words() -> None:
    """Later versions stay held, an older one that is late does not slip out, and the release is the time of publication."""
    state, revisions, outcomes = after(held(2), version(3), version(1), order("pin", 4))
    assert (revisions, outcomes) == ([], ["held", "held", "superseded", "held"])
    assert (status_of(state), due_of(state)[0], state.hold, state.hold_since) == ("held", None, ADVISORY, minute(2))

    state, revisions, _ = after(held(2), version(3), order("pin", 4), order("release", 30))
    assert words(revisions) == [("publish", "Ministers meet for the 3. time")]
    assert (revisions[0].first_published_at, revisions[0].flags.pinned) == (minute(30), True)
    assert (state.hold, state.hold_since, state.held) == (None, None, None)


def test_an_edit_applies_before_the_release_and_to_what_comes_later() -> None:
    """The desk edits what waits, a newer version comes, and both are in what readers get."""
    edited = order("correct", 2, headline="Ministers meet in private", reason="style")
    newer = version(3, headline="Ministers meet for the 1. time", body_html="<p>They met twice.</p>")
    _, revisions, outcomes = after(held(1), edited, newer, order("release", 5))
    assert outcomes == ["held", "held", "held", "enriched"]
    assert [(each.kind, each.headline, each.text) for each in revisions] == [
        ("publish", "Ministers meet in private", "They met twice.")
    ]
    assert not revisions[0].change.reason


def test_a_kill_a_withdrawal_or_a_spike_ends_it() -> None:
    """A kill is final and wordless; a withdrawal takes it from the list; what is spiked comes back by a release alone."""
    killed, revisions, _ = after(held(1), order("kill", 2), order("release", 3), version(4))
    assert (killed.final, killed.hold, killed.held) == ("killed", None, None)
    assert not any(each.headline or each.text or each.guid for each in revisions)

    for ending in (order("withdraw", 2), order("spike", 2), order("expire", 2), order("supersede", 2)):
        state, revisions, _ = after(held(1), ending, held(3))
        assert (revisions, state.hold_since) == ([], None)
        assert words(after(held(1), ending, order("release", 4))[1]) == [("publish", "Ministers meet for the 1. time")]
    withdrawn, revisions, _ = after(held(1), version(2, status="withheld"))
    assert (revisions, withdrawn.hold) == ([], None)


def test_what_is_spiked_is_looked_at_again_when_it_is_something_else() -> None:
    """A version that no rule holds, of an update that was spiked as an advisory, is not lost: it is on the list again."""
    state, revisions, _ = after(held(1), order("spike", 2), version(3))
    assert (revisions, state.spiked, state.hold_since) == ([], False, minute(3))


def test_what_is_out_stays_out_while_an_advisory_about_it_waits() -> None:
    """The advisory is not shown, the words before it are; a version that nothing holds goes out over it."""
    state, revisions, outcomes = after(version(1), held(2))
    assert (words(revisions), outcomes) == ([("publish", "Ministers meet for the 1. time")], ["enriched", "held"])
    assert (state.is_public, state.hold_since) == (True, minute(2))
    state, revisions, _ = after(version(1), held(2), version(3))
    assert words(revisions)[1:] == [("update", "Ministers meet for the 3. time")]
    assert state.hold is None
    assert words(after(version(1), held(2), order("spike", 3))[1]) == [("publish", "Ministers meet for the 1. time")]
    assert words(after(version(1), held(2), order("release", 3))[1])[1:] == [
        ("update", "Ministers meet for the 2. time")
    ]


def test_a_rule_may_withdraw_what_is_out_until_a_desk_decides() -> None:
    """A spike gives it back, a release publishes the new words."""
    rule = ADVISORY.model_copy(update={"withdraws": True})
    assert [each.removal for each in after(version(1), held(2, rule))[1]] == [None, "withdrawn"]
    assert words(after(version(1), held(2, rule), order("spike", 3))[1])[-1] == (
        "publish", "Ministers meet for the 1. time",
    )  # fmt: skip
    assert words(after(version(1), held(2, rule), order("release", 3))[1])[-1][1] == "Ministers meet for the 2. time"


def test_what_a_desk_released_is_not_held_again_for_the_same_reason() -> None:
    """But every version of a source whose copy waits for a desk is."""
    assert len(after(held(1), order("release", 2), held(3))[1]) == 2
    state, revisions, _ = after(held(1, POLICY), order("release", 2), held(3, POLICY))
    assert (len(revisions), state.hold, state.hold_since) == (1, POLICY, minute(3))


def test_a_source_that_is_never_published_is_not_released() -> None:
    """Whatever is ordered."""
    never = Hold(kind="never", because="none of this source's copy is published")
    _, revisions, outcomes = after(held(1, never), order("release", 2), order("hold", 3), order("release", 4))
    assert (revisions, outcomes[1]) == ([], "held")


def test_a_source_sends_what_it_holds_and_lets_it_go() -> None:
    """Status held, then usable."""
    assert words(after(version(1, status="held"), version(2))[1]) == [("publish", "Ministers meet for the 2. time")]


def test_a_desk_holds_an_update_before_it_comes_and_what_follows_one_that_is_out() -> None:
    """Until it is released."""
    assert after(order("hold", 0), version(1), version(2))[1] == []
    assert words(after(order("hold", 0), version(1), version(2), order("release", 3), version(4))[1]) == [
        ("publish", "Ministers meet for the 2. time"), ("update", "Ministers meet for the 4. time"),
    ]  # fmt: skip
    assert len(after(version(1), order("hold", 2), version(3))[1]) == 1
    assert len(after(version(1), order("hold", 2), version(3), order("release", 4))[1]) == 2


def test_an_embargo_and_a_hold_both_have_to_end() -> None:
    """In either order."""
    sent, opens = held(1, embargo_until=minute(60)), Release(update_id=UPDATE, due_at=minute(60))
    state, revisions, _ = after(sent, order("release", 30))
    assert (revisions, due_of(state)) == ([], (minute(60), "embargo"))
    assert len(after(sent, order("release", 30), opens)[1]) == 1
    assert after(sent, opens)[1] == []
    [late] = after(sent, order("release", 90))[1]
    assert late.first_published_at == minute(90)


def test_a_release_of_what_was_looked_at_releases_nothing_else() -> None:
    """A version that came meanwhile is looked at first; an order that comes again does not release it either."""
    seen = order("release", 3, fingerprint=held(1, POLICY).fingerprint())
    _, revisions, outcomes = after(held(1, POLICY), held(2, POLICY), seen)
    assert (revisions, outcomes[2]) == ([], "superseded")
    given = order("release", 2)
    _, revisions, outcomes = after(held(1, POLICY), given, held(3, POLICY), given)
    assert (len(revisions), outcomes[2:]) == (1, ["held", "duplicate"])


def test_what_has_expired_while_it_waited_is_not_published() -> None:
    """Nor for a moment."""
    assert after(held(1, expires_at=minute(20)), order("release", 30))[1] == []


@pytest.mark.parametrize("name", ["release", "spike"])
def test_an_order_about_what_is_not_held_changes_nothing(name: str) -> None:
    """Nor an order that comes again."""
    _, revisions, outcomes = after(version(1), order(name, 2))
    assert (len(revisions), outcomes[1]) == (1, "duplicate")
    again = order("release", 2)
    _, revisions, outcomes = after(held(1), again, again, order("spike", 1))
    assert (len(revisions), outcomes[2:]) == (1, ["duplicate", "duplicate"])


def test_an_advisory_without_words_is_shown_to_nobody() -> None:
    """A note to desks is no note to readers."""
    note = held(2, signal="advisory", headline="", body_html="", editors_note="Not for publication: hold.")
    _, revisions, outcomes = after(version(1), note)
    assert (len(revisions), outcomes[1]) == (1, "suppressed")


def test_why_a_version_is_held_is_no_part_of_what_its_source_said() -> None:
    """A rule that changes makes no new version; a source that holds its own copy, and lets it go, does."""
    assert held(1).fingerprint() == version(1).fingerprint()
    assert version(1, status="held").fingerprint() != version(1).fingerprint()


def test_a_wires_flags_of_an_older_release_do_not_count() -> None:
    """Nobody knows its powers; those of a message that has them were applied already."""
    pinned = Flags(pinned=True, key_event=True)
    [old] = after(version(1, flags=pinned, may=None))[1]
    [new] = after(version(1, flags=pinned, may=POWERS))[1]
    assert (old.flags, new.flags) == (Flags(), pinned)
    assert (old.may_alert, new.may_alert) == (True, True)
    [wire] = after(version(1, may=OF_A_WIRE))[1]
    assert not wire.may_alert
    pin = version(2, signal="pin", headline="", body_html="", may=None)
    _, revisions, outcomes = after(version(1), pin)
    assert (len(revisions), outcomes[1]) == (1, "suppressed")


def test_what_would_be_published_can_be_looked_at() -> None:
    """Without anything being released."""
    state, _, _ = after(version(1), held(2))
    released = if_released(state).current
    assert released is not None
    assert released.raw.version == "2"
    assert isinstance(order("release", 1), Order)
