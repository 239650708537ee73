"""`ingest watch`: folders into which an agency's FTP or a CMS drops files.

A file is claimed by renaming it into a folder of the worker's own, which only one of several workers can do. It ends in
`done/` or in `rejected/`, there with a `.reason.json` beside it. What Kafka or Postgres could not take goes back to
where it lay. The claims of a worker that died are given back by the others; a file that a second one died with is rejected.
"""

import asyncio
import contextlib
import mimetypes
import os
import shutil
import stat
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import structlog
from prometheus_client import Counter, Gauge
from watchfiles import awatch

from ingest.intake.deadline import Unavailable
from ingest.intake.receive import DocumentRejected, Intake, Receipt
from ingest.settings import Settings
from ingest.sources.registry import Registry, Source, of_kind

log = structlog.get_logger(__name__)

CLAIMS, DONE, REJECTED = ".taking", "done", "rejected"
PARTIAL = (".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload", ".swp", ".writing", "~")
"""How uploaders call a file that is not whole yet."""

LOOK_S = 1.0
"""A folder is looked at so often even where the system tells of no changes, as on a network drive."""
EMPTY_FILE_FACTOR = 10
"""An empty file is given so many times longer: many an uploader creates it first and fills it later."""
HEARTBEAT_S = 2.0
DEAD_AFTER_S = 20.0
"""Longer than one file may hold up the signs of life: it waits ten seconds for servers."""
DEATHS = "deaths.json"
MOST_DEATHS = 2
"""Workers that may die with one file in hand before it is set aside."""
PAUSE_S = 2.0

FILES = Counter("slugline_ingest_files", "Files by where they ended: done, rejected, put-back", ["source", "end"])
WAITING = Gauge("slugline_ingest_files_waiting", "Files that lie in a watched folder", ["source"])


@dataclass(frozen=True, slots=True)
class FileSnapshot:
    """A file as it was seen."""

    size: int
    mtime_ns: int
    inode: int


@dataclass
class FolderState:
    """What is remembered of a folder between two looks."""

    seen: dict[str, tuple[FileSnapshot, float]] = field(default_factory=dict)
    """By name: how it looked, and since when (monotonic) it has looked so."""
    partial: set[int] = field(default_factory=set)
    """Inodes that were seen under the name of a partial file: once renamed they are whole."""

    def whole(
        self, looks: dict[str, FileSnapshot], partial: set[int], settle_s: float, now: float, wall_s: float
    ) -> list[str]:
        """The names of the files that have come to rest, in order of their time."""
        ready: list[str] = []
        seen: dict[str, tuple[FileSnapshot, float]] = {}
        for name, look in looks.items():
            before = self.seen.get(name)
            since = before[1] if before is not None and before[0] == look else now
            seen[name] = (look, since)
            timeout_s = settle_s if look.size else settle_s * EMPTY_FILE_FACTOR
            at_rest = now - since >= timeout_s or wall_s - look.mtime_ns / 1e9 >= timeout_s
            if look.inode in self.partial or at_rest:
                ready.append(name)
        self.seen = seen
        self.partial = (self.partial & {look.inode for look in looks.values()}) | partial
        return sorted(ready, key=lambda name: (looks[name].mtime_ns, name))


def is_partial(name: str) -> bool:
    """Whether a name is that of a file that is not whole yet."""
    return name.startswith(".") or name.lower().endswith(PARTIAL)


def list_files(folder: Path) -> tuple[dict[str, FileSnapshot], set[int]]:
    """The files that lie in a folder, and the inodes of those that are still partial. Links are no files."""
    looks: dict[str, FileSnapshot] = {}
    partial: set[int] = set()
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if not stat.S_ISREG(status.st_mode):
                continue
            if is_partial(entry.name):
                partial.add(status.st_ino)
            else:
                looks[entry.name] = FileSnapshot(status.st_size, status.st_mtime_ns, status.st_ino)
    return looks, partial


