"""A consumer without a group, for what must reach every replica and for reading at a known offset."""

from aiokafka import AIOKafkaConsumer

from shared.kafka.security import client_options
from shared.settings import Connections
from shared.streams import MAX_MESSAGE_BYTES, Stream


def new_consumer(settings: Connections, client_id: str, *streams: Stream) -> AIOKafkaConsumer:
    """A consumer that commits nothing; the caller assigns partitions and seeks."""
    return AIOKafkaConsumer(
        *[settings.topic_prefix + stream.name for stream in streams],
        **client_options(settings),
        client_id=client_id,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        fetch_max_wait_ms=settings.kafka_fetch_wait_ms,
        max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
    )
