"""What a newsroom has of its machine: a disk that can be full, and clocks that can be stepped. Where one of them takes what is not here, None."""

import contextlib
import errno
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

ROOM_MB = 3072
"""What the disk holds; its memory is taken as it is written."""


@dataclass(frozen=True)
class Disk:
    """A file system of its own, in memory, at which servers and the picture store keep what they have."""

    place: Path

    def fill(self) -> bool:
        """Leave nothing on it; whether the kernel says so to who writes."""
        used = os.statvfs(self.place)
        self._resize(f"{(used.f_blocks - used.f_bfree) * used.f_frsize // 1024 + 512}k")
        try:
            with self._ballast.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(4096))
        except OSError as error:
            return error.errno == errno.ENOSPC

    def free(self) -> None:
        """Have room again."""
        self._ballast.unlink(missing_ok=True)
        self._resize(f"{ROOM_MB}m")

    @property
    def _ballast(self) -> Path:
        return self.place / "ballast"

    def _resize(self, size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", str(self.place)], check=True, capture_output=True)


@contextlib.contextmanager
def disk_at(place: Path) -> Iterator[Disk | None]:
    """A disk, mounted at a folder that is made, while the block runs; None where this user may mount nothing."""
    place.mkdir()
    place.chmod(0o755)
    command = ["mount", "-t", "tmpfs", "-o", f"size={ROOM_MB}m,mode=755", "oracle", str(place)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        yield None
        return
    try:
        yield Disk(place)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=False, capture_output=True)


@dataclass(frozen=True)
class Clock:
    """The wall clock of one process, as it sees it: libfaketime reads a file; what counts seconds goes on evenly."""

    file: Path
    library: Path

    @property
    def environment(self) -> Mapping[str, str]:
        """For the process."""
        return {
            "LD_PRELOAD": str(self.library),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def step(self, seconds: float) -> None:
        """Let it be so far ahead of the machine's, or behind; 0 for right."""
        written = self.file.with_suffix(".new")
        written.write_text(f"{seconds:+.1f}\n")
        written.rename(self.file)


async def ahead_s(url: str) -> float | None:
    """How far a process's clock is ahead of ours, by the date of an answer, to the second; None where it does not answer."""
    async with httpx.AsyncClient(timeout=2) as client:
        try:
            answer = await client.get(f"{url}/livez")
        except httpx.TransportError:
            return None
    return parsedate_to_datetime(answer.headers["date"]).timestamp() - time.time()


def clock_at(file: Path) -> Clock | None:
    """A clock that is right; None where libfaketime is not installed."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not found:
        return None
    file.parent.mkdir(exist_ok=True)
    clock = Clock(file, found[0])
    clock.step(0)
    return clock
