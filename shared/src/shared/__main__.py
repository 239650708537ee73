"""`python -m shared`: topics, dead letters and the published schemas."""

import asyncio
import base64
import functools
import json
import os
import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import click
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared import messages
from shared.asyncapi import asyncapi_document
from shared.audit.author import of_command
from shared.audit.log import append_after
from shared.background import until_answered
from shared.failures.transient import TRANSIENT, reason_of
from shared.kafka.producer import acknowledged, new_producer
from shared.kafka.standalone import new_consumer
from shared.kafka.topics import apply_topics
from shared.messages import DeadLetter, Message
from shared.postgres.pool import connect
from shared.postgres.roles import SERVICES, apply_roles
from shared.settings import Connections
from shared.streams import DAY_MS, DECLARED, STREAMS, Stream

NOTE_S = 10.0


@click.group()
def cli() -> None:
    """What operators do across services."""


@cli.group()
def topics() -> None:
    """The topic table."""


@topics.command("apply")
@click.option("--wait-s", type=click.FloatRange(min=0), default=0.0, help="How long to wait for Kafka, in s.")
def topics_apply(wait_s: float) -> None:
    """Create the topics that are missing; leave the others as they are."""
    created = asyncio.run(_applied(Connections(), wait_s))
    click.echo("created: " + ", ".join(created) if created else "all topics are there")


async def _applied(settings: Connections, wait_s: float) -> list[str]:
    """Ask once, or until Kafka answers within `wait_s`."""
    if not wait_s:
        return await apply_topics(settings)
    try:
        async with asyncio.timeout(wait_s):
            return await until_answered("Kafka, for the topics", lambda: apply_topics(settings))
    except TimeoutError:
        raise click.ClickException(f"Kafka at {settings.kafka_servers} has not answered within {wait_s:g} s") from None


@topics.command("list")
def topics_list() -> None:
    """Print the topic table."""
    for stream in STREAMS:
        days = stream.retention_ms // DAY_MS
        click.echo(f"{stream.name:24} {stream.partitions:3} partitions  {days:3} days  {stream.purpose}")


@cli.group()
def roles() -> None:
    """Database roles of the services."""


@roles.command("apply")
@click.option("--wait-s", type=click.FloatRange(min=0), default=0.0, help="How long to wait for Postgres, in s.")
def roles_apply(wait_s: float) -> None:
    """Make a role for each service that owns its schema and nothing else; may be repeated.

    POSTGRES_DSN is an administrator's. The passwords are in INGEST_, ENRICH_ and PUBLISH_POSTGRES_PASSWORD; a service without one
    is left as it is. Each service's own POSTGRES_DSN then names slugline_ingest, slugline_enrich or slugline_publish.
    """
    named = {service: os.environ.get(f"{service.upper()}_POSTGRES_PASSWORD", "") for service in SERVICES}
    passwords = {service: password for service, password in named.items() if password}
    if not passwords:
        raise click.UsageError("set INGEST_POSTGRES_PASSWORD, ENRICH_POSTGRES_PASSWORD or PUBLISH_POSTGRES_PASSWORD")

    async def apply() -> list[str]:
        step = functools.partial(apply_roles, Connections().postgres_dsn, passwords)
        if not wait_s:
            return await step()
        async with asyncio.timeout(wait_s):
            return await until_answered("Postgres, for the roles", step)

    try:
        made = asyncio.run(apply())
    except TRANSIENT as error:
        raise click.ClickException(f"Postgres does not answer: {reason_of(error)}") from None
    click.echo("roles: " + ", ".join(made))


