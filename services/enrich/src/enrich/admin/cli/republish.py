"""`slugline republish`, and `python -m enrich republish`."""

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import asyncpg
import click

from enrich.admin import republishing
from enrich.admin.republishing import Selection
from enrich.settings import Settings
from shared.commands import to_json
from shared.postgres.migrations import migrate
from shared.postgres.pool import Pool, connect
from shared.terminal import drawable

T = TypeVar("T")

LOOK_EVERY_S = 1.0
ANSWERS_WITHIN_S = 30.0
AGO = re.compile(r"([0-9]{1,6})([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(_: click.Context, __: click.Parameter, value: str | None) -> datetime | None:
    """For click: `2h` or `3d` ago, or a time in ISO 8601, in UTC where it names no zone."""
    if value is None:
        return None
    if ago := AGO.fullmatch(value):
        return datetime.now(UTC) - timedelta(**{UNITS[ago[2]]: int(ago[1])})
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is neither 30m, 2h, 3d nor a time in ISO 8601") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _with_pool(work: Callable[[Pool], Awaitable[T]]) -> T:
    async def body() -> T:
        settings = Settings()
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            pool = await connect(settings, schema="enrich", max_size=2, for_command=True)
        try:
            await migrate(pool, "enrich")
            return await work(pool)
        finally:
            await pool.close()

    try:
        return asyncio.run(body())
    except TimeoutError:
        raise click.ClickException("Postgres does not answer; see POSTGRES_DSN") from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
        raise click.ClickException(f"Postgres: {error}") from None


@click.command()
@click.argument("update_ids", nargs=-1, metavar="[UPDATE_ID]...")
@click.option("--source", default="", help="Those of this source.")
@click.option(
    "--since", callback=moment, metavar="WHEN", help="Those that changed since: 30m, 2h, 3d, or a time in ISO 8601."
)
@click.option("--until", callback=moment, metavar="WHEN", help="Those that changed before.")
@click.option("--all", "everything", is_flag=True, help="Everything that readers see.")
@click.option("--dry-run", is_flag=True, help="Say how many are meant, and ask for none.")
@click.option("--follow/--no-follow", default=True, show_default=True, help="Wait until all were sent.")
@click.option("--stop", "stopping", is_flag=True, help="Take what still waits out of line.")
@click.option("--json", "json_wanted", is_flag=True, help="Print JSON.")
def republish(
    *,
    update_ids: Sequence[str],
    source: str,
    since: datetime | None,
    until: datetime | None,
    everything: bool,
    dry_run: bool,
    follow: bool,
    stopping: bool,
    json_wanted: bool,
) -> None:
    """Have updates made again out of what is known now: after a change of tags, names or rules, or to fill a place that lost them.

    Each goes through enrich text once more, in the line of refreshes: behind live copy, at most ENRICH_REFRESHES_PER_S a
    second. One that would come out as it is makes no revision. What comes out otherwise is the next revision, of kind
    `enrich`: pages, API, streams, archive and cache take it; webhooks, feeds' subscribers and alerts are not told.

    What was asked for goes on when this command ends (Ctrl-C only stops watching) and survives restarts; --stop ends it.
    Not needed for a lost Redis, which `publish cache` fills again by itself, nor for a changed template of pages, which are
    rendered as they are asked for.
    """
    wrong = [each for each in update_ids if not re.fullmatch(r"[a-z2-7]{26}", each)]
    if wrong:
        raise click.UsageError(f"{wrong[0]!r} is no id of an update, which has 26 letters and digits")
    if not (update_ids or source or since or until or everything or stopping):
        raise click.UsageError("name updates, choose some by --source, --since or --until, or say --all")
    selection = Selection(tuple(update_ids), source, since, until)

    async def work(pool: Pool) -> dict[str, object]:
        if stopping:
            return {"stopped": await republishing.stop(pool)}
        count = 0
        async for some in republishing.slices(pool, selection):
            if some and not dry_run:
                await republishing.ask(pool, some)
            count += len(some)
        if dry_run:
            return {"dry_run": True, "updates": count}
        if follow:
            await _follow(pool, count)
        return {"updates": count, "waiting": await republishing.waiting(pool)}

    done = _with_pool(work)
    if json_wanted:
        click.echo(to_json(done))
    elif stopping:
        click.echo(f"{done['stopped']} taken out of line")
    elif dry_run:
        click.echo(f"would have {done['updates']} updates made again")
    else:
        click.echo(f"{done['updates']} updates asked for, {done['waiting']} still in line")


async def _follow(pool: Pool, count: int) -> None:
    """Show how many are left until all were sent."""
    with click.progressbar(length=count, label="republishing", file=drawable(sys.stderr)) as bar:
        left = await republishing.waiting(pool)
        while left:
            bar.update(max(count - left - bar.pos, 0))
            await asyncio.sleep(LOOK_EVERY_S)
            left = await republishing.waiting(pool)
        bar.update(count - bar.pos)
