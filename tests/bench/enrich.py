"""`enrich text` on real Kafka and Postgres: updates per second of one core with a dictionary of 100,000 names, and the
time that it adds when idle.

    python tests/bench/enrich.py [--updates 20000] [--repeats 5]

The stage runs as its own process, on a core of its own. Throughput: it finds a topic full of updates. CPU is the process's
own, user and system. Idle: one update at a time, beside a bare aiokafka relay over topics of the same kind, in the same
run. Servers are started, unless TEST_KAFKA_SERVERS, TEST_POSTGRES_DSN and TEST_REDIS_URL say where they are.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import socket
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import psutil
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "deploy")]

from shared.kafka.producer import Producer, acknowledged, new_producer  # noqa: E402
from shared.kafka.standalone import new_consumer  # noqa: E402
from shared.kafka.topics import apply_topics  # noqa: E402
from shared.messages import Creator, Flags, MediaReference, RawUpdate, Subject, update_id_for  # noqa: E402
from shared.settings import Connections  # noqa: E402
from shared.streams import ENRICHED, MEDIA, PUSH_BATCHES, RAW, Stream  # noqa: E402
from support.servers import Servers, running_servers  # noqa: E402 -- after the path

NAMES = 100_000
LANE_CORE = max(os.sched_getaffinity(0))
WARM = 2000
"""Revisions before the measuring begins."""
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SYLLABLES = ["ka", "lo", "mi", "ra", "ten", "vor", "sa", "ni", "du", "bel", "gor", "han", "ost", "wick", "mar", "ley"]
WORDS = (  # noqa: SIM905
    "the a of to in and on for with that was were has have said government minister council budget report official people "
    "police court market shares rose fell percent year month week city region country company workers union talks vote "
    "election party leader president spokesman statement new plan cut raise deal agreement border water energy price storm "
    "rescue hospital school children team match goal season coach final after before against under between during while"
).split()


def word(rng: random.Random) -> str:
    """A name that nobody has."""
    return "".join(rng.choices(SYLLABLES, k=rng.randint(2, 4))).title()


def names_of(rng: random.Random) -> list[dict[str, Any]]:
    """The dictionary: people, places, organisations."""
    names: dict[str, None] = {}
    while len(names) < NAMES:
        names[f"{word(rng)} {word(rng)}" if rng.random() < 0.7 else word(rng)] = None
    return [
        {
            "code": f"{'place' if ' ' not in name else 'person'}:n{number}",
            "kind": "place" if " " not in name else "person",
            "label": name,
        }
        for number, name in enumerate(names)
    ]


def paragraph(rng: random.Random, names: Sequence[dict[str, Any]]) -> str:
    """Some 45 words, two of them names."""
    sentence = " ".join(rng.choices(WORDS, k=45)).capitalize()
    return f"<p>{rng.choice(names)['label']} {sentence}, <b>{rng.choice(names)['label']}</b> said.</p>"


def updates_of(rng: random.Random, names: Sequence[dict[str, Any]], count: int) -> list[RawUpdate]:
    """Versions as wires send them: about 1.7 kB, a third of them second versions, names in each text."""
    made: list[RawUpdate] = []
    bodies: dict[int, list[str]] = {}
    for number in range(count):
        again = number >= 100 and rng.random() < 0.33
        of = number - rng.randint(1, 100) if again else number
        source = ("pa", "afp", "dpa", "reuters")[of % 4]
        guid = f"urn:newsml:example:{of}"
        paragraphs = bodies.setdefault(of, [paragraph(rng, names) for _ in range(5)])
        if again:
            # A later version says one thing differently; it is not another text.
            paragraphs[rng.randrange(5)] = paragraph(rng, names)
        moment = START + timedelta(milliseconds=number)
        media = (MediaReference(url=f"https://pictures.example/{of}.jpg", credit="PA", caption="A picture"),)
        made.append(
            RawUpdate(
                update_id=update_id_for(source, guid), source=source, guid=guid, version=str(number), version_created=moment,
                received_at=moment, headline=" ".join(rng.choices(WORDS, k=9)).capitalize(), body_html="".join(paragraphs),
                byline=f"By {word(rng)} {word(rng)} in {word(rng)}" if of % 3 else "By Ann Other and Bob Else",
                creators=(Creator(name="Ann Other"),), language="en", urgency=4, slugline=f"BUDGET-{of % 50}",
                subjects=(Subject(code="subj:11000000"), Subject(code="medtop:20000344")), keywords=("budget",),
                media=media if of % 5 == 0 else (), flags=Flags(),
            )
        )  # fmt: skip
    return made


@contextlib.asynccontextmanager
async def newsroom(servers: Servers) -> AsyncIterator[Connections]:
    """Topics and a database of its own, gone afterwards."""
    name = f"bench{uuid.uuid4().hex[:8]}"
    admin = await asyncpg.connect(servers.postgres)
    await admin.execute(f"CREATE DATABASE {name}")
    settings = Connections(
        kafka_servers=servers.kafka,
        postgres_dsn=servers.postgres.rsplit("/", 1)[0] + f"/{name}",
        topic_prefix=f"{name}.",
        bind_host="127.0.0.1",
    )
    await apply_topics(settings)
    try:
        yield settings
    finally:
        client = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_servers)
        await client.start()
        await client.delete_topics(
            [topic for topic in await client.list_topics() if topic.startswith(settings.topic_prefix)]
        )
        await client.close()
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


@contextlib.asynccontextmanager
async def stage(settings: Connections, dictionary: Path) -> AsyncIterator[psutil.Process]:
    """`python -m enrich text` on one core, ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "KAFKA_SERVERS": settings.kafka_servers, "POSTGRES_DSN": settings.postgres_dsn, "TOPIC_PREFIX": settings.topic_prefix,
        "HEALTH_PORT": str(port), "BIND_HOST": "127.0.0.1", "ENRICH_DICTIONARY": str(dictionary), "LOG_LEVEL": "warning",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "enrich", "text", env=environment, cwd=ROOT)
    watched = psutil.Process(process.pid)
    watched.cpu_affinity([LANE_CORE])
    try:
        async with httpx.AsyncClient() as client, asyncio.timeout(60):
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200:
                        break
                await asyncio.sleep(0.05)
        yield watched
    finally:
        process.terminate()
        await process.wait()


