"""The form of events on the wire."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publish.story import Position
from publish.web.stream.event import StreamEvent, end_of_frame, frame, parse_cursor, reset_frame
from publish.web.stream.window import Encoded
from support.event_stream import Event, Parser

VECTORS = Path(__file__).parents[4] / "shared" / "conformance" / "sse" / "vectors.json"


@pytest.mark.conformance
@pytest.mark.skipif(not VECTORS.exists(), reason="no conformance data beside the checkout")
def test_the_parser_of_these_tests_is_a_browsers() -> None:
    """What reads the stream in these tests agrees with every vector of the WHATWG standard, however the bytes are cut."""
    for vector in json.loads(VECTORS.read_text()):
        stream = bytes.fromhex(vector["stream_hex"])
        for step in (len(stream) or 1, 1, 3):
            parser = Parser()
            got = [event for at in range(0, len(stream), step) for event in parser.feed(stream[at : at + step])]
            got += parser.feed(b"", end=True)
            wanted = [Event(each["event"], each["data"], each["lastEventId"]) for each in vector["events"]]
            assert got == wanted, vector["name"]


@given(
    data=st.text(st.characters(exclude_categories=("Cs",))),
    kind=st.sampled_from(["publish", "correct", "kill"]),
    epoch=st.integers(1, 99),
    offset=st.integers(0, 10**12),
)
def test_any_text_arrives_as_it_is(data: str, kind: str, epoch: int, offset: int) -> None:
    """Data of any lines and scripts comes out of a browser's parser as it went in, line ends as LF."""
    parser = Parser()
    got = parser.feed(frame(kind, data.encode(), Position(epoch, offset)))
    text = data.replace("\r\n", "\n").replace("\r", "\n")
    assert got == [Event(kind, text, f"{epoch}-{offset}")]


@given(st.lists(st.text(st.characters(exclude_categories=("Cs",))), min_size=1, max_size=4), st.data())
def test_a_cut_is_at_the_end_of_a_frame(texts: list[str], data: st.DataObject) -> None:
    """Wherever a write stopped, the end of the frame it stopped in leaves whole events and nothing of the next."""
    frames = [frame("update", text.encode(), Position(1, number)) for number, text in enumerate(texts)]
    joined = b"".join(frames)
    sent = data.draw(st.integers(0, len(joined)))
    end = end_of_frame(joined, sent)
    ends = [sum(map(len, frames[:count])) for count in range(len(frames) + 1)]
    assert end == min(each for each in ends if each >= sent)


def test_reset_says_where_to_go_on() -> None:
    """A reset names its reason, the snapshot and the cursor, which is its id too, so that a browser resumes behind it."""
    (event,) = Parser().feed(reset_frame("expired", "/v1/updates", Position(3, 17)))
    assert event.event == "reset"
    assert event.last_event_id == "3-17"
    assert json.loads(event.data) == {"reason": "expired", "snapshot": "/v1/updates", "cursor": "3-17"}


@pytest.mark.parametrize("text", ["", "7", "1-", "-1", "1-x", "１-２", "1--2", "1-2-3", "9" * 30 + "-1", "1 - 2"])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    """A cursor of another form than ours is told apart from one that is old."""
    with pytest.raises(ValueError, match="cursor"):
        parse_cursor(text)


def test_the_cursor_before_the_first_event_is_one() -> None:
    """The page of an empty newsroom prints a cursor before offset 0, and the stream takes it."""
    assert parse_cursor(str(Position(4, -1))) == Position(4, -1)


def test_the_page_view_names_the_channels() -> None:
    """One tab holds the stream of several: each event of the page's view says whose it is."""
    event = StreamEvent(1, 1, "kill", frozenset({"news", "story:a"}), {"json": b'{"n":1}', "page": b'{"n":1}'})
    encoded = Encoded.of(event)
    assert json.loads(encoded.data("page")) == {"n": 1, "channels": ["news", "story:a"]}
    assert json.loads(encoded.data("json")) == {"n": 1}
