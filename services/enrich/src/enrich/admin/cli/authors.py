"""`python -m enrich authors`: the directory of authors."""

import asyncio
import csv
import io
from collections.abc import Sequence
from pathlib import Path

import click
import orjson
from pydantic import JsonValue, ValidationError

from enrich.admin.cli import on_postgres
from enrich.reference.changes import announce, as_word, ask_refresh
from enrich.reference.directory import AuthorProfile, name_key
from enrich.short_text import slug_of
from shared.failures import Invalid
from shared.postgres.pool import Connection

LISTS = ("links", "aliases", "languages")


@click.group()
def authors() -> None:
    """The directory that bylines are resolved against."""


@authors.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check the file and change nothing.")
def import_(file: Path, dry_run: bool) -> None:
    """Put the authors of FILE into the directory: a JSON array, JSON lines, or CSV with a header line.

    Fields: id, name, role, bio, avatar_url, url, links, aliases, languages; in CSV the last three are lists parted by `|`.
    Without an id it is made of the name. Who is in the directory under that id is replaced; updates that show a changed
    author, or a name that was unknown, are made again.
    """
    try:
        profiles = read_profiles(file.read_bytes(), file.suffix.lower())
    except Invalid as failure:
        raise click.ClickException(
            f"{file}: {failure.reason}{f' at {failure.field}' if failure.field else ''}"
        ) from None
    if dry_run:
        click.echo(f"{len(profiles)} authors, all well-formed")
        return
    added, changed = on_postgres(lambda connection: put(connection, profiles))
    click.echo(f"{len(added)} added, {len(changed)} changed, {len(profiles) - len(added) - len(changed)} as they were")


@authors.command("list")
def list_() -> None:
    """Print the directory: id, name, role, aliases."""
    for row in on_postgres(lambda connection: connection.fetch("SELECT profile FROM enrich.authors ORDER BY id")):
        profile = AuthorProfile.model_validate(row["profile"])
        click.echo(f"{profile.id:32} {profile.name:32} {profile.role:40} {' | '.join(profile.aliases)}".rstrip())


@authors.command()
@click.argument("author_id")
def show(author_id: str) -> None:
    """Print one author as JSON, and how many updates show them."""

    async def read(connection: Connection) -> tuple[dict[str, JsonValue] | None, int]:
        profile = await connection.fetchval("SELECT profile FROM enrich.authors WHERE id = $1", author_id)
        shown = await connection.fetchval(
            "SELECT count(*) FROM enrich.updates WHERE status = 'live' AND author_ids @> ARRAY[$1]", author_id
        )
        return profile, shown

    profile, shown = on_postgres(read)
    if profile is None:
        raise click.ClickException(f"no author {author_id!r}; see `authors list`")
    click.echo(orjson.dumps({**profile, "shown_by_updates": shown}, option=orjson.OPT_INDENT_2).decode())


@authors.command()
@click.argument("author_id")
def remove(author_id: str) -> None:
    """Take an author out of the directory; their name stays on updates as text."""

    async def work(connection: Connection) -> bool:
        removed = await connection.fetchval("DELETE FROM enrich.authors WHERE id = $1 RETURNING id", author_id)
        if removed is None:
            return False
        await announce(connection, "authors", [author_id])
        await ask_refresh(connection, "authors", author_ids=[author_id])
        return True

    if not on_postgres(work):
        raise click.ClickException(f"no author {author_id!r}; see `authors list`")
    click.echo(f"removed {author_id}")


@authors.command()
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="How many of the most seen."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line instead of a table.")
def unknown(limit: int, as_json: bool) -> None:
    """Print names of bylines that the directory does not know, the most seen first."""
    rows = on_postgres(
        lambda connection: connection.fetch(
            "SELECT * FROM enrich.unknown_names ORDER BY seen DESC, last_seen DESC LIMIT $1", limit
        )
    )
    for row in rows:
        if as_json:
            click.echo(orjson.dumps(dict(row)).decode())
        else:
            seen = f"{row['last_seen']:%Y-%m-%d %H:%M}"
            click.echo(f"{row['seen']:6}  {row['spelling']:40} {row['source']:16} {seen}  {row['example']}")


