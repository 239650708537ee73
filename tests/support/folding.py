"""Handles messages about one update as enrich text does, without servers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from enrich.picture_index.lookup import MediaLookup
from enrich.reference.loader import ReferenceData
from enrich.settings import Settings
from enrich.text.domain.lifecycle import Input, decide
from enrich.text.domain.revision import BuiltRevision, build_removal, build_revision, published_state
from enrich.text.domain.state import KnownUpdate, State
from enrich.text.domain.transition import Transition
from enrich.text.domain.visibility import due_of
from enrich.text.steps.runner import Steps
from shared.messages import EnrichedUpdate, Release, update_id_for
from support.incoming import minute

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
