"""The ports, started once for a module, with a key of every kind."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from security.doors.filled import Known, filled
from security.doors.running import Doors, running
from support.servers import Servers, new_newsroom


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def doors(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Doors]:
    """Four processes and their archive."""
    folder = tmp_path_factory.mktemp("doors")
    async with new_newsroom(servers, folder / "media") as settings, running(settings, folder) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def known(doors: Doors) -> Known:
    """What is in their archive."""
    return await filled(doors)
