"""`python -m ingest`: the processes of the service, and what operators do with it."""

import importlib
from typing import Any

import click
from pydantic import ValidationError

COMMANDS = {
    "api": "ingest.commands.processes:api",
    "migrate": "ingest.commands.processes:migrate",
    "poll": "ingest.commands.processes:poll",
    "watch": "ingest.commands.processes:watch",
    "openapi": "ingest.commands.processes:openapi",
    "sources": "ingest.commands.sources:sources",
    "originals": "ingest.commands.originals:originals",
    "record": "ingest.commands.wireday:record",
    "replay": "ingest.commands.wireday:replay",
    "read": "ingest.read:read_command",
    "order": "ingest.commands.orders:order",
}
"""Where each command lives: imported when it is asked for, so that a process loads only what it runs."""


class Commands(click.Group):
    """The commands of the table above."""

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

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a setting that makes no sense is named in one line."""
        try:
            return super().invoke(ctx)
        except ValidationError as error:
            if error.title != "Settings":
                raise
            wrong = [f"{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors(include_input=False)]
            raise click.UsageError("; ".join(wrong)) from error


@click.group(cls=Commands)
def cli() -> None:
    """Takes copy in from wires, feeds and desks and puts it on Kafka."""


if __name__ == "__main__":
    cli(prog_name="python -m ingest")
