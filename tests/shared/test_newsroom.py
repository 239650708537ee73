"""The newsroom that every test gets."""

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from shared.settings import Connections
from shared.streams import STREAMS


@pytest.mark.integration
async def test_a_newsroom_has_every_topic_with_its_partitions(newsroom: Connections) -> None:
    """Topics are created from the table, with the partitions that keys are spread over."""
    admin = AIOKafkaAdminClient(bootstrap_servers=newsroom.kafka_servers)
    await admin.start()
    try:
        described = await admin.describe_topics([newsroom.topic_prefix + topic.name for topic in STREAMS])
    finally:
        await admin.close()
    partitions = {topic["topic"].removeprefix(newsroom.topic_prefix): len(topic["partitions"]) for topic in described}
    assert partitions == {topic.name: topic.partitions for topic in STREAMS}


@pytest.mark.integration
async def test_a_newsroom_has_an_empty_database_of_its_own(newsroom: Connections) -> None:
    """No test sees another's rows."""
    connection = await asyncpg.connect(newsroom.postgres_dsn)
    try:
        assert await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    finally:
        await connection.close()
