"""Kills and takedowns, by id alone: kept beside the dump, and carried over a restore, so that what was killed stays killed.

Of an older dump the log still has the kill, and the archive reads it again before it goes on. Until then, and where the log is gone
too, the rows that are restored must not show it: they are hidden before any process starts.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import orjson

from shared.postgres.pool import Connection, Queryable
from slugline.recovery.programs import NotPossible

_HIDE = """
WITH killed AS (SELECT * FROM unnest($1::text[], $2::text[]) AS t (update_id, removal)),
hidden AS (
  UPDATE publish.updates u SET visible = false, final = true, removal = k.removal,
    data = convert_to((jsonb_strip_nulls(jsonb_build_object(
      'update_id', u.update_id, 'revision', u.revision, 'kind', 'kill', 'removal', k.removal, 'source', u.source, 'guid', '',
      'path', '/updates/' || u.update_id, 'story', u.story, 'first_published_at', u.first_published_at,
      'updated_at', u.updated_at, 'passport', convert_from(u.data, 'UTF8')::json -> 'passport')))::text, 'UTF8')
  FROM killed k WHERE u.update_id = k.update_id AND NOT u.final RETURNING u.update_id),
unlisted AS (DELETE FROM publish.update_channels c USING hidden h WHERE c.update_id = h.update_id),
unshown AS (UPDATE publish.pictures p SET shown = false FROM hidden h WHERE p.update_id = h.update_id AND p.shown),
withheld AS (
  UPDATE publish.revisions r SET withheld = true, data = CASE WHEN k.removal = 'taken-down' THEN NULL ELSE r.data END
  FROM killed k JOIN hidden h USING (update_id) WHERE r.update_id = k.update_id AND r.removal IS NULL)
SELECT update_id FROM hidden
"""
"""What the archive makes of a kill, but for the revision of it, which comes with the log or with the order."""


async def removals(source: Queryable) -> dict[str, str]:
    """Every update that is killed or taken down, with which of both; none where there is no archive yet."""
    if not await source.fetchval("SELECT to_regclass('publish.updates') IS NOT NULL"):
        return {}
    rows = await source.fetch("SELECT update_id, removal FROM publish.updates WHERE final")
    return {row["update_id"]: row["removal"] for row in rows}


async def sources_of(source: Queryable, update_ids: Iterable[str]) -> dict[str, str]:
    """The sources of updates, to which an order about them goes."""
    rows = await source.fetch(
        "SELECT update_id, source FROM publish.updates WHERE update_id = ANY($1)", list(update_ids)
    )
    return {row["update_id"]: row["source"] for row in rows}


async def hide(connection: Connection, killed: Mapping[str, str]) -> list[str]:
    """Take these out of sight in what was restored; the ids of those that were visible or withdrawn there."""
    if not killed:
        return []
    rows = await connection.fetch(_HIDE, list(killed), list(killed.values()))
    hidden = [row["update_id"] for row in rows]
    if await connection.fetchval("SELECT to_regclass('publish.search_index') IS NOT NULL"):
        await connection.execute("DELETE FROM publish.search_index WHERE update_id = ANY($1)", hidden)
    return hidden


def write(path: Path, killed: Mapping[str, str]) -> None:
    """One JSON object a line."""
    temporary = path.with_name(f".{path.name}")
    lines = (orjson.dumps({"update_id": key, "removal": killed[key]}) for key in sorted(killed))
    temporary.write_bytes(b"".join(line + b"\n" for line in lines))
    temporary.rename(path)


def read(path: Path) -> dict[str, str]:
    """What `write` wrote; raises NotPossible where the file is none."""
    found: dict[str, str] = {}
    try:
        for line in path.read_bytes().splitlines():
            each = orjson.loads(line)
            removal = str(each["removal"])
            if removal not in ("killed", "taken-down"):
                raise ValueError(f"no removal: {removal}")
            found[str(each["update_id"])] = removal
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise NotPossible(f"{path} is no list of removals: {error}") from error
    return found
