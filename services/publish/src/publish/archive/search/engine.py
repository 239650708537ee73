"""The search engine that web asks: an interface, and Postgres behind it.

Each row of the index has the words of its text and marks for all that is filtered by, in one `tsvector`: whatever is asked is an
intersection that the index makes. Newest come first, so the newest blocks of the log are asked first, and a word of every
second update costs no more than a rare one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Protocol

from publish.archive import queries
from publish.archive.queries import Archived
from publish.archive.search.languages import config_of
from publish.archive.search.selection import PLACES, Selection, block_mark, config_mark, conjunction, quoted
from publish.representation.position import Position
from shared.postgres.pool import Pool, Queryable

WINDOWS = (2, 8, 64)
"""Blocks of places that are asked one after the other; then all that is older."""
LAST = Position(2**31 - 1, 2**63 - 1)
BEGIN, END = "\x02", "\x03"
"""Around a word that was found, in an excerpt: characters that no text of ours has."""
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

        `words`: words that must all be there, "phrases" and -minus; empty for all.
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
            asked = await _asked(connection, words) if words else ""
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
            [_plain(each.text) for each in passages],
            words, _WHOLE, _PARTS, EXCERPTED,
        )  # fmt: skip
        return [Excerpt(row["found"], row["title"], row["text"]) for row in rows]


async def _found(
    source: Queryable, asked: str, selection: Selection, before: Position | None, limit: int
) -> list[Archived]:
    wanted = " & ".join(filter(None, (asked, conjunction(selection.marks(datetime.now(UTC))))))
    rows = await source.fetch("SELECT epoch, first_offset, last_offset FROM publish.epochs")
    spans = {row["epoch"]: (row["first_offset"], row["last_offset"]) for row in rows}
    found: list[Archived] = []
    for blocks, below in windows(before or LAST, spans):
        upper = below
        query = " & ".join(filter(None, (wanted, blocks)))
        while (lacking := limit - len(found)) > 0:
            places = await _places(source, query, selection, upper, lacking)
            if places:
                found += await _current(source, places)
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
    each = [f"(({row['query']}) & {quoted(config_mark(row['config']))})" for row in rows if row["query"]]
    return f"({' | '.join(each)})" if each else ""


async def _places(
    source: Queryable, query: str, selection: Selection, upper: Position, limit: int
) -> list[tuple[str, int, Position]]:
    """Updates, with the revision that is indexed and their positions."""
    if not query:
        rows = await source.fetch(
            "SELECT u.update_id, u.revision, u.position_epoch, u.position_offset FROM publish.updates u WHERE u.visible "
            "AND (u.position_epoch, u.position_offset) < ($1, $2) ORDER BY u.position_epoch DESC, u.position_offset DESC LIMIT $3",
            *upper, limit,
        )  # fmt: skip
    else:
        rows = await source.fetch(
            "SELECT s.update_id, s.revision, s.position_epoch, s.position_offset FROM publish.search_index s "
            "WHERE s.words @@ $1::tsquery AND (s.position_epoch, s.position_offset) < ($2, $3) "
            "AND ($4::timestamptz IS NULL OR s.first_published_at >= $4) AND ($5::timestamptz IS NULL OR s.first_published_at < $5) "
            "ORDER BY s.position_epoch DESC, s.position_offset DESC LIMIT $6",
            query, *upper, selection.since, selection.until, limit,
        )  # fmt: skip
    return [
        (row["update_id"], row["revision"], Position(row["position_epoch"], row["position_offset"])) for row in rows
    ]


async def _current(source: Queryable, places: Sequence[tuple[str, int, Position]]) -> list[Archived]:
    """Those that readers may have, in the words that they were found by."""
    found = await queries.some(source, [update_id for update_id, _, _ in places])
    return [
        archived
        for update_id, revision, _ in places
        if (archived := found.get(update_id)) is not None
        and not archived.update.is_removal
        and archived.update.revision == revision
    ]


def _plain(text: str) -> str:
    return text.translate({0: None, ord(BEGIN): None, ord(END): None}).encode("utf-8", "replace").decode()
