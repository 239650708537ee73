"""What waits for a desk, through the whole pipeline: held, listed, edited, released; spiked; killed; and never shown before."""

import asyncio
import hashlib
import json
import uuid
from typing import Any

import httpx
import pytest
import redis.asyncio

from support.pipeline import KEYS, Pipeline
from support.waiting import eventually

pytestmark = pytest.mark.flow

ITEM = """<?xml version="1.0" encoding="UTF-8"?>
<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="{guid}" version="{version}" standard="NewsML-G2" standardversion="2.35" conformance="power" xml:lang="de">
<itemMeta><itemClass qcode="ninat:text"/><pubStatus qcode="stat:{status}"/></itemMeta>
<contentMeta><headline>{headline}</headline></contentMeta>
<contentSet><inlineXML contenttype="application/xhtml+xml"><html xmlns="http://www.w3.org/1999/xhtml"><body>{note}<p>Das Hafenamt {name} öffnet wieder, sagte der Leiter.</p></body></html></inlineXML></contentSet>
</newsItem>"""
DIGEST = hashlib.sha256(b"key-of-a-newsroom").hexdigest()
NEWSROOM = {"Authorization": "Bearer key-of-a-newsroom"}
NOTE = "<p>(Diese Informationen sind nicht zur Veröffentlichung bestimmt)</p>"


async def sent(pipeline: Pipeline, name: str, **parts: str) -> str:
    """A wire's item, which must be accepted: its id."""
    item = ITEM.format(
        **{"guid": f"urn:test:{name}", "version": "1", "status": "usable", "note": NOTE, "name": name} | parts
    )
    answer = await pipeline.push("/v1/wire/wire", item.encode(), "application/xml", source="wire")
    assert answer.status_code == 202, answer.text
    update_id: str = answer.json()["results"][0]["id"]
    return update_id


async def held(pipeline: Pipeline, *args: str) -> list[dict[str, Any]]:
    """What a command of `enrich held` prints."""
    printed = await asyncio.to_thread(pipeline.processes.run, pipeline.settings, "enrich", "held", *args, "--json")
    return [json.loads(line) for line in printed.splitlines() if line.startswith("{")]


async def ordered(pipeline: Pipeline, update_id: str, key: str = "desk", **order: Any) -> int:
    """An order, given to ingest: how it was answered."""
    async with httpx.AsyncClient(timeout=10) as client:
        answer = await client.post(
            f"{pipeline.ingest}/v1/updates/{update_id}/orders",
            json=order, headers={"Authorization": f"Bearer {KEYS[key]}"},
        )  # fmt: skip
    return answer.status_code


async def traces(pipeline: Pipeline, name: str, *update_ids: str) -> list[str]:
    """Where readers could find a word or an id of what is held."""
    doors = ["/", "/v1/updates", "/feeds/news.rss", "/feeds/news.atom", "/feeds/news.json", "/sitemap.xml", "/sitemap-news.xml", "/text"]  # fmt: skip
    for door in doors:
        assert (await pipeline.get(door)).status_code == 200, door
    doors += [path for each in update_ids for path in (f"/v1/updates/{each}", f"/updates/{each}/x", f"/v1/updates/{each}.ninjs")]  # fmt: skip
    found = []
    for door in doors:
        answer = await pipeline.get(door)
        told = (
            answer.text.replace("/".join(door.split("/")[2:3]), "") if answer.status_code in (404, 410) else answer.text
        )
        if (
            answer.status_code == 410
            or name in told
            or (answer.status_code == 200 and any(each in told for each in update_ids))
        ):
            found.append(f"{door} {answer.status_code}")
    async with redis.asyncio.from_url(pipeline.settings.redis_url) as client:
        keys = [key.decode() async for key in client.scan_iter()]
    return found + [key for key in keys if any(each in key for each in update_ids)]


