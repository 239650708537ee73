"""Fixtures that every ring shares: real servers, and on them a newsroom of its own for each test."""

# Its plugin imports it when the tests have ended otherwise, where CPython 3.11 may fail to parse it.
import hypothesis  # noqa: F401
import pytest

from support.processes import processes
from support.servers import RUNNING, newsroom, servers

__all__ = ["newsroom", "processes", "servers"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what the servers ran on."""
    running = config.stash.get(RUNNING, None)
    if running is not None:
        terminalreporter.write_line(f"servers: {running.kind}" + (f" ({running.because})" if running.because else ""))
