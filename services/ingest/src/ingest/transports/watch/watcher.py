"""Takes what is dropped into the watched folders."""

import asyncio
import contextlib
import mimetypes
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
from prometheus_client import Counter, Gauge

from ingest.intake.deadline import Unavailable
from ingest.intake.receipt import DocumentRejected, Receipt
from ingest.intake.receive import Intake
from ingest.settings import Settings
from ingest.sources.registry import Registry
from ingest.sources.source import Source
from ingest.transports.watch.claims import (
    CLAIMS,
    DONE,
    REJECTED,
    move_into,
    put_back,
    reclaim_from_dead_workers,
    reject,
    take_back,
    write_reason,
)
from ingest.transports.watch.folder import SCAN_S, FileSnapshot, FolderState, changes, list_files, read_whole, snapshot
from ingest.transports.watch.folder_thread import FolderThread
from shared.failures.transient import TRANSIENT, is_transient
from shared.postgres.set_aside import SetAside

log = structlog.get_logger(__name__)

HEARTBEAT_S = 2.0
PAUSE_S = 2.0
PUT_BACK_S = 2.0
WATCHED_ON_S = 3600.0
"""How long a file that has ended is looked at, in case it was not whole: an uploader may pause."""
MOST_WATCHED_ON = 500
MOST_FAILED = 5000
FILES_ASIDE = SetAside("ingest", "watched files")

FILES = Counter("slugline_ingest_files", "Files by where they ended: done, rejected, put-back", ["source", "end"])
WAITING = Gauge("slugline_ingest_files_waiting", "Files that lie in a watched folder", ["source"])


@dataclass(frozen=True, slots=True)
class FailedFile:
    """A file that could not be taken: as it was, how often, and from when (monotonic) it is tried again."""

    file: FileSnapshot
    failures: int
    again_at: float


