"""`python -m ingest sources`: who may send, and how their copy arrives."""

import json
import os
from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
from pydantic import ValidationError

from ingest.cli.database import with_postgres
from ingest.settings import Settings
from ingest.sources import declared, keys, signing, store
from ingest.sources.quiet import assess_all
from ingest.sources.source import Source, complaint
from ingest.transports.poll.poller import request_recovery
from shared.access.key import Key, digest_of
from shared.access.management import NoSuchHolder
from shared.access.store import listed as listed_keys
from shared.audit.author import Author, of_command
from shared.audit.log import append
from shared.commands import to_json
from shared.messages.powers import POWERS
from shared.postgres.pool import Pool
from shared.postgres.rows import typed


@click.group()
def sources() -> None:
    """Who may send, and how their copy arrives."""


def _validated(fields: Mapping[str, object]) -> Source:
    try:
        return Source.model_validate(fields)
    except ValidationError as error:
        raise click.UsageError(complaint(error)) from error


@sources.command("add")
@click.argument("name")
@click.option("--kind", type=click.Choice(["api", "poll", "watch", "websub"]), default="api", show_default=True)
@click.option("--title", default="", help="What people call it.")
@click.option("--url", help="The feed to poll, or the topic that a hub announces.")
@click.option("--folder", help="The folder to watch; absolute.")
@click.option("--format", "format_name", help="The one format it sends; recognised from each document otherwise.")
@click.option("--profile", help="What is particular about it, as a JSON object.")
@click.option("--desk", is_flag=True, help="Its keys may give orders about every source's updates.")
@click.option(
    "--may",
    multiple=True,
    type=click.Choice(POWERS),
    help="What it may do beside sending copy; may be given again. Without it a desk may do all, a wire kill and embargo.",
)
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
    may: tuple[str, ...],
    rate: float | None,
    max_body: int | None,
    silence: int | None,
) -> None:
    """Add the source NAME and print its key.

    The key is not kept and cannot be shown again.
    """
    try:
        particular = json.loads(profile) if profile else {}
    except ValueError as error:
        raise click.BadParameter(f"not JSON: {error}", param_hint="--profile") from error
    source = _validated(
        {
            "name": name, "kind": kind, "title": title, "url": url, "folder": folder, "format": format_name,
            "profile": particular, "desk": desk, "may": may or None, "rate_per_s": rate, "max_body_bytes": max_body, "silence_after_s": silence,
        }
    )  # fmt: skip

    async def work(pool: Pool) -> str | None:
        if await store.one_source(pool, name) is not None:
            raise click.ClickException(f"there is a source {name} already; change it with a file and 'sources apply'")
        await store.save(pool, source, of_command())
        if kind != "api":
            return None
        async with pool.acquire() as connection, connection.transaction():
            _, token, _ = await keys.make_key(connection, name, of_command())
        return token

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
    author = of_command(f"sources apply {file.name}")

    async def work(pool: Pool) -> list[tuple[str, str]]:
        done: list[tuple[str, str]] = []
        for each in wanted:
            name = each.source.name
            before = await store.one_source(pool, name, unchecked=True)
            what = await store.save(pool, each.source, author)
            changed = each.keys is not None and await _set_keys(pool, name, each.keys, author)
            if each.paused is not None and each.paused != (before is not None and before.paused):
                await (store.pause(pool, name, "by file", author) if each.paused else store.resume(pool, name, author))
                changed = True
            done.append((name, "changed" if changed and what == "unchanged" else what))
        if prune:
            named = {each.source.name for each in wanted}
            for row in await pool.fetch("SELECT name FROM ingest.sources ORDER BY name"):
                if row["name"] not in named:
                    await store.remove(pool, row["name"], author)
                    done.append((row["name"], "removed"))
        return done

    for name, what in with_postgres(work):
        click.echo(f"{what:10} {name}")


async def _set_keys(pool: Pool, name: str, digests: Sequence[bytes], author: Author) -> bool:
    async with pool.acquire() as connection, connection.transaction():
        ended, came = await keys.set_keys(connection, name, digests)
        if ended or came:
            await append(connection, author.entry("keys-declared", name, {"ended": ended}, {"made": came}))
    return bool(ended or came)


