"""Search: how long the archive's engine takes for a page of results, and what the index takes on disk.

    python tests/bench/search.py [--rows 200000] [--turns 30]

Rows are synthetic: sixty words each, drawn as words of a language are (by Zipf's law, from 30,000), 40 tags, six languages. What
is measured is what `/v1/search` asks: the results, then their excerpts. Beside it stands what filters of `/v1/updates` ask.
"""

import argparse
import asyncio
import itertools
import json
import random
import statistics
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "deploy")]

from publish.archive.search.engine import Passage, PostgresSearch  # noqa: E402 -- after the path
from publish.archive.search.index import fill  # noqa: E402
from publish.archive.search.selection import Selection  # noqa: E402
from publish.representation.position import Position  # noqa: E402
from publish.settings import Settings  # noqa: E402
from shared.kafka.cloudevents import value_of  # noqa: E402
from shared.messages import update_id_for  # noqa: E402
from shared.postgres.migrations import migrate  # noqa: E402
from shared.postgres.pool import Pool, connect  # noqa: E402
from support.revisions import revision  # noqa: E402
from support.servers import Servers, running_servers  # noqa: E402

VOCABULARY = 30_000
WORDS = 60
LANGUAGES = ("en", "en-GB", "de", "uk", "fr", "es")
GOAL_MS = 50.0
BEGUN = datetime(2025, 1, 1, tzinfo=UTC)


def word(number: int) -> str:
    """The word of a rank: letters that no stemmer knows."""
    letters = ""
    while number >= 0:
        letters = "abcdefghijklmnopqrstuvwxyz"[number % 26] + letters
        number = number // 26 - 1
    return f"x{letters}q"


