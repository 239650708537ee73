"""The pool of worker processes that render: each may crash, hang or be killed, and only its picture is refused."""

import asyncio
import contextlib
import signal
import struct
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Literal

import orjson
import structlog
from prometheus_client import Counter, Histogram
from pydantic import TypeAdapter, ValidationError

from enrich.media.refusals import Refused
from enrich.media.render.rendered import Encoded, Rendered
from enrich.media.render.sandbox import environment
from shared.failures import Transient

log = structlog.get_logger(__name__)

Job = Literal["picture", "avatar"]

RENDERED = Counter("slugline_media_renders", "Pictures that went through a renderer", ["outcome"])
RENDER_SECONDS = Histogram(
    "slugline_media_render_seconds", "Time to render one picture", buckets=(0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32)
)
REPLACED = Counter("slugline_media_renderers_replaced", "Renderers that were replaced", ["why"])

START_TIMEOUT_S = 30.0
PICTURES_BEFORE_REPLACEMENT = 500
"""A long-lived decoder grows by fragments; a fresh one costs a third of a second."""
MOST_RENDITIONS = 64
MOST_FRAME_BYTES = 32 * 1024 * 1024

_FACTS: TypeAdapter[Rendered] = TypeAdapter(Rendered)


@dataclass(frozen=True, slots=True)
class RenderLimits:
    """What one picture may cost."""

    pixels: int = 100_000_000
    seconds: float = 30.0
    """Of the clock, and of each processor."""
    memory_bytes: int = 1024**3
    """Of address space, for the whole worker."""


class Renderers:
    """At most `count` workers, started when they are needed and kept. Use as a context: its end ends them all."""

    def __init__(self, count: int, limits: RenderLimits) -> None:
        self._limits = limits
        self._idle: asyncio.LifoQueue[_Worker | None] = asyncio.LifoQueue()
        for _ in range(count):
            self._idle.put_nowait(None)
        self._all: set[_Worker] = set()

    async def __aenter__(self) -> "Renderers":
        return self

    async def __aexit__(self, *_: object) -> None:
        for worker in list(self._all):
            await self._end(worker)

    def pids(self) -> list[int]:
        """The processes that run now."""
        return [worker.pid for worker in self._all]

    async def render(self, data: bytes, job: Job = "picture") -> Rendered:
        """The renditions of a picture. Raises Refused with a reason, or Transient where no worker can be started.

        A crash may be the fault of the picture before, so it is tried once more on a fresh worker.
        """
        with RENDER_SECONDS.time():
            try:
                for fresh in (False, True):
                    async with self._worker(fresh=fresh) as worker:
                        try:
                            rendered = await self._render_on(worker, data, job)
                        except _Crashed as crash:
                            if fresh:
                                raise Refused(crash.reason) from None
                            log.warning("renderer crashed; once more on a fresh one", reason=crash.reason)
                            continue
                        RENDERED.labels("rendered").inc()
                        return rendered
            except Refused:
                RENDERED.labels("refused").inc()
                raise
        raise AssertionError("unreachable")

    async def _render_on(self, worker: "_Worker", data: bytes, job: Job) -> Rendered:
        request = {"job": job, "max_pixels": self._limits.pixels, "cpu_s": self._limits.seconds * 2}
        try:
            async with asyncio.timeout(self._limits.seconds):
                facts, blobs = await worker.ask(request, data)
        except TimeoutError:
            worker.spent = "time"
            raise Refused(f"it takes longer than {self._limits.seconds:g} s to render") from None
        except (asyncio.IncompleteReadError, ConnectionError, OSError):
            worker.spent = "crash"
            raise _Crashed(await worker.epitaph(self._limits)) from None
        except BaseException:
            # Half a frame may be in the pipe: nobody may use it again.
            worker.spent = "cancelled"
            raise
        if "refused" in facts:
            raise Refused(str(facts["refused"])[:500])
        try:
            return _rendered(facts, blobs)
        except (ValidationError, KeyError, TypeError, ValueError):
            worker.spent = "nonsense"
            raise Refused("the renderer answered nonsense") from None

    @contextlib.asynccontextmanager
    async def _worker(self, *, fresh: bool) -> AsyncIterator["_Worker"]:
        worker = await self._idle.get()
        try:
            if worker is not None and (fresh or not worker.alive or worker.pictures >= PICTURES_BEFORE_REPLACEMENT):
                await self._end(worker)
                REPLACED.labels("age" if worker.alive else "gone").inc()
                worker = None
            if worker is None:
                worker = await self._start()
            yield worker
        finally:
            if worker is not None and worker.spent:
                REPLACED.labels(worker.spent).inc()
                await self._end(worker)
                worker = None
            self._idle.put_nowait(worker)

    async def _start(self) -> "_Worker":
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-m", "enrich.media.render.worker", str(self._limits.memory_bytes),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env=environment(), cwd="/", start_new_session=True, limit=2**20,
        )  # fmt: skip
        worker = _Worker(process)
        self._all.add(worker)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                hello = orjson.loads(await worker.read_frame())
        except (TimeoutError, asyncio.IncompleteReadError, ValueError, OSError) as error:
            ending = await worker.ending()
            await self._end(worker)
            raise Transient(f"no renderer can be started: {type(error).__name__}, {ending}") from None
        except BaseException:
            await self._end(worker)
            raise
        if not hello.get("confined"):
            log.warning("the kernel does not filter the renderer's system calls; limits alone hold it")
        return worker

    async def _end(self, worker: "_Worker") -> None:
        self._all.discard(worker)
        await worker.end()


