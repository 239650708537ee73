"""`python -m publish`: the processes of the service, and what operators do with it."""

import click

from shared.commands import Commands, migration, set_aside

COMMANDS = {
    "web": "publish.web.process:web",
    "archive": "publish.archive.process:archive",
    "cache": "publish.cache.process:cache",
    "push": "publish.push.process:push",
    "keys": "publish.cli:keys",
    "prune": "publish.retention:prune",
    "takedown": "publish.takedown.cli:takedown",
    "takedown-key": "publish.takedown.cli:takedown_key",
    "takedown-verify": "publish.takedown.cli:takedown_verify",
}
"""Where each command lives."""


@click.group(cls=Commands, places=COMMANDS)
def cli() -> None:
    """Fans updates out: the web, the archive, the cache, and what is pushed."""


cli.add_command(migration("publish"))
cli.add_command(set_aside("publish"))


if __name__ == "__main__":
    cli(prog_name="python -m publish")
