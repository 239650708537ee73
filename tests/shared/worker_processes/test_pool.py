"""Worker processes, whatever they work on; that each can be killed, crash or hang is tested with parsers and renderers."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from prometheus_client import REGISTRY

from ingest.formats import ReadRequest
from ingest.parsers.pool import PARSER
from ingest.parsers.worker import REQUESTS
from shared.worker_processes.pool import AnswerTooLarge, CannotStart, Nonsense, WorkerPool

DOCUMENT = b'{"guid": "a", "headline": "b"}'
REQUEST = ReadRequest(
    content_type=None,
    source="wire",
    received_at=datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
    original_id="original",
    sha256="0" * 64,
)


def first_frame(first: bytes, _: list[bytes]) -> bytes:
    """An answer as it came."""
    return first


def nonsense(first: bytes, _: list[bytes]) -> bytes:
    """An answer that cannot be understood."""
    raise ValueError(first)


def replaced(why: str) -> float:
    """How many workers have been replaced for a reason."""
    return REGISTRY.get_sample_value("slugline_ingest_readers_replaced_total", {"why": why}) or 0.0


async def run(pool: WorkerPool, decode: Callable[[bytes, list[bytes]], bytes] = first_frame) -> bytes:
    """One document's answer."""
    return await pool.run(REQUESTS.dump_json(REQUEST), DOCUMENT, timeout_s=60.0, decode=decode)


@pytest_asyncio.fixture
async def pool() -> AsyncIterator[WorkerPool]:
    """One worker at most."""
    made = WorkerPool(1, PARSER)
    yield made
    await made.close()


async def test_a_worker_is_kept_from_job_to_job(pool: WorkerPool) -> None:
    """The second job finds it running."""
    assert b'"native"' in await run(pool)
    before = pool.pids()
    await run(pool)
    assert pool.pids() == before


async def test_who_answers_nonsense_is_replaced(pool: WorkerPool) -> None:
    """It may have been taken over. The job is tried once more on a fresh worker, and the next job has another."""
    await run(pool)
    (before,) = pool.pids()
    count = replaced("nonsense")
    with pytest.raises(Nonsense):
        await run(pool, nonsense)
    assert replaced("nonsense") == count + 2
    await run(pool)
    assert before not in pool.pids()


async def test_an_answer_is_bounded() -> None:
    """More than the program may answer is read no further."""
    small = WorkerPool(1, dataclasses.replace(PARSER, most_answer_bytes=100))
    with pytest.raises(AnswerTooLarge):
        await run(small)
    assert small.pids() == []


async def test_a_program_that_does_not_start_is_transient() -> None:
    """The reason names how it ended, and no process is left."""
    broken = WorkerPool(1, dataclasses.replace(PARSER, module="shared.nothing"))
    with pytest.raises(CannotStart, match=r"no reader can be started: .*exit 1"):
        await run(broken)
    assert broken.pids() == []


async def test_a_cancelled_job_leaves_no_half_answer(pool: WorkerPool) -> None:
    """The next job has its own answer."""
    await run(pool)
    job = asyncio.create_task(run(pool))
    await asyncio.sleep(0)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert b'"native"' in await run(pool)
