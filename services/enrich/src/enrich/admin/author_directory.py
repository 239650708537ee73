"""Changes of the author directory, and the files that it is imported from."""

import csv
import io
from collections.abc import Sequence

from pydantic import JsonValue

from enrich.documents import json_documents, validated
from enrich.reference.changes import announce, as_word, ask_refresh
from enrich.reference.directory import AuthorProfile, name_key
from enrich.short_text import slug_of
from shared.failures import Invalid
from shared.postgres.pool import Connection

LISTS = ("links", "aliases", "languages", "sources")


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


async def remove(connection: Connection, author_id: str) -> bool:
    """Remove a profile within a transaction; whether it was there. The name stays on updates as text."""
    removed = await connection.fetchval("DELETE FROM enrich.authors WHERE id = $1 RETURNING id", author_id)
    if removed is None:
        return False
    await announce(connection, "authors", [author_id])
    await ask_refresh(connection, "authors", author_ids=[author_id])
    return True


def read_profiles(body: bytes, suffix: str = "") -> list[AuthorProfile]:
    """The authors of a file: CSV by its suffix, else JSON lines or one JSON array. Raises Invalid, naming place and reason."""
    profiles: dict[str, AuthorProfile] = {}
    for number, each in enumerate(_from_csv(body) if suffix == ".csv" else json_documents(body)):
        if not isinstance(each, dict):
            raise Invalid("an author is a JSON object", field=f"/{number}")
        name = each.get("name")
        if not name:
            raise Invalid("an author has a name", field=f"/{number}/name")
        completed = {**each, "id": slug_of(name)} if not each.get("id") and isinstance(name, str) else each
        profile = validated(AuthorProfile, completed, f"/{number}")
        if profile.id in profiles:
            raise Invalid(f"{profile.id} is there twice", field=f"/{number}/id")
        profiles[profile.id] = profile
    return list(profiles.values())


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
