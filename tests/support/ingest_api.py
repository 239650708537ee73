"""An `ingest api` in this process, on real servers, with sources that may send to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from ingest.intake.receive import Intake
from ingest.settings import Settings
from ingest.sources import keys, store
from ingest.sources.rate_limit import SourceRateLimit
from ingest.sources.registry import Registry
from ingest.sources.source import Source
from ingest.sources.statistics import SourceStatistics
from ingest.transports.api.app import build
from ingest.transports.api.authentication import Api
from ingest.transports.api.openapi import document
from ingest.transports.websub.callbacks import HubCallbacks
from shared.access.key import digest_of
from shared.kafka.producer import Producer, new_producer
from shared.observability.health import Health
from shared.postgres.migrations import migrate
from shared.postgres.pool import Pool, connect
from shared.settings import Connections
from shared.streams import RAW
from support.topics import everything_in

KEYS = {"north": "north-key", "south": "south-key", "desk": "desk-key"}


@dataclass
class Wire:
    """The service as a sender sees it, and what stands behind it."""

    settings: Settings
    pool: Pool
    intake: Intake
    registry: Registry
    client: httpx.AsyncClient
    app: Any
    closing: list[Any] = field(default_factory=list)

    async def push(self, document: Any, key: str = "north-key", **headers: str) -> httpx.Response:
        """Post native JSON."""
        body = document if isinstance(document, bytes) else orjson.dumps(document)
        return await self.client.post(
            "/v1/updates",
            content=body,
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json", **headers},
        )

    async def wire(self, body: bytes, content_type: str, source: str = "north") -> httpx.Response:
        """Post a document in any format."""
        return await self.client.post(
            f"/v1/wire/{source}", content=body, headers={"X-API-Key": KEYS[source], "Content-Type": content_type}
        )

    async def raw(self) -> list[dict[str, Any]]:
        """What is on `updates.raw`."""
        return [orjson.loads(record.value or b"{}") for record in await everything_in(self.settings, RAW)]


@asynccontextmanager
async def started(newsroom: Connections, **settings: Any) -> AsyncIterator[Wire]:
    """The service with the sources `north`, `south` and the desk."""
    chosen = Settings(**(newsroom.model_dump() | settings))
    pool = await connect(newsroom, schema="ingest", max_size=4)
    await migrate(pool, "ingest")
    for name, key in KEYS.items():
        await store.save(pool, Source(name=name, desk=name == "desk"))
        await keys.set_keys(pool, name, [digest_of(key)])
    kafka_producer = new_producer(newsroom, "tests")
    await kafka_producer.start()
    producer = Producer(kafka_producer, source="slugline/ingest", topic_prefix=newsroom.topic_prefix)
    intake = Intake(SourceStatistics(), timeout_s=5.0, pool=pool, producer=producer)
    known = Registry()
    await known.load(pool)
    callback = HubCallbacks(chosen, known, intake)
    app = build(Api(chosen, known, intake, SourceRateLimit()), Health("ingest.api"), document, callback.routes())
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://ingest.test") as client:
            yield Wire(chosen, pool, intake, known, client, app)
    finally:
        await asyncio.wait_for(kafka_producer.stop(), 10)
        await pool.close()