@contextlib.contextmanager
def core_of_its_own(settings: Connections) -> Iterator[None]:
    """Keep this process, and the servers where they are of this machine, off the stage's core: it is the stage that is measured."""
    others = sorted(os.sched_getaffinity(0) - {LANE_CORE}) or [LANE_CORE]
    ports = {int(settings.kafka_servers.rsplit(":", 1)[1]), urlsplit(settings.postgres_dsn).port}
    found = [psutil.Process()]
    with contextlib.suppress(psutil.Error):
        listening = {each.pid for each in psutil.net_connections("tcp") if each.status == "LISTEN" and each.laddr.port in ports}  # fmt: skip
        for server in (psutil.Process(pid) for pid in listening if pid):
            found += [server, *server.children(recursive=True)]
    before = []
    for process in found:
        with contextlib.suppress(psutil.Error):
            # A new backend of Postgres takes after its parent.
            before.append((process, process.cpu_affinity()))
            for thread in process.threads():
                os.sched_setaffinity(thread.id, others)
    try:
        yield
    finally:
        for process, cores in before:
            with contextlib.suppress(psutil.Error, OSError):
                for thread in process.threads():
                    os.sched_setaffinity(thread.id, cores)


def cpu_s(process: psutil.Process) -> float:
    """CPU seconds that a process has used."""
    times = process.cpu_times()
    return float(times.user + times.system)


