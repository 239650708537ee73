"""A document's steps share one time."""

import asyncio

import pytest

from ingest.intake.deadline import MIN_STEP_S, Deadline, Unavailable


async def test_what_one_step_has_waited_the_next_has_not_left() -> None:
    """A step that comes late still has a little time, since those before it have shown that the servers live."""
    deadline = Deadline(0.5)
    answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.15, answered.set_result, 4)
    assert await deadline.wait_for(answered) == 4
    assert MIN_STEP_S < deadline.left_s < 0.4
    with pytest.raises(Unavailable):
        await deadline.run(asyncio.Event().wait())
    assert deadline.left_s == MIN_STEP_S
