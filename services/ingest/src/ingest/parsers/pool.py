"""Reads large documents in processes of their own, so that no document holds up the others, however it is made.

A parser keeps Python's lock for the whole of a document, so a thread would not do. A process that takes too long is
killed, one that crashes or runs out of memory is replaced, and only its document is refused.
"""

import asyncio
import os
from collections import defaultdict

from prometheus_client import Counter

from ingest.formats import ReadRequest, ReadResult, Unreadable
from ingest.parsers.worker import REQUESTS, ReadResponse
from shared.failures import Transient
from shared.messages import RawUpdate
from shared.worker_processes.pool import AnswerTooLarge, CannotStart, Crashed, TooSlow, WorkerPool, WorkerProgram

REPLACED = Counter("slugline_ingest_readers_replaced", "Reader processes that were replaced: time, crash, age", ["why"])

COUNT = 2
BUSY_TIMEOUT_S = 20.0
MOST_ANSWER_BYTES = 256 * 1024 * 1024
"""The updates of a document are at most a few times its size."""


def _environment() -> dict[str, str]:
    """All that a parser inherits of the environment: nothing of it is secret."""
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TZ", "PYTHONTZPATH") if name in os.environ}
    return {**kept, "MALLOC_ARENA_MAX": "2", "PATH": "/nonexistent"}


PARSER = WorkerProgram(
    name="reader",
    module="ingest.parsers.worker",
    # The largest documents that are permitted reserve half, and use half of that.
    memory_bytes=2 * 1024**3,
    environment=_environment,
    jobs_before_replacement=1000,
    most_answer_bytes=MOST_ANSWER_BYTES,
    replaced=REPLACED,
)


class NoParser(Transient):
    """All processes are busy, or none can be started."""


class ParserPool:
    """Reads documents in processes; of one source one document at a time."""

    def __init__(self, timeout_s: float, workers: WorkerPool | None = None) -> None:
        self._timeout_s = timeout_s
        self._workers = workers or WorkerPool(COUNT, PARSER)
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def close(self) -> None:
        """End the processes."""
        await self._workers.close()

    def pids(self) -> list[int]:
        """The processes that run now."""
        return self._workers.pids()

    async def read(self, request: ReadRequest, body: bytes) -> ReadResult:
        """What `ingest.formats.read` makes of the document; repairs are reported with its updates only.

        Raises Unreadable, also where it takes too long or ends the process; NoParser where no process can be had.
        """
        try:
            async with asyncio.timeout(BUSY_TIMEOUT_S + self._timeout_s) as busy, self._turns[request.source]:
                response, frames = await self._workers.run(
                    REQUESTS.dump_json(request),
                    body,
                    timeout_s=self._timeout_s,
                    decode=lambda first, frames: (ReadResponse.model_validate_json(first), frames),
                    acquired=lambda: busy.reschedule(None),
                    source=request.source,
                    original=request.original_id,
                )
        except TimeoutError:
            raise NoParser("all readers are busy") from None
        except CannotStart as error:
            raise NoParser(str(error)) from None
        except TooSlow:
            reason = f"it takes longer than {self._timeout_s:g} s to read"
            raise Unreadable("too-slow-to-read", "", reason) from None
        except AnswerTooLarge:
            reason = f"what is in it has more than {MOST_ANSWER_BYTES} bytes"
            raise Unreadable("too-large", "", reason) from None
        except Crashed:
            reason = "the reader ended on it: it needs more memory than a document may"
            raise Unreadable("reader-crashed", "", reason) from None
        if response.unreadable is not None:
            raise Unreadable(*response.unreadable)
        return await asyncio.to_thread(result_of, response, frames)


def result_of(response: ReadResponse, frames: list[bytes]) -> ReadResult:
    """The answer of a process that may have been taken over by what it parsed: every field is validated again."""
    updates = tuple(RawUpdate.model_validate_json(line) for frame in frames for line in frame.split(b"\n"))
    return ReadResult(
        format=response.format,
        parser_version=response.parser_version,
        updates=updates,
        refused=response.refused,
        aliases=response.aliases,
    )
