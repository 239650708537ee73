"""What messages about an update mean, over whole histories in any order."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrich.text.domain.lifecycle import Input, decide
from enrich.text.domain.state import State
from enrich.text.domain.versions import version_order, visible_from
from enrich.text.domain.visibility import due_of
from shared.messages import EnrichedUpdate, Flags, Order, RawUpdate, Refresh, Release, update_id_for
from shared.messages.powers import POWERS
from support.folding import LATER, UPDATE, due_by, fold, seen, step
from support.incoming import minute, order, version


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Input], list[Input]]:
    """What a source and a desk say of one update, and the same in another order with repeats."""
    count = draw(st.integers(1, 5))
    messages: list[Input] = []
    for number in range(1, count + 1):
        same_moment = draw(st.booleans())
        created = minute(1) if same_moment else minute(number)
        messages.append(
            version(
                number,
                version=draw(st.sampled_from([str(number), str(number * 10**12), "draft"])),
                version_created=draw(st.sampled_from([created, None])),
                received_at=minute(number + draw(st.integers(0, 30)) / 10),
                status=draw(st.sampled_from(["usable", "usable", "usable", "withheld"])),
                signal=draw(st.sampled_from([None, None, "correction", "advisory", "update"])),
                flags=Flags(pinned=draw(st.booleans())),
                may=POWERS,
                embargo_until=draw(st.sampled_from([None, None, minute(40)])),
                expires_at=draw(st.sampled_from([None, None, minute(450), minute(900)])),
            )
        )
    orders = st.sampled_from(
        ["withdraw", "restore", "expire", "pin", "unpin", "key-event", "close", "correct", "supersede"]
    )
    for number, name in enumerate(draw(st.lists(orders, max_size=4))):
        words = {"headline": f"The desk's {number}. headline"} if name == "correct" else {}
        messages.append(order(name, draw(st.integers(1, 12)) + number / 100, **words))
    if draw(st.integers(0, 4)) == 0:
        messages.append(
            draw(st.sampled_from([order("kill", 3), order("takedown", 4), version(9, status="canceled", at=2)]))
        )
    again = draw(st.lists(st.sampled_from(messages), max_size=4))
    return messages, list(draw(st.permutations([*messages, *again])))


@settings(max_examples=150, deadline=None)
@given(histories())
def test_every_order_of_arrival_with_any_repeats_ends_in_one_state(history: tuple[list[Input], list[Input]]) -> None:
    """Permutations and repeats of versions, orders and kills leave readers with the same."""
    in_order, shuffled = history
    assert seen(fold(in_order)[1]) == seen(fold(shuffled)[1])


@settings(max_examples=150, deadline=None)
@given(histories())
def test_an_older_text_never_follows_a_newer_one(history: tuple[list[Input], list[Input]]) -> None:
    """Whatever arrives when, the versions that readers are given only move forward."""
    _, shuffled = history
    keys = {each.fingerprint(): version_order(each) for each in shuffled if isinstance(each, RawUpdate)}
    shown = [keys[each.fingerprint] for each in fold(shuffled)[1] if not each.is_removal]
    assert shown == sorted(shown)


@settings(max_examples=150, deadline=None)
@given(histories())
def test_revisions_count_from_one_and_nothing_follows_a_takedown(history: tuple[list[Input], list[Input]]) -> None:
    """Numbers have no holes, and a final removal is the last revision but for a takedown after a kill."""
    _, shuffled = history
    revisions = fold(shuffled)[1]
    assert [each.revision for each in revisions] == list(range(1, len(revisions) + 1))
    final = [each.is_final for each in revisions]
    assert final == sorted(final)
    assert all(not each.headline and not each.text and not each.body_html for each in revisions if each.is_removal)


@settings(max_examples=200, deadline=None)
@given(histories())
def test_a_repeat_from_the_same_state_gives_the_same_revision(history: tuple[list[Input], list[Input]]) -> None:
    """What is emitted is a function of message and state; only the moments of enrichment may differ."""
    _, shuffled = history
    state = State(update_id=UPDATE)
    for message in shuffled:
        after, first, _ = step(message, state, minute(500))
        stored = State.model_validate_json(state.model_dump_json(exclude_defaults=True))
        _, second, _ = step(message, stored, minute(500) + timedelta(seconds=3))
        without = {"passport": {"enriched_at", "published_at"}}
        assert (first is None) == (second is None)
        if first is not None and second is not None:
            assert first.update.model_dump(exclude=without) == second.update.model_dump(exclude=without)
        state = after


@settings(max_examples=150, deadline=None)
@given(
    st.permutations([version(1), version(2, embargo_until=minute(60)), version(3, guid="g1", embargo_until=minute(90))])
)
def test_nothing_of_an_embargoed_version_comes_out_before_its_moment(messages: list[RawUpdate]) -> None:
    """Before the moment only the open version shows; at the last moment the newest does, in whatever order they came."""
    state, revisions = State(update_id=UPDATE), []
    for message in messages:
        state, revision, _ = step(message, state, minute(10))
        revisions += [revision.update] if revision is not None else []
    assert {each.version for each in revisions} <= {"1"}
    for at in (60, 90):
        state, revision, _ = step(Release(update_id=UPDATE, due_at=minute(at)), state, minute(at))
        revisions += [revision.update] if revision is not None else []
    assert revisions[-1].version == "3"
    assert sum(each.version == "3" for each in revisions) == 1


def moment_of(message: Input) -> datetime:
    """When a message was said, by its own account."""
    return message.received_at if isinstance(message, RawUpdate) else message.ordered_at  # type: ignore[union-attr]


def read_at(moments: Sequence[datetime], messages: Sequence[Input]) -> list[EnrichedUpdate]:
    """What is emitted by an enrich that reads at these moments only: what was said by then, then what its timer sends."""
    state, revisions = State(update_id=UPDATE), []
    unread = sorted(messages, key=moment_of)
    for now in moments:
        waiting = [each for each in unread if moment_of(each) <= now]
        unread = unread[len(waiting) :]
        while waiting or (waiting := due_by(now, state)):
            state, revision, _ = step(waiting.pop(0), state, now)
            revisions += [revision.update] if revision is not None else []
    return revisions


@st.composite
def readings(draw: st.DrawFn) -> list[datetime]:
    """Moments at which enrich reads, the last of them after everything was said."""
    return [*map(minute, sorted(draw(st.lists(st.integers(1, 480), max_size=5)))), LATER]


@settings(max_examples=200, deadline=None)
@given(histories(), readings())
def test_when_messages_are_read_changes_neither_the_end_nor_what_may_be_shown(
    history: tuple[list[Input], list[Input]], late: list[datetime]
) -> None:
    """Read at once or in whatever backlogs, readers end with the same; what was killed before its embargo ended, or killed
    before anything of it was said, is never shown."""
    messages, _ = history
    at_once = read_at([minute(at) for at in range(1, 501)], messages)
    behind = read_at(late, messages)
    assert seen(at_once) == seen(behind)
    killed_at = min(
        (moment_of(each) for each in messages if isinstance(each, Order) and each.order in ("kill", "takedown")),
        default=LATER,
    )
    opened = {each.fingerprint(): visible_from(each) for each in messages if isinstance(each, RawUpdate)}
    for revisions in (at_once, behind):
        assert all(opened[each.fingerprint] <= killed_at for each in revisions if not each.is_removal)


EMBARGOED = version(1, embargo_until=minute(60))


@pytest.mark.parametrize(
    "before",
    [
        [order("kill", 59)],
        [order("correct", 2, headline="The desk's own"), order("kill", 59)],
        [order("pin", 2), Refresh(update_id=UPDATE, cause="media", requested_at=minute(3)), order("takedown", 59)],
        [version(2, embargo_until=minute(70)), order("kill", 59)],
        [version(2, headline="", body_html="", signal="advisory"), version(3, status="canceled", at=59)],
        [order("kill", 59), version(2, at=61), Release(update_id=UPDATE, due_at=minute(60))],
        [Refresh(update_id=UPDATE, cause="authors", requested_at=minute(400)), order("pin", 300), order("kill", 59)],
    ],
)
def test_what_was_killed_before_its_embargo_ended_is_never_shown(before: list[Input]) -> None:
    """However late the kill is read, and whatever comes before it: nothing but a release opens what is held, and that
    comes after the kill. A desk's clock, or a refresh's, opens nothing either."""
    _, revisions = fold([EMBARGOED, *before])
    assert [each.headline for each in revisions if not each.is_removal] == []
    assert revisions[-1].is_final


def test_a_release_opens_what_its_moment_opens_whenever_it_is_read() -> None:
    """Late it still releases; for an embargo that was moved further it changes nothing; then that one's own does."""
    moved = version(2, embargo_until=minute(90))
    state, revisions = fold([EMBARGOED, moved, Release(update_id=UPDATE, due_at=minute(60))], now=minute(61))
    assert revisions == []
    assert due_of(state) == (minute(90), "embargo")
    _, revisions = fold([EMBARGOED, moved, Release(update_id=UPDATE, due_at=minute(90))])
    assert [(each.version, each.first_published_at) for each in revisions] == [("2", minute(90))]


