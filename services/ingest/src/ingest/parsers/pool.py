"""Reads large documents in processes of their own, so that no document holds up the others, however it is made.

A parser keeps Python's lock for the whole of a document, so a thread would not do. A reader that takes too long is
killed, one that crashes or runs out of memory is replaced, and only its document is refused.
"""

import asyncio
import contextlib
import os
import struct
import sys
from collections import defaultdict
from collections.abc import AsyncIterator

import structlog
from prometheus_client import Counter
from pydantic import ValidationError

from ingest.formats import Reading, Unreadable
from ingest.intake.deadline import Unavailable
from ingest.parsers.worker import Asked, Told
from ingest.formats import ReadResult, Unreadable
from ingest.intake.deadline import Away
from ingest.parsers.worker import ReadRequest, ReadResponse
from shared.messages import RawUpdate

log = structlog.get_logger(__name__)

REPLACED = Counter("slugline_ingest_readers_replaced", "Reader processes that were replaced: time, crash, age", ["why"])

COUNT = 2
MEMORY_BYTES = 2 * 1024**3
"""Of address space, for each: the largest documents that are permitted reserve half, and use half of that."""
START_TIMEOUT_S = 30.0
BUSY_TIMEOUT_S = 20.0
DOCUMENTS_BEFORE_REPLACEMENT = 1000
"""A long-lived parser grows by fragments; a fresh one costs half a second."""
MOST_FRAME_BYTES = 64 * 1024 * 1024
MOST_ANSWER_BYTES = 256 * 1024 * 1024
"""The updates of a document are at most a few times its size."""


class ParserPool:
    """At most `COUNT` processes, started when they are needed and kept; of one source one document at a time."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._idle: asyncio.LifoQueue[_Reader | None] = asyncio.LifoQueue()
        for _ in range(COUNT):
            self._idle.put_nowait(None)
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._all: set[_Reader] = set()

    async def close(self) -> None:
        """End them all."""
        for reader in list(self._all):
            await self._end(reader)

    def pids(self) -> list[int]:
        """The processes that run now."""
        return [reader.pid for reader in self._all]

    async def read(self, asked: ReadRequest, body: bytes) -> ReadResult:
        """What `ingest.formats.read` makes of the document; its repairs are with its updates only.

        Raises Unreadable, also where it takes too long or ends the reader; `Unavailable` where no reader can be had. A crash
        may be the fault of the document before, so it is tried once more with a fresh one.
        """
        try:
            async with asyncio.timeout(BUSY_TIMEOUT_S + self._timeout_s) as busy, self._turns[asked.source]:
                for fresh in (False, True):
                    async with self._reader(fresh=fresh) as reader:
                        busy.reschedule(None)
                        try:
                            return await self._read_with(reader, asked, body)
                        except _Crashed:
                            log.warning(
                                "reader crashed", source=asked.source, original=asked.original_id, again=not fresh
                            )
        except TimeoutError:
            raise Unavailable("all readers are busy") from None
        raise Unreadable("reader-crashed", "", "the reader ended on it: it needs more memory than a document may")

    async def _read_with(self, reader: "_Reader", asked: ReadRequest, body: bytes) -> ReadResult:
        try:
            async with asyncio.timeout(self._timeout_s):
                told, frames = await reader.ask(asked, body)
        except TimeoutError:
            reader.spent = "time"
            reason = f"it takes longer than {self._timeout_s:g} s to read"
            raise Unreadable("too-slow-to-read", "", reason) from None
        except (asyncio.IncompleteReadError, OSError, ValidationError):
            reader.spent = "crash"
            raise _Crashed from None
        except BaseException:
            # Half a frame may be in the pipe: nobody may use it again.
            reader.spent = "cancelled"
            raise
        if told.unreadable is not None:
            raise Unreadable(*told.unreadable)
        return await asyncio.to_thread(_reading, told, frames)

    @contextlib.asynccontextmanager
    async def _reader(self, *, fresh: bool) -> AsyncIterator["_Reader"]:
        reader = await self._idle.get()
        try:
            if reader is not None and (fresh or not reader.alive or reader.documents >= DOCUMENTS_BEFORE_REPLACEMENT):
                REPLACED.labels("age" if reader.alive else "gone").inc()
                await self._end(reader)
                reader = None
            if reader is None:
                reader = await self._start()
            yield reader
        finally:
            if reader is not None and reader.spent:
                REPLACED.labels(reader.spent).inc()
                await self._end(reader)
                reader = None
            self._idle.put_nowait(reader)

    async def _start(self) -> "_Reader":
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-m", "ingest.parsers.worker", str(MEMORY_BYTES),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env=_environment(), cwd="/", start_new_session=True, limit=2**20,
        )  # fmt: skip
        reader = _Reader(process)
        self._all.add(reader)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await reader.frame()
        except (TimeoutError, asyncio.IncompleteReadError, OSError) as error:
            await self._end(reader)
            raise Unavailable(f"no reader can be started: {type(error).__name__}") from None
        except BaseException:
            await self._end(reader)
            raise
        return reader

    async def _end(self, reader: "_Reader") -> None:
        self._all.discard(reader)
        await reader.end()


class _Crashed(Exception):
    """The process ended, or answered what it cannot have meant."""


class _Reader:
    """One process and its pipes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.documents = 0
        self.spent = ""

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def ask(self, asked: ReadRequest, body: bytes) -> tuple[ReadResponse, list[bytes]]:
        assert self._process.stdin is not None  # noqa: S101 -- it was made with a pipe
        self.documents += 1
        for frame in (asked.model_dump_json().encode(), body):
            self._process.stdin.write(struct.pack(">I", len(frame)))
            self._process.stdin.write(frame)
        await self._process.stdin.drain()
        told = ReadResponse.model_validate_json(await self.frame())
        frames: list[bytes] = []
        size = 0
        for _ in range(told.frames):
            frames.append(await self.frame())
            size += len(frames[-1])
            if size > MOST_ANSWER_BYTES:
                self.spent = "size"
                raise Unreadable("too-large", "", f"what is in it has more than {MOST_ANSWER_BYTES} bytes")
        return told, frames

    async def frame(self) -> bytes:
        assert self._process.stdout is not None  # noqa: S101 -- it was made with a pipe
        size = struct.unpack(">I", await self._process.stdout.readexactly(4))[0]
        if size > MOST_FRAME_BYTES:
            raise ConnectionError("a frame is too large")
        return await self._process.stdout.readexactly(size)

    async def end(self) -> None:
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


def _reading(told: ReadResponse, frames: list[bytes]) -> ReadResult:
    """The answer of a process that may have been taken over by what it parsed: every field is judged again."""
    updates = tuple(RawUpdate.model_validate_json(line) for frame in frames for line in frame.split(b"\n"))
    return ReadResult(
        format=told.format,
        parser_version=told.parser_version,
        updates=updates,
        refused=told.refused,
        aliases=told.aliases,
    )


def _environment() -> dict[str, str]:
    """All that a reader inherits of the environment: nothing of it is secret."""
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TZ", "PYTHONTZPATH") if name in os.environ}
    return {**kept, "MALLOC_ARENA_MAX": "2", "PATH": "/nonexistent"}
