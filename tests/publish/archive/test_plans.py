"""No statement that publish sends reads a large table from end to end, whatever Postgres believes of its size.

Statements are collected by running what sends them on a grown archive whose statistics are of when it was small, and explained
with the values that they were sent with: as Postgres plans them for these values, and for any.
"""

from datetime import timedelta
from typing import Any

import pytest

from publish.archive import epochs, queries
from publish.archive.search.engine import Passage, PostgresSearch
from publish.archive.search.filled import is_filled
from publish.archive.search.index import fill, find_missing
from publish.archive.search.selection import Selection
from publish.archive.standings import standings
from publish.archive.store import find_missing_pictures, places_of, revision_of, write_batch
from publish.representation.position import Position
from publish.settings import Settings
from shared.kafka.cloudevents import value_of
from shared.postgres.pool import Pool
from shared.settings import Connections
from support.plans import Recorder, Sent, scanned
from support.revisions import NOON, revision

pytestmark = pytest.mark.integration

ROWS = 30_000
LARGE = ("revisions", "updates", "update_channels", "channel_log", "search_index", "pictures")
SOME = revision("new", tags=["rare"], story="s")
ID = "'u' || lpad(translate(n::text, '0123456789', 'abcdefghij'), 25, 'a')"


def named(number: int) -> str:
    """The id of a row, as `ID` has it."""
    return "u" + str(number).translate(str.maketrans("0123456789", "abcdefghij")).rjust(25, "a")


@pytest.fixture
def settings(newsroom: Connections) -> Settings:
    """The settings of a process in this newsroom."""
    return Settings(**newsroom.model_dump())


async def grow(pool: Pool) -> None:
    """A hundred updates, of which Postgres takes statistics, then all the others."""
    row = revision("row")
    data = value_of(row).decode().replace(row.update_id, "ROW")
    insert = f"""
        INSERT INTO publish.revisions (update_id, revision, epoch, log_offset, kind, channels, data)
        SELECT i, 1, 1, n, 'publish', ARRAY['news', 'update:' || i, 'source:wire', 'tag:t' || n % 50],
            convert_to(replace($3, 'ROW', i), 'UTF8')
        FROM generate_series($1::int, $2::int) n, LATERAL (SELECT {ID} AS i) ids
    """
    others: tuple[str, ...] = (
        (
            "INSERT INTO publish.updates SELECT update_id, 1, 1, log_offset, 1, log_offset, true, false, NULL, 'wire', NULL, channels, "
            "now(), NULL, data FROM publish.revisions WHERE log_offset BETWEEN $1 AND $2"
        ),
        (
            "INSERT INTO publish.update_channels SELECT c, 1, log_offset, update_id FROM publish.revisions, unnest(channels) c "
            "WHERE log_offset BETWEEN $1 AND $2 AND c NOT LIKE 'update:%' AND c <> 'news'"
        ),
        "INSERT INTO publish.pictures SELECT 'p' || log_offset, update_id, true, '{}' FROM publish.revisions WHERE log_offset BETWEEN $1 AND $2",
        (
            "INSERT INTO publish.search_index SELECT update_id, 1, 1, log_offset, now(), 'simple', to_tsvector('simple', 'common word' || log_offset) "
            "|| array_to_tsvector(ARRAY[chr(1) || 'config:simple', chr(1) || 'tag:t' || log_offset % 50, chr(1) || 'place:1.' || log_offset / 8192]) "
            "FROM publish.revisions WHERE log_offset BETWEEN $1 AND $2"
        ),
    )
    async with pool.acquire() as connection:
        for table in LARGE:
            await connection.execute(f"ALTER TABLE publish.{table} SET (autovacuum_enabled = false)")
        await connection.execute(
            "INSERT INTO publish.epochs (epoch, cluster_id, reason, first_offset, last_offset) VALUES (1, '', '', 0, $1)",
            ROWS,
        )
        await connection.execute("INSERT INTO publish.search_configs VALUES ('simple')")
        for first, last in ((1, 100), (101, ROWS)):
            await connection.execute(insert, first, last, data)
            for statement in others:
                await connection.execute(statement, first, last)
            if first == 1:
                await connection.execute("ANALYZE")


async def everything_that_is_sent(pool: Any) -> None:
    """What archive, web, cache and push ask of the archive, and what the archive writes."""
    newest = Position(1, ROWS)
    news, rare = ("news",), ("tag:rare", "tag:t3", f"update:{named(77)}", "story:none")
    await queries.snapshot(pool, 500, 5_000)
    for channel in ("news", "tag:t1", f"update:{named(5)}"):
        await queries.page(pool, channel, newest, 20)
        await queries.last_change(pool, channel, newest)
    for channels in (news, rare):
        await queries.what_followed(pool, Position(1, 5), channels, 50)
    await queries.replay(pool, 1, 5, None, 50)
    await queries.stories(pool, 100)
    await queries.retracted(pool)
    for ask in (queries.one, queries.ever_shown, queries.revisions):
        await ask(pool, named(9))  # type: ignore[operator]
    await queries.showing(pool, "p9")
    await queries.some(pool, [named(1), named(2)])
    await queries.last_told(pool, [named(1), named(2)])
    await queries.servable(pool, [(named(1), 1), (named(2), 1)])
    await queries.count(pool, [(named(1), 1)])
    await standings(pool, [named(1), named(2)])
    engine = PostgresSearch(pool)
    for words in ("common", "word4711", "common -word4711", '"common word4711"'):
        await engine.find(words, Selection(), None, 20)
    await engine.find(
        "", Selection(channels=frozenset({"tag:t7"}), since=NOON, until=NOON + timedelta(days=9000)), newest, 20
    )
    await engine.excerpts("common", [Passage("en", "a", "b")])
    await is_filled(pool)
    await epochs.newest(pool)
    await find_missing_pictures(pool, 1, ROWS - 100)
    await find_missing(pool, 1, ROWS - 100)
    await fill(pool, 50)
    revisions = [revision_of(Position(1, ROWS + 1), SOME, value_of(SOME))]
    killed = revision("new", 2, removal="killed")
    async with pool.acquire() as connection, connection.transaction():
        await write_batch(connection, revisions)
        await places_of(connection, revisions)
        await write_batch(connection, [revision_of(Position(1, ROWS + 2), killed, value_of(killed))])


@pytest.mark.timeout(110)
async def test_no_statement_scans_a_large_table(pool: Pool) -> None:
    """By index, each of them."""
    await grow(pool)
    sent: Sent = {}
    await everything_that_is_sent(Recorder(pool, sent))
    assert len(sent) > 35
    wrong = await scanned(pool, sent, LARGE)
    assert not wrong, "\n".join(wrong)
