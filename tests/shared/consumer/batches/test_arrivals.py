"""Batches of several partitions: in order of receipt, as far as they wait, and never out of a partition's order."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from shared.consumer.batches.arrivals import BACKLOG, WAIT_MS, Arrivals
from shared.streams import RAW
from support.in_memory import record_of

Log = Mapping[int, Sequence[int]]
"""By partition, when each of its records was received."""


def partition(number: int) -> TopicPartition:
    return TopicPartition(RAW.name, number)


class Client:
    """aiokafka's consumer: it gives what is fetched of one partition before it turns to the next; a wait fetches some more."""

    def __init__(self, log: Log, *, fetched: int = 1_000_000, failure: Exception | None = None) -> None:
        self.log = {partition(number): list(times) for number, times in log.items()}
        self.at = dict.fromkeys(self.log, 0)
        self.fetched = {each: min(fetched, len(times)) for each, times in self.log.items()}
        self.failure = failure
        self.away: set[TopicPartition] = set()
        self.unknown: set[TopicPartition] = set()
        self.heard: dict[TopicPartition, int] = {}
        """Ends of partitions as the last fetch told them, where more has come since."""
        self.waits = 0
        self.at_fetch: Any = None

    def assignment(self) -> set[TopicPartition]:
        return set(self.log)

    def highwater(self, of: TopicPartition) -> int | None:
        return None if of in self.unknown else self.heard.get(of, len(self.log[of]))

    async def position(self, of: TopicPartition) -> int:
        return self.at[of]

    async def end_offsets(self, of: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        if self.failure is not None:
            raise self.failure
        return {each: len(self.log[each]) for each in of}

    async def getmany(self, *of: TopicPartition, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Any]]:
        if self.failure is not None:
            raise self.failure
        if self.at_fetch is not None:
            self.at_fetch()
        found: dict[TopicPartition, list[Any]] = {}
        for each in of or sorted(self.log):
            begin = self.at[each]
            if timeout_ms and begin == self.fetched[each]:
                assert timeout_ms == WAIT_MS
                self.waits += 1
                if each not in self.away:
                    self.unknown.discard(each)
                    self.fetched[each] = min(begin + 50, len(self.log[each]))
            end = min(self.fetched[each], begin + max_records)
            if records := [self.record(each, offset) for offset in range(begin, end)]:
                found[each], self.at[each] = records, end
                max_records -= len(records)
            if max_records == 0:
                break
        return found

    def record(self, of: TopicPartition, offset: int) -> Any:
        return record_of(b"", partition=of.partition, offset=offset, timestamp=self.log[of][offset])

    def first(self) -> Any:
        """What FastStream takes."""
        each = min(each for each in self.log if self.at[each] < self.fetched[each])
        self.at[each] += 1
        return self.record(each, self.at[each] - 1)


async def everything(client: Client, arrivals: Arrivals | None = None) -> list[Any]:
    """All batches, as the consumer takes them, put together."""
    arrivals = arrivals or Arrivals(500)
    taken: list[Any] = []
    while arrivals or any(client.at[each] < len(client.log[each]) for each in client.log):
        if arrivals:
            batch = await arrivals.batch(client)  # type: ignore[arg-type]
        else:
            batch = await arrivals.begin(client.first(), client)  # type: ignore[arg-type]
        assert 0 < len(batch) <= 500
        taken += batch
    return taken


def log_of(seed: int, *counts: int) -> dict[int, list[int]]:
    """Partitions with so many records, received at random over the same time."""
    random = Random(seed)
    return {number: sorted(random.randrange(1_000_000) for _ in range(count)) for number, count in enumerate(counts)}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("fetched", [1_000_000, 130])
async def test_a_backlog_comes_in_the_order_of_its_receipt(seed: int, fetched: int) -> None:
    """Though partitions differ in length and in what is fetched of them at once: not one pair is the wrong way round."""
    log = log_of(seed, BACKLOG, 3, 900, 0, 250, 40)
    taken = await everything(Client(log, fetched=fetched))
    assert len(taken) == sum(map(len, log.values()))
    assert all(before.timestamp <= after.timestamp for before, after in pairwise(taken))
    for number, times in log.items():
        assert [each.offset for each in taken if each.partition == number] == list(range(len(times)))


async def test_what_is_live_does_not_wait_for_a_large_backlog() -> None:
    """It is in the next batch; the backlog keeps its order, two of them that of their receipt, and once they are small all do."""
    live = [2_000_000, 2_000_001]
    log = {0: list(range(0, 8_000, 2)), 1: list(range(1, 8_000, 2)), 2: live}
    client, arrivals = Client(log), Arrivals(500)
    first = await arrivals.begin(client.first(), client)  # type: ignore[arg-type]
    assert [each.timestamp for each in first[:2]] == live
    taken = first + await everything(client, arrivals)
    assert [each.timestamp for each in taken[2:]] == list(range(8_000))
    client = Client(log | {2: live, 1: log[1][:BACKLOG], 0: log[0][:BACKLOG]})
    assert [each.timestamp for each in await everything(client)][-2:] == live


