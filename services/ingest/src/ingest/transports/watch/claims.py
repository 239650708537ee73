"""Moves files: from the folder to the worker that claims them, and from there to `done/`, to `rejected/` or back."""

import contextlib
import itertools
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import orjson
import structlog
from pydantic import TypeAdapter

log = structlog.get_logger(__name__)

CLAIMS, DONE, REJECTED = ".taking", "done", "rejected"
DEAD_AFTER_S = 20.0
"""Longer than one file can delay a worker's heartbeat: it waits ten seconds for servers."""
REASON = ".reason.json"
LONGEST_NAME_BYTES = 200
"""Of a sender's name that we put something behind: a file system takes 255."""
LONGEST_SUFFIX = 16
DEATHS = "deaths.json"
MAX_DEATHS = 2
"""Workers that may die while they hold one file before it is rejected."""

_Deaths = TypeAdapter(dict[str, tuple[int, int, int, int]])
"""By file name: size, time and inode of the file, and how many workers died while they held it."""


def move_into(folder: Path, claimed: Path) -> Path:
    """Move a file into a folder; a file of the same name that is there already is not overwritten."""
    for target in _names(folder / claimed.name):
        try:
            os.link(claimed, target)
        except FileExistsError:
            continue
        except OSError:
            # A file system without hard links: two workers may then race for a name, which harms no copy.
            if target.exists():
                continue
            shutil.move(claimed, target)
            return target
        claimed.unlink()
        return target
    raise AssertionError("names do not end")


def _names(path: Path) -> Iterator[Path]:
    yield path
    suffix = path.suffix if len(path.suffix) < LONGEST_SUFFIX else ""
    stem = _cut(path.name.removesuffix(suffix))
    for number in itertools.count(2):
        yield path.with_name(f"{stem}~{number}{suffix}")


def _cut(name: str) -> str:
    """The beginning of a name that something is put behind."""
    return os.fsdecode(os.fsencode(name)[:LONGEST_NAME_BYTES])


def reason_of(moved: Path) -> Path:
    """Where it is written why a file was rejected."""
    return moved.with_name(_cut(moved.name) + REASON)


def put_back(claimed: Path, folder: Path) -> None:
    """Give a claim up; a file that the sender has written under the same name meanwhile is not overwritten."""
    with contextlib.suppress(FileNotFoundError):
        move_into(folder, claimed)


def reject(claimed: Path, folder: Path, reason: Mapping[str, object]) -> Path:
    """Move a file to `rejected/` with the reason beside it; where it is now."""
    moved = move_into(folder / REJECTED, claimed)
    write_reason(moved, reason)
    return moved


def take_back(moved: Path, folder: Path) -> None:
    """Move a file that was taken or rejected back into the folder, without its reason."""
    put_back(moved, folder)
    reason_of(moved).unlink(missing_ok=True)


def write_reason(moved: Path, reason: Mapping[str, object]) -> None:
    """Write `NAME.reason.json`, whole or not at all."""
    target = reason_of(moved)
    draft = target.with_name(f".{target.name}.tmp")
    draft.write_bytes(orjson.dumps({"at": datetime.now(UTC), **reason}, option=orjson.OPT_INDENT_2) + b"\n")
    draft.rename(target)


def reclaim_from_dead_workers(folder: Path, owner: str) -> list[str]:
    """Put back the claims of workers whose heartbeat has stopped.

    A file that a second worker died with goes to `rejected/` instead; the names of those are returned.
    """
    rejected: list[str] = []
    for claims in (folder / CLAIMS).iterdir():
        if claims.name == owner or not claims.is_dir():
            continue
        with contextlib.suppress(FileNotFoundError):
            if time.time() - claims.stat().st_mtime < DEAD_AFTER_S:
                continue
            for file in claims.iterdir():
                try:
                    if _reclaim(file, folder, claims.name):
                        rejected.append(file.name)
                except OSError as error:
                    # It stays with the dead worker, and is tried again at the next look; the others do not wait for it.
                    log.error(
                        "file of a worker that died cannot be moved", file=file.name, error=str(error), fold=str(claims)
                    )
            with contextlib.suppress(OSError):
                claims.rmdir()
    return rejected


def _reclaim(file: Path, folder: Path, worker: str) -> bool:
    """Put back a file of a worker that died; whether it was rejected instead."""
    deaths = count_death(folder, file)
    if deaths >= MAX_DEATHS:
        reason = f"{deaths} workers ended while they had it, one after the other"
        reject(file, folder, {"code": "took-its-worker-down", "reason": reason})
        return True
    log.warning("file of a worker that died is put back", file=file.name, worker=worker)
    put_back(file, folder)
    return False


def count_death(folder: Path, file: Path) -> int:
    """Record that a worker died while it held a file. Returns how many have, since the file last changed."""
    record = folder / CLAIMS / DEATHS
    try:
        known = _Deaths.validate_json(record.read_bytes())
    except (OSError, ValueError):
        known = {}
    status = file.stat()
    snapshot = (status.st_size, status.st_mtime_ns, status.st_ino)
    before = known.get(file.name)
    deaths = before[3] + 1 if before is not None and before[:3] == snapshot else 1
    known = {name: death for name, death in known.items() if (folder / name).exists()} | {
        file.name: (*snapshot, deaths)
    }
    draft = record.with_name(f".{DEATHS}.{os.getpid()}.tmp")
    draft.write_bytes(orjson.dumps(known))
    draft.rename(record)
    return deaths
