"""What every test of publish works on."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from publish.settings import Settings
from shared.postgres.migrations import migrate
from shared.postgres.pool import connect
from support.web_replica import Make, Replica, replicas


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

    return replicas(tmp_path)


@pytest.fixture
def replica(make_replica: Make) -> Replica:
    """A replica of an empty feed_store."""
    return make_replica()
