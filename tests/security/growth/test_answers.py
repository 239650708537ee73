"""How much a reader is answered, and how much a replica keeps, where a source sends the longest updates that it may."""

import gc

import pytest

from publish.representation.position import Position
from publish.representation.reader_update import reader_update
from publish.web import feed_store as memory
from publish.web.archive_client import MOST_CHARACTERS, ArchivedEntries
from publish.web.feed_store import FeedStore, weight_of
from publish.web.stream.event import StreamEvent
from publish.web.stream.ring_buffer import EncodedEvent, RingBuffer
from shared.messages import EnrichedUpdate
from support.revisions import revision
from support.web_replica import Make

MANY = 12
WORDS = "word " * 90_000
MOST_BYTES = 3 * MOST_CHARACTERS
"""Of a page of all words: as many as may be, of the update that went past them too, and what stands around them."""


def long(number: int) -> EnrichedUpdate:
    """An update nearly as long as may be, of Latin letters."""
    return revision(f"long {number}", text=WORDS, body_html=f"<p>{WORDS}</p>", excerpt="word " * 60, word_count=90_000)


@pytest.mark.parametrize("path", ["/", "/text", "/search?q=word", "/embed/stories/s", "/sitemap-news.xml"])
async def test_a_page_of_many_long_updates_is_short(make_replica: Make, path: str) -> None:
    """What shows no more than an excerpt of each says no more of it anywhere, not in what machines read either."""
    replica = make_replica()
    replica.take(*(long(number).model_copy(update={"story": "s"}) for number in range(MANY)))
    answer = await replica.get(path)
    assert answer.status_code == 200
    assert len(answer.content) < 200_000


@pytest.mark.parametrize(
    "path", ["/v1/updates?limit=100", "/v1/updates.ninjs?limit=100", "/v1/updates.jsonfeed?limit=100"]
)
async def test_pages_of_whole_updates_are_as_many_as_their_words_need(make_replica: Make, path: str) -> None:
    """None is longer than it may be, none is left out, and each comes once, whether memory has it or the archive."""
    for limit in (1000, 3):
        replica = make_replica(limit)
        replica.take(*(long(number) for number in range(MANY)))
        seen: list[str] = []
        address, pages = path, 0
        while address:
            answer = await replica.get(address)
            assert answer.status_code == 200
            assert len(answer.content) < MOST_BYTES
            said = answer.json()
            seen += [
                each.get("id") or each.get("uri") or each["update_id"] for each in said.get("updates") or said["items"]
            ]
            address = f"{path}&before={said['next']}" if said.get("next") else said.get("next_url") or ""
            address, pages = address.removeprefix("https://news.example"), pages + 1
        assert len(seen) == len(set(seen)) == MANY
        assert pages > 1


@pytest.mark.parametrize("path", ["/feeds/news.rss", "/feeds/news.atom", "/feeds/news.json"])
async def test_a_feed_has_excerpts_of_what_is_too_much(make_replica: Make, path: str) -> None:
    """Every update is in it, and the newest with all its words: one that is long hides none that is older."""
    replica = make_replica()
    replica.take(*(long(number) for number in range(MANY)))
    answer = await replica.get(path)
    assert 400_000 < len(answer.content) < MOST_BYTES
    for number in range(MANY):
        assert long(number).update_id.encode() in answer.content


def test_memory_has_as_many_updates_as_there_is_room_for_their_words() -> None:
    """The oldest make room, as they do where there are too many; one alone is kept, however long."""
    readers = [
        reader_update(long(number), cursor=Position(1, number), position=Position(1, number)) for number in range(MANY)
    ]
    store = FeedStore(1000, 3 * weight_of(readers[0]))
    store.reset(Position(1, -1), [], complete=True)
    for update in readers:
        store.apply(update)
    assert len(store) == 3
    assert [entry.position.offset for entry in store.newest()] == [MANY - 1, MANY - 2, MANY - 3]
    assert not store.page("news", None, 4).whole
    store.reset(Position(1, MANY), [*store.newest()], complete=True)
    assert len(store) == 3
    small = FeedStore(1000, 1)
    small.reset(Position(1, -1), [memory.FeedEntry(each) for each in readers], complete=True)
    assert len(small) == 1
    assert not small.complete
    kept = ArchivedEntries(most_bytes=2 * weight_of(readers[0]))
    entries = [kept.entry(update) for update in readers]
    assert kept.entry(readers[-1]) is entries[-1]
    assert kept.entry(readers[-4]) is not entries[-4]


def test_events_that_made_room_are_not_kept() -> None:
    """The buffer of streams lets go of what is past its bytes at once, not when there are hundreds."""
    buffer = RingBuffer(10_000, 1_000_000)
    buffer.begin(Position(1, -1))
    for number in range(30):
        buffer.append(EncodedEvent(StreamEvent(1, number, "publish", frozenset({"news"}), {"json": b"x" * 100_000})))
    held = [each for each in gc.get_objects() if isinstance(each, EncodedEvent) and each.size > 300_000]
    assert len(held) <= 4
    assert [each.position.offset for each in buffer.between(Position(1, 26), Position(1, 29))] == [
        number for number in range(27, 30) if number > buffer.floor.offset
    ]


def test_as_many_channels_are_known_as_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A source may think of a new tag for each update: what was rendered of one that is forgotten is not true any more."""
    monkeypatch.setattr(memory, "CHANNELS", 20)
    store = FeedStore(5)
    store.reset(Position(1, -1), [], complete=True)
    before = {f"tag:t{number}": store.generation(f"tag:t{number}") for number in range(100)}
    for number in range(100):
        update = revision(f"u{number}", tags=[f"t{number}"])
        store.apply(reader_update(update, cursor=Position(1, number)))
        assert store.generation(f"tag:t{number}") != before[f"tag:t{number}"]
        before[f"tag:t{number}"] = store.generation(f"tag:t{number}")
    assert store.changed_at("news") == (1, 99)
    assert store.changed_at("tag:t1") is None
    kept = store.generation("tag:t1")
    store.apply(reader_update(revision("again", tags=["t1"]), cursor=Position(1, 100)))
    assert store.generation("tag:t1") != kept
