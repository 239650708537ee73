"""`slugline backup FOLDER` and `slugline restore FOLDER`."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import asyncpg
import click

from shared.commands import to_json
from shared.failures.transient import TRANSIENT, reason_of
from shared.observability.logs import configure_logging
from shared.postgres.pool import Pool, connect
from shared.settings import Connections
from slugline.recovery import manifest, removals
from slugline.recovery.backup import backup as back_up
from slugline.recovery.manifest import Manifest
from slugline.recovery.programs import NotPossible
from slugline.recovery.restore import restore as put_back
from slugline.recovery.schedule import Schedule

T = TypeVar("T")

CONNECT_ERRORS: tuple[type[Exception], ...] = (*TRANSIENT, asyncpg.PostgresError)


def _with_pool(act: Callable[[Connections, Pool], Awaitable[T]]) -> T:
    async def body() -> T:
        settings = Connections()
        configure_logging(settings, "slugline")
        stop = asyncio.Event()
        stop.set()
        try:
            pool = await connect(settings, schema="slugline", stop=stop, max_size=2, for_command=True)
        except CONNECT_ERRORS as error:
            raise NotPossible(f"Postgres does not answer: {reason_of(error)}") from error
        try:
            return await act(settings, pool)
        finally:
            await pool.close()

    try:
        return asyncio.run(body())
    except NotPossible as error:
        click.echo(f"not done: {error}", err=True)
        sys.exit(1)


def _told(words: str) -> None:
    click.echo(f"{words} …", err=True)


_PG_BIN = click.option(
    "--pg-bin", type=click.Path(file_okay=False, path_type=Path), envvar="PG_BIN",
    help="Folder of pg_dump and pg_restore, where they are not on PATH. [env: PG_BIN]",
)  # fmt: skip
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_FOLDER = click.argument("folder", type=click.Path(file_okay=False, path_type=Path))


@click.command()
@_FOLDER
@_PG_BIN
@_JSON
@click.option("--no-media", is_flag=True, help="Leave the renditions out.")
@click.option(
    "--only-removals",
    is_flag=True,
    help="Write only what is killed, into FOLDER/removals.jsonl: cheap enough for every minute.",
)
@click.option(
    "--every",
    "every_h",
    type=click.FloatRange(min=0.01),
    metavar="HOURS",
    help="Run on: a backup every so many hours in a folder of its own below FOLDER, what is killed every minute in FOLDER/removals.",
)
@click.option("--keep", type=click.IntRange(min=1), default=7, show_default=True, help="With --every: how many.")
def backup(  # noqa: PLR0917 -- options of a command
    folder: Path,
    pg_bin: Path | None,
    as_json: bool,
    no_media: bool,
    only_removals: bool,
    every_h: float | None,
    keep: int,
) -> None:
    """Back Postgres, what is killed and the renditions up into FOLDER, while everything runs.

    Kafka is the truth and keeps itself (three brokers): a dump and the log behind it are everything. Each backup has a folder
    of its own; it holds copy and keys of a newsroom, so its permissions are 0700.
    """
    if every_h is not None:
        _run_on(folder, timedelta(hours=every_h), keep, pg_bin=pg_bin, with_media=not no_media)
        return
    if only_removals:
        count = _write_removals(folder, _with_pool(lambda _, pool: removals.removals(pool)))
        click.echo(to_json({"removals": count}) if as_json else f"{count} removals written")
        return
    made = _with_pool(
        lambda settings, pool: back_up(settings, pool, folder, pg_bin=pg_bin, with_media=not no_media, told=_told)
    )
    if as_json:
        click.echo(to_json(asdict(made)))
        return
    click.echo(_described(folder, made))


def _write_removals(folder: Path, killed: Mapping[str, str]) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    removals.write(folder / manifest.REMOVALS, killed)
    return len(killed)


def _described(folder: Path, made: Manifest) -> str:
    files = "without renditions" if made.media_files is None else f"{made.media_files} renditions"
    return f"{folder}: {made.size_bytes / 1e6:.1f} MB of Postgres, {files}, in {made.seconds:.1f} s"


def _run_on(folder: Path, every: timedelta, keep: int, *, pg_bin: Path | None, with_media: bool) -> None:
    settings = Connections()
    configure_logging(settings, "slugline")

    async def with_pool(act: Callable[[Pool], Awaitable[T]]) -> T:
        pool = await connect(settings, schema="slugline", max_size=2, for_command=True)
        try:
            return await act(pool)
        finally:
            await pool.close()

    async def back_up_into(target: Path) -> str:
        made = await with_pool(
            lambda pool: back_up(settings, pool, target, pg_bin=pg_bin, with_media=with_media, told=_told)
        )
        return _described(target, made)

    async def note_removals(target: Path) -> int:
        return _write_removals(target, await with_pool(removals.removals))

    asyncio.run(Schedule(folder, every, keep, back_up_into, note_removals, click.echo).run())


@click.command()
@_FOLDER
@_PG_BIN
@_JSON
@click.option(
    "--removals", "killed_in", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A newer list of what is killed (backup --only-removals), where the database of today is lost. May come again.",
)  # fmt: skip
@click.option(
    "--no-roles", is_flag=True, help="Leave owners and rights out: the roles of the dump are not in this cluster."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(  # noqa: PLR0917 -- options of a command
    folder: Path, pg_bin: Path | None, as_json: bool, killed_in: tuple[Path, ...], no_roles: bool, yes: bool
) -> None:
    """Put what FOLDER holds in the place of what Postgres has now. End every process first.

    What the log has since the dump is handled again when the processes start: updates, corrections and kills come back, at
    their places, and cursors hold. What only Postgres knew since is lost: sources, keys, subscriptions, editors' directory.
    Look through `ingest keys` and `push keys` afterwards: a key that was revoked since the dump is valid again.
    """
    if not yes:
        click.confirm("This replaces the schemas ingest, enrich and publish. Go on?", abort=True)
    done = _with_pool(
        lambda settings, pool: put_back(
            settings, pool, folder, pg_bin=pg_bin, killed_in=killed_in, with_roles=not no_roles, told=_told
        )
    )
    if as_json:
        click.echo(to_json(asdict(done) | {"lost": done.lost}))
    else:
        click.echo(f"restored as of {done.made_at:%Y-%m-%d %H:%M:%S} UTC, in {done.seconds:.1f} s")
        for each in done.set_back:
            gone = f"; {each.lost} since the dump are gone from Kafka" if each.lost else ""
            click.echo(f"  {each.group:20} handles {each.again} records again{gone}")
        click.echo(f"  {len(done.hidden)} updates that were killed since are out of sight again")
        click.echo("start the processes; then `slugline takedown ID` proves each of them")
    sys.exit(1 if done.lost else 0)
