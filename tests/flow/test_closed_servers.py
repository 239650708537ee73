"""The pipeline on servers that speak TLS alone and know who asks."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from aiokafka.errors import KafkaError

from local import jars
from shared.kafka.topics import apply_topics
from shared.redis_client import open_redis
from shared.settings import Connections
from shared.streams import RAW
from slugline.servers import kafka_admin
from support.closed_servers import NEIGHBOUR, PASSWORD, USER, ClosedServers, closed_servers, keep_to_prefix
from support.pipeline import started
from support.processes import Processes
from support.servers import CACHE, real_wanted
from support.topics import everything_in, raw_update, send_all
from support.waiting import eventually

pytestmark = pytest.mark.flow


def settings_of(servers: ClosedServers, media: Path, *, password: str = PASSWORD) -> Connections:
    """What a process of the services is told."""
    return Connections(
        kafka_servers=servers.kafka,
        kafka_security="sasl_ssl",
        kafka_user=USER,
        kafka_password=password,  # type: ignore[arg-type]  # pydantic makes a secret of it
        kafka_ca_file=str(servers.ca),
        kafka_certificate_file=str(servers.certificate),
        postgres_dsn=servers.postgres,
        redis_url=servers.redis,
        media_store=f"file://{media}",
        bind_host="127.0.0.1",
    )


async def test_the_whole_way_over_tls(tmp_path: Path, processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kafka by SASL_SSL with SCRAM and our certificate, Postgres by verify-full past a host that is down, Redis by TLS and ACL.

    The password of Kafka comes as a file, as compose and Kubernetes give secrets.
    """
    try:
        jars.classpath(CACHE)
    except jars.NoJars as reason:
        if real_wanted():
            raise
        pytest.skip(str(reason))
    async with closed_servers() as servers:
        settings = settings_of(servers, tmp_path / "media")
        with pytest.raises(KafkaError):
            await apply_topics(settings_of(servers, tmp_path, password="another"))
        with pytest.raises((OSError, asyncpg.PostgresError)):
            await asyncpg.connect(servers.postgres.replace("verify-full", "disable"))
        await apply_topics(settings)
        secrets = tmp_path / "secrets"
        secrets.mkdir()
        (secrets / "kafka_password").write_text(PASSWORD + "\n")
        monkeypatch.setenv("SECRETS_DIR", str(secrets))
        without_secret = settings.model_copy(
            update={"kafka_password": Connections.model_fields["kafka_password"].default}
        )
        async with started(without_secret, processes, tmp_path) as pipeline, pipeline.stream() as stream:
            update_id = await pipeline.accepted(
                guid="urn:test:closed", headline="Over closed ways", body_html="<p>Words.</p>"
            )
            await stream.until(update_id, "publish")
            await pipeline.visible(update_id, "Over closed ways")
            async with open_redis(settings, timeout_s=5) as redis:
                await eventually(
                    lambda: redis.get(f"slugline:update:{update_id}"),
                    lambda found: found is not None,
                    what="not in Redis",
                )
        await _kept_to_its_prefix(settings)


async def _kept_to_its_prefix(settings: Connections) -> None:
    """Another newsroom's user of the same Kafka: nothing before it has rules, then its own topics, and of others not even the names."""
    coast = settings.model_copy(update={"kafka_user": NEIGHBOUR, "topic_prefix": "coast."})
    with pytest.raises(KafkaError):
        await apply_topics(coast)
    await asyncio.to_thread(keep_to_prefix, settings, NEIGHBOUR, "coast.")
    await apply_topics(coast)
    await send_all(coast, RAW, [raw_update("own")])
    assert len(await everything_in(coast, RAW)) == 1
    async with kafka_admin(coast) as admin:
        assert {each for each in await admin.list_topics() if not each.startswith("coast.")} == set()
    with pytest.raises(KafkaError):
        await send_all(coast.model_copy(update={"topic_prefix": ""}), RAW, [raw_update("theirs")])
