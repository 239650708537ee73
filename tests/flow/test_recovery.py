"""The drill: a dump, news after it, everything lost but Kafka, a restore; and what readers, senders and desks find then.

`make drill` runs it and prints what it took: how much was lost (RPO), and how long until readers were served again (RTO).
"""

import asyncio
import json
import time
from pathlib import Path

import pytest

from local.postgres import binaries
from shared.settings import Connections
from support.pipeline import Pipeline, started
from support.processes import Processes
from support.waiting import eventually

pytestmark = [pytest.mark.flow, pytest.mark.timeout(280)]

BODY = "<p>The bridge is closed for an hour, says the harbour master.</p>"
LATER = "<p>The bridge is closed for a day, says the harbour master.</p>"


async def ordered(pipeline: Pipeline, update_id: str, name: str, **fields: str) -> None:
    """Give a desk's order."""
    body = json.dumps({"order": name, "by": "desk", **fields}).encode()
    answer = await pipeline.push(f"/v1/updates/{update_id}/orders", body, "application/json")
    assert answer.status_code in (200, 202), answer.text


async def text_of(pipeline: Pipeline, update_id: str, *words: str) -> str:
    """The update's JSON, once it says all of these."""

    async def look() -> str:
        return (await pipeline.get(f"/v1/updates/{update_id}")).text

    return await eventually(
        look, lambda seen: all(word in seen for word in words), within_s=30, what=f"{words} not said"
    )


async def gone(pipeline: Pipeline, update_id: str) -> None:
    """The update is out of sight, for good."""

    async def status() -> int:
        return (await pipeline.get(f"/v1/updates/{update_id}")).status_code

    await eventually(status, lambda seen: seen == 410, within_s=30, what="still public")


async def test_a_restore_of_an_older_dump_loses_no_news_and_shows_no_kill(
    newsroom: Connections, processes: Processes, tmp_path: Path
) -> None:
    """Versions, kills and news since the dump come back at their places; a correction afterwards is seen; a cursor goes on."""
    folder, pg_bin = tmp_path / "backup", str(binaries())
    run = ("slugline", "backup", str(folder), "--json")
    async with started(newsroom, processes, tmp_path) as pipeline:
        update_id = await pipeline.accepted(guid="bridge", version="1", headline="Bridge closes", body_html=BODY)
        killed = await pipeline.accepted(guid="wrong", version="1", headline="Wrong from the start", body_html=BODY)
        await pipeline.visible(update_id, "Bridge closes")
        await pipeline.visible(killed, "Wrong from the start")
        made = json.loads(await asyncio.to_thread(processes.run, newsroom, *run, PG_BIN=pg_bin))
        assert made["size_bytes"] > 1000
        await pipeline.accepted(guid="bridge", version="2", headline="Bridge closes", body_html=LATER)
        await ordered(pipeline, killed, "kill", reason="it was wrong")
        since = await pipeline.accepted(guid="since", version="1", headline="Since the dump", body_html=BODY)
        placed = await pipeline.visible(since, "Since the dump")
        await text_of(pipeline, update_id, "for a day")
        await gone(pipeline, killed)
        refused = await asyncio.to_thread(_refused, processes, newsroom, folder, pg_bin)
        assert "slugline-" in refused, "a restore under running processes"
    began = time.monotonic()
    restored = json.loads(
        await asyncio.to_thread(
            processes.run, newsroom, "slugline", "restore", str(folder), "--yes", "--json", PG_BIN=pg_bin
        )
    )
    assert restored["hidden"] == [killed]
    assert restored["lost"] == 0
    again = Processes(tmp_path / "logs after")
    async with started(newsroom, again, tmp_path) as pipeline:
        await gone(pipeline, killed)
        assert (await pipeline.visible(since, "Since the dump"))["position"] == placed["position"]
        rto_s = time.monotonic() - began
        await text_of(pipeline, update_id, "for a day")
        async with pipeline.stream(last_event_id=placed["cursor"]) as stream:
            await ordered(
                pipeline, update_id, "correct", headline="Bridge closed by storm", reason="the cause is known"
            )
            seen = await stream.until(update_id, "correct")
            assert seen.data["headline"] == "Bridge closed by storm"
            assert "reset" not in [event.kind for event in stream.events], "the cursor of before the restore holds"
        corrected = await text_of(pipeline, update_id, "Bridge closed by storm")
        assert "for a day" in corrected, "a correction brought back the text of the dump"
        brought_back = await pipeline.post({"guid": "wrong", "version": "2", "headline": "Again", "body_html": BODY})
        assert brought_back.status_code == 202
        state = await eventually(
            lambda: pipeline.state_of(killed),
            lambda seen: {each["state"] for each in seen["versions"]} & {"suppressed", "superseded"},
            within_s=30,
        )
        assert state["state"] != "published"
        await gone(pipeline, killed)
        print(f"\ndrill: RPO 0 updates (Kafka stands), RTO {rto_s:.1f} s with the starts of six processes; "
              f"dump {made['seconds']:.1f} s, restore {restored['seconds']:.1f} s")  # fmt: skip
        print(again.logs()[-1500:] if rto_s > 60 else "")


def _refused(processes: Processes, settings: Connections, folder: Path, pg_bin: str) -> str:
    """What a restore says that is refused."""
    try:
        processes.run(settings, "slugline", "restore", str(folder), "--yes", PG_BIN=pg_bin)
    except AssertionError as error:
        return str(error)
    return ""