def rows(count: int) -> Iterator[tuple[object, ...]]:
    """Rows of `publish.updates`."""
    chosen = random.Random(1)
    words = [word(number) for number in range(VOCABULARY)]
    weights = list(itertools.accumulate(1 / (rank + 1) for rank in range(VOCABULARY)))
    template = revision("row", headline="HEADLINE", text="WORDS", tags=["TAG"], language="LANGUAGE", urgency=3)
    data = value_of(template).decode().replace(template.update_id, "ROW")
    for number in range(count):
        update_id = update_id_for("bench", str(number))
        text = " ".join(chosen.choices(words, cum_weights=weights, k=WORDS))
        tag, language = f"t{number % 40}", LANGUAGES[number % len(LANGUAGES)]
        at = BEGUN + timedelta(minutes=number // 2)
        body = data.replace("ROW", update_id).replace("HEADLINE", text[:60]).replace("WORDS", text)
        body = (
            body.replace("2026-01-01T12:00:00Z", at.strftime("%Y-%m-%dT%H:%M:00Z"))
            .replace("TAG", tag)
            .replace("LANGUAGE", language)
        )
        channels = ["news", f"update:{update_id}", "source:wire", f"tag:{tag}"]
        yield (update_id, 1, 1, number, 1, number, True, False, None, "wire", None, channels, at, None, body.encode())


async def grow(pool: Pool, dsn: str, count: int) -> float:
    """Fill the archive, then its index as the archive's own process does; the updates indexed each second."""
    connection = await asyncpg.connect(dsn)
    await connection.copy_records_to_table("updates", schema_name="publish", records=rows(count))
    await connection.execute(
        "INSERT INTO publish.epochs (epoch, cluster_id, reason, first_offset, last_offset) VALUES (1, '', '', 0, $1)",
        count - 1,
    )
    await connection.close()
    began = time.monotonic()
    while await fill(pool, 2_000):
        pass
    return count / (time.monotonic() - began)


def questions(count: int) -> dict[str, tuple[str, Selection, Position | None]]:
    """What is asked, by name."""
    rare, common, second = word(VOCABULARY - 7), word(0), word(1)
    month = Selection(since=BEGUN + timedelta(days=20), until=BEGUN + timedelta(days=27))
    tag = Selection(channels=frozenset({"tag:t7"}))
    return {
        "a word of nearly every update": (common, Selection(), None),
        "two of them": (f"{common} {second}", Selection(), None),
        "a rare word": (rare, Selection(), None),
        "a common and a rare one": (f"{common} {rare}", Selection(), None),
        "a phrase": (f'"{common} {second}"', Selection(), None),
        "one without the other": (f"{word(4)} -{common}", Selection(), None),
        "a word that nobody wrote": ("zzzzzz", Selection(), None),
        "a common word, one tag": (common, tag, None),
        "a common word, one week long ago": (common, month, None),
        "a common word, far back": (common, Selection(), Position(1, count // 20)),
        "filters alone: tag, language, urgency": ("", Selection(frozenset({"tag:t7"}), language="uk", urgency=4), None),
        "filters alone, far back": ("", Selection(frozenset({"tag:t7"}), language="uk"), Position(1, count // 20)),
    }


async def measure(pool: Pool, count: int, turns: int) -> list[dict[str, object]]:
    """Each question, `turns` times; beside it the processor time of Postgres and of this process, which neighbours do not lengthen."""
    engine = PostgresSearch(pool)
    took: dict[str, list[float]] = {}
    found: dict[str, int] = {}
    worked: dict[str, float] = {}
    asked = questions(count)
    backend = psutil.Process(int(str(await pool.fetchval("SELECT pg_backend_pid()"))))
    for name, (words, selection, before) in asked.items():
        began_at = _worked(backend)
        for _ in range(turns):
            began = time.monotonic()
            results = await engine.find(words, selection, before, 21)
            if words:
                passages = [
                    Passage(each.update.language, each.update.headline, each.update.text) for each in results[:20]
                ]
                await engine.excerpts(words, passages)
            took.setdefault(name, []).append((time.monotonic() - began) * 1000)
            found[name] = len(results)
        worked[name] = (_worked(backend) - began_at) * 1000 / turns
    return [
        {
            "what": name,
            "found": found[name],
            "cpu_ms": worked[name],
            "p50_ms": statistics.median(each),
            "p95_ms": statistics.quantiles(each, n=20)[18],
        }
        for name, each in took.items()
    ]


def _worked(backend: psutil.Process) -> float:
    times = backend.cpu_times()
    return float(times.user + times.system) + time.process_time()


async def main(servers: Servers, count: int, turns: int) -> None:
    """Print the table, and write it."""
    name = f"bench_{uuid.uuid4().hex[:8]}"
    admin = await asyncpg.connect(servers.postgres)
    await admin.execute(f'CREATE DATABASE "{name}"')
    dsn = servers.postgres.rsplit("/", 1)[0] + f"/{name}"
    pool = await connect(Settings(postgres_dsn=dsn), schema="publish", max_size=1)
    try:
        await migrate(pool, "publish")
        indexed_per_s = await grow(pool, dsn, count)
        await pool.execute("VACUUM ANALYZE publish.search_index")
        size = await pool.fetchval("SELECT pg_total_relation_size('publish.search_index')")
        table = await measure(pool, count, turns)
    finally:
        await pool.close()
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await admin.close()
    print(
        f"{count:,} updates; {indexed_per_s:,.0f} indexed each second; {int(str(size)) / count:,.0f} bytes of index for each"
    )
    print(f"{'what':40} {'found':>6} {'CPU ms':>8} {'p50 ms':>8} {'p95 ms':>8}  goal")
    for row in table:
        missed = "" if float(str(row["p95_ms"])) <= GOAL_MS else " MISSED"
        print(
            f"{row['what']:40} {row['found']:>6} {row['cpu_ms']:>8.1f} {row['p50_ms']:>8.1f} {row['p95_ms']:>8.1f}  {GOAL_MS:.0f} ms{missed}"
        )
    place = ROOT / ".local" / "bench"
    place.mkdir(parents=True, exist_ok=True)
    written = {"rows": count, "indexed_per_s": indexed_per_s, "bytes_each": int(str(size)) / count, "questions": table}
    (place / "search.json").write_text(json.dumps(written, indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--turns", type=int, default=30)
    given = parser.parse_args()
    with running_servers(to_measure=True) as running:
        asyncio.run(main(running, given.rows, given.turns))
