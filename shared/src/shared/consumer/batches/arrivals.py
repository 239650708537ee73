"""Puts the records of several partitions in one order: that of their receipt, as far as they wait.

Kafka keeps order within a partition. aiokafka gives what it has fetched of one partition before it turns to the next, so a
backlog would come partition by partition. Here a batch takes the oldest record that waits, by the time that Kafka keeps with
it, and never out of a partition's order. Where a partition is known to have more, its next records are fetched before the
others go on: for a bounded time, since its broker may be away.
"""

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from shared.consumer.batches.in_flight import Records
from shared.consumer.offsets import partition_of
from shared.failures.transient import reason_of

log = structlog.get_logger(__name__)

WAIT_MS = 250
"""How long the others wait for a partition that has more, or of which nothing is known yet. Longer than aiokafka lets a broker
rest that has something of another partition in hand (`retry_backoff_ms`)."""

BACKLOG = 1000
"""Records that wait in a partition from which on it lets others go first: less than a second's work."""

LOOK_EVERY_S, LOOK_WITHIN_S, LOOK_AGAIN_AFTER_S = 0.1, 5.0, 2.0
"""While one lets others go first, Kafka is asked so often what they have: aiokafka fetches next to nothing of them as long as
records of a backlog lie here. A broker that does not tell is left alone for a while."""


