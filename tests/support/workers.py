"""Two workers of pytest-xdist side by side: the longest files come first, and what measures time has the machine to itself."""

import fcntl
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.servers import RUNNING

TESTS = Path(__file__).resolve().parents[1]
TURNSTILE, MACHINE = TESTS / "conftest.py", Path(__file__)
"""Files that exist in every clone; only their locks are used."""
LONGEST_FIRST = (
    "flow/test_compose.py", "flow/test_upgrade.py", "browser/test_page.py", "failures", "security/growth", "shared/poison",
    "flow/test_demo.py", "flow", "security", "browser", "local", "publish/web/test_reading.py", "conformance", "enrich/media",
    "publish/push", "shared/consumer", "enrich/text",
)  # fmt: skip
"""A long file that is begun last is waited for by one worker while the other has nothing to do."""


def is_worker() -> bool:
    """Whether this process is one of several that run tests side by side."""
    return "PYTEST_XDIST_WORKER" in os.environ


def rank(item: pytest.Item) -> int:
    """The place of a test's file among those that take long; what is run alone comes last, when nobody is kept waiting for it."""
    if item.get_closest_marker("alone") is not None:
        return len(LONGEST_FIRST) + 1
    path = item.path.relative_to(TESTS) if item.path.is_relative_to(TESTS) else item.path
    return next((at for at, each in enumerate(LONGEST_FIRST) if path.is_relative_to(each)), len(LONGEST_FIRST))


@contextmanager
def turn(*, alone: bool) -> Iterator[None]:
    """Run beside tests of other workers, or with the machine to itself.

    Whoever wants it for itself keeps the turnstile while it waits, so that no other test begins before it.
    """
    with TURNSTILE.open() as turnstile, MACHINE.open() as machine:
        fcntl.flock(turnstile, fcntl.LOCK_EX)
        try:
            fcntl.flock(machine, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        finally:
            fcntl.flock(turnstile, fcntl.LOCK_UN)
        try:
            yield
        finally:
            # Closing is not enough: a process that the test has forked may still have the file open.
            fcntl.flock(machine, fcntl.LOCK_UN)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Before the timer of pytest-timeout starts, which does not count how long a test waits for its turn."""
    if not is_worker():
        return (yield)
    with turn(alone=item.get_closest_marker("alone") is not None):
        return (yield)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker tells what its servers ran on."""
    running = session.config.stash.get(RUNNING, None)
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if running is not None and output is not None:
        output["servers"] = running.described


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """The one who started the workers keeps it."""
    told = getattr(node, "workeroutput", {}).get("servers")
    if told:
        node.config.stash[TOLD] = told


TOLD = pytest.StashKey[str]()
"""What the servers of workers ran on."""
