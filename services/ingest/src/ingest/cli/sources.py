"""`python -m ingest sources`: who may send, and how their copy arrives."""

import json
import os
from collections.abc import Container, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import orjson
from pydantic import ValidationError

from ingest.cli.database import with_postgres
from ingest.settings import Settings
from ingest.sources import declared, registry, signing
from ingest.sources.quiet import assess_all
from ingest.sources.registry import Source
from ingest.transports.poll import request_recovery
from shared.postgres.pool import Pool


@click.group()
def sources() -> None:
    """Who may send, and how their copy arrives."""


def _saved(fields: dict[str, Any]) -> Source:
    try:
        return Source.model_validate(fields)
    except ValidationError as error:
        raise click.UsageError(registry.complaint(error)) from error


@sources.command("add")
@click.argument("name")
@click.option("--kind", type=click.Choice(["api", "poll", "watch", "websub"]), default="api", show_default=True)
@click.option("--title", default="", help="What people call it.")
@click.option("--url", help="The feed to poll, or the topic that a hub announces.")
@click.option("--folder", help="The folder to watch; absolute.")
@click.option("--format", "format_name", help="The one format it sends; recognised from each document otherwise.")
@click.option("--profile", help="What is particular about it, as a JSON object.")
@click.option("--desk", is_flag=True, help="Its keys may give orders about every source's updates.")
@click.option("--rate", type=float, help="Requests a second it may send.")
@click.option("--max-body", type=int, help="Largest body, in bytes.")
@click.option("--silence", type=int, help="Raise an alarm after so many seconds without new copy.")
def add(
    *,
    name: str,
    kind: str,
    title: str,
    url: str | None,
    folder: str | None,
    format_name: str | None,
    profile: str | None,
    desk: bool,
    rate: float | None,
    max_body: int | None,
    silence: int | None,
) -> None:
    """Add the source NAME and print its key.

    The key is not kept and cannot be shown again.
    """
    try:
        peculiar = json.loads(profile) if profile else {}
    except ValueError as error:
        raise click.BadParameter(f"not JSON: {error}", param_hint="--profile") from error
    source = _saved(
        {
            "name": name, "kind": kind, "title": title, "url": url, "folder": folder, "format": format_name,
            "profile": peculiar, "desk": desk, "rate_per_s": rate, "max_body_bytes": max_body, "silence_after_s": silence,
        }
    )  # fmt: skip

    async def work(pool: Pool) -> str | None:
        if await registry.one_source(pool, name) is not None:
            raise click.ClickException(f"there is a source {name} already; change it with a file and 'sources apply'")
        await registry.save(pool, source)
        if kind != "api":
            return None
        key = registry.new_key()
        await registry.add_key(pool, name, registry.digest_of(key))
        return key

    key = with_postgres(work)
    click.echo(f"added {name}", err=True)
    if key is not None:
        click.echo(key)


@sources.command("apply")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--prune", is_flag=True, help="Remove the sources that the file does not name.")
def apply(file: Path, prune: bool) -> None:
    """Make the sources what the TOML FILE says.

    Those that it does not name stay, unless --prune is given.
    """
    try:
        wanted = declared.parse(file.read_text(), os.environ)
    except (declared.InvalidFile, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file}: {error}") from error

    if prune and not wanted:
        raise click.ClickException(f"{file} names no source, and --prune would remove them all")

    async def work(pool: Pool) -> list[tuple[str, str]]:
        done: list[tuple[str, str]] = []
        for each in wanted:
            name = each.source.name
            before = await registry.one_source(pool, name, unchecked=True)
            what = await registry.save(pool, each.source)
            changed = each.keys is not None and await registry.set_keys(pool, name, each.keys)
            if each.paused is not None and each.paused != (before is not None and before.paused):
                await (registry.pause(pool, name, "by file") if each.paused else registry.resume(pool, name))
                changed = True
            done.append((name, "changed" if changed and what == "unchanged" else what))
        if prune:
            named = {each.source.name for each in wanted}
            for row in await pool.fetch("SELECT name FROM ingest.sources ORDER BY name"):
                if row["name"] not in named:
                    await registry.remove(pool, row["name"])
                    done.append((row["name"], "removed"))
        return done

    for name, what in with_postgres(work):
        click.echo(f"{what:10} {name}")


