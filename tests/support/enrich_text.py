"""Enrich text in the test's own process, on real servers, and what it emits."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from aiokafka import ConsumerRecord

from enrich.admin.api import newsroom_routes
from enrich.settings import Settings
from enrich.stories import process as gathering
from enrich.text.process import serve_text
from local.child import free_port
from shared.kafka.producer import Producer, acknowledged
from shared.messages import EnrichedUpdate, Message, Outcome, Outcomes, RawUpdate
from shared.settings import Connections
from shared.streams import ENRICHED, OUTCOMES, RAW, Stream
from support.topics import everything_in
from support.waiting import eventually


@dataclass
class Desk:
    """Sends to `updates.raw` and reads what came of it."""

    settings: Settings
    producer: Producer
    sources: dict[str, str] = field(default_factory=dict)
    """By update id, of the versions that were sent."""

    async def send(self, *messages: Message) -> None:
        """Each keyed by the source of its update, in order; by the update's id as long as no version of it was sent."""
        self.sources |= {each.update_id: each.source for each in messages if isinstance(each, RawUpdate)}
        futures = []
        for index, each in enumerate(messages):
            update_id: str = each.update_id  # type: ignore[attr-defined]
            key = self.sources.get(update_id, update_id)
            futures.append(await self.producer.send(RAW, each, key=key, event_id=f"test:{index}"))
        await acknowledged(futures)

    async def send_bytes(self, value: bytes, *, key: str, kind: str) -> None:
        """Bytes as they are."""
        headers = [("ce_type", kind.encode())]
        await acknowledged([await self.producer.send_bytes(RAW, value, key=key.encode(), headers=headers)])

    async def records(self, stream: Stream) -> list["ConsumerRecord[bytes, bytes]"]:
        """Everything in a topic, by partition and offset."""
        return await everything_in(self.settings, stream)

    async def revisions(self) -> list[EnrichedUpdate]:
        """All that was emitted, in the newsroom's order."""
        return [EnrichedUpdate.model_validate_json(record.value) for record in await self.records(ENRICHED)]

    async def until(self, count: int) -> list[EnrichedUpdate]:
        """All revisions, once there are so many."""
        return await eventually(self.revisions, lambda seen: len(seen) >= count, within_s=45, what=f"{count} revisions")

    async def outcomes(self) -> list[Outcome]:
        """What was reported of each message."""
        records = await self.records(OUTCOMES)
        return [each for record in records for each in Outcomes.model_validate_json(record.value).outcomes]

    async def until_outcomes(self, count: int) -> list[Outcome]:
        """All outcomes, once there are so many."""
        return await eventually(self.outcomes, lambda seen: len(seen) >= count, within_s=45, what=f"{count} outcomes")


def settings_of(newsroom: Connections, **changes: Any) -> Settings:
    """The service's settings on the test's newsroom."""
    own = {"enrich_own_sources": ("pa",)}
    return Settings(**{**newsroom.model_dump(), "health_port": free_port(), **own, **changes})


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[None]:
    """A replica of enrich text and one of enrich gather; ready, and stopped in order at the end."""
    stop = asyncio.Event()
    beside = settings.model_copy(update={"health_port": free_port()})
    tasks = [
        asyncio.create_task(serve_text(settings, stop, newsroom_routes)),
        asyncio.create_task(gathering.serve(beside, stop)),
    ]

    async def ready() -> bool:
        for task in tasks:
            if task.done():
                task.result()
        async with httpx.AsyncClient() as client:
            try:
                answers = [
                    await client.get(f"http://127.0.0.1:{each.health_port}/readyz") for each in (settings, beside)
                ]
            except httpx.TransportError:
                return False
        return all(answer.status_code == 200 for answer in answers)

    try:
        await eventually(ready, within_s=60, what="enrich text is not ready")
        yield
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 40)


Replicas = Callable[..., Awaitable[Sequence[Settings]]]
