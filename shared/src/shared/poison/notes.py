"""Finds the message that takes its process down, by what was begun and never ended.

A process that is killed, crashes or hangs cannot say why. So each place from which a stage takes its work (a partition, or
a queue) has a row in Postgres that says beforehand who owns it, and what was begun alone. A row that still has another
owner was never released: that process has died, or was cut off. From there on messages are taken one by one, each noted
before it is begun, until everything that the dead owner may have been working on is done.

What must not break:
- only a message that was begun alone three times and never ended is set aside: one that shared its process's end with others,
  by a power cut or an operator's SIGKILL, is begun again; so is one that waited for another process (`waiting`);
- the steady state costs no round trip: a row is written when a place is taken and when it is released. What is in progress
  meanwhile is noted in memory that outlives the process, and is read if its successor runs on the same machine.
"""

import contextlib
import mmap
import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import structlog
from prometheus_client import Counter

from shared.failures import Transient
from shared.postgres.pool import Pool

log = structlog.get_logger(__name__)

MOST_TRIES = 3
"""A message that was begun alone so often, and never ended, is not begun again."""

LEFT_OPEN = Counter("slugline_crash_notes_left_open", "Places whose last owner ended without releasing them", ["stage"])
TAKEN_DOWN = Counter(
    "slugline_crash_notes_set_aside", "Messages set aside because they took their process down", ["stage"]
)


@dataclass(frozen=True, slots=True)
class Note:
    """The row of a place."""

    owner: str | None = None
    """The process that has it; None if the last one released it."""
    begun: str | None = None
    """What was begun alone and has not ended."""
    tried_by: tuple[str, ...] = ()
    """The processes that began it and did not end it."""
    begun_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CrashedBefore:
    """Why something is not begun again."""

    tries: int
    last_at: datetime | None

    @property
    def reason(self) -> str:
        """For a dead letter."""
        at = f", last at {self.last_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if self.last_at else ""
        return f"it was begun alone {self.tries} times and its process ended each time{at}"


def was_left_open(note: Note | None, me: str) -> bool:
    """Whether another process had this place and did not release it."""
    return note is not None and note.owner is not None and note.owner != me


def begin(note: Note, what: str, me: str, now: datetime) -> Note | CrashedBefore:
    """The note with which something is begun, or why it must not be."""
    others = tuple(each for each in note.tried_by if each != me) if note.begun == what else ()
    if len(others) >= MOST_TRIES:
        return CrashedBefore(len(others), note.begun_at)
    return Note(me, what, (*others, me), now)


def adopt(note: Note, what: str | None) -> Note:
    """The note, with what its dead owner had in progress alone, as far as that is known."""
    if what is None or note.owner is None:
        return note
    others = tuple(each for each in note.tried_by if each != note.owner) if note.begun == what else ()
    return Note(note.owner, what, (*others, note.owner), note.begun_at)


class ProgressFile:
    """What this process has in progress, in a small file that is mapped into memory. Writing it is no system call, and the
    kernel keeps it however the process ends.

    It is in the folder for temporary files and is lost with the machine, or with a container that is created again. Then the
    first crash names no message, and one more is needed until the message at fault is known.
    """

    SIZE = 4096

    def __init__(self, owner: str, folder: Path) -> None:
        self.path = progress_path(owner, folder)
        self.now: tuple[str, str] | None = None
        """The place and the message that are in progress."""
        self._memory: mmap.mmap | None = None
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            log.warning("what is in progress is not noted on this machine", error=str(error))
            return
        try:
            os.ftruncate(descriptor, self.SIZE)
            self._memory = mmap.mmap(descriptor, self.SIZE)
        except OSError as error:
            log.warning("what is in progress is not noted on this machine", error=str(error))
        finally:
            os.close(descriptor)

    def take(self, place: str, what: str) -> None:
        """This alone is in progress now."""
        self.now = place, what
        if self._memory is not None:
            text = f"{place} {what}".encode()[: self.SIZE - 2]
            self._memory[0:2] = b"\0\0"
            self._memory[2 : 2 + len(text)] = text
            self._memory[0:2] = len(text).to_bytes(2, "big")

    def empty(self) -> None:
        """Nothing is in progress, or several at once."""
        self.now = None
        if self._memory is not None:
            self._memory[0:2] = b"\0\0"

    def close(self) -> None:
        """Leave nothing behind."""
        if self._memory is not None:
            self._memory.close()
            self._memory = None
            with contextlib.suppress(OSError):
                self.path.unlink()


def temporary_folder() -> Path:
    """The folder for temporary files; one that is not there where none can be written."""
    try:
        return Path(tempfile.gettempdir())
    except OSError:
        return Path("/nonexistent")


def progress_path(owner: str, folder: Path) -> Path:
    """The file of a process."""
    return folder / f"slugline-{owner}.progress"


def in_progress_of(owner: str, folder: Path) -> tuple[str, str] | None:
    """The place and the message that a process on this machine had in progress when it ended; None if that is not known."""
    try:
        noted = progress_path(owner, folder).read_bytes()
    except OSError:
        return None
    place, _, what = noted[2 : 2 + int.from_bytes(noted[:2], "big")].decode("utf-8", "replace").partition(" ")
    return (place, what) if what else None


