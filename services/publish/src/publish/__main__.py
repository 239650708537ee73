"""`python -m publish`: the processes of the service, and what operators do with it."""

import asyncio
import importlib

import click

from publish.settings import Settings

COMMANDS = {
    "web": "publish.web.main:web",
    "archive": "publish.archive.main:archive",
    "cache": "publish.cache.main:cache",
    "push": "publish.push.main:push",
    "takedown": "publish.takedown:takedown",
}
"""Where each command lives: a click command, imported when it is asked for, so that a process loads only what it runs."""


class Commands(click.Group):
    """The commands of the table above beside those of this module."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, sorted."""
        return sorted({*super().list_commands(ctx), *COMMANDS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name; None where there is none, which click tells the user."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return super().get_command(ctx, cmd_name)
        module, _, name = place.partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.group(cls=Commands)
def cli() -> None:
    """Fans updates out: the web, the archive, the cache, and what is pushed."""


@cli.command()
def migrate() -> None:
    """Bring the schema `publish` of Postgres up to date."""
    from shared.postgres import connect  # noqa: PLC0415
    from shared.postgres import migrate as apply_migrations  # noqa: PLC0415

    async def body() -> list[str]:
        pool = await connect(Settings(), schema="publish")
        try:
            return await apply_migrations(pool, "publish")
        finally:
            await pool.close()

    applied = asyncio.run(body())
    click.echo("applied: " + ", ".join(applied) if applied else "the schema is up to date")


if __name__ == "__main__":
    cli(prog_name="python -m publish")
