"""The stories that the newest updates belong to."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from publish.web.feed_store import FeedEntry, FeedStore
from publish.web.routes.answers import closed_at

MOST = 100

SETTLED = timedelta(hours=24)
"""After the end of its coverage a story is corrected still: then it is over for those who follow its stream."""

TELLING = 50
"""Newest updates of a story that may say that it is over."""


@dataclass(slots=True)
class LiveStory:
    """A story as its newest updates tell it."""

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
        story.closed = story.closed or update.flags.closed
        story.label = story.label or update.story_label
        story.corroboration = max(story.corroboration, update.corroboration.count)
    return list(stories.values())


def is_over(feed_store: FeedStore, channel: str, now: datetime) -> bool:
    """Whether a channel is a story whose coverage ended so long ago that nothing is expected to follow."""
    if not channel.startswith("story:"):
        return False
    ended = closed_at(list(islice(feed_store.newest(channel), TELLING)))
    return ended is not None and ended < now - SETTLED
