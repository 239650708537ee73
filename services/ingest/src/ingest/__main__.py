"""`python -m ingest`: the processes of the service, and the commands of its operators."""

import click

from shared.commands import Commands, set_aside

COMMANDS = {
    "api": "ingest.cli.processes:api",
    "migrate": "ingest.cli.processes:migrate",
    "poll": "ingest.cli.processes:poll",
    "watch": "ingest.cli.processes:watch",
    "openapi": "ingest.cli.processes:openapi",
    "keys": "ingest.cli.keys:keys",
    "sources": "ingest.cli.sources:sources",
    "originals": "ingest.cli.originals:originals",
    "record": "ingest.cli.replay:record",
    "replay": "ingest.cli.replay:replay",
    "read": "ingest.cli.read:read_command",
    "prune": "ingest.retention:prune",
    "order": "ingest.cli.orders:order",
}
"""Where each command lives."""


@click.group(cls=Commands, places=COMMANDS)
def cli() -> None:
    """Takes copy in from wires, feeds and desks and puts it on Kafka."""


cli.add_command(set_aside("ingest"))


if __name__ == "__main__":
    cli(prog_name="python -m ingest")
