"""How Slugline talks to Kafka: the broker, the producer and the bare consumer, with the settings that lose nothing."""

import asyncio
import random
from collections.abc import Iterable, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.protocol.metadata import MetadataRequest
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from shared.background import until_answered
from shared.kafka.cloudevents import headers_for, value_of
from shared.messages import Message
from shared.settings import Connections
from shared.streams import MAX_MESSAGE_BYTES, TOPICS

log = structlog.get_logger(__name__)

ONE_PARTITION = frozenset(topic.name for topic in TOPICS if topic.partitions == 1)

PARTITIONER = DefaultPartitioner()
"""The same that aiokafka's producer uses where it is told no partition."""


def new_broker(settings: Connections, client_id: str) -> KafkaBroker:
    """A FastStream broker that consumes; sending goes through `Emitter`, whose acknowledgements are awaited in bulk.

    Nothing is committed but by the lane (`AckPolicy.MANUAL`): FastStream's own policies commit what was delivered,
    not what was done.
    """
    return KafkaBroker(
        settings.kafka_servers,
        client_id=client_id,
        ack_policy=AckPolicy.MANUAL,
        allow_auto_create_topics=False,
        graceful_timeout=20.0,
        logger=None,
        # A lane takes its records as they are: nothing has to be looked up or converted for a handler's parameters.
        apply_types=False,
    )


def new_producer(settings: Connections, client_id: str) -> AIOKafkaProducer:
    """acks=all without idempotence.

    One request is in flight for each node, which keeps the order, and every effect is idempotent; an idempotent
    producer, once fenced, fails every later send until the process restarts (aiokafka issue 1017).
    """
    return AIOKafkaProducer(
        bootstrap_servers=settings.kafka_servers.split(","),
        client_id=client_id,
        acks="all",
        enable_idempotence=False,
        linger_ms=0,
        compression_type=None if settings.kafka_compression == "none" else settings.kafka_compression,
        max_batch_size=262_144,
        max_request_size=MAX_MESSAGE_BYTES,
        request_timeout_ms=15_000,
    )


def new_consumer(settings: Connections, client_id: str, *topics: str) -> AIOKafkaConsumer:
    """A consumer without a group, for what must reach every replica; the caller assigns and seeks."""
    return AIOKafkaConsumer(
        *[settings.topic_prefix + topic for topic in topics],
        bootstrap_servers=settings.kafka_servers.split(","),
        client_id=client_id,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        fetch_max_wait_ms=settings.kafka_fetch_wait_ms,
        max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
    )


