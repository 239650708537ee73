"""Real Kafka, Postgres and Redis for tests, and on them a newsroom of its own for each test.

Addresses come from TEST_KAFKA_SERVERS, TEST_POSTGRES_DSN and TEST_REDIS_URL where they are set.
"""

import os
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from aiokafka.admin import AIOKafkaAdminClient

from shared.kafka import apply_topics
from shared.settings import Connections


@dataclass(frozen=True)
class Servers:
    """Where the servers are and what they run on: `given`, `containers`, `processes` or `embedded`."""

    kafka: str
    postgres: str
    redis: str
    kind: str


@pytest.fixture(scope="session")
def servers() -> Servers:
    """The servers of this run."""
    names = ("TEST_KAFKA_SERVERS", "TEST_POSTGRES_DSN", "TEST_REDIS_URL")
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        pytest.fail(f"no servers: set {', '.join(missing)}")
    kafka, postgres, redis = (os.environ[name] for name in names)
    return Servers(kafka, postgres, redis, "given")


@pytest_asyncio.fixture
async def newsroom(servers: Servers, tmp_path: Path) -> AsyncIterator[Connections]:
    """A topic prefix with its topics, a database and a media folder that no other test has; gone afterwards."""
    name = f"t{uuid.uuid4().hex[:10]}"
    admin = await asyncpg.connect(servers.postgres)
    await admin.execute(f"CREATE DATABASE {name}")
    settings = Connections(
        kafka_servers=servers.kafka,
        postgres_dsn=servers.postgres.rsplit("/", 1)[0] + f"/{name}",
        redis_url=servers.redis,
        topic_prefix=f"{name}.",
        media_store=f"file://{tmp_path}/media",
        bind_host="127.0.0.1",
    )
    await apply_topics(settings)
    yield settings
    client = AIOKafkaAdminClient(bootstrap_servers=servers.kafka)
    await client.start()
    await client.delete_topics(
        [topic for topic in await client.list_topics() if topic.startswith(settings.topic_prefix)]
    )
    await client.close()
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()
