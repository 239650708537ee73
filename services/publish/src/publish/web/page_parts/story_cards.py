"""Cards of the stories that are live: on the front page, and beside an update of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from publish.representation.position import Position
from publish.representation.reader_update import ReaderUpdate
from publish.representation.story_record import StoryRecord
from publish.web.feed_store import FeedEntry, FeedStore
from publish.web.stories import SAYING_SO, closed_at

CARDS = 4
LINES = 3
STORIES_LOOKED_AT = 100
"""Newest stories among which those are looked for that are not over."""


@dataclass(frozen=True, slots=True)
class StoryCard:
    """A story by its newest updates."""

    story: str
    name: str
    newest: Position
    lines: Sequence[ReaderUpdate]
    closed: bool


def card_of(feed_store: FeedStore, story: str) -> StoryCard | None:
    """The card of a story; None where memory has no update of it."""
    entries = list(islice(feed_store.newest(f"story:{story}"), LINES))
    return _card(feed_store, story, entries) if entries else None


def cards_of(feed_store: FeedStore) -> list[StoryCard]:
    """The cards of the front page: of the stories that are not over, that with the newest update first."""
    cards: list[StoryCard] = []
    seen: set[str] = set()
    for entry in feed_store.newest():
        story = entry.update.story
        if not story or story in seen:
            continue
        seen.add(story)
        card = card_of(feed_store, story)
        if card is not None and not card.closed:
            cards.append(card)
        if len(cards) == CARDS or len(seen) == STORIES_LOOKED_AT:
            break
    return cards


def _card(feed_store: FeedStore, story: str, entries: Sequence[FeedEntry]) -> StoryCard:
    newest = entries[0]
    record = feed_store.story(story) or StoryRecord(story, newest.update.first_published_at)
    over = closed_at(list(islice(feed_store.newest(f"story:{story}"), SAYING_SO)))
    return StoryCard(
        story,
        record.name(newest.update.story_label),
        newest.position,
        [entry.update for entry in entries],
        over is not None,
    )
