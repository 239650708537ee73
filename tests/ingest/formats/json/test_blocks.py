"""Typed blocks as senders give them: in Slugline's own JSON, and as bodies of ninjs."""

import json
from typing import Any

import pytest

from conformance.documents import read_document
from ingest.formats import ReadResult
from shared.messages import FactBox, Poll, QuestionAnswer, Quote, RawUpdate, Score
from shared.messages.limits import LONGEST, MOST

POLL = {
    "kind": "poll", "id": "more", "question": "More?", "options": [{"id": "yes", "label": "Yes"}, {"id": "no", "label": "No"}],
    "closes_at": "2026-12-01T18:00:00+02:00",
}  # fmt: skip
BLOCKS: list[dict[str, Any]] = [
    {"kind": "fact-box", "title": "In short", "facts": ["One", "Two"]},
    {"kind": "quote", "text": "We stay.", "speaker": "A. Mayor"},
    {"kind": "question-answer", "question": "When?", "answer": "Soon."},
    {"kind": "score", "title": "Cup", "status": "live", "sides": [{"name": "Home", "score": "2"}, {"name": "Away", "score": "1"}]},
    POLL,
]  # fmt: skip


def native(*blocks: Any, **fields: Any) -> ReadResult:
    """An update with these blocks as native JSON."""
    return read_document(json.dumps({"guid": "g", "blocks": blocks, **fields}), taken_for="native")


def ninjs(*bodies: Any) -> ReadResult:
    """An item of ninjs with these bodies."""
    item = {
        "uri": "g",
        "standard": {"name": "ninjs", "version": "3.1"},
        "headlines": [{"value": "H"}],
        "bodies": bodies,
    }
    return read_document(json.dumps(item), taken_for="ninjs-3")


def test_each_kind_is_read_and_stands_for_itself() -> None:
    """Blocks alone are something to show; a time keeps its offset."""
    (update,) = native(*BLOCKS).updates
    assert [type(each) for each in update.blocks] == [FactBox, Quote, QuestionAnswer, Score, Poll]
    poll = update.blocks[-1]
    assert isinstance(poll, Poll) and poll.closes_at is not None and poll.closes_at.isoformat() == POLL["closes_at"]  # noqa: PT018


@pytest.mark.parametrize(
    ("block", "place"),
    [
        ({"kind": "gallery"}, "/blocks/0"),
        ({"kind": "quote"}, "/blocks/0/text"),
        ({"kind": "quote", "text": {"a": 1}}, "/blocks/0/text"),
        ({"kind": "fact-box", "facts": []}, "/blocks/0/facts"),
        ({"kind": "score", "sides": [{"score": "1"}]}, "/blocks/0/sides/0/name"),
        ({"kind": "score", "sides": [{"name": "A"}], "status": "abandoned"}, "/blocks/0/status"),
        (POLL | {"id": "With words"}, "/blocks/0/id"),
        (POLL | {"closes_at": "2026-12-01T18:00:00"}, "/blocks/0/closes_at"),
        (POLL | {"options": [POLL["options"][0]]}, "/blocks/0/options"),  # type: ignore[index]
        (POLL | {"options": [POLL["options"][0]] * 2}, "/blocks/0/options"),  # type: ignore[index]
        ("quote", "/blocks/0"),
    ],
)
def test_what_is_wrong_with_a_block_is_told_with_its_place(block: Any, place: str) -> None:
    """The item is refused, and the others of its document are not."""
    (refused,) = native(block, headline="H").refused
    assert (refused.code, refused.place) == ("invalid-field", place)


def test_two_polls_of_one_id_are_refused() -> None:
    """Their votes would be one another's."""
    (refused,) = native(POLL, POLL).refused
    assert refused.place == "/blocks"


