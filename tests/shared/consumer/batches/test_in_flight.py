"""Batches in flight: offsets advance past leading completed batches only, and a failure takes back all that follow."""

import asyncio

from aiokafka import ConsumerRecord

from shared.consumer.batches.in_flight import BatchInFlight, InFlight
from support.in_memory import record_of


def started(flight: InFlight, *offsets: int) -> "asyncio.Future[None]":
    """A batch with these offsets that has not completed."""
    completed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    flight.add(BatchInFlight([record_of(b"", offset=offset) for offset in offsets], 0.0, completed))
    return completed


def popped(flight: InFlight) -> list[int]:
    return [record.offset for batch in flight.pop_completed() for record in batch.records]


def records(*offsets: int) -> "list[ConsumerRecord[bytes, bytes]]":
    return [record_of(b"", offset=offset) for offset in offsets]


async def test_only_leading_completed_batches_are_popped() -> None:
    """What completes behind a batch that has not waits for it."""
    flight = InFlight()
    first, second = started(flight, 1, 2), started(flight, 3)
    second.set_result(None)
    assert popped(flight) == []
    first.set_result(None)
    assert popped(flight) == [1, 2, 3]
    assert flight.oldest_started_at is None


async def test_a_failure_holds_back_all_that_follow() -> None:
    """Behind a failed batch nothing is popped; taken back, its records and those behind it are serial from then on."""
    flight = InFlight()
    first, second = started(flight, 1), started(flight, 2, 3)
    first.set_exception(ValueError("no"))
    second.set_result(None)
    assert popped(flight) == []
    assert isinstance(flight.failure, ValueError)
    assert [record.offset for record in flight.take_back()] == [1, 2, 3]
    assert flight.failure is None
    assert flight.must_be_serial(records(2))
    assert flight.must_be_serial(records(3, 4))
    assert not flight.must_be_serial(records(4))
    assert not flight.must_be_serial(records(2)), "what has been passed is forgotten"


async def test_a_cancelled_batch_has_failed() -> None:
    """Nobody knows what was done of it."""
    flight = InFlight()
    started(flight, 1).cancel()
    assert isinstance(flight.failure, asyncio.CancelledError)


async def test_waiting_ends_when_all_have_ended() -> None:
    """Well or not."""
    flight = InFlight()
    first, second = started(flight, 1), started(flight, 2)
    waiting = asyncio.create_task(flight.wait_for_all())
    first.set_result(None)
    await asyncio.sleep(0)
    assert not waiting.done()
    second.set_exception(ValueError("no"))
    await waiting
    flight.clear()
    assert len(flight) == 0
