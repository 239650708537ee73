"""`slugline erase`: by author, source, words or update; says first what is meant, and erases with --yes."""

import asyncio
import sys
from dataclasses import asdict

import asyncpg
import click

from shared.audit.author import of_command
from shared.audit.log import append_after
from shared.commands import to_json
from shared.failures.transient import TRANSIENT, reason_of
from shared.observability.logs import configure_logging
from shared.postgres.pool import connect
from shared.settings import Connections
from slugline.erasure.erase import OUTAGES, Erased
from slugline.erasure.erase import erase as carry_out
from slugline.erasure.search import LEAST_CHARACTERS, Found, Wanted, search

SHOWN = 20
FAILURES: tuple[type[Exception], ...] = (*TRANSIENT, asyncpg.PostgresError, *OUTAGES)


async def _work(wanted: Wanted, reason: str, within_s: float, *, yes: bool) -> tuple[Found, Erased | None]:
    settings = Connections()
    configure_logging(settings, "slugline")
    stop = asyncio.Event()
    stop.set()
    pool = await connect(settings, schema="slugline", stop=stop, max_size=2, for_command=True)
    try:
        found = await search(pool, wanted)
        if not yes:
            return found, None
        done = await carry_out(settings, pool, wanted, found, reason=reason, within_s=within_s)
    finally:
        await pool.close()
    # What was looked for is not on record: it is what was to be erased.
    after = {"updates": len(done.updates), "originals": done.originals, "complete": done.complete}
    log = await connect(settings, schema="publish", stop=stop, max_size=1, for_command=True)
    try:
        await append_after(log, of_command(reason).entry("words-erased", "erase", None, after))
    finally:
        await log.close()
    return found, done


def as_text(done: Erased) -> str:
    """The report for a person."""
    lines = [f"{len(done.updates)} updates and {done.originals} originals, {done.at:%Y-%m-%d %H:%M:%S} UTC"]
    for each in done.places:
        until = f" {each.until:%Y-%m-%d}" if each.until else ""
        lines.append(f"  {each.state + until:18} {each.place}{': ' + each.detail if each.detail else ''}")
    lines.append(
        "nothing is left to do" if done.complete else "NOT all is done: see not-yet, and run the same command again"
    )
    return "\n".join(lines)


@click.command()
@click.option("--author", "authors", multiple=True, help="Whoever's byline says this name. May come again.")
@click.option("--source", "sources", multiple=True, help="Everything of this source. May come again.")
@click.option("--words", multiple=True, help="Whatever says these words, anywhere. May come again.")
@click.option("--update", "update_ids", multiple=True, help="This update. May come again.")
@click.option("--reason", default="erased on request", show_default=True, help="For the record; readers may see it.")
@click.option(
    "--within", "within_s", type=float, default=120.0, show_default=True, help="Seconds to wait for the takedowns."
)
@click.option("--yes", is_flag=True, help="Erase. Without it, only what is meant is shown.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def erase(  # noqa: PLR0917 -- options of a command
    authors: tuple[str, ...],
    sources: tuple[str, ...],
    words: tuple[str, ...],
    update_ids: tuple[str, ...],
    reason: str,
    within_s: float,
    yes: bool,
    as_json: bool,
) -> None:
    """Take down every update that is meant, and delete what is kept of it: originals, versions, bylines, pictures, records.

    The report says of each place whether it is gone, until when it is not, or why it is kept. It cannot be undone. Exit 1
    where something is left to do: the same command goes on. enrich and publish must run.
    """
    wanted = Wanted(authors, sources, words, update_ids)
    if wanted == Wanted():
        raise click.UsageError("say what: --author, --source, --words or --update")
    if short := [each for each in wanted.needles if len(each.strip()) < LEAST_CHARACTERS]:
        raise click.UsageError(
            f"{short[0]!r} is too short: it is in everything ({LEAST_CHARACTERS} characters at least)"
        )
    try:
        found, done = asyncio.run(_work(wanted, reason, within_s, yes=yes))
    except FAILURES as error:
        click.echo(f"not done: {reason_of(error)}; the same command goes on", err=True)
        sys.exit(1)
    if done is None:
        if as_json:
            click.echo(to_json({"updates": found.updates, "originals": sorted(found.originals)}))
            return
        for update_id in sorted(found.updates)[:SHOWN]:
            click.echo(f"{update_id}  {found.updates[update_id]}")
        more = len(found.updates) - SHOWN
        click.echo(
            f"{len(found.updates)} updates{f' ({more} more)' if more > 0 else ''}, {len(found.originals)} originals. Erase with --yes"
        )
        return
    click.echo(to_json(asdict(done) | {"complete": done.complete}) if as_json else as_text(done))
    sys.exit(0 if done.complete else 1)
