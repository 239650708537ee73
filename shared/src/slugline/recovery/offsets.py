"""Offsets of consumer groups: written down with a dump, and set back with it, so that what came since is handled again.

Postgres of yesterday and groups of today do not fit: what lies between would never be in the rows. What is handled again changes
nothing that was published: enrich adopts what the log has of it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    KafkaError,
    NotCoordinatorForGroupError,
)

from shared.failures.transient import reason_of
from shared.kafka.security import client_options
from shared.settings import Connections
from shared.streams import ENRICHED, MEDIA, OUTCOMES, RAW, Stream
from slugline.recovery.programs import NotPossible

T = TypeVar("T")

COORDINATOR_WITHIN_S, COORDINATOR_PAUSE_S = 45.0, 0.5
COMING = (GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError, GroupLoadInProgressError)
GROUPS: Mapping[str, Stream] = {
    "enrich.text": RAW,
    "enrich.media": MEDIA,
    "ingest.outcomes": OUTCOMES,
    "publish.archive": ENRICHED,
}
"""Groups whose rows must not be behind their offsets. The archive would find its own way back, but only once something comes. The
cache has Redis; push is left where it is, so that nobody is alerted twice."""


@dataclass(frozen=True, slots=True)
class LogPlaces:
    """What Kafka looked like: its cluster, the next offset of each group by partition, and the end of `updates.enriched`."""

    cluster_id: str
    groups: Mapping[str, Mapping[int, int]]
    enriched_end: int


@dataclass(frozen=True, slots=True)
class SetBack:
    """What setting a group back came to."""

    group: str
    again: int
    """Records that are handled again."""
    lost: int
    """Records since the dump that the topic does not hold any more."""


async def coordinated(ask: Callable[[], Awaitable[T]], *, within_s: float = COORDINATOR_WITHIN_S) -> T:
    """Ask until there is a coordinator: a cluster that is new, or has just lost a broker, makes one when it is first asked for it."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            return await ask()
        except COMING:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(COORDINATOR_PAUSE_S)


async def read_places(settings: Connections) -> LogPlaces:
    """Where the groups are now; raises NotPossible while Kafka does not answer."""
    admin = AIOKafkaAdminClient(**client_options(settings), client_id="slugline-backup")
    consumer = AIOKafkaConsumer(**client_options(settings), client_id="slugline-backup")
    try:
        await admin.start()
        await consumer.start()
        cluster_id = str((await admin.describe_cluster()).get("cluster_id") or "")
        groups: dict[str, dict[int, int]] = {}
        for group, stream in GROUPS.items():
            topic = settings.topic_prefix + stream.name
            offsets = await coordinated(partial(admin.list_consumer_group_offsets, settings.topic_prefix + group))
            groups[group] = {place.partition: each.offset for place, each in offsets.items() if place.topic == topic}
        partition = TopicPartition(settings.topic_prefix + ENRICHED.name, 0)
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        return LogPlaces(cluster_id, groups, end)
    except (KafkaError, OSError) as error:
        raise NotPossible(f"Kafka does not answer: {reason_of(error)}") from error
    finally:
        await consumer.stop()
        await admin.close()


async def set_back(settings: Connections, then: LogPlaces) -> list[SetBack]:
    """Set the groups to where they were; raises NotPossible where a member of one is alive.

    A log that is another one (a new cluster, or a topic made anew) is read from its beginning.
    """
    now = await read_places(settings)
    another = now.cluster_id != then.cluster_id or now.enriched_end < then.enriched_end
    return [
        await _set_back(
            settings, group, stream, {} if another else then.groups.get(group, {}), now.groups.get(group, {})
        )
        for group, stream in GROUPS.items()
    ]


async def _set_back(
    settings: Connections, group: str, stream: Stream, wanted: Mapping[int, int], current: Mapping[int, int]
) -> SetBack:
    topic = settings.topic_prefix + stream.name
    consumer = AIOKafkaConsumer(
        **client_options(settings), group_id=settings.topic_prefix + group, enable_auto_commit=False,
        client_id="slugline-restore",
    )  # fmt: skip
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(stream.partitions)]
        consumer.assign(partitions)
        begins, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        targets: dict[TopicPartition, int] = {}
        again = lost = 0
        for partition in partitions:
            place = wanted.get(partition.partition, 0)
            targets[partition] = min(max(place, begins[partition]), ends[partition])
            lost += max(begins[partition] - place, 0) if partition.partition in wanted else 0
            again += max(current.get(partition.partition, ends[partition]) - targets[partition], 0)
        await consumer.commit(targets)
        return SetBack(group, again, lost)
    except KafkaError as error:
        raise NotPossible(
            f"the group {group} cannot be set back ({type(error).__name__}): end its processes, wait half a minute, and try again"
        ) from error
    finally:
        await consumer.stop()
