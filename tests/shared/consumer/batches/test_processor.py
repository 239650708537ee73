"""What is read again after a failure comes before what was polled meanwhile, without a server."""

import asyncio
import time
from collections.abc import Sequence
from typing import cast

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.consumer.batches.effects import Effects, StartedBatch
from shared.consumer.batches.processor import BatchProcessor
from shared.consumer.ceiling import Ceiling
from shared.consumer.dead_letters import DeadLetters
from shared.consumer.decode import Incoming, Rejection
from shared.kafka.cloudevents import value_of
from shared.messages import RawUpdate
from shared.streams import RAW
from support.in_memory import RecordingProducer, record_of
from support.topics import raw_update

PARTITION = TopicPartition(RAW.name, 0)


class Client:
    """A Kafka client that owns every partition and notes what is sought and committed."""

    def __init__(self) -> None:
        self.sought: list[dict[TopicPartition, int]] = []
        self.committed: dict[TopicPartition, int] = {}

    def assignment(self) -> set[TopicPartition]:
        return {PARTITION, TopicPartition(RAW.name, 1)}

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.sought.append({partition: offset})

    def highwater(self, _: TopicPartition) -> None:
        return None

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        self.committed |= offsets


class Stage:
    """Starts batches whose effects the test completes, or fails."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.completions: list[asyncio.Future[None]] = []
        self.client = Client()
        producer = RecordingProducer()
        effects = Effects(
            "stage", {RawUpdate.ce_type: RawUpdate}, self.handle, self.start,
            ceiling=Ceiling("stage"), dead_letters=DeadLetters("stage", RAW, producer),
        )  # fmt: skip
        self.processor: BatchProcessor[RawUpdate] = BatchProcessor(
            "stage", effects, lambda: cast("AIOKafkaConsumer", self.client),
            check_position=None, crash_notes=None, most_in_flight=10,
        )  # fmt: skip

    async def handle(self, incoming: Sequence[Incoming[RawUpdate]]) -> Sequence[Rejection]:
        self.taken.extend(each.event.guid for each in incoming)
        return []

    async def start(self, incoming: Sequence[Incoming[RawUpdate]]) -> StartedBatch:
        self.taken.extend(each.event.guid for each in incoming)
        completed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.completions.append(completed)
        return StartedBatch([], completed)

    async def process(self, *offsets: int, partition: int = 0) -> None:
        await self.processor.process(
            [
                record_of(value_of(raw_update(f"{partition}:{each}")), offset=each, partition=partition)
                for each in offsets
            ]
        )

    async def fail_in_flight(self) -> None:
        """The oldest batch fails; returns once the consumer has gone back."""
        self.completions[-1].set_exception(OSError("Kafka is away"))
        async with asyncio.timeout(5):
            while not self.client.sought:
                await asyncio.sleep(0)


async def test_a_record_in_hand_while_the_consumer_goes_back_waits_for_what_is_before_it() -> None:
    """It was polled before, and comes only after: it is dropped, and nothing beyond the failure is committed."""
    stage = Stage()
    await stage.process(5, 6)
    await stage.fail_in_flight()
    await stage.process(7)
    assert stage.taken == ["0:5", "0:6"]
    assert stage.client.sought == [{PARTITION: 5}, {PARTITION: 5}]
    await stage.process(5, 6)
    await stage.process(7)
    await stage.processor.commit()
    assert stage.taken == ["0:5", "0:6", "0:5", "0:6", "0:7"]
    assert stage.client.committed == {PARTITION: 7}


async def test_what_retention_took_is_not_waited_for() -> None:
    """Where the log begins beyond the offset, it goes on there."""
    stage = Stage()
    await stage.process(5)
    await stage.fail_in_flight()
    await stage.process(7)
    await stage.process(7)
    assert stage.taken == ["0:5", "0:7"]


async def test_other_partitions_go_on() -> None:
    """A failure in one partition drops nothing of another."""
    stage = Stage()
    await stage.process(5)
    await stage.fail_in_flight()
    await stage.process(90, partition=1)
    assert stage.taken == ["0:5", "1:90"]


async def test_a_pause_is_no_time_that_a_batch_runs() -> None:
    """However long the outage: what counts begins when the last pause has ended."""
    stage = Stage()
    await stage.process(5)
    began = stage.processor.oldest_started_at
    assert began is not None
    stage.completions[-1].set_exception(OSError("Kafka is away"))
    async with asyncio.timeout(5):
        while stage.processor.paused_by is None:
            await asyncio.sleep(0)
    paused = stage.processor.oldest_started_at
    assert paused is not None
    assert paused > time.monotonic()
    async with asyncio.timeout(5):
        while not stage.client.sought:
            await asyncio.sleep(0)
    assert stage.processor.oldest_started_at is None
