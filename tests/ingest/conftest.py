"""`ingest api` in the test's own process, for every test that sends to it."""

from collections.abc import AsyncIterator

import pytest_asyncio

from shared.settings import Connections
from support.ingest_api import Wire, started


@pytest_asyncio.fixture
async def wire(newsroom: Connections) -> AsyncIterator[Wire]:
    """The service as it is when all is well."""
    async with started(newsroom) as service:
        yield service