def test_nothing_of_a_held_version_is_told_with_the_current_one() -> None:
    """A held correction changes nothing that readers have, its reason and its time included."""
    state, _ = fold([version(1)])
    held = version(2, embargo_until=minute(60), correction_reason="Secret", signal="correction")
    transition = decide(held, state)
    assert (transition.public_reason, transition.correction, transition.forced) == ("", False, False)
    assert transition.at == minute(2)


def test_a_release_that_comes_twice_publishes_once() -> None:
    """Two replicas that both send the release of one moment give readers one revision."""
    state, _ = fold([version(1, embargo_until=minute(60))], now=minute(5))
    release = Release(update_id=UPDATE, due_at=minute(60))
    state, first, _ = step(release, state, minute(60))
    state, second, _ = step(release, state, minute(61))
    assert first is not None
    assert first.update.first_published_at == minute(60)
    assert second is None


def test_a_refresh_that_changes_nothing_emits_nothing() -> None:
    """Made again with the same reference data, an update is the same, and readers hear nothing."""
    refresh = Refresh(update_id=UPDATE, cause="authors", requested_at=minute(9))
    assert len(fold([version(1), refresh, refresh])[1]) == 1


def test_times_without_an_offset_are_taken_for_utc() -> None:
    """A tolerant reader meets naive times; they are compared and do not fail."""
    moment = minute(2).replace(tzinfo=None)
    naive = version(2).model_copy(update={"version_created": moment, "received_at": moment})
    assert [each.version for each in fold([version(1), naive])[1]] == ["1", "2"]


def test_what_takes_the_place_of_others_names_them_once_it_is_visible() -> None:
    """`replaces` becomes orders for updates of the same source, never of the update itself."""
    raw = version(1, replaces=("old", "g1"))
    transition = decide(raw, State(update_id=UPDATE))
    held = decide(raw.model_copy(update={"embargo_until": minute(60)}), State(update_id=UPDATE))
    assert transition.replaced == (update_id_for("pa", "old"),)
    assert held.replaced == ()
    superseded = fold([version(1), Order(update_id=UPDATE, order="supersede", by="pa", ordered_at=minute(2))])[1][-1]
    assert superseded.removal == "superseded"