async def throughput(servers: Servers, count: int, dictionary: Path, updates: Sequence[RawUpdate]) -> dict[str, float]:
    """One pass over a topic full of updates. The first revisions warm the stage up and are not measured; what is counted are
    positions of the log, so that nobody who reads along takes the processor's caches."""
    async with newsroom(servers) as settings:
        kafka_producer = new_producer(settings, "bench")
        await kafka_producer.start()
        producer = Producer(kafka_producer, source="bench", topic_prefix=settings.topic_prefix)
        await send_all(producer, updates)
        consumer, partition = await follower(settings, ENRICHED)
        async with stage(settings, dictionary) as process:
            with core_of_its_own(settings):
                warm = await until(consumer, partition, WARM)
                used, started = cpu_s(process), time.perf_counter()
                got = await until(consumer, partition, len(updates))
                cpu, wall = cpu_s(process) - used, time.perf_counter() - started
        await consumer.stop()
        await kafka_producer.stop()
        return {"updates": count, "revisions": got, "wall_s": wall, "cpu_s": cpu, "per_s": (got - warm) / wall, "per_core_s": (got - warm) / cpu}  # fmt: skip


async def until(consumer: AIOKafkaConsumer, partition: TopicPartition, count: int) -> int:
    """Wait until a partition holds so many messages, or no more come for five seconds; how many it holds."""
    held, since = -1, time.perf_counter()
    while held < count and time.perf_counter() - since < 5.0:
        before, held = held, (await consumer.end_offsets([partition]))[partition]
        if held != before:
            since = time.perf_counter()
        await asyncio.sleep(0.02)
    return int(held)


async def send(producer: Producer, updates: Sequence[RawUpdate]) -> None:
    """Send as ingest does, and wait until Kafka has them."""
    futures = [
        await producer.send(
            RAW, each, key=each.source, event_id=f"{each.update_id}:{each.fingerprint()}", traceparent=TRACE
        )
        for each in updates
    ]
    await acknowledged(futures)


async def send_all(producer: Producer, updates: Sequence[RawUpdate]) -> None:
    """Send all, so many at a time."""
    for begin in range(0, len(updates), 1000):
        await send(producer, updates[begin : begin + 1000])


async def follower(settings: Connections, stream: Stream) -> tuple[AIOKafkaConsumer, TopicPartition]:
    """A consumer at the end of a topic of one partition."""
    consumer = new_consumer(settings, "bench")
    await consumer.start()
    partition = TopicPartition(settings.topic_prefix + stream.name, 0)
    consumer.assign([partition])
    await consumer.seek_to_end(partition)
    await consumer.position(partition)
    return consumer, partition


async def idle(servers: Servers, dictionary: Path, updates: Sequence[RawUpdate], count: int = 200) -> dict[str, float]:
    """One update at a time: from before the send until its revision is read; for the stage, and for a bare relay."""
    async with newsroom(servers) as settings:
        kafka_producer = new_producer(settings, "bench")
        await kafka_producer.start()
        producer = Producer(kafka_producer, source="bench", topic_prefix=settings.topic_prefix)
        consumer, _ = await follower(settings, ENRICHED)
        async with stage(settings, dictionary):
            await one_by_one(producer, consumer, RAW, updates[:30])
            enriched = await one_by_one(producer, consumer, RAW, updates[30 : 30 + count])
        await consumer.stop()
        relay = asyncio.create_task(bare_relay(settings))
        out, _ = await follower(settings, PUSH_BATCHES.dead_letters)
        await asyncio.sleep(2)
        await one_by_one(producer, out, MEDIA, updates[:30])
        bare = await one_by_one(producer, out, MEDIA, updates[30 : 30 + count])
        relay.cancel()
        await asyncio.gather(relay, return_exceptions=True)
        await out.stop()
        await kafka_producer.stop()
    p50, p99 = statistics.median(enriched), statistics.quantiles(enriched, n=100)[98]
    bare50, bare99 = statistics.median(bare), statistics.quantiles(bare, n=100)[98]
    return {"p50_ms": p50, "p99_ms": p99, "bare_p50_ms": bare50, "bare_p99_ms": bare99, "added_p50_ms": p50 - bare50}


