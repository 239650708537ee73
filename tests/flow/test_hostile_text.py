"""Text that was made to cost more than its length holds up nobody: neither enrich, nor a page, nor its own kill.

It is put on the topics themselves, as a release before this one would have let it through.
"""

import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from shared.kafka.cloudevents import headers_for, value_of
from shared.kafka.producer import new_producer
from shared.messages import EnrichedUpdate, Message, RawUpdate, update_id_for
from shared.streams import ENRICHED, RAW, Stream
from support.pipeline import Pipeline
from support.revisions import revision
from support.waiting import eventually

pytestmark = pytest.mark.flow

WITHIN_S = 10.0
"""For what comes behind a hostile text: each of them took from many seconds to for ever."""
FORMATS = "".join(f"<b id={number}>" for number in range(90))
HOSTILE = {
    "blanks": "a" + " " * 300_000 + "b",
    "tables in tables": "<table><tr><td>" * 237 + "x" + "</td></tr></table>" * 237,
    "unequal rows": "<table><tr>" + "<td>a</td>" * 2000 + "</tr>" + "<tr><td>b</td></tr>" * 2000 + "</table>",
    "no-break spaces": "<p>" + "\xa0" * 400_000 + "x</p>",
    "formats torn apart": f"<p>{FORMATS}</p>" + "<p>x</p>" * 10_000,
    "ends of nothing": "<div></zz>" * 30_000,
    "one headline": "<p>short</p>",
}
HEADLINES = {"one headline": "H" * 2_000_000}


def fresh(name: str) -> dict[str, str]:
    """An ordinary update that no other test posts."""
    mark = uuid.uuid4().hex[:8]
    return {"guid": f"urn:test:{mark}", "headline": f"Behind {name} {mark}", "body_html": "<p>All is well.</p>"}


async def put(pipeline: Pipeline, stream: Stream, messages: Sequence[RawUpdate | EnrichedUpdate]) -> None:
    """Put messages on a topic, as the stage before it does."""
    producer = new_producer(pipeline.settings, "tests")
    await producer.start()
    try:
        for message in messages:
            version: Message = message
            await producer.send_and_wait(
                pipeline.settings.topic_prefix + stream.name,
                value_of(version),
                key=(message.source if stream == RAW else message.update_id).encode(),
                headers=headers_for(version, source="tests", event_id=uuid.uuid4().hex),
            )
    finally:
        await producer.stop()


async def others_pass(pipeline: Pipeline, name: str) -> None:
    """An ordinary update is on the page within seconds."""
    began = time.monotonic()
    update_id = await pipeline.accepted(**(update := fresh(name)))
    await pipeline.visible(update_id, update["headline"], within_s=WITHIN_S)
    assert time.monotonic() - began < WITHIN_S


async def gone(pipeline: Pipeline, update_id: str) -> None:
    """The update is nowhere to be read any more."""
    await eventually(
        lambda: pipeline.get(f"/v1/updates/{update_id}"),
        lambda answer: answer.status_code == 410,
        within_s=WITHIN_S,
        what="the kill was not applied",
    )


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_text_on_the_raw_topic_holds_up_nobody(pipeline: Pipeline, name: str) -> None:
    """Enrich takes it in its stride, what is published of it is no more than a few times as long, and a kill takes it away."""
    guid = f"hostile:{uuid.uuid4().hex}"
    said = RawUpdate(
        update_id=update_id_for("desk", guid), source="desk", guid=guid, received_at=datetime.now(UTC), language="en",
        headline=HEADLINES.get(name, f"Hostile {name}"), body_html=HOSTILE[name],
    )  # fmt: skip
    await put(pipeline, RAW, [said])
    await others_pass(pipeline, name)
    answer = await eventually(
        lambda: pipeline.get(f"/v1/updates/{said.update_id}"),
        lambda answer: answer.status_code == 200,
        within_s=WITHIN_S,
        what="not published",
    )
    assert len(answer.json()["headline"]) <= 1000
    page = await pipeline.get(f"/updates/{said.update_id}/anything")
    assert len(page.text) < 8 * len(said.body_html) + 50_000
    killed = await pipeline.post({"guid": guid, "status": "canceled", "version": "2"})
    assert killed.status_code == 202, killed.text
    await gone(pipeline, said.update_id)


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_markup_of_an_earlier_release_holds_up_no_page(pipeline: Pipeline, name: str) -> None:
    """A revision that enrich of another release let through is shown, others arrive meanwhile, and its removal is applied."""
    guid = f"hostile:{uuid.uuid4().hex}"
    shown = revision(
        guid, 1, body_html=HOSTILE[name], text="words " * 200, word_count=10, first_published_at=datetime.now(UTC)
    )
    await put(pipeline, ENRICHED, [shown])
    await others_pass(pipeline, name)
    page = await pipeline.get(f"/updates/{shown.update_id}/words")
    assert page.status_code == 200
    assert len(page.text) < 8 * len(HOSTILE[name]) + 50_000
    await put(pipeline, ENRICHED, [revision(guid, 2, removal="killed")])
    await gone(pipeline, shown.update_id)
