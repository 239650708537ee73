"""Crash points: each is a place in the code, none does anything unless a process was told to die there."""

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from shared import crash_points

ROOT = Path(__file__).resolve().parents[2]
CALL = re.compile(r"\breached\(\"([^\"]+)\"\)")
COMES_THRICE = """
import os
from shared import crash_points
crash_points.arm(os.environ)
for time in range(1, 4):
    crash_points.reached("archive.committed")
    crash_points.reached("archive.written")
    print(time, flush=True)
"""


def places() -> Counter[str]:
    """The names that the services come to, with how many places each has."""
    folders = [ROOT / "shared/src", *(ROOT / "services").glob("*/src")]
    return Counter(
        name for folder in folders for path in folder.rglob("*.py") for name in CALL.findall(path.read_text())
    )


def test_every_point_is_one_place_and_every_place_is_declared() -> None:
    """A name without a place would be a fault that never fires."""
    assert places() == Counter(crash_points.POINTS)


def come_thrice(**environment: str) -> "subprocess.CompletedProcess[str]":
    """What a process says that comes to two points three times."""
    return subprocess.run(
        [sys.executable, "-c", COMES_THRICE], env=os.environ | environment, capture_output=True, text=True, check=False
    )


def test_it_dies_where_it_was_told_to_and_leaves_a_mark(tmp_path: Path) -> None:
    """By SIGKILL, so that nothing is tidied up; the mark is what proves to a test that its fault fired."""
    mark = tmp_path / "mark"
    done = come_thrice(CRASH_AT="archive.committed:2", CRASH_MARK=str(mark))
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "1\n")
    assert mark.read_text() == "archive.committed\n"


def test_it_does_nothing_otherwise(tmp_path: Path) -> None:
    """Without CRASH_AT, and with a point that it does not come to."""
    for environment in ({}, {"CRASH_AT": "cache.written", "CRASH_MARK": str(tmp_path / "mark")}):
        done = come_thrice(**environment)
        assert (done.returncode, done.stdout) == (0, "1\n2\n3\n")
    assert not (tmp_path / "mark").exists()


def test_a_name_that_is_no_point_is_refused() -> None:
    """A fault that can never fire is an error of the test, told at once."""
    with pytest.raises(ValueError, match="no crash point"):
        crash_points.arm({"CRASH_AT": "archive.comitted"})