class Watcher:
    """Takes the files of all watched folders; of one folder one after the other, in order of their modification."""

    def __init__(self, settings: Settings, registry: Registry, intake: Intake, owner: str) -> None:
        self._settings = settings
        self._registry = registry
        self._intake = intake
        self._owner = owner
        self.folders: dict[str, FolderState] = {}
        """What is remembered of each source's folder."""
        self._heartbeats: dict[Path, float] = {}
        self._threads: dict[str, FolderThread] = {}
        self._failed: dict[str, FailedFile] = {}
        """By source and name: files that could not be taken."""
        self._ended: dict[str, dict[Path, tuple[FileSnapshot, float]]] = {}
        """By source: files that ended lately, as they were then, and when (monotonic)."""
        self._tasks: dict[str, tuple[Source, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Watch until cancelled; follows sources that are added, changed or paused meanwhile."""
        try:
            while True:
                wanted = {source.name: source for source in self._registry.active("watch")}
                for name, (source, task) in list(self._tasks.items()):
                    if wanted.get(name) != source or task.done():
                        task.cancel()
                        await asyncio.gather(task, return_exceptions=True)
                        del self._tasks[name]
                for name, source in wanted.items():
                    if name not in self._tasks:
                        task = asyncio.create_task(self.follow(source), name=f"watch:{name}")
                        self._tasks[name] = (source, task)
                await asyncio.sleep(SCAN_S)
        finally:
            tasks = [task for _, task in self._tasks.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def follow(self, source: Source) -> None:
        """Take the files of one folder as they become whole, until cancelled."""
        folder = Path(source.folder or "")
        state = self.folders[source.name] = FolderState()
        thread = self._thread(source)
        try:
            while True:
                try:
                    await thread.run(self.prepare, folder)
                    async for _ in changes(folder, thread):
                        await self._beat(source, folder)
                        if not await self.take_all(source, folder, state):
                            await asyncio.sleep(PAUSE_S)
                except OSError as error:
                    log.error("folder cannot be watched", source=source.name, folder=str(folder), error=str(error))
                except Exception:
                    log.exception("bug in watching a folder", source=source.name, folder=str(folder))
                await asyncio.sleep(PAUSE_S)
        finally:
            thread.stop()
            self._threads.pop(source.name, None)

    def _thread(self, source: Source) -> FolderThread:
        """The thread of a source's folder: all calls for files are made there, since any of them may hang."""
        thread = self._threads.get(source.name)
        if thread is None:
            thread = self._threads[source.name] = FolderThread(source.name)
        return thread

    async def _beat(self, source: Source, folder: Path) -> None:
        """Show that this worker lives, and put back the claims of workers that do not, and files that were not whole."""
        if time.monotonic() - self._heartbeats.get(folder, 0.0) < HEARTBEAT_S:
            return
        thread = self._thread(source)
        await thread.run(os.utime, folder / CLAIMS / self._owner)
        for name in await thread.run(reclaim_from_dead_workers, folder, self._owner):
            log.error("a file takes its worker down; it is set aside", folder=str(folder), file=name)
            FILES.labels(source.name, "rejected").inc()
        await thread.run(self._take_back_grown, source, folder)
        self._heartbeats[folder] = time.monotonic()

    def _take_back_grown(self, source: Source, folder: Path) -> None:
        """A file that was written on after it was taken was not whole: it is taken once more when it has come to rest."""
        ended, now = self._ended.get(source.name, {}), time.time()
        for moved, (before, ended_at) in list(ended.items()):
            try:
                after = snapshot(moved)
                if after != before and now - after.mtime_ns / 1e9 >= self._settings.ingest_watch_settle_s:
                    log.warning("file was not whole when it was taken", source=source.name, file=moved.name)
                    take_back(moved, folder)
                    del ended[moved]
            except FileNotFoundError:
                del ended[moved]
            else:
                if moved in ended and time.monotonic() - ended_at > WATCHED_ON_S:
                    del ended[moved]

    def _note_end(self, source: Source, moved: Path, file: FileSnapshot) -> None:
        ended = self._ended.setdefault(source.name, {})
        ended[moved] = (file, time.monotonic())
        if len(ended) > MOST_WATCHED_ON:
            del ended[next(iter(ended))]

    def prepare(self, folder: Path) -> Path:
        """Create the folders that are needed; returns this worker's own, from which what was left there is put back."""
        claims = folder / CLAIMS / self._owner
        for each in (claims, folder / DONE, folder / REJECTED):
            each.mkdir(parents=True, exist_ok=True)
        for left in claims.iterdir():
            put_back(left, folder)
        return claims

    async def take_all(self, source: Source, folder: Path, state: FolderState) -> bool:
        """Take every file that is whole. False where the rest has to wait because a server is unavailable.

        A file that cannot be taken stays where it lies and is tried again later; the others do not wait for it.
        """
        files, partial = await self._thread(source).run(list_files, folder)
        WAITING.labels(source.name).set(len(files))
        settle_s = self._settings.ingest_watch_settle_s
        for name in state.whole(files, partial, settle_s, time.monotonic(), time.time()):
            key = f"{source.name}/{name}"
            failed = self._failed.get(key)
            if failed is not None and failed.file == files[name] and time.monotonic() < failed.again_at:
                continue
            try:
                taken = await self.take(source, folder, name, files[name])
            except Exception as error:
                if is_transient(error) and not isinstance(error, OSError):
                    raise
                await self._set_aside(key, files[name], error)
                continue
            if not taken:
                return False
            if failed is not None:
                await self._forget_failure(key)
        return True

    async def _set_aside(self, key: str, file: FileSnapshot, error: Exception) -> None:
        before = self._failed.get(key)
        failures = before.failures + 1 if before is not None else 1
        self._failed[key] = FailedFile(file, failures, time.monotonic() + FILES_ASIDE.backoff.pause_s(failures))
        if len(self._failed) > MOST_FAILED:
            del self._failed[next(iter(self._failed))]
        pool = self._intake.pool
        if pool is None:
            log.error("a file cannot be taken for now", file=key, exc_info=error)
            return
        with contextlib.suppress(*TRANSIENT):
            await FILES_ASIDE.put(pool, _as_text(key), error)

    async def _forget_failure(self, key: str) -> None:
        self._failed.pop(key, None)
        if (pool := self._intake.pool) is not None:
            with contextlib.suppress(*TRANSIENT):
                await FILES_ASIDE.clear(pool, [_as_text(key)])

    async def take(self, source: Source, folder: Path, name: str, file: FileSnapshot) -> bool:
        """Claim a file and take it. False where it was put back because a server is unavailable."""
        claimed = folder / CLAIMS / self._owner / name
        thread = self._thread(source)
        await self._beat(source, folder)
        try:
            await thread.run((folder / name).rename, claimed)
        except FileNotFoundError:
            return True
        try:
            return await self._take_claimed(source, folder, claimed, file)
        except asyncio.CancelledError:
            # The thread goes on without us: a drive that hangs must not hold up the end of the process.
            stopping = asyncio.ensure_future(thread.run(put_back, claimed, folder))
            with contextlib.suppress(TimeoutError, OSError):
                await asyncio.wait_for(stopping, PUT_BACK_S)
            raise
        except BaseException:
            await thread.run(put_back, claimed, folder)
            raise

    async def _take_claimed(self, source: Source, folder: Path, claimed: Path, file: FileSnapshot) -> bool:
        thread = self._thread(source)
        limit = source.body_limit(self._settings.ingest_max_body_bytes)
        if file.size > limit:
            self._intake.statistics.record_rejection(source.name, "too-large")
            reason = f"{file.size} bytes, {limit} are permitted"
            return await self._reject(source, claimed, file, {"code": "too-large", "reason": reason})
        try:
            body = await thread.run(read_whole, claimed, file)
        except PermissionError as error:
            reason = f"the worker may not read it: {error.strerror}"
            return await self._reject(source, claimed, file, {"code": "no-permission", "reason": reason})
        if body is None:
            # It was still being written after all. The next scan starts its wait anew.
            await thread.run(put_back, claimed, folder)
            return True
        try:
            receipt = await self._intake.take(
                source,
                body,
                content_type=mimetypes.guess_type(claimed.name)[0],
                transport="watch",
                headers={"file": _as_text(claimed.name), "modified": _moment(file.mtime_ns)},
            )
        except DocumentRejected as error:
            reason_file = {
                "code": error.code,
                "place": error.place,
                "reason": error.reason,
                "original": str(error.original),
            }
            return await self._reject(source, claimed, file, reason_file)
        except Unavailable as error:
            log.warning("file put back", source=source.name, file=claimed.name, reason=str(error), fold=source.name)
            return await self._put_back(source, claimed, folder)
        return await self._finish(source, claimed, file, receipt)

    async def _finish(self, source: Source, claimed: Path, file: FileSnapshot, receipt: Receipt) -> bool:
        folder, thread = Path(source.folder or ""), self._thread(source)
        if receipt.count("error"):
            return await self._put_back(source, claimed, folder)
        invalid = [
            {name: value for name, value in asdict(result).items() if value not in ("", None)}
            for result in receipt.results
            if result.status == "invalid"
        ]
        reason = {"original": str(receipt.original), "format": receipt.format, "items": invalid}
        if invalid and len(invalid) == len(receipt.results):
            return await self._reject(source, claimed, file, reason)
        moved = await thread.run(move_into, folder / DONE, claimed)
        if invalid:
            await thread.run(write_reason, moved, reason)
        self._note_end(source, moved, file)
        FILES.labels(source.name, "done").inc()
        return True

    async def _reject(self, source: Source, claimed: Path, file: FileSnapshot, reason: Mapping[str, object]) -> bool:
        moved = await self._thread(source).run(reject, claimed, Path(source.folder or ""), reason)
        self._note_end(source, moved, file)
        FILES.labels(source.name, "rejected").inc()
        return True

    async def _put_back(self, source: Source, claimed: Path, folder: Path) -> bool:
        await self._thread(source).run(put_back, claimed, folder)
        FILES.labels(source.name, "put-back").inc()
        return False


def _as_text(name: str) -> str:
    """A file's name for the database: what is not UTF-8 in it is escaped."""
    return name.encode("utf-8", "backslashreplace").decode().replace("\x00", "")


def _moment(mtime_ns: int) -> str:
    return datetime.fromtimestamp(mtime_ns / 1e9, UTC).isoformat()
