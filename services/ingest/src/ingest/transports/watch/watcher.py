"""Takes what is dropped into the watched folders."""

import asyncio
import mimetypes
import os
import time
from collections.abc import Mapping
from dataclasses import asdict
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
    put_back_grown,
    reclaim_from_dead_workers,
    reject,
    write_reason,
)
from ingest.transports.watch.folder import SCAN_S, FileSnapshot, FolderState, changes, list_files, read_whole

log = structlog.get_logger(__name__)

HEARTBEAT_S = 2.0
PAUSE_S = 2.0

FILES = Counter("slugline_ingest_files", "Files by where they ended: done, rejected, put-back", ["source", "end"])
WAITING = Gauge("slugline_ingest_files_waiting", "Files that lie in a watched folder", ["source"])


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
        while True:
            try:
                claims = self.prepare(folder)
                async for _ in changes(folder):
                    self._beat(source, folder, claims)
                    if not await self.take_all(source, folder, state):
                        await asyncio.sleep(PAUSE_S)
            except OSError as error:
                log.error("folder cannot be watched", source=source.name, folder=str(folder), error=str(error))
            except Exception:
                log.exception("bug in watching a folder", source=source.name, folder=str(folder))
            await asyncio.sleep(PAUSE_S)

    def _beat(self, source: Source, folder: Path, claims: Path) -> None:
        """Show that this worker lives, and put back the claims of workers that do not."""
        if time.monotonic() - self._heartbeats.get(claims, 0.0) >= HEARTBEAT_S:
            os.utime(claims)
            for name in reclaim_from_dead_workers(folder, self._owner):
                log.error("a file takes its worker down; it is set aside", folder=str(folder), file=name)
                FILES.labels(source.name, "rejected").inc()
            self._heartbeats[claims] = time.monotonic()

    def prepare(self, folder: Path) -> Path:
        """Create the folders that are needed; returns this worker's own."""
        claims = folder / CLAIMS / self._owner
        for each in (claims, folder / DONE, folder / REJECTED):
            each.mkdir(parents=True, exist_ok=True)
        return claims

    async def take_all(self, source: Source, folder: Path, state: FolderState) -> bool:
        """Take every file that is whole. False where the rest has to wait because a server is unavailable."""
        for name in await asyncio.to_thread(put_back_grown, folder, self._settings.ingest_watch_settle_s):
            log.warning("a rejected file has gone on; it is taken again", source=source.name, file=name)
        files, partial = list_files(folder)
        WAITING.labels(source.name).set(len(files))
        settle_s = self._settings.ingest_watch_settle_s
        for name in state.whole(files, partial, settle_s, time.monotonic(), time.time()):
            if not await self.take(source, folder, name, files[name]):
                return False
        return True

    async def take(self, source: Source, folder: Path, name: str, file: FileSnapshot) -> bool:
        """Claim a file and take it. False where it was put back because a server is unavailable."""
        claimed = folder / CLAIMS / self._owner / name
        self._beat(source, folder, claimed.parent)
        try:
            (folder / name).rename(claimed)
        except FileNotFoundError:
            return True
        try:
            return await self._take_claimed(source, folder, claimed, file)
        except BaseException:
            put_back(claimed, folder)
            raise

    async def _take_claimed(self, source: Source, folder: Path, claimed: Path, file: FileSnapshot) -> bool:
        limit = source.body_limit(self._settings.ingest_max_body_bytes)
        if file.size > limit:
            self._intake.statistics.record_rejection(source.name, "too-large")
            reason = f"{file.size} bytes, {limit} are permitted"
            return _rejected(source, claimed, folder, {"code": "too-large", "reason": reason})
        try:
            body = await asyncio.to_thread(read_whole, claimed, file)
        except PermissionError as error:
            reason = f"the worker may not read it: {error.strerror}"
            return _rejected(source, claimed, folder, {"code": "no-permission", "reason": reason})
        if body is None:
            # It was still being written after all. The next scan starts its wait anew.
            put_back(claimed, folder)
            return True
        try:
            receipt = await self._intake.take(
                source,
                body,
                content_type=mimetypes.guess_type(claimed.name)[0],
                transport="watch",
                headers={"file": claimed.name, "modified": _moment(file.mtime_ns)},
            )
        except DocumentRejected as error:
            reason_file = {
                "code": error.code,
                "place": error.place,
                "reason": error.reason,
                "original": str(error.original),
            }
            return _rejected(source, claimed, folder, reason_file)
        except Unavailable as error:
            log.warning("file put back", source=source.name, file=claimed.name, reason=str(error), fold=source.name)
            return _put_back(source, claimed, folder)
        return _finished(source, claimed, folder, receipt)


def _finished(source: Source, claimed: Path, folder: Path, receipt: Receipt) -> bool:
    if receipt.count("error"):
        return _put_back(source, claimed, folder)
    invalid = [
        {name: value for name, value in asdict(result).items() if value not in ("", None)}
        for result in receipt.results
        if result.status == "invalid"
    ]
    reason = {"original": str(receipt.original), "format": receipt.format, "items": invalid}
    if invalid and len(invalid) == len(receipt.results):
        return _rejected(source, claimed, folder, reason)
    moved = move_into(folder / DONE, claimed)
    if invalid:
        write_reason(moved, reason)
    FILES.labels(source.name, "done").inc()
    return True


def _rejected(source: Source, claimed: Path, folder: Path, reason: Mapping[str, object]) -> bool:
    reject(claimed, folder, reason)
    FILES.labels(source.name, "rejected").inc()
    return True


def _put_back(source: Source, claimed: Path, folder: Path) -> bool:
    put_back(claimed, folder)
    FILES.labels(source.name, "put-back").inc()
    return False


def _moment(mtime_ns: int) -> str:
    return datetime.fromtimestamp(mtime_ns / 1e9, UTC).isoformat()
