"""Reference data is loaded beside the work: nothing waits for it, and an entry that cannot be read takes no other with it."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
import pytest_asyncio

from enrich.reference.automaton import LARGE, build_apart
from enrich.reference.loader import ReferenceData, ReferenceLoader
from shared.postgres.migrations import migrate
from shared.postgres.pool import Pool, connect
from shared.postgres.set_aside import listed
from shared.settings import Connections


@pytest_asyncio.fixture
async def pool(newsroom: Connections) -> AsyncIterator[Pool]:
    """A schema with nothing in it."""
    pool = await connect(newsroom, schema="enrich", max_size=4)
    await migrate(pool, "enrich")
    yield pool
    await pool.close()


async def longest_stall_s(work: "asyncio.Task[object]") -> float:
    """The longest time that the event loop did not turn while a task ran."""
    longest, last = 0.0, time.perf_counter()
    while not work.done():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    await work
    return longest


async def add_names(pool: Pool, count: int, kind: str = "person") -> None:
    """Names of two words, in a new edition."""
    await pool.execute(
        "INSERT INTO enrich.names (code, kind, label, entry) SELECT 'person:p' || i, $2, n, "
        "jsonb_build_object('code', 'person:p' || i, 'kind', $2::text, 'label', n) "
        "FROM (SELECT i, initcap(translate(md5(i::text), '0123456789', 'ghijklmnop')) || ' Smith' || i AS n "
        "      FROM generate_series(1, $1::int) i) x ON CONFLICT DO NOTHING",
        count, kind,
    )  # fmt: skip
    await pool.execute("UPDATE enrich.editions SET edition = edition + 1 WHERE name = 'names'")


def test_a_large_automaton_is_built_elsewhere_and_finds_the_same() -> None:
    """What is read back finds each name at its place."""
    patterns = [f" name{number}" for number in range(LARGE + 1)]
    found = build_apart(patterns).find_overlapping("ü name17 and name5000")
    assert (1, 8, 17) in found
    assert (12, 21, 5000) in found


@pytest.mark.integration
async def test_the_loop_turns_while_names_are_loaded_and_readers_have_the_old_ones(pool: Pool) -> None:
    """20,000 names: whoever looks meanwhile finds with the table before, or with the whole new one."""
    reference = ReferenceData()
    loader = ReferenceLoader(pool, None, reference)
    await add_names(pool, 10)
    await loader.catch_up()
    await add_names(pool, 20_000)
    seen = set()
    loading = asyncio.create_task(loader.catch_up())
    while not loading.done():
        seen.add(len(reference.dictionary.entries))
        await asyncio.sleep(0)
    assert seen <= {10, 20_000}
    assert len(reference.dictionary.entries) == 20_000
    await add_names(pool, 20_001)
    stall_s = await longest_stall_s(asyncio.create_task(loader.catch_up()))
    print(f"\nlongest stall of the loop: {stall_s * 1000:.0f} ms")
    assert reference.dictionary.edition == loader.editions["names"]


@pytest.mark.integration
async def test_an_entry_that_cannot_be_read_is_left_out_and_listed(pool: Pool, tmp_path: Path) -> None:
    """Authors, subjects, names and lines of the file: each bad one is set aside with its reason until it is mended."""
    good = {"id": "ada-quill", "name": "Ada Quill"}
    file = tmp_path / "names.jsonl"
    file.write_bytes(
        orjson.dumps({"code": "topic:cop28", "kind": "topic", "label": "COP28"}) + b"\n"
        + orjson.dumps({"code": "no code", "kind": "topic", "label": "x"})
    )  # fmt: skip
    for author_id, profile in (("ada-quill", good), ("bad", {"id": "Bad", "name": ""})):
        await pool.execute("INSERT INTO enrich.authors (id, profile) VALUES ($1, $2)", author_id, profile)
    await pool.execute("INSERT INTO enrich.subjects (code, concept) VALUES ('medtop:1', '{}')")
    await add_names(pool, 2)
    await pool.execute("UPDATE enrich.names SET entry = '[1]' WHERE code = 'person:p2'")
    reference = ReferenceData()
    loader = ReferenceLoader(pool, file, reference)
    assert set(await loader.catch_up()) == {"authors", "subjects", "names", "stories"}
    assert list(reference.directory.profiles) == ["ada-quill"]
    assert [entry.code for entry in reference.dictionary.entries] == ["topic:cop28", "person:p1"]
    entries = {entry.key: entry.reason for entry in await listed(pool, "enrich", "reference")}
    assert set(entries) == {"authors:bad", "subjects:medtop:1", "names:person:p2", f"file:{file}/1"}
    assert "lower-case" in entries["authors:bad"]
    await pool.execute("UPDATE enrich.authors SET profile = $1 WHERE id = 'bad'", {"id": "bo", "name": "Bo"})
    await pool.execute("UPDATE enrich.editions SET edition = edition + 1 WHERE name = 'authors'")
    await loader.catch_up()
    assert sorted(reference.directory.profiles) == ["ada-quill", "bo"]
    assert "authors:bad" not in {entry.key for entry in await listed(pool, "enrich", "reference")}
