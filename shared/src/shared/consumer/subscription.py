"""The FastStream subscriber of a consumer.

It is not one of `batch=True`. That one sleeps after an empty poll, without polling, for as long as the poll may wait (0.7.8,
`BatchSubscriber.get_msg`; there is one setting for both): a message that comes meanwhile waits for the end of the sleep, or
the consumer turns hundreds of times a second while there is nothing to do. A subscriber of single messages waits for the
next one and takes it at once; the handler then takes what came with it.
"""

from collections.abc import Awaitable, Callable
from itertools import chain
from typing import TypeAlias, cast

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER
from faststream.kafka.subscriber.usecase import DefaultSubscriber

from shared.consumer.batches.in_flight import Records
from shared.streams import MAX_MESSAGE_BYTES

log = structlog.get_logger(__name__)

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


async def batch_from(first: Record, client: AIOKafkaConsumer | None, max_records: int) -> Records:
    """A record with what was fetched along with it; of each partition in its order."""
    if client is None or max_records == 1:
        return [first]
    try:
        fetched = await client.getmany(timeout_ms=0, max_records=max_records - 1)
    except Exception as error:  # noqa: BLE001 -- whatever it is, the first record has been taken and must not be passed over
        log.warning("nothing taken beside the first record", error=str(error), fold=first.topic)
        return [first]
    return [first, *chain.from_iterable(fetched.values())]


def subscribe(
    broker: KafkaBroker,
    consume: Callable[[Record], Awaitable[None]],
    listener: ConsumerRebalanceListener,
    *,
    topic: str,
    group: str,
    fetch_wait_ms: int,
    title: str,
    description: str,
) -> DefaultSubscriber:
    """Declare a subscriber on a broker that has not started. It commits nothing itself."""
    subscriber: DefaultSubscriber = broker.subscriber(
        topic,
        group_id=group,
        fetch_max_wait_ms=fetch_wait_ms,
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