_LIST = """
SELECT s.name, s.kind, s.title, s.desk, s.paused_at, s.paused_because, s.silence_after_s, s.url, s.folder,
    coalesce(a.accepted, 0) AS accepted, coalesce(a.duplicate, 0) AS duplicate, coalesce(a.repaired, 0) AS repaired,
    coalesce(a.rejected, 0) AS rejected, a.last_heard_at, a.last_accepted_at,
    (SELECT count(*) FROM ingest.keys AS k WHERE k.source = s.name) AS keys,
    coalesce(c.failures, 0) AS failures, coalesce(c.error, '') AS error
FROM ingest.sources AS s LEFT JOIN ingest.activity AS a ON a.source = s.name
LEFT JOIN ingest.cursors AS c ON c.source = s.name
ORDER BY s.name
"""


@sources.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(as_json: bool) -> None:
    """What each source has brought, and how long ago; which is paused, silent or fails, and why."""

    async def work(pool: Pool) -> list[dict[str, Any]]:
        usable = {each.name for each in await registry.all_sources(pool)}
        silent = {each.source: each.meaning for each in await assess_all(pool, datetime.now(UTC)) if each.alarm}
        return [dict(row) | _state(row, silent, usable) for row in await pool.fetch(_LIST)]

    rows = with_postgres(work)
    if as_json:
        for row in rows:
            click.echo(orjson.dumps(row).decode())
        return
    click.echo(
        f"{'name':24} {'kind':7} {'state':8} {'keys':>4} {'accepted':>9} {'duplicate':>9} {'repaired':>9} {'rejected':>9}  last new copy"
    )
    for row in rows:
        click.echo(
            f"{row['name']:24} {row['kind']:7} {row['state']:8} {row['keys']:4} {row['accepted']:9} {row['duplicate']:9} "
            f"{row['repaired']:9} {row['rejected']:9}  {_ago(row['last_accepted_at'])}"
        )
        if row["because"]:
            click.echo(f"{'':24} {row['because']}")


def _state(row: Mapping[str, Any], silent: Mapping[str, str], usable: Container[str]) -> dict[str, str]:
    if row["name"] not in usable:
        return {"state": "unusable", "because": "what is set of it does not fit: sources show tells why"}
    if row["paused_at"]:
        return {"state": "paused", "because": row["paused_because"]}
    if row["name"] in silent:
        return {"state": "silent", "because": silent[row["name"]]}
    if row["failures"]:
        return {"state": "failing", "because": f"{row['failures']} in a row: {row['error']}"}
    return {"state": "open", "because": ""}


def _ago(moment: datetime | None) -> str:
    if moment is None:
        return "never"
    seconds = int((datetime.now(UTC) - moment).total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{max(seconds, 0)} s ago"


@sources.command("show")
@click.argument("name")
def show(name: str) -> None:
    """Everything that is known of the source NAME, as JSON; keys as their SHA-256."""

    async def work(pool: Pool) -> dict[str, Any] | None:
        source = await registry.one_source(pool, name, unchecked=True)
        if source is None:
            return None
        try:
            Source.model_validate(source.model_dump(warnings=False))
        except ValidationError as error:
            raise click.ClickException(
                f"{name} cannot be used: {registry.complaint(error)}; mend it with a file and 'sources apply'"
            ) from error
        keys = await pool.fetch(
            "SELECT encode(sha256, 'hex') AS sha256, label, created_at FROM ingest.keys WHERE source = $1 ORDER BY created_at",
            name,
        )
        counted = await pool.fetchrow("SELECT * FROM ingest.activity WHERE source = $1", name)
        polled = await pool.fetchrow(
            "SELECT polled_at, status, failures, error, next_at, interval_s, recover_since FROM ingest.cursors WHERE source = $1",
            name,
        )
        hub = await pool.fetchrow(
            "SELECT hub, topic, state, requested_at, lease_until, error FROM ingest.subscriptions WHERE source = $1",
            name,
        )
        profile = source.profile.model_dump(mode="json", exclude_defaults=True)
        return source.model_dump(mode="json") | {
            "profile": profile,
            "keys": [dict(row) for row in keys],
            "activity": dict(counted) if counted else None,
            "poll": dict(polled) if polled else None,
            "subscription": dict(hub) if hub else None,
        }

    found = with_postgres(work)
    if found is None:
        raise click.ClickException(f"there is no source {name}")
    click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())


def _say(there_was: bool, name: str, what: str) -> None:
    if not there_was:
        raise click.ClickException(f"there is no source {name}")
    click.echo(f"{what} {name}")


@sources.command("pause")
@click.argument("name")
@click.option("--because", default="", help="Told to the sender, who is answered 403.")
def pause(name: str, because: str) -> None:
    """Take nothing more from NAME until it is resumed."""
    _say(with_postgres(lambda pool: registry.pause(pool, name, because)), name, "paused")


