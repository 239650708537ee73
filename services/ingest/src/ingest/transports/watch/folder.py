"""Which files of a folder are whole, so that they can be taken."""

import heapq
import os
import stat
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from watchfiles import watch

from ingest.transports.watch.folder_thread import FolderThread

PARTIAL = (".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload", ".swp", ".writing", "~")
"""How uploaders name a file that is not whole yet."""
SCAN_S = 1.0
"""A folder is scanned so often even where the system reports no changes, as on a network drive."""
MOST_FILES = 5_000
"""Of a folder that are looked at in one scan, the oldest: however many lie in it, they are taken in their order."""
EMPTY_FILE_FACTOR = 10
"""An empty file is given so many times longer: many an uploader creates it first and fills it later."""


@dataclass(frozen=True, slots=True)
class FileSnapshot:
    """What shows whether a file has changed."""

    size: int
    mtime_ns: int
    inode: int


@dataclass
class FolderState:
    """What is remembered of a folder between two scans."""

    seen: dict[str, tuple[FileSnapshot, float]] = field(default_factory=dict)
    """By name: the file's snapshot, and since when (monotonic) it has not changed."""
    partial: set[int] = field(default_factory=set)
    """Inodes that were seen under the name of a partial file: once renamed they are whole."""

    def whole(
        self, files: dict[str, FileSnapshot], partial: set[int], settle_s: float, now: float, wall_s: float
    ) -> list[str]:
        """The names of the files that are whole, in order of their modification."""
        ready: list[str] = []
        seen: dict[str, tuple[FileSnapshot, float]] = {}
        for name, file in files.items():
            before = self.seen.get(name)
            since = before[1] if before is not None and before[0] == file else now
            seen[name] = (file, since)
            unchanged_s = settle_s if file.size else settle_s * EMPTY_FILE_FACTOR
            settled = now - since >= unchanged_s or wall_s - file.mtime_ns / 1e9 >= unchanged_s
            if file.inode in self.partial or settled:
                ready.append(name)
        self.seen = seen
        self.partial = (self.partial & {file.inode for file in files.values()}) | partial
        return sorted(ready, key=lambda name: (files[name].mtime_ns, name))


def is_partial(name: str) -> bool:
    """Whether a name is that of a file that is not whole yet."""
    return name.startswith(".") or name.lower().endswith(PARTIAL)


def list_files(folder: Path, most: int = MOST_FILES) -> tuple[dict[str, FileSnapshot], set[int]]:
    """The oldest files in a folder, and the inodes of those that are still partial. Links are left out."""
    partial: set[int] = set()
    oldest = heapq.nsmallest(most, _files(folder, partial, most), key=lambda found: (found[1].mtime_ns, found[0]))
    return dict(oldest), partial


def _files(folder: Path, partial: set[int], most: int) -> Iterator[tuple[str, FileSnapshot]]:
    """The whole files; the inodes of some that are partial are added to `partial`."""
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if not stat.S_ISREG(status.st_mode):
                continue
            if not is_partial(entry.name):
                yield entry.name, FileSnapshot(status.st_size, status.st_mtime_ns, status.st_ino)
            elif len(partial) < most:
                partial.add(status.st_ino)


def read_whole(path: Path, expected: FileSnapshot) -> bytes | None:
    """The content of a file that has not changed since its snapshot; None where it has, or is another file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except PermissionError:
        raise
    except OSError:
        return None
    with open(descriptor, "rb") as file:  # noqa: PTH123 -- a descriptor, not a path
        body = file.read(expected.size + 1)
        status = os.fstat(descriptor)
    same = FileSnapshot(status.st_size, status.st_mtime_ns, status.st_ino) == expected and stat.S_ISREG(status.st_mode)
    return body if same and len(body) == expected.size else None


async def changes(folder: Path, thread: FolderThread) -> AsyncIterator[None]:
    """Yields at once when something happens in a folder, and every `SCAN_S` when nothing does."""
    yield None
    events = watch(
        folder,
        recursive=False,
        watch_filter=None,
        debounce=50,
        step=20,
        rust_timeout=int(SCAN_S * 1000),
        yield_on_timeout=True,
    )
    while await thread.run(next, events, None) is not None:
        yield None


def snapshot(path: Path) -> FileSnapshot:
    """The snapshot of one file; FileNotFoundError where it is gone."""
    status = path.stat(follow_symlinks=False)
    return FileSnapshot(status.st_size, status.st_mtime_ns, status.st_ino)
