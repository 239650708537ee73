"""Kafka: whether each topic is there and configured as declared, and each partition has its replicas."""

from collections.abc import Mapping, Sequence

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import IncompatibleBrokerVersion

from shared.settings import Connections
from shared.streams import MAX_MESSAGE_BYTES, STREAMS, Stream
from slugline.doctor.finding import Finding, look, well, wrong
from slugline.servers import kafka_admin

AREA = "Kafka"


async def check(settings: Connections) -> list[Finding]:
    """All of it; raises where no broker answers."""
    async with kafka_admin(settings) as admin:
        there = set(await admin.list_topics())
        wanted = {settings.topic_prefix + stream.name: stream for stream in STREAMS}
        present = [name for name in wanted if name in there]
        described = (
            {each["topic"]: each["partitions"] for each in await admin.describe_topics(present)} if present else {}
        )
        brokers = len((await admin.describe_cluster())["brokers"])
        configured = await _configured(admin, present)
    found = [
        wrong(AREA, f"there is no topic {name}", "python -m shared topics apply")
        for name in wanted
        if name not in there
    ]
    for name in present:
        found += of_partitions(name, wanted[name], described.get(name, []))
        found += of_config(name, wanted[name], (configured or {}).get(name, {}))
    if brokers > 1 and settings.replication_factor == 1:
        found.append(
            look(
                AREA,
                f"{brokers} brokers, and REPLICATION_FACTOR is 1: a broker's disk is a part of the news",
                "set it to 3",
            )
        )
    if configured is None:
        return found or [
            well(AREA, f"all {len(wanted)} topics are there; this Kafka does not tell how they are configured")
        ]
    return found or [well(AREA, f"{brokers} brokers; all {len(wanted)} topics are there, as declared")]


async def _configured(admin: AIOKafkaAdminClient, topics: Sequence[str]) -> Mapping[str, Mapping[str, str]] | None:
    """How each topic is configured; None where Kafka has no such request, as the in-memory one of `make demo`."""
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in topics]
    try:
        answers = await admin.describe_configs(resources) if resources else []
    except IncompatibleBrokerVersion:
        return None
    return {
        str(resource[3]): {str(entry[0]): str(entry[1]) for entry in resource[4]}
        for answer in answers
        for resource in answer.resources
    }


def of_partitions(name: str, stream: Stream, partitions: Sequence[Mapping[str, object]]) -> list[Finding]:
    """How many partitions a topic has, and whether each has a leader and all of its replicas."""
    found = []
    if len(partitions) != stream.partitions:
        found.append(
            wrong(
                AREA,
                f"{name} has {len(partitions)} partitions, {stream.partitions} are declared",
                "recreate it while it is empty: a key that moves to another partition loses its order",
            )
        )
    without = [str(each["partition"]) for each in partitions if each["leader"] in (None, -1)]
    if without:
        found.append(wrong(AREA, f"{name}: no leader for {', '.join(without)}", "a broker is away: start it"))
    behind = [each for each in partitions if _count(each["isr"]) < _count(each["replicas"])]
    if behind and not without:
        found.append(look(AREA, f"{name}: {len(behind)} partitions lack a replica", "a broker is away or slow"))
    return found


def _count(value: object) -> int:
    return len(value) if isinstance(value, list | tuple) else 0


def of_config(name: str, stream: Stream, config: Mapping[str, str]) -> list[Finding]:
    """Retention and size of messages, against what is declared; nothing where Kafka did not say."""
    found = []
    retention = config.get("retention.ms")
    if retention is not None and retention != str(stream.retention_ms):
        kept_ms = int(retention)
        shorter = kept_ms != -1 and (stream.retention_ms == -1 or kept_ms < stream.retention_ms)
        mend = f"kafka-configs.sh --alter --entity-type topics --entity-name {name} --add-config retention.ms={stream.retention_ms}"
        what = f"{name} keeps messages for {retention} ms, {stream.retention_ms} are declared"
        found.append(look(AREA, what + (": an outage may outlast it" if shorter else ""), mend))
    size = config.get("max.message.bytes")
    if size is not None and int(size) < MAX_MESSAGE_BYTES:
        mend = f"kafka-configs.sh --alter --entity-type topics --entity-name {name} --add-config max.message.bytes={MAX_MESSAGE_BYTES}"
        found.append(wrong(AREA, f"{name} refuses messages of more than {size} bytes", mend))
    if config.get("cleanup.policy", "delete") != "delete":
        found.append(
            wrong(
                AREA,
                f"{name} is compacted: versions that were not read yet would go",
                f"set cleanup.policy=delete on {name}",
            )
        )
    return found
