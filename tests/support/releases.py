"""The code of another release, and the Python that runs it: what an upgrade comes from, and goes back to.

`tests/contract/released/commit` names the last release. A clone that does not have that commit (a shallow one) has no code
of it; what the release left behind, its schema and its messages, is in `tests/contract` all the same.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from support.places import ROOT

RELEASED = ROOT / "tests" / "contract" / "released"
SOURCES = ("shared", "services/ingest", "services/enrich", "services/publish")
BESIDES = (
    "Makefile", "pyproject.toml", "requirements.lock", "docker-compose.yml", ".dockerignore", "services/Dockerfile", "deploy",
)  # fmt: skip
"""What sets them up and runs them."""
LOCKS = tuple(f"{each}/requirements.lock" for each in SOURCES[1:])


@dataclass(frozen=True)
class Release:
    """What runs the services of one release."""

    name: str
    python: str = sys.executable
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to the environment of its processes."""


PRESENT = Release("this one")


class NotHere(LookupError):
    """This clone does not have the commit."""


def last_commit() -> str:
    """The commit from which an upgrade is tried: UPGRADE_FROM, or that of the last release."""
    return os.environ.get("UPGRADE_FROM") or (RELEASED / "commit").read_text().split()[0]


def unpacked(commit: str, folder: Path) -> None:
    """Put what is deployed of a release into a folder that is not there yet; raises `NotHere`."""
    asked = subprocess.run(
        ["git", "-C", str(ROOT), "archive", commit, *SOURCES, *BESIDES], capture_output=True, check=False
    )
    if asked.returncode != 0:
        raise NotHere(f"{commit} is not in this clone: {asked.stderr.decode(errors='replace').strip()}")
    folder.mkdir(parents=True)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=asked.stdout, check=True)


def same_packages(folder: Path) -> bool:
    """Whether the services of an unpacked release want the packages that this one's want."""
    return all((folder / lock).read_bytes() == (ROOT / lock).read_bytes() for lock in LOCKS)


def checked_out(commit: str) -> Release:
    """A release in a folder below `.local`, kept for the next time; raises `NotHere`.

    It runs in this environment where its services want the same packages, else in one of its own.
    """
    folder = ROOT / ".local" / "releases" / commit
    if not folder.exists():
        being_made = folder.with_name(f"{commit}.{os.getpid()}")
        unpacked(commit, being_made)
        being_made.rename(folder)
    if same_packages(folder):
        path = os.pathsep.join(str(folder / each / "src") for each in SOURCES)
        return Release(commit[:8], env={"PYTHONPATH": path})
    subprocess.run(["make", "-s", "-C", str(folder), "venv"], check=True, capture_output=True, timeout=600)
    return Release(commit[:8], str(folder / ".venv" / "bin" / "python"))