async def bare_relay(settings: Connections) -> None:
    """What a hop costs at the least: consume, produce, acknowledge; offsets on a clock."""
    consumer = AIOKafkaConsumer(
        settings.topic_prefix + MEDIA.name, bootstrap_servers=settings.kafka_servers, group_id=settings.topic_prefix + "relay",
        auto_offset_reset="latest", enable_auto_commit=True, auto_commit_interval_ms=1000, fetch_max_wait_ms=100,
    )  # fmt: skip
    kafka_producer = new_producer(settings, "relay")
    await consumer.start()
    await kafka_producer.start()
    try:
        while True:
            for records in (await consumer.getmany(timeout_ms=100)).values():
                topic = settings.topic_prefix + PUSH_BATCHES.dead_letters.name
                await acknowledged(
                    [await kafka_producer.send(topic, value=each.value, key=each.key) for each in records]
                )
    finally:
        await consumer.stop()
        await kafka_producer.stop()


async def one_by_one(
    producer: Producer, consumer: AIOKafkaConsumer, stream: Stream, updates: Sequence[RawUpdate]
) -> list[float]:
    """Milliseconds of each."""
    taken = []
    for each in updates:
        started = time.perf_counter()
        event_id = f"{each.update_id}:{each.fingerprint()}"
        await acknowledged(
            [
                await producer.send(
                    stream,
                    each,
                    key=each.source if stream == RAW else each.update_id,
                    event_id=event_id,
                    traceparent=TRACE,
                )
            ]
        )
        # What is told of another update meanwhile is not what is waited for.
        key, came = each.update_id.encode(), False
        while not came:
            batches = await consumer.getmany(timeout_ms=2000)
            came = any(record.key == key for records in batches.values() for record in records)
        taken.append((time.perf_counter() - started) * 1000)
        await asyncio.sleep(0.03)
    return taken


async def main(servers: Servers, count: int, repeats: int) -> None:
    """All of it, and the table."""
    rng = random.Random(7)
    names = names_of(rng)
    updates = updates_of(rng, names, count)
    alone = [each for each in updates_of(random.Random(8), names, 400) if not each.media]
    with tempfile.TemporaryDirectory() as folder:
        dictionary = Path(folder) / "names.jsonl"
        dictionary.write_text("\n".join(json.dumps(each) for each in names))
        runs = [await throughput(servers, count, dictionary, updates) for _ in range(repeats)]
        waits = await idle(servers, dictionary, alone)
    print(
        f"enrich text, {NAMES:,} names, {count:,} updates of {len(updates[0].model_dump_json())} bytes, {repeats} runs, one core of {os.cpu_count()}"
    )
    print(f"{'run':>4} {'updates/s':>10} {'CPU s':>7} {'updates/s of CPU':>17} {'revisions':>10}")
    for number, run in enumerate(runs, 1):
        print(f"{number:4} {run['per_s']:10,.0f} {run['cpu_s']:7.2f} {run['per_core_s']:17,.0f} {run['revisions']:10,}")
    median = statistics.median(run["per_core_s"] for run in runs)
    print(f"median {median:,.0f} updates/s per core (goal 2,000)")
    print(
        "idle, one at a time: "
        + ", ".join(f"{name} {value:.2f}" for name, value in waits.items())
        + " (goal: added p50 at most 5 ms)"
    )
    out = ROOT / ".local/bench/enrich.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"throughput": runs, "median_per_core_s": median, "idle": waits}, indent=2) + "\n")
    print(out.relative_to(ROOT))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--updates", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    with running_servers(to_measure=True) as running:
        asyncio.run(main(running, arguments.updates, arguments.repeats))
