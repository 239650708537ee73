"""Questions that go together."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.failures import Unanswered
from shared.postgres.batching import Batcher


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
            raise Unanswered("away")
        return [2 * question for question in questions]


async def asked(batcher: Batcher[int, int], *questions: int) -> list[int | BaseException]:
    """The answers to questions asked at once."""
    return await asyncio.gather(*(batcher.ask(each) for each in questions), return_exceptions=True)


async def test_what_gathers_meanwhile_goes_together() -> None:
    """The first goes at once and alone, those that come meanwhile in one batch, each gets its own answer."""
    slow = Slow()
    batcher = Batcher(slow.work, timeout_s=30)
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
    assert await asked(Batcher(slow.work, timeout_s=30, most=2), 1, 2, 3) == [2, 4, 6]
    assert slow.batches == [[1, 2], [3]]
    slow.batches.clear()
    assert await asked(Batcher(slow.work, timeout_s=30, weight=lambda each: each, heaviest=10), 50, 4, 5, 6) == [
        100,
        8,
        10,
        12,
    ]
    assert slow.batches == [[50], [4, 5], [6]]


async def test_one_bad_question_is_not_the_others_failure() -> None:
    """What fails for a reason of its own fails alone; a server that is away is so for all."""
    slow = Slow()
    slow.gate.set()
    good, bad, other = await asked(Batcher(slow.work, timeout_s=30), 1, 13, 3)
    assert (good, other) == (2, 6)
    assert isinstance(bad, ValueError)
    answers = await asked(Batcher(slow.work, timeout_s=30), 1, 99)
    assert all(isinstance(answer, Unanswered) for answer in answers)


async def test_who_gives_up_takes_nobody_with_him() -> None:
    """A caller that stops waiting leaves the others their answers."""
    slow = Slow()
    batcher = Batcher(slow.work, timeout_s=30)
    first = batcher.ask(1)
    await slow.asked()
    second, third = batcher.ask(2), batcher.ask(3)
    second.cancel()
    slow.gate.set()
    assert (await first, await third) == (2, 6)
    with pytest.raises(asyncio.CancelledError):
        await second


async def test_a_batch_that_hangs_is_given_up_and_the_next_goes_on() -> None:
    """Who asked in it hears that the server is away; what waits behind it is asked, and only once."""
    slow = Slow()
    batcher = Batcher(slow.work, timeout_s=0.05)
    hung = batcher.ask(1)
    await slow.asked()
    next_one = batcher.ask(2)
    async with asyncio.timeout(30):
        with pytest.raises(Unanswered):
            await hung
        slow.gate.set()
        assert await next_one == 4
        assert await batcher.ask(3) == 6
    assert slow.batches == [[1], [2], [3]]


async def test_a_question_that_hangs_alone_gives_up_the_rest_of_its_batch() -> None:
    """While the questions of a failed batch are asked one by one, a server that falls silent is away for all that are left."""
    slow = Slow()
    slow.gate.set()
    batches = slow.batches

    async def work(questions: Sequence[int]) -> Sequence[int]:
        if list(questions) == [2]:
            batches.append([2])
            await asyncio.Event().wait()
        return await slow.work(questions)

    batcher = Batcher(work, timeout_s=0.05)
    async with asyncio.timeout(30):
        first, second, third = await asked(batcher, 13, 2, 3)
        assert await batcher.ask(4) == 8
    assert isinstance(first, ValueError)
    assert isinstance(second, Unanswered)
    assert isinstance(third, Unanswered)
