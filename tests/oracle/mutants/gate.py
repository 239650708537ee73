"""Applies each mutant to a clean copy of the tree, runs the check that it names, and compares with the baseline."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent
BASELINE = HERE / "baseline.json"
TIMEOUT_S = 900.0
CPU_S = 120
"""What a check may compute: on a machine that others load it takes longer, and is no worse for it."""
LEAST_SHARE = 0.95
"""Of the mutants must be killed."""
SOURCES = ("shared/src", "services/ingest/src", "services/enrich/src", "services/publish/src", "deploy", "tests")

FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)

Result = Literal["killed", "survived", "does not apply", "check fails without it"]


@dataclass(frozen=True)
class Mutant:
    """One small bug."""

    name: str
    models: str
    check: str
    file: str
    old: str
    new: str
    servers: bool = False
    explained: str = ""


def mutants() -> list[Mutant]:
    """All of them, by their files."""
    found = [
        Mutant(**entry) for path in sorted(HERE.glob("*.toml")) for entry in tomllib.loads(path.read_text())["mutant"]
    ]
    names = [each.name for each in found]
    if len(set(names)) != len(names):
        raise ValueError(f"two mutants of one name: {sorted(names)}")
    return found


def applied(mutant: Mutant, tree: Path) -> str | None:
    """Put a mutant into a tree: the file's text before, or None where its place is not there once."""
    path = tree / mutant.file
    text = path.read_text() if path.exists() else ""
    if text.count(mutant.old) != 1 or mutant.old == mutant.new:
        return None
    path.write_text(text.replace(mutant.old, mutant.new))
    return text


class Tree:
    """A clean copy of what is committed, in which one mutant at a time is tried."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __enter__(self) -> "Tree":
        """Make it."""
        subprocess.run(
            ["git", "worktree", "add", "--detach", "-q", "-f", str(self.place), "HEAD"], cwd=ROOT, check=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        """Remove it."""
        subprocess.run(["git", "worktree", "remove", "--force", str(self.place)], cwd=ROOT, check=False)
        shutil.rmtree(self.place, ignore_errors=True)

    def passes(self, check: str, servers: Mapping[str, str], cpu_s: int = CPU_S) -> tuple[bool, str]:
        """Whether a check passes in it, and the end of what it said; one that takes too long does not."""
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(str(self.place / each) for each in SOURCES),
            "PYTHONDONTWRITEBYTECODE": "1",
            **servers,
        }
        command = [
            "/bin/sh",
            "-c",
            f'ulimit -t {cpu_s}; exec "$@"',
            "check",
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "-p",
            "no:cacheprovider",
            f"--timeout={TIMEOUT_S:.0f}",
            "-p",
            "oracle.mutants.patience",
            *check.split(),
        ]
        try:
            done = subprocess.run(
                command, cwd=self.place, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            return False, f"not within {TIMEOUT_S:g} s"
        return done.returncode == 0, done.stdout[-1500:] + done.stderr[-500:]

    def tried(self, mutant: Mutant, servers: Mapping[str, str]) -> tuple[Result, str]:
        """What the check makes of a mutant, and the first test that failed."""
        before = applied(mutant, self.place)
        if before is None:
            return "does not apply", ""
        try:
            passes, said = self.passes(mutant.check, servers)
            return ("survived", "") if passes else ("killed", seen_by(said))
        finally:
            (self.place / mutant.file).write_text(before)


def seen_by(said: str) -> str:
    """The first test that failed, by what pytest said; its last line where none did."""
    found = FAILED.search(said)
    return found[1] if found else "".join(said.strip().splitlines()[-1:])


def verdict(found: Sequence[Mutant], results: Mapping[str, Result], baseline: Mapping[str, str]) -> list[str]:
    """Why the gate is closed; empty where it is open."""
    reasons = []
    for mutant in found:
        result, before = results[mutant.name], baseline.get(mutant.name)
        if result in ("does not apply", "check fails without it"):
            reasons.append(f"{mutant.name}: {result}; write it anew ({mutant.file}, {mutant.check})")
        elif result == "survived" and before == "killed":
            reasons.append(f"{mutant.name}: was killed and survives now: {mutant.models}")
        elif result == "survived" and not mutant.explained:
            reasons.append(f"{mutant.name}: survives, and nobody says why: {mutant.models}")
        elif before is None:
            reasons.append(f"{mutant.name}: not in the baseline; write it with MUTANTS=--write")
    if (share := killed_share(results.values())) < LEAST_SHARE:
        reasons.append(f"{share:.1%} are killed; {LEAST_SHARE:.0%} are the least")
    return reasons


def killed_share(results: Iterable[Result]) -> float:
    """Of those that could be tried, the share that was killed."""
    tried = [each for each in results if each in ("killed", "survived")]
    return tried.count("killed") / len(tried) if tried else 0.0
