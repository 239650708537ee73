"""What the broker of a run can do, asked of itself: a test that needs more says so with `@pytest.mark.needs(...)`."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from shared.kafka.producer import new_producer
from shared.kafka.standalone import new_consumer
from shared.settings import Connections
from shared.streams import ENRICHED, RAW
from support.servers import Servers, new_newsroom
from support.topics import raw_update, send_all
from support.waiting import eventually


async def _controller(settings: Connections) -> str:
    """A node takes orders about topics, such as to delete one."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_servers)
    await admin.start()
    try:
        cluster = await admin.describe_cluster()
    finally:
        await admin.close()
    named, nodes = cluster["controller_id"], [each["node_id"] for each in cluster["brokers"]]
    return "" if named in nodes else f"the broker names node {named} as controller, and has {nodes}"


async def _whole_fetches(settings: Connections) -> str:
    """A fetch answers with all that a partition holds, however many sends it came by."""
    for guid in ("one", "two"):
        await send_all(settings, ENRICHED, [raw_update(guid)])
    consumer = new_consumer(settings, "tests")
    await consumer.start()
    try:
        partition = TopicPartition(settings.topic_prefix + ENRICHED.name, 0)
        consumer.assign([partition])
        consumer.seek(partition, 0)
        records = (await consumer.getmany(timeout_ms=10_000)).get(partition, [])
    finally:
        await consumer.stop()
    return "" if len(records) == 2 else f"a fetch answers with {len(records)} of 2 messages"


async def _room(settings: Connections) -> str:
    """A partition keeps ten megabytes."""
    topic = settings.topic_prefix + ENRICHED.name
    producer = new_producer(settings, "tests")
    await producer.start()
    try:
        for _ in range(5):
            await producer.send_and_wait(topic, b"x" * 2_000_000, partition=0)
    finally:
        await producer.stop()
    consumer = new_consumer(settings, "tests")
    await consumer.start()
    try:
        first = (await consumer.beginning_offsets([TopicPartition(topic, 0)]))[TopicPartition(topic, 0)]
    finally:
        await consumer.stop()
    return "" if first == 0 else f"of 5 messages of 2 MB the broker keeps {5 - first}"


async def _second_member(settings: Connections) -> str:
    """Another member joins a group that is at work, and is given its part."""
    topic = settings.topic_prefix + RAW.name

    def member() -> AIOKafkaConsumer:
        group = f"{settings.topic_prefix}asked"
        return AIOKafkaConsumer(
            topic, bootstrap_servers=settings.kafka_servers, group_id=group, heartbeat_interval_ms=100
        )

    first, second = member(), member()
    await first.start()
    try:
        await second.start()
        await eventually(lambda: first.assignment() and second.assignment(), what="the second was given nothing")
    except (KafkaError, AssertionError) as error:
        return f"a group that another joined came to {error!r:.200}"
    finally:
        await second.stop()
        await first.stop()
    return ""


CAPABILITIES: Mapping[str, Callable[[Connections], Awaitable[str]]] = {
    "a controller": _controller,
    "whole fetches": _whole_fetches,
    "room": _room,
    "a second member": _second_member,
}
"""By name, how to ask a broker for it: why it lacks it, or nothing."""


@cache
def lacking(capability: str, servers: Servers) -> str:
    """Why these servers' broker cannot do that; empty where it can. Raises `KeyError` for a capability that has no name."""

    async def ask() -> str:
        with tempfile.TemporaryDirectory() as folder:
            async with new_newsroom(servers, Path(folder)) as settings:
                return await CAPABILITIES[capability](settings)

    # A thread of its own has no event loop yet, whatever the test has.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, ask()).result()
