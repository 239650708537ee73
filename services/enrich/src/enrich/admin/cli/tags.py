"""`python -m enrich tags`: Media Topics, names to be found in texts, and what editors decide about single updates."""

import getpass
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from enrich.admin.cli import command_error, on_postgres, update_id
from enrich.admin.topics import TopicSuggestions, suggested_for, suggester_of
from enrich.reference.changes import announce, ask_refresh
from enrich.reference.dictionary import DictionaryEntry
from enrich.reference.iptc_release import read_release
from enrich.reference.loader import load_vocabulary, read_entries
from enrich.reference.vocabulary import Vocabulary
from enrich.text.domain.state import TagOverride
from shared.audit.author import of_command
from shared.failures import Invalid
from shared.postgres.pool import Connection


@click.group()
def tags() -> None:
    """What updates are about: the vocabulary, the dictionary of names, and editors' decisions."""


@tags.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_(file: Path) -> None:
    """Import FILE, IPTC's JSON release of Media Topics (cptall-….json). An older import is replaced."""
    try:
        concepts, meant = read_release(file.read_bytes())
    except Invalid as failure:
        raise command_error(failure, f"{file}: ") from None

    async def work(connection: Connection) -> None:
        await connection.execute("DELETE FROM enrich.subjects")
        await connection.execute("DELETE FROM enrich.subject_codes")
        await connection.executemany(
            "INSERT INTO enrich.subjects (code, concept) VALUES ($1, $2)",
            [(each.code, each.model_dump(mode="json", exclude_defaults=True)) for each in concepts],
        )
        await connection.copy_records_to_table(
            "subject_codes", schema_name="enrich", columns=["code", "meant"], records=list(meant.items())
        )
        await announce(connection, "subjects")

    on_postgres(work, of_command().entry("subjects-imported", file.name, None, {"concepts": len(concepts)}))
    retired = sum(concept.retired for concept in concepts)
    click.echo(
        f"{len(concepts)} Media Topics, {retired} of them retired; {len(meant)} codes of other schemes map to them"
    )


@tags.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Take out all names that are not in FILE.")
def names(file: Path, replace: bool) -> None:
    """Put the names of FILE into the dictionary: JSON lines of {code, kind, label, names, labels, uri, weight, languages}."""
    try:
        entries = read_entries(file)
    except Invalid as failure:
        raise command_error(failure) from None
    count = on_postgres(
        lambda connection: put_names(connection, entries, replace=replace),
        of_command().entry("names-imported", file.name, None, {"entries": len(entries), "replace": replace}),
    )
    click.echo(f"{len(entries)} read; the dictionary has {count} entries")


@tags.command("map")
@click.argument("code")
@click.argument("meant")
def map_(code: str, meant: str) -> None:
    """Let a source's CODE (scheme:code) mean the Media Topic MEANT (medtop:…)."""

    async def work(connection: Connection) -> None:
        await connection.execute(
            "INSERT INTO enrich.subject_codes (code, meant) VALUES ($1, $2) "
            "ON CONFLICT (code) DO UPDATE SET meant = excluded.meant",
            code, meant,
        )  # fmt: skip
        await announce(connection, "subjects")

    on_postgres(work, of_command().entry("subject-mapped", code, None, {"meant": meant}))
    click.echo(f"{code} means {meant}")


@tags.command()
@click.argument("code")
def show(code: str) -> None:
    """Print what a code means: a Media Topic, a code of another scheme, or an entry of the dictionary."""

    async def read(connection: Connection) -> tuple[Vocabulary, DictionaryEntry | None]:
        entry = await connection.fetchval("SELECT entry FROM enrich.names WHERE code = $1", code)
        return await load_vocabulary(connection), DictionaryEntry.model_validate(entry) if entry is not None else None

    vocabulary, entry = on_postgres(read)
    if entry is not None:
        click.echo(f"{entry.code}  {entry.kind}  {entry.label}  ({', '.join(entry.names)})")
        return
    found = vocabulary.find(code)
    if found.concept is None:
        raise click.ClickException(found.because)
    click.echo(f"{found.concept.code}  {found.concept.label}  ({found.because})")
    for wider in vocabulary.broader_of(found.concept):
        click.echo(f"  broader  {wider.code}  {wider.label}")
    for language, label in sorted(found.concept.labels.items()):
        click.echo(f"  {language:8} {label}")