def test_what_is_too_long_or_too_many_is_cut_and_told() -> None:
    """However much is sent, an update carries a bounded part of it."""
    quote, facts = {"kind": "quote", "text": "x" * 100_000}, {"kind": "fact-box", "facts": ["y" * 9_000] * 1_000}
    (update,) = native(quote, facts, *[{"kind": "quote", "text": "z"}] * 1_000).updates
    first, second, *_ = update.blocks
    assert isinstance(first, Quote) and len(first.text) == LONGEST["block_text"]  # noqa: PT018
    assert isinstance(second, FactBox) and len(second.facts) == MOST["facts"]  # noqa: PT018
    assert len(update.blocks) == MOST["blocks"]
    assert {each.code for each in update.repairs} == {"too-long", "too-many"}


def test_control_characters_are_taken_out_of_a_feeds_blocks() -> None:
    """Of ninjs, which is read as it comes."""
    body = {
        "contentType": "application/vnd.slugline.block+json",
        "value": json.dumps({"kind": "quote", "text": "a\u0007b"}),
    }
    (update,) = ninjs(body).updates
    assert update.blocks == (Quote(kind="quote", text="ab"),)


def test_ninjs_carries_blocks_as_bodies_and_its_text_stays_its_text() -> None:
    """A body that is a block is no text; one that cannot be read, or is of a kind of a later release, is told and left out."""
    kind = "application/vnd.slugline.block+json"
    (update,) = ninjs(
        {"role": "poll", "contentType": kind, "value": json.dumps(POLL)},
        {"role": "main", "contentType": "text/html", "value": "<p>Words.</p>"},
        {"contentType": kind, "value": "{"}, {"contentType": kind, "value": '{"kind": "gallery"}'},
    ).updates  # fmt: skip
    assert [each.kind for each in update.blocks] == ["poll"]
    assert update.body_html == "<p>Words.</p>"
    assert [each.code for each in update.repairs].count("unreadable-block") == 2


def test_blocks_survive_the_wire() -> None:
    """Messages are written without what is at its default, and read again by every process."""
    (update,) = native(*BLOCKS).updates
    assert RawUpdate.model_validate_json(update.model_dump_json(exclude_defaults=True)).blocks == update.blocks


def test_an_older_reader_passes_over_a_kind_that_it_does_not_know() -> None:
    """A message of a newer release is read, with what is known of it."""
    (update,) = native(BLOCKS[1]).updates
    sent = json.loads(update.model_dump_json())
    sent["blocks"] = [
        {"kind": "gallery", "pictures": []},
        *sent["blocks"],
        {"kind": "quote", "text": "b", "mood": "calm"},
    ]
    assert RawUpdate.model_validate(sent).blocks == (
        Quote(kind="quote", text="We stay.", speaker="A. Mayor"),
        Quote(kind="quote", text="b"),
    )


def test_pictures_in_a_native_text_join_those_beside_it() -> None:
    """They go the way of all pictures; what is said of one beside the text stands."""
    body = '<p>a</p><img src="https://w.example/a.jpg" alt="A"><img src="https://w.example/b.jpg"><img src="/c.jpg" width="1">'
    beside = {"url": "https://w.example/b.jpg", "credit": "B", "role": "inline"}
    (update,) = native(body_html=body, media=[beside]).updates
    assert [(each.url, each.role, each.credit, each.alt_text) for each in update.media] == [
        ("https://w.example/b.jpg", "inline", "B", None), ("https://w.example/a.jpg", "inline", None, "A"),
    ]  # fmt: skip


@pytest.mark.parametrize(("said", "role"), [({}, "inline"), ({"role": "lead"}, "lead")])
def test_a_picture_that_is_said_beside_a_native_text_stands_where_the_text_has_it(
    said: dict[str, str], role: str
) -> None:
    """Unless its role is said: one that leads opens the update."""
    beside = {"url": "https://w.example/a.jpg", "credit": "A"} | said
    (update,) = native(body_html='<p>a</p><img src="https://w.example/a.jpg">', media=[beside]).updates
    assert [(each.role, each.credit) for each in update.media] == [(role, "A")]
