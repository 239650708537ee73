"""What was published is put on the log again, as after a crash of enrich or from a backup: readers notice nothing."""

import uuid

import httpx
import pytest

from shared.kafka.producer import new_producer
from shared.streams import ENRICHED
from support.pipeline import KEYS, Pipeline
from support.topics import everything_in
from support.waiting import eventually

pytestmark = pytest.mark.flow


async def _repeat(pipeline: Pipeline, update_id: str) -> None:
    """Put every record of an update on the log once more, byte for byte."""
    producer = new_producer(pipeline.settings, "tests")
    records = [each for each in await everything_in(pipeline.settings, ENRICHED) if each.key == update_id.encode()]
    assert records
    await producer.start()
    try:
        for each in records:
            await producer.send_and_wait(
                pipeline.settings.topic_prefix + ENRICHED.name, each.value, key=each.key, headers=list(each.headers)
            )
    finally:
        await producer.stop()


@pytest.mark.parametrize("order", ["kill", "takedown", "withdraw"])
async def test_a_repeat_after_a_removal_and_a_restart_of_web_shows_nothing(pipeline: Pipeline, order: str) -> None:
    """A replica that was started anew after a removal shows the removed words nowhere, though they come again."""
    headline = f"Not to be seen again {uuid.uuid4().hex[:8]}"
    update_id = await pipeline.accepted(guid=headline, headline=headline, body_html=f"<p>{headline}</p>")
    await pipeline.visible(update_id, headline)
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {KEYS['desk']}"}) as desk:
        answer = await desk.post(
            f"{pipeline.ingest}/v1/updates/{update_id}/orders", json={"order": order, "reason": "privacy"}
        )
    assert answer.status_code == 202

    async def status() -> int:
        return (await pipeline.get(f"/v1/updates/{update_id}")).status_code

    await eventually(status, lambda seen: seen == 410, within_s=20, what="still public")
    # The archive has it too: the sender is told so by it.
    last = await pipeline.accepted(guid=f"{headline} marker", headline="marker")
    await eventually(lambda: pipeline.state_of(last), lambda state: state["state"] == "published", what="not archived")
    web = pipeline.named["publish-web"]
    web.child.kill()
    web.child.start()
    await web.ready()
    assert await status() == 410
    async with pipeline.stream() as stream:
        await _repeat(pipeline, update_id)
        marker = await pipeline.accepted(guid=f"{headline} end", headline="end")
        await stream.until(marker, "publish")
        assert [each.data.get("update_id") for each in stream.events if each.kind != "ready"] == [marker]
    assert await status() == 410
    for path in (f"/updates/{update_id}/x", "/v1/updates?limit=100", "/", "/feeds/news.rss", "/feeds/news.json"):
        assert headline not in (await pipeline.get(path)).text, path
