"""The producer: how it tells that only a new process can send again."""

import asyncio
from typing import Any

import pytest
from aiokafka.errors import KafkaError, KafkaTimeoutError

from shared.kafka.producer import Producer, acknowledged
from shared.streams import ENRICHED, RAW


class Client:
    """aiokafka's producer."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.partitions: list[int | None] = []

    async def send(self, topic: str, *, partition: int | None, **_: Any) -> "asyncio.Future[object]":
        if self.failure is not None:
            raise self.failure
        self.partitions.append(partition)
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        future.set_result(topic)
        return future


async def send(producer: Producer) -> object:
    (result,) = await acknowledged([await producer.send_bytes(RAW, b"", key=b"a", headers=[])])
    return result


async def test_a_producer_whose_sender_has_died_has_failed() -> None:
    """aiokafka refuses every message then; an outage is something else, and a message that is taken ends both."""
    client: Any = Client()
    producer = Producer(client, source="tests", topic_prefix="p.")
    assert await send(producer) == "p.updates.raw"
    for failure, failed in ((KafkaTimeoutError(), False), (KafkaError("Unexpected error during batch delivery"), True)):
        client.failure = failure
        with pytest.raises(KafkaError):
            await send(producer)
        assert producer.failed is failed
    client.failure = None
    await send(producer)
    assert not producer.failed


async def test_a_topic_of_one_partition_needs_no_partitioner() -> None:
    """Its messages go to partition 0."""
    client: Any = Client()
    await Producer(client, source="tests").send_bytes(ENRICHED, b"", key=b"a", headers=[])
    assert client.partitions == [0]


async def test_the_first_failure_is_raised_once_all_have_ended() -> None:
    """So that nothing is under way when a batch is read again."""
    loop = asyncio.get_running_loop()
    bad, slow = loop.create_future(), loop.create_future()
    bad.set_exception(KafkaError("no"))
    loop.call_later(0.01, slow.set_result, None)
    with pytest.raises(KafkaError, match="no"):
        await acknowledged([bad, slow])
    assert slow.done()
