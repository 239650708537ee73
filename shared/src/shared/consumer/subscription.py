"""The FastStream subscriber of a consumer."""

from collections.abc import Awaitable, Callable
from typing import cast

from aiokafka import ConsumerRebalanceListener, ConsumerRecord
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER
from faststream.kafka.subscriber.usecase import BatchSubscriber

from shared.consumer.batches.in_flight import Records
from shared.streams import MAX_MESSAGE_BYTES

POLL_MS = 3
"""FastStream polls for so long, and after an empty poll sleeps for as long again without polling (0.7.8,
`BatchSubscriber.get_msg`; there is one setting for both). A message that comes meanwhile waits for the end of the sleep:
0.75 ms on average. An idle consumer turns 170 times a second for it."""


async def keep_records(message: "tuple[ConsumerRecord[bytes, bytes], ...]") -> KafkaMessage:
    """FastStream's message of a batch, whose body is the records as they are.

    FastStream's own parser reads the headers, which may be anybody's bytes, and would decode all of a batch before the
    consumer has noted what it is about to do (`PartitionNotes`).
    """
    return KafkaMessage(raw_message=message, body=message, correlation_id="-", consumer=FAKE_CONSUMER)


async def records_of(message: KafkaMessage) -> Records:
    """What the handler gets: the records."""
    return cast("Records", message.body)


def subscribe(
    broker: KafkaBroker,
    consume: Callable[[Records], Awaitable[None]],
    listener: ConsumerRebalanceListener,
    *,
    topic: str,
    group: str,
    max_records: int,
    fetch_wait_ms: int,
    title: str,
    description: str,
) -> BatchSubscriber:
    """Declare a subscriber on a broker that has not started. It commits nothing itself."""
    subscriber: BatchSubscriber = broker.subscriber(
        topic,
        group_id=group,
        batch=True,
        max_records=max_records,
        batch_timeout_ms=POLL_MS,
        fetch_max_wait_ms=fetch_wait_ms,
        max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.MANUAL,
        listener=listener,
        parser=keep_records,
        decoder=records_of,
        title=title,
        description=description,
    )
    subscriber(consume)
    return subscriber


def is_polling(subscriber: BatchSubscriber) -> bool:
    """Whether its loop runs, or has not started. FastStream starts one anew that raised, and none that has ended."""
    return not subscriber.running or not all(task.done() for task in subscriber.tasks)