class Emitter:
    """Sends messages and tells when Kafka has them all. Sends of one caller keep their order for each key."""

    def __init__(self, producer: AIOKafkaProducer, *, source: str, topic_prefix: str = "") -> None:
        self._producer = producer
        self._source = source
        self._prefix = topic_prefix

    async def send(
        self,
        topic: str,
        message: Message,
        *,
        key: str,
        event_id: str,
        traceparent: str = "",
    ) -> "asyncio.Future[object]":
        """Queue a message; the future ends once every in-sync replica has it. Await all futures before any commit."""
        headers = headers_for(message, source=self._source, event_id=event_id, traceparent=traceparent)
        return await self.send_bytes(topic, value_of(message), key=key.encode(), headers=headers)

    async def send_bytes(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None,
        headers: Sequence[tuple[str, bytes]],
        partition: int | None = None,
    ) -> "asyncio.Future[object]":
        """Queue bytes as they are; to the partition that their key leads to, unless it is known already."""
        # Where there is but one partition, nothing has to be worked out from the key.
        if topic in ONE_PARTITION:
            partition = 0
        future: asyncio.Future[object] = await self._producer.send(
            self._prefix + topic, value=value, key=key, partition=partition, headers=list(headers)
        )
        return future

    def partition_of(self, topic: str, key: bytes) -> int | None:
        """Where messages of a key go; None while Kafka has not told of the topic's partitions."""
        partitions = self._producer.client.cluster.partitions_for_topic(self._prefix + topic)
        return PARTITIONER(key, sorted(partitions), ()) if partitions else None

    def leader_of(self, topic: str, partition: int) -> int | None:
        """The broker that takes what is sent to a partition, as far as we know; None where there is none."""
        node: int | None = self._producer.client.cluster.leader_for_partition(
            TopicPartition(self._prefix + topic, partition)
        )
        return node if node is not None and node >= 0 else None

    def leaders_of(self, topic: str) -> set[int]:
        """The brokers that take what is sent to a topic, as far as we know."""
        partitions = self._producer.client.cluster.partitions_for_topic(self._prefix + topic) or ()
        return {node for each in partitions if (node := self.leader_of(topic, each)) is not None}

    async def look_up(self, topic: str) -> None:
        """Learn anew of a topic's partitions and their leaders."""
        await self._producer.partitions_for(self._prefix + topic)
        await self._producer.client.force_metadata_update()

    async def ask(self, node: int) -> None:
        """A round trip to one broker, over the connection that carries what is sent to it; changes nothing.

        Raises a `KafkaError` where the broker cannot be reached or does not answer within the producer's request timeout.
        """
        await self._producer.client.send(node, MetadataRequest([]))

    async def begin_sending(self) -> None:
        """Let aiokafka's sender write what was queued before the caller goes on: it wakes, takes it, and writes it, each
        in a turn of the loop of its own."""
        for _ in range(3):
            await asyncio.sleep(0)

    @property
    def failed(self) -> bool:
        """Whether the sender has died, so that only a new process can send again."""
        task = self._producer._sender.sender_task  # noqa: SLF001 -- aiokafka tells it nowhere else
        return bool(task is not None and task.done())


async def acknowledged(futures: Iterable["asyncio.Future[object]"]) -> list[object]:
    """Wait until Kafka has all of them: each one's record metadata, in order; the first failure is raised once all have ended."""
    results = await asyncio.gather(*futures, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return list(results)


async def apply_topics(settings: Connections) -> list[str]:
    """Create what is missing of the topic table; what exists is left as it is. The names that were created."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_servers.split(","))
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        wanted = [
            NewTopic(
                settings.topic_prefix + topic.name,
                topic.partitions,
                settings.replication_factor,
                topic_configs={
                    "retention.ms": str(topic.retention_ms),
                    "max.message.bytes": str(MAX_MESSAGE_BYTES),
                    **({"min.insync.replicas": "2"} if settings.replication_factor > 2 else {}),
                    **topic.config,
                },
            )
            for topic in TOPICS
            if settings.topic_prefix + topic.name not in existing
        ]
        if not wanted:
            return []
        response = await admin.create_topics(wanted)
        created = []
        for name, code, *_ in response.topic_errors:
            if code == 0:
                created.append(name)
            elif code != TopicAlreadyExistsError.errno:
                raise for_code(code)(f"creating topic {name}")
        return created
    finally:
        await admin.close()


async def start_patiently(client: AIOKafkaProducer | AIOKafkaConsumer, what: str, stop: asyncio.Event) -> None:
    """Start a client, again and again with a bounded pause until Kafka answers or the process is told to stop."""
    pause_s = 0.2
    while not stop.is_set():
        try:
            await client.start()
        except (KafkaError, OSError) as error:
            log.warning("kafka away", what=what, error=str(error), retry_in_s=round(pause_s, 1), fold=what)
            try:
                await asyncio.wait_for(stop.wait(), pause_s * random.uniform(0.8, 1.2))
            except TimeoutError:
                pause_s = min(pause_s * 2, 5.0)
        else:
            return


async def start_broker(broker: KafkaBroker, stop: asyncio.Event) -> None:
    """Start a broker and its consumers, again and again until Kafka answers; raises `Unanswered` once `stop` is set."""

    async def start() -> None:
        try:
            await broker.start()
        except Exception:
            await broker.stop()
            raise

    await until_answered("Kafka", start, stop)


__all__ = [
    "ConsumerRecord",
    "Emitter",
    "KafkaBroker",
    "acknowledged",
    "apply_topics",
    "new_broker",
    "new_consumer",
    "new_producer",
    "start_broker",
    "start_patiently",
]