@tags.command()
@click.argument("update_id", callback=update_id)
@click.option("--json", "as_json", is_flag=True, help="As a JSON object.")
def suggest(update_id: str, as_json: bool) -> None:
    """Print the Media Topics that UPDATE_ID seems to be about, where its source sends none; `override --add` takes one."""

    async def read(connection: Connection) -> TopicSuggestions | None:
        return await suggested_for(connection, await suggester_of(connection), update_id)

    found = on_postgres(read)
    if found is None:
        raise click.ClickException(f"no version of an update {update_id} is known")
    if as_json:
        click.echo(found.model_dump_json())
    elif found.has_topics:
        click.echo("its source sends Media Topics; nothing is suggested")
    for each in () if as_json else found.suggested:
        click.echo(f"{each.code}  {each.share:.2f}  {each.label}  ({each.because})")


@tags.command()
@click.argument("update_id", callback=update_id)
@click.option("--add", multiple=True, metavar="CODE", help="The update is about CODE, whatever was found.")
@click.option("--remove", multiple=True, metavar="CODE", help="The update is not about CODE.")
@click.option("--forget", multiple=True, metavar="CODE", help="Take back what was decided about CODE.")
@click.option("--by", default=getpass.getuser, help="Who decides; the user when it is left out.")
def override(update_id: str, add: Sequence[str], remove: Sequence[str], forget: Sequence[str], by: str) -> None:
    """Decide the tags of one update. It holds for all of its versions, those to come too, until it is forgotten."""
    if not (add or remove or forget):
        raise click.UsageError("one of --add, --remove or --forget is needed")
    if strange := [code for code in (*add, *remove) if ":" not in code.strip(":")]:
        raise click.UsageError(
            f"no code of a tag: {', '.join(strange)}; one is medtop:04000000, or person:ada-lovelace"
        )
    at = datetime.now(UTC).isoformat(timespec="seconds")
    decided = {code: TagOverride(use=True, by=by, at=at) for code in add}
    decided |= {code: TagOverride(use=False, by=by, at=at) for code in remove}

    async def work(connection: Connection) -> dict[str, TagOverride]:
        tags: dict[str, TagOverride] = await connection.fetchval(
            """
            INSERT INTO enrich.overrides (update_id, tags) VALUES ($1, $2)
            ON CONFLICT (update_id) DO UPDATE SET
                tags = (enrich.overrides.tags || excluded.tags) - $3::text[], changed_at = now()
            RETURNING tags
            """,
            update_id, decided, list(forget),
        )  # fmt: skip
        await ask_refresh(connection, "override", update_ids=[update_id], repeat=False)
        return tags

    changes = {"add": add, "remove": remove, "forget": forget, "by": by}
    entry = of_command().entry("tags-decided", update_id, None, changes)
    for code, decided_tag in sorted(on_postgres(work, entry).items()):
        verdict = "about" if decided_tag["use"] else "not about"
        click.echo(f"{verdict:9} {code}  (by {decided_tag['by']}, {decided_tag['at']})")


async def put_names(connection: Connection, entries: Sequence[DictionaryEntry], *, replace: bool = False) -> int:
    """Put entries into the dictionary within a transaction; how many it has then."""
    if replace:
        await connection.execute("DELETE FROM enrich.names")
    await connection.executemany(
        """
        INSERT INTO enrich.names (code, kind, label, entry) VALUES ($1, $2, $3, $4)
        ON CONFLICT (code) DO UPDATE SET kind = excluded.kind, label = excluded.label, entry = excluded.entry
        """,
        [(each.code, each.kind, each.label, each.model_dump(mode="json", exclude_defaults=True)) for each in entries],
    )
    await announce(connection, "names")
    count: int = await connection.fetchval("SELECT count(*) FROM enrich.names")
    return count
