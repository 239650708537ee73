"""Services of two releases side by side, and a cluster of several addresses."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.consumer.ceiling import MOST_IN_A_ROW
from shared.kafka.cloudevents import headers_for, value_of
from shared.kafka.producer import acknowledged
from shared.messages import Message, Outcome, Outcomes
from shared.settings import Connections
from shared.streams import ENRICHED, OUTCOMES, Stream
from support.pipeline import SERVICES, started
from support.processes import Processes
from support.revisions import NOON, revision
from support.topics import emitting
from support.waiting import eventually

pytestmark = [pytest.mark.flow, pytest.mark.timeout(180)]


async def emit_newer(
    settings: Connections, stream: Stream, messages: list[tuple[Message, str, Mapping[str, Any]]]
) -> None:
    """Emit messages as a newer release would: each with members that this release does not know, and its key."""
    async with emitting(settings) as producer:
        futures = [
            await producer.send_bytes(
                stream,
                json.dumps(json.loads(value_of(message)) | dict(newer)).encode(),
                key=key.encode(),
                headers=headers_for(message, source="tests", event_id=f"{key}:1"),
            )
            for message, key, newer in messages
        ]
        await acknowledged(futures)


async def test_values_of_a_newer_release_stop_nobody(
    newsroom: Connections, processes: Processes, tmp_path: Path
) -> None:
    """More revisions of a kind not yet known than dead letters would halt a consumer, and stages not yet known: all goes on."""
    services = (("ingest", "api"), ("enrich", "text"), ("publish", "archive"), ("publish", "web"))
    async with started(newsroom, processes, tmp_path, services) as pipeline:
        known = await pipeline.accepted(guid="known", headline="before")
        await pipeline.visible(known, "before")
        newer = [revision(f"newer {n}") for n in range(MOST_IN_A_ROW + 1)]
        await emit_newer(newsroom, ENRICHED, [(each, each.update_id, {"kind": "retract"}) for each in newer])
        stage = {"outcomes": [{"update_id": known, "stage": "translated", "at": NOON.isoformat()}]}
        empty = Outcomes(outcomes=(Outcome(update_id=known, stage="held", at=NOON),))
        await emit_newer(newsroom, OUTCOMES, [(empty, f"{n}", stage) for n in range(12)])
        await pipeline.visible(newer[-1].update_id, newer[-1].headline)
        after = await pipeline.accepted(guid="after", headline="after")
        await pipeline.visible(after, "after")
        # Its outcomes come behind those of the newer release, on the same partitions.
        await eventually(
            lambda: pipeline.state_of(after), lambda state: state.get("state") == "published", what="outcomes wait"
        )
        async with httpx.AsyncClient() as client:
            for process in pipeline.named.values():
                ready = await client.get(process.url + "/readyz")
                assert ready.status_code == 200, ready.text


async def test_any_address_of_the_cluster_will_do(newsroom: Connections, processes: Processes, tmp_path: Path) -> None:
    """`KAFKA_SERVERS` names several brokers, the first of which is away: every process gets ready and does its work."""
    settings = newsroom.model_copy(update={"kafka_servers": f"127.0.0.1:1, {newsroom.kafka_servers}"})
    services = (*SERVICES, ("enrich", "media"), ("publish", "push"), ("ingest", "poll"), ("ingest", "watch"))
    async with started(settings, processes, tmp_path, services) as pipeline:
        update_id = await pipeline.accepted(guid="several", headline="Several brokers")
        await pipeline.visible(update_id, "Several brokers")
        await asyncio.gather(*(process.ready() for process in pipeline.named.values()))
