"""Creates the topics of the streams."""

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from shared.kafka.security import client_options
from shared.settings import Connections
from shared.streams import MAX_MESSAGE_BYTES, STREAMS, Stream


def _new_topic(stream: Stream, settings: Connections) -> NewTopic:
    return NewTopic(
        settings.topic_prefix + stream.name,
        stream.partitions,
        settings.replication_factor,
        topic_configs={
            "retention.ms": str(stream.retention_ms),
            "max.message.bytes": str(MAX_MESSAGE_BYTES),
            **({"min.insync.replicas": "2"} if settings.replication_factor > 2 else {}),
            **stream.config,
        },
    )


async def apply_topics(settings: Connections) -> list[str]:
    """Create the topics that are missing and leave the others as they are. The names that were created."""
    admin = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        wanted = [_new_topic(each, settings) for each in STREAMS if settings.topic_prefix + each.name not in existing]
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
