"""An editor's word stands: a desk's correction through the whole pipeline, against what its source sends afterwards."""

import asyncio
import json
import re
import uuid
from typing import Any

import httpx
import pytest

from support.pipeline import KEYS, Pipeline
from support.waiting import eventually

pytestmark = pytest.mark.flow

WRONG = "Prices rose 20 percent in May, the office said."
NEWS = "Bread was dearest."


async def corrected(pipeline: Pipeline, update_id: str, **order: Any) -> None:
    """A desk's correction, given to ingest."""
    async with httpx.AsyncClient(timeout=10) as client:
        answer = await client.post(
            f"{pipeline.ingest}/v1/updates/{update_id}/orders",
            json={"order": "correct", "by": "ada", "reason": "The office said 12 percent", **order},
            headers={"Authorization": f"Bearer {KEYS['desk']}"},
        )
    assert answer.status_code == 202, answer.text


async def corrections(pipeline: Pipeline, *args: str) -> list[dict[str, Any]]:
    """What a command of `enrich corrections` prints."""
    printed = await asyncio.to_thread(
        pipeline.processes.run, pipeline.settings, "enrich", "corrections", *args, "--json"
    )
    return [json.loads(line) for line in printed.splitlines() if line.startswith("{")]


async def words_of(pipeline: Pipeline, update_id: str) -> str:
    """The body that readers get, as plain text."""
    seen = (await pipeline.get(f"/v1/updates/{update_id}")).json()
    return re.sub(r"<[^>]+>", " ", seen.get("body_html", "")).strip()


async def until(pipeline: Pipeline, update_id: str, part: str) -> str:
    """The body, once it has a part."""
    return await eventually(
        lambda: words_of(pipeline, update_id), lambda words: part in words, what=f"{part!r} is not there"
    )


async def test_a_correction_stands_against_resends_and_newer_versions(pipeline: Pipeline) -> None:
    """The old text again and a version with the same mistake change nothing but what is new in it; another number is a
    conflict that is listed, kept, and accepted."""
    name = uuid.uuid4().hex[:8]
    update: dict[str, Any] = {
        "guid": f"urn:test:{name}",
        "headline": f"Inflation {name}",
        "body_html": f"<p>{WRONG}</p>",
    }
    update_id = await pipeline.accepted(**update)
    await pipeline.visible(update_id, update["headline"])
    await corrected(pipeline, update_id, body_html=f"<p>{WRONG.replace('20', '12')}</p>", revision=1)
    await until(pipeline, update_id, "12 percent")

    await pipeline.post(update)
    await pipeline.accepted(**update, keywords=["prices"])
    await pipeline.accepted(**update | {"body_html": f"<p>{WRONG}</p><p>{NEWS}</p>"}, version="2")
    words = await until(pipeline, update_id, NEWS)
    assert "12 percent" in words
    assert "20 percent" not in words
    assert not await corrections(pipeline, "list")

    source = f"<p>{WRONG.replace('20', '22')}</p><p>{NEWS}</p><p>More on Friday.</p>"
    await pipeline.accepted(**update | {"body_html": source}, version="3")
    words = await until(pipeline, update_id, "More on Friday.")
    assert "12 percent" in words
    [listed] = await eventually(lambda: corrections(pipeline, "list"), bool, what="no conflict is listed")
    assert listed["update_id"] == update_id
    assert [each["by"] for each in listed["corrected"]] == ["ada"]
    assert [(each["desk"], each["source"]) for each in listed["conflicts"]] == [("12", "22")]

    await corrections(pipeline, "keep", update_id, "--by", "ada")
    await eventually(lambda: corrections(pipeline, "list"), lambda rows: not rows, what="the conflict is still listed")
    assert "12 percent" in await words_of(pipeline, update_id)

    await pipeline.accepted(**update | {"body_html": source.replace("22", "13")}, version="4")
    await eventually(lambda: corrections(pipeline, "list"), bool, what="no conflict is listed")
    await corrections(pipeline, "accept", update_id, "--by", "ada", "--reason", "The office has new figures")
    words = await until(pipeline, update_id, "13 percent")
    assert "12 percent" not in words
    page = (await pipeline.get(f"/updates/{update_id}/x")).text
    assert "13 percent" in page
    assert "20 percent" not in page.split("<details", 1)[0]
