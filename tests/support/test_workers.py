"""How tests of several workers share a machine."""

import fcntl
import threading
import time
from pathlib import Path

import pytest

from support import workers
from support.workers import rank, turn


@pytest.fixture(autouse=True)
def locks_of_this_test(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its own, since it may itself run beside other workers."""
    for name in ("TURNSTILE", "MACHINE"):
        (tmp_path / name).touch()
        monkeypatch.setattr(workers, name, tmp_path / name)


def is_held(path: Path) -> bool:
    """Whether somebody has the lock of a file."""
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def test_one_that_wants_the_machine_for_itself_waits_for_those_before_it_and_is_waited_for_by_those_behind_it() -> None:
    """Two run side by side; then it runs, and nobody else; then the next."""
    done: list[str] = []

    def take(name: str, *, alone: bool) -> None:
        with turn(alone=alone):
            done.append(name)

    with turn(alone=False):
        beside = threading.Thread(target=take, args=("beside",), kwargs={"alone": False})
        beside.start()
        beside.join(10)
        assert done == ["beside"]
        measuring = threading.Thread(target=take, args=("alone",), kwargs={"alone": True})
        measuring.start()
        deadline = time.monotonic() + 10
        while not is_held(workers.TURNSTILE):
            assert time.monotonic() < deadline, "it does not wait at the turnstile"
        behind = threading.Thread(target=take, args=("behind",), kwargs={"alone": False})
        behind.start()
        assert done == ["beside"]
    for thread in (measuring, behind):
        thread.join(10)
    assert done == ["beside", "alone", "behind"]
    assert not is_held(workers.MACHINE)


def test_what_takes_long_is_named_by_paths_that_exist(request: pytest.FixtureRequest) -> None:
    """A room that has moved would be begun last again."""
    assert [each for each in workers.LONGEST_FIRST if not (workers.TESTS / each).exists()] == []
    assert rank(request.node) == len(workers.LONGEST_FIRST)
