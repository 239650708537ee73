"""`python -m publish takedown UPDATE_ID`: proves a kill to a person, or to a script."""

import asyncio
import json
import sys

import click

from publish.settings import Settings
from publish.takedown.proof import Report, prove
from publish.takedown.sinks import open_sinks
from shared.postgres.migrations import migrate
from shared.postgres.pool import connect


def as_json(report: Report) -> dict[str, object]:
    """The report for a script."""
    killed = report.killed
    return {
        "update_id": killed.update_id,
        "removal": killed.removal,
        "revision": killed.revision,
        "cursor": str(killed.cursor),
        "ordered_at": killed.passport.received_at.isoformat(),
        "reason": killed.change.reason,
        "clean": report.clean,
        "sinks": [
            {
                "sink": each.sink,
                "clean": each.clean_at is not None,
                "clean_at": each.clean_at.isoformat() if each.clean_at else None,
                "seconds": report.seconds(each),
                "checked_at": each.checked_at.isoformat(),
                "detail": each.detail,
            }
            for each in report.sinks
        ],
    }


def as_text(report: Report) -> str:
    """The report for a person."""
    killed = report.killed
    ordered_at = killed.passport.received_at.isoformat()
    lines = [
        f"{killed.update_id}  {killed.removal} at {ordered_at} (revision {killed.revision}, cursor {killed.cursor})",
        *(
            f"  {'clean' if each.clean_at else 'NOT CLEAN':10} {each.sink:50} "
            + (f"{each.clean_at.isoformat()}  after {report.seconds(each)} s" if each.clean_at else each.detail)
            for each in report.sinks
        ),
        "every sink is clean" if report.clean else "NOT every sink is clean",
    ]
    return "\n".join(lines)


@click.command()
@click.argument("update_id")
@click.option("--json", "json_wanted", is_flag=True, help="Print JSON.")
@click.option("--within", "within_s", type=float, default=15.0, show_default=True, help="Seconds to wait for it.")
def takedown(update_id: str, json_wanted: bool, within_s: float) -> None:
    """Prove that UPDATE_ID is gone from every sink; exit 1 where it is not, 2 where it was not killed."""
    settings = Settings()

    async def body() -> Report | None:
        pool = await connect(settings, schema="publish", max_size=2, for_command=True)
        try:
            await migrate(pool, "publish")
            async with open_sinks(settings, pool) as sinks:
                return await prove(pool, sinks, update_id, within_s=within_s)
        finally:
            await pool.close()

    found = asyncio.run(body())
    if found is None:
        click.echo(f"{update_id} is not killed and not taken down", err=True)
        sys.exit(2)
    click.echo(json.dumps(as_json(found), indent=2) if json_wanted else as_text(found))
    sys.exit(0 if found.clean else 1)
