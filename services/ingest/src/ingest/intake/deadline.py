"""How long one document waits for Kafka and Postgres together, so that its sender is answered in time."""

import asyncio
import time
from collections.abc import Awaitable
from typing import TypeVar

from shared.failures import Transient
from shared.failures.transient import is_transient, reason_of

T = TypeVar("T")

MIN_STEP_S = 0.2
"""What a step is given even when the steps before it have used up the time: they have shown that the servers live."""


class Unavailable(Transient):
    """Kafka or Postgres does not answer, and nothing was taken: the document is to be sent again as it is."""


class OutcomeUnknown(Unavailable):
    """Kafka or Postgres did not answer in time, and may have what it was given: the sender asks for its status, or sends it again."""


class Deadline:
    """Time for waiting, used up step by step. What we compute ourselves does not count."""

    def __init__(self, seconds: float) -> None:
        self._left_s = seconds

    @property
    def left_s(self) -> float:
        """How long the next step may wait."""
        return max(self._left_s, MIN_STEP_S)

    async def wait_for(self, answer: "asyncio.Future[T]") -> T:
        """The result of a statement of Postgres that was sent already; raises `Unavailable` where it does not come in time."""
        started = time.monotonic()
        timeout = asyncio.get_running_loop().call_later(self.left_s, _give_up, answer)
        try:
            return await answer
        except Exception as error:
            if (unavailable := _unavailable(error)) is None:
                raise
            raise unavailable from error
        finally:
            timeout.cancel()
            self._left_s -= time.monotonic() - started

    async def run(self, work: Awaitable[T]) -> T:
        """The result of a statement of Postgres; raises `Unavailable` where it does not come in time."""
        started = time.monotonic()
        task = asyncio.ensure_future(work)
        done, _ = await asyncio.wait({task}, timeout=self.left_s)
        self._left_s -= time.monotonic() - started
        if not done:
            # Not awaited: asyncpg asks the server to cancel the query, and the server does not answer.
            task.cancel()
            task.add_done_callback(lambda late: late.cancelled() or late.exception())
            raise Unavailable("Postgres does not answer")
        try:
            return task.result()
        except Exception as error:
            if (unavailable := _unavailable(error)) is None:
                raise
            raise unavailable from error


def _give_up(answer: "asyncio.Future[T]") -> None:
    if not answer.done():
        answer.set_exception(Unavailable("Postgres does not answer"))


def _unavailable(error: Exception) -> Unavailable | None:
    """`Unavailable` where an error of Postgres is an outage; None where it is to be raised as it is."""
    if isinstance(error, Unavailable) or not is_transient(error):
        return None
    return Unavailable(f"Postgres is unavailable: {reason_of(error)}")
