"""Migrations only add: what the last release's statements name is there after them, and no row of theirs is refused.

`released/schema.json` is the schema that the last release ends with, `released/commit` its commit, `released/messages` its
messages. `make released` writes all three; that is done once a release is out. Its statements themselves run under this release's schema in `tests/flow/test_upgrade.py`.
"""

import json
import os
import subprocess
import sys
from dataclasses import replace

import asyncpg
import pytest

from shared.postgres.migrations import migrate
from shared.postgres.pool import connect
from shared.settings import Connections
from support.catalog import SCHEMAS, Catalog, Column, Table, broken, read_catalog
from support.places import ROOT
from support.releases import RELEASED

ALLOWED: dict[str, str] = {}
"""What is broken and may be, each with the reason why no statement of the last release meets it."""


async def present_schema(newsroom: Connections) -> Catalog:
    """What all migrations make of an empty database."""
    for schema in SCHEMAS:
        pool = await connect(newsroom, schema=schema)
        try:
            await migrate(pool, schema)
        finally:
            await pool.close()
    connection = await asyncpg.connect(newsroom.postgres_dsn)
    try:
        return await read_catalog(connection)
    finally:
        await connection.close()


async def test_the_last_releases_statements_find_what_they_name(newsroom: Connections) -> None:
    """No table, column, default, key or function of the last release is gone, and nothing new refuses a row of its."""
    new = await present_schema(newsroom)
    if os.environ.get("NOTE_RELEASE") == "1":
        _note(new)
    old = Catalog.of_json(json.loads((RELEASED / "schema.json").read_text()))
    assert len(old.tables) > 40
    assert [each for each in broken(old, new) if each not in ALLOWED] == []


def _note(schema: Catalog) -> None:
    described = ["git", "-C", str(ROOT), "log", "-1", "--format=%H %as"]
    commit = subprocess.run(described, capture_output=True, text=True, check=True).stdout
    (RELEASED / "commit").write_text(commit)
    (RELEASED / "schema.json").write_text(json.dumps(schema.as_json(), indent=1, sort_keys=True) + "\n")
    for old in (RELEASED / "messages").glob("*.json"):
        old.unlink()
    subprocess.run([sys.executable, "-m", "shared", "schemas", str(RELEASED / "messages")], check=True)


TEXT, NUMBER = Column("text", nullable=True, filled=False), Column("bigint", nullable=False, filled=True)
WAS = Catalog(
    {"a.b": Table({"id": NUMBER, "words": TEXT}, ["btree (id)"], ["CHECK (id > 0)"])}, {"a.f(text)": "integer"}
)


def now(functions: dict[str, str] | None = None, **changed: Column | None) -> Catalog:
    """The schema with these columns changed, added, or gone."""
    columns = {name: column for name, column in (WAS.tables["a.b"].columns | changed).items() if column is not None}
    table = Table(columns, ["btree (id)"], ["CHECK (id > 0)"])
    return Catalog({"a.b": table}, WAS.functions if functions is None else functions)


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (now(), []),
        (now(more=TEXT), []),
        (now(more=NUMBER), []),
        (Catalog({**WAS.tables, "a.more": Table({"id": replace(NUMBER, filled=False)})}, WAS.functions), []),
        (now(more=replace(NUMBER, filled=False)), ["a.b.more is new, and an INSERT that does not know it is refused"]),
        (now(words=None), ["a.b.words is gone"]),
        (now(words=replace(TEXT, type="bytea")), ["a.b.words is bytea and not text"]),
        (now(words=replace(TEXT, nullable=False, filled=True)), ["a.b.words does not take NULL any more"]),
        (now(id=replace(NUMBER, filled=False)), ["a.b.id has no default any more"]),
        (now(functions={}), ["a.f(text) is gone"]),
        (now(functions={"a.f(text)": "bigint"}), ["a.f(text) gives bigint and not integer"]),
        (Catalog({}, WAS.functions), ["a.b is gone"]),
        (
            Catalog({"a.b": Table(WAS.tables["a.b"].columns, ["btree (words)"], ["CHECK (id > 0)", "CHECK (id < 9)"])}, WAS.functions),
            [
                "a.b: ON CONFLICT finds no btree (id) any more", "a.b: rows may be refused by CHECK (id < 9)",
                "a.b: rows may be refused by UNIQUE btree (words)",
            ],
        ),
    ],
)  # fmt: skip
def test_what_takes_something_away_is_said(new: Catalog, said: list[str]) -> None:
    """Each kind of change, and that additions are none."""
    assert broken(WAS, new) == said
