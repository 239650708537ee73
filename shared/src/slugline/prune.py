"""`slugline prune`: the command `prune` of each service that is installed here, one after the other."""

import importlib.util
import subprocess
import sys

import click

SERVICES = ("ingest", "enrich", "publish")


@click.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def prune(arguments: tuple[str, ...]) -> None:
    """Delete what is older than the policy keeps it, of each service: options as of `python -m ingest prune --help`.

    Exit 1 where a rule of any failed, 2 where an option made no sense.
    """
    installed = [service for service in SERVICES if importlib.util.find_spec(service) is not None]
    if not installed:
        raise click.ClickException(
            "no service is installed here: run it where one is, in its image or after `make venv`"
        )
    worst = 0
    for service in installed:
        click.echo(f"{service}:", err=True)
        done = subprocess.run([sys.executable, "-m", service, "prune", *arguments], check=False)  # noqa: S603 -- ours
        worst = max(worst, done.returncode)
    sys.exit(worst)
