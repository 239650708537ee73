"""`ingest api` as a process of its own: outages from the start, sudden death, and its end."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingest.sources import keys, store
from ingest.sources.source import Source
from local.child import free_port
from shared.access.key import digest_of
from shared.http.server.server import http_server
from shared.kafka.producer import Producer, new_producer
from shared.messages import Outcome, Outcomes
from shared.postgres.migrations import migrate
from shared.postgres.pool import connect
from shared.settings import Connections
from shared.streams import OUTCOMES, RAW
from support.processes import Process, Processes
from support.topics import everything_in
from support.waiting import eventually

pytestmark = pytest.mark.integration

HEADERS = {"Authorization": "Bearer key", "Content-Type": "application/json"}


async def with_source(newsroom: Connections) -> None:
    """Let a source in."""
    pool = await connect(newsroom, schema="ingest", max_size=1)
    await migrate(pool, "ingest")
    await store.save(pool, Source(name="north"))
    await keys.set_keys(pool, "north", [digest_of("key")])
    await pool.close()


async def push(client: httpx.AsyncClient, process: Process, guid: str) -> httpx.Response:
    """One update."""
    body = orjson.dumps({"guid": guid, "headline": f"Headline {guid}", "version": "1"})
    return await client.post(f"{process.url}/v1/updates", content=body, headers=HEADERS)


async def listening(client: httpx.AsyncClient, process: Process) -> None:
    """Wait until the process answers at all."""

    async def look() -> int:
        try:
            return (await client.get(f"{process.url}/livez")).status_code
        except httpx.TransportError as error:
            raise OSError from error

    await eventually(look, lambda status: status == 200, within_s=60)


@pytest.mark.parametrize("away", ["kafka_servers", "postgres_dsn"])
async def test_it_answers_503_while_a_server_is_away(newsroom: Connections, processes: Processes, away: str) -> None:
    """With Kafka or Postgres at a closed port the process listens, is not ready, and answers 503 with Retry-After in time."""
    await with_source(newsroom)
    port = free_port()
    closed = {"kafka_servers": f"127.0.0.1:{port}", "postgres_dsn": f"postgresql://x:x@127.0.0.1:{port}/x"}[away]
    process = processes.start(newsroom.model_copy(update={away: closed}), "ingest", "api")
    async with httpx.AsyncClient(timeout=10) as client:
        await listening(client, process)
        assert (await client.get(f"{process.url}/readyz")).status_code == 503

        async def answer() -> httpx.Response:
            return await push(client, process, "a")

        refused = await eventually(answer, lambda answer: answer.status_code == 503, within_s=60)
        assert int(refused.headers["retry-after"]) > 0
        assert refused.headers["content-type"] == "application/problem+json"
    assert await everything_in(newsroom, RAW) == []


async def ended(*running: Process) -> None:
    """SIGTERM ends each by itself, and with a good word."""
    for process in running:
        process.child.ask_to_end()
    for process in running:
        await eventually(lambda process=process: not process.child.running, within_s=60)  # type: ignore[misc]
        assert "stopped" in process.child.tail(5)


async def test_what_was_acknowledged_survives_sudden_death(newsroom: Connections, processes: Processes) -> None:
    """Killed in the middle of a flood, every update that was answered 202 is on the topic, and repeats lose nothing."""
    await with_source(newsroom)
    process = processes.start(newsroom, "ingest", "api")
    await process.ready()
    accepted: set[str] = set()

    async def flood(client: httpx.AsyncClient, worker: int) -> None:
        for number in range(10_000):
            guid = f"{worker}-{number}"
            try:
                answer = await push(client, process, guid)
            except httpx.TransportError:
                return
            if answer.status_code == 202:
                accepted.add(guid)

    async with httpx.AsyncClient(timeout=10) as client:
        floods = [asyncio.create_task(flood(client, worker)) for worker in range(4)]
        await eventually(lambda: len(accepted), lambda count: count >= 40, within_s=60)
        process.child.kill()
        await asyncio.gather(*floods)
    sent = {orjson.loads(record.value or b"")["guid"] for record in await everything_in(newsroom, RAW)}
    assert accepted <= sent
    again = processes.start(newsroom, "ingest", "api")
    await again.ready()
    async with httpx.AsyncClient(timeout=10) as client:
        answers = [(await push(client, again, guid)).json()["results"][0]["status"] for guid in sorted(accepted)[:5]]
    assert answers == ["duplicate"] * 5


async def test_outcomes_of_the_later_stages_reach_the_sender(newsroom: Connections, processes: Processes) -> None:
    """What enrich and publish tell on `updates.outcomes` is what the sender is told; the process then ends in order."""
    await with_source(newsroom)
    process = processes.start(newsroom, "ingest", "api")
    await process.ready()
    async with httpx.AsyncClient(timeout=10) as client:
        update_id = (await push(client, process, "a")).json()["results"][0]["id"]

        async def told() -> dict[str, Any]:
            answer = await client.get(f"{process.url}/v1/items/{update_id}", headers=HEADERS)
            found: dict[str, Any] = answer.json()
            return found

        fingerprint = (await told())["versions"][0]["fingerprint"]
        kafka_producer = new_producer(newsroom, "tests")
        await kafka_producer.start()
        outcome = Outcome.model_validate(
            {
                "update_id": update_id,
                "fingerprint": fingerprint,
                "stage": "published",
                "at": "2026-01-01T12:00:00Z",
                "revision": 1,
            }
        )
        producer = Producer(kafka_producer, source="tests", topic_prefix=newsroom.topic_prefix)
        await (await producer.send(OUTCOMES, Outcomes(outcomes=(outcome,)), key=update_id, event_id="1"))
        await kafka_producer.stop()
        await eventually(told, lambda found: found["state"] == "published", within_s=60)
    await ended(process)


async def test_a_file_and_a_feed_reach_the_topic(newsroom: Connections, processes: Processes, tmp_path: Path) -> None:
    """The two processes that fetch copy themselves, with sources that are added while they run, end in order too."""
    folder = tmp_path / "in"
    folder.mkdir()
    feed = Feed()
    port = free_port()
    env = {"INGEST_OUTGOING_ALLOW_PRIVATE": "true"}
    started = [processes.start(newsroom, "ingest", name, **env) for name in ("poll", "watch")]
    for process in started:
        await process.ready()
    async with http_server(feed.app(), "127.0.0.1", port):
        pool = await connect(newsroom, schema="ingest", max_size=1)
        await store.save(pool, Source(name="feed", kind="poll", url=f"http://127.0.0.1:{port}/feed"))
        await store.save(pool, Source(name="dropped", kind="watch", folder=str(folder)))
        await pool.close()
        (folder / "a.json").write_bytes(b'{"guid": "file", "headline": "From a file"}')

        async def guids() -> set[str]:
            return {orjson.loads(record.value or b"")["guid"] for record in await everything_in(newsroom, RAW)}

        await eventually(guids, lambda found: found == {"file", "feed"}, within_s=90)
    assert (folder / "done" / "a.json").exists()
    await ended(*started)


class Feed:
    """A feed of one item."""

    def app(self) -> Starlette:
        """Served at every path."""

        async def answer(_: Request) -> Response:
            item = {"id": "feed", "title": "From a feed", "content_text": "Text."}
            body = {"version": "https://jsonfeed.org/version/1.1", "title": "F", "items": [item]}
            return Response(orjson.dumps(body), media_type="application/feed+json")

        return Starlette(routes=[Route("/feed", answer)])
