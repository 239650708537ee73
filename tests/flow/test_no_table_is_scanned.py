"""What a running newsroom asks of a large database, it finds by indexes: Postgres counts every table that was read through."""

from pathlib import Path
from typing import Any

import asyncpg
import pytest

from shared.settings import Connections
from support.pipeline import Pipeline, started
from support.processes import Processes
from support.waiting import eventually

pytestmark = [pytest.mark.flow, pytest.mark.timeout(300)]

LARGE = 2_000
"""Rows of a table from which on it must not be read through."""
UPDATES = 6_000
TIMES = 4
"""How often a day's work is done: what reads through a table each time is told from batches of what came before, which Postgres
counts late, and for which it may read a table of this size through."""
SERVICES = (
    ("ingest", "api"),
    ("enrich", "text"),
    ("enrich", "gather"),
    ("enrich", "media"),
    ("publish", "archive"),
    ("publish", "cache"),
    ("publish", "web"),
    ("publish", "push"),
)
# Tables that only faults, pictures, readers and partners fill: rows as real ones are, so that a plan is made for many.
FILL = """
INSERT INTO enrich.media (sha256, picture, size_bytes, phash, phash_bands, dhash)
SELECT md5(n::text), md5(n::text), 1000, n, ARRAY[n::int], n FROM generate_series(1, 20000) n;
INSERT INTO enrich.media_references (update_id, reference, source, url, wanted, state, sha256, fetched_url, requested_at)
SELECT update_id, 'r', 'wire', 'https://pictures.example/' || n, '{}', 'ready', md5(n::text), 'https://pictures.example/' || n, now()
FROM (SELECT update_id, row_number() OVER () AS n FROM enrich.updates) one;
INSERT INTO publish.push_keys (id, name, sha256, scopes) VALUES ('old', 'old', 'old', '{}');
INSERT INTO publish.endpoints (id, kind, owner, url, channels, state)
VALUES ('old', 'webhook', 'old', 'https://partner.example/', '{source:nobody}', 'disabled');
INSERT INTO publish.deliveries (endpoint_id, message_id, type, update_id, revision, order_key, body, state, ended_at, next_attempt_at)
SELECT 'old', 'm' || log_offset, 'update', update_id, revision, update_id, '', 'delivered', written_at, written_at
FROM publish.revisions;
INSERT INTO publish.takedowns (update_id, sink, removal, revision, clean_at, checked_at)
SELECT update_id, 'page', 'killed', 1, now(), now() FROM publish.updates;
INSERT INTO publish.pictures (picture, update_id, shown, paths)
SELECT md5(update_id), update_id, true, '{}' FROM publish.updates;
INSERT INTO ingest.aliases (source, alias, guid) SELECT source, 'alias of ' || guid, guid FROM ingest.items;
INSERT INTO ingest.orders (id, update_id, name, by, reason, ordered_at)
SELECT 'old ' || update_id, update_id, 'correct', 'somebody', '', now() FROM ingest.items;
INSERT INTO ingest.originals (id, source, transport, received_at, content_type, headers, sha256, body)
SELECT gen_random_uuid(), 'wire', 'api', received_at, 'application/json', '{}', md5(guid), '' FROM ingest.items;
INSERT INTO enrich.unknown_names (name, spelling, example) SELECT update_id, update_id, update_id FROM enrich.updates;
"""
# Copy of two months, not of this minute.
AGE = """
UPDATE enrich.updates SET written_at = written_at - random() * interval '60 days';
UPDATE enrich.gathered SET changed_at = changed_at - random() * interval '60 days';
UPDATE ingest.items SET received_at = received_at - random() * interval '60 days';
UPDATE ingest.originals SET received_at = received_at - random() * interval '60 days';
UPDATE publish.pushed SET pushed_at = pushed_at - random() * interval '60 days';
"""


async def test_no_large_table_is_read_through(newsroom: Connections, processes: Processes, tmp_path: Path) -> None:
    """Versions, corrections, orders, stories, pages, API, streams and deliveries, while each table has thousands of rows."""
    connection = await asyncpg.connect(newsroom.postgres_dsn)
    async with started(newsroom, processes, tmp_path, SERVICES) as pipeline:
        first, last = await _fill(pipeline)
        # On a connection that ends: what a session has read through is counted when it ends at the latest.
        filling = await asyncpg.connect(newsroom.postgres_dsn)
        for statement in (FILL, AGE, "ANALYZE"):
            await filling.execute(statement)
        await filling.close()
        await connection.execute("SELECT pg_stat_reset()")
        for number in range(TIMES):
            await _work(pipeline, number, first, last)
    read_through = await _read_through(connection)
    await connection.close()
    assert read_through == {}


