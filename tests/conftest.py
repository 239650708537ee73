"""Fixtures that every ring shares: real servers, and on them a newsroom of its own for each test."""

# Its plugin imports it when the tests have ended otherwise, where CPython 3.11 may fail to parse it.
import hypothesis  # noqa: F401
import pytest

from support.processes import processes
from support.servers import CHOICE, choose, newsroom, servers

__all__ = ["newsroom", "processes", "servers"]


def pytest_configure(config: pytest.Config) -> None:
    """Decide what the servers run on, before anything is collected."""
    config.stash[CHOICE] = choose()


def pytest_report_header(config: pytest.Config) -> str:
    """Say what the servers run on."""
    choice = config.stash[CHOICE]
    return f"servers: {choice.kind}" + (f" ({choice.because})" if choice.because else "")
