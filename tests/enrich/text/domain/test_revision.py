"""Short fields of a revision stay short, whatever a message says that ingest did not cut."""

from typing import Any

import pytest

from enrich.reference.loader import ReferenceData
from enrich.settings import Settings
from enrich.short_text import LONGEST_NAME, MOST_REPAIRS
from enrich.text.domain.attachments import Attachments
from enrich.text.domain.lifecycle import Input, decide
from enrich.text.domain.revision import build_revision
from enrich.text.domain.state import KnownUpdate, State
from enrich.text.steps.runner import Steps
from enrich.text.steps.story import place_in_story
from shared.messages import (
    Creator,
    EnrichedUpdate,
    Repair,
    Subject,
)
from shared.messages.limits import LONGEST
from support.folding import fold
from support.incoming import NINE, order, version

LONG = "word " * 400_000
PATIENT = Settings(enrich_text_budget_ms=10_000, enrich_authors_budget_ms=10_000, enrich_tags_budget_ms=10_000)
"""A machine that others load needs more of the clock for as much work."""


FIELDS = ("headline", "summary", "byline", "credit", "copyright", "located", "editors_note")


def made(**said: Any) -> EnrichedUpdate:
    """The revision that enrich makes of a version."""
    raw = version(**said)
    transition = decide(raw, State(update_id=raw.update_id))
    read = Steps(ReferenceData(), PATIENT).run(raw, (raw.headline, raw.body_html), {})
    gathered = place_in_story(
        raw, KnownUpdate(transition.state), None, into={}, labels={}, family="pa", headline=read.text.headline
    )
    attachments = Attachments(read.text, read.authorship, read.tagging, story=gathered)
    revision = build_revision(transition, attachments, NINE)
    assert revision is not None
    return revision.update


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_is_cut_at_its_limit_and_says_so(name: str) -> None:
    """It ends between words with an ellipsis, and the repairs name it."""
    update = made(**{name: LONG})
    said = getattr(update, name)
    assert len(said) <= LONGEST[name]
    assert said.endswith("word…")
    assert [(each.code, each.place) for each in update.repairs] == [("too-long", f"/{name}")]


def test_a_field_at_its_limit_is_left_as_it_is() -> None:
    """Only what is longer is cut and named."""
    update = made(headline="h" * LONGEST["headline"])
    assert update.headline == "h" * LONGEST["headline"]
    assert not update.repairs


def test_names_codes_and_labels_are_short() -> None:
    """Of authors, tags and stories; a code that nobody uses is none."""
    update = made(
        creators=(Creator(name=LONG.title()),), subjects=(Subject(code="medtop:" + "1" * 10_000, name=LONG), Subject(name=LONG)),
        keywords=(LONG,), story=LONG, version_created=None, guid="g" * 100_000,
        repairs=tuple(Repair(code="a", place=LONG, detail=LONG) for _ in range(1000)),
    )  # fmt: skip
    assert update.authors
    assert all(len(author.name) <= LONGEST_NAME for author in update.authors)
    assert update.tags
    assert all(len(tag.label) <= LONGEST_NAME and len(tag.code) <= 200 for tag in update.tags)
    assert len(update.story_label) <= LONGEST["story"]
    assert len(update.guid) <= LONGEST["guid"]
    assert len(update.repairs) == MOST_REPAIRS
    assert len(update.model_dump_json()) < 100_000


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


def test_a_non_public_note_never_leaves() -> None:
    """`private_note` is in no revision, and only a correction's reason or a public note is given as a reason."""
    _, revisions = fold(
        [version(1), version(2, signal="correction", private_note="Secret", correction_reason="Spelling")]
    )
    assert "Secret" not in revisions[1].model_dump_json()
    assert revisions[1].change.reason == "Spelling"


def test_the_address_stays_whatever_later_headlines_say() -> None:
    """Links that readers have passed on go on working: the slug is the one of the first publication."""
    _, revisions = fold([version(1, headline="Ferry runs aground"), version(2, headline="Ferry is free again")])
    assert [each.headline for each in revisions] == ["Ferry runs aground", "Ferry is free again"]
    assert [each.slug for each in revisions] == ["ferry-runs-aground"] * 2
