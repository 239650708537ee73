"""One running pipeline for the flow tests of a module."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from support.pipeline import Pipeline, started
from support.processes import Processes
from support.servers import Servers, new_newsroom


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pipeline(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pipeline]:
    """Every service as its own process, on a newsroom of the module's own."""
    folder: Path = tmp_path_factory.mktemp("pipeline")
    async with (
        new_newsroom(servers, folder / "media") as settings,
        started(settings, Processes(folder / "logs"), folder) as running,
    ):
        yield running


@pytest.fixture(autouse=True)
def show_logs_of_failures(request: pytest.FixtureRequest) -> Iterator[None]:
    """The ends of all logs are printed with every test, so that a failure shows them."""
    yield
    if "pipeline" in request.fixturenames:
        running: Pipeline = request.getfixturevalue("pipeline")
        print(running.processes.logs())
