"""By what readers can filter a feed: topics and authors."""

from collections.abc import Iterable

from publish.representation.reader_json import dump
from publish.representation.reader_update import ReaderUpdate
from publish.representation.words import printable


def subjects_of(update: ReaderUpdate) -> list[str]:
    """What an update is about and by whom, as channels; without what a topic is a part of."""
    return list(_named(update))


def labels_of(updates: Iterable[ReaderUpdate]) -> str:
    """What readers call the subjects of these updates: JSON, by channel."""
    labels: dict[str, str] = {}
    for update in updates:
        labels |= _named(update)
    return dump(labels).decode()


def _named(update: ReaderUpdate) -> dict[str, str]:
    tags = {f"tag:{tag.code}": tag.label or tag.code for tag in update.tags if tag.origin != "broader"}
    authors = {f"author:{author.slug}": author.name for author in update.authors if author.slug}
    return {
        printable(channel): printable(name)
        for channel, name in (tags | authors).items()
        if not set(channel) & set(" \t\n\r\f")
    }