class _Crashed(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Worker:
    """One process and its pipes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.pictures = 0
        self.spent = ""

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def ending(self) -> str:
        """How it ended, for people; waits a moment for the end."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), 2.0)
        code = self._process.returncode
        if code is None:
            return "still running"
        if code >= 0:
            return f"exit {code}"
        with contextlib.suppress(ValueError):
            return signal.Signals(-code).name
        return f"signal {-code}"

    async def ask(self, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], list[bytes]]:
        assert self._process.stdin is not None  # noqa: S101 -- it was made with a pipe
        self.pictures += 1
        for frame in (orjson.dumps(request), data):
            self._process.stdin.write(struct.pack(">I", len(frame)))
            self._process.stdin.write(frame)
        await self._process.stdin.drain()
        facts = orjson.loads(await self.read_frame())
        renditions = facts.get("renditions", ())
        if len(renditions) > MOST_RENDITIONS:
            raise ConnectionError("too many renditions")
        return facts, [await self.read_frame() for _ in renditions]

    async def read_frame(self) -> bytes:
        assert self._process.stdout is not None  # noqa: S101 -- it was made with a pipe
        size = struct.unpack(">I", await self._process.stdout.readexactly(4))[0]
        if size > MOST_FRAME_BYTES:
            raise ConnectionError("a frame is too large")
        return await self._process.stdout.readexactly(size)

    async def epitaph(self, limits: RenderLimits) -> str:
        """Why it ended by itself, as a reason to refuse its picture."""
        ending = await self.ending()
        if self._process.returncode == -signal.SIGXCPU:
            return f"it takes more than {limits.seconds * 2:g} s of processor time to render"
        return f"the renderer ended on it ({ending}): damaged, or it needs more memory than a picture may"

    async def end(self) -> None:
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


def _rendered(facts: dict[str, Any], blobs: list[bytes]) -> Rendered:
    """The answer of a worker, which may have been taken over by what it decoded: every field is judged again."""
    described = facts.pop("renditions")
    for each, data in zip(described, blobs, strict=True):
        if each.pop("size_bytes") != len(data):
            raise ValueError("a rendition is not as long as it says")
    rendered = _FACTS.validate_python({**facts, "renditions": []})
    renditions = tuple(
        Encoded(int(each["width"]), int(each["height"]), _extension(each["extension"]), str(each["mime_type"]), data)
        for each, data in zip(described, blobs, strict=True)
    )
    return Rendered(
        rendered.mime_type, rendered.width, rendered.height, rendered.focal_point, rendered.placeholder,
        rendered.likeness, rendered.embedded, renditions,
    )  # fmt: skip


def _extension(value: str) -> str:
    if value not in ("avif", "webp", "jpg"):
        raise ValueError("unknown kind of rendition")
    return value
