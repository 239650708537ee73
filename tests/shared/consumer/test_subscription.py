"""The FastStream subscriber: records as they are, and consumers in memory."""

from collections.abc import Sequence

from shared.consumer.consumer import Consumer
from shared.consumer.decode import Incoming, Rejection
from shared.failures import Permanent
from shared.messages import DeadLetter, RawUpdate
from shared.streams import RAW
from support.in_memory import SETTINGS, RecordingProducer, in_memory, put
from support.topics import raw_update


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
