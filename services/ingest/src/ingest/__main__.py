"""`python -m ingest`: the processes of the service, and what operators do with it."""

import click

from shared.commands import Commands

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
"""Where each command lives."""


@click.group(cls=Commands, places=COMMANDS)
def cli() -> None:
    """Takes copy in from wires, feeds and desks and puts it on Kafka."""


if __name__ == "__main__":
    cli(prog_name="python -m ingest")