async def test_what_is_held_is_seen_by_nobody_until_a_desk_releases_it(pipeline: Pipeline) -> None:
    """Through a restart of enrich; edited before, with the newest words; one that is spiked and one that is killed never."""
    name = uuid.uuid4().hex[:8]
    async with pipeline.stream() as stream:
        update_id, spiked, killed = [
            await sent(pipeline, f"{name}{number}", headline=f"Meldung {name}{number}") for number in range(3)
        ]
        rows = await eventually(lambda: held(pipeline, "list"), lambda rows: len(rows) == 3, what="not all is listed")
        assert {each["update_id"] for each in rows} == {update_id, spiked, killed}
        assert {(each["kind"], "nicht zur Veröffentlichung" in each["because"]) for each in rows} == {
            ("advisory", True)
        }
        state = await eventually(
            lambda: pipeline.state_of(update_id), lambda told: told["state"] == "held", what="the sender is not told"
        )
        assert "held for a desk" in state["versions"][0]["reason"]

        # A newer version that says nothing of the kind waits too, and so does all of it when enrich starts again.
        pipeline.named["enrich-text"].child.kill()
        await sent(pipeline, f"{name}0", headline=f"Amt {name}0", version="2", note="")
        enrich = pipeline.processes.start(pipeline.settings, "enrich", "text", ENRICH_API_KEY_SHA256=DIGEST)
        pipeline.named["enrich-text"] = enrich
        await enrich.ready()
        await eventually(
            lambda: held(pipeline, "list"),
            lambda rows: f"Amt {name}0" in {each["headline"] for each in rows}, what="the newest words are not listed",
        )  # fmt: skip

        assert await ordered(pipeline, update_id, "wire", order="release") == 403
        assert await ordered(pipeline, update_id, order="correct", headline=f"Edited {name}0", reason="style") == 202
        await eventually(
            lambda: held(pipeline, "show", update_id),
            lambda rows: rows[0]["headline"] == f"Edited {name}0",
            what="no edit",
        )
        await held(pipeline, "spike", spiked, "--by", "ada", "--reason", "not for us")
        await eventually(lambda: held(pipeline, "list", "--kind", "spiked"), bool, what="nothing is spiked")
        assert await traces(pipeline, name, update_id, spiked, killed) == []
        assert stream.events == []

        [row] = await held(pipeline, "show", update_id)
        async with httpx.AsyncClient(base_url=enrich.url, headers=NEWSROOM, timeout=10) as desk:
            listed = (await desk.get("/v1/held")).json()["held"]
            assert {each["update_id"] for each in listed} == {update_id, killed}
            assert (await desk.get(f"/v1/held/{update_id}")).json() == row
            decision = {"by": "ada", "fingerprint": "of another version"}
            assert (await desk.post(f"/v1/held/{update_id}/release", json=decision)).status_code == 202
            decision["fingerprint"] = row["fingerprint"]
            assert (await desk.post(f"/v1/held/{update_id}/release", json=decision)).status_code == 202
            assert (await desk.post(f"/v1/held/{'a' * 26}/spike", json={"by": "ada"})).status_code == 409
        seen = await pipeline.visible(update_id, f"Edited {name}0")
        assert f"Hafenamt {name}0" in seen["body_html"]
        assert "nicht zur" not in json.dumps(seen)
        assert seen["first_published_at"] > row["received_at"].replace("+00:00", "Z")
        event = await stream.until(update_id, "publish", "update", "message")
        assert event.data["headline"] == f"Edited {name}0"
        assert f"Edited {name}0" in (await pipeline.get(f"/updates/{update_id}/x")).text

        assert await ordered(pipeline, killed, order="kill", reason="wrong") == 202
        await eventually(lambda: held(pipeline, "list"), lambda rows: not rows, what="something is held still")
        assert await held(pipeline, "list", "--kind", "spiked")
        for gone in (spiked, killed):
            answer = await pipeline.get(f"/v1/updates/{gone}")
            assert (answer.status_code in (404, 410), name in answer.text) == (True, False)
        assert [each.data.get("headline") for each in stream.events if each.data.get("headline")] == [f"Edited {name}0"]


async def test_a_wire_does_not_take_the_front_page(pipeline: Pipeline) -> None:
    """Its flags do not count; a desk's order does."""
    name = uuid.uuid4().hex[:8]
    flags = {"pinned": True, "key_event": True}
    update = {
        "guid": f"urn:pin:{name}",
        "headline": f"Atlas {name}",
        "body_text": "Pinned by the agency.",
        "flags": flags,
    }
    answer = await pipeline.post(update, source="wire")
    assert answer.status_code == 202
    [result] = answer.json()["results"]
    seen = await pipeline.visible(result["id"], f"Atlas {name}")
    assert (seen.get("pinned", False), seen.get("key_event", False)) == (False, False)
    assert await ordered(pipeline, result["id"], "wire", order="pin") == 403
    assert await ordered(pipeline, result["id"], order="pin", by="ada") == 202
    await eventually(
        lambda: pipeline.get(f"/v1/updates/{result['id']}"), lambda told: told.json().get("pinned"), what="not pinned"
    )
