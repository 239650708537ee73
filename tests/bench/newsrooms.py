"""The noisy neighbour: live news of one newsroom while another on the same Kafka, Postgres and Redis sends all it can.

    python tests/bench/newsrooms.py [--rounds 4] [--rate 10] [--seconds 8]

Each newsroom has processes of its own. Turns alternate: quiet, the neighbour floods, the neighbour floods within the limit of
its source (`rate_per_s`, which is the first of a newsroom's quotas). All share the processor of this machine, which newsrooms in
production would not, so that the figures are an upper bound for what the shared servers do.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "deploy"), str(ROOT / "tests/bench")]

import uvloop  # noqa: E402 -- after the path
from pipeline import BODY, ours, spread  # noqa: E402

from support.pipeline import Pipeline, started  # noqa: E402
from support.processes import Processes  # noqa: E402
from support.servers import Servers, new_newsroom, running_servers  # noqa: E402

CHAIN = (("ingest", "api"), ("enrich", "text"), ("publish", "archive"), ("publish", "cache"), ("publish", "web"))
AT_ONCE = 50
LIMITED_PER_S = 20
WARM_UP_S = 8


class Flood:
    """A source that sends batches one after the other, as fast as they are taken or no faster than so many updates a second."""

    def __init__(self, pipeline: Pipeline, per_s: float | None) -> None:
        self.sent = 0
        self._pipeline = pipeline
        self._per_s = per_s

    async def send(self) -> None:
        """Until cancelled."""
        began, size = time.monotonic(), AT_ONCE if self._per_s is None else 5
        while True:
            batch = [
                {"guid": f"flood-{began}-{self.sent + n}", "headline": f"Flood {self.sent + n}", "body_html": f"<p>{self.sent + n}: {BODY[:800]}</p>"}
                for n in range(size)
            ]  # fmt: skip
            answer = await self._pipeline.post(*batch, source="wire")
            if answer.status_code in (429, 503):
                await asyncio.sleep(0.05)
                continue
            answer.raise_for_status()
            self.sent += size
            if self._per_s is not None:
                await asyncio.sleep(max(0.0, began + self.sent / self._per_s - time.monotonic()))


async def turn(own: Pipeline, neighbour: Pipeline, kind: str, rate: int, seconds: float) -> tuple[list[float], float]:
    """Latencies of live news, and how many updates a second the neighbour sent."""
    flood = Flood(neighbour, LIMITED_PER_S if kind == "limited" else None)
    sending = asyncio.create_task(flood.send()) if kind != "quiet" else None
    began = time.monotonic()
    latencies = (await ours(own, rate, seconds))["latencies"]
    took = time.monotonic() - began
    if sending is not None:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    return latencies, flood.sent / took


async def measure(servers: Servers, rounds: int, rate: int, seconds: float) -> dict[str, Any]:
    """The figures of all rounds together."""
    found: dict[str, list[float]] = {"quiet": [], "flooded": [], "limited": []}
    sent: dict[str, list[float]] = {kind: [] for kind in found}
    with tempfile.TemporaryDirectory() as name:
        async with AsyncExitStack() as stack:
            pipelines = []
            for number in (1, 2):
                folder = Path(name) / str(number)
                folder.mkdir()
                settings = await stack.enter_async_context(new_newsroom(servers, folder / "media"))
                running = started(settings, Processes(folder / "logs"), folder, CHAIN)
                pipelines.append(await stack.enter_async_context(running))
            own, neighbour = pipelines
            await ours(own, rate, WARM_UP_S)
            await ours(neighbour, rate, WARM_UP_S)
            for _ in range(rounds):
                for kind, latencies in found.items():
                    more, per_s = await turn(own, neighbour, kind, rate, seconds)
                    latencies.extend(more)
                    sent[kind].append(per_s)
    figures = {kind: spread(latencies) for kind, latencies in found.items()}
    return {
        **figures,
        "ratio": {kind: {each: round(figures[kind][each] / figures["quiet"][each], 2) for each in figures["quiet"]} for kind in ("flooded", "limited")},
        "neighbour_per_s": {kind: round(sum(each) / len(each)) for kind, each in sent.items()},
    }  # fmt: skip


def main() -> None:
    """Measure and print; JSON to .local/bench/newsrooms.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--rate", type=int, default=10, help="live updates a second")
    parser.add_argument("--seconds", type=float, default=8, help="of each turn")
    arguments = parser.parse_args()
    with running_servers(to_measure=True) as servers:
        found = uvloop.run(measure(servers, arguments.rounds, arguments.rate, arguments.seconds))
    print(
        f"POST to SSE at {arguments.rate}/s beside a neighbour, ms, on {os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}"
    )
    for kind in ("quiet", "limited", "flooded"):
        figures = " | ".join(f"{each} {value:8.2f}" for each, value in found[kind].items())
        print(f"  {kind:>8} | {figures} | the neighbour sends {found['neighbour_per_s'][kind]}/s")
    print(f"  ratio to quiet: {found['ratio']}")
    output = ROOT / ".local/bench/newsrooms.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(found | {"load": os.getloadavg()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
