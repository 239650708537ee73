"""Sends messages to Kafka."""

import asyncio
from collections.abc import Iterable, Sequence

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, OutOfOrderSequenceNumber, ProducerFenced
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.protocol.metadata import MetadataRequest

from shared.kafka.cloudevents import headers_for, value_of
from shared.kafka.security import client_options
from shared.messages import Message
from shared.settings import Connections
from shared.streams import MAX_MESSAGE_BYTES, Stream

PARTITIONER = DefaultPartitioner()
"""The one that aiokafka's producer uses when no partition is given."""


def new_producer(settings: Connections, client_id: str) -> AIOKafkaProducer:
    """acks=all without idempotence.

    One request is in flight for each node, which keeps the order, and every effect is idempotent; an idempotent
    producer, once fenced, fails every later send until the process restarts (aiokafka issue 1017).
    """
    return AIOKafkaProducer(
        **client_options(settings),
        client_id=client_id,
        acks="all",
        enable_idempotence=False,
        linger_ms=0,
        compression_type=None if settings.kafka_compression == "none" else settings.kafka_compression,
        max_batch_size=262_144,
        max_request_size=MAX_MESSAGE_BYTES,
        request_timeout_ms=15_000,
    )


class Producer:
    """Sends messages, and says when Kafka has them. Messages of one caller keep their order for each key."""

    def __init__(self, producer: AIOKafkaProducer, *, source: str, topic_prefix: str = "") -> None:
        self._producer = producer
        self._source = source
        self._prefix = topic_prefix
        self._failed = False

    async def send(
        self,
        stream: Stream,
        message: Message,
        *,
        key: str,
        event_id: str,
        traceparent: str = "",
    ) -> "asyncio.Future[object]":
        """Queue a message; the future ends once every in-sync replica has it. Await all futures before any commit."""
        headers = headers_for(message, source=self._source, event_id=event_id, traceparent=traceparent)
        return await self.send_bytes(stream, value_of(message), key=key.encode(), headers=headers)

    async def send_bytes(
        self,
        stream: Stream,
        value: bytes | None,
        *,
        key: bytes | None,
        headers: Sequence[tuple[str, bytes]],
        partition: int | None = None,
    ) -> "asyncio.Future[object]":
        """Queue bytes as they are, to the partition of their key unless one is given."""
        # With one partition there is nothing to work out from the key.
        if stream.partitions == 1:
            partition = 0
        try:
            future: asyncio.Future[object] = await self._producer.send(
                self._prefix + stream.name, value=value, key=key, partition=partition, headers=list(headers)
            )
        except KafkaError as error:
            self._failed = _is_fatal(error)
            raise
        self._failed = False
        return future

    def partition_of(self, stream: Stream, key: bytes) -> int | None:
        """The partition of a key; None while the topic's partitions are not known yet."""
        partitions = self._producer.client.cluster.partitions_for_topic(self._prefix + stream.name)
        return PARTITIONER(key, sorted(partitions), ()) if partitions else None

    def leader_of(self, stream: Stream, partition: int) -> int | None:
        """The broker that leads a partition, as far as is known; None if there is none."""
        node: int | None = self._producer.client.cluster.leader_for_partition(
            TopicPartition(self._prefix + stream.name, partition)
        )
        return node if node is not None and node >= 0 else None

    def leaders_of(self, stream: Stream) -> set[int]:
        """The brokers that lead the partitions of a topic, as far as is known."""
        partitions = self._producer.client.cluster.partitions_for_topic(self._prefix + stream.name) or ()
        return {node for each in partitions if (node := self.leader_of(stream, each)) is not None}

    async def look_up(self, stream: Stream) -> None:
        """Refresh what is known of a topic's partitions and their leaders."""
        await self._producer.partitions_for(self._prefix + stream.name)
        await self._producer.client.force_metadata_update()

    async def ask(self, node: int) -> None:
        """A round trip to one broker, over the connection that carries what is sent to it; changes nothing.

        Raises a `KafkaError` where the broker cannot be reached or does not answer within the producer's request timeout.
        """
        await self._producer.client.send(node, MetadataRequest([]))

    async def begin_sending(self) -> None:
        """Let aiokafka's sender write what is queued before the caller goes on; it needs three turns of the event loop."""
        for _ in range(3):
            await asyncio.sleep(0)

    @property
    def failed(self) -> bool:
        """Whether the last message was refused since the sender has died, so that only a new process can send again."""
        return self._failed


def _is_fatal(error: KafkaError) -> bool:
    """Whether aiokafka's sender task has died.

    It then refuses every message with what it died of: a plain `KafkaError`, or one of the two that end an idempotent
    producer (https://github.com/aio-libs/aiokafka/issues/1017). aiokafka has no public attribute for it.
    """
    return type(error) is KafkaError or isinstance(error, ProducerFenced | OutOfOrderSequenceNumber)


async def acknowledged(futures: Iterable["asyncio.Future[object]"]) -> list[object]:
    """Wait until Kafka has all of them: each one's record metadata, in order; the first failure is raised once all have ended."""
    results = await asyncio.gather(*futures, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return list(results)
