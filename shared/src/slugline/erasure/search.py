"""Finds what is meant: updates by author, source or words, wherever they are kept; and whatever still says the words afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from shared.postgres.pool import Queryable

SCHEMAS = ("ingest", "enrich", "publish")
ENCODINGS = ("utf-8", "latin-1", "utf-16-le", "utf-16-be")
"""Of documents as they were received, which are kept as bytes."""
LEAST_CHARACTERS = 4
"""Shorter words are in everything."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be erased; at least one of them. Everything that fits any of them is meant."""

    authors: Sequence[str] = ()
    sources: Sequence[str] = ()
    words: Sequence[str] = ()
    update_ids: Sequence[str] = ()

    @property
    def needles(self) -> tuple[str, ...]:
        """The texts that must not be found afterwards."""
        return tuple(dict.fromkeys([*self.authors, *self.words]))


@dataclass(slots=True)
class Found:
    """Updates, each with its source (empty where that is not known), and originals that hold them or the words."""

    updates: dict[str, str] = field(default_factory=dict)
    originals: set[str] = field(default_factory=set)


def like(text: str) -> str:
    """A pattern for ILIKE that means this text, anywhere."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def as_json(text: str) -> str:
    """The text as it stands within a JSON document."""
    return orjson.dumps(text).decode()[1:-1]


def as_bytes(needles: Sequence[str]) -> list[bytes]:
    """The texts as documents may hold them, in each encoding and the usual cases."""
    found: dict[bytes, None] = {}
    for needle in needles:
        for form in (needle, needle.lower(), needle.upper(), needle.title(), as_json(needle)):
            for encoding in ENCODINGS:
                found[form.encode(encoding, "ignore")] = None
    return [each for each in found if len(each) >= LEAST_CHARACTERS]


_REVISIONS = (
    "SELECT DISTINCT r.update_id, u.source, r.data FROM publish.revisions r LEFT JOIN publish.updates u USING (update_id) "
    "WHERE r.data IS NOT NULL AND convert_from(r.data, 'UTF8') ILIKE ANY($1::text[])"
)
_STATES = "SELECT update_id, source, state AS data FROM enrich.updates WHERE convert_from(state, 'UTF8') ILIKE ANY($1::text[])"


async def search(source: Queryable, wanted: Wanted) -> Found:
    """What is meant; reads whole tables."""
    found = Found()
    if wanted.needles:
        patterns = [like(as_json(needle)) for needle in wanted.needles]
        for query in (_REVISIONS, _STATES):
            for row in await source.fetch(query, patterns):
                if _fits(bytes(row["data"]), wanted):
                    found.updates[row["update_id"]] = row["source"] or found.updates.get(row["update_id"], "")
    if wanted.update_ids or wanted.sources:
        for table in ("publish.updates", "enrich.updates"):
            rows = await source.fetch(
                f"SELECT update_id, source FROM {table} WHERE update_id = ANY($1) OR source = ANY($2)",  # noqa: S608
                list(wanted.update_ids), list(wanted.sources),
            )  # fmt: skip
            found.updates |= {row["update_id"]: row["source"] for row in rows}
    for update_id in wanted.update_ids:
        found.updates.setdefault(update_id, "")
    await _originals(source, wanted, found)
    return found


def _fits(data: bytes, wanted: Wanted) -> bool:
    text = data.decode("utf-8", "replace").lower()
    if any(as_json(word).lower() in text for word in wanted.words):
        return True
    bylines = " ".join(_bylines(orjson.loads(data))).lower()
    return any(author.lower() in bylines for author in wanted.authors)


def _bylines(value: object, *, inside: bool = False) -> list[str]:
    """What a revision or a state says of who wrote it: bylines and the names of authors, however deep they stand."""
    if isinstance(value, str):
        return [value] if inside else []
    if isinstance(value, list):
        return [each for item in value for each in _bylines(item, inside=inside)]
    if isinstance(value, dict):
        names = ("byline", "authors", "author", "by", "contributors", "credit", "editors")
        return [each for key, item in value.items() for each in _bylines(item, inside=inside or key in names)]
    return []


async def _originals(source: Queryable, wanted: Wanted, found: Found) -> None:
    rows = await source.fetch(
        "SELECT update_id, source, original_id FROM ingest.items WHERE update_id = ANY($1) OR source = ANY($2)",
        list(found.updates), list(wanted.sources),
    )  # fmt: skip
    for row in rows:
        if row["source"] in wanted.sources:
            found.updates.setdefault(row["update_id"], row["source"])
        if row["original_id"] is not None:
            found.originals.add(str(row["original_id"]))
    rows = await source.fetch(
        "SELECT id FROM ingest.originals o WHERE source = ANY($1) "
        "OR EXISTS (SELECT FROM unnest($2::bytea[]) AS needle WHERE position(needle IN o.body) > 0)",
        list(wanted.sources), as_bytes(wanted.needles),
    )  # fmt: skip
    found.originals |= {str(row["id"]) for row in rows}


async def tables(source: Queryable) -> Mapping[str, tuple[str, ...]]:
    """Every table of ours, with its columns of bytes."""
    rows = await source.fetch(
        "SELECT t.table_schema || '.' || t.table_name AS name, "
        "coalesce(array_agg(c.column_name::text) FILTER (WHERE c.data_type = 'bytea'), '{}') AS bytes "
        "FROM information_schema.tables t JOIN information_schema.columns c USING (table_schema, table_name) "
        "WHERE t.table_schema = ANY($1) AND t.table_type = 'BASE TABLE' GROUP BY 1 ORDER BY 1",
        list(SCHEMAS),
    )
    return {row["name"]: tuple(row["bytes"]) for row in rows}


async def scan(source: Queryable, needles: Sequence[str]) -> dict[str, int]:
    """Rows that say one of these in any column of any table, bytes too, by table; those without are left out."""
    if not needles:
        return {}
    found: dict[str, int] = {}
    patterns = [like(form) for needle in needles for form in {needle, as_json(needle)}]
    for table, columns in (await tables(source)).items():
        in_bytes = "".join(
            f" OR EXISTS (SELECT FROM unnest($2::bytea[]) AS needle WHERE position(needle IN t.{column}) > 0)"
            for column in columns
        )
        query = f"SELECT count(*) FROM {table} t WHERE $2::bytea[] IS NOT NULL AND (t::text ILIKE ANY($1::text[]){in_bytes})"  # noqa: S608
        rows = await source.fetchval(query, patterns, as_bytes(needles))
        if isinstance(rows, int) and rows:
            found[table] = rows
    return found
