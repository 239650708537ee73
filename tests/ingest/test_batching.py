"""Questions that go together."""

import asyncio
from collections.abc import Sequence

import pytest

from ingest.batching import Batcher
from ingest.patience import Away


class Slow:
    """Answers with the double, once it is let to; notes the batches."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self._asked = asyncio.Event()

    async def asked(self) -> None:
        """Wait until it was asked for the first time."""
        async with asyncio.timeout(30):
            await self._asked.wait()

    async def work(self, questions: Sequence[int]) -> Sequence[int]:
        """13 cannot be answered, 99 says that the server is away."""
        self.batches.append(list(questions))
        self._asked.set()
        await self.gate.wait()
        if 13 in questions:
            raise ValueError("unlucky")
        if 99 in questions:
            raise Away("away")
        return [2 * question for question in questions]


async def asked(batcher: Batcher[int, int], *questions: int) -> list[int | BaseException]:
    """The answers to questions asked at once."""
    return await asyncio.gather(*(batcher.ask(each) for each in questions), return_exceptions=True)


async def test_what_gathers_meanwhile_goes_together() -> None:
    """The first goes at once and alone, those that come meanwhile in one batch, each gets its own answer."""
    slow = Slow()
    batcher = Batcher(slow.work)
    first = asyncio.create_task(asked(batcher, 1))
    await slow.asked()
    rest = asyncio.create_task(asked(batcher, 2, 3, 4))
    await asyncio.sleep(0)
    slow.gate.set()
    assert (await first, await rest) == ([2], [4, 6, 8])
    assert slow.batches == [[1], [2, 3, 4]]


async def test_a_batch_is_bounded() -> None:
    """Neither more than so many nor heavier than so much goes at once; one that is too heavy goes alone."""
    slow = Slow()
    slow.gate.set()
    assert await asked(Batcher(slow.work, most=2), 1, 2, 3) == [2, 4, 6]
    assert slow.batches == [[1, 2], [3]]
    slow.batches.clear()
    assert await asked(Batcher(slow.work, weight=lambda each: each, heaviest=10), 50, 4, 5, 6) == [100, 8, 10, 12]
    assert slow.batches == [[50], [4, 5], [6]]


async def test_one_bad_question_is_not_the_others_failure() -> None:
    """What fails for a reason of its own fails alone; a server that is away is so for all."""
    slow = Slow()
    slow.gate.set()
    good, bad, other = await asked(Batcher(slow.work), 1, 13, 3)
    assert (good, other) == (2, 6)
    assert isinstance(bad, ValueError)
    answers = await asked(Batcher(slow.work), 1, 99)
    assert all(isinstance(answer, Away) for answer in answers)


async def test_who_gives_up_takes_nobody_with_him() -> None:
    """A caller that stops waiting leaves the others their answers."""
    slow = Slow()
    batcher = Batcher(slow.work)
    first = batcher.ask(1)
    await slow.asked()
    second, third = batcher.ask(2), batcher.ask(3)
    second.cancel()
    slow.gate.set()
    assert (await first, await third) == (2, 6)
    with pytest.raises(asyncio.CancelledError):
        await second
