"""`slugline`: what operators do, in one command."""

import logging
import os
import sys
from pathlib import Path

import click

from slugline.service_commands import Operations

COMMANDS: dict[str, str] = {
    "audit": "slugline.audit.commands:audit",
    "backup": "slugline.recovery.commands:backup",
    "deadletters": "slugline.deadletters.command:deadletters",
    "doctor": "slugline.doctor.command:doctor",
    "erase": "slugline.erasure.command:erase",
    "prune": "slugline.prune:prune",
    "restore": "slugline.recovery.commands:restore",
    "status": "slugline.status.command:status",
    "where": "slugline.where.command:where",
}
"""Where each command lives."""


def read_environment(path: Path) -> dict[str, str]:
    """The lines NAME=value of a file, as compose reads them: empty lines and those that begin with # are passed over."""
    lines = (line.strip() for line in path.read_text("utf-8").splitlines())
    pairs = (line.removeprefix("export ").partition("=") for line in lines if line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("'\"") for name, _, value in pairs}


@click.group(cls=Operations, places=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--env",
    "environment",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="SLUGLINE_ENV",
    help="A file of NAME=value lines to read settings from, such as .local/up/slugline.env; the environment goes before it.",
)
def cli(environment: Path | None) -> None:
    """See, mend and move a Slugline installation.

    It finds Kafka, Postgres, Redis and the processes by the same settings as the processes do (KAFKA_SERVERS, POSTGRES_DSN,
    REDIS_URL, SLUGLINE_PROCESSES, ...), and changes nothing unless the command's name says so.

    \b
    Begin with:
      slugline status          is all well, and if not, what is wrong?
      slugline where ID        where is this update, and why is it not on the page?
      slugline doctor          is the installation set up as it should be?

    \b
    Exit codes of commands that judge (status, where, doctor):
      0  all well      1  somebody should look      2  readers or senders miss something now
     64  the command was not understood
    """
    if environment is not None:
        for name, value in read_environment(environment).items():
            os.environ.setdefault(name, value)


def main() -> None:
    """The command as it is installed."""
    # What Kafka's client says of a connection that fails is told by the command, in a line.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    sys.exit(cli(prog_name="slugline"))


if __name__ == "__main__":
    main()
