"""How much of a partition is taken one by one after a crash."""

from collections.abc import Collection
from typing import Any

from aiokafka import TopicPartition

from shared.poison.partitions import MOST_CAREFUL, PartitionNotes, place_of
from support.in_memory import record_of


class LeftOpen:
    """Notes of a stage whose last process was killed."""

    def __init__(self) -> None:
        self.ended: list[str] = []

    async def open(self, places: Collection[str]) -> set[str]:
        """Nothing was released."""
        return set(places)

    async def end(self, place: str) -> None:
        """What was begun there has ended."""
        self.ended.append(place)


async def test_after_a_crash_a_batch_is_taken_one_by_one_and_not_the_backlog() -> None:
    """Up to the end of the log at that time, where that is nearer: what came since did not kill anybody."""
    for end, until in ((100_000, 7 + MOST_CAREFUL), (12, 12), (None, 7 + MOST_CAREFUL)):
        notes = LeftOpen()
        partitions = PartitionNotes(notes)  # type: ignore[arg-type]

        def at(offset: int) -> list[Any]:
            return [record_of(b"", partition=0, offset=offset, timestamp=1)]

        await partitions.take(at(7), lambda _, end=end: end)  # type: ignore[misc]
        assert await partitions.are_careful(at(7))
        assert await partitions.are_careful(at(until - 1))
        assert notes.ended == []
        assert not await partitions.are_careful(at(until))
        topic = at(7)[0].topic
        assert notes.ended == [place_of(TopicPartition(topic, 0))]
        assert not await partitions.are_careful(at(8))
    assert MOST_CAREFUL <= 500
