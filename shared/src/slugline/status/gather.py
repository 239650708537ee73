"""Asks everything that `slugline status` shows, all at once: what does not answer spoils its own part only."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import IncompatibleBrokerVersion

from shared.observability.servers import TAKES_NO_WRITES
from shared.redis_client import open_redis
from shared.settings import Connections
from slugline.deadletters.letters import CONSUMED, Filters, find
from slugline.servers import ANSWERS_WITHIN_S, ReadConnection, answer_of, kafka_admin, kafka_reader, postgres
from slugline.settings import OperatorSettings
from slugline.status import tables
from slugline.status.groups import consumer_groups
from slugline.status.processes import ask_processes
from slugline.status.report import DeadLetterCount, Report, Server

T = TypeVar("T")

LETTERS_READ = 2_000
"""Newest records of each dead-letter topic that are counted; who has more than these counts them with `deadletters list`."""
SECTION_S = 15.0


async def gather(settings: OperatorSettings) -> Report:
    """The report of this moment."""
    unknown: dict[str, str] = {}
    untold: list[str] = []
    unseen: list[str] = []

    async def known(what: str, asked: Coroutine[object, object, Sequence[T]]) -> Sequence[T]:
        try:
            answer = await answer_of(_offered(asked), SECTION_S, told=asyncpg.InsufficientPrivilegeError)
        except NotOffered:
            untold.append(what)
            return ()
        except asyncpg.InsufficientPrivilegeError:
            unseen.append(what)
            return ()
        if isinstance(answer, str):
            unknown[what] = answer
            return ()
        return answer

    async def table(what: str, ask: Callable[[ReadConnection], Awaitable[Sequence[T]]]) -> Sequence[T]:
        async def asked() -> Sequence[T]:
            async with postgres(settings) as database:
                return await ask(database)

        return await known(what, asked())

    async with asyncio.TaskGroup() as asked:
        processes = asked.create_task(ask_processes(settings.addresses))
        servers = asked.create_task(ask_servers(settings))
        groups = asked.create_task(known("the lag of consumer groups", consumer_groups(settings)))
        letters = asked.create_task(known("the count of dead letters", count_dead_letters(settings)))
        sources = asked.create_task(table("the state of sources", tables.sources))
        takedowns = asked.create_task(table("the state of takedowns", tables.takedowns))
        aside = asked.create_task(table("what is set aside", tables.set_aside))
        refreshes = asked.create_task(table("the line of refreshes", tables.refreshes_waiting))
    away = {each.name for each in servers.result() if each.error}
    return Report(
        datetime.now(UTC),
        processes.result(),
        servers.result(),
        groups.result(),
        sources.result(),
        letters.result(),
        takedowns.result(),
        aside.result(),
        sum(refreshes.result()),
        # What is not known because its server is away is no second finding.
        {what: why for what, why in unknown.items() if KEPT_IN[what] not in away},
        untold,
        sorted(unseen),
    )


class Refuses(ConnectionError):
    """The server answers, and cannot do its work."""


class NotOffered(Exception):
    """The server has no such request: Kafka in memory, which `make demo` has, tells little of itself."""


async def _offered(asked: Coroutine[object, object, Sequence[T]]) -> Sequence[T]:
    try:
        return await asked
    except IncompatibleBrokerVersion as error:
        raise NotOffered(str(error)) from error


KEPT_IN = {
    "the lag of consumer groups": "Kafka",
    "the count of dead letters": "Kafka",
    "the state of sources": "Postgres",
    "the state of takedowns": "Postgres",
    "what is set aside": "Postgres",
    "the line of refreshes": "Postgres",
}
"""Which server knows what."""


async def ask_servers(settings: Connections) -> list[Server]:
    """Kafka, Postgres and Redis: whether each answers this command, and how fast."""

    async def kafka() -> None:
        async with kafka_admin(settings):
            pass

    async def database() -> None:
        async with postgres(settings, reads_only=False) as connection:
            if refusal := await connection.fetchval(TAKES_NO_WRITES):
                raise Refuses(refusal)

    async def redis() -> None:
        async with open_redis(settings, timeout_s=ANSWERS_WITHIN_S) as client:
            await client.ping()

    async def ask(name: str, asked: Callable[[], Awaitable[None]]) -> Server:
        started = time.monotonic()
        try:
            error = await answer_of(asked(), told=Refuses)
        except Refuses as refusal:
            error = str(refusal)
        if error is not None:
            return Server(name, error)
        return Server(name, answered_in_ms=round((time.monotonic() - started) * 1000, 1))

    asked = list(await asyncio.gather(ask("Kafka", kafka), ask("Postgres", database), ask("Redis", redis)))
    # Redis is publish's: other services are not told where it is.
    return [
        each for each in asked if each.name != "Redis" or not each.error or "redis_url" in settings.model_fields_set
    ]


async def count_dead_letters(settings: Connections) -> list[DeadLetterCount]:
    """Open dead letters of each topic."""
    counts = []
    async with kafka_admin(settings) as admin:
        there = await _topics(admin)
    async with kafka_reader(settings) as reader:
        for topic, stream in CONSUMED.items():
            if settings.topic_prefix + stream.dead_letters.name not in there:
                raise ConnectionError(f"there is no topic {settings.topic_prefix + stream.dead_letters.name}")
            found = await find(settings, reader, Filters(topics=(topic,)), most_records=LETTERS_READ)
            newest = max((each.failed_at for each in found.letters), default=None)
            counts.append(DeadLetterCount(topic, len(found.letters) + found.unreadable, newest, not found.more))
    return counts


async def _topics(admin: AIOKafkaAdminClient) -> set[str]:
    return set(await admin.list_topics())
