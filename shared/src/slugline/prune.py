"""`slugline prune`: the command `prune` of each service that is installed here, one after the other."""

import importlib.util
import subprocess
import sys

import click

SERVICES = ("ingest", "enrich", "publish")


@click.command()
@click.option(
    "--policy", type=click.Path(exists=True, dir_okay=False), envvar="RETENTION_POLICY",
    help="TOML file: days by rule, a table for each service. [env: RETENTION_POLICY]",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say how many rows would go, and delete nothing.")
@click.option("--list", "listing", is_flag=True, help="Say what is kept for how long, and ask no server.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def prune(policy: str | None, dry_run: bool, listing: bool, as_json: bool) -> None:
    """Delete what is older than the policy keeps it, of each service that is installed here.

    Exit 1 where a rule of any failed.
    """
    flags = {"--dry-run": dry_run, "--list": listing, "--json": as_json}
    arguments = [name for name, given in flags.items() if given] + ([f"--policy={policy}"] if policy else [])
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
