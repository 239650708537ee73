"""What streams ask the archive for: the revisions after a cursor that memory does not reach back to."""

import contextlib
from collections.abc import Collection

from publish.archive import queries
from publish.representation.position import Position
from publish.representation.views import Views
from publish.web.archive_client import ArchiveClient, entry_of
from publish.web.feed_store import Applied
from publish.web.follower import stream_event
from publish.web.omissions import Omitted
from publish.web.stream.event import Replay, Replayed


def replay_from(archive: ArchiveClient, views: Views) -> Replay:
    """The replay of one replica. It cannot tell what followed a cursor of another epoch."""

    async def replay(after: Position, channels: Collection[str], limit: int) -> Replayed | None:
        if archive.pool is None:
            return None
        reached = await queries.archived_up_to(archive.pool)
        if reached.epoch != after.epoch:
            return None
        found = await queries.replay(archive.pool, after.epoch, after.offset, channels, limit)
        events = []
        for each in found:
            entry = None if each.update.is_removal else entry_of(each)
            event = stream_event(views, Applied(each.update, each.cursor, each.channels, entry))
            with contextlib.suppress(Omitted):
                # Made now, so that what cannot be shown is left out here.
                event.views["json"]
                events.append(event)
        return Replayed(events, found[-1].cursor if len(found) == limit else reached)

    return replay
