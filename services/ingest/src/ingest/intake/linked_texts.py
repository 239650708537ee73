"""Versions whose text is only linked: they go out as they are, and stand in line for the text (`transports/linked_texts`)."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from pydantic import JsonValue

from ingest.formats.json.native import NativeUpdate
from ingest.sources.source import Source
from shared.messages import RawUpdate
from shared.postgres.pool import Queryable

MISSING = "text-not-included"
"""The repair of a version whose text is only linked."""

_WANT = """
INSERT INTO ingest.linked_texts AS t (source, guid, url, host, version)
SELECT DISTINCT ON (w.guid) $1, w.guid, w.url, w.host, w.version
FROM unnest($2::text[], $3::text[], $4::text[], $5::jsonb[]) AS w (guid, url, host, version)
ON CONFLICT (source, guid) DO UPDATE SET url = excluded.url, host = excluded.host, version = excluded.version, attempts = 0, due_at = now(), error = '', wanted_at = now()
"""


def links_of(update: RawUpdate) -> list[str]:
    """Where the text of a version is, XML first; none of one that has its text."""
    if not any(repair.code == MISSING for repair in update.repairs):
        return []
    links = update.extra.get("text_renditions")
    named = [one for one in links if isinstance(one, dict)] if isinstance(links, list) else []
    ranked = sorted(named, key=lambda one: "xml" not in str(one.get("type", "")))
    return [str(one["target"]) for one in ranked if str(one.get("target", "")).startswith(("https://", "http://"))]


def are_to_be_fetched(source: Source, updates: Sequence[RawUpdate]) -> bool:
    """Whether the text of one of these versions is only linked, and the source's profile names a key to it."""
    return any(map(links_of, updates)) and bool(source.profile.completed().media_key_env)


def as_native(update: RawUpdate) -> dict[str, JsonValue]:
    """A version as native JSON, without where its text is."""
    said: dict[str, JsonValue] = update.model_dump(
        mode="json", include=set(NativeUpdate.model_fields), exclude_defaults=True
    )
    extra = {name: value for name, value in update.extra.items() if name != "text_renditions"}
    return {**said, "guid": update.guid, "extra": extra}


def host_of(url: str) -> str:
    """The host of a URL; empty where it has none."""
    try:
        return (urlsplit(url).hostname or "")[:255]
    except ValueError:
        return ""


async def want(database: Queryable, source: str, updates: Sequence[RawUpdate]) -> None:
    """Put into the line whatever of these versions has its text elsewhere; a later version takes the place of an earlier."""
    wanted = [
        (update.guid, links[0], host_of(links[0]), as_native(update))
        for update in updates
        if (links := links_of(update))
    ]
    if wanted:
        await database.execute(_WANT, source, *(list(column) for column in zip(*wanted, strict=True)))
