"""Revisions as enrich emits them, for tests of what follows it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from publish.representation.position import Position
from publish.representation.reader_update import ReaderUpdate, reader_update
from shared.kafka.cloudevents import headers_for, value_of
from shared.kafka.producer import acknowledged, new_producer
from shared.messages import EnrichedUpdate, Passport, Tag, update_id_for
from shared.settings import Connections
from shared.streams import ENRICHED, Stream

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def revision(
    guid: str, number: int = 1, *, removal: str | None = None, tags: Sequence[str] = (), **fields: Any
) -> EnrichedUpdate:
    """A revision of the update that the wire calls `guid`; a removal carries no text."""
    update_id = update_id_for("wire", guid)
    text: dict[str, Any] = (
        {} if removal else {"headline": f"{guid} {number}", "text": f"Words of {guid}, revision {number}."}
    )
    kind = "kill" if removal else ("publish" if number == 1 else "update")
    return EnrichedUpdate.model_validate(
        {
            "update_id": update_id,
            "revision": number,
            "kind": kind,
            "removal": removal,
            "source": "wire",
            "guid": guid,
            "tags": tuple(Tag(code=code, label=code) for code in tags),
            "slug": "words",
            "path": f"/updates/{update_id}/words",
            "first_published_at": NOON,
            "passport": Passport(received_at=NOON, enriched_at=NOON),
            **text,
            **fields,
        }
    )


def read(update: EnrichedUpdate, offset: int = 0, position: int | None = None) -> ReaderUpdate:
    """What readers get of a revision at an offset of the first epoch, of an update that stands there or at `position`."""
    return reader_update(
        update, cursor=Position(1, offset), position=Position(1, offset if position is None else position)
    )


async def emit(settings: Connections, updates: Iterable[EnrichedUpdate], stream: Stream = ENRICHED) -> list[int]:
    """Put revisions on the log as enrich does; their offsets."""
    producer = new_producer(settings, "test")
    await producer.start()
    try:
        futures = [
            await producer.send(
                settings.topic_prefix + stream.name,
                value=value_of(update),
                key=update.update_id.encode(),
                headers=headers_for(update, source="test", event_id=f"{update.update_id}:{update.revision}"),
            )
            for update in updates
        ]
        return [record.offset for record in await acknowledged(futures)]  # type: ignore[attr-defined]
    finally:
        await producer.stop()


@contextlib.asynccontextmanager
async def running(serve: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> AsyncIterator[asyncio.Task[None]]:
    """A process's `serve(stop)` in this one, told to stop at the end of the block; what it raises is raised."""
    stop = asyncio.Event()
    task = asyncio.create_task(serve(stop))
    try:
        yield task
    finally:
        stop.set()
        await asyncio.wait_for(task, 30)
