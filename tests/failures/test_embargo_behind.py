"""An enrich that stands still over the end of an embargo."""

import asyncio
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import orjson
import pytest

from shared.settings import Connections
from shared.streams import ENRICHED
from support.pipeline import KEYS, started
from support.processes import Processes
from support.topics import everything_in
from support.waiting import eventually

pytestmark = [pytest.mark.flow, pytest.mark.timeout(180)]


async def test_what_was_killed_under_embargo_reaches_no_reader_though_enrich_was_behind(
    newsroom: Connections, processes: Processes, tmp_path: Path
) -> None:
    """Enrich stands still from before the versions until after their embargo; every kill was answered 202 before its end."""
    async with started(newsroom, processes, tmp_path) as pipeline:
        enrich = pipeline.named["enrich-text"].child.process
        assert enrich is not None
        headers = {"Authorization": f"Bearer {KEYS['desk']}"}
        async with (
            pipeline.stream() as stream,
            httpx.AsyncClient(base_url=pipeline.ingest, headers=headers, timeout=10) as client,
        ):
            enrich.send_signal(signal.SIGSTOP)
            try:
                until = datetime.now(UTC) + timedelta(seconds=4)
                updates = [
                    {"guid": f"g{n}", "headline": "Secret", "body_html": "<p>Text</p>", "embargo_until": until.isoformat()}
                    for n in range(20)
                ]  # fmt: skip
                pushed = await client.post("/v1/updates", json=updates)
                ids = [each["id"] for each in pushed.json()["results"]]
                kill = {"order": "kill", "reason": "wrong"}
                answers = await asyncio.gather(*(client.post(f"/v1/updates/{each}/orders", json=kill) for each in ids))
                assert {answer.status_code for answer in answers} == {202}
                assert datetime.now(UTC) < until, "too slow: the kills were to be acknowledged before the embargo ended"
                await eventually(lambda: datetime.now(UTC) > until, what="the embargo has not ended")
            finally:
                enrich.send_signal(signal.SIGCONT)
            last = await pipeline.accepted(guid="last", headline="Last", body_html="<p>Text</p>")
            await stream.until(last, "publish", within_s=30)

            async def removed() -> set[str]:
                records = [orjson.loads(record.value or b"{}") for record in await everything_in(newsroom, ENRICHED)]
                return {each["update_id"] for each in records if each.get("removal") == "killed"}

            await eventually(removed, lambda seen: seen >= set(ids), within_s=20, what="not all kills are out")
            log = [orjson.loads(record.value or b"{}") for record in await everything_in(newsroom, ENRICHED)]
            assert [each for each in log if each["update_id"] in ids and each.get("headline")] == []
            told = [event.data for event in stream.events if event.data.get("update_id") in ids]
            assert [each for each in told if each.get("headline")] == []
