"""How long a document waits for Postgres."""

import asyncio

import pytest

from ingest.intake.deadline import Deadline, Unavailable


async def test_a_late_answer_is_not_waited_for_and_others_get_theirs() -> None:
    """A caller whose time is up hears that Postgres is unavailable; the deadlines of others are their own."""
    loop = asyncio.get_running_loop()
    first: asyncio.Future[int] = loop.create_future()
    second: asyncio.Future[int] = loop.create_future()
    async with asyncio.timeout(30):
        with pytest.raises(Unavailable):
            await Deadline(0.01).wait_for(first)
        second.set_result(4)
        assert await Deadline(30).wait_for(second) == 4