_LIST = """
SELECT s.name, s.kind, s.title, s.desk, s.paused_at, s.paused_because, s.silence_after_s, s.url, s.folder,
    coalesce(a.accepted, 0) AS accepted, coalesce(a.duplicate, 0) AS duplicate, coalesce(a.repaired, 0) AS repaired,
    coalesce(a.rejected, 0) AS rejected, a.last_heard_at, a.last_accepted_at,
    (SELECT count(*) FROM ingest.keys AS k WHERE k.source = s.name AND k.revoked_at IS NULL
        AND (k.expires_at IS NULL OR k.expires_at > now())) AS keys,
    coalesce(c.failures, 0) AS failures, coalesce(c.error, '') AS error
FROM ingest.sources AS s LEFT JOIN ingest.activity AS a ON a.source = s.name
LEFT JOIN ingest.cursors AS c ON c.source = s.name
ORDER BY s.name
"""


@dataclass(frozen=True, slots=True)
class ListedSource:
    """One source of the list."""

    name: str
    kind: str
    title: str
    desk: bool
    paused_at: datetime | None
    paused_because: str
    silence_after_s: int | None
    url: str | None
    folder: str | None
    accepted: int
    duplicate: int
    repaired: int
    rejected: int
    last_heard_at: datetime | None
    last_accepted_at: datetime | None
    keys: int
    failures: int
    error: str


@sources.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on each line.")
def list_(as_json: bool) -> None:
    """What each source has brought, and how long ago; which is paused, silent or fails, and why."""

    async def work(pool: Pool) -> list[tuple[ListedSource, str, str]]:
        usable = {each.name for each in await store.all_sources(pool)}
        silent = {each.source: each.meaning for each in await assess_all(pool, datetime.now(UTC)) if each.alarm}
        listed = typed(ListedSource, await pool.fetch(_LIST))
        return [(each, *_state(each, silent, usable)) for each in listed]

    rows = with_postgres(work)
    if as_json:
        for each, state, because in rows:
            click.echo(to_json(asdict(each) | {"state": state, "because": because}))
        return
    click.echo(
        f"{'name':24} {'kind':7} {'state':8} {'keys':>4} {'accepted':>9} {'duplicate':>9} {'repaired':>9} {'rejected':>9}  last new copy"
    )
    for each, state, because in rows:
        click.echo(
            f"{each.name:24} {each.kind:7} {state:8} {each.keys:4} {each.accepted:9} {each.duplicate:9} "
            f"{each.repaired:9} {each.rejected:9}  {_ago(each.last_accepted_at)}"
        )
        if because:
            click.echo(f"{'':24} {because}")


def _state(source: ListedSource, silent: Mapping[str, str], usable: Container[str]) -> tuple[str, str]:
    """A source's state, and why it is in it."""
    if source.name not in usable:
        return "unusable", "its settings are not valid: sources show tells why"
    if source.paused_at:
        return "paused", source.paused_because
    if source.name in silent:
        return "silent", silent[source.name]
    if source.failures:
        return "failing", f"{source.failures} in a row: {source.error}"
    return "open", ""


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
    """Everything that is known of the source NAME, as JSON; of its keys the public ids."""

    async def work(pool: Pool) -> dict[str, object] | None:
        source = await store.one_source(pool, name, unchecked=True)
        if source is None:
            return None
        try:
            Source.model_validate(source.model_dump(warnings=False))
        except ValidationError as error:
            raise click.ClickException(
                f"{name} cannot be used: {complaint(error)}; mend it with a file and 'sources apply'"
            ) from error
        its_keys = await listed_keys(pool, keys.KEYS, holder=name)
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
            "powers": source.powers,
            "keys": [each.shown() for each in its_keys],
            "activity": dict(counted) if counted else None,
            "poll": dict(polled) if polled else None,
            "subscription": dict(hub) if hub else None,
        }

    found = with_postgres(work)
    if found is None:
        raise click.ClickException(f"there is no source {name}")
    click.echo(to_json(found, indented=True))


def _report(found: bool, name: str, what: str) -> None:
    if not found:
        raise click.ClickException(f"there is no source {name}")
    click.echo(f"{what} {name}")


@sources.command("pause")
@click.argument("name")
@click.option("--because", default="", help="Shown to the sender, who is answered 403.")
def pause(name: str, because: str) -> None:
    """Take nothing more from NAME until it is resumed."""
    _report(with_postgres(lambda pool: store.pause(pool, name, because, of_command(because))), name, "paused")


