"""Postgres or Kafka away: a sender is told at once, nothing is half taken, and nothing is lost when they come back."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
import pytest

from shared.settings import Connections
from shared.streams import ENRICHED, RAW
from support.pipeline import SERVICES, Pipeline, started
from support.processes import Processes
from support.proxy import Proxy, proxied
from support.topics import everything_in
from support.waiting import eventually

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]

INGEST = (("ingest", "api"),)


def update(guid: str) -> dict[str, Any]:
    """An update."""
    return {"guid": guid, "headline": f"Headline {guid}", "body_html": "<p>Text</p>"}


async def refused_quickly(pipeline: Pipeline, guid: str) -> httpx.Response:
    """Post an update that cannot be taken now: the answer, which came within two seconds as the product promises."""
    answer = await pipeline.post(update(guid))
    assert answer.status_code == 503, answer.text
    # From the request to the answer: what it takes to make a client is this test's own affair.
    assert answer.elapsed.total_seconds() < 2.0
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["content-type"] == "application/problem+json"
    return answer


async def accepted_again(pipeline: Pipeline, guid: str, within_s: float = 40) -> str:
    """Post until it is taken: the id."""

    async def post() -> httpx.Response:
        return await pipeline.post(update(guid))

    answer = await eventually(
        post, lambda answer: answer.status_code in (200, 202), within_s=within_s, what="not taken again"
    )
    update_id: str = answer.json()["results"][0]["id"]
    return update_id


async def guids_on_raw(settings: Connections) -> list[str]:
    """The guids of what is on updates.raw."""
    return [orjson.loads(record.value or b"{}").get("guid", "") for record in await everything_in(settings, RAW)]


def behind(settings: Connections, proxy: Proxy) -> Connections:
    """The same newsroom with Postgres reached through the proxy."""
    parts = urlsplit(settings.postgres_dsn)
    dsn = parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{proxy.port}").geturl()
    return settings.model_copy(update={"postgres_dsn": dsn})


@pytest.mark.parametrize("how", ["cut", "freeze"])
async def test_database_away_refuses_within_two_seconds_and_takes_nothing(
    newsroom: Connections, processes: Processes, tmp_path: Path, how: str
) -> None:
    """Without Postgres a push is answered 503 with Retry-After, reaches no topic, and the same push is taken once it is back."""
    parts = urlsplit(newsroom.postgres_dsn)
    assert parts.hostname is not None
    assert parts.port is not None
    async with (
        proxied(parts.hostname, parts.port) as proxy,
        started(behind(newsroom, proxy), processes, tmp_path, INGEST) as pipeline,
    ):
        await accepted_again(pipeline, "before")
        if how == "cut":
            await proxy.cut()
        else:
            proxy.freeze()
        for number in range(3):
            await refused_quickly(pipeline, f"refused-{number}")
        if how == "cut":
            await proxy.start()
        else:
            proxy.thaw()
        await accepted_again(pipeline, "after")
        assert sorted(set(await guids_on_raw(newsroom))) == ["after", "before"]
        await accepted_again(pipeline, "refused-1")
        assert sorted(set(await guids_on_raw(newsroom))) == ["after", "before", "refused-1"]


async def test_a_broker_that_is_killed_and_comes_back_loses_nothing(
    newsroom_on_broker: Connections, broker: Any, processes: Processes, tmp_path: Path
) -> None:
    """While Kafka is away a push is answered 503 within two seconds; what was acknowledged before is published after."""
    async with started(newsroom_on_broker, processes, tmp_path) as pipeline:
        before = [await accepted_again(pipeline, f"before-{number}") for number in range(20)]
        broker.kill()
        for number in range(3):
            await refused_quickly(pipeline, f"refused-{number}")
        broker.start_again()
        broker.wait()
        after = [await accepted_again(pipeline, f"after-{number}") for number in range(5)]
        for update_id in (*before, *after):
            answer = await eventually(
                lambda update_id=update_id: pipeline.get(f"/v1/updates/{update_id}"),  # type: ignore[misc]
                lambda answer: answer.status_code == 200,
                within_s=60,
                what=f"{update_id} is lost",
            )
            assert answer.json()["revision"] == 1


async def test_database_away_under_the_lanes_is_a_pause(
    newsroom: Connections, processes: Processes, tmp_path: Path
) -> None:
    """Enrich and archive wait for Postgres in order and say so in their readiness; then everything is published, nothing set aside."""
    parts = urlsplit(newsroom.postgres_dsn)
    assert parts.hostname is not None
    assert parts.port is not None
    async with proxied(parts.hostname, parts.port) as proxy:
        through = behind(newsroom, proxy)
        stages = [processes.start(through, "enrich", "text"), processes.start(through, "publish", "archive")]
        async with started(newsroom, processes, tmp_path, (("ingest", "api"), ("publish", "web"))) as pipeline:
            for stage in stages:
                await stage.ready()
            first = await accepted_again(pipeline, "first")
            await eventually(lambda: pipeline.get(f"/v1/updates/{first}"), lambda a: a.status_code == 200)
            await proxy.cut()
            ids = [await accepted_again(pipeline, f"during-{number}") for number in range(10)]

            async def paused() -> int:
                async with httpx.AsyncClient(timeout=5) as client:
                    return (await client.get(f"{stages[0].url}/readyz")).status_code

            await eventually(paused, lambda status: status == 503, within_s=30, what="enrich text still ready")
            await proxy.start()
            for update_id in ids:
                await eventually(
                    lambda update_id=update_id: pipeline.get(f"/v1/updates/{update_id}"),  # type: ignore[misc]
                    lambda answer: answer.status_code == 200,
                    within_s=60,
                    what=f"{update_id} is lost",
                )
            assert await everything_in(newsroom, RAW.dead_letters) == []
            assert await everything_in(newsroom, ENRICHED.dead_letters) == []


EVERY_PROCESS = (*SERVICES, ("enrich", "media"), ("publish", "push"), ("ingest", "poll"), ("ingest", "watch"))
SERVE_ON = {"ingest-api", "publish-web"}
"""Senders and readers are answered without Kafka; that it is away is told beside."""


async def test_every_process_says_that_kafka_is_away(
    newsroom_on_broker: Connections, broker: Any, processes: Processes, tmp_path: Path
) -> None:
    """Though none has anything to do: in /readyz and in a metric. Each is well again by itself."""
    with_kafka = {f"{service}-{process}" for service, process in EVERY_PROCESS} - {"enrich-gather"}

    async def told(pipeline: Pipeline) -> dict[str, tuple[int, str, float]]:
        async with httpx.AsyncClient(timeout=5) as client:
            found = {}
            for name in with_kafka:
                url = pipeline.named[name].url
                ready, metrics = await client.get(f"{url}/readyz"), await client.get(f"{url}/metrics")
                line = next(
                    each
                    for each in metrics.text.splitlines()
                    if each.startswith('slugline_server_answers{server="kafka"')
                )
                found[name] = (ready.status_code, ready.json()["status"], float(line.split()[-1]))
            return found

    away = {name: (200, "degraded", 0.0) if name in SERVE_ON else (503, "failing", 0.0) for name in with_kafka}
    well = dict.fromkeys(with_kafka, (200, "ok", 1.0))
    async with started(newsroom_on_broker, processes, tmp_path, EVERY_PROCESS) as pipeline:
        assert await told(pipeline) == well
        broker.kill()
        await eventually(lambda: told(pipeline), lambda seen: seen == away, within_s=60, what="not told")
        broker.start_again()
        broker.wait()
        await eventually(lambda: told(pipeline), lambda seen: seen == well, within_s=60, what="not well again")
