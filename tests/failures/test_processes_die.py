"""Nothing that was acknowledged is lost, and nothing is published twice, whichever process dies."""

import asyncio
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from shared.settings import Connections
from support.pipeline import Event, Pipeline, started
from support.processes import Processes
from support.waiting import eventually

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]

RECONNECT_S = 0.2
"""After so long a reader's browser asks again."""
SENDER_PAUSE_S = 0.03
MARKERS = 36
"""Updates sent at the end, three for each partition of updates.raw: a repeat of what went before would have come before them."""


async def send_patiently(pipeline: Pipeline, guid: str) -> str:
    """What a good sender does: the same item again until it is acknowledged."""
    update = {"guid": guid, "headline": f"Headline {guid}", "body_html": "<p>Text</p>", "version": "1"}

    async def post() -> str | None:
        try:
            answer = await pipeline.post(update)
        except httpx.TransportError:
            return None
        assert answer.status_code in (200, 202, 207, 503), answer.text
        if answer.status_code == 503:
            return None
        (result,) = answer.json()["results"]
        return str(result["id"]) if result["status"] in ("accepted", "duplicate") else None

    update_id = await eventually(post, within_s=90, what=f"{guid} is not taken")
    assert update_id is not None
    return update_id


async def everything_visible(pipeline: Pipeline) -> list[dict[str, Any]]:
    """All updates of the API, page after page."""
    found: list[dict[str, Any]] = []
    before = ""
    while True:
        answer = (await pipeline.get(f"/v1/updates?limit=100{before}")).json()
        found.extend(answer["updates"])
        if not answer["next"]:
            return found
        before = f"&before={answer['next']}"


async def read_for_ever(pipeline: Pipeline, seen: list[Event]) -> None:
    """A reader whose browser reconnects with the last id it saw."""
    while True:
        try:
            async with pipeline.stream(last_event_id=seen[-1].id if seen else "", into=seen) as stream:
                await stream.ended.wait()
        except (httpx.TransportError, AssertionError):
            await asyncio.sleep(RECONNECT_S)


async def test_kill_of_every_process_in_turn_loses_and_doubles_nothing(
    newsroom: Connections, processes: Processes, tmp_path: Path
) -> None:
    """While a sender goes on sending, each process is killed and started again: every update is there once, at every reader."""
    run = uuid.uuid4().hex[:6]
    seen: list[Event] = []
    async with started(newsroom, processes, tmp_path) as pipeline:
        reader = asyncio.create_task(read_for_ever(pipeline, seen))
        first = await send_patiently(pipeline, f"{run}-first")
        await eventually(lambda: [e for e in seen if e.data.get("update_id") == first], what="the stream")
        ids = [first]
        stop = asyncio.Event()

        async def send() -> None:
            number = 0
            while not stop.is_set():
                ids.append(await send_patiently(pipeline, f"{run}-{number}"))
                number += 1
                await asyncio.sleep(SENDER_PAUSE_S)

        sending = asyncio.create_task(send())
        for victim in ("enrich-text", "publish-archive", "publish-cache", "publish-web", "ingest-api"):
            sent = len(ids)
            await eventually(lambda sent=sent: len(ids) > sent + 10, within_s=60, what="sending stopped")  # type: ignore[misc]
            pipeline.named[victim].child.kill()
            pipeline.named[victim].child.start()
        sent = len(ids)
        await eventually(lambda: len(ids) > sent + 10, within_s=60, what="sending stopped")
        stop.set()
        await sending
        for process in pipeline.named.values():
            await process.ready()
        ids += await asyncio.gather(*(send_patiently(pipeline, f"{run}-marker-{number}") for number in range(MARKERS)))

        async def visible() -> list[dict[str, Any]]:
            return await everything_visible(pipeline)

        found = await eventually(
            visible, lambda found: {each["update_id"] for each in found} >= set(ids), within_s=60, what="some are lost"
        )
        assert Counter(each["update_id"] for each in found).most_common(1)[0][1] == 1
        assert {each["revision"] for each in found} == {1}
        positions = [tuple(map(int, each["position"].split("-"))) for each in found]
        assert positions == sorted(positions, reverse=True)
        assert len({epoch for epoch, _ in positions}) == 1

        def published() -> list[str]:
            return [event.data["update_id"] for event in seen if event.kind == "publish"]

        await eventually(lambda: set(published()) >= set(ids), within_s=30, what="the stream missed some")
        assert Counter(published()).most_common(1)[0][1] == 1
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
        connection = await asyncpg.connect(newsroom.postgres_dsn)
        try:
            count = "SELECT count(*) FROM publish.revisions"
            await eventually(
                lambda: connection.fetchval(count), lambda archived: archived >= len(set(ids)), what="not all archived"
            )
            assert await connection.fetchval(count) == len(set(ids))
        finally:
            await connection.close()


async def test_a_process_that_is_asked_to_end_finishes_its_work(
    newsroom: Connections, processes: Processes, tmp_path: Path
) -> None:
    """SIGTERM ends every process within its grace period with exit code 0, in the middle of traffic."""
    async with started(newsroom, processes, tmp_path) as pipeline:
        await asyncio.gather(*(send_patiently(pipeline, f"ending-{number}") for number in range(50)))
        children = [process.child for process in pipeline.named.values()]
        for child in children:
            child.ask_to_end()
        await eventually(lambda: not any(child.running for child in children), within_s=30, what="still running")
        codes = {child.name: child.process.returncode for child in children if child.process is not None}
    assert codes == dict.fromkeys(codes, 0)
