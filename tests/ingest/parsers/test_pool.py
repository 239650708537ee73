"""Large documents are read in processes of their own, which may be slow, crash or be killed."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
import pytest_asyncio

from conformance.documents import corpus, named, outcome
from ingest.formats import DEFAULT_PROFILE, ReadResult, Unreadable
from ingest.parsers.pool import COUNT, ParserPool, _reading
from ingest.parsers.worker import ReadRequest, answer
from support.waiting import eventually

ASKED = ReadRequest(
    content_type=None,
    source="wire",
    received_at=datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
    original_id="original",
    sha256="0" * 64,
    profile=DEFAULT_PROFILE,
    format=None,
)
SMALL = orjson.dumps({"guid": "a", "headline": "b"})


@pytest_asyncio.fixture
async def readers() -> AsyncIterator[ParserPool]:
    """Two processes at most, with time for whatever is permitted."""
    made = ParserPool(timeout_s=60.0)
    yield made
    await made.close()


async def test_a_document_is_read_as_it_is_inline(readers: ParserPool) -> None:
    """What comes back is what went out: updates, refusals, repairs, fingerprints."""
    items = [{"guid": str(number), "headline": f"h{number}"} for number in range(3000)]
    body = orjson.dumps([*items, {"headline": "no name"}, {"guid": "c", "headline": "h" * 5000}])
    there, here = await readers.read(ASKED, body), outcome(body)
    assert isinstance(here, ReadResult)
    assert [one.fingerprint() for one in there.updates] == [one.fingerprint() for one in here.updates]
    assert there.refused == here.refused
    assert there.updates[-1].repairs == here.updates[-1].repairs
    assert len(readers.pids()) == 1


@pytest.mark.conformance
@pytest.mark.parametrize("folder", ["newsml-g2", "ninjs", "feeds"])
def test_what_is_told_of_a_document_loses_nothing(folder: str) -> None:
    """Every document of the suites, through the words that the processes exchange."""
    for path in corpus(folder):
        body = path.read_bytes()
        here = outcome(body)
        told, frames = answer(ASKED, body)
        if isinstance(here, Unreadable):
            assert told.unreadable is not None
            assert told.unreadable[0] == here.code, named(path)
            continue
        there = _reading(told, frames)
        assert [one.fingerprint() for one in there.updates] == [one.fingerprint() for one in here.updates], named(path)
        assert (there.format, there.refused, there.aliases) == (here.format, here.refused, here.aliases)


async def test_what_cannot_be_read_says_why(readers: ParserPool) -> None:
    """The reader's own reason, and the process is kept."""
    for _ in range(2):
        with pytest.raises(Unreadable) as told:
            await readers.read(ASKED, b'{"guid": "a", ')
        assert told.value.code == "malformed-json"
    assert len(readers.pids()) == 1


async def test_a_reader_that_takes_too_long_is_killed() -> None:
    """Its document is refused, and the next is read by another process."""
    readers = ParserPool(timeout_s=60.0)
    try:
        await readers.read(ASKED, SMALL)
        (before,) = readers.pids()
        os.kill(before, signal.SIGSTOP)
        impatient = ParserPool(timeout_s=0.5)
        impatient._idle, impatient._all = readers._idle, readers._all
        with pytest.raises(Unreadable) as told:
            await impatient.read(ASKED, SMALL)
        assert told.value.code == "too-slow-to-read"
        assert "0.5 s" in told.value.reason
        assert before not in readers.pids()
        assert (await readers.read(ASKED, SMALL)).updates
    finally:
        await readers.close()


async def test_a_reader_that_dies_is_replaced(readers: ParserPool) -> None:
    """Killed while idle or with a document in hand, the document is read all the same."""
    await readers.read(ASKED, SMALL)
    (before,) = readers.pids()
    os.kill(before, signal.SIGSTOP)
    waiting = asyncio.create_task(readers.read(ASKED, SMALL))
    await eventually(lambda: sum(turn.locked() for turn in readers._turns.values()), lambda count: count == 1)
    os.kill(before, signal.SIGKILL)
    assert (await waiting).updates
    assert before not in readers.pids()


async def test_a_source_takes_up_one_reader_only(readers: ParserPool) -> None:
    """Many large documents of one source wait for each other, those of another do not wait for them."""
    await asyncio.gather(*(readers.read(ASKED, SMALL) for _ in range(5)))
    assert len(readers.pids()) == 1
    others = [ASKED.model_copy(update={"source": f"wire-{number}"}) for number in range(5)]
    await asyncio.gather(*(readers.read(asked, SMALL) for asked in others))
    assert len(readers.pids()) <= COUNT


async def test_a_reader_has_no_secrets(readers: ParserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor anything else of its parent's environment."""
    monkeypatch.setenv("POSTGRES_DSN", "postgresql://a:secret@127.0.0.1/a")
    await readers.read(ASKED, SMALL)
    (pid,) = readers.pids()
    assert b"secret" not in Path(f"/proc/{pid}/environ").read_bytes()
