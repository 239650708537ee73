"""What messages about an update mean: pure, over whole folds."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrich.picture_index.lookup import MediaLookup
from enrich.reference.loader import ReferenceData
from enrich.settings import Settings
from enrich.text.domain.lifecycle import Input, decide
from enrich.text.domain.revision import BuiltRevision, build_removal, build_revision, published_state
from enrich.text.domain.state import KnownUpdate, State
from enrich.text.domain.transition import Transition
from enrich.text.domain.versions import version_order, visible_from
from enrich.text.domain.visibility import due_of
from enrich.text.steps.runner import Steps
from shared.messages import EnrichedUpdate, Flags, Order, RawUpdate, Refresh, Release, update_id_for
from support.incoming import minute, order, version

STEPS = Steps(ReferenceData(), Settings())
UPDATE = update_id_for("pa", "g1")
LATER = minute(500)


def step(
    message: Input, state: State, now: datetime, margin_s: float = 0.0
) -> tuple[State, BuiltRevision | None, Transition]:
    """One message, as enrich text handles it at a moment."""
    transition = decide(message, state, margin_s=margin_s)
    revision = None
    if transition.emit and transition.visibility == "visible":
        attached = STEPS.attach(transition.state, KnownUpdate(transition.state), None, MediaLookup())
        revision = build_revision(transition, attached, now, margin_s=margin_s)
    elif transition.emit:
        revision = build_removal(transition, now)
    return (
        (published_state(transition.state, revision) if revision is not None else transition.state),
        revision,
        transition,
    )


def fold(messages: Sequence[Input], now: datetime = LATER) -> tuple[State, list[EnrichedUpdate]]:
    """All messages in order, read at one moment, and what the timer sends by then."""
    state, revisions = State(update_id=UPDATE), []
    waiting = list(messages)
    while waiting or (waiting := due_by(now, state)):
        state, revision, _ = step(waiting.pop(0), state, now)
        if revision is not None:
            revisions.append(revision.update)
    return state, revisions


def due_by(now: datetime, state: State) -> list[Input]:
    """The release that the timer sends next, where one is due."""
    due_at, due_for = due_of(state)
    return [Release(update_id=UPDATE, due_at=due_at, reason=due_for)] if due_at is not None and due_at <= now else []


def seen(revisions: Sequence[EnrichedUpdate]) -> Any:
    """What readers are left with: nothing, or the words and flags of the last revision."""
    if not revisions or revisions[-1].is_removal:
        return revisions[-1].removal if revisions and revisions[-1].is_final else None
    last = revisions[-1]
    return (last.headline, last.text, last.editors_note, last.flags, last.version)


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


def test_nothing_of_a_held_version_is_told_with_what_stands() -> None:
    """A held correction changes nothing that readers have, its reason and its time included."""
    state, _ = fold([version(1)])
    held = version(2, embargo_until=minute(60), correction_reason="Secret", signal="correction")
    transition = decide(held, state)
    assert (transition.public_reason, transition.correction, transition.forced) == ("", False, False)
    assert transition.at == minute(2)


def test_what_has_expired_stays_so_whatever_is_read_after() -> None:
    """A refresh or an order that was given before the expiry and is read after it brings nothing back; a version does."""
    state, revisions = fold([version(1, expires_at=minute(60))], now=minute(60))
    assert [each.removal for each in revisions] == [None, "expired"]
    for late in (
        Refresh(update_id=UPDATE, cause="media", requested_at=minute(59)),
        order("pin", 59),
        order("restore", 59),
    ):
        state, revision, _ = step(late, state, minute(61))
        assert revision is None
    _, revision, _ = step(version(2, expires_at=minute(90), at=59), state, minute(61))
    assert revision is not None
    assert revision.update.version == "2"


def test_an_expiry_is_judged_by_the_moment_of_receipt_and_ended_by_the_timer() -> None:
    """A version that was received after its expiry is never shown, nor one whose embargo ends after it; another is, and
    ends at its release."""
    assert fold([version(1, at=61, expires_at=minute(60))])[1] == []
    assert fold([version(1, embargo_until=minute(70), expires_at=minute(60))])[1] == []
    assert [each.removal for each in fold([version(1, expires_at=minute(60))])[1]] == [None, "expired"]


def test_a_restore_after_the_expiry_holds_though_it_is_read_before_the_release() -> None:
    """What the desk brings back after its time stays, and nothing is due for it any more once the release has come."""
    state, revisions = fold([version(1, expires_at=minute(60)), order("restore", 61)])
    assert [each.removal for each in revisions] == [None]
    assert due_of(state) == (None, "")


def test_a_kill_before_its_update_leaves_a_tombstone_that_every_channel_hears_of() -> None:
    """The removal goes out when the kill comes; the update that follows shows nothing."""
    state, revisions = fold([order("kill", 1, reason="legal"), version(2), version(3)])
    assert [(each.kind, each.removal, each.change.reason) for each in revisions] == [("kill", "killed", "legal")]
    assert state.final == "killed"
    assert state.current is None or not state.current.raw.headline


def test_a_kill_of_an_embargoed_update_names_nothing_of_it() -> None:
    """What was never public leaves no trace in its removal, not even the source's id."""
    _, revisions = fold([version(1, embargo_until=minute(900)), order("kill", 2)])
    (removal,) = revisions
    assert (removal.guid, removal.headline, removal.slug, removal.path) == ("", "", "", f"/updates/{UPDATE}")


