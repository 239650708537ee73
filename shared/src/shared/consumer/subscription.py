"""The FastStream subscriber of a consumer.

It is not one of `batch=True`. That one sleeps after an empty poll, without polling, for as long as the poll may wait (0.7.8,
`BatchSubscriber.get_msg`; there is one setting for both): a message that comes meanwhile waits for the end of the sleep, or
the consumer turns hundreds of times a second while there is nothing to do. A subscriber of single messages waits for the
next one and takes it at once; the handler then takes what came with it.
"""

from collections.abc import Awaitable, Callable
from typing import TypeAlias, cast

from aiokafka import ConsumerRebalanceListener, ConsumerRecord
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER
from faststream.kafka.subscriber.usecase import DefaultSubscriber

from shared.streams import MAX_MESSAGE_BYTES

Record: TypeAlias = "ConsumerRecord[bytes, bytes]"


async def keep_record(message: Record) -> KafkaMessage:
    """FastStream's message of a record, whose body is the record as it is.

    FastStream's own parser reads the headers, which may be anybody's bytes, and its decoder would read the payload before
    the consumer has noted what it is about to do (`PartitionNotes`).
    """
    return KafkaMessage(raw_message=message, body=message, correlation_id="-", consumer=FAKE_CONSUMER)


async def record_of(message: KafkaMessage) -> Record:
    """What the handler gets: the record."""
    return cast("Record", message.body)


def subscribe(
    broker: KafkaBroker,
    consume: Callable[[Record], Awaitable[None]],
    listener: ConsumerRebalanceListener,
    *,
    topic: str,
    group: str,
    fetch_wait_ms: int,
    session_timeout_s: float,
    title: str,
    description: str,
) -> DefaultSubscriber:
    """Declare a subscriber on a broker that has not started. It commits nothing itself."""
    subscriber: DefaultSubscriber = broker.subscriber(
        topic,
        group_id=group,
        fetch_max_wait_ms=fetch_wait_ms,
        session_timeout_ms=round(session_timeout_s * 1000),
        # Three signs of life in that time: two may be lost.
        heartbeat_interval_ms=round(session_timeout_s * 1000 * 0.3),
        max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.MANUAL,
        listener=listener,
        parser=keep_record,
        decoder=record_of,
        title=title,
        description=description,
    )
    subscriber(consume)
    return subscriber


def is_polling(subscriber: DefaultSubscriber) -> bool:
    """Whether its loop runs, or has not started. FastStream starts one anew that raised, and none that has ended."""
    return not subscriber.running or not all(task.done() for task in subscriber.tasks)