@authors.command()
@click.argument("author_id")
@click.argument("portrait", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def avatar(author_id: str, portrait: Path) -> None:
    """Render the picture PORTRAIT for an author: a square, in the media store."""
    from enrich.media.avatar import store_avatar  # noqa: PLC0415 -- needs the renderer
    from enrich.media.errors import PictureRefused  # noqa: PLC0415
    from enrich.settings import Settings  # noqa: PLC0415

    try:
        stored = asyncio.run(store_avatar(Settings(), portrait.read_bytes()))
    except PictureRefused as refusal:
        raise click.ClickException(f"{portrait}: {refusal.reason}") from None

    async def work(connection: Connection) -> bool:
        row = await connection.fetchrow("SELECT profile FROM enrich.authors WHERE id = $1", author_id)
        if row is None:
            return False
        await put(connection, [AuthorProfile.model_validate({**row["profile"], "avatar_url": stored.url})])
        return True

    if not on_postgres(work):
        raise click.ClickException(f"no author {author_id!r}; see `authors list`")
    click.echo(stored.url)


async def put(connection: Connection, profiles: Sequence[AuthorProfile]) -> tuple[list[str], list[str]]:
    """Put profiles into the directory within a transaction, and ask that the updates which show them are made again.

    The ids that were added, and those that were changed.
    """
    ids = [profile.id for profile in profiles]
    rows = await connection.fetch("SELECT id, profile FROM enrich.authors WHERE id = ANY($1::text[]) FOR UPDATE", ids)
    known = {row["id"]: AuthorProfile.model_validate(row["profile"]) for row in rows}
    fresh = [profile for profile in profiles if known.get(profile.id) != profile]
    if not fresh:
        return [], []
    await connection.executemany(
        """
        INSERT INTO enrich.authors (id, profile) VALUES ($1, $2)
        ON CONFLICT (id) DO UPDATE SET profile = excluded.profile, changed_at = now()
        """,
        [(profile.id, profile.model_dump(mode="json", exclude_defaults=True)) for profile in fresh],
    )
    keys = sorted({name_key(spelling) for profile in fresh for spelling in (profile.name, *profile.aliases)} - {""})
    await connection.execute("DELETE FROM enrich.unknown_names WHERE name = ANY($1::text[])", keys)
    changed_ids, words = [profile.id for profile in fresh], [as_word(key) for key in keys]
    await announce(connection, "authors", [*changed_ids, *words])
    await ask_refresh(connection, "authors", author_ids=changed_ids, unknown_names=words)
    added = [profile.id for profile in fresh if profile.id not in known]
    return added, [profile.id for profile in fresh if profile.id in known]


def read_profiles(body: bytes, suffix: str = "") -> list[AuthorProfile]:
    """The authors of a file: CSV by its suffix, else JSON lines or one JSON array. Raises Invalid, naming place and reason."""
    listed = _from_csv(body) if suffix == ".csv" else _from_json(body)
    profiles: dict[str, AuthorProfile] = {}
    for number, each in enumerate(listed):
        if not isinstance(each, dict):
            raise Invalid("an author is a JSON object", field=f"/{number}")
        if not each.get("name"):
            raise Invalid("an author has a name", field=f"/{number}/name")
        name = each["name"]
        completed = {**each, "id": slug_of(name)} if not each.get("id") and isinstance(name, str) else each
        try:
            profile = AuthorProfile.model_validate(completed)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise Invalid(first["msg"], field="/".join(["", str(number), *map(str, first["loc"])])) from error
        if profile.id in profiles:
            raise Invalid(f"{profile.id} is there twice", field=f"/{number}/id")
        profiles[profile.id] = profile
    return list(profiles.values())


def _from_json(body: bytes) -> list[JsonValue]:
    try:
        if body.lstrip()[:1] == b"[":
            return list(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise Invalid(f"not JSON: {error}") from error
    listed: list[JsonValue] = []
    for number, line in enumerate(body.splitlines(), 1):
        if line.strip():
            try:
                listed.append(orjson.loads(line))
            except orjson.JSONDecodeError as error:
                raise Invalid(f"line {number} is not JSON: {error}") from error
    return listed


def _from_csv(body: bytes) -> list[JsonValue]:
    try:
        reader = csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
        rows = [{(key or "").strip(): (value or "").strip() for key, value in row.items() if key} for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise Invalid(f"not CSV in UTF-8: {error}") from error
    if strange := {key for row in rows for key in row} - AuthorProfile.model_fields.keys():
        raise Invalid(
            f"no field of an author: {', '.join(sorted(strange))}; they are {', '.join(AuthorProfile.model_fields)}"
        )
    profiles: list[JsonValue] = []
    for row in rows:
        values: dict[str, JsonValue] = {
            key: [part.strip() for part in value.split("|") if part.strip()] if key in LISTS else value
            for key, value in row.items()
            if value
        }
        if values:
            profiles.append(values)
    return profiles
