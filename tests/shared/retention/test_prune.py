"""Pruning on a real Postgres: in batches, only what is old, and going on past a rule that fails."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from shared.postgres.pool import Pool, connect
from shared.retention import prune as module
from shared.retention.prune import prune
from shared.retention.rules import AnyRule, Extra, Rule
from shared.settings import Connections

pytestmark = pytest.mark.integration

OLD = Rule("old", "old ones", "notes", "id", "t.at < $1", 30, by="at")
WORDS = Rule("words", "their words", "notes", "id", "t.at < $1 AND t.words <> ''", 10, erase="words = ''")
BROKEN = Rule("broken", "no such column", "notes", "id", "t.nothing < $1", 1)


@pytest_asyncio.fixture
async def pool(newsroom: Connections) -> AsyncIterator[Pool]:
    """A table of notes: 25 of 60 days ago, 5 of 20, 2 of now."""
    made = await connect(newsroom, schema="public", max_size=2)
    await made.execute("CREATE TABLE notes (id int PRIMARY KEY, at timestamptz NOT NULL, words text NOT NULL)")
    await made.execute(
        "INSERT INTO notes SELECT n, now() - CASE WHEN n <= 25 THEN interval '60 days' WHEN n <= 30 THEN interval '20 days' "
        "ELSE interval '0' END, 'words' FROM generate_series(1, 32) n"
    )
    yield made
    await made.close()


async def test_old_rows_go_in_batches_and_others_stay(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dry run counts the same; a rule that fails is named; what is kept for ever, and what is locked, is left."""
    monkeypatch.setattr(module, "BATCH", 10)
    told: list[tuple[str, int]] = []
    acted: list[bool] = []

    async def act(_: Pool, before: datetime, dry_run: bool) -> int:
        assert datetime.now(UTC) - before > timedelta(days=1)
        acted.append(dry_run)
        return 3

    rules: list[AnyRule] = [
        BROKEN,
        OLD,
        WORDS,
        Extra("files", "files", 2, act),
        Rule("never", "", "notes", "id", "t.at < $1", 0),
    ]
    dry = await prune(pool, rules, dry_run=True)
    assert [(each.rule, each.rows, bool(each.error)) for each in dry] == [
        ("broken", 0, True), ("old", 25, False), ("words", 30, False), ("files", 3, False), ("never", 0, False),
    ]  # fmt: skip
    assert await pool.fetchval("SELECT count(*) FROM notes") == 32
    async with pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM notes WHERE id = 1 FOR UPDATE")
        done = await prune(pool, rules, told=lambda rule, rows: told.append((rule, rows)))
    assert [(each.rule, each.rows) for each in done if not each.error] == [
        ("old", 24),
        ("words", 5),
        ("files", 3),
        ("never", 0),
    ]
    assert [rows for rule, rows in told if rule == "old"] == [10, 20, 24]
    rows = await pool.fetch("SELECT id FROM notes WHERE words <> '' ORDER BY id")
    assert [row["id"] for row in rows] == [1, 31, 32]
    assert acted == [True, False]
    again = await prune(pool, [OLD, WORDS])
    assert [each.rows for each in again] == [1, 0]
