"""The command `prune` of a service: once by hand, or again and again beside the other processes."""

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from shared.commands import to_json
from shared.failures.transient import is_transient, reason_of
from shared.observability.logs import configure_logging
from shared.postgres.migrations import migrate
from shared.postgres.pool import connect
from shared.retention.prune import Pruned, prune
from shared.retention.rules import AnyRule, BadPolicy, read_policy, with_policy
from shared.settings import Connections


async def _rounds(
    service: str, rules: Sequence[AnyRule], *, dry_run: bool, as_json: bool, every_h: float | None
) -> bool:
    settings = Connections()
    while True:
        clean = False
        try:
            pool = await connect(settings, schema=service, max_size=2, for_command=True)
            try:
                await migrate(pool, service)
                found = await prune(pool, rules, dry_run=dry_run, told=_progress(quiet=as_json or every_h is not None))
            finally:
                await pool.close()
            clean = not any(each.error for each in found)
            for each in found:
                click.echo(to_json(each) if as_json else _line(each, dry_run))
        except Exception as error:
            if every_h is None or not is_transient(error):
                raise
            click.echo(f"waiting: {reason_of(error)}", err=True)
        if every_h is None:
            return clean
        await asyncio.sleep(every_h * 3600 if clean else 300)


def _progress(*, quiet: bool) -> Callable[[str, int], None]:
    last = time.monotonic()

    def told(rule: str, rows: int) -> None:
        nonlocal last
        if not quiet and time.monotonic() - last > 1:
            last = time.monotonic()
            click.echo(f"{rule}: {rows} so far", err=True)

    return told


def _line(pruned: Pruned, dry_run: bool) -> str:
    if pruned.before is None:
        return f"{pruned.rule:20} kept for ever"
    if pruned.error:
        return f"{pruned.rule:20} FAILED: {pruned.error}"
    what = "would go" if dry_run else "gone"
    return f"{pruned.rule:20} {pruned.rows:9} {what}, older than {pruned.days} days ({pruned.before:%Y-%m-%d})"


def prune_command(service: str, rules: Sequence[AnyRule]) -> click.Command:
    """The command of the service with that schema."""

    @click.command(name="prune")
    @click.option(
        "--policy",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        envvar="RETENTION_POLICY",
        help="TOML file: days by rule in a table of this service. [env: RETENTION_POLICY]",
    )
    @click.option(
        "--rule", "names", multiple=True, type=click.Choice([rule.name for rule in rules]), help="Only this one."
    )
    @click.option("--dry-run", is_flag=True, help="Say how many rows would go, and delete nothing.")
    @click.option("--list", "listing", is_flag=True, help="Say what is kept for how long, and ask no server.")
    @click.option("--every", "every_h", type=click.FloatRange(0.01), help="Go on, and do it again after so many hours.")
    @click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
    def command(  # noqa: PLR0917 -- options of a command
        policy: Path | None, names: tuple[str, ...], dry_run: bool, listing: bool, every_h: float | None, as_json: bool
    ) -> None:
        """Delete what is older than the policy keeps it, a thousand rows at a time; exit 1 where a rule failed.

        Readers see no difference. The same command goes on where one was interrupted.
        """
        try:
            wanted = with_policy(rules, read_policy(policy, service, rules))
        except BadPolicy as error:
            raise click.UsageError(str(error)) from None
        wanted = [rule for rule in wanted if not names or rule.name in names]
        if listing:
            for rule in wanted:
                click.echo(
                    to_json({"rule": rule.name, "days": rule.days or None, "what": rule.what})
                    if as_json
                    else f"{rule.name:20} {f'{rule.days} days' if rule.days else 'for ever':10} {rule.what}"
                )
            return
        configure_logging(Connections(), service)
        sys.exit(0 if asyncio.run(_rounds(service, wanted, dry_run=dry_run, as_json=as_json, every_h=every_h)) else 1)

    return command
