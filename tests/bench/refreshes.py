"""Live news while old updates are made again: from a POST to the SSE event, quiet and while an author's refreshes pass.

    python tests/bench/refreshes.py [--updates 5000] [--rounds 4] [--rate 20] [--seconds 10]

All services run as processes of their own. Each round has a quiet turn, then a change to the author of all the old updates, and
turns for as long as they stand in line; what is live is of the same source, so that both go through one partition. The issue's
bound: live p99 at most twice that of quiet turns.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "deploy"), str(ROOT / "tests/bench")]

import asyncpg  # noqa: E402 -- after the path
import uvloop  # noqa: E402
from pipeline import ALL_SERVICES, BODY, ours, spread  # noqa: E402

from support.pipeline import Pipeline, started  # noqa: E402
from support.processes import Processes  # noqa: E402
from support.servers import Servers, new_newsroom, running_servers  # noqa: E402
from support.waiting import eventually  # noqa: E402

AT_ONCE = 250
"""Old updates in one POST."""
BUSY_TURN_S = 2.0
WARM_UP_S = 15
IN_LINE = "SELECT (SELECT count(*) FROM enrich.pending_refreshes) + (SELECT count(*) FROM enrich.refreshes)"


async def load(pipeline: Pipeline, connection: Any, count: int) -> None:
    """Publish the old updates, all by one author."""
    for start in range(0, count, AT_ONCE):
        batch = [
            {
                "guid": f"old-{number}", "headline": f"Old headline {number}", "body_html": f"<p>{number}: {BODY[:800]}</p>",
                "version": "1", "byline": "By Ada Quill",
            }
            for number in range(start, min(start + AT_ONCE, count))
        ]  # fmt: skip
        answer = await pipeline.post(*batch)
        answer.raise_for_status()
    rows = "SELECT count(*) FROM enrich.updates WHERE 'ada-quill' = ANY(author_ids)"
    await eventually(lambda: connection.fetchval(rows), lambda found: found >= count, within_s=300, what="all old ones")


async def change_author(pipeline: Pipeline, folder: Path, number: int) -> None:
    """The author of all old updates has another role."""
    path = folder / "authors.json"
    path.write_text(json.dumps([{"id": "ada-quill", "name": "Ada Quill", "role": f"Editor {number}"}]))
    run = pipeline.processes.run
    await asyncio.to_thread(run, pipeline.settings, "enrich", "authors", "import", str(path), PYTHONWARNINGS="ignore")


async def busy_turns(pipeline: Pipeline, connection: Any, rate: int) -> tuple[list[float], float]:
    """The latencies of what is live while refreshes pass, and for how long they did."""
    await eventually(lambda: connection.fetchval(IN_LINE), lambda waiting: waiting > 0, within_s=30, what="a line")
    began, latencies = time.monotonic(), []
    while await connection.fetchval(IN_LINE):
        latencies += (await ours(pipeline, rate, BUSY_TURN_S))["latencies"]
    return latencies, time.monotonic() - began


async def measure(servers: Servers, updates: int, rounds: int, rate: int, seconds: float) -> dict[str, Any]:
    """The figures of all rounds together."""
    quiet: list[float] = []
    busy: list[float] = []
    took_s = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with (
            new_newsroom(servers, folder / "media") as settings,
            started(settings, Processes(folder / "logs"), folder, ALL_SERVICES) as pipeline,
        ):
            connection = await asyncpg.connect(settings.postgres_dsn)
            await change_author(pipeline, folder, 0)
            await load(pipeline, connection, updates)
            await eventually(lambda: connection.fetchval(IN_LINE), lambda waiting: not waiting, within_s=120)
            await ours(pipeline, rate, WARM_UP_S)
            for number in range(1, rounds + 1):
                quiet += (await ours(pipeline, rate, seconds))["latencies"]
                await change_author(pipeline, folder, number)
                latencies, round_s = await busy_turns(pipeline, connection, rate)
                busy, took_s = busy + latencies, took_s + round_s
            await connection.close()
    figures = {"quiet": spread(quiet), "refreshing": spread(busy)}
    return figures | {
        "ratio": {each: round(figures["refreshing"][each] / figures["quiet"][each], 2) for each in figures["quiet"]},
        "refreshes": updates * rounds,
        "refreshes_per_s": round(updates * rounds / took_s),
        "live": {"quiet": len(quiet), "refreshing": len(busy)},
    }


def main() -> None:
    """Measure and print; JSON to .local/bench/refreshes.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--updates", type=int, default=5000, help="old ones, made again in each round")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--rate", type=int, default=20, help="live updates a second")
    parser.add_argument("--seconds", type=float, default=10, help="of each quiet turn")
    arguments = parser.parse_args()
    with running_servers(to_measure=True) as servers:
        found = uvloop.run(measure(servers, arguments.updates, arguments.rounds, arguments.rate, arguments.seconds))
    print(f"POST to SSE at {arguments.rate}/s, ms, on {os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}")
    for name in ("quiet", "refreshing", "ratio"):
        print(f"  {name:>10} | " + " | ".join(f"{each} {value:8.2f}" for each, value in found[name].items()))
    print(f"  {found['refreshes']} refreshes at {found['refreshes_per_s']}/s; live: {found['live']}")
    output = ROOT / ".local/bench/refreshes.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(found | {"load": os.getloadavg()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
