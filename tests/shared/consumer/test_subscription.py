"""The FastStream subscriber: records as they are, batches of what was fetched together, and consumers in memory."""

from collections.abc import Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from shared.consumer.consumer import Consumer
from shared.consumer.decode import Incoming, Rejection
from shared.consumer.subscription import batch_from
from shared.failures import Permanent
from shared.messages import DeadLetter, RawUpdate
from shared.streams import RAW
from support.in_memory import SETTINGS, RecordingProducer, in_memory, put, record_of
from support.topics import raw_update


class Client:
    """aiokafka's consumer with records that were fetched."""

    def __init__(self, *offsets: int, failure: Exception | None = None) -> None:
        self.offsets = offsets
        self.failure = failure

    async def getmany(self, *, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Any]]:
        assert timeout_ms == 0, "what is not there is not waited for"
        if self.failure is not None:
            raise self.failure
        return {TopicPartition(RAW.name, 0): [record_of(b"", offset=each) for each in self.offsets[:max_records]]}


async def taken(client: Any, most: int = 500) -> list[int]:
    return [record.offset for record in await batch_from(record_of(b"", offset=1), client, most)]


async def test_a_batch_is_the_record_and_what_was_fetched_with_it() -> None:
    """In order, and no more than may be."""
    assert await taken(Client(2, 3)) == [1, 2, 3]
    assert await taken(Client(2, 3), 2) == [1, 2]
    assert await taken(Client(2, 3), 1) == [1]
    assert await taken(None) == [1]


async def test_a_record_that_was_taken_is_never_lost_to_a_failure_of_the_next() -> None:
    """The failure comes again with the next poll."""
    assert await taken(Client(failure=KafkaError("away"))) == [1]


async def test_a_consumer_in_memory_handles_decodes_and_sets_aside() -> None:
    """The wiring of every consumer, without a server."""
    producer, handled = RecordingProducer(), []

    async def handle(incoming: Sequence[Incoming[RawUpdate]]) -> Sequence[Rejection]:
        handled.extend(each.event.guid for each in incoming)
        return [Rejection(each.record, Permanent("no")) for each in incoming if each.event.guid == "bad"]

    consumer: Consumer[RawUpdate] = Consumer(
        stage="test", stream=RAW, handle=handle, producer=producer, settings=SETTINGS
    )
    async with in_memory(consumer) as broker:
        for guid in ("a", "bad", "b"):
            await put(broker, RAW, raw_update(guid), key=raw_update(guid).update_id)
        await broker.publish(b"{", topic=RAW.name, headers={"ce_type": RawUpdate.ce_type})
        await broker.publish(b"{}", topic=RAW.name, headers={"ce_type": "slugline.update.invented"})
    assert handled == ["a", "bad", "b"]
    reasons = [DeadLetter.model_validate_json(value).failure for value in producer.values(RAW.dead_letters)]
    assert reasons == ["permanent", "invalid"]
