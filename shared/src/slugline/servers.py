"""The servers of an installation, for the length of one command: what does not answer says so within seconds."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable
from typing import TypeAlias, TypeVar

import asyncpg
import click
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from shared.failures.transient import TRANSIENT, reason_of
from shared.kafka.security import client_options
from shared.kafka.standalone import new_consumer
from shared.settings import Connections

T = TypeVar("T")

ANSWERS_WITHIN_S = 6.0
CLIENT_ID = "slugline-operator"

AWAY: tuple[type[Exception], ...] = (*TRANSIENT, asyncpg.PostgresError)
"""What a server raises that is away, is of an older release, or refuses."""

WIDER_ROLE = (
    "give this command a POSTGRES_DSN that may read all three schemas; `docker compose run --rm tools ...` has one"
)

ReadConnection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@contextlib.asynccontextmanager
async def postgres(settings: Connections, *, reads_only: bool = True) -> AsyncIterator[ReadConnection]:
    """A connection that only reads. Schemas are named in each statement, since it looks at all of them.

    With `reads_only` False it writes nothing either, and sees whether the server would let it.
    """
    connection = await asyncpg.connect(
        settings.postgres_dsn,
        timeout=ANSWERS_WITHIN_S,
        command_timeout=30,
        server_settings={
            "application_name": CLIENT_ID,
            "statement_timeout": "20000",
            **({"default_transaction_read_only": "on"} if reads_only else {}),
        },
    )
    try:
        yield connection
    finally:
        await connection.close(timeout=ANSWERS_WITHIN_S)


@contextlib.asynccontextmanager
async def kafka_admin(settings: Connections) -> AsyncIterator[AIOKafkaAdminClient]:
    """Kafka's administration."""
    admin = AIOKafkaAdminClient(
        **client_options(settings),
        client_id=CLIENT_ID,
        request_timeout_ms=int(ANSWERS_WITHIN_S * 1000),
    )
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


@contextlib.asynccontextmanager
async def kafka_reader(settings: Connections) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer without a group and without partitions."""
    consumer = new_consumer(settings, CLIENT_ID)
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


async def answer_of(
    asked: Awaitable[T], within_s: float = ANSWERS_WITHIN_S, *, told: type[Exception] | tuple[type[Exception], ...] = ()
) -> T | str:
    """What a server says, or why it says nothing. Errors that are `told` are raised: they mean something else to the caller."""
    try:
        async with asyncio.timeout(within_s):
            return await asked
    except TimeoutError:
        return f"no answer within {within_s:g} s"
    except told:
        raise
    except AWAY as error:
        return reason_of(error)


def run(command: Awaitable[T]) -> T:
    """Run a command; a server that is away is one line and not a traceback."""

    async def body() -> T:
        return await command

    try:
        return asyncio.run(body())
    except asyncpg.InsufficientPrivilegeError as error:
        raise click.ClickException(f"Postgres: {error}, to the role of POSTGRES_DSN.\n     -> {WIDER_ROLE}") from error
    except AWAY as error:
        server = "Kafka" if isinstance(error, KafkaError) else "Postgres"
        raise click.ClickException(f"{server} does not answer: {reason_of(error)}\n     -> slugline status") from error
