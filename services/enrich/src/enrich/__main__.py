"""`python -m enrich`: the processes of the service, and what editors and operators do with it."""

import asyncio
import importlib
import importlib.util

import click

COMMANDS = {
    "media": "enrich.media.commands:media",
    "media-remove": "enrich.media.commands:media_remove",
    "media-report": "enrich.media.commands:media_report",
    "media-retry": "enrich.media.commands:media_retry",
    "media-rights": "enrich.media.commands:media_rights",
    "render": "enrich.media.commands:render",
    "authors": "enrich.commands.authors:authors",
    "tags": "enrich.commands.tags:tags",
    "stories": "enrich.commands.stories:stories",
    "explain": "enrich.commands.explain:explain",
}
"""Where each command lives: a click command, imported when it is asked for, so that a process loads only what it runs."""


class Commands(click.Group):
    """The commands of the table above beside those of this module."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, sorted."""
        return sorted(name for name in {*super().list_commands(ctx), *COMMANDS} if self.get_command(ctx, name))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name; None where there is none, which click tells the user."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return super().get_command(ctx, cmd_name)
        module, _, name = place.partition(":")
        if importlib.util.find_spec(module.rpartition(".")[0]) is None or importlib.util.find_spec(module) is None:
            return None
        return getattr(importlib.import_module(module), name, None)


@click.group(cls=Commands)
def cli() -> None:
    """Attaches authors, tags, media and stories, and decides what readers get."""


@cli.command()
def text() -> None:
    """Enrich updates: from updates.raw to updates.enriched."""
    from enrich.main import serve_text  # noqa: PLC0415
    from enrich.settings import Settings  # noqa: PLC0415
    from shared.process import run  # noqa: PLC0415

    settings = Settings()
    run(settings, "enrich.text", lambda stop: serve_text(settings, stop))


@cli.command()
def migrate() -> None:
    """Bring the schema `enrich` of Postgres up to date."""
    from enrich.settings import Settings  # noqa: PLC0415
    from shared.postgres import connect  # noqa: PLC0415
    from shared.postgres import migrate as apply_migrations  # noqa: PLC0415

    async def body() -> list[str]:
        pool = await connect(Settings(), schema="enrich")
        try:
            return await apply_migrations(pool, "enrich")
        finally:
            await pool.close()

    applied = asyncio.run(body())
    click.echo("applied: " + ", ".join(applied) if applied else "the schema is up to date")


if __name__ == "__main__":
    cli(prog_name="python -m enrich")
