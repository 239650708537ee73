"""One update from the sender's POST to pages, API, stream and the sender's own question, through real processes."""

import uuid
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import redis.asyncio

from shared.kafka.producer import new_producer
from shared.messages import DeadLetter, EnrichedUpdate
from shared.streams import ENRICHED, RAW
from support.pipeline import Pipeline
from support.topics import everything_in
from support.waiting import eventually

pytestmark = pytest.mark.flow


def fresh(headline: str) -> dict[str, str]:
    """An update that no other test posts."""
    name = uuid.uuid4().hex[:8]
    return {
        "guid": f"urn:test:{name}",
        "headline": f"{headline} {name}",
        "body_html": f"<p>Text of {name}.</p>",
        "byline": "By Ada Quill",
    }


async def test_an_update_reaches_every_reader(pipeline: Pipeline) -> None:
    """What is posted is on the feed page, on its own page, in the API and in an open stream, and the sender is told."""
    update = fresh("Tug brings ferry home")
    async with pipeline.stream() as stream:
        update_id = await pipeline.accepted(**update)
        event = await stream.until(update_id, "publish")
    assert event.data["headline"] == update["headline"]
    assert event.id
    seen = await pipeline.visible(update_id, update["headline"])
    own = await pipeline.get(f"/updates/{update_id}/anything")
    assert own.status_code == 200
    assert update["headline"] in own.text
    assert "Ada Quill" in own.text
    assert update["headline"] in (await pipeline.get("/")).text
    first = (await pipeline.get("/v1/updates")).json()["updates"][0]
    assert first["update_id"] == update_id == seen["update_id"]
    # Stages tell what became of it in their own time, the last one perhaps first.
    state = await eventually(
        lambda: pipeline.state_of(update_id),
        lambda state: state.get("state") == "published" and "enriched_at" in state["versions"][0],
        what="not told",
    )
    version = state["versions"][0]
    times = [version[name] for name in ("received_at", "emitted_at", "enriched_at", "published_at")]
    assert all(times)
    assert times[0] <= times[1]


async def test_a_repeat_is_a_duplicate_and_changes_nothing(pipeline: Pipeline) -> None:
    """The same version again is told to be a duplicate and gives no further revision."""
    update = fresh("Twice the same")
    update_id = await pipeline.accepted(**update)
    before = await pipeline.visible(update_id, update["headline"])
    again = await pipeline.post(update)
    assert again.json()["results"][0]["status"] == "duplicate"
    marker = await pipeline.accepted(**(sentinel := fresh("After the repeat")))
    await pipeline.visible(marker, sentinel["headline"])
    assert await pipeline.visible(update_id, update["headline"]) == before


async def test_a_correction_replaces_text_in_place(pipeline: Pipeline) -> None:
    """A corrected version changes the text everywhere, says why, and does not move the update in the feed."""
    update = fresh("Ferry with 212 aboard")
    update_id = await pipeline.accepted(**update, version="1")
    before = await pipeline.visible(update_id, update["headline"])
    later = await pipeline.accepted(**(newer := fresh("Something newer")))
    await pipeline.visible(later, newer["headline"])
    right = update["headline"].replace("212", "204")
    async with pipeline.stream() as stream:
        corrected = update | {
            "headline": right,
            "version": "2",
            "signal": "correction",
            "correction_reason": "Corrects the number of people",
        }
        await pipeline.accepted(**corrected)
        event = await stream.until(update_id, "correct")
    assert event.data["headline"] == right
    after = await pipeline.visible(update_id, right)
    assert after["position"] == before["position"]
    page = await pipeline.get(f"/updates/{update_id}/x")
    assert right in page.text
    assert update["headline"] not in page.text.split("<details", 1)[0]
    assert "Updated" in page.text
    order = [each["update_id"] for each in (await pipeline.get("/v1/updates?limit=50")).json()["updates"]]
    assert order.index(later) < order.index(update_id)


async def test_a_kill_takes_an_update_from_every_reader(pipeline: Pipeline) -> None:
    """A killed update is gone from feed, page, API, Redis and open streams, and no later version brings it back."""
    update = fresh("This will not stand")
    update_id = await pipeline.accepted(**update, version="1")
    await pipeline.visible(update_id, update["headline"])
    async with pipeline.stream() as stream:
        await pipeline.accepted(guid=update["guid"], version="2", status="canceled")
        await stream.until(update_id, "kill")
    answer = await pipeline.get(f"/v1/updates/{update_id}")
    assert answer.status_code == 410
    await pipeline.accepted(**(update | {"headline": update["headline"] + " again"}), version="3")
    marker = await pipeline.accepted(**(sentinel := fresh("After the kill")))
    await pipeline.visible(marker, sentinel["headline"])
    for path in ("/", "/v1/updates?limit=100", f"/updates/{update_id}/x", f"/v1/updates/{update_id}"):
        assert update["headline"] not in (await pipeline.get(path)).text, path
    assert (await pipeline.get(f"/v1/updates/{update_id}")).status_code == 410
    cache = redis.asyncio.from_url(pipeline.settings.redis_url)
    try:

        async def left() -> list[bytes]:
            keys = [key async for key in cache.scan_iter(f"{pipeline.settings.topic_prefix}*")]
            values = [await cache.dump(key) for key in keys]
            return [
                key for key, value in zip(keys, values, strict=True) if value and update["headline"].encode() in value
            ]

        await eventually(left, lambda keys: not keys, what="still in Redis")
    finally:
        await cache.aclose()


