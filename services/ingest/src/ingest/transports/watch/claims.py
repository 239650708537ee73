"""Moves files: from the folder to the worker that claims them, and from there to `done/`, to `rejected/` or back."""

import contextlib
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
    number = 2
    while True:
        yield path.with_name(f"{path.stem}~{number}{path.suffix}")
        number += 1


def put_back(claimed: Path, folder: Path) -> None:
    """Give a claim up; a file that the sender has written under the same name meanwhile is not overwritten."""
    with contextlib.suppress(FileNotFoundError):
        move_into(folder, claimed)


def reject(claimed: Path, folder: Path, reason: Mapping[str, object]) -> None:
    """Move a file to `rejected/` with the reason beside it, and how large it was, so that one that goes on is noticed."""
    moved = move_into(folder / REJECTED, claimed)
    write_reason(moved, {**reason, "size": moved.stat().st_size})


WATCHED_FOR_S = 24 * 3600.0
"""So long after its rejection a file is looked at: an upload that stalls goes on within hours or never."""
MOST_WATCHED = 1_000


def put_back_grown(folder: Path, settle_s: float) -> list[str]:
    """Put back rejected files that their sender has gone on writing since, once they are whole; their names.

    An upload that stalls for longer than a file may be unchanged looks whole. Its sender writes on to the same file, which
    has been moved meanwhile.
    """
    now = time.time()
    names: list[str] = []
    with os.scandir(folder / REJECTED) as entries:
        recent = [
            entry.name
            for entry in entries
            if entry.name.endswith(".reason.json") and now - entry.stat().st_mtime < WATCHED_FOR_S
        ]
    for name in recent[:MOST_WATCHED]:
        reason, file = folder / REJECTED / name, folder / REJECTED / name.removesuffix(".reason.json")
        with contextlib.suppress(OSError, ValueError):
            status = file.stat()
            if status.st_mtime < reason.stat().st_mtime or now - status.st_mtime < settle_s:
                continue
            size = orjson.loads(reason.read_bytes()).get("size")
            if not isinstance(size, int) or status.st_size == size:
                continue
            reason.unlink()
            put_back(file, folder)
            names.append(file.name)
    return names


def write_reason(moved: Path, reason: Mapping[str, object]) -> None:
    """Write `NAME.reason.json`, whole or not at all."""
    target = moved.with_name(moved.name + ".reason.json")
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
                deaths = count_death(folder, file)
                if deaths >= MAX_DEATHS:
                    reason = f"{deaths} workers ended while they had it, one after the other"
                    reject(file, folder, {"code": "took-its-worker-down", "reason": reason})
                    rejected.append(file.name)
                    continue
                log.warning("file of a worker that died is put back", file=file.name, worker=claims.name)
                put_back(file, folder)
            with contextlib.suppress(OSError):
                claims.rmdir()
    return rejected


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