class CrashNotes:
    """The notes of one stage of one process, in the table `crash_notes` of its service's schema.

    Whatever Postgres fails with is raised: without it no place is taken.
    """

    def __init__(self, pool: Pool, schema: str, stage: str, folder: Path | None = None) -> None:
        self.stage = stage
        self.owner = uuid.uuid4().hex
        self._pool = pool
        self._table = f'"{schema}".crash_notes'
        self._folder = folder or temporary_folder()
        self._notes: dict[str, Note] = {}
        self.progress = ProgressFile(self.owner, self._folder)

    async def open(self, places: Collection[str]) -> set[str]:
        """Take places. Returns those whose last owner did not release them."""
        rows = await self._pool.fetch(
            f"WITH before AS (SELECT place, owner, begun, tried_by, begun_at FROM {self._table} "
            "WHERE stage = $1 AND place = ANY($2::text[]) FOR UPDATE), "
            f"taken AS (INSERT INTO {self._table} AS n (stage, place, owner) SELECT $1, place, $3 FROM unnest($2::text[]) AS place "
            "ON CONFLICT (stage, place) DO UPDATE SET owner = excluded.owner, opened_at = now()) SELECT * FROM before",
            self.stage, list(places), self.owner,
        )  # fmt: skip
        found = {
            row["place"]: Note(row["owner"], row["begun"], tuple(row["tried_by"]), row["begun_at"]) for row in rows
        }
        left_open = {place for place in places if was_left_open(found.get(place), self.owner)}
        for place in places:
            note = found.get(place, Note())
            self._notes[place] = note
            if place in left_open:
                note = await self._with_progress(place, note)
                LEFT_OPEN.labels(self.stage).inc()
                log.warning(
                    "the last process did not release this; its messages are taken one by one",
                    stage=self.stage, place=place, begun=note.begun, tries=len(note.tried_by),
                )  # fmt: skip
                self._notes[place] = note
        return left_open

    async def _with_progress(self, place: str, note: Note) -> Note:
        """The note with what the dead owner had in progress, which is stored before its file is deleted."""
        assert note.owner is not None  # noqa: S101 -- the place was left open
        in_progress = in_progress_of(note.owner, self._folder)
        if in_progress is None or in_progress[0] != place:
            return note
        adopted = adopt(note, in_progress[1])
        await self._write(place, adopted)
        with contextlib.suppress(OSError):
            progress_path(note.owner, self._folder).unlink()
        return adopted

    async def begin(self, place: str, what: str) -> CrashedBefore | None:
        """Note that something is begun alone; or why it must not be begun any more."""
        begun = begin(self._notes.get(place, Note()), what, self.owner, datetime.now(UTC))
        if isinstance(begun, CrashedBefore):
            TAKEN_DOWN.labels(self.stage).inc()
            return begun
        await self._write(place, begun)
        self._notes[place] = begun
        return None

    async def _write(self, place: str, note: Note) -> None:
        done = await self._pool.execute(
            f"UPDATE {self._table} SET begun = $4, tried_by = $5, begun_at = $6 "
            "WHERE stage = $1 AND place = $2 AND owner = $3",
            self.stage, place, self.owner, note.begun, list(note.tried_by), note.begun_at,
        )  # fmt: skip
        if done == "UPDATE 0":
            self._notes.pop(place, None)
            raise Transient(f"another process has taken {place} meanwhile")

    async def end(self, place: str) -> None:
        """What was begun has ended, well or not. This also undoes the attempt of a process that was only cut off for a while."""
        note = self._notes.get(place, Note())
        if note.begun is None:
            return
        await self._pool.execute(
            f"UPDATE {self._table} SET begun = CASE WHEN owner = $3 THEN NULL ELSE begun END, "
            "tried_by = CASE WHEN owner = $3 THEN '{}' ELSE array_remove(tried_by, $3) END "
            "WHERE stage = $1 AND place = $2 AND begun = $4",
            self.stage, place, self.owner, note.begun,
        )  # fmt: skip
        self._notes[place] = Note(self.owner)

    @contextlib.asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        """What was begun waits for another process while the block runs: should this one end meanwhile, that is no try.

        Where the block fails, what was begun has to be ended, as ever.
        """
        in_progress = self.progress.now
        begun = {place: note for place, note in self._notes.items() if self.owner in note.tried_by}
        self.progress.empty()
        for place, note in begun.items():
            others = tuple(each for each in note.tried_by if each != self.owner)
            await self._write(place, replace(note, tried_by=others))
        yield
        for place, note in begun.items():
            await self._write(place, note)
        if in_progress is not None:
            self.progress.take(*in_progress)

    async def close(self, places: Collection[str]) -> None:
        """Release places: what is in progress there has not taken this process down."""
        released = [place for place in places if place in self._notes]
        for place in released:
            del self._notes[place]
        if released:
            await self._pool.execute(
                f"UPDATE {self._table} SET owner = NULL, begun = NULL, tried_by = '{{}}' "
                "WHERE stage = $1 AND place = ANY($2::text[]) AND owner = $3",
                self.stage, released, self.owner,
            )  # fmt: skip


__all__: Sequence[str] = (
    "CrashNotes",
    "CrashedBefore",
    "Note",
    "ProgressFile",
    "adopt",
    "begin",
    "in_progress_of",
    "was_left_open",
)
