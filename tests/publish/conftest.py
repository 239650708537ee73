"""What every test of publish works on."""

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from publish.settings import Settings
from shared.postgres import connect, migrate


@pytest_asyncio.fixture
async def pool(settings: Settings) -> AsyncIterator[Any]:
    """Postgres with the tables of the service, made before any process runs, so that a test never looks before they are."""
    pool = await connect(settings, schema="publish")
    await migrate(pool, "publish")
    yield pool
    await pool.close()