def test_killed_words_are_not_kept_in_the_state() -> None:
    """A killed update's text is gone from what enrich stores, held version and rulings too."""
    state, _ = fold(
        [
            version(1),
            order("correct", 2, headline="Ministers corrected"),
            version(3, embargo_until=minute(900)),
            order("takedown", 4),
        ]
    )
    stored = state.model_dump_json()
    assert "Ministers" not in stored
    assert "They met" not in stored


def test_withheld_removes_what_was_public_and_a_later_usable_version_brings_it_back() -> None:
    """IPTC's withheld is no kill: the update returns at its old first publication, under its old path."""
    _, revisions = fold([version(1), version(2, status="withheld"), version(3)])
    assert [(each.kind, each.removal) for each in revisions] == [
        ("publish", None),
        ("kill", "withdrawn"),
        ("publish", None),
    ]
    assert revisions[2].first_published_at == revisions[0].first_published_at
    assert revisions[2].path == revisions[0].path
    assert revisions[2].updated_at == minute(3)


def test_withheld_from_the_beginning_is_held_in_silence() -> None:
    """What readers never saw needs no removal."""
    state, revisions = fold([version(1, status="withheld")])
    assert revisions == []
    assert state.revision == 0


def test_expiry_removes_and_a_restore_after_it_brings_back() -> None:
    """An update is gone at its time; the desk may bring it back for good."""
    state, revisions = fold([version(1, expires_at=minute(60))], now=minute(5))
    assert due_of(state) == (minute(60), "expiry")
    state, removed, _ = step(Release(update_id=UPDATE, due_at=minute(60), reason="expiry"), state, minute(60))
    state, back, _ = step(order("restore", 61), state, minute(61))
    assert removed is not None
    assert removed.update.removal == "expired"
    assert back is not None
    assert (back.update.kind, back.update.removal) == ("publish", None)
    assert len(revisions) == 1


def test_a_release_that_comes_twice_publishes_once() -> None:
    """Two replicas that both send the release of one moment give readers one revision."""
    state, _ = fold([version(1, embargo_until=minute(60))], now=minute(5))
    release = Release(update_id=UPDATE, due_at=minute(60))
    state, first, _ = step(release, state, minute(60))
    state, second, _ = step(release, state, minute(61))
    assert first is not None
    assert first.update.first_published_at == minute(60)
    assert second is None


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
    ("later", "kind", "moved"),
    [
        (version(2), "update", True),
        (version(2, signal="correction"), "correct", True),
        (
            version(2, headline=version(1).headline, body_html=version(1).body_html, byline="By Ann Other"),
            "enrich",
            False,
        ),
        (order("pin", 2), "pin", False),
        (order("correct", 2, headline="Desk's own"), "correct", True),
    ],
)
def test_the_kind_says_what_a_revision_does_and_only_other_words_move_updated_at(
    later: Input, kind: str, moved: bool
) -> None:
    """`updated_at` is for readers: late authors, tags, pictures and pins do not move it."""
    _, revisions = fold([version(1), later])
    assert revisions[-1].kind == kind
    assert (revisions[-1].updated_at is not None) == moved


def test_a_desks_correction_holds_until_the_source_changes_what_was_corrected() -> None:
    """A resend with another keyword keeps the desk's headline; a new headline of the source is newer copy."""
    corrected = order("correct", 2, headline="Right", reason="It was wrong")
    resend = version(3, headline=version(1).headline, keywords=("x",))
    rewritten = version(4)
    _, revisions = fold([version(1), corrected, resend, rewritten])
    assert [each.headline for each in revisions] == [version(1).headline, "Right", "Right", version(4).headline]
    assert revisions[1].change.reason == "It was wrong"


def test_a_non_public_note_never_leaves() -> None:
    """`private_note` is in no revision, and only a correction's reason or a public note is given as a reason."""
    _, revisions = fold(
        [version(1), version(2, signal="correction", private_note="Secret", correction_reason="Spelling")]
    )
    assert "Secret" not in revisions[1].model_dump_json()
    assert revisions[1].change.reason == "Spelling"


def test_an_advisory_without_words_is_a_note_on_the_update() -> None:
    """It takes no text away, and shows as the editor's note."""
    note = version(2, headline="", body_html="", signal="advisory", editors_note="A new version follows by noon")
    _, revisions = fold([version(1), note])
    assert (revisions[-1].headline, revisions[-1].editors_note) == (
        version(1).headline,
        "A new version follows by noon",
    )


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


@pytest.mark.parametrize(
    ("older", "newer"), [("9", "10"), ("99999999999999999999", "100000000000000000000"), ("draft", "1")]
)
def test_versions_of_one_moment_are_ordered_as_numbers(older: str, newer: str) -> None:
    """Ten follows nine, however large the numbers are; what is no number comes before any."""
    assert version_order(version(1, version=older)) < version_order(version(1, version=newer))
