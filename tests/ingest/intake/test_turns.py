"""The turns of one source's documents: in order of receipt, and never held up for longer than is said."""

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from ingest.intake.turns import Turn, Turns
from support.waiting import eventually


class Documents:
    """Documents that are read at their own pace; what is noted is the order in which they are sent."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.sent: list[str] = []
        self.ready: dict[str, asyncio.Event] = {}
        self.tasks: list[asyncio.Task[None]] = []

    def receive(self, name: str, *, source: str = "north", hold_s: float = 60.0, fails: bool = False) -> Turn:
        """A document that is here, and will be ready when the test says so."""
        turn = self.turns.take(source, hold_s)
        self.ready[name] = asyncio.Event()
        self.tasks.append(asyncio.create_task(self.take(name, turn, fails=fails)))
        return turn

    async def take(self, name: str, turn: Turn, *, fails: bool) -> None:
        with turn:
            await self.ready[name].wait()
            if not fails:
                await turn.comes()
                self.sent.append(name)

    async def are_ready(self, *names: str) -> None:
        """Ready in this order, with time for each to do what it can."""
        for name in names:
            self.ready[name].set()
            for _ in range(20):
                await asyncio.sleep(0)


@pytest_asyncio.fixture
async def documents() -> AsyncIterator[Documents]:
    made = Documents()
    yield made
    for task in made.tasks:
        task.cancel()
    await asyncio.gather(*made.tasks, return_exceptions=True)


async def test_what_is_ready_first_waits_for_what_was_received_first(documents: Documents) -> None:
    """Of one source; another source waits for nobody."""
    for name in "abcd":
        documents.receive(name)
    documents.receive("other", source="south")
    await documents.are_ready("d", "b", "other", "c")
    assert documents.sent == ["other"]
    await documents.are_ready("a")
    assert documents.sent == ["other", "a", "b", "c", "d"]
    assert documents.turns._last == {}, "nothing is kept of sources that send nothing"


async def test_a_document_that_ends_without_sending_lets_the_next_pass_and_not_those_before_it(
    documents: Documents,
) -> None:
    """A duplicate or a refused one in the middle must not let its successors past its predecessors."""
    documents.receive("a")
    documents.receive("refused", fails=True)
    documents.receive("b")
    await documents.are_ready("refused", "b")
    assert documents.sent == []
    documents.receive("c")
    await documents.are_ready("c", "a")
    assert documents.sent == ["a", "b", "c"]


async def test_a_slow_document_is_overtaken_when_its_time_is_over(documents: Documents) -> None:
    """It is sent all the same, in its order among those that still wait."""
    documents.receive("slow", hold_s=0.05)
    documents.receive("b")
    documents.receive("c")
    await documents.are_ready("c", "b")
    await eventually(lambda: documents.sent, lambda sent: sent == ["b", "c"], within_s=2, what="held up")
    documents.receive("d")
    await documents.are_ready("d", "slow")
    assert documents.sent == ["b", "c", "d", "slow"]


async def test_a_body_that_comes_slowly_has_its_place_by_its_last_byte(documents: Documents) -> None:
    """It holds up the others for the time of an arrival only; once it is here, those behind it wait."""
    slow = documents.receive("slow", hold_s=0.05)
    documents.receive("b")
    await documents.are_ready("b")
    await eventually(lambda: documents.sent, lambda sent: sent == ["b"], within_s=2, what="held up")
    slow.arrived()
    documents.receive("c")
    await documents.are_ready("c")
    assert documents.sent == ["b"]
    await documents.are_ready("slow")
    assert documents.sent == ["b", "slow", "c"]


async def test_thousands_that_wait_cost_each_the_same(documents: Documents) -> None:
    """All before one may end without sending."""
    first = documents.turns.take("north")
    ended = [documents.turns.take("north") for _ in range(20_000)]
    last = documents.turns.take("north")
    for each in reversed(ended):
        each.end()
    first.end()
    await asyncio.wait_for(last.comes(), 1)
    for _ in range(20_000):
        documents.turns.take("north").end()
    last.end()
