"""The consumers of publish, without a server."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from publish.channel import channel_consumer
from publish.push.alerts.sending.batch import PushBatch
from publish.push.process import batches_consumer, updates_consumer
from publish.settings import Settings
from shared.consumer.decode import Incoming, Rejection
from shared.messages import DeadLetter, EnrichedUpdate
from shared.streams import ENRICHED, PUSH_BATCHES
from support.in_memory import RecordingProducer, in_memory, put
from support.revisions import revision


class Channel:
    """A channel that stores what follows on what it has."""

    def __init__(self) -> None:
        self.stored: list[str] = []
        self.elsewhere: dict[TopicPartition, int] | None = None

    async def handle(self, incoming: Sequence[Incoming[EnrichedUpdate]]) -> Sequence[Rejection]:
        self.stored.extend(each.event.guid for each in incoming)
        return ()

    async def check_position(
        self, records: Sequence["ConsumerRecord[bytes, bytes]"]
    ) -> Mapping[TopicPartition, int] | None:
        return self.elsewhere

    async def keep_watching(self) -> None:
        """Nothing to watch."""


@pytest.mark.parametrize("stage", ["publish.archive", "publish.cache"])
async def test_a_channel_stores_revisions_and_none_that_do_not_follow(
    stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What its check of the position refuses is read elsewhere; what is broken is set aside."""
    monkeypatch.setattr("publish.channel.PACE_S", 0.0)
    channel, producer = Channel(), RecordingProducer()
    async with in_memory(channel_consumer(stage, channel, producer, Settings())) as broker:
        await put(broker, ENRICHED, revision("a", 1), key="a")
        channel.elsewhere = {}
        await put(broker, ENRICHED, revision("b", 1), key="b")
        channel.elsewhere = None
        await broker.publish(b"{", topic=ENRICHED.name, headers={"ce_type": EnrichedUpdate.ce_type})
        await put(broker, ENRICHED, revision("c", 1), key="c")
    assert channel.stored == [revision(name, 1).guid for name in ("a", "c")]
    (dead,) = [DeadLetter.model_validate_json(value) for value in producer.values(ENRICHED.dead_letters)]
    assert dead.stage == stage


async def test_push_consumes_revisions_and_its_own_batches() -> None:
    """Each with its own handler."""
    taken: list[object] = []

    class Handler:
        async def handle(self, incoming: Sequence[Incoming[Any]]) -> Sequence[Rejection]:
            taken.extend(type(each.event) for each in incoming)
            return ()

    handler: Any = Handler()
    producer = RecordingProducer()
    consumers = updates_consumer(handler, producer, Settings()), batches_consumer(handler, producer, Settings())
    async with in_memory(*consumers) as broker:
        await put(broker, ENRICHED, revision("a", 1), key="a")
        await broker.publish(b"{", topic=PUSH_BATCHES.name, headers={"ce_type": PushBatch.ce_type})
    assert taken == [EnrichedUpdate]
    (dead,) = [DeadLetter.model_validate_json(value) for value in producer.values(PUSH_BATCHES.dead_letters)]
    assert dead.stage == "publish.push.batches"
