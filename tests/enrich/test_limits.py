"""Short fields stay short, whatever a message says that ingest did not cut."""

from typing import Any

import pytest

from enrich.picture_index.lookup import picture_of
from enrich.reference.loader import ReferenceData
from enrich.settings import Settings
from enrich.short_text import LONGEST_NAME, MOST_REPAIRS, cut, line_of
from enrich.text.domain.attachments import Attachments
from enrich.text.domain.lifecycle import decide
from enrich.text.domain.revision import build_revision
from enrich.text.domain.state import State
from enrich.text.state_store import KnownUpdate
from enrich.text.steps.runner import Steps
from enrich.text.steps.story import gather
from shared.messages import Creator, EnrichedUpdate, MediaReference, Repair, Subject
from shared.messages.limits import LONGEST
from support.incoming import NINE, version

LONG = "word " * 400_000
FIELDS = ("headline", "summary", "byline", "credit", "copyright", "located", "editors_note")


def made(**said: Any) -> EnrichedUpdate:
    """The revision that enrich makes of a version."""
    raw = version(**said)
    transition = decide(raw, State(update_id=raw.update_id))
    read = Steps(ReferenceData(), Settings()).read(raw, (raw.headline, raw.body_html), {})
    gathered = gather(
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
    """Only what is longer is cut and told."""
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


def test_the_words_of_a_picture_are_short() -> None:
    """A caption of megabytes stands under no picture."""
    reference = MediaReference(
        url="https://a.example/a.jpg", caption=LONG, credit=LONG, copyright=LONG, alt_text=LONG, usage_terms=LONG
    )
    row = {
        "refused": "", "removed_at": None, "embedded": {}, "forbidden": (), "allowed": (), "default_credit": "",
        "focal_x": None, "focal_y": None, "picture": "p", "width": 1, "height": 1, "placeholder": None, "renditions": (),
    }  # fmt: skip
    picture, _ = picture_of(reference, row)
    assert picture is not None
    for name in ("caption", "credit", "copyright", "alt_text"):
        assert 0 < len(getattr(picture, name)) <= LONGEST[name]


def test_a_cut_line_turns_no_other_text() -> None:
    """Marks of direction that lose their end by the cut are closed, within the limit."""
    line = line_of("\u202e" + "word " * 1000, 100)
    assert len(line) <= 100
    assert line.endswith("\u202c") or "\u202e" not in line
    assert len(line_of("\u202e" * 5000, 100)) <= 100


@pytest.mark.parametrize(("text", "most", "kept"), [("one two three", 13, "one two three"), ("one two three", 10, "one two…"), ("abcdefghij", 5, "abcd…")])  # fmt: skip
def test_a_cut_is_between_words_where_one_ends(text: str, most: int, kept: str) -> None:
    """The ellipsis counts."""
    assert cut(text, most) == kept
