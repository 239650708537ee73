"""Backups again and again: `slugline backup FOLDER --every 24 --keep 7`, what is killed every minute, and an end for the oldest."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from shared.failures.transient import TRANSIENT, reason_of
from slugline.recovery import manifest
from slugline.recovery.programs import NotPossible

REMOVALS_FOLDER = "removals"
NAME = "%Y-%m-%dT%H%M%SZ"
FAILURES: tuple[type[Exception], ...] = (NotPossible, OSError, asyncpg.PostgresError, *TRANSIENT)
EVERY_S, AFTER_FAILURE = 60.0, timedelta(minutes=5)


def backups_in(folder: Path) -> list[Path]:
    """The whole backups that this command has made there, oldest first: what has no manifest is none, what has another name is not ours."""
    found = []
    for each in folder.iterdir() if folder.exists() else ():
        try:
            datetime.strptime(each.name, NAME).replace(tzinfo=UTC)
        except ValueError:
            continue
        if (each / manifest.FILE).exists():
            found.append(each)
    return sorted(found)


def due_at(folder: Path, every: timedelta) -> datetime:
    """When the next one is to be made, by the name of the last."""
    made = backups_in(folder)
    if not made:
        return datetime.min.replace(tzinfo=UTC)
    return datetime.strptime(made[-1].name, NAME).replace(tzinfo=UTC) + every


def share_media(before: Path, after: Path) -> int:
    """Give a new backup the renditions of the one before as hard links: they never change, and each backup still ends alone."""
    shared = 0
    for place, _, names in os.walk(before / manifest.MEDIA_FOLDER):
        to = after / Path(place).relative_to(before)
        to.mkdir(parents=True, exist_ok=True)
        for name in names:
            (to / name).hardlink_to(Path(place) / name)
            shared += 1
    return shared


def drop_oldest(folder: Path, keep: int) -> list[Path]:
    """Delete all but the newest whole ones."""
    dropped = backups_in(folder)[:-keep]
    for each in dropped:
        # First the manifest: what is deleted in part is no backup.
        (each / manifest.FILE).unlink()
        shutil.rmtree(each)
    return dropped


@dataclass(frozen=True)
class Schedule:
    """What is kept where, and by what it is made."""

    folder: Path
    every: timedelta
    keep: int
    back_up: Callable[[Path], Awaitable[str]]
    """Makes one in a folder of its own, and says what it came to."""
    note_removals: Callable[[Path], Awaitable[int]]
    say: Callable[[str], None]

    async def run(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Until cancelled. A failure is said and tried again after five minutes; removals are noted meanwhile."""
        not_before = datetime.min.replace(tzinfo=UTC)
        while True:
            not_before = await self.turn(now(), not_before)
            await asyncio.sleep(EVERY_S)

    async def turn(self, now: datetime, not_before: datetime) -> datetime:
        """One look: removals, and a backup where one is due; until when to leave backups alone after a failure."""
        try:
            await self.note_removals(self.folder / REMOVALS_FOLDER)
            if max(due_at(self.folder, self.every), not_before) <= now:
                self.say(await self._make(self.folder / now.strftime(NAME)))
                for each in drop_oldest(self.folder, self.keep):
                    self.say(f"{each} is deleted: {self.keep} newer ones are kept")
        except FAILURES as error:
            self.say(f"not done, tried again in five minutes: {reason_of(error)}")
            return now + AFTER_FAILURE
        return not_before

    async def _make(self, target: Path) -> str:
        made = backups_in(self.folder)
        shutil.rmtree(target, ignore_errors=True)
        try:
            if made:
                await asyncio.to_thread(share_media, made[-1], target)
            return await self.back_up(target)
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            raise
