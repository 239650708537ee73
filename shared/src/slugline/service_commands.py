"""The group of all commands: its own, and those that the services which are installed here announce.

A service announces a command as an entry point of the group `slugline.commands`, so that this package imports no service.
"""

import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any, NoReturn

import click

from shared.commands import Commands

ENTRY_POINTS = "slugline.commands"
ELSEWHERE = {
    "sources": "ingest",
    "originals": "ingest",
    "orders": "ingest",
    "republish": "enrich",
    "takedown": "publish",
}
"""In which service's image a command is that is not installed here."""
NOT_UNDERSTOOD = 64
"""EX_USAGE of sysexits.h: 2 says that readers miss something."""
HINTS = {
    "sources": "Add, list, pause and remove sources.",
    "originals": "Look at copy as it was received.",
    "orders": "Kill, correct, pin or withdraw an update.",
    "republish": "Have updates made again out of what is known now.",
    "takedown": "Prove that a killed update is gone everywhere.",
}


def elsewhere(name: str) -> click.Command:
    """What stands for a command of a service that is not installed here: it says where it is."""

    @click.command(
        name=name,
        short_help=f"{HINTS[name]} (in the image of {ELSEWHERE[name]})",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
        add_help_option=False,
    )
    def command() -> NoReturn:
        service = ELSEWHERE[name]
        raise click.ClickException(
            f"`{name}` comes with the service {service}, which is not installed here. Run it there:\n"
            f"  docker compose run --rm tools {name} ...\n"
            f"  kubectl -n slugline exec deploy/tools -- slugline {name} ...\n"
            f"  kubectl -n slugline exec deploy/{PROCESS_OF[service]} -- slugline {name} ..."
        )

    return command


PROCESS_OF = {"ingest": "ingest-api", "enrich": "enrich-text", "publish": "publish-push"}
"""A process of each service, whose image has its commands and whose settings they need."""


class Operations(Commands):
    """Commands at places, of services, and elsewhere; a mistake in the command line has an exit code of its own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, sorted."""
        return sorted({*super().list_commands(ctx), *ELSEWHERE, *entry_points(group=ENTRY_POINTS).names})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if (own := super().get_command(ctx, cmd_name)) is not None:
            return own
        for entry in entry_points(group=ENTRY_POINTS, name=cmd_name):
            command: click.Command = entry.load()
            return command
        return elsewhere(cmd_name) if cmd_name in ELSEWHERE else None

    def main(self, *arguments: Any, standalone_mode: bool = True, **options: Any) -> Any:
        """Run, and end the process with its exit code."""
        run: Callable[..., Any] = super().main
        if not standalone_mode:
            return run(*arguments, standalone_mode=False, **options)
        try:
            code = run(*arguments, standalone_mode=False, **options)
        except click.UsageError as error:
            error.show()
            sys.exit(NOT_UNDERSTOOD)
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except click.Abort:
            click.echo("stopped", err=True)
            sys.exit(130)
        sys.exit(code if isinstance(code, int) else 0)
