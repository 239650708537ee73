"""`python -m supply audit`: what is known against the versions that are locked, where that can be asked."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", *(f"services/{name}/requirements.lock" for name in ("ingest", "enrich", "publish")))


@click.group()
def cli() -> None:
    """What the images are made of."""


@cli.command()
def audit() -> None:
    """Ask pip-audit about each lock. Ends with 1 where something is known; says so where nothing could be asked."""
    found = {name: _audited(ROOT / name) for name in LOCKS}
    code = 0
    for name, packages in found.items():
        skipped = [each["name"] for each in packages if "skip_reason" in each]
        known = [(each["name"], each["version"], vuln["id"]) for each in packages for vuln in each.get("vulns", ())]
        if len(skipped) == len(packages):
            click.echo(f"{name}: NOT AUDITED: advisories cannot be reached from here ({len(packages)} packages)")
            continue
        click.echo(f"{name}: {len(packages) - len(skipped)} packages audited, {len(known)} advisories")
        if skipped:
            click.echo(f"{name}: NOT AUDITED: {', '.join(skipped)}")
        for package, version, identity in known:
            click.echo(f"{name}: {package} {version}: {identity}")
            code = 1
    sys.exit(code)


def _audited(lock: Path) -> list[dict[str, Any]]:
    command = [
        sys.executable,
        "-m",
        "pip_audit",
        "--disable-pip",
        "--require-hashes",
        "-r",
        str(lock),
        "-f",
        "json",
        "--progress-spinner",
        "off",
        "--timeout",
        "10",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        # Without a way to the service it ends with a message alone.
        click.echo(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "pip-audit said nothing", err=True)
        return []
    return found


if __name__ == "__main__":
    cli(prog_name="python -m supply")
