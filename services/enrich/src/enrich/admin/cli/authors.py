"""`python -m enrich authors`: the directory of authors."""

import asyncio
from pathlib import Path

import click
from pydantic import JsonValue

from enrich.admin import author_directory
from enrich.admin.author_directory import put, read_profiles
from enrich.admin.cli import command_error, on_postgres
from enrich.reference.directory import AuthorProfile
from shared.audit.author import of_command
from shared.commands import to_json
from shared.failures import Invalid
from shared.postgres.pool import Connection


@click.group()
def authors() -> None:
    """The directory that bylines are resolved against."""


@authors.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check the file and change nothing.")
def import_(file: Path, dry_run: bool) -> None:
    """Put the authors of FILE into the directory: a JSON array, JSON lines, or CSV with a header line.

    Fields: id, name, role, bio, avatar_url, url, links, aliases, languages, sources; in CSV the last four are lists parted by `|`.
    Without an id it is made of the name. Who is in the directory under that id is replaced; updates that show a changed
    author, or a name that was unknown, are made again.
    """
    try:
        profiles = read_profiles(file.read_bytes(), file.suffix.lower())
    except Invalid as failure:
        raise command_error(failure, f"{file}: ") from None
    if dry_run:
        click.echo(f"{len(profiles)} authors, all well-formed")
        return
    added, changed = on_postgres(
        lambda connection: put(connection, profiles),
        of_command().entry("authors-imported", file.name, None, {"authors": sorted(each.id for each in profiles)}),
    )
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
    click.echo(to_json({**profile, "shown_by_updates": shown}, indented=True))


@authors.command()
@click.argument("author_id")
def remove(author_id: str) -> None:
    """Take an author out of the directory; their name stays on updates as text."""
    if not on_postgres(
        lambda connection: author_directory.remove(connection, author_id),
        of_command().entry("author-removed", author_id),
    ):
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
            click.echo(to_json(dict(row)))
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

    if not on_postgres(work, of_command().entry("author-pictured", author_id, None, {"avatar_url": stored.url})):
        raise click.ClickException(f"no author {author_id!r}; see `authors list`")
    click.echo(stored.url)