async def _fill(pipeline: Pipeline) -> tuple[str, str]:
    """Thousands of updates by the front door: the ids of the first and the last."""
    ids: list[str] = []
    for start in range(0, UPDATES, 200):
        copy = [_copy(number) for number in range(start, start + 200)]
        answer = await pipeline.post(*copy, source="wire")
        assert answer.status_code == 202, answer.text
        ids += [each["id"] for each in answer.json()["results"]]
    await pipeline.visible(ids[-1], f"Headline {UPDATES - 1}", within_s=120)
    return ids[0], ids[-1]


def _copy(number: int) -> dict[str, Any]:
    return {
        "guid": f"old-{number}",
        "headline": f"Headline {number}",
        "body_html": f"<p>Words of {number}.</p>",
        "byline": f"By Writer {number % 40}",
        "story": f"story-{number % 300}",
    }


async def _work(pipeline: Pipeline, number: int, first: str, last: str) -> None:
    """What a day brings, once each."""
    guid = f"kept-{number}"
    kept = await pipeline.accepted(guid=guid, headline="Kept", body_html="<p>One.</p>", story="flood")
    await pipeline.visible(kept, "Kept")
    child = await pipeline.accepted(
        guid=f"child-{number}", headline="Child", body_html="<p>Two.</p>", evolved_from=guid
    )
    await pipeline.visible(child, "Child")
    await pipeline.accepted(guid=guid, version="2", headline="Kept, corrected", body_html="<p>1.</p>", story="storm")
    await pipeline.visible(kept, "Kept, corrected")

    async def story() -> Any:
        return (await pipeline.get(f"/v1/updates/{child}")).json()["story"]["id"]

    await eventually(story, lambda seen: seen == "storm", within_s=30, what="the child does not follow its parent")
    for path in _paths(first, last):
        answer = await pipeline.get(path)
        assert answer.status_code < 500, (path, answer.text)
    killed = await pipeline.post({"guid": f"old-{number}", "pubstatus": "canceled"}, source="wire")
    assert killed.status_code in (202, 422), killed.text
    await pipeline.state_of(first)
    await pipeline.state_of(kept)
    page = (await pipeline.get("/v1/updates?limit=100")).json()
    cursor = page["cursor"]
    epoch, _, offset = cursor.partition("-")
    start = f"{epoch}-{int(offset) - 50}"
    for channel in ("news", "story:flood", "source:desk"):
        answer = await pipeline.get(f"/v1/since?cursor={start}&channel={channel}")
        assert answer.status_code < 500, answer.text
        async with pipeline.stream(f"?channel={channel}&cursor={start}"):
            pass


def _paths(first: str, last: str) -> list[str]:
    return [
        "/", "/stories", "/stories/story-7", f"/updates/{first}/x", f"/updates/{last}/x", "/authors/writer-7",
        f"/v1/updates/{first}", f"/v1/updates/{first}/revisions", "/v1/updates?before=1-900", "/?before=1-900",
        "/v1/stories", "/feeds/news.rss", "/feeds/story/story-7.atom", "/sitemap-news.xml", "/v1/updates?channel=story:story-9&before=1-900",
    ]  # fmt: skip


async def _read_through(connection: "asyncpg.Connection[asyncpg.Record]") -> dict[str, int]:
    """The large tables that were read through again and again since the statistics were reset, and how often."""

    async def others() -> int:
        return await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND backend_type = 'client backend'"
        )

    await eventually(others, lambda left: left == 0, what="processes still hold connections")
    rows = await connection.fetch(
        "SELECT schemaname || '.' || relname AS name, seq_scan FROM pg_stat_user_tables "
        "WHERE seq_tup_read >= $1 AND schemaname IN ('ingest', 'enrich', 'publish')",
        LARGE,
    )
    return {row["name"]: row["seq_scan"] for row in rows if row["seq_scan"] >= TIMES}