@sources.command("resume")
@click.argument("name")
def resume(name: str) -> None:
    """Take from NAME again."""
    _report(with_postgres(lambda pool: store.resume(pool, name, of_command())), name, "resumed")


@sources.command("remove")
@click.argument("name")
@click.confirmation_option(prompt="Its keys stop working; originals and items stay. Remove it?")
def remove(name: str) -> None:
    """Delete NAME and its keys."""
    _report(with_postgres(lambda pool: store.remove(pool, name, of_command())), name, "removed")


@sources.command("key")
@click.argument("name")
@click.option("--label", default="", help="Who gets it.")
@click.option("--person", default="", help="Whose it is: orders that are given with it are signed by this name.")
@click.option("--sha256", "as_digest", is_flag=True, help="Print the SHA-256 for a file too.")
def key(name: str, label: str, person: str, as_digest: bool) -> None:
    """Create a key for NAME and print it; of more than two of one person the oldest stops working."""

    async def work(pool: Pool) -> tuple[str, list[Key]]:
        async with pool.acquire() as connection, connection.transaction():
            _, token, ended = await keys.make_key(connection, name, of_command(), person=person, label=label)
        return token, ended

    try:
        made, ended = with_postgres(work)
    except NoSuchHolder as error:
        raise click.ClickException(str(error)) from None
    click.echo(made)
    if as_digest:
        click.echo(digest_of(made).hex())
    for each in ended:
        click.echo(f"the key of {each.made_at:%Y-%m-%d %H:%M} UTC stopped working", err=True)


@sources.command("rotate")
@click.argument("name")
@click.option("--finish", is_flag=True, help="The sender uses the new key: let the old one stop working.")
@click.option("--again", is_flag=True, help="The new key was lost before the sender had it: give another in its place.")
@click.option("--person", default="", help="Whose key, where people have their own.")
def rotate(name: str, finish: bool, again: bool, person: str) -> None:
    """Print a new key for NAME beside the one it has; with --finish, end the old one."""
    if finish and again:
        raise click.UsageError("--finish or --again, not both")

    async def end(pool: Pool) -> int:
        if await store.one_source(pool, name) is None:
            raise click.ClickException(f"there is no source {name}")
        async with pool.acquire() as connection, connection.transaction():
            return len(await keys.retire_keys(connection, name, 1, of_command(), person=person))

    async def begin(pool: Pool) -> tuple[str, int]:
        live = await keys.live_keys(pool, name, person=person)
        if live is None:
            raise click.ClickException(f"there is no source {name}")
        if len(live) >= keys.LIVE_KEYS and not again:
            raise click.ClickException(
                f"{name} has two keys already, of {live[0].made_at:%Y-%m-%d %H:%M} and {live[-1].made_at:%Y-%m-%d %H:%M} UTC; "
                "one more would end the older, which may be in use: --finish ends it, --again gives another key in the place "
                "of the newer"
            )
        async with pool.acquire() as connection, connection.transaction():
            if again and len(live) == keys.LIVE_KEYS:
                await keys.drop_newest_key(connection, name, of_command(), person=person)
            _, made, _ = await keys.make_key(connection, name, of_command(), person=person)
        return made, len(await keys.live_keys(pool, name, person=person) or ())

    if finish:
        ended = with_postgres(end)
        click.echo(f"{ended} key(s) of {name} stopped working")
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
    """Make the next poll of NAME take everything of the last hours, from the feed's older pages too where it links to them."""
    if not with_postgres(lambda pool: request_recovery(pool, name, hours)):
        raise click.ClickException(f"there is no polled source {name}")
    click.echo(f"{name} will be polled for its last {hours:g} hours")


@sources.command("signing-secret")
@click.argument("name")
@click.option("--rotate", is_flag=True, help="Issue a new one; it and the one before it are valid.")
def signing_secret(name: str, rotate: bool) -> None:
    """Print the secret with which NAME signs its pushes instead of showing a key (Standard Webhooks)."""
    master = Settings().ingest_signing_secret
    if not master:
        raise click.ClickException("INGEST_SIGNING_SECRET is empty; set it for this command and for ingest api")
    generation = with_postgres(lambda pool: store.next_signing_generation(pool, name, rotate=rotate, by=of_command()))
    if generation is None:
        raise click.ClickException(f"there is no source {name}")
    click.echo(signing.format_secret(signing.derive_secret(master, name, generation)))
