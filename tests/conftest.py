"""Fixtures that every ring shares: real servers, and on them a newsroom of its own for each test."""

from pathlib import Path

# Here, too, since its plugin imports it when the tests have ended otherwise, where CPython 3.11 may fail to parse it.
import hypothesis
import pytest

from support.capabilities import lacking
from support.processes import processes
from support.servers import RUNNING, newsroom, servers
from support.workers import (
    TOLD,
    is_worker,
    pytest_runtest_protocol,
    pytest_sessionfinish,
    pytest_testnodedown,
    rank,
)

__all__ = [
    "newsroom",
    "processes",
    "pytest_runtest_protocol",
    "pytest_sessionfinish",
    "pytest_testnodedown",
    "servers",
]

# A machine that others load is slow, and no test is worse for it.
hypothesis.settings.register_profile(
    "shared machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("shared machine")

SLOW = (
    "bench", "browser", "conformance", "failures", "flow", "local", "oracle/test_oracle.py",
    "enrich/media/render", "ingest/formats/html", "ingest/parsers", "publish/web/routes/test_markup.py",
    "publish/web/stream", "publish/web/test_omissions.py", "security", "shared/http/server",
    "shared/test_process.py", "shared/worker_processes",
)  # fmt: skip
"""What takes minutes, waits for time to pass, or starts browsers and processes of its own."""
MACHINE = (
    "local", "flow/test_wire_to_reader.py", "flow/test_pictures.py", "flow/test_closed_servers.py", "enrich/media", "ingest/parsers", "publish/archive", "publish/cache", "publish/takedown",
    "shared/consumer", "shared/postgres", "shared/test_process.py", "shared/worker_processes",
)  # fmt: skip
"""What depends on the machine: on its programs, its rights, its servers and its kernel. Of the flows those that meet most of it."""
TESTS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as `unit` what needs no server and no patience, so that `make unit` answers soon, and as `machine` what depends on one."""
    for item in items:
        path = item.path.relative_to(TESTS) if item.path.is_relative_to(TESTS) else item.path
        if any(path.is_relative_to(part) for part in MACHINE):
            item.add_marker(pytest.mark.machine)
        is_slow = any(path.is_relative_to(slow) for slow in SLOW)
        if not is_slow and "servers" not in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.unit)
    if is_worker():
        items.sort(key=rank)


@pytest.fixture(autouse=True)
def needed(request: pytest.FixtureRequest) -> None:
    """Skip a test that needs of the broker what it cannot do."""
    for name in [name for mark in request.node.iter_markers("needs") for name in mark.args]:
        if reason := lacking(name, request.getfixturevalue("servers")):
            pytest.skip(f"needs {name} of the broker: {reason}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what the servers ran on."""
    running = config.stash.get(RUNNING, None)
    told = running.described if running is not None else config.stash.get(TOLD, "")
    if told:
        terminalreporter.write_line(f"servers: {told}")
