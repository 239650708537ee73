"""Fixtures that every ring shares: real servers, and on them a newsroom of its own for each test."""

# Its plugin imports it when the tests have ended otherwise, where CPython 3.11 may fail to parse it.
import hypothesis  # noqa: F401
import pytest

from support.capabilities import lacking
from support.processes import processes
from support.servers import RUNNING, newsroom, servers

__all__ = ["newsroom", "processes", "servers"]


SLOW_RINGS = {"bench", "browser", "conformance", "failures", "flow", "growth", "local"}
"""Folders whose tests take minutes, or need more than Python."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as `unit` what needs no server, so that `make unit` answers in seconds."""
    for item in items:
        rings = set(item.path.parts) & SLOW_RINGS
        if not rings and "servers" not in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.unit)


@pytest.fixture(autouse=True)
def needed(request: pytest.FixtureRequest) -> None:
    """Skip a test that needs of the broker what it cannot do."""
    for name in [name for mark in request.node.iter_markers("needs") for name in mark.args]:
        if reason := lacking(name, request.getfixturevalue("servers")):
            pytest.skip(f"needs {name} of the broker: {reason}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what the servers ran on."""
    running = config.stash.get(RUNNING, None)
    if running is not None:
        terminalreporter.write_line(f"servers: {running.kind}" + (f" ({running.because})" if running.because else ""))