class Watcher:
    """Takes the files of all watched folders; of one folder one after the other, in order of their time."""

    def __init__(self, settings: Settings, registry: Registry, intake: Intake, owner: str) -> None:
        self._settings = settings
        self._registry = registry
        self._intake = intake
        self._owner = owner
        self.watched: dict[str, FolderState] = {}
        """What is remembered of each source's folder."""
        self._beaten: dict[Path, float] = {}
        self._tasks: dict[str, tuple[Source, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Watch until cancelled; sources that are added, changed or paused meanwhile are followed."""
        try:
            while True:
                wanted = {source.name: source for source in of_kind(self._registry.sources.values(), "watch")}
                for name, (source, task) in list(self._tasks.items()):
                    if wanted.get(name) != source or task.done():
                        task.cancel()
                        await asyncio.gather(task, return_exceptions=True)
                        del self._tasks[name]
                for name, source in wanted.items():
                    if name not in self._tasks:
                        task = asyncio.create_task(self.follow(source), name=f"watch:{name}")
                        self._tasks[name] = (source, task)
                await asyncio.sleep(LOOK_S)
        finally:
            tasks = [task for _, task in self._tasks.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def follow(self, source: Source) -> None:
        """Take what comes to rest in one folder, until cancelled."""
        folder = Path(source.folder or "")
        watched = self.watched[source.name] = FolderState()
        while True:
            try:
                claims = self.prepare(folder)
                async for _ in _changes(folder):
                    self._beat(folder, claims)
                    if not await self.take_all(source, folder, watched):
                        await asyncio.sleep(PAUSE_S)
            except OSError as error:
                log.error("folder cannot be watched", source=source.name, folder=str(folder), error=str(error))
            except Exception:
                log.exception("bug in watching a folder", source=source.name, folder=str(folder))
            await asyncio.sleep(PAUSE_S)

    def _beat(self, folder: Path, claims: Path) -> None:
        """Show that this worker lives, and look after those that do not."""
        if time.monotonic() - self._beaten.get(claims, 0.0) >= HEARTBEAT_S:
            os.utime(claims)
            for name in reclaim_from_dead_workers(folder, self._owner):
                log.error("a file takes its worker down; it is set aside", folder=str(folder), file=name)
                FILES.labels(folder.name, "rejected").inc()
            self._beaten[claims] = time.monotonic()

    def prepare(self, folder: Path) -> Path:
        """Make the folders that are needed; this worker's own is returned."""
        claims = folder / CLAIMS / self._owner
        for each in (claims, folder / DONE, folder / REJECTED):
            each.mkdir(parents=True, exist_ok=True)
        return claims

    async def take_all(self, source: Source, folder: Path, watched: FolderState) -> bool:
        """Take every file that has come to rest. False where the rest has to wait because a server is away."""
        looks, partial = list_files(folder)
        WAITING.labels(source.name).set(len(looks))
        settle_s = self._settings.ingest_watch_settle_s
        for name in watched.whole(looks, partial, settle_s, time.monotonic(), time.time()):
            if not await self.take(source, folder, name, looks[name]):
                return False
        return True

    async def take(self, source: Source, folder: Path, name: str, look: FileSnapshot) -> bool:
        """Claim a file and take it. False where it was put back because a server is away."""
        claimed = folder / CLAIMS / self._owner / name
        self._beat(folder, claimed.parent)
        try:
            (folder / name).rename(claimed)
        except FileNotFoundError:
            return True
        try:
            return await self._take_claimed(source, folder, claimed, look)
        except BaseException:
            put_back(claimed, folder / name)
            raise

    async def _take_claimed(self, source: Source, folder: Path, claimed: Path, look: FileSnapshot) -> bool:
        limit = min(source.max_body_bytes or self._settings.ingest_max_body_bytes, self._settings.ingest_max_body_bytes)
        if look.size > limit:
            self._intake.statistics.refused(source.name, "too-large")
            reject(claimed, folder, {"code": "too-large", "reason": f"{look.size} bytes, {limit} are permitted"})
            FILES.labels(source.name, "rejected").inc()
            return True
        try:
            body = await asyncio.to_thread(read_whole, claimed, look)
        except PermissionError as error:
            reject(
                claimed, folder, {"code": "no-permission", "reason": f"the worker may not read it: {error.strerror}"}
            )
            FILES.labels(source.name, "rejected").inc()
            return True
        if body is None:
            # Its writer had not finished after all; it is looked at again from the start.
            put_back(claimed, folder / claimed.name)
            return True
        try:
            receipt = await self._intake.take(
                source,
                body,
                content_type=mimetypes.guess_type(claimed.name)[0],
                transport="watch",
                headers={"file": claimed.name, "modified": _moment(look.mtime_ns)},
            )
        except DocumentRejected as refusal:
            reason = {
                "code": refusal.code,
                "place": refusal.place,
                "reason": refusal.reason,
                "original": str(refusal.original),
            }
            reject(claimed, folder, reason)
            FILES.labels(source.name, "rejected").inc()
            return True
        except Unavailable as away:
            put_back(claimed, folder / claimed.name)
            FILES.labels(source.name, "put-back").inc()
            log.warning("file put back", source=source.name, file=claimed.name, reason=str(away), fold=source.name)
            return False
        return self._end(source, folder, claimed, receipt)

    @staticmethod
    def _end(source: Source, folder: Path, claimed: Path, receipt: Receipt) -> bool:
        if receipt.count("error"):
            put_back(claimed, folder / claimed.name)
            FILES.labels(source.name, "put-back").inc()
            return False
        failed = [
            {name: value for name, value in asdict(result).items() if value not in ("", None)}
            for result in receipt.results
            if result.status == "invalid"
        ]
        reason = {"original": str(receipt.original), "format": receipt.format, "items": failed}
        if failed and len(failed) == len(receipt.results):
            reject(claimed, folder, reason)
            FILES.labels(source.name, "rejected").inc()
            return True
        ended = settle(claimed, folder / DONE)
        if failed:
            write_reason(ended, reason)
        FILES.labels(source.name, "done").inc()
        return True


async def _changes(folder: Path) -> AsyncIterator[None]:
    """Wakes at once when something happens in a folder, and once in a while when nothing does."""
    yield None
    async for _ in awatch(
        folder,
        recursive=False,
        watch_filter=None,
        debounce=50,
        step=20,
        rust_timeout=int(LOOK_S * 1000),
        yield_on_timeout=True,
    ):
        yield None


def read_whole(path: Path, look: FileSnapshot) -> bytes | None:
    """The content of a file that is still what it was when it was looked at; None where it is another, or has changed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except PermissionError:
        raise
    except OSError:
        return None
    with open(descriptor, "rb") as file:  # noqa: PTH123 -- a descriptor, not a path
        body = file.read(look.size + 1)
        status = os.fstat(descriptor)
    same = FileSnapshot(status.st_size, status.st_mtime_ns, status.st_ino) == look and stat.S_ISREG(status.st_mode)
    return body if same and len(body) == look.size else None


def settle(claimed: Path, where: Path) -> Path:
    """Move a file to where it ends; one of that name that lies there already is not overwritten."""
    for target in _names(where / claimed.name):
        try:
            os.link(claimed, target)
        except FileExistsError:
            continue
        except OSError:
            # A file system without hard links: the race for a name is then possible and harms nobody's copy.
            if target.exists():
                continue
            shutil.move(claimed, target)
            return target
        claimed.unlink()
        return target
    raise AssertionError("names do not end")


def put_back(claimed: Path, place: Path) -> None:
    """Give a file up; one that its sender has written under the same name meanwhile is not overwritten."""
    with contextlib.suppress(FileNotFoundError):
        settle(claimed, place.parent)


def _names(path: Path) -> Iterator[Path]:
    yield path
    number = 2
    while True:
        yield path.with_name(f"{path.stem}~{number}{path.suffix}")
        number += 1


def reject(claimed: Path, folder: Path, reason: dict[str, Any]) -> None:
    """Move a file to `rejected/` with the reason beside it."""
    write_reason(settle(claimed, folder / REJECTED), reason)


def write_reason(ended: Path, reason: dict[str, Any]) -> None:
    """Write `NAME.reason.json`, whole or not at all."""
    target = ended.with_name(ended.name + ".reason.json")
    draft = target.with_name(f".{target.name}.tmp")
    draft.write_bytes(orjson.dumps({"at": datetime.now(UTC), **reason}, option=orjson.OPT_INDENT_2) + b"\n")
    draft.rename(target)


def reclaim_from_dead_workers(folder: Path, owner: str) -> list[str]:
    """Put back what workers had claimed that have shown no sign of life for long.

    A file that a second worker died with goes to `rejected/` instead: the names of those.
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
                if deaths >= MOST_DEATHS:
                    reason = f"{deaths} workers ended while they had it, one after the other"
                    reject(file, folder, {"code": "took-its-worker-down", "reason": reason})
                    rejected.append(file.name)
                    continue
                log.warning("file of a worker that died is put back", file=file.name, worker=claims.name)
                put_back(file, folder / file.name)
            with contextlib.suppress(OSError):
                claims.rmdir()
    return rejected


def count_death(folder: Path, file: Path) -> int:
    """Note that a worker died with a file in hand; how many have, of the file as it is now."""
    notes = folder / CLAIMS / DEATHS
    try:
        known = {str(name): list(noted) for name, noted in orjson.loads(notes.read_bytes()).items()}
    except (OSError, ValueError, AttributeError, TypeError):
        known = {}
    status = file.stat()
    look = [status.st_size, status.st_mtime_ns, status.st_ino]
    before = known.get(file.name, [])
    deaths = int(before[3]) + 1 if before[:3] == look and len(before) == 4 else 1
    known = {name: noted for name, noted in known.items() if (folder / name).exists()} | {file.name: [*look, deaths]}
    draft = notes.with_name(f".{DEATHS}.{os.getpid()}.tmp")
    draft.write_bytes(orjson.dumps(known))
    draft.rename(notes)
    return deaths


def _moment(mtime_ns: int) -> str:
    return datetime.fromtimestamp(mtime_ns / 1e9, UTC).isoformat()
