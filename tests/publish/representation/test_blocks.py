"""Typed blocks in every form in which readers and partners get an update."""

import json

import pytest

from conformance.documents import read_document
from publish.representation.ninjs import ninjs
from publish.representation.words import full_text_of, title_of
from publish.web.renderer import stream_event
from shared.messages import FactBox, Poll, PollOption, QuestionAnswer, Quote, Score, Side
from support.revisions import read, revision
from support.samples import BLOCKS, full
from support.web_replica import Replica

HOSTILE = "</p><script>alert(1)</script>\"'&\u202e"
EVERYWHERE = (
    FactBox(kind="fact-box", title=HOSTILE, facts=(HOSTILE,)),
    Quote(kind="quote", text=HOSTILE, speaker=HOSTILE, role=HOSTILE),
    QuestionAnswer(kind="question-answer", question=HOSTILE, asked_by=HOSTILE, answer=HOSTILE, answered_by=HOSTILE),
    Score(kind="score", title=HOSTILE, sides=(Side(name=HOSTILE, score=HOSTILE, detail=HOSTILE),), note=HOSTILE),
    Poll(
        kind="poll",
        id="p",
        question=HOSTILE,
        options=(PollOption(id="a", label=HOSTILE), PollOption(id="b", label=HOSTILE)),
    ),
)
SAID = (
    "Four, of 1911",
    "It was close.",
    "harbour master",
    "When will they open?",
    "At low tide.",
    "48.1%",
    "Yes, soon",
)


@pytest.mark.parametrize(
    "path",
    [
        "/", "{page}", "/v1/updates", "/v1/updates/{id}.ninjs", "/v1/updates.jsonfeed", "/feeds/news.rss", "/feeds/news.atom",
        "/feeds/news.json", "/text/updates/{id}", "/embed/stories/harbour-flood.html",
    ],
)  # fmt: skip
async def test_every_form_has_what_blocks_say(replica: Replica, path: str) -> None:
    """Page, API, ninjs, feeds, embed and text page; and what a stream puts into open pages."""
    update = full("a")
    (applied,) = replica.take(update)
    assert applied is not None
    event = stream_event(replica.answers.renderer, applied).views["page"].decode()
    assert [words for words in SAID if words not in event] == []
    answer = await replica.get(path.format(id=update.update_id, page=read(update).path), accept="*/*")
    assert answer.status_code == 200
    assert [words for words in SAID if words not in answer.text] == []


@pytest.mark.parametrize("path", ["/", "{page}", "/feeds/news.json", "/text/updates/{id}", "/polls/{id}/p"])
async def test_hostile_words_are_words(replica: Replica, path: str) -> None:
    """Whatever a block says, no markup comes of it."""
    update = revision("a", blocks=EVERYWHERE)
    replica.take(update)
    answer = await replica.get(path.format(id=update.update_id, page=read(update).path), accept="*/*")
    # A feed in JSON has text beside its markup.
    is_feed = path.endswith(".json")
    markup = "".join(each["content_html"] for each in answer.json()["items"]) if is_feed else answer.text
    # A replica without Redis counts no votes, and says so.
    assert ("alert(1)" in markup) == (answer.status_code == 200)
    assert "<script>alert" not in markup
    assert "</p><script>" not in markup


def test_blocks_are_found_by_their_words_and_name_an_update_that_has_nothing_else() -> None:
    """An update of a quote alone is called by it."""
    update = read(
        revision("a", headline="", text="", blocks=(Quote(kind="quote", text="It was close.", speaker="I. Calder"),))
    )
    assert title_of(update).startswith("“It was close.”")
    assert full_text_of(read(full("a"))).startswith(
        "The gates closed at six.\n\nAll four\n\nThe gates\n• Four, of 1911"
    )


def test_ninjs_gives_blocks_as_our_own_reader_takes_them(replica: Replica) -> None:
    """From one newsroom to another they stay what they are."""
    item = ninjs(replica.answers.renderer.site, read(full("a")))
    (update,) = read_document(json.dumps(item), taken_for="ninjs-3").updates
    assert update.blocks == BLOCKS
    assert "Four, of 1911" not in update.body_html
