"""What attacks are made on: `ingest api` and a web replica in the test's own process."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from shared.settings import Connections
from support.ingest_api import Wire, started
from support.web_replica import Make, replicas


@pytest_asyncio.fixture
async def wire(newsroom: Connections) -> AsyncIterator[Wire]:
    """`ingest api` on real servers."""
    async with started(newsroom) as service:
        yield service


@pytest.fixture
def make_replica(tmp_path: Path) -> Make:
    """Makes web replicas with settings of the test's own."""
    return replicas(tmp_path)
