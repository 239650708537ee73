"""`python -m shared`: topics and the published schemas. Dead letters are `slugline deadletters`."""

import asyncio
import functools
import json
import os
import re
from importlib.metadata import version
from pathlib import Path

import click

from shared import messages
from shared.asyncapi import asyncapi_document
from shared.background import until_answered
from shared.failures.transient import TRANSIENT, reason_of
from shared.kafka.topics import apply_topics
from shared.messages import Message
from shared.postgres.roles import SERVICES, apply_roles
from shared.settings import SECRETS_DIR, Connections
from shared.streams import DAY_MS, STREAMS

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


def _name_of_newsroom(_: click.Context, __: click.Parameter, value: str) -> str:
    if value and not re.fullmatch(r"[a-z][a-z0-9_]{0,29}", value):
        raise click.BadParameter("a lower-case letter, then letters, digits and _, 30 at most")
    return value


@cli.group()
def roles() -> None:
    """Database roles of the services."""


@roles.command("apply")
@click.option("--wait-s", type=click.FloatRange(min=0), default=0.0, help="How long to wait for Postgres, in s.")
@click.option(
    "--newsroom",
    callback=_name_of_newsroom,
    default="",
    help="Of several newsrooms on one server: whose database POSTGRES_DSN names.",
)
@click.option(
    "--connections", type=click.IntRange(min=8), help="With --newsroom: how many connections its database takes."
)
def roles_apply(wait_s: float, newsroom: str, connections: int | None) -> None:
    """Make a role for each service that owns its schema and nothing else; may be repeated.

    POSTGRES_DSN is an administrator's. The passwords are in INGEST_, ENRICH_ and PUBLISH_POSTGRES_PASSWORD, or in files of
    these names in SECRETS_DIR; a service without one is left as it is. Each service's own POSTGRES_DSN then names slugline_ingest, slugline_enrich or slugline_publish.

    With --newsroom coast the roles are slugline_coast_ingest and so on, and nobody else's may enter this database.
    """
    named = {service: _secret(f"{service}_postgres_password") for service in SERVICES}
    passwords = {service: password for service, password in named.items() if password}
    if not passwords:
        raise click.UsageError("set INGEST_POSTGRES_PASSWORD, ENRICH_POSTGRES_PASSWORD or PUBLISH_POSTGRES_PASSWORD")

    async def apply() -> list[str]:
        step = functools.partial(
            apply_roles, Connections().postgres_dsn, passwords, newsroom=newsroom, connections=connections
        )
        if not wait_s:
            return await step()
        async with asyncio.timeout(wait_s):
            return await until_answered("Postgres, for the roles", step)

    try:
        made = asyncio.run(apply())
    except TRANSIENT as error:
        raise click.ClickException(f"Postgres does not answer: {reason_of(error)}") from None
    click.echo("roles: " + ", ".join(made))


def _secret(name: str) -> str:
    """Of the environment, or of a file in SECRETS_DIR; empty where it is in neither."""
    path = Path(os.environ.get("SECRETS_DIR", SECRETS_DIR)) / name
    return os.environ.get(name.upper(), "") or (path.read_text().strip() if path.is_file() else "")


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


if __name__ == "__main__":
    cli(prog_name="python -m shared")