@sources.command("resume")
@click.argument("name")
def resume(name: str) -> None:
    """Take from NAME again."""
    _say(with_postgres(lambda pool: registry.resume(pool, name)), name, "resumed")


@sources.command("remove")
@click.argument("name")
@click.confirmation_option(prompt="Its keys stop to work; originals and items stay. Remove it?")
def remove(name: str) -> None:
    """Forget NAME and its keys."""
    _say(with_postgres(lambda pool: registry.remove(pool, name)), name, "removed")


@sources.command("key")
@click.argument("name")
@click.option("--label", default="", help="Who gets it.")
@click.option("--sha256", "as_digest", is_flag=True, help="Print the SHA-256 for a file too.")
def key(name: str, label: str, as_digest: bool) -> None:
    """Make a key for NAME and print it; of more than two the oldest stops to work."""

    async def work(pool: Pool) -> tuple[str, Sequence[datetime]]:
        live = await registry.live_keys(pool, name)
        if live is None:
            raise click.ClickException(f"there is no source {name}")
        made = registry.new_key()
        await registry.add_key(pool, name, registry.digest_of(made), label)
        return made, live[: len(live) + 1 - registry.LIVE_KEYS]

    made, ended = with_postgres(work)
    click.echo(made)
    if as_digest:
        click.echo(registry.digest_of(made).hex())
    for created_at in ended:
        click.echo(f"the key of {created_at:%Y-%m-%d %H:%M} UTC stopped to work", err=True)


@sources.command("rotate")
@click.argument("name")
@click.option("--finish", is_flag=True, help="The sender uses the new key: let the old one stop to work.")
@click.option("--again", is_flag=True, help="The new key was lost before the sender had it: give another in its place.")
def rotate(name: str, finish: bool, again: bool) -> None:
    """Print a new key for NAME beside the one it has; with --finish, end the old one."""
    if finish and again:
        raise click.UsageError("--finish or --again, not both")

    async def end(pool: Pool) -> int:
        if await registry.one_source(pool, name) is None:
            raise click.ClickException(f"there is no source {name}")
        return await registry.retire_keys(pool, name, 1)

    async def begin(pool: Pool) -> tuple[str, int]:
        live = await registry.live_keys(pool, name)
        if live is None:
            raise click.ClickException(f"there is no source {name}")
        if len(live) >= registry.LIVE_KEYS and not again:
            raise click.ClickException(
                f"{name} has two keys already, of {live[0]:%Y-%m-%d %H:%M} and {live[-1]:%Y-%m-%d %H:%M} UTC; one more would "
                "end the older, which may be in use: --finish ends it, --again gives another key in the place of the newer"
            )
        if again and len(live) == registry.LIVE_KEYS:
            await registry.drop_newest_key(pool, name)
        made = registry.new_key()
        await registry.add_key(pool, name, registry.digest_of(made))
        return made, len(await registry.live_keys(pool, name) or ())

    if finish:
        ended = with_postgres(end)
        click.echo(f"{ended} key(s) of {name} stopped to work")
        return
    made, count = with_postgres(begin)
    click.echo(made)
    if count > 1:
        click.echo(
            f"both keys work; once {name} uses the new one: python -m ingest sources rotate {name} --finish", err=True
        )


@sources.command("recover")
@click.argument("name")
@click.option("--hours", type=click.FloatRange(min=0, min_open=True), default=24.0, show_default=True)
def recover(name: str, hours: float) -> None:
    """Let the next poll of NAME take all of the last hours, through the feed's older pages where it links to them."""
    if not with_postgres(lambda pool: request_recovery(pool, name, hours)):
        raise click.ClickException(f"there is no polled source {name}")
    click.echo(f"{name} will be asked for its last {hours:g} hours")


@sources.command("signing-secret")
@click.argument("name")
@click.option("--rotate", is_flag=True, help="Give out a new one; it and the one before it are good.")
def signing_secret(name: str, rotate: bool) -> None:
    """Print the secret with which NAME signs its pushes instead of showing a key (Standard Webhooks)."""
    master = Settings().ingest_signing_secret
    if not master:
        raise click.ClickException("INGEST_SIGNING_SECRET is empty; set it for this command and for ingest api")
    generation = with_postgres(lambda pool: registry.next_signing_generation(pool, name, rotate=rotate))
    if generation is None:
        raise click.ClickException(f"there is no source {name}")
    click.echo(signing.written(signing.derived(master, name, generation)))
