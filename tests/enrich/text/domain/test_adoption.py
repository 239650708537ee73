"""What is in the log is adopted as if it had been made here."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from enrich.reference.directory import Directory
from enrich.reference.loader import ReferenceData
from enrich.settings import Settings
from enrich.text.domain.adoption import EDITIONS_UNKNOWN, adopt, after_adoption
from enrich.text.domain.lifecycle import Input, decide
from enrich.text.domain.revision import BuiltRevision, build_removal, build_revision, published_state
from enrich.text.domain.state import KnownUpdate, LastPublished, State
from enrich.text.domain.transition import Transition
from enrich.text.steps.runner import Steps
from shared.messages import EnrichedUpdate, Media, MediaReference, Refresh, Release, update_id_for
from support.incoming import NINE, minute, order, version

UPDATE = update_id_for("pa", "g1")
UNKNOWN = {"editions", "attempts", "retry_at", "unknown_names"}
"""What a record does not say."""
STEPS = Steps(ReferenceData(), Settings())
PICTURES = st.sampled_from([(), (Media(id="p1", credit="PA", caption="Zug"),), (Media(id="p2", credit="AFP"),)])
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
VERSIONS = st.builds(
    version,
    st.integers(1, 6),
    headline=TEXTS,
    body_html=TEXTS.map(lambda text: f"<p>{text}</p>"),
    byline=st.sampled_from(["", "By Ann Archer in Paris", "Von Bodo Müller und Ann Archer"]),
    urgency=st.sampled_from([None, 1, 5]),
    expires_at=st.sampled_from([None, minute(3), minute(50)]),
    editors_note=TEXTS,
    story=st.sampled_from([None, "ferry"]),
    keywords=st.sampled_from([(), ("Rail", "Strike")]),
    signal=st.sampled_from([None, "correction", "expire", "repeat", "advisory"]),
    status=st.sampled_from(["usable", "usable", "usable", "withheld", "canceled"]),
)
ORDERS = st.builds(
    order,
    st.sampled_from(["withdraw", "restore", "pin", "unpin", "key-event", "kill", "takedown", "expire"]),
    st.integers(1, 9),
    reason=TEXTS,
)
CORRECTIONS = st.builds(lambda at, text: order("correct", at, headline=text), st.integers(1, 9), TEXTS)
RELEASES = st.builds(lambda at: Release(update_id=UPDATE, due_at=minute(at), reason="expiry"), st.integers(1, 60))
REFRESHES = st.builds(lambda at: Refresh(update_id=UPDATE, cause="media", requested_at=minute(at)), st.integers(1, 9))


def built(transition: Transition, media: tuple[Media, ...], degraded: bool) -> BuiltRevision | None:
    """The revision that a transition asks for, if any."""
    if not transition.emit:
        return None
    if transition.visibility != "visible":
        return build_removal(transition, NINE)
    attachments = STEPS.attach(transition.state, KnownUpdate(transition.state), None, None)
    pending = (MediaReference(url="https://pictures.example/1.jpg"),) if media else ()
    attachments = replace(attachments, media=media, pending=pending, degraded=("tags",) if degraded else ())
    return build_revision(transition, attachments, NINE, retry_at=lambda attempts: minute(attempts + 1))


@settings(max_examples=120, deadline=None)
@given(
    st.lists(
        st.tuples(st.one_of(VERSIONS, VERSIONS, ORDERS, CORRECTIONS, RELEASES, REFRESHES), PICTURES, st.booleans()),
        min_size=1,
        max_size=8,
    )
)
def test_what_is_adopted_is_what_was_published(steps: list[tuple[Input, tuple[Media, ...], bool]]) -> None:
    """Through JSON, of any revision that any messages lead to: the same state, but for what a record does not say."""
    state = State(update_id=UPDATE)
    for message, media, degraded in steps:
        transition = decide(message, state)
        state, revision = transition.state, built(transition, media, degraded)
        if revision is None:
            continue
        adopted = adopt(state, EnrichedUpdate.model_validate_json(revision.value))
        state = published_state(state, revision)
        assert _without_unknown(adopted) == _without_unknown(state)
        assert set(state.last_published.unknown_names) <= set(adopted.last_published.unknown_names)  # type: ignore[union-attr]


def _without_unknown(state: State) -> dict[str, Any]:
    said = state.model_dump(mode="json")
    said["shown"] = {name: value for name, value in said["shown"].items() if name not in UNKNOWN}
    return said


def first(**said: Any) -> tuple[State, EnrichedUpdate]:
    """The state before its first revision, and that revision as the log has it."""
    transition = decide(version(1, **said), State(update_id=UPDATE))
    revision = built(transition, (), degraded=False)
    assert revision is not None
    return transition.state, EnrichedUpdate.model_validate_json(revision.value)


def test_what_a_record_does_not_say_makes_the_next_look_honest() -> None:
    """Editions before any change; a step that missed its budget is tried again at once."""
    state, update = first(byline="By Ann Archer")
    published = adopt(state, update.model_copy(update={"degraded": ("tags",)})).last_published
    assert isinstance(published, LastPublished)
    assert (published.editions, published.attempts, published.retry_at) == (EDITIONS_UNKNOWN, 0, NINE)
    assert published.unknown_names == ("ann archer",)
    assert ReferenceData(directory=Directory()).published_editions.keys() == EDITIONS_UNKNOWN.keys()


def test_what_readers_see_and_should_not_is_taken_away_next() -> None:
    """Another process showed it after a withdrawal, after a kill: a removal with the next number."""
    state, update = first()
    for withheld, removal in (("withdraw", "withdrawn"), ("kill", "killed"), ("takedown", "taken-down")):
        hidden = decide(order(withheld, 2, reason="why"), published_state_of(state, update)).state
        adopted = adopt(hidden, update.model_copy(update={"revision": 7}))
        transition = after_adoption(adopted, minute(9))
        revision = built(transition, (), degraded=False)
        assert revision is not None
        assert (revision.update.revision, revision.update.removal) == (8, removal)
        assert (
            "Ministers" not in published_state(transition.state, revision).model_dump_json() or withheld == "withdraw"
        )


def test_what_readers_should_see_and_do_not_comes_back_next() -> None:
    """Another process removed it, and this one has its restoration."""
    state, update = first()
    transition = decide(order("withdraw", 2), published_state_of(state, update))
    removal = build_removal(transition, NINE).update
    restored = decide(order("restore", 3), transition.state).state
    revision = built(after_adoption(adopt(restored, removal), minute(9)), (), degraded=False)
    assert revision is not None
    assert (revision.update.revision, revision.update.removal) == (3, None)


def test_what_readers_have_and_should_have_asks_for_nothing() -> None:
    """An adoption alone is no revision."""
    state, update = first()
    assert built(after_adoption(adopt(state, update), minute(9)), (), degraded=False) is None


def published_state_of(state: State, update: EnrichedUpdate) -> State:
    """The state that has published an update."""
    return adopt(state, update)


def test_a_kill_that_only_the_log_knows_of_is_final_and_takes_the_words() -> None:
    """After a restore of an older dump the order is not read again: what the log has of it decides what comes next."""
    shown = decide(version(1, headline="Storm", body_html="<p>Words</p>"), State(update_id=UPDATE)).state
    for removal, name in (("killed", "kill"), ("taken-down", "takedown")):
        ended = decide(order(name, 2, reason="wrong"), shown)
        record = EnrichedUpdate.model_validate_json(build_removal(ended, NINE).value)
        assert record.removal == removal
        adopted = adopt(shown, record)
        assert adopted.final == removal
        assert "Words" not in adopted.model_dump_json()
        for later in (version(3, headline="Storm again"), order("correct", 4, headline="Storm!"), order("restore", 5)):
            assert not decide(later, adopted).emit
