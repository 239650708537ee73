"""Typed blocks, a poll, a picture in the text and a translation, from the sender's POST to readers, through real processes."""

import uuid
from typing import Any

import httpx
import pytest

from support.pipeline import Pipeline
from support.waiting import eventually

pytestmark = pytest.mark.flow

POLL = {
    "kind": "poll", "id": "fifth-gate", "question": "Is a fifth gate needed?",
    "options": [{"id": "yes", "label": "Yes, soon"}, {"id": "no", "label": "No"}],
}  # fmt: skip


async def vote(pipeline: Pipeline, path: str, option: str) -> str:
    """A new browser's vote, and where it is sent."""
    async with httpx.AsyncClient(timeout=10) as client:
        answer = await client.post(pipeline.web + path, data={"option": option}, headers={"Origin": pipeline.web})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def test_blocks_votes_and_languages_reach_readers_and_go_with_the_update(pipeline: Pipeline) -> None:
    """Words, votes and links are there; a correction makes the translation stale; a kill takes poll and picture mark with it."""
    name = uuid.uuid4().hex[:8]
    original: dict[str, Any] = {
        "guid": f"urn:test:{name}", "headline": f"Gates {name}", "language": "en",
        "body_html": f'<p>Before {name}.</p><img src="https://pictures.invalid/{name}.jpg"><p>After.</p>',
        "blocks": [{"kind": "quote", "text": f"It was close, {name}.", "speaker": "I. Calder"}, POLL],
    }  # fmt: skip
    update_id = await pipeline.accepted(**original)
    seen = await pipeline.visible(update_id, original["headline"])
    assert [each["kind"] for each in seen["blocks"]] == ["quote", "poll"]
    assert "pictures.invalid" not in str(seen)
    assert '<figure data-picture="' in seen["body_html"]
    german = original | {
        "guid": f"urn:test:{name}:de", "headline": f"Tore {name}", "language": "de", "translation_of": original["guid"], "blocks": [],
    }  # fmt: skip
    german_id = await pipeline.accepted(**german)
    await pipeline.visible(german_id, german["headline"])

    page = (await pipeline.get(seen["path"])).text
    assert f"It was close, {name}." in page
    assert "data-picture" not in page
    assert 'hreflang="de"' in page

    path = f"/polls/{update_id}/fifth-gate"
    assert f'action="{path}"' in page
    assert [await vote(pipeline, path, option) for option in ("yes", "yes", "no")] == [f"{path}?said=counted"] * 3

    async def results() -> dict[str, int]:
        return dict((await pipeline.get(f"/v1{path}")).json()["votes"])

    await eventually(results, lambda votes: votes == {"yes": 2, "no": 1}, what="votes are not told")

    async def stale() -> dict[str, bool]:
        told = (await pipeline.get(f"/v1/updates/{german_id}/translations")).json()["translations"]
        return {each["language"]: each["stale"] for each in told}

    assert await stale() == {"en": False, "de": False}
    corrected = original | {"headline": f"Gates {name}, corrected", "version": "2", "signal": "correction"}
    await pipeline.accepted(**corrected)
    await pipeline.visible(update_id, corrected["headline"])
    assert await stale() == {"en": False, "de": True}

    await pipeline.accepted(guid=original["guid"], status="canceled", version="3")
    await eventually(
        lambda: pipeline.get(f"/v1{path}"),
        lambda answer: answer.status_code == 410,
        what="the poll of a killed update is there",
    )
    assert name not in (await pipeline.get(path)).text
    assert (await pipeline.get(f"/v1/updates/{update_id}/translations")).status_code == 410
