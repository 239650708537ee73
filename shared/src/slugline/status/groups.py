"""How far consumer groups are behind on our topics, asked of Kafka: whichever processes are their members."""

import asyncio
from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.settings import Connections
from shared.streams import DECLARED
from slugline.servers import kafka_admin, kafka_reader
from slugline.status.report import Group

AT_ONCE = 10


async def consumer_groups(settings: Connections) -> list[Group]:
    """Every group that has committed offsets on a topic of this installation; one without its prefix is a stranger's."""
    topics = {settings.topic_prefix + stream.name: stream.partitions for stream in DECLARED}
    async with kafka_admin(settings) as admin, kafka_reader(settings) as reader:
        there = {str(group[0]) for group in await admin.list_consumer_groups()}
        names = sorted(name for name in there if name.startswith(settings.topic_prefix))
        limit = asyncio.Semaphore(AT_ONCE)

        async def ask(name: str) -> dict[TopicPartition, int]:
            async with limit:
                return await _committed(admin, name, topics)

        committed = dict(zip(names, await asyncio.gather(*map(ask, names)), strict=True))
        first, end = await _ends(reader, {place for places in committed.values() for place in places})
    return [
        Group(name, topic, lag)
        for name, places in committed.items()
        for topic in sorted({place.topic for place in places})
        for lag in [
            sum(
                max(end.get(place, 0) - max(offset, first.get(place, 0)), 0)
                for place, offset in places.items()
                if place.topic == topic
            )
        ]
    ]


async def _committed(admin: AIOKafkaAdminClient, group: str, topics: Mapping[str, int]) -> dict[TopicPartition, int]:
    offsets = await admin.list_consumer_group_offsets(group)
    found = {place: int(each.offset) for place, each in offsets.items() if place.topic in topics and each.offset >= 0}
    # A partition without a commit has been read by nobody: it counts from its beginning.
    for topic in {place.topic for place in found}:
        for partition in range(topics[topic]):
            found.setdefault(TopicPartition(topic, partition), 0)
    return found


async def _ends(
    reader: AIOKafkaConsumer, places: set[TopicPartition]
) -> tuple[Mapping[TopicPartition, int], Mapping[TopicPartition, int]]:
    if not places:
        return {}, {}
    wanted = sorted(places)
    return await reader.beginning_offsets(wanted), await reader.end_offsets(wanted)
