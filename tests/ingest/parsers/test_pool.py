"""Large documents are read in processes of their own, which may be slow, crash or be killed."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
import pytest_asyncio

from conformance.documents import corpus, named, outcome
from ingest.formats import ReadRequest, ReadResult, Unreadable
from ingest.parsers.pool import COUNT, PARSER, ParserPool, result_of
from ingest.parsers.worker import answer
from shared.worker_processes.pool import WorkerPool
from support.waiting import eventually

REQUEST = ReadRequest(
    content_type=None,
    source="wire",
    received_at=datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
    original_id="original",
    sha256="0" * 64,
)
SMALL = orjson.dumps({"guid": "a", "headline": "b"})


@pytest_asyncio.fixture
async def parsers() -> AsyncIterator[ParserPool]:
    """Two processes at most, with time for whatever is permitted."""
    made = ParserPool(timeout_s=60.0)
    yield made
    await made.close()


async def test_a_document_is_read_as_it_is_inline(parsers: ParserPool) -> None:
    """What comes back is what went out: updates, refusals, repairs, fingerprints."""
    items = [{"guid": str(number), "headline": f"h{number}"} for number in range(3000)]
    body = orjson.dumps([*items, {"headline": "no name"}, {"guid": "c", "headline": "h" * 5000}])
    there, here = await parsers.read(REQUEST, body), outcome(body)
    assert isinstance(here, ReadResult)
    assert [one.fingerprint() for one in there.updates] == [one.fingerprint() for one in here.updates]
    assert there.refused == here.refused
    assert there.updates[-1].repairs == here.updates[-1].repairs
    assert len(parsers.pids()) == 1


@pytest.mark.conformance
@pytest.mark.parametrize("folder", ["newsml-g2", "ninjs", "feeds"])
def test_an_answer_between_processes_loses_nothing(folder: str) -> None:
    """Every document of the suites, through what the processes exchange."""
    for path in corpus(folder):
        body = path.read_bytes()
        here = outcome(body)
        response, frames = answer(REQUEST, body)
        if isinstance(here, Unreadable):
            assert response.unreadable is not None
            assert response.unreadable[0] == here.code, named(path)
            continue
        there = result_of(response, frames)
        assert [one.fingerprint() for one in there.updates] == [one.fingerprint() for one in here.updates], named(path)
        assert (there.format, there.refused, there.aliases) == (here.format, here.refused, here.aliases)


async def test_what_cannot_be_read_says_why(parsers: ParserPool) -> None:
    """The reader's own reason, and the process is kept."""
    for _ in range(2):
        with pytest.raises(Unreadable) as refused:
            await parsers.read(REQUEST, b'{"guid": "a", ')
        assert refused.value.code == "malformed-json"
    assert len(parsers.pids()) == 1


async def test_a_parser_that_takes_too_long_is_killed() -> None:
    """Its document is refused, and the next is read by another process."""
    workers = WorkerPool(COUNT, PARSER)
    parsers, impatient = ParserPool(60.0, workers), ParserPool(0.5, workers)
    try:
        await parsers.read(REQUEST, SMALL)
        (before,) = parsers.pids()
        os.kill(before, signal.SIGSTOP)
        with pytest.raises(Unreadable) as refused:
            await impatient.read(REQUEST, SMALL)
        assert refused.value.code == "too-slow-to-read"
        assert "0.5 s" in refused.value.reason
        assert before not in parsers.pids()
        assert (await parsers.read(REQUEST, SMALL)).updates
    finally:
        await parsers.close()


async def test_a_parser_that_dies_is_replaced(parsers: ParserPool) -> None:
    """Killed while idle or with a document in hand, the document is read all the same."""
    await parsers.read(REQUEST, SMALL)
    (before,) = parsers.pids()
    os.kill(before, signal.SIGSTOP)
    waiting = asyncio.create_task(parsers.read(REQUEST, SMALL))
    await eventually(lambda: sum(turn.locked() for turn in parsers._turns.values()), lambda count: count == 1)
    os.kill(before, signal.SIGKILL)
    assert (await waiting).updates
    assert before not in parsers.pids()


async def test_a_source_takes_up_one_reader_only(parsers: ParserPool) -> None:
    """Many large documents of one source wait for each other, those of another do not wait for them."""
    await asyncio.gather(*(parsers.read(REQUEST, SMALL) for _ in range(5)))
    assert len(parsers.pids()) == 1
    others = [replace(REQUEST, source=f"wire-{number}") for number in range(5)]
    await asyncio.gather(*(parsers.read(request, SMALL) for request in others))
    assert len(parsers.pids()) <= COUNT


async def test_a_parser_has_no_secrets(parsers: ParserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor anything else of its parent's environment."""
    monkeypatch.setenv("POSTGRES_DSN", "postgresql://a:secret@127.0.0.1/a")
    await parsers.read(REQUEST, SMALL)
    (pid,) = parsers.pids()
    assert b"secret" not in Path(f"/proc/{pid}/environ").read_bytes()
