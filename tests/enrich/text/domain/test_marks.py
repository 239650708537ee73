"""Revisions follow the marks of the contract."""

from functools import partial
from typing import Annotated

import pytest

from enrich.reference.loader import ReferenceData
from enrich.settings import Settings
from enrich.text.domain import revision
from enrich.text.domain.attachments import Attachments
from enrich.text.domain.lifecycle import decide
from enrich.text.domain.state import KnownUpdate, State
from enrich.text.steps.runner import Steps
from enrich.text.steps.story import place_in_story
from shared.messages import AS_SENT, SOURCE_WORDS, EnrichedUpdate, RawUpdate, update_id_for
from support.incoming import minute, order, version

UPDATE = update_id_for("pa", "g1")


class NewRaw(RawUpdate):
    """A version with a field that a later release adds."""

    urgency_note: str = ""


class NewUpdate(EnrichedUpdate):
    """An update with the same field, which enrich passes on."""

    urgency_note: Annotated[str, SOURCE_WORDS, AS_SENT] = ""


def test_a_field_that_is_marked_as_sent_is_passed_on_without_being_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """And its text is cut to its limit, as every other line."""
    monkeypatch.setattr(revision, "EnrichedUpdate", NewUpdate)
    monkeypatch.setattr(revision, "LONGEST", {**revision.LONGEST, "urgency_note": 20})
    raw = NewRaw(**dict(version(1)), urgency_note="at once, " * 10)
    transition = decide(raw, State(update_id=UPDATE))
    read = Steps(ReferenceData(), Settings()).run(raw, (raw.headline, raw.body_html), {})
    gathered = place_in_story(
        raw, KnownUpdate(transition.state), None, into={}, labels={}, family="pa", headline=read.text.headline
    )
    attached = Attachments(read.text, read.authorship, read.tagging, story=gathered)
    built = revision.build_revision(transition, attached, minute(2))
    assert built is not None
    assert isinstance(built.update, NewUpdate)
    assert built.update.urgency_note.startswith("at once, at")
    assert len(built.update.urgency_note) <= 20


def test_a_removal_has_nothing_that_is_marked_as_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever puts it there."""
    monkeypatch.setattr(revision, "EnrichedUpdate", partial(NewUpdate, urgency_note="SESAME"))
    state = decide(version(1), State(update_id=UPDATE)).state
    built = revision.build_removal(decide(order("kill", 2), state), minute(3))
    assert isinstance(built.update, NewUpdate)
    assert built.update.urgency_note == ""
    assert b"SESAME" not in built.value
