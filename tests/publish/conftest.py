"""What every test of publish works on."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from publish.representation.position import Position
from publish.settings import Settings
from publish.web.application import build
from publish.web.feed_store import FeedStore
from shared.observability.health import Health
from shared.postgres.migrations import migrate
from shared.postgres.pool import connect
from support.web_replica import ListedArchive, Make, Replica


@pytest_asyncio.fixture
async def pool(settings: Settings) -> AsyncIterator[Any]:
    """Postgres with the tables of the service, made before any process runs, so that a test never looks before they are."""
    pool = await connect(settings, schema="publish")
    await migrate(pool, "publish")
    yield pool
    await pool.close()


@pytest.fixture
def make_replica(tmp_path: Path) -> Make:
    """Makes replicas with settings of the test's own."""

    def make(limit: int = 1000, **settings: Any) -> Replica:
        settings.setdefault("media_store", f"file://{tmp_path}/media")
        given = Settings(publish_site_url="https://news.example", **settings)
        feed_store, archive = FeedStore(limit), ListedArchive()
        feed_store.reset(Position(1, -1), [], complete=True)
        answers, broadcaster = build(given, feed_store, archive, Health("publish.web"))
        transport = httpx.ASGITransport(app=answers.response_cache, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url="http://test")
        return Replica(answers, broadcaster, archive, feed_store, client)

    return make


@pytest.fixture
def replica(make_replica: Make) -> Replica:
    """A replica of an empty feed_store."""
    return make_replica()
