"""A backlog after an outage of enrich text, and live news of another source while it drains: how long, in what order, and how late.

    python tests/bench/backlog.py [--updates 100000] [--rate 5]

All services run as processes of their own. A source sends while enrich text is away, as much as an outage of hours brings; then it
comes back, and another source goes on sending. The goal: live news within a second, and the backlog in its source's order.
"""

import argparse
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
from pipeline import BODY, median, ours, spread  # noqa: E402

from support.pipeline import SERVICES, Pipeline, started  # noqa: E402
from support.processes import Processes  # noqa: E402
from support.servers import Servers, new_newsroom, running_servers  # noqa: E402
from support.waiting import eventually  # noqa: E402

AT_ONCE = 250
"""Updates in one POST."""
GOAL_MS = 1000.0
QUIET_S, TURN_S = 10.0, 5.0
OF_BACKLOG = "FROM publish.updates WHERE source = 'wire'"


async def send(pipeline: Pipeline, count: int) -> float:
    """The backlog; the seconds that it takes to be accepted."""
    began = time.monotonic()
    for start in range(0, count, AT_ONCE):
        batch = [
            {"guid": f"late-{number:08}", "headline": f"Late {number}", "body_html": f"<p>{number}: {BODY[:800]}</p>"}
            for number in range(start, min(start + AT_ONCE, count))
        ]
        answer = await pipeline.post(*batch, source="wire")
        answer.raise_for_status()
    return time.monotonic() - began


async def drained(
    pipeline: Pipeline, connection: Any, count: int, rate: int
) -> tuple[list[float], dict[str, float], float]:
    """What live news takes until the backlog is archived, the medians of its parts, and for how long that is.

    From when the first of it is out: until then the process starts.
    """
    started = f"SELECT EXISTS (SELECT {OF_BACKLOG})"
    await eventually(lambda: connection.fetchval(started), within_s=60, what="the process is not ready")
    began, latencies, turns = time.monotonic(), [], []
    while await connection.fetchval(f"SELECT count(*) {OF_BACKLOG}") < count:
        turn = await ours(pipeline, rate, TURN_S)
        latencies += turn["latencies"]
        turns.append(turn)
    return latencies, median(turns, "stages_ms"), time.monotonic() - began


async def measure(servers: Servers, count: int, rate: int) -> dict[str, Any]:
    """The figures, as JSON."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        processes = Processes(folder / "logs")
        async with (
            new_newsroom(servers, folder / "media") as settings,
            started(settings, processes, folder, SERVICES) as pipeline,
        ):
            connection = await asyncpg.connect(settings.postgres_dsn)
            await ours(pipeline, rate, QUIET_S)
            quiet = (await ours(pipeline, rate, QUIET_S))["latencies"]
            pipeline.named["enrich-text"].child.end()
            sent_s = await send(pipeline, count)
            pipeline.named["enrich-text"] = processes.start(settings, "enrich", "text")
            busy, stages, took_s = await drained(pipeline, connection, count, rate)
            places = await connection.fetch(
                f"SELECT convert_from(data, 'UTF8')::json ->> 'guid' AS guid {OF_BACKLOG} ORDER BY position_offset"
            )
            await connection.close()
    guids = [row["guid"] for row in places]
    return {
        "updates": count,
        "sent_s": round(sent_s),
        "drained_s": round(took_s),
        "drained_per_s": round(count / took_s),
        "in_order": guids == sorted(guids) and len(guids) == count,
        "live": {"quiet": spread(quiet), "draining": spread(busy), "stages_ms": stages, "updates": len(busy)},
        "load": os.getloadavg(),
    }


def main() -> None:
    """Measure and print; JSON to .local/bench/backlog.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--updates", type=int, default=100_000)
    parser.add_argument("--rate", type=int, default=5, help="live updates a second")
    given = parser.parse_args()
    with running_servers(to_measure=True) as servers:
        found = uvloop.run(measure(servers, given.updates, given.rate))
    print(
        f"{found['updates']:,} updates sent in {found['sent_s']} s, drained in {found['drained_s']} s ({found['drained_per_s']}/s)",
        end="",
    )
    print(
        f", {'in order' if found['in_order'] else 'OUT OF ORDER'}; load {found['load'][0]:.1f} on {os.cpu_count()} cores"
    )
    for name in ("quiet", "draining"):
        print(
            f"  live, {name:>8} | "
            + " | ".join(f"{each} {value:8.2f} ms" for each, value in found["live"][name].items())
        )
    print("  draining, medians: " + ", ".join(f"{part} {ms} ms" for part, ms in found["live"]["stages_ms"].items()))
    output = ROOT / ".local/bench/backlog.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(found, indent=1) + "\n")
    sys.exit(0 if found["in_order"] and found["live"]["draining"]["p99"] <= GOAL_MS else 1)


if __name__ == "__main__":
    main()
