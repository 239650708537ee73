"""A pool of worker processes, started when they are needed and kept: each job has a deadline, each worker bounded memory."""

import asyncio
import contextlib
import signal
import struct
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import structlog
from prometheus_client import Counter

from shared.failures import Transient

log = structlog.get_logger(__name__)

T = TypeVar("T")
START_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class WorkerProgram:
    """What a worker runs and what it may use."""

    name: str
    """What logs call it."""
    module: str
    """Run as `python -I -m MODULE MEMORY_BYTES`; it calls `shared.worker_processes.child.serve`."""
    memory_bytes: int
    """Of address space."""
    environment: Callable[[], Mapping[str, str]]
    jobs_before_replacement: int
    """A long-lived parser or decoder grows by fragments; a fresh one costs less than a second."""
    most_answer_bytes: int
    replaced: Counter
    """Counts workers that were replaced, by why."""
    started: Callable[[bytes], None] = lambda _: None
    """Called with what the worker says of itself once it is ready."""


class CannotStart(Transient):
    """No worker can be started."""


class TooSlow(Exception):
    """The job took longer than it may; its worker was killed."""


class AnswerTooLarge(Exception):
    """The answer has more bytes than it may."""


class Crashed(Exception):
    """The worker ended on the job, twice."""

    def __init__(self, ending: str) -> None:
        super().__init__(ending)
        self.ending = ending
        """How it ended: a signal's name or an exit code."""


class Nonsense(Crashed):
    """The worker answered what it cannot have meant, twice."""


class WorkerPool:
    """At most `count` processes."""

    def __init__(self, count: int, program: WorkerProgram) -> None:
        self._program = program
        self._idle: asyncio.LifoQueue[_Worker | None] = asyncio.LifoQueue()
        for _ in range(count):
            self._idle.put_nowait(None)
        self._all: set[_Worker] = set()

    async def close(self) -> None:
        """End them all."""
        for worker in list(self._all):
            await self._end(worker)

    def pids(self) -> list[int]:
        """The processes that run now."""
        return [worker.pid for worker in self._all]

    async def run(
        self,
        request: bytes,
        data: bytes,
        *,
        timeout_s: float,
        decode: Callable[[bytes, list[bytes]], T],
        acquired: Callable[[], None] = lambda: None,
        **about: str,
    ) -> T:
        """What `decode` makes of the answer's first frame and the others.

        `acquired` is called once a worker has the job; `about` names the job in logs.

        Raises TooSlow, AnswerTooLarge, Crashed or CannotStart. A crash may be the fault of the job before, so the job
        is tried once more on a fresh worker. A worker may have been taken over by what it read: `decode` checks every
        field, and raises ValueError, TypeError or KeyError for nonsense.
        """
        for fresh in (False, True):
            async with self._worker(fresh=fresh) as worker:
                acquired()
                try:
                    return await self._run_on(worker, request, data, timeout_s, decode)
                except Crashed as crash:
                    log.warning(
                        "worker crashed", worker=self._program.name, ending=crash.ending, again=not fresh, **about
                    )
                    if fresh:
                        raise
        raise AssertionError("unreachable")

    async def _run_on(
        self,
        worker: "_Worker",
        request: bytes,
        data: bytes,
        timeout_s: float,
        decode: Callable[[bytes, list[bytes]], T],
    ) -> T:
        try:
            async with asyncio.timeout(timeout_s):
                first, *others = await worker.ask(request, data, self._program.most_answer_bytes)
            return decode(first, others)
        except TimeoutError:
            worker.unusable = "time"
            raise TooSlow from None
        except AnswerTooLarge:
            worker.unusable = "size"
            raise
        except (asyncio.IncompleteReadError, OSError):
            worker.unusable = "crash"
            raise Crashed(await worker.ending()) from None
        except (ValueError, TypeError, KeyError):
            worker.unusable = "nonsense"
            raise Nonsense("nonsense") from None
        except BaseException:
            # Half a frame may be in the pipe: nobody may use it again.
            worker.unusable = "cancelled"
            raise

    @contextlib.asynccontextmanager
    async def _worker(self, *, fresh: bool) -> AsyncIterator["_Worker"]:
        worker = await self._idle.get()
        try:
            if worker is not None and (
                fresh or not worker.alive or worker.jobs >= self._program.jobs_before_replacement
            ):
                self._program.replaced.labels("age" if worker.alive else "gone").inc()
                await self._end(worker)
                worker = None
            if worker is None:
                worker = await self._start()
            yield worker
        finally:
            if worker is not None and worker.unusable:
                self._program.replaced.labels(worker.unusable).inc()
                await self._end(worker)
                worker = None
            self._idle.put_nowait(worker)

    async def _start(self) -> "_Worker":
        program = self._program
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-m", program.module, str(program.memory_bytes),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env=dict(program.environment()), cwd="/", start_new_session=True, limit=2**20,
        )  # fmt: skip
        worker = _Worker(process)
        self._all.add(worker)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                (hello,) = await worker.answer(program.most_answer_bytes)
            program.started(hello)
        except (TimeoutError, asyncio.IncompleteReadError, ValueError, OSError) as error:
            ending = await worker.ending()
            await self._end(worker)
            raise CannotStart(f"no {program.name} can be started: {type(error).__name__}, {ending}") from None
        except BaseException:
            await self._end(worker)
            raise
        return worker

    async def _end(self, worker: "_Worker") -> None:
        self._all.discard(worker)
        await worker.end()


class _Worker:
    """One process and its pipes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.jobs = 0
        self.unusable = ""
        """Why it must be replaced; empty where it need not."""

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def ask(self, request: bytes, data: bytes, most_bytes: int) -> list[bytes]:
        assert self._process.stdin is not None  # noqa: S101 -- it was made with a pipe
        self.jobs += 1
        for frame in (request, data):
            self._process.stdin.write(struct.pack(">I", len(frame)))
            self._process.stdin.write(frame)
        await self._process.stdin.drain()
        return await self.answer(most_bytes)

    async def answer(self, most_bytes: int) -> list[bytes]:
        assert self._process.stdout is not None  # noqa: S101 -- it was made with a pipe
        frames: list[bytes] = []
        left = most_bytes
        for _ in range(await self._number()):
            size = await self._number()
            left -= size + 4
            if left < 0:
                raise AnswerTooLarge
            frames.append(await self._process.stdout.readexactly(size))
        return frames

    async def _number(self) -> int:
        assert self._process.stdout is not None  # noqa: S101 -- it was made with a pipe
        return int.from_bytes(await self._process.stdout.readexactly(4), "big")

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

    async def end(self) -> None:
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
