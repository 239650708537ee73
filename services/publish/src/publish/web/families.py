"""Finds the translations of an update: in memory, and in the archive where the update is not in memory either."""

from itertools import islice

from publish.representation.reader_update import ReaderUpdate
from publish.web.archive_client import ArchiveClient, page_of
from publish.web.feed_store import FeedStore
from publish.web.page_parts.translations import Family, family, family_of

MOST = 40
"""Translations of one update."""


def shown_beside(update: ReaderUpdate) -> tuple[str, ...]:
    """The channels that the translations of an update depend on."""
    original = family_of(update)
    return (f"update:{original}", f"translations:{original}")


async def find_family(
    feed_store: FeedStore, archive: ArchiveClient, update: ReaderUpdate, *, in_memory: bool
) -> Family:
    """The family of an update. One that is in memory has its translations there too, or they are as old as what left it."""
    original_id = family_of(update)
    channel = f"translations:{original_id}"
    if in_memory:
        others = list(islice(feed_store.newest(channel), MOST))
    else:
        others = (await page_of(feed_store, archive, channel, None, MOST)).entries
    original: ReaderUpdate | None = update if original_id == update.update_id else None
    withdrawn = False
    if original is None:
        entry = feed_store.get(original_id)
        withdrawn = feed_store.removed(original_id) is not None
        if entry is not None:
            original = entry.update
        elif not withdrawn:
            archived = await archive.one(original_id)
            found = archived.update if archived is not None else None
            withdrawn = found is not None and found.is_removal
            original = None if found is None or withdrawn else found
    return family(original, [each.update for each in others], withdrawn=withdrawn)