class Arrivals:
    """What was fetched and not yet taken. aiokafka's position is behind it: after a seek it must be dropped."""

    def __init__(self, most: int) -> None:
        self._most = most
        """Records of a batch."""
        self._waiting: dict[TopicPartition, deque[ConsumerRecord[bytes, bytes]]] = {}
        self._next: dict[TopicPartition, int] = {}
        """By partition, the offset behind the last record that was fetched."""
        self._vain: dict[TopicPartition, int | None] = {}
        """Where a partition was waited for in vain: not again before it has moved."""
        self._ends: dict[TopicPartition, int] = {}
        """By partition, where it ended when Kafka was last asked."""
        self._look_at = 0.0
        self._looking: asyncio.Task[None] | None = None
        self.assignments = 0
        """Counts them: what was taken under another one is not to be handled."""

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def drop(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Forget what was fetched of partitions that are read again from these offsets."""
        for partition, offset in offsets.items():
            self._waiting.pop(partition, None)
            self._next[partition] = offset
            self._vain.pop(partition, None)

    def clear(self) -> None:
        """Forget everything: the partitions have another owner, or are read again from what was committed."""
        self.assignments += 1
        self._waiting.clear()
        self._next.clear()
        self._vain.clear()
        self._ends.clear()

    async def begin(self, first: "ConsumerRecord[bytes, bytes]", client: AIOKafkaConsumer | None) -> Records:
        """The first batch: a record that was taken, and what was fetched along with it. Empty, if another assignment began."""
        if client is None or self._most == 1:
            return [first]
        assignments = self.assignments
        self._add([first])
        came = await self._fetch(client, self._most - 1)
        if assignments != self.assignments:
            return []
        # Where that is not the limit, it is all that has been fetched.
        return await self.batch(client, partly=came >= self._most - 1)

    async def batch(self, client: AIOKafkaConsumer, *, partly: bool = True) -> Records:
        """The records that were received first; `partly` where more may have been fetched. Empty, if another assignment began."""
        assignments, share = self.assignments, max(self._most // max(len(client.assignment()), 1), 1)
        if time.monotonic() >= self._look_at and (backlogs := self._backlogs(client)):
            self._look(client, client.assignment() - backlogs)
        for partition in client.assignment():
            if partition not in self._waiting and (partly or self._is_behind(client, partition)):
                await self._refill(client, partition, share)
        batch: list[ConsumerRecord[bytes, bytes]] = []
        backlogs = self._backlogs(client)
        while self._waiting and len(batch) < self._most and assignments == self.assignments:
            oldest = min(self._waiting, key=lambda each: (each in backlogs, *self._received(each)))
            waiting = self._waiting[oldest]
            batch.append(waiting.popleft())
            if not waiting:
                del self._waiting[oldest]
                if len(batch) < self._most and self._is_behind(client, oldest):
                    await self._refill(client, oldest, share)
        # What was fetched since is of the new assignment, and stays.
        return batch if assignments == self.assignments else []

    def _backlogs(self, client: AIOKafkaConsumer) -> set[TopicPartition]:
        return {each for each in client.assignment() if self._left(client, each) > BACKLOG}

    def _received(self, partition: TopicPartition) -> tuple[int, int]:
        first = self._waiting[partition][0]
        return first.timestamp, first.partition

    def _left(self, client: AIOKafkaConsumer, partition: TopicPartition) -> int:
        """How many records of a partition are not taken yet, as far as that is known."""
        end, waiting = client.highwater(partition), self._waiting.get(partition)
        if end is None:
            return 0
        return int(end - (waiting[0].offset if waiting else self._next.get(partition, end)))

    def _add(self, records: "Sequence[ConsumerRecord[bytes, bytes]]") -> None:
        if records:
            partition = partition_of(records[0])
            self._waiting.setdefault(partition, deque()).extend(records)
            self._next[partition] = records[-1].offset + 1

    def _is_behind(self, client: AIOKafkaConsumer, partition: TopicPartition) -> bool:
        """Whether more of a partition is in Kafka than was fetched, or nothing is known of it yet."""
        if partition not in client.assignment():
            return False
        end = client.highwater(partition)
        if end is None and partition not in self._ends:
            return True
        end = max(end or 0, self._ends.get(partition, 0))
        return self._next.get(partition, end) < end

    def _look(self, client: AIOKafkaConsumer, partitions: AbstractSet[TopicPartition]) -> None:
        """Ask Kafka where partitions end that have no backlog, unless that is under way. Nobody waits for it: the answer comes behind
        that to a fetch which the broker holds, and such a fetch brings what they have by itself.
        """
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._ask(client, partitions), name="ends of partitions")

    async def _ask(self, client: AIOKafkaConsumer, partitions: AbstractSet[TopicPartition]) -> None:
        assignments, pause_s = self.assignments, LOOK_AGAIN_AFTER_S
        try:
            async with asyncio.timeout(LOOK_WITHIN_S):
                places = {each: await client.position(each) for each in partitions - self._next.keys()}
                ends = await client.end_offsets([*partitions])
        except Exception as error:
            if isinstance(error, KafkaError | TimeoutError):
                log.warning("not known what other partitions have", error=reason_of(error), fold="arrivals")
            else:
                log.exception("bug in asking what other partitions have")
        else:
            pause_s = LOOK_EVERY_S
            if assignments == self.assignments:
                self._next = places | self._next
                self._ends = ends
        self._look_at = time.monotonic() + pause_s

    async def _refill(self, client: AIOKafkaConsumer, partition: TopicPartition, most: int) -> None:
        """Take more of one partition; where it must have more and nothing is here, wait for it once."""
        known = self._next.get(partition)
        is_vain = partition in self._vain and self._vain[partition] == known
        wait_ms = WAIT_MS if self._is_behind(client, partition) and not is_vain else 0
        if not await self._fetch(client, most, partition, wait_ms=wait_ms) and wait_ms:
            self._vain[partition] = known

    async def _fetch(self, client: AIOKafkaConsumer, most: int, *partitions: TopicPartition, wait_ms: int = 0) -> int:
        """Take what aiokafka has fetched; how many records that are."""
        try:
            fetched = await client.getmany(*partitions, timeout_ms=wait_ms, max_records=most)
        except Exception as error:  # noqa: BLE001 -- whatever it is, what was taken before must not be passed over
            log.warning("nothing taken beside the first record", error=str(error), fold="arrivals")
            return 0
        for records in fetched.values():
            self._add(records)
        return sum(map(len, fetched.values()))
