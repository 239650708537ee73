"""Offsets: what is committed, and where is read again."""

from collections.abc import Callable
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

from shared.consumer.offsets import LAG, Offsets, first_offsets
from shared.streams import RAW
from support.in_memory import record_of

ZERO, ONE = TopicPartition(RAW.name, 0), TopicPartition(RAW.name, 1)


class Client:
    """aiokafka's consumer, as far as offsets go."""

    def __init__(self, *owned: TopicPartition) -> None:
        self.owned = set(owned)
        self.committed: list[dict[TopicPartition, int]] = []
        self.sought: dict[TopicPartition, int] = {}
        self.failure: Exception | None = None
        self.ends: dict[TopicPartition, int | None] = {}
        self.meanwhile: Callable[[], None] = lambda: None

    def assignment(self) -> set[TopicPartition]:
        return self.owned

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        if self.failure is not None:
            raise self.failure
        self.meanwhile()
        self.committed.append(offsets)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        if partition not in self.owned:
            raise IllegalStateError("not assigned")
        self.sought[partition] = offset

    def highwater(self, partition: TopicPartition) -> int | None:
        return self.ends.get(partition)

    async def position(self, partition: TopicPartition) -> int:
        return 4


def test_the_first_offset_of_each_partition_is_where_a_batch_is_read_again() -> None:
    """Records of several partitions come mixed."""
    records = [record_of(b"", offset=offset, partition=partition) for partition, offset in ((1, 5), (0, 2), (1, 6))]
    assert first_offsets(records) == {ONE: 5, ZERO: 2}


async def test_what_is_done_is_committed_once_and_only_of_own_partitions() -> None:
    """What another owner has is its to commit."""
    offsets, client = Offsets("stage"), Client(ZERO)
    offsets.advance([record_of(b"", offset=2), record_of(b"", offset=9, partition=1)])
    await offsets.commit(client)
    await offsets.commit(client)
    assert client.committed == [{ZERO: 3}]


async def test_what_is_done_while_a_commit_is_under_way_is_committed_by_the_next() -> None:
    """The answer to the first says nothing of it."""
    offsets, client = Offsets("stage"), Client(ZERO)
    offsets.advance([record_of(b"", offset=2)])
    client.meanwhile = lambda: offsets.advance([record_of(b"", offset=5)])
    await offsets.commit(client)
    client.meanwhile = lambda: None
    await offsets.commit(client)
    assert client.committed == [{ZERO: 3}, {ZERO: 6}]


async def test_a_commit_that_fails_is_tried_again() -> None:
    """It is no reason to stop."""
    offsets, client = Offsets("stage"), Client(ZERO)
    offsets.advance([record_of(b"", offset=2)])
    client.failure = CommitFailedError()
    await offsets.commit(client)
    client.failure = None
    await offsets.commit(client)
    assert client.committed == [{ZERO: 3}]
    offsets.advance([record_of(b"", offset=4)])
    offsets.clear()
    await offsets.commit(client)
    assert len(client.committed) == 1


def test_a_partition_that_is_gone_is_not_read_again() -> None:
    """Its new owner reads from what was committed."""
    offsets, client = Offsets("stage"), Client(ZERO)
    offsets.seek(client, {ZERO: 3, ONE: 4})
    offsets.seek(None, {ZERO: 9})
    assert client.sought == {ZERO: 3}


async def test_lag_is_what_lies_behind_the_position() -> None:
    """Nothing is said of a partition that was not fetched from yet."""
    client: Any = Client(ZERO, ONE)
    client.ends = {ZERO: 10}
    await Offsets("test.lag").measure_lag(client)
    samples = {
        sample.labels["partition"]: sample.value
        for sample in LAG.collect()[0].samples
        if sample.labels["stage"] == "test.lag"
    }
    assert samples == {"0": 6}
