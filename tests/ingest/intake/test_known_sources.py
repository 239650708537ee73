"""Whose an update is: from memory, from Postgres, or not in time."""

import asyncio
import time
from typing import Any

import pytest

from ingest.intake.deadline import Unavailable
from ingest.intake.known_sources import TIMEOUT_S, KnownSources


class Postgres:
    """Answers, or does not."""

    def __init__(self, answer: object = None) -> None:
        self.answer = answer
        self.asked = 0

    async def fetchval(self, *_: object) -> object:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer == "silence":
            await asyncio.Event().wait()
        return self.answer


async def test_what_this_process_has_sent_is_known_without_asking() -> None:
    """The last of it, so that memory stays bounded."""
    known, postgres = KnownSources(most=2), Postgres("asked")
    known.add("north", ["a", "b"])
    known.add("south", ["c"])
    of: Any = postgres
    assert [await known.source_of(each, of) for each in "bca"] == ["north", "south", "asked"]
    assert postgres.asked == 1


async def test_an_order_waits_for_postgres_only_for_a_moment() -> None:
    """Silent, refusing, absent or ignorant: the order goes out without it."""
    for answer in ("silence", OSError("refused"), None):
        of: Any = Postgres(answer)
        started = time.monotonic()
        assert await KnownSources().source_of("a", of) is None
        assert time.monotonic() - started < TIMEOUT_S + 1
    assert await KnownSources().source_of("a", None) is None


async def test_what_stands_between_other_orders_is_not_given_without_postgres() -> None:
    """It would go another way, and come behind the one that is given next. Of an update that nobody has sent it goes as it is."""
    for answer in ("silence", OSError("refused")):
        of: Any = Postgres(answer)
        with pytest.raises(Unavailable, match="the order was not given"):
            await KnownSources().source_of("a", of, needed=True)
    with pytest.raises(Unavailable):
        await KnownSources().source_of("a", None, needed=True)
    ignorant: Any = Postgres(None)
    assert await KnownSources().source_of("a", ignorant, needed=True) is None
