"""Short fields of a revision stay short, whatever a message says that ingest did not cut."""

from typing import Any

import pytest

from enrich.reference.loader import ReferenceData
from enrich.settings import Settings
from enrich.short_text import LONGEST_NAME, MOST_REPAIRS
from enrich.text.domain.attachments import Attachments
from enrich.text.domain.lifecycle import decide
from enrich.text.domain.revision import build_revision
from enrich.text.domain.state import KnownUpdate, State
from enrich.text.steps.runner import Steps
from enrich.text.steps.story import place_in_story
from shared.messages import Creator, EnrichedUpdate, Repair, Subject
from shared.messages.limits import LONGEST
from support.incoming import NINE, version

LONG = "word " * 400_000


FIELDS = ("headline", "summary", "byline", "credit", "copyright", "located", "editors_note")


def made(**said: Any) -> EnrichedUpdate:
    """The revision that enrich makes of a version."""
    raw = version(**said)
    transition = decide(raw, State(update_id=raw.update_id))
    read = Steps(ReferenceData(), Settings()).run(raw, (raw.headline, raw.body_html), {})
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
        creators=(Creator(name=LONG),), subjects=(Subject(code="medtop:" + "1" * 10_000, name=LONG), Subject(name=LONG)),
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
