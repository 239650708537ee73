"""The search engine that web asks: an interface, and Postgres behind it.

Each row of the index has the words of its text and marks for all that is filtered by, in one `tsvector`: whatever is asked is an
intersection that the index makes. Newest come first, so the newest blocks of the log are asked first, and a word of every
second update costs no more than a rare one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Protocol, TypeAlias

from publish.archive import queries
from publish.archive.queries import Archived
from publish.archive.search.languages import config_of
from publish.archive.search.selection import (
    MOST_CHARACTERS,
    PLACES,
    Selection,
    block_mark,
    config_mark,
    conjunction,
    quoted,
)
from publish.representation.position import Position
from shared.postgres.pool import Pool, Queryable, Row

WINDOWS = (2, 8, 64)
"""Blocks of places that are asked one after the other; then all that is older."""
FEW_AFTER, FEW = 2, 1000
"""After so many windows it is seen whether there are only so many at all: to look through many blocks takes longer."""
LAST = Position(2**31 - 1, 2**63 - 1)
BEGIN, END = "\x02", "\x03"
"""Around a word that was found, in an excerpt: characters that no text of ours has."""
MOST_DASHES = 20
"""Of words that are searched for; Postgres makes each a negation, and fails at some thirty within each other."""
EXCERPTED = 20_000
"""Characters of a text in which an excerpt is looked for."""

_WHOLE = f'StartSel="{BEGIN}", StopSel="{END}", HighlightAll=true'
_PARTS = f'StartSel="{BEGIN}", StopSel="{END}", MaxFragments=2, MaxWords=26, MinWords=8, FragmentDelimiter=" … "'


@dataclass(frozen=True, slots=True)
class Passage:
    """A text in which the words of a search are looked for."""

    language: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Title and a part of a text, with `BEGIN` and `END` around what was found; `found` says whether the text fits at all."""

    found: bool
    title: str
    text: str


class SearchEngine(Protocol):
    """What is asked of a search engine."""

    async def find(self, words: str, selection: Selection, before: Position | None, limit: int) -> list[Archived]:
        """Visible updates that have these words and meet the selection, newest position first, before a position.

        The last `is_cut` where there are more, and their bytes were too many for one answer. `words`: words that must all be there, "phrases" and -minus; empty for all.
        """

    async def excerpts(self, words: str, passages: Sequence[Passage]) -> list[Excerpt]:
        """What is shown of each text that was found."""


def _blocks(before: Position, spans: Mapping[int, tuple[int, int]]) -> Iterator[Position]:
    """The blocks of places from a position backwards, through all epochs: each as its epoch and number."""
    for epoch in sorted((each for each in spans if each <= before.epoch), reverse=True):
        first, last = spans[epoch]
        last = min(before.offset, last) if epoch == before.epoch else last
        yield from (Position(epoch, block) for block in range(last >> PLACES, (first >> PLACES) - 1, -1))


def windows(before: Position, spans: Mapping[int, tuple[int, int]]) -> Iterator[tuple[str, Position]]:
    """The query for each window's blocks (empty: no such condition), and the position that it begins below.

    `spans` are the first and the last offset of each epoch: where a log was replaced, a window goes on in the one before.
    """
    blocks = _blocks(before, spans)
    upper = before
    for size in WINDOWS:
        window = list(islice(blocks, size))
        if not window:
            return
        yield conjunction([[block_mark(*each) for each in window]]), upper
        upper = Position(window[-1].epoch, window[-1].offset << PLACES)
    yield "", upper


