"""Which update opens a page."""

from collections.abc import Callable, Sequence

from publish.representation.pictures import Picture, pictures_of
from publish.representation.position import Position
from publish.web.feed_store import FeedEntry

LEAD_AMONG = 50
DEFAULT_URGENCY = 5


def lead_of(
    newest: Sequence[FeedEntry],
    pictures: Callable[[FeedEntry], Sequence[Picture]] = lambda entry: pictures_of(entry.update),
    *,
    of_story: bool = False,
) -> FeedEntry | None:
    """The update that opens the page, out of the newest ones, newest first.

    A pinned one before all: an editor said so. What is pinned within a story opens that story's page (`of_story`) and not
    the front page. Then, among the newest fifty, a key event, then one with a picture, then
    the more urgent (IPTC 1 to 9), then the newer: the page opens with what matters, and what is only newer is at the top
    of the feed below it anyway.
    """
    pinned = next((entry for entry in newest if entry.update.pinned and (of_story or not entry.update.story)), None)
    if pinned is not None:
        return pinned

    def weight(entry: FeedEntry) -> tuple[bool, bool, int, Position]:
        update = entry.update
        return (
            update.key_event,
            bool(pictures(entry)) or update.media_pending,
            -(update.urgency or DEFAULT_URGENCY),
            entry.position,
        )

    return max(newest[:LEAD_AMONG], key=weight, default=None)
