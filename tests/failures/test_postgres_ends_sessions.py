"""Postgres ends its sessions, in each of the ways it has: no process ends, nothing is set aside, nobody is answered 500."""

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.child import free_port
from local.postgres import Postgres
from shared.http.server.server import http_server
from shared.settings import Connections
from shared.streams import ENRICHED, MEDIA, OUTCOMES, RAW
from support.pipeline import KEYS, Pipeline, started
from support.processes import Processes
from support.proxy import proxied
from support.topics import everything_in
from support.waiting import eventually

pytestmark = [pytest.mark.flow, pytest.mark.timeout(300)]

LINGER_S = 8.0
"""Between Postgres's goodbye and the end of the connection: asyncpg takes the session for neither open nor closed."""
BACK_WITHIN_S = 30.0
POLLED_WITHIN_S = 10.0
FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Feed</title>
<item><guid>feed-{number}</guid><title>Feed {number}</title><description>Text</description></item></channel></rss>"""
SOURCES = """
[[source]]
name = "feed"
kind = "poll"
url = "{url}"
min_interval_s = 1
max_interval_s = 2
"""


@dataclass
class Feed:
    """A feed that has something new at each request."""

    url: str = ""
    asked_at: list[float] = field(default_factory=list)

    async def answer(self, _: Request) -> Response:
        """One poll."""
        self.asked_at.append(time.monotonic())
        return Response(FEED.format(number=len(self.asked_at)), media_type="application/rss+xml")


@asynccontextmanager
async def feed_of(settings: Connections, processes: Processes, folder: Path) -> AsyncIterator[Feed]:
    """A feed that ingest is told to poll every second."""
    feed = Feed()
    port = free_port()
    async with http_server(Starlette(routes=[Route("/", feed.answer)]), "127.0.0.1", port):
        feed.url = f"http://127.0.0.1:{port}/"
        path = folder / "feed.toml"
        path.write_text(SOURCES.format(url=feed.url))
        await asyncio.to_thread(
            processes.run, settings, "ingest", "sources", "apply", str(path), INGEST_OUTGOING_ALLOW_PRIVATE="true"
        )
        yield feed


@asynccontextmanager
async def everything(settings: Connections, processes: Processes, folder: Path) -> AsyncIterator[Pipeline]:
    """All ten processes, ready; push looks for what it announces at the one web replica."""
    (folder / "drop").mkdir()
    poll = processes.start(settings, "ingest", "poll", INGEST_OUTGOING_ALLOW_PRIVATE="true")
    watch = processes.start(settings, "ingest", "watch")
    async with started(settings, processes, folder) as pipeline:
        media = processes.start(settings, "enrich", "media")
        push = processes.start(settings, "publish", "push", PUBLISH_PUSH_WEB_URLS=pipeline.web)
        pipeline.named |= {"ingest-poll": poll, "ingest-watch": watch, "enrich-media": media, "publish-push": push}
        for process in pipeline.named.values():
            await process.ready()
        assert len(pipeline.named) == 10
        yield pipeline


@dataclass
class Sender:
    """Posts all the time, as several wires do; what was refused is sent again."""

    pipeline: Pipeline
    answers: list[int] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    slowest_s: float = 0.0

    async def run(self, wire: int) -> None:
        """One wire, until cancelled."""
        number = 0
        while True:
            began = time.monotonic()
            update = {"guid": f"{wire}-{number}", "headline": f"Headline {number}", "body_html": "<p>Text</p>"}
            answer = await self.pipeline.post(update)
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
            self.answers.append(answer.status_code)
            if answer.status_code in (200, 202):
                self.taken.append(answer.json()["results"][0]["id"])
                number += 1
            await asyncio.sleep(0.05)


@asynccontextmanager
async def sending(pipeline: Pipeline) -> AsyncIterator[Sender]:
    """Senders at work while the block runs."""
    sender = Sender(pipeline)
    tasks = [asyncio.create_task(sender.run(wire)) for wire in range(4)]
    try:
        await eventually(lambda: len(sender.taken) > 20, what="nothing is taken")
        yield sender
    finally:
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result


async def all_are_back(pipeline: Pipeline, within_s: float) -> None:
    """Each process runs on as it was started, and is ready."""
    deadline = time.monotonic() + within_s
    for name, process in pipeline.named.items():
        assert process.child.running, f"{name} ended:\n{process.child.tail(30)}"
        await process.ready(within_s=max(deadline - time.monotonic(), 0.1))


async def nothing_is_lost(pipeline: Pipeline, settings: Connections, taken: list[str]) -> None:
    """All that was acknowledged is archived, and nothing was set aside."""
    connection = await asyncpg.connect(settings.postgres_dsn)
    try:

        async def missing() -> set[str]:
            rows = await connection.fetch("SELECT DISTINCT update_id FROM publish.revisions")
            return set(taken) - {row["update_id"] for row in rows}

        await eventually(missing, lambda missing: not missing, within_s=40, what="not archived")
    finally:
        await connection.close()
    for topic in (RAW, ENRICHED, MEDIA, OUTCOMES):
        letters = await everything_in(settings, topic.dead_letters) if topic != OUTCOMES else []
        assert not letters, f"{len(letters)} of {topic} were set aside: {(letters[0].value or b'')[:400]!r}"


def lines_of(pipeline: Pipeline) -> dict[str, int]:
    """How many lines each process has logged."""
    return {name: len(each.child.log.read_text().splitlines()) for name, each in pipeline.named.items()}


async def test_sessions_that_are_ended_end_no_process(
    newsroom: Connections, processes: Processes, tmp_path: Path
) -> None:
    """A goodbye to every session, of which the end of the connection comes later: pushes are answered 202 or 503, and all goes on."""
    parts = urlsplit(newsroom.postgres_dsn)
    assert parts.hostname is not None
    assert parts.port is not None
    async with proxied(parts.hostname, parts.port, linger_s=LINGER_S) as proxy:
        dsn = parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{proxy.port}").geturl()
        through = newsroom.model_copy(update={"postgres_dsn": dsn})
        async with everything(through, processes, tmp_path) as pipeline:
            admin = await asyncpg.connect(newsroom.postgres_dsn)
            try:
                async with sending(pipeline) as sender:
                    for _ in range(2):
                        ended = await admin.fetchval(
                            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = "
                            "current_database() AND application_name LIKE 'slugline%'"
                        )
                        assert ended >= len(pipeline.named)
                        before = len(sender.taken)
                        await eventually(lambda before=before: len(sender.taken) > before + 20, within_s=30)  # type: ignore[misc]
                        await asyncio.sleep(LINGER_S / 2)
            finally:
                await admin.close()
            await all_are_back(pipeline, BACK_WITHIN_S)
            assert set(sender.answers) <= {200, 202, 503}, set(sender.answers)
            await nothing_is_lost(pipeline, newsroom, sender.taken)


async def test_a_postgres_that_is_killed_and_comes_back_ends_no_process(
    newsroom_on_database: Connections, database: Postgres, processes: Processes, tmp_path: Path
) -> None:
    """All ten are ready within half a minute, feeds are polled within ten seconds, and the outage is a few lines in each log."""
    settings = newsroom_on_database
    async with feed_of(settings, processes, tmp_path) as feed, everything(settings, processes, tmp_path) as pipeline:
        await eventually(lambda: len(feed.asked_at) > 2, within_s=30, what="the feed is not polled")
        async with sending(pipeline) as sender:
            before = lines_of(pipeline)
            assert database.child is not None
            database.child.kill()
            away_at = len(sender.answers)
            await eventually(
                lambda: sender.answers[away_at:].count(503) > 100, within_s=60, what="senders are not refused"
            )
            database.start()
            await asyncio.to_thread(database.wait)
            back_at = time.monotonic()
            took = len(sender.taken)
            await eventually(lambda: len(sender.taken) > took + 20, within_s=BACK_WITHIN_S, what="nothing is taken")
            polled = await eventually(
                lambda: [at for at in feed.asked_at if at > back_at + 0.5], within_s=BACK_WITHIN_S, what="no poll"
            )
            assert polled[0] - back_at < POLLED_WITHIN_S
        await all_are_back(pipeline, BACK_WITHIN_S)
        assert time.monotonic() - back_at < BACK_WITHIN_S
        assert set(sender.answers) <= {200, 202, 503}, set(sender.answers)
        assert sender.slowest_s < 5
        await nothing_is_lost(pipeline, settings, sender.taken)
        said = {name: count - before[name] for name, count in lines_of(pipeline).items()}
        assert max(said.values()) < 60, said


async def test_a_poller_that_is_killed_in_a_poll_is_back_within_ten_seconds(
    newsroom: Connections, processes: Processes, tmp_path: Path
) -> None:
    """The lease of a process that died is over in time; that of one that lives lasts as long as its poll."""
    hang = asyncio.Event()
    asked_at: list[float] = []

    async def answer(_: Request) -> Response:
        asked_at.append(time.monotonic())
        if len(asked_at) == 1:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(hang.wait(), 9)
        return Response(FEED.format(number=len(asked_at)), media_type="application/rss+xml")

    port = free_port()
    allowed = {"INGEST_OUTGOING_ALLOW_PRIVATE": "true", "INGEST_OUTGOING_TIMEOUT_S": "30"}
    async with http_server(Starlette(routes=[Route("/", answer)]), "127.0.0.1", port):
        (tmp_path / "feed.toml").write_text(SOURCES.format(url=f"http://127.0.0.1:{port}/"))
        await asyncio.to_thread(
            processes.run, newsroom, "ingest", "sources", "apply", str(tmp_path / "feed.toml"), **allowed
        )
        pollers = [processes.start(newsroom, "ingest", "poll", **allowed) for _ in range(2)]
        await eventually(lambda: asked_at, within_s=30, what="no poll")
        await asyncio.sleep(7.5)
        assert len(asked_at) == 1, "the second replica took up what the first has in hand"
        for poller in pollers:
            poller.child.kill()
        pollers[0].child.start()
        await pollers[0].ready()
        ready_at = time.monotonic()
        await eventually(lambda: asked_at[1:], within_s=20, what="no poll after the restart")
        hang.set()
        assert asked_at[1] - ready_at < POLLED_WITHIN_S


async def test_requests_that_need_postgres_are_told_to_come_again(
    newsroom_on_database: Connections, database: Postgres, processes: Processes, tmp_path: Path
) -> None:
    """503, problem+json and Retry-After on every port that asks Postgres, and as before once it is back; never 500."""
    settings = newsroom_on_database
    made = processes.run(settings, "publish", "push", "keys", "add", "desk", "--scope", "alerts", "--scope", "webhooks")
    pushing = {"Authorization": f"Bearer {json.loads(made.splitlines()[-1])['key']}"}
    editing = {"Authorization": "Bearer key-of-an-editor"}
    wire = {"Authorization": f"Bearer {KEYS['wire']}"}
    digest = hashlib.sha256(b"key-of-an-editor").hexdigest()
    services = (("ingest", "api"), ("publish", "archive"), ("publish", "web"))
    async with started(settings, processes, tmp_path, services) as pipeline:
        push = processes.start(settings, "publish", "push", PUBLISH_PUSH_WEB_URLS=pipeline.web)
        text = processes.start(settings, "enrich", "text", ENRICH_API_KEY_SHA256=digest)
        for process in (push, text):
            await process.ready()
        unknown = "a" * 26
        asked = [
            (f"{pipeline.web}/v1/updates/{unknown}", {}, 404),
            (f"{push.url}/v1/push/alerts", pushing, 200),
            (f"{push.url}/v1/push/endpoints", pushing, 200),
            (f"{text.url}/v1/authors", editing, 200),
            (f"{pipeline.ingest}/v1/items/{unknown}", wire, 404),
        ]
        async with httpx.AsyncClient(timeout=20) as client:

            async def answers() -> list[httpx.Response]:
                return [await client.get(address, headers=headers) for address, headers, _ in asked]

            as_ever = [status for _, _, status in asked]
            assert [answer.status_code for answer in await answers()] == as_ever
            assert database.child is not None
            database.child.kill()
            for answer in await answers():
                assert answer.status_code == 503, (str(answer.url), answer.status_code, answer.text)
                assert answer.headers["content-type"] == "application/problem+json"
                assert int(answer.headers["retry-after"]) > 0
            database.start()
            await asyncio.to_thread(database.wait)
            await eventually(
                answers,
                lambda found: [answer.status_code for answer in found] == as_ever,
                within_s=20,
                what="not as before",
            )