@cli.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def schemas(folder: Path) -> None:
    """Write the JSON Schema of every message into FOLDER."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in messages.__all__:
        model = getattr(messages, name)
        if isinstance(model, type) and issubclass(model, Message) and model.ce_type:
            path = folder / f"{model.ce_type}.json"
            path.write_text(json.dumps(model.model_json_schema(), indent=2) + "\n")
            click.echo(path)


@cli.command()
def asyncapi() -> None:
    """Print the AsyncAPI 3.0 document of what is on Kafka."""
    click.echo(json.dumps(asyncapi_document(version("slugline-shared")), indent=2))


@cli.group("dead-letters")
def dead_letters() -> None:
    """Messages that were set aside."""


CONSUMED = {stream.name: stream for stream in DECLARED if stream.receivers}


async def _newest_dead_letters(settings: Connections, stream: Stream, limit: int) -> list[DeadLetter]:
    consumer: AIOKafkaConsumer = new_consumer(settings, "slugline-operator")
    await consumer.start()
    try:
        partition = TopicPartition(settings.topic_prefix + stream.dead_letters.name, 0)
        consumer.assign([partition])
        first = (await consumer.beginning_offsets([partition]))[partition]
        end = (await consumer.end_offsets([partition]))[partition]
        consumer.seek(partition, max(first, end - limit))
        found: list[DeadLetter] = []
        while await consumer.position(partition) < end:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                found.extend(DeadLetter.model_validate_json(record.value) for record in records)
        return found
    finally:
        await consumer.stop()


async def _send_back(settings: Connections, dead: Iterable[DeadLetter]) -> None:
    producer = new_producer(settings, "slugline-operator")
    await producer.start()
    try:
        futures = [
            await producer.send(
                each.topic,
                value=base64.b64decode(each.payload),
                key=each.key.encode() if each.key is not None else None,
                headers=[(name, base64.b64decode(value)) for name, value in each.headers],
            )
            for each in dead
        ]
        await acknowledged(futures)
    finally:
        await producer.stop()


async def _note_replay(settings: Connections, topic: str, sent: Iterable[DeadLetter]) -> None:
    """Write into the audit log of each service whose stage had set something aside what it will see again."""
    by_service: dict[str, list[DeadLetter]] = {}
    for each in sent:
        by_service.setdefault(each.stage.partition(".")[0], []).append(each)
    for service, letters in by_service.items():
        after = {"letters": [f"{each.stage} {each.partition}-{each.offset} {each.reason}" for each in letters]}
        entry = of_command().entry("dead-letters-replayed", topic, None, after)
        try:
            async with asyncio.timeout(NOTE_S):
                pool = await connect(settings, schema=service, max_size=1, for_command=True)
        except TimeoutError:
            click.echo(f"not in the audit log of {service}: Postgres does not answer", err=True)
            continue
        try:
            await append_after(pool, entry)
        finally:
            await pool.close()


@dead_letters.command("show")
@click.argument("topic", type=click.Choice(list(CONSUMED)))
@click.option("--limit", default=20, show_default=True, help="How many of the newest.")
def dead_letters_show(topic: str, limit: int) -> None:
    """Print the newest dead letters of TOPIC, one JSON object a line."""
    for each in asyncio.run(_newest_dead_letters(Connections(), CONSUMED[topic], limit)):
        click.echo(each.model_dump_json())


@dead_letters.command("replay")
@click.argument("topic", type=click.Choice(list(CONSUMED)))
@click.option("--max", "most", type=click.IntRange(1), required=True, help="Send back at most this many, the newest.")
@click.option("--stage", default="", help="Only those that this stage set aside.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent and send nothing.")
def dead_letters_replay(topic: str, most: int, stage: str, dry_run: bool) -> None:
    """Send dead letters of TOPIC back to where they came from; effects are idempotent, so a repeat does no harm."""
    settings = Connections()

    async def replay() -> int:
        newest = await _newest_dead_letters(settings, CONSUMED[topic], most)
        chosen = [each for each in newest if each.whole and (not stage or each.stage == stage)]
        if chosen and not dry_run:
            await _send_back(settings, chosen)
            await _note_replay(settings, topic, chosen)
        return len(chosen)

    count = asyncio.run(replay())
    click.echo(f"{'would send' if dry_run else 'sent'} {count} back to {topic}")
    sys.exit(0 if count else 1)


if __name__ == "__main__":
    cli(prog_name="python -m shared")
