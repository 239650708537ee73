"""Hostile documents that the servers of feeds give: the poller goes on, writes down what was wrong, and its loop stays free."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingest.sources import store
from ingest.sources.source import Source
from ingest.transports.http_client import http_client
from ingest.transports.poll.poller import Poller
from local.child import free_port
from security.documents.attacks import ATTACKS
from security.documents.test_hostile_documents import HOSTILE
from security.growth.measure import slowness
from shared.http.server.server import http_server
from shared.settings import Connections
from support.ingest_api import started

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

STALL_S = 0.25
"""Of a machine that does nothing else (`growth.measure`)."""
PAUSE_S = 0.005
GIVEN = {name: (made, headers) for name, (made, headers, _) in HOSTILE.items()} | {
    name: (ATTACKS[name], {}) for name in ATTACKS if name.startswith(("rss", "atom", "entities", "a document type"))
}
NEWS = b'{"version":"https://jsonfeed.org/version/1.1","title":"News","items":[{"id":"a","title":"News"}]}'


@contextlib.asynccontextmanager
async def turns() -> AsyncIterator[list[float]]:
    """The processor time of each turn that the loop takes while the block runs, in seconds."""
    took: list[float] = []

    async def look() -> None:
        while True:
            began = time.thread_time()
            await asyncio.sleep(PAUSE_S)
            took.append(time.thread_time() - began)

    looking = asyncio.create_task(look())
    try:
        yield took
    finally:
        looking.cancel()


async def test_hostile_feeds_stall_no_poller(newsroom: Connections) -> None:
    """Each is read or has its reason in its row; a feed that comes after all of them is read."""
    bodies = {name: made() for name, (made, _) in GIVEN.items()} | {"news": NEWS}
    port = free_port()

    async def give(request: Request) -> Response:
        name = list(bodies)[int(request.path_params["number"])]
        return Response(bodies[name], headers=GIVEN[name][1] if name in GIVEN else {}, media_type="application/rss+xml")

    app = Starlette(routes=[Route("/{number}", give)])
    async with (
        started(newsroom) as wire,
        http_server(app, "127.0.0.1", port),
        http_client(allow_private=True) as fetcher,
    ):
        poller = Poller(wire.settings, wire.pool, wire.intake, fetcher, "one")
        worst: dict[str, float] = {}
        for number, name in enumerate(bodies):
            await store.save(wire.pool, Source(name=f"s{number}", kind="poll", url=f"http://127.0.0.1:{port}/{number}"))
            [cursor] = [each for each in await poller.lease() if each.source == f"s{number}"]
            async with turns() as took:
                await poller.poll_and_release(cursor)
            worst[name] = max(took, default=0.0)
            row = await wire.pool.fetchrow(
                "SELECT status, failures, error FROM ingest.cursors WHERE source = $1", f"s{number}"
            )
            assert row["error"] or (row["status"], row["failures"]) == (200, 0), (name, dict(row))
        assert "a" in [item["guid"] for item in await wire.raw()]
    print({name: f"{took * 1000:.0f} ms" for name, took in worst.items()})
    stall_s = STALL_S * max(1.0, slowness())
    assert not {name: took for name, took in worst.items() if took > stall_s}