async def test_a_kill_that_arrives_first_wins(pipeline: Pipeline) -> None:
    """An update whose kill came before it is never seen."""
    update = fresh("Killed before it came")
    await pipeline.accepted(guid=update["guid"], version="2", status="canceled")
    update_id = await pipeline.accepted(**update, version="1")
    marker = await pipeline.accepted(**(sentinel := fresh("After the early kill")))
    await pipeline.visible(marker, sentinel["headline"])
    state = await eventually(
        lambda: pipeline.state_of(update_id),
        lambda state: {each["state"] for each in state["versions"]} & {"suppressed", "superseded"},
        what="not told",
    )
    assert state["state"] != "published"
    assert update["headline"] not in (await pipeline.get("/v1/updates?limit=100")).text
    assert (await pipeline.get(f"/v1/updates/{update_id}")).status_code in (404, 410)


async def test_poison_on_the_raw_topic_passes(pipeline: Pipeline) -> None:
    """Bytes on updates.raw that are no message go to the dead letters; what comes after them in the same partition is published."""
    update = fresh("Behind the poison")
    update_id = await pipeline.accepted(**update, version="1")
    await pipeline.visible(update_id, update["headline"])
    producer = new_producer(pipeline.settings, "tests")
    await producer.start()
    try:
        for poison in (b"\xff\x00 not json", b'{"update_id": 7}', b"[" * 100_000, b""):
            await producer.send_and_wait(
                pipeline.settings.topic_prefix + RAW.name,
                poison,
                key=b"desk",
                headers=[("ce_type", b"slugline.update.received"), ("x", b"\xfe")],
            )
    finally:
        await producer.stop()
    again = update["headline"] + " second"
    await pipeline.accepted(**(update | {"headline": again}), version="2")
    await pipeline.visible(update_id, again)
    records = await everything_in(pipeline.settings, RAW.dead_letters)
    letters = [DeadLetter.model_validate_json(record.value or b"") for record in records]
    assert [letter.stage for letter in letters if letter.key == "desk"] == ["enrich.text"] * 4


async def test_an_embargoed_update_leaves_no_trace_before_its_time(pipeline: Pipeline) -> None:
    """Until its embargo ends an update is in no page, API answer, stream, cache or public topic; then it appears by itself."""
    update = fresh("Held until its time")
    due = datetime.now(UTC) + timedelta(seconds=6)
    async with pipeline.stream() as stream:
        update_id = await pipeline.accepted(**update, embargo_until=due.isoformat())
        await eventually(
            lambda: pipeline.state_of(update_id), lambda state: state["state"] == "held", what="not told to be held"
        )
        marker = await pipeline.accepted(**(sentinel := fresh("Passed the held one")))
        await pipeline.visible(marker, sentinel["headline"])
        seen = [
            (await pipeline.get(path)).text
            for path in ("/", "/v1/updates?limit=100", f"/updates/{update_id}/x", f"/v1/updates/{update_id}")
        ]
        enriched = [record.value or b"" for record in await everything_in(pipeline.settings, ENRICHED)]
        assert datetime.now(UTC) < due, "the machine was too slow to look before the embargo ended"
        assert not [text for text in seen if update["headline"] in text]
        assert not [value for value in enriched if update["headline"].encode() in value]
        assert update_id not in [event.data.get("update_id") for event in stream.events]
        await stream.until(update_id, "publish", within_s=30)
        assert datetime.now(UTC) >= due


async def test_a_reader_who_was_away_misses_nothing(pipeline: Pipeline) -> None:
    """A stream opened with Last-Event-ID gives every revision after it, in order, once."""
    async with pipeline.stream() as stream:
        first = await pipeline.accepted(**fresh("Last one seen"))
        last_seen = await stream.until(first, "publish")
    missed = [await pipeline.accepted(**fresh(f"Missed {number}")) for number in range(5)]
    await eventually(
        lambda: pipeline.state_of(missed[-1]), lambda state: state["state"] == "published", what="not published"
    )
    async with pipeline.stream(last_event_id=last_seen.id) as stream:
        await stream.until(missed[-1], "publish")
    came = [event.data["update_id"] for event in stream.events if event.kind == "publish"]
    assert [each for each in came if each in missed] == missed
    assert first not in came
    assert len(came) == len(set(came))


async def test_a_batch_answers_for_each_item(pipeline: Pipeline) -> None:
    """One bad item of a batch is named with its place and reason; the good ones beside it are published."""
    good, other = fresh("Good one"), fresh("Other good one")
    answer = await pipeline.post(good, {"headline": "nameless"}, other)
    assert answer.status_code == 207
    results = answer.json()["results"]
    assert [result["status"] for result in results] == ["accepted", "invalid", "accepted"]
    assert results[1]["pointer"]
    assert results[1]["reason"]
    for result, update in ((results[0], good), (results[2], other)):
        await pipeline.visible(result["id"], update["headline"])


@pytest.mark.parametrize(("key", "status"), [("", 401), ("wrong", 401)], ids=["no key", "wrong key"])
async def test_unkeyed_copy_is_refused(pipeline: Pipeline, key: str, status: int) -> None:
    """Who has no key is refused with a problem document, and nothing of it goes on."""
    async with httpx.AsyncClient() as client:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        answer = await client.post(f"{pipeline.ingest}/v1/updates", json=fresh("Uninvited"), headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_passport_tells_the_way(pipeline: Pipeline) -> None:
    """A published update tells when it was received, enriched and published, in that order."""
    update = fresh("With a passport")
    update_id = await pipeline.accepted(**update)
    await pipeline.visible(update_id, update["headline"])
    (record,) = [
        record for record in await everything_in(pipeline.settings, ENRICHED) if record.key == update_id.encode()
    ]
    passport = EnrichedUpdate.model_validate_json(record.value or b"").passport
    assert passport.enriched_at is not None
    assert passport.received_at <= passport.enriched_at <= datetime.now(UTC)
