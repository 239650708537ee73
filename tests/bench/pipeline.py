"""Wire to page: from the first byte of a POST to the SSE event at a client, through every service as its own process.

    python tests/bench/pipeline.py [--rates 100,500] [--seconds 10] [--repeats 5]

The reference, in the same run and at the same rates: two bare hops of aiokafka over topics of the same kind (12 partitions,
then one), produce, relay and read each a process of its own, acks=all, offsets committed once a second. Messages of
1.2 KiB. Both run for a while before, and the first tenth of each run is warm-up. Kafka, Postgres, Redis, all services and
the client share the machine.
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import re
import resource
import statistics
import sys
import tempfile
import time
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "deploy")]

import psutil  # noqa: E402 -- after the path
import uvloop  # noqa: E402
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer  # noqa: E402
from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # noqa: E402

from support.pipeline import KEYS, SERVICES, Pipeline, started  # noqa: E402
from support.processes import Processes  # noqa: E402
from support.servers import Servers, choose_to_measure, new_newsroom, running_servers  # noqa: E402

BODY = "The harbour master said that the tug would bring the ferry alongside before noon. " * 14
ALL_SERVICES = (*SERVICES, ("enrich", "media"))
PARTITIONS = 12
FRESH_S = 3
WARM_UP_S = 10
"""Of both before anything is measured: a broker that has just started compiles itself on a core that both need."""


def spread(latencies_ms: list[float]) -> dict[str, float]:
    """Percentiles in milliseconds, the first tenth left out."""
    kept = sorted(latencies_ms[len(latencies_ms) // 10 :])
    return {f"p{p:g}": round(kept[min(len(kept) - 1, int(len(kept) * p / 100))], 2) for p in (50, 95, 99)}


def producer(servers: str) -> AIOKafkaProducer:
    """As bare as it gets; idempotent, as in the loops that the goal was measured with."""
    return AIOKafkaProducer(
        bootstrap_servers=servers, acks="all", enable_idempotence=True, linger_ms=0, max_batch_size=262_144
    )


def consumer(servers: str, topic: str, group: str | None) -> AIOKafkaConsumer:
    """As bare as it gets."""
    return AIOKafkaConsumer(
        topic, bootstrap_servers=servers, group_id=group, enable_auto_commit=False, auto_offset_reset="earliest",
        fetch_max_wait_ms=100, max_partition_fetch_bytes=4 << 20,
    )  # fmt: skip


async def relay(servers: str, source: str, target: str, ready: Any, stop: Any) -> None:
    """The middle hop: every message on, all of a batch in flight, offsets once a second."""
    incoming, outgoing = consumer(servers, source, f"relay-{source}"), producer(servers)
    await incoming.start()
    await outgoing.start()
    ready.set()
    committed = time.monotonic()
    while not stop.is_set():
        batches = await incoming.getmany(timeout_ms=100, max_records=500)
        futures = [
            await outgoing.send(target, record.value, key=record.key, partition=0)
            for records in batches.values()
            for record in records
        ]
        await asyncio.gather(*futures)
        if batches and time.monotonic() - committed >= 1:
            await incoming.commit()
            committed = time.monotonic()
    await incoming.stop()
    await outgoing.stop()


async def read(servers: str, topic: str, count: int, ready: Any, found: Any) -> None:
    """The last hop: how old each message is when it comes."""
    incoming = consumer(servers, topic, None)
    await incoming.start()
    ready.set()
    latencies: list[float] = []
    while len(latencies) < count:
        batches = await incoming.getmany(timeout_ms=1000, max_records=500)
        now = time.time_ns()
        for records in batches.values():
            latencies.extend((now - int.from_bytes(record.value[:8], "big")) / 1e6 for record in records)
    await incoming.stop()
    found.put(latencies)


def in_process(main: Any, *arguments: Any) -> None:
    """The body of a process."""
    uvloop.run(main(*arguments))


async def bare(servers: str, rate: int, seconds: float) -> dict[str, float]:
    """The reference at a rate."""
    tag = uuid.uuid4().hex[:6]
    source, target, count = f"bench-raw-{tag}", f"bench-enriched-{tag}", int(rate * seconds)
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    await admin.create_topics([NewTopic(source, PARTITIONS, 1), NewTopic(target, 1, 1)])
    spawn = multiprocessing.get_context("spawn")
    ready = [spawn.Event(), spawn.Event()]
    stop, found = spawn.Event(), spawn.Queue()
    processes = [
        spawn.Process(target=in_process, args=(relay, servers, source, target, ready[0], stop)),
        spawn.Process(target=in_process, args=(read, servers, target, count, ready[1], found)),
    ]
    for process in processes:
        process.start()
    sender = producer(servers)
    await sender.start()
    for event in ready:
        await asyncio.to_thread(event.wait, 30)
    await paced(rate, count, lambda number: sender.send_and_wait(
        source, time.time_ns().to_bytes(8, "big") + BODY.encode()[:1200], key=str(number).encode()
    ))  # fmt: skip
    latencies = await asyncio.to_thread(found.get, True, 60)
    stop.set()
    for process in processes:
        process.join()
    await sender.stop()
    await admin.delete_topics([source, target])
    await admin.close()
    return spread(latencies)


async def paced(rate: int, count: int, send: Any) -> None:
    """Call `send` at a fixed rate, whether or not the earlier ones have ended."""
    began = time.perf_counter()
    tasks = []
    for number in range(count):
        wait = began + number / rate - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(send(number)))
    await asyncio.gather(*tasks)


class Reader:
    """A reader of the stream that notes when each headline came."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.came: dict[bytes, tuple[int, bytes]] = {}
        self.open = asyncio.Event()

    async def run(self) -> None:
        """Read until cancelled."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 24)
        writer.write(b"GET /v1/stream HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        self.open.set()
        while True:
            line = await reader.readline()
            now = time.time_ns()
            if not line:
                raise ConnectionError("the stream ended")
            start = line.find(b"bench-")
            if line.startswith(b"data:") and start > 0:
                self.came.setdefault(line[start : start + 21], (now, line))


class Sender:
    """Posts over connections that are kept, and notes when the first byte of each request goes and when its answer is there."""

    def __init__(self, address: str) -> None:
        self._host = address.removeprefix("http://")
        self._idle: list[tuple[float, asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._all: list[asyncio.StreamWriter] = []

    async def post(self, path: str, body: bytes) -> tuple[int, int, int]:
        """The moments of the first byte and of the answer, in nanoseconds, and its status."""
        # Only what was used a moment ago: the server ends what rests.
        if self._idle and time.monotonic() - self._idle[-1][0] < FRESH_S:
            _, reader, writer = self._idle.pop()
        else:
            reader, writer = await asyncio.open_connection(*self._host.split(":"))
            self._all.append(writer)
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\nAuthorization: Bearer {KEYS['desk']}\r\n"
            f"Accept: */*\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        request = head.encode() + body
        began = time.time_ns()
        writer.write(request)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", answer)
        await reader.readexactly(int(length[1]) if length else 0)
        self._idle.append((time.monotonic(), reader, writer))
        return began, time.time_ns(), int(answer.split(None, 2)[1])

    async def aclose(self) -> None:
        """Close every connection."""
        for writer in self._all:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in self._all), return_exceptions=True)


async def ours(pipeline: Pipeline, rate: int, seconds: float) -> dict[str, Any]:
    """The pipeline at a rate."""
    tag, count = uuid.uuid4().hex[:6], int(rate * seconds)
    reader = Reader(pipeline.named["publish-web"].port)
    reading = asyncio.create_task(reader.run())
    await reader.open.wait()
    sent: dict[bytes, int] = {}
    answered: list[float] = []
    refused = 0
    before = resource.getrusage(resource.RUSAGE_SELF)
    cpu_before = cpu_seconds(pipeline)
    async with contextlib.aclosing(Sender(pipeline.ingest)) as sender:

        async def post(number: int) -> None:
            nonlocal refused
            name = f"bench-{tag}-{number:08}"
            body = json.dumps({"guid": name, "headline": name, "body_html": f"<p>{BODY[:1000]}</p>", "version": "1"})
            began, ended, status = await sender.post("/v1/updates", body.encode())
            sent[name.encode()] = began
            refused += status != 202
            answered.append((ended - began) / 1e6)

        started_at = time.perf_counter()
        await paced(rate, count, post)
    deadline = time.monotonic() + 30
    while len(reader.came.keys() & sent.keys()) < count - refused and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    took_s = time.perf_counter() - started_at
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu_ms = {name: round((used - cpu_before[name]) / count * 1000, 2) for name, used in cpu_seconds(pipeline).items()}
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    latencies = [(reader.came[name][0] - began) / 1e6 for name, began in sent.items() if name in reader.came]
    stages = stages_of(sent, reader.came)
    busy = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / took_s
    return spread(latencies) | {
        "answer_p50": spread(answered)["p50"],
        "answer_p99": spread(answered)["p99"],
        "client_busy": round(busy, 2),
        "cpu_ms_per_update": cpu_ms,
        "stages_ms": stages,
        "missing": count - len(latencies),
        "refused": refused,
    }


def stages_of(sent: dict[bytes, int], came: dict[bytes, tuple[int, bytes]]) -> dict[str, float]:
    """Medians of the way's parts by the latency passport: to ingest, to enrich, to the reader."""
    parts: dict[str, list[float]] = {"post to ingest": [], "ingest to enrich": [], "enrich to reader": []}
    for name, began in sent.items():
        now, line = came.get(name, (0, b""))
        passport = json.loads(line[5:]).get("passport") if line else None
        if not passport or not passport.get("enriched_at"):
            continue
        received, enriched = (datetime.fromisoformat(passport[at]).timestamp() for at in ("received_at", "enriched_at"))
        for part, took_s in zip(
            parts, (received - began / 1e9, enriched - received, now / 1e9 - enriched), strict=True
        ):
            parts[part].append(took_s * 1000)
    return {part: round(statistics.median(each), 2) for part, each in parts.items() if each}


