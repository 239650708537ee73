"""The form of events on the wire."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from publish.representation.position import Position
from publish.web.stream.event import StreamEvent, end_of_frame, frame, parse_cursor, reset_frame
from publish.web.stream.ring_buffer import EncodedEvent, RingBuffer
from support.event_stream import Event, Parser
from support.places import conformance


@pytest.mark.conformance
def test_the_parser_of_these_tests_is_a_browsers() -> None:
    """What reads the stream in these tests agrees with every vector of the WHATWG standard, however the bytes are cut."""
    for vector in json.loads(conformance("sse/vectors.json").read_text()):
        stream = bytes.fromhex(vector["stream_hex"])
        for step in (len(stream) or 1, 1, 3):
            parser = Parser()
            got = [event for at in range(0, len(stream), step) for event in parser.feed(stream[at : at + step])]
            got += parser.feed(b"", end=True)
            wanted = [Event(each["event"], each["data"], each["lastEventId"]) for each in vector["events"]]
            assert got == wanted, vector["name"]


@example(data="one\rtwo", kind="publish", epoch=1, offset=7)
@example(data="one\ntwo\r\nthree", kind="publish", epoch=1, offset=7)
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
    (event,) = Parser().feed(reset_frame("expired", ["/v1/updates"], Position(3, 17)))
    assert event.event == "reset"
    assert event.last_event_id == "3-17"
    assert json.loads(event.data) == {"reason": "expired", "snapshot": "/v1/updates", "cursor": "3-17"}


@pytest.mark.parametrize("text", ["", "7", "1-", "-1", "1-x", "１-２", "1--2", "1-2-3", "9" * 30 + "-1", "1 - 2"])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    """A cursor of another form than ours is distinguished from an old one."""
    with pytest.raises(ValueError, match="cursor"):
        parse_cursor(text)


def test_the_cursor_before_the_first_event_is_one() -> None:
    """The page of an empty site prints a cursor before offset 0, and the stream takes it."""
    assert parse_cursor(str(Position(4, -1))) == Position(4, -1)


def test_the_page_view_names_the_channels() -> None:
    """One tab holds the stream of several: each event of the page's view says whose it is."""
    event = StreamEvent(1, 1, "pin", frozenset({"news", "story:a"}), {"json": b'{"n":1}', "page": b'{"n":1}'})
    encoded = EncodedEvent(event)
    assert json.loads(encoded.data("page")) == {"n": 1, "channels": ["news", "story:a"]}
    assert json.loads(encoded.data("json")) == {"n": 1}


def test_a_removal_is_every_tabs() -> None:
    """Its channels would name the tags and the story of what was killed."""
    event = StreamEvent(1, 1, "kill", frozenset({"news", "story:a", "tag:b"}), {"json": b'{"n":1}', "page": b'{"n":1}'})
    assert json.loads(EncodedEvent(event).data("page")) == {"n": 1}


class Counted(Mapping[str, bytes]):
    """Views that tell how often each was made."""

    def __init__(self, **views: bytes) -> None:
        self._views = views
        self.made: Counter[str] = Counter()

    def __getitem__(self, name: str) -> bytes:
        self.made[name] += 1
        return self._views[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)


def counted(offset: int, *channels: str, kind: str = "publish") -> tuple[StreamEvent, Counted]:
    """An event, and its views."""
    views = Counted(json=b'{"n":%d}' % offset, page=b'{"n":%d,"html":"%b"}' % (offset, b"<p>" * 50))
    return StreamEvent(1, offset, kind, frozenset({"news", *channels}), views), views


def test_a_view_that_nobody_asks_for_is_not_made() -> None:
    """HTML for pages costs more than all else of an event: it is made for the first reader of it, and once."""
    event, views = counted(1)
    window = RingBuffer(10, 10_000)
    entry = EncodedEvent(event)
    window.append(entry)
    assert views.made["page"] == 0
    first = window.frame(entry, "page")
    assert window.frame(entry, "page") is first
    assert views.made == {"json": 1, "page": 1}


def test_the_window_counts_what_is_made_later_and_what_is_forgotten() -> None:
    """Its bound in bytes holds whether a view was made at once, later, after the event was let go, or killed before."""
    window = RingBuffer(2, 1_000_000)
    entries = [EncodedEvent(counted(offset, f"update:{offset}")[0]) for offset in range(1, 4)]
    for entry in entries:
        window.append(entry)
    let_go, kept, newest = entries
    window.frame(let_go, "page")
    window.frame(kept, "page")
    assert window.size == kept.size + newest.size
    window.append(EncodedEvent(counted(4, "update:3", kind="kill")[0]))
    (killed, kill) = window.between(Position(1, 2), window.head)
    assert killed is newest
    assert killed.size == 0
    assert window.size == kill.size
    with pytest.raises(KeyError):
        window.frame(killed, "page")
