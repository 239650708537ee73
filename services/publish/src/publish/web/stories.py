"""The stories that the newest updates belong to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from publish.representation.words import modified_at
from publish.web.feed_store import FeedEntry, FeedStore

MOST = 100

OVER_AFTER = timedelta(hours=24)
"""After the end of its coverage a story is corrected still: then it is over for those who follow its stream."""

SAYING_SO = 50
"""Newest updates of a story that may say that it is over."""


@dataclass(slots=True)
class LiveStory:
    """A story, by its newest updates."""

    id: str
    label: str
    newest: FeedEntry
    count: int
    closed: bool
    corroboration: int


def stories_of(feed_store: FeedStore) -> list[LiveStory]:
    """The stories of the updates in memory, that with the newest update first."""
    stories: dict[str, LiveStory] = {}
    for entry in feed_store.newest():
        update = entry.update
        if not update.story:
            continue
        story = stories.get(update.story)
        if story is None:
            if len(stories) == MOST:
                continue
            story = stories[update.story] = LiveStory(update.story, update.story_label, entry, 0, False, 0)
        story.count += 1
        story.closed = story.closed or update.closed
        story.label = story.label or update.story_label
        story.corroboration = max(story.corroboration, update.corroboration.count)
    return list(stories.values())


def is_over(feed_store: FeedStore, channel: str, now: datetime) -> bool:
    """Whether a channel is a story whose coverage ended so long ago that nothing is expected to follow."""
    if not channel.startswith("story:"):
        return False
    ended = closed_at(list(islice(feed_store.newest(channel), SAYING_SO)))
    return ended is not None and ended < now - OVER_AFTER


def closed_at(entries: Sequence[FeedEntry]) -> datetime | None:
    """When a story's coverage ended, by the updates that say it is over; None while it is open."""
    times = [entry.update.version_created or modified_at(entry.update) for entry in entries if entry.update.closed]
    return max(times) if times else None
