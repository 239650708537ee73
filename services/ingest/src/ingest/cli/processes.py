"""`python -m ingest api`, `poll`, `watch`, `migrate` and `openapi`."""

import json

import click

from ingest.cli.database import with_postgres
from ingest.settings import Settings
from shared.process import run


@click.command()
def api() -> None:
    """Take copy that is pushed over HTTP."""
    from ingest.processes import serve_api  # noqa: PLC0415 -- so that --help stays fast

    settings = Settings()
    run(settings, "ingest.api", lambda stop: serve_api(settings, stop))


@click.command()
def poll() -> None:
    """Poll feeds; any number of replicas share them."""
    from ingest.processes import serve_poll  # noqa: PLC0415

    settings = Settings()
    run(settings, "ingest.poll", lambda stop: serve_poll(settings, stop))


@click.command()
def watch() -> None:
    """Take files from folders; any number of workers share a folder."""
    from ingest.processes import serve_watch  # noqa: PLC0415

    settings = Settings()
    run(settings, "ingest.watch", lambda stop: serve_watch(settings, stop))


@click.command()
def migrate() -> None:
    """Bring the schema `ingest` of Postgres up to date."""

    async def nothing_more(_: object) -> None:
        """The schema is up to date once it is opened."""

    with_postgres(nothing_more)
    click.echo("the schema is up to date")


@click.command()
def openapi() -> None:
    """Print the OpenAPI 3.1 document of `ingest api`."""
    from ingest.transports.api.openapi import document  # noqa: PLC0415

    click.echo(json.dumps(document(), indent=2))