def cpu_seconds(pipeline: Pipeline) -> dict[str, float]:
    """User and system time of each service so far."""
    used = {}
    for name, process in pipeline.named.items():
        assert process.child.process is not None
        times = psutil.Process(process.child.process.pid).cpu_times()
        used[name] = times.user + times.system
    return used


def median(runs: list[dict[str, Any]], name: str) -> float:
    """Of one figure over the repeats."""
    return statistics.median(run[name] for run in runs)


async def measure(servers: Servers, rates: list[int], seconds: float, repeats: int) -> list[dict[str, Any]]:
    """One row for each rate."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        async with (
            new_newsroom(servers, place / "media") as settings,
            started(settings, Processes(place / "logs"), place, ALL_SERVICES) as pipeline,
        ):
            await bare(servers.kafka, 1000, WARM_UP_S)
            await ours(pipeline, 200, WARM_UP_S)
            for rate in rates:
                bare_runs, our_runs = [], []
                for _ in range(repeats):
                    bare_runs.append(await bare(servers.kafka, rate, seconds))
                    our_runs.append(await ours(pipeline, rate, seconds))
                rows.append({"rate": rate, "bare": bare_runs, "slugline": our_runs})
                show(rows[-1])
    return rows


def show(row: dict[str, Any]) -> None:
    """One line of the table."""
    bare_runs, our_runs = row["bare"], row["slugline"]
    cells = [f"{row['rate']:6}/s"]
    for name in ("p50", "p95", "p99"):
        ratio = median(our_runs, name) / median(bare_runs, name)
        cells.append(f"{median(bare_runs, name):8.1f} {median(our_runs, name):8.1f} {ratio:6.1f}x")
    cells.append(f"{median(our_runs, 'answer_p50'):8.1f} {median(our_runs, 'answer_p99'):8.1f}")
    cells.append(f"{median(our_runs, 'client_busy'):6.2f} {sum(run['missing'] for run in our_runs):5}")
    print(" |".join(cells), flush=True)
    cpu = {
        name: statistics.median(run["cpu_ms_per_update"][name] for run in our_runs)
        for name in our_runs[0]["cpu_ms_per_update"]
    }
    stages = {part: statistics.median(run["stages_ms"][part] for run in our_runs) for part in our_runs[0]["stages_ms"]}
    print(f"           median ms: {', '.join(f'{part} {took:.1f}' for part, took in stages.items())}", flush=True)
    print(f"           CPU ms an update: {', '.join(f'{name} {used:.2f}' for name, used in cpu.items())}", flush=True)


def main() -> None:
    """Measure and print; JSON to .local/bench/pipeline.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", default="100,500")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    rates = [int(rate) for rate in arguments.rates.split(",")]
    print(f"POST to SSE, ms; medians of {arguments.repeats} runs of {arguments.seconds:g} s on {os.cpu_count()} cores")
    print(
        "   rate   | p50 bare slugline   ratio | p95 bare slugline  ratio | p99 bare slugline  ratio |  answer p50  p99 | client lost"
    )
    with running_servers(choose_to_measure()) as servers:
        rows = uvloop.run(measure(servers, rates, arguments.seconds, arguments.repeats))
    output = ROOT / ".local/bench/pipeline.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps({"seconds": arguments.seconds, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