class PostgresSearch:
    """Postgres' full text search."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def find(self, words: str, selection: Selection, before: Position | None, limit: int) -> list[Archived]:
        """See `SearchEngine`."""
        async with self._pool.acquire() as connection, connection.transaction(readonly=True):
            # Whatever Postgres believes of the table: what is asked for is in the index, and a scan would be of every row.
            await connection.execute("SET LOCAL enable_seqscan = off")
            asked = await _asked(connection, _asking(words)) if words else ""
            return await _found(connection, asked, selection, before, limit) if asked or not words else []

    async def excerpts(self, words: str, passages: Sequence[Passage]) -> list[Excerpt]:
        """See `SearchEngine`."""
        if not passages:
            return []
        rows = await self._pool.fetch(
            "SELECT to_tsvector(q.config, t.h || chr(10) || t.b) @@ q.query AS found, "
            "ts_headline(q.config, t.h, q.query, $5) AS title, "
            "ts_headline(q.config, left(t.b, $7), q.query, $6) AS text "
            "FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS t (l, h, b, nth) "
            "LEFT JOIN pg_catalog.pg_ts_config c ON c.cfgname = t.l AND c.cfgnamespace = 'pg_catalog'::regnamespace, "
            "LATERAL (SELECT coalesce(c.oid, 'pg_catalog.simple'::regconfig::oid)::regconfig AS config) r, "
            "LATERAL (SELECT r.config, websearch_to_tsquery(r.config, $4) AS query) q ORDER BY t.nth",
            [config_of(each.language) for each in passages],
            [_plain(each.title) for each in passages],
            [_plain(each.text[:MOST_CHARACTERS]) for each in passages],
            _asking(words), _WHOLE, _PARTS, EXCERPTED,
        )  # fmt: skip
        return [Excerpt(row["found"], row["title"], row["text"]) for row in rows]


async def _found(
    source: Queryable, asked: str, selection: Selection, before: Position | None, limit: int
) -> list[Archived]:
    wanted = " & ".join(filter(None, (asked, conjunction(selection.marks(datetime.now(UTC))))))
    rows = await source.fetch("SELECT epoch, first_offset, last_offset FROM publish.epochs")
    spans = {row["epoch"]: (row["first_offset"], row["last_offset"]) for row in rows}
    found: list[Archived] = []
    for number, (blocks, below) in enumerate(windows(before or LAST, spans)):
        upper = below
        if number == FEW_AFTER and wanted:
            few = await _few(source, wanted, selection, upper, 2 * limit)
            if few is not None:
                rest = await _current(source, few)
                if rest and rest[-1].is_cut:
                    return [*found, *rest][:limit]
                if len(found) + len(rest) >= limit or len(few) < 2 * limit:
                    return [*found, *rest][:limit]
        query = " & ".join(filter(None, (wanted, blocks)))
        while (lacking := limit - len(found)) > 0:
            places = await _places(source, query, selection, upper, lacking)
            if places:
                found += await _current(source, places)
                if found and found[-1].is_cut:
                    return found
                upper = places[-1][2]
            if len(places) < lacking:
                break
        if len(found) >= limit:
            break
    return found[:limit]


async def _asked(source: Queryable, words: str) -> str:
    """The words as a query in each language that the index has; empty where they say nothing in any."""
    rows = await source.fetch(
        "SELECT config, websearch_to_tsquery(config::regconfig, $1)::text AS query FROM publish.search_configs",
        words,
    )
    return in_languages({row["config"]: row["query"] for row in rows})


def in_languages(queries_of: Mapping[str, str]) -> str:
    """One query of those of each configuration. What they all say alike, as most names, is asked without looking at the language."""
    configs: dict[str, list[str]] = {}
    for config, query in sorted(queries_of.items()):
        configs.setdefault(query, []).append(config)
    if len(configs) == 1:
        return "".join(f"({query})" for query in configs if query)
    each = [
        f"(({query}) & ({' | '.join(quoted(config_mark(config)) for config in own)}))"
        for query, own in configs.items()
        if query
    ]
    return f"({' | '.join(each)})" if each else ""


_Place: TypeAlias = tuple[str, int, Position]
"""An update, with the revision that is indexed and its position."""
_INDEXED = (
    "SELECT s.update_id, s.revision, s.position_epoch, s.position_offset FROM publish.search_index s "
    "WHERE s.words @@ $1::tsquery AND (s.position_epoch, s.position_offset) < ($2, $3) "
    "AND ($4::timestamptz IS NULL OR s.first_published_at >= $4) AND ($5::timestamptz IS NULL OR s.first_published_at < $5)"
)


async def _places(source: Queryable, query: str, selection: Selection, upper: Position, limit: int) -> list[_Place]:
    """The next below a position."""
    if not query:
        rows = await source.fetch(
            "SELECT u.update_id, u.revision, u.position_epoch, u.position_offset FROM publish.updates u WHERE u.visible "
            "AND (u.position_epoch, u.position_offset) < ($1, $2) ORDER BY u.position_epoch DESC, u.position_offset DESC LIMIT $3",
            *upper, limit,
        )  # fmt: skip
    else:
        rows = await source.fetch(
            f"{_INDEXED} ORDER BY s.position_epoch DESC, s.position_offset DESC LIMIT $6",
            query, *upper, selection.since, selection.until, limit,
        )  # fmt: skip
    return _places_of(rows)


async def _few(source: Queryable, query: str, selection: Selection, upper: Position, limit: int) -> list[_Place] | None:
    """The next below a position, where there are few at all: a rare word is asked for without blocks. None where there are more."""
    rows = await source.fetch(
        f"SELECT *, count(*) OVER () AS are FROM ({_INDEXED} LIMIT {FEW + 1}) few "  # noqa: S608 -- constants
        "ORDER BY position_epoch DESC, position_offset DESC LIMIT $6",
        query, *upper, selection.since, selection.until, limit,
    )  # fmt: skip
    return _places_of(rows) if not rows or rows[0]["are"] <= FEW else None


def _places_of(rows: Iterable[Row]) -> list[_Place]:
    return [
        (row["update_id"], row["revision"], Position(row["position_epoch"], row["position_offset"])) for row in rows
    ]


async def _current(source: Queryable, places: Sequence[_Place]) -> list[Archived]:
    """Those that readers may have, in the words that they were found by; the last `is_cut` where they are not all read."""
    found = await queries.some(source, [update_id for update_id, _, _ in places])
    current = [
        archived
        for update_id, revision, _ in places
        if (archived := found.get(update_id)) is not None
        and not archived.update.is_removal
        and archived.update.revision == revision
    ]
    if current and any(each.is_cut for each in found.values()):
        current[-1] = replace(current[-1], is_cut=True)
    return current


def _asking(words: str) -> str:
    return words.replace("-", " ") if words.count("-") > MOST_DASHES else words


def _plain(text: str) -> str:
    return text.translate({0: None, ord(BEGIN): None, ord(END): None}).encode("utf-8", "replace").decode()
