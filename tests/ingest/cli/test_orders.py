"""`python -m ingest order`."""

import asyncio

import asyncpg
import orjson
import pytest
from click.testing import CliRunner, Result

from ingest.__main__ import cli
from shared.messages import update_id_for
from shared.settings import Connections
from shared.streams import RAW
from support.topics import everything_in

UPDATE = update_id_for("north", "a")


async def run(newsroom: Connections, *arguments: str) -> Result:
    """`python -m ingest order`."""
    environment = {name.upper(): str(value) for name, value in newsroom.model_dump().items()}
    return await asyncio.to_thread(CliRunner().invoke, cli, ("order", *arguments), env=environment)


@pytest.mark.integration
async def test_an_order_by_command_reaches_kafka(newsroom: Connections) -> None:
    """It ends once Kafka has the order; a kill needs no Postgres, what stands between other orders does; it is noted there."""
    without = newsroom.model_copy(update={"postgres_dsn": "postgresql://x:x@127.0.0.1:1/x"})
    assert (await run(without, "kill", UPDATE, "--reason", "wrong man", "--by", "Night editor")).exit_code == 0
    refused = await run(without, "pin", UPDATE, "--by", "me")
    assert (refused.exit_code, "the order was not given" in refused.output) == (1, True)
    environment = {name.upper(): str(value) for name, value in newsroom.model_dump().items()}
    assert (await asyncio.to_thread(CliRunner().invoke, cli, ("migrate",), env=environment)).exit_code == 0
    for order in ("pin", "unpin"):
        assert (await run(newsroom, order, UPDATE, "--by", "me")).exit_code == 0
    records = await everything_in(newsroom, RAW)
    assert [record.key for record in records] == [UPDATE.encode()] * 3
    assert [orjson.loads(record.value or b"")["order"] for record in records] == ["kill", "pin", "unpin"]
    connection = await asyncpg.connect(newsroom.postgres_dsn)
    assert await connection.fetchval("SELECT array_agg(name ORDER BY name) FROM ingest.orders") == ["pin", "unpin"]
    await connection.close()


@pytest.mark.integration
async def test_an_order_that_kafka_does_not_have_is_not_given(newsroom: Connections) -> None:
    """Kafka away, an update that cannot be and an order without its reason end with an error that says so."""
    away = newsroom.model_copy(update={"kafka_servers": "127.0.0.1:1"})
    refused = await run(away, "pin", UPDATE)
    assert (refused.exit_code, "not given" in refused.output) == (1, True)
    assert (await run(newsroom, "pin", "nonsense")).exit_code == 2
    assert (await run(newsroom, "kill", UPDATE)).exit_code == 2
    assert (await run(newsroom, "explode", UPDATE)).exit_code == 2
    assert await everything_in(newsroom, RAW) == []
