"""`slugline`: what operators do, in one command."""

import click

from shared.commands import Commands

COMMANDS: dict[str, str] = {
    "audit": "slugline.audit.commands:audit",
    "backup": "slugline.recovery.commands:backup",
    "erase": "slugline.erasure.command:erase",
    "restore": "slugline.recovery.commands:restore",
}
"""Where each command lives."""


@click.group(cls=Commands, places=COMMANDS)
def cli() -> None:
    """See, mend and move a Slugline installation."""


if __name__ == "__main__":
    cli(prog_name="slugline")
