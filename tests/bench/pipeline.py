"""Wire to page: from the first byte of a POST to the SSE event at a client, through every service as its own process.

    python tests/bench/pipeline.py [--rates 100,500] [--turns 25] [--seconds 2]

The reference, at the same rates: two bare hops of aiokafka over topics of the same kind (12 partitions, then one),
produce, relay and read each a process of its own, acks=all, offsets committed once a second. Messages of 1.2 KiB.

A shared host is quick for some seconds and slow for the next. So both stay up and are measured in turns of a few seconds;
percentiles are those of all turns together, without the first tenth of each. Both run for a while before. Kafka,
Postgres, Redis, all services and the client share the machine.
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
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import datetime
from itertools import chain
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
from support.servers import Servers, new_newsroom, running_servers  # noqa: E402

BODY = "The harbour master said that the tug would bring the ferry alongside before noon. " * 14
ALL_SERVICES = (*SERVICES, ("enrich", "media"))
PARTITIONS = 12
FRESH_S = 3
Turn = Callable[[int, float], Awaitable[list[float]]]
WARM_UP_S = 30
"""Of both before anything is measured: a broker that has just started compiles itself on a core that both need."""


def warmed(latencies_ms: list[float]) -> list[float]:
    """Those of a turn that count: the first tenth is warm-up."""
    return latencies_ms[len(latencies_ms) // 10 :]


def spread(latencies_ms: Iterable[float]) -> dict[str, float]:
    """Percentiles in milliseconds."""
    kept = sorted(latencies_ms)
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


async def read(servers: str, topic: str, counts: Any, found: Any) -> None:
    """The last hop: of so many messages as are announced, how old each is when it comes; None ends it."""
    incoming = consumer(servers, topic, None)
    await incoming.start()
    while (count := await asyncio.to_thread(counts.get)) is not None:
        found.put("reading")
        latencies: list[float] = []
        while len(latencies) < count:
            batches = await incoming.getmany(timeout_ms=1000, max_records=500)
            now = time.time_ns()
            for records in batches.values():
                latencies.extend((now - int.from_bytes(record.value[:8], "big")) / 1e6 for record in records)
        found.put(latencies)
    await incoming.stop()


def in_process(main: Any, *arguments: Any) -> None:
    """The body of a process."""
    uvloop.run(main(*arguments))


@contextlib.asynccontextmanager
async def bare_loops(servers: str) -> AsyncIterator[Turn]:
    """The reference, up: a turn at a rate for so many seconds gives its latencies."""
    tag = uuid.uuid4().hex[:6]
    source, target = f"bench-raw-{tag}", f"bench-enriched-{tag}"
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    await admin.create_topics([NewTopic(source, PARTITIONS, 1), NewTopic(target, 1, 1)])
    spawn = multiprocessing.get_context("spawn")
    ready, stop = spawn.Event(), spawn.Event()
    counts, found = spawn.Queue(), spawn.Queue()
    processes = [
        spawn.Process(target=in_process, args=(relay, servers, source, target, ready, stop), daemon=True),
        spawn.Process(target=in_process, args=(read, servers, target, counts, found), daemon=True),
    ]
    for process in processes:
        process.start()
    sender = producer(servers)
    await sender.start()
    await asyncio.to_thread(ready.wait, 30)

    async def turn(rate: int, seconds: float) -> list[float]:
        count = int(rate * seconds)
        counts.put(count)
        await asyncio.to_thread(found.get, True, 60)
        await paced(rate, count, lambda number: sender.send_and_wait(
            source, time.time_ns().to_bytes(8, "big") + BODY.encode()[:1200], key=str(number).encode()
        ))  # fmt: skip
        latencies: list[float] = await asyncio.to_thread(found.get, True, 60)
        return latencies

    yield turn
    stop.set()
    counts.put(None)
    for process in processes:
        await asyncio.to_thread(process.join)
    await sender.stop()
    await admin.delete_topics([source, target])
    await admin.close()


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


class Reader(asyncio.Protocol):
    """A reader of the stream that notes when each headline's event had come whole."""

    def __init__(self) -> None:
        self.came: dict[bytes, tuple[int, bytes]] = {}
        self.open = asyncio.Event()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._begun = b""

    def connection_made(self, transport: Any) -> None:
        """Ask for the stream."""
        transport.write(b"GET /v1/stream HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\r\n")

    def data_received(self, data: bytes) -> None:
        """Note what ends in these bytes; the answer's head ends like an event and names no headline."""
        now = time.time_ns()
        *events, self._begun = (self._begun + data).replace(b"\r\n", b"\n").split(b"\n\n")
        for event in events:
            self.open.set()
            for line in event.split(b"\n"):
                start = line.find(b"bench-")
                if line.startswith(b"data:") and start > 0:
                    self.came.setdefault(line[start : start + 21], (now, line))

    def connection_lost(self, _: Exception | None) -> None:
        """Whoever still waits has lost what comes."""
        self.ended.set_result(None)


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
    """A turn of the pipeline at a rate."""
    tag, count = uuid.uuid4().hex[:6], int(rate * seconds)
    loop = asyncio.get_running_loop()
    reading, reader = await loop.create_connection(Reader, "127.0.0.1", pipeline.named["publish-web"].port)
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
    if reader.ended.done():
        raise ConnectionError("the stream ended")
    reading.close()
    await reader.ended
    latencies = [(reader.came[name][0] - began) / 1e6 for name, began in sent.items() if name in reader.came]
    stages = stages_of(sent, reader.came)
    busy = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / took_s
    return {
        "latencies": warmed(latencies),
        "answered": warmed(answered),
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


def median(turns: list[dict[str, Any]], name: str) -> dict[str, float]:
    """Of each of the figures that a turn gives under a name."""
    return {each: round(statistics.median(turn[name][each] for turn in turns), 2) for each in turns[0][name]}


async def measure(servers: Servers, rates: list[int], turns: int, seconds: float) -> list[dict[str, Any]]:
    """One row for each rate."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        async with (
            bare_loops(servers.kafka) as bare,
            new_newsroom(servers, place / "media") as settings,
            started(settings, Processes(place / "logs"), place, ALL_SERVICES) as pipeline,
        ):
            await bare(1000, WARM_UP_S)
            await ours(pipeline, 200, WARM_UP_S)
            for rate in rates:
                bare_turns: list[list[float]] = []
                our_turns: list[dict[str, Any]] = []
                for _ in range(turns):
                    bare_turns.append(warmed(await bare(rate, seconds)))
                    our_turns.append(await ours(pipeline, rate, seconds))
                rows.append(row_of(rate, bare_turns, our_turns))
                show(rows[-1])
    return rows


def row_of(rate: int, bare_turns: list[list[float]], our_turns: list[dict[str, Any]]) -> dict[str, Any]:
    """What all turns at a rate come to."""
    ours_ms = [turn["latencies"] for turn in our_turns]
    bare, slugline = spread(chain(*bare_turns)), spread(chain(*ours_ms))
    return {
        "rate": rate,
        "bare": bare,
        "slugline": slugline,
        "ratio": {name: round(slugline[name] / bare[name], 2) for name in bare},
        "answer": spread(chain(*(turn["answered"] for turn in our_turns))),
        "turns_p50": {
            "bare": [spread(turn)["p50"] for turn in bare_turns],
            "slugline": [spread(turn)["p50"] for turn in ours_ms],
        },
        "client_busy": statistics.median(turn["client_busy"] for turn in our_turns),
        "missing": sum(turn["missing"] for turn in our_turns),
        "refused": sum(turn["refused"] for turn in our_turns),
        "cpu_ms_per_update": median(our_turns, "cpu_ms_per_update"),
        "stages_ms": median(our_turns, "stages_ms"),
    }


def show(row: dict[str, Any]) -> None:
    """One line of the table, and where the time went."""
    cells = [f"{row['rate']:6}/s"]
    for name, ratio in row["ratio"].items():
        cells.append(f"{row['bare'][name]:8.1f} {row['slugline'][name]:8.1f} {ratio:6.2f}x")
    cells.append(f"{row['answer']['p50']:8.1f} {row['answer']['p99']:8.1f}")
    cells.append(f"{row['client_busy']:6.2f} {row['missing']:5}")
    print(" |".join(cells), flush=True)
    stages, cpu = row["stages_ms"], row["cpu_ms_per_update"]
    print(f"           median ms: {', '.join(f'{part} {took:.1f}' for part, took in stages.items())}", flush=True)
    print(f"           CPU ms an update: {', '.join(f'{name} {used:.2f}' for name, used in cpu.items())}", flush=True)


def main() -> None:
    """Measure and print; JSON to .local/bench/pipeline.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", default="100,500")
    parser.add_argument("--turns", type=int, default=25)
    parser.add_argument("--seconds", type=float, default=2, help="of each turn")
    arguments = parser.parse_args()
    rates = [int(rate) for rate in arguments.rates.split(",")]
    print(f"POST to SSE, ms; {arguments.turns} turns of {arguments.seconds:g} s on {os.cpu_count()} cores")
    print(
        "   rate   | p50 bare slugline   ratio | p95 bare slugline   ratio | p99 bare slugline   ratio |  answer p50  p99 | client lost"
    )
    with running_servers(to_measure=True) as servers:
        rows = uvloop.run(measure(servers, rates, arguments.turns, arguments.seconds))
    output = ROOT / ".local/bench/pipeline.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(
        json.dumps({"turns": arguments.turns, "seconds": arguments.seconds, "rows": rows}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