async def test_a_partition_is_never_reordered_whatever_its_clock_says() -> None:
    """A sender whose clock went back keeps its order."""
    taken = await everything(Client({0: [50, 10, 60], 1: [20, 55]}))
    assert [(each.partition, each.offset) for each in taken] == [(1, 0), (0, 0), (0, 1), (1, 1), (0, 2)]


async def test_a_lone_record_waits_for_nothing() -> None:
    """Where nothing more is known to be there, nobody waits, and one question is asked."""
    client = Client({0: [1], 1: [], 2: []})
    arrivals = Arrivals(500)
    asked = []
    client.at_fetch = lambda: asked.append(1)
    assert [each.offset for each in await arrivals.begin(client.first(), client)] == [0]  # type: ignore[arg-type]
    assert (client.waits, len(asked)) == (0, 1)
    assert not arrivals


async def test_a_partition_whose_broker_is_away_is_waited_for_once() -> None:
    """The others go on without it, however long it is away."""
    client = Client({0: [1, 4, 5], 1: [2, 3]}, fetched=1)
    client.away = {partition(1)}
    client.fetched[partition(0)] = 3
    arrivals = Arrivals(500)
    taken = list(await arrivals.begin(client.first(), client))  # type: ignore[arg-type]
    assert [(each.partition, each.offset) for each in taken] == [(0, 0), (1, 0), (0, 1), (0, 2)]
    client.log[partition(0)] += [6]
    client.fetched[partition(0)] = 4
    taken = list(await arrivals.begin(client.first(), client))  # type: ignore[arg-type]
    assert [(each.partition, each.offset) for each in taken] == [(0, 3)]
    assert client.waits == 1


async def test_a_partition_of_which_nothing_is_known_yet_is_waited_for() -> None:
    """After a start the brokers answer one after another."""
    client = Client({0: [5, 6], 1: [2, 3]}, fetched=0)
    client.fetched[partition(0)] = 2
    client.unknown = {partition(1)}
    taken = await everything(client)
    assert [each.timestamp for each in taken] == [2, 3, 5, 6]


async def test_what_was_dropped_comes_again_from_where_it_is_read_again() -> None:
    """A rewind of one partition leaves what waits of the others."""
    client = Client({0: [1, 3, 5], 1: [2, 4, 6]})
    arrivals = Arrivals(2)
    taken = list(await arrivals.begin(client.first(), client))  # type: ignore[arg-type]
    assert [each.timestamp for each in taken] == [1, 2]
    arrivals.drop({partition(0): 0})
    client.at[partition(0)] = 0
    rest = await everything(client, arrivals)
    assert [each.timestamp for each in rest if each.partition == 0] == [1, 3, 5]
    assert [each.timestamp for each in rest if each.partition == 1] == [4, 6]


async def test_what_is_read_again_is_waited_for() -> None:
    """Its broker has not sent it yet: the others do not overtake it, though it was waited for in vain before."""
    client = Client({0: [1, 4], 1: [2, 3]}, fetched=1)
    client.away = {partition(1)}
    client.fetched[partition(0)] = 2
    arrivals = Arrivals(500)
    taken = list(await arrivals.begin(client.first(), client))  # type: ignore[arg-type]
    assert [each.timestamp for each in taken] == [1, 2, 4]
    for offset, again in ((1, [3, 5]), (0, [2, 3, 6])):
        arrivals.drop({partition(1): offset})
        client.at[partition(1)] = client.fetched[partition(1)] = offset
        client.away.clear()
        client.log[partition(0)].append(again[-1])
        client.fetched[partition(0)] += 1
        taken = list(await arrivals.begin(client.first(), client))  # type: ignore[arg-type]
        assert [each.timestamp for each in taken] == again


async def test_what_was_taken_before_another_assignment_is_not_handed_over_with_it() -> None:
    """The assignment changes while a batch waits for more of a partition."""
    client = Client({0: [1, 2, 3]}, fetched=2)
    arrivals, asked = Arrivals(500), []

    def rebalance() -> None:
        asked.append(client.waits)
        if len(asked) == 2:
            arrivals.clear()

    client.at_fetch = rebalance
    assert await arrivals.begin(client.first(), client) == []  # type: ignore[arg-type]
    assert len(asked) == 2


async def test_a_batch_that_another_assignment_overtakes_is_not_handed_over() -> None:
    """Its partitions may have another owner; what was fetched under the new assignment stays."""
    client = Client({0: [1, 2], 1: [3]})
    arrivals = Arrivals(500)
    first = client.first()

    def rebalance() -> None:
        client.at_fetch = None
        arrivals.clear()
        client.at = dict.fromkeys(client.log, 0)

    client.at_fetch = rebalance
    assert await arrivals.begin(first, client) == []  # type: ignore[arg-type]
    assert arrivals
    assert [each.timestamp for each in await arrivals.batch(client)] == [1, 2, 3]  # type: ignore[arg-type]


async def test_a_record_that_was_taken_is_never_lost_to_a_failure_of_the_next() -> None:
    """The failure comes again with the next poll."""
    client = Client({0: [1]})
    first = client.first()
    client.failure = KafkaError("away")
    assert [each.offset for each in await Arrivals(500).begin(first, client)] == [0]  # type: ignore[arg-type]
    assert await Arrivals(500).begin(first, None) == [first]
    assert await Arrivals(1).begin(first, client) == [first]  # type: ignore[arg-type]
