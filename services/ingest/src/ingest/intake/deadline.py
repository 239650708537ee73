"""How long one document waits for Kafka and Postgres together, so that its sender is answered in time."""

import asyncio
import time
from collections.abc import Awaitable
from typing import TypeVar

from shared.failures import Transient
from shared.failures.transient import is_transient, reason_of

T = TypeVar("T")

LEAST_S = 0.2
"""What a step is given even after the steps before it have used up the patience: they have shown that they live."""


class Unavailable(Transient):
    """Kafka or Postgres does not answer, and nothing was taken: nothing is wrong with the document, it is to be sent again."""


class OutcomeUnknown(Unavailable):
    """Kafka or Postgres did not answer in time, and may have what it was given: it is to be asked about, or sent again."""


class Deadline:
    """Seconds of waiting, spent step by step."""

    def __init__(self, seconds: float) -> None:
        self._left_s = seconds

    @property
    def left_s(self) -> float:
        """What the next step may wait."""
        return max(self._left_s, LEAST_S)

    def spend(self, since: float) -> None:
        """Count what was waited since a moment of `time.monotonic`."""
        self._left_s -= time.monotonic() - since

    async def answered(self, question: "asyncio.Future[T]") -> T:
        """The answer to a question that was put already, or `Unavailable` where it does not come in time."""
        started = time.monotonic()
        overdue = asyncio.get_running_loop().call_later(self.left_s, _give_up, question)
        try:
            return await question
        except Unavailable:
            raise
        except Exception as error:
            if not is_transient(error):
                raise
            raise _away(error) from error
        finally:
            overdue.cancel()
            self.spend(started)

    async def within(self, work: Awaitable[T]) -> T:
        """The answer of Postgres, or `Unavailable` where it does not come in time."""
        started = time.monotonic()
        task = asyncio.ensure_future(work)
        done, _ = await asyncio.wait({task}, timeout=self.left_s)
        self.spend(started)
        if not done:
            # Not awaited: a cancelled query asks the server, which does not answer, to cancel it.
            task.cancel()
            task.add_done_callback(lambda late: late.cancelled() or late.exception())
            raise Unavailable("Postgres does not answer")
        try:
            return task.result()
        except Unavailable:
            raise
        except Exception as error:
            if not is_transient(error):
                raise
            raise _away(error) from error


def _give_up(question: "asyncio.Future[T]") -> None:
    if not question.done():
        question.set_exception(Unavailable("Postgres does not answer"))


def _away(error: BaseException) -> Unavailable:
    return Unavailable(f"Postgres is away: {reason_of(error)}")
