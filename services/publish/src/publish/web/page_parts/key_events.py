"""The key events of a story, and what stands around an update in it."""

from collections.abc import Sequence
from dataclasses import dataclass

from publish.web.feed_store import FeedEntry, FeedStore

MOST_KEY_EVENTS = 20


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The updates of the same story that were published next before and after one."""

    older: FeedEntry | None
    newer: FeedEntry | None


def key_events_of(newest: Sequence[FeedEntry]) -> list[FeedEntry]:
    """The key events among a story's newest updates, newest first."""
    return [entry for entry in newest if entry.update.key_event][:MOST_KEY_EVENTS]


def neighbours_of(feed_store: FeedStore, entry: FeedEntry) -> Neighbours:
    """What stands around an update in its story; nothing for one without a story, or which memory does not hold."""
    story = entry.update.story
    if not story or feed_store.get(entry.update.update_id) is None:
        return Neighbours(None, None)
    return Neighbours(*feed_store.around(f"story:{story}", entry.position))
