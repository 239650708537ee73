"""Combines what several callers ask of Postgres while an earlier statement runs.

A caller that is alone waits for nobody. Under load, the questions that gather while one batch is answered go as the next: a
hundred senders cost little more than ten, and a flood makes statements larger instead of queues longer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from shared.failures import Unanswered
from shared.failures.transient import is_transient

A = TypeVar("A")
R = TypeVar("R")


class Batcher(Generic[A, R]):
    """Runs `work` over the questions that have gathered, one batch at a time, in order."""

    def __init__(
        self,
        work: Callable[[Sequence[A]], Awaitable[Sequence[R]]],
        *,
        timeout_s: float,
        most: int = 100,
        weight: Callable[[A], int] = lambda _: 0,
        heaviest: int = 1,
    ) -> None:
        """`most` limits how many questions are in a batch, `heaviest` the sum of their weights; a heavier one goes alone.

        A batch without an answer after `timeout_s` fails, and the next one starts.
        """
        self._work = work
        self._timeout_s = timeout_s
        self._most = most
        self._weight = weight
        self._heaviest = heaviest
        self._waiting: list[tuple[A, asyncio.Future[R]]] = []
        self._running: asyncio.Task[None] | None = None

    def ask(self, question: A) -> "asyncio.Future[R]":
        """The answer to one question. A question that makes its batch fail does not fail the others."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        return future

    async def _run(self) -> None:
        while self._waiting and self._running is asyncio.current_task():
            batch = self._next()
            try:
                answers = await self._answers(batch, batch)
            except Exception as error:  # noqa: BLE001 -- handed to the callers
                await self._answer_one_by_one(batch, error)
            else:
                for (_, future), answer in zip(batch, answers, strict=True):
                    if not future.done():
                        future.set_result(answer)

    async def _answers(
        self, batch: Sequence[tuple[A, "asyncio.Future[R]"]], whole: Sequence[tuple[A, "asyncio.Future[R]"]]
    ) -> Sequence[R]:
        timer = asyncio.get_running_loop().call_later(self._timeout_s, self._give_up, whole)
        try:
            return await self._work([question for question, _ in batch])
        finally:
            timer.cancel()

    def _give_up(self, batch: Sequence[tuple[A, "asyncio.Future[R]"]]) -> None:
        """Fail the batch that is running, and start the next."""
        for _, future in batch:
            if not future.done():
                future.set_exception(Unanswered("the batch took too long"))
        running, self._running = self._running, None
        if running is not None:
            # Not awaited: a cancelled query asks the server, which does not answer, to cancel it.
            running.cancel()
        if self._waiting:
            self._running = asyncio.create_task(self._run())

    async def _answer_one_by_one(self, batch: Sequence[tuple[A, "asyncio.Future[R]"]], error: Exception) -> None:
        for question, future in batch:
            if future.done():
                continue
            if len(batch) == 1 or is_transient(error):
                future.set_exception(error)
                continue
            try:
                answer = (await self._answers([(question, future)], batch))[0]
            except Exception as own:  # noqa: BLE001 -- handed to the caller
                if not future.done():
                    future.set_exception(own)
            else:
                if not future.done():
                    future.set_result(answer)

    def _next(self) -> list[tuple[A, "asyncio.Future[R]"]]:
        heavy = 0
        for count, (question, _) in enumerate(self._waiting):
            heavy += self._weight(question)
            if count and (count >= self._most or heavy > self._heaviest):
                break
        else:
            count = len(self._waiting)
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        # Callers that gave up meanwhile need no answer.
        return [each for each in batch if not each[1].done()] or batch[:1]
