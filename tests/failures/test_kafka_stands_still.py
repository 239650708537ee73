"""Kafka keeps its connections and answers nothing, then goes on: a no is a no, and what is in doubt is told so."""

import asyncio
import itertools
import time
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from ingest.intake.emit import FRESH_S
from shared.settings import Connections
from shared.streams import ENRICHED, RAW
from support.pipeline import KEYS, Pipeline, started
from support.processes import Processes
from support.topics import everything_in
from support.waiting import eventually

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]

STOOD_S = 12.0
"""Longer than any patience of ours, shorter than aiokafka's."""


async def has_passed(seconds: float) -> None:
    """Return after so long."""
    until = time.monotonic() + seconds
    await eventually(lambda: time.monotonic() > until, within_s=seconds + 20)


async def push(client: httpx.AsyncClient, guid: str, headline: str = "Headline") -> httpx.Response:
    """Post an update; the answer, which comes within two seconds as the product promises."""
    began = time.monotonic()
    answer = await client.post("/v1/updates", json={"guid": guid, "headline": headline, "body_html": "<p>Text</p>"})
    assert time.monotonic() - began < 2.0
    return answer


def client_of(pipeline: Pipeline) -> httpx.AsyncClient:
    """A desk's client, which keeps its connections."""
    return httpx.AsyncClient(
        base_url=pipeline.ingest, headers={"Authorization": f"Bearer {KEYS['desk']}"}, timeout=10,
        limits=httpx.Limits(max_connections=None),
    )  # fmt: skip


async def status_of(client: httpx.AsyncClient, guid: str) -> dict[str, Any]:
    """What a sender is told who asks."""
    answer = await client.get("/v1/items", params={"guid": guid})
    told: dict[str, Any] = answer.json()
    return told


async def logged(settings: Connections, topic: str) -> list[dict[str, Any]]:
    """The messages of a topic."""
    return [orjson.loads(record.value or b"{}") for record in await everything_in(settings, topic)]


async def test_what_was_refused_while_kafka_stood_still_never_comes(
    newsroom_on_broker: Connections, broker: Any, processes: Processes, tmp_path: Path
) -> None:
    """Pushes and orders that come once Kafka is silent are refused for good: nothing of them is ever on `updates.raw`."""
    async with (
        started(newsroom_on_broker, processes, tmp_path, (("ingest", "api"),)) as pipeline,
        client_of(pipeline) as client,
    ):
        before = (await push(client, "before")).json()["results"][0]["id"]
        broker.stand_still()
        try:
            await has_passed(2 * FRESH_S)
            answers = await asyncio.gather(*(push(client, f"refused-{number}") for number in range(20)))
            pin = {"order": "pin", "by": "night editor"}
            answers.append(await client.post(f"/v1/updates/{before}/orders", json=pin))
            assert {answer.status_code for answer in answers} == {503}
            assert {answer.json()["code"] for answer in answers} == {"unavailable"}
            assert (await client.get("/v1/items", params={"guid": "refused-1"})).status_code == 404
            await has_passed(STOOD_S)
        finally:
            broker.go_on()

        async def taken() -> int:
            return (await push(client, "after")).status_code

        await eventually(taken, lambda status: status == 202, within_s=40, what="not taken again")
        assert (await push(client, "refused-1")).json()["results"][0]["status"] == "accepted"
        messages = await logged(newsroom_on_broker, RAW)
        assert {each["guid"] for each in messages if "guid" in each} == {"before", "after", "refused-1"}
        assert [each for each in messages if "order" in each] == []


async def test_what_was_under_way_when_kafka_fell_silent_is_told_to_be_in_doubt(
    newsroom_on_broker: Connections, broker: Any, processes: Processes, tmp_path: Path
) -> None:
    """Copy flows when Kafka falls silent. Of each push the answer holds: refused is never on `updates.raw`; accepted is;
    what may have been taken can be asked about, comes late, and does not overtake what its sender said after it."""
    services = (("ingest", "api"), ("enrich", "text"))
    async with started(newsroom_on_broker, processes, tmp_path, services) as pipeline, client_of(pipeline) as client:
        told: dict[str, tuple[int, dict[str, Any]]] = {}
        numbers = itertools.count()

        async def keep_pushing() -> None:
            while not any(status == 503 for status, _ in told.values()):
                guid = f"g{next(numbers)}"
                answer = await push(client, guid)
                told[guid] = (answer.status_code, answer.json())

        pushing = [asyncio.create_task(keep_pushing()) for _ in range(8)]
        await eventually(lambda: len(told) > 50, what="copy does not flow")
        broker.stand_still()
        try:
            await asyncio.gather(*pushing)
            doubtful = [guid for guid, (_, answer) in told.items() if answer.get("code") == "maybe-taken"]
            refused = [guid for guid, (_, answer) in told.items() if answer.get("code") == "unavailable"]
            accepted = [guid for guid, (status, _) in told.items() if status == 202]
            assert doubtful
            assert len(doubtful) + len(refused) + len(accepted) == len(told)
            [result] = told[doubtful[0]][1]["results"]
            assert (result["code"], result["status"]) == ("maybe-taken", "error")
            assert (await client.get(result["status_url"])).json()["state"] == "unacknowledged"
            assert (await push(client, doubtful[0], "Thought better of")).json()["code"] == "unavailable"
        finally:
            broker.go_on()

        async def corrected() -> int:
            return (await push(client, doubtful[0], "Thought better of")).status_code

        await eventually(corrected, lambda status: status == 202, within_s=40, what="not taken again")

        async def arrived() -> bool:
            states = [await status_of(client, guid) for guid in doubtful]
            return all(each["state"] == "enriched" and each["versions"][-1].get("emitted_at") for each in states)

        await eventually(arrived, within_s=40, what="what was in doubt is not known of")
        again = [(await push(client, guid)).json()["results"][0]["status"] for guid in doubtful[1:]]
        assert again == ["duplicate"] * len(again)
        on_raw = {each.get("guid") for each in await logged(newsroom_on_broker, RAW)}
        assert on_raw == {*accepted, *doubtful}
        shown = [each for each in await logged(newsroom_on_broker, ENRICHED) if each["guid"] == doubtful[0]]
        assert shown[-1]["headline"] == "Thought better of"
