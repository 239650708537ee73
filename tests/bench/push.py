"""Push: what leaves the newsroom by itself, at its goals.

    python tests/bench/push.py [--messages 20000] [--endpoints 10000] [--alerts 30]

*web push*: an alert's fan-out as the process does it (batches, budget, encryption, sending, a durable result for each
reader) to a local push service, beside encryption alone in the same run; per CPU second of this process. *webhooks*: one
update to many endpoints, each at a loopback address of its own; 5% hang, 5% answer 500. *first*: archive, cache, web
and push as processes of their own on real Kafka; from enriched until a push service has taken the first notification.
Recipients are a process of their own that does nothing but answer; it says how busy it was.
"""

import argparse
import asyncio
import contextlib
import gc
import json
import multiprocessing
import os
import resource
import statistics
import sys
import time
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import uvloop
from aiokafka.admin import AIOKafkaAdminClient
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from redis.asyncio import Redis

from shared.postgres.pool import Pool

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "deploy")]

from local.child import Child, end_all, free_port  # noqa: E402 -- after the path
from publish.archive.store import revision_of, write_batch  # noqa: E402
from publish.push.alerts.alert import newest  # noqa: E402
from publish.push.alerts.notification import notification_of  # noqa: E402
from publish.push.alerts.providers.web.client import WebPush  # noqa: E402
from publish.push.alerts.providers.web.encryption import encrypt  # noqa: E402
from publish.push.alerts.providers.web.vapid import Vapid, new_vapid_key  # noqa: E402
from publish.push.alerts.rules import AlertRules  # noqa: E402
from publish.push.alerts.sending.batch import PushBatch  # noqa: E402
from publish.push.alerts.sending.sender import AlertSender  # noqa: E402
from publish.push.delivery.attempts import RetryPolicy  # noqa: E402
from publish.push.delivery.outbound import Outbound  # noqa: E402
from publish.push.delivery.worker import DeliveryChannel, DeliveryWorker  # noqa: E402
from publish.push.webhooks.message import Webhooks  # noqa: E402
from publish.push.webhooks.queueing import QUEUE_WEBHOOKS  # noqa: E402
from publish.representation.position import Position  # noqa: E402
from shared.consumer.decode import Incoming  # noqa: E402
from shared.kafka.cloudevents import value_of  # noqa: E402
from shared.kafka.topics import apply_topics  # noqa: E402
from shared.messages import Passport  # noqa: E402
from shared.postgres.migrations import migrate  # noqa: E402
from shared.postgres.pool import connect  # noqa: E402
from shared.settings import Connections  # noqa: E402
from support import push_keys as keys  # noqa: E402
from support.revisions import emit, revision  # noqa: E402
from support.servers import Servers, running_servers  # noqa: E402

OUT = ROOT / ".local" / "bench" / "push.json"
BATCH = 500
GOALS = {"web push per core": 1500.0, "good webhooks s": 5.0, "first p50 ms": 250.0}


class Recipient(asyncio.Protocol):
    """Answers requests by their path: /hang never, /fail with 500, all others with 201."""

    def __init__(self) -> None:
        self.buffer = b""

    def connection_made(self, transport: Any) -> None:
        """A sender came."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Part of a request, or several."""
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 : head.find(b"\r", at) if head.find(b"\r", at) > 0 else end]) if at >= 0 else 0
            if len(self.buffer) < end + 4 + length:
                return
            path = self.buffer.split(b" ", 2)[1]
            self.buffer = self.buffer[end + 4 + length :]
            if path.startswith(b"/hang"):
                continue
            status = b"500 Error" if path.startswith(b"/fail") else b"201 Created"
            self.transport.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")


def recipients(port: int, ready: Any) -> None:
    """The process of the recipients."""

    async def body() -> None:
        server = await asyncio.get_running_loop().create_server(Recipient, "0.0.0.0", port, backlog=4096)
        ready.set()
        await server.serve_forever()

    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(body())


@contextlib.asynccontextmanager
async def database(connections: Connections) -> AsyncIterator[Any]:
    """A schema of the service in a database of this run's own."""
    name = f"bench_{uuid.uuid4().hex[:10]}"
    admin = await asyncpg.connect(connections.postgres_dsn)
    await admin.execute(f"CREATE DATABASE {name}")
    own = connections.model_copy(update={"postgres_dsn": connections.postgres_dsn.rsplit("/", 1)[0] + f"/{name}"})
    pool = await connect(own, schema="publish", max_size=12)
    try:
        await migrate(pool, "publish")
        yield own, pool
    finally:
        await pool.close()
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


def cpu_s() -> float:
    """What this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def web_push(pool: Pool, port: int, server: psutil.Process, messages: int) -> dict[str, Any]:
    """The fan-out of one alert to `messages` readers."""
    browser = ec.generate_private_key(ec.SECP256R1()).public_key()
    p256dh = browser.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    auth = os.urandom(16)
    await pool.execute(
        "INSERT INTO publish.subscriptions (service, target, target_hash, p256dh, auth, token_sha256, channels, per_hour, "
        "per_day) SELECT 'web', $1 || n, sha256(n::text::bytea), $2, $3, '', '{news}', 9, 9 FROM generate_series(1, $4) n",
        f"http://127.0.0.1:{port}/r/", p256dh, auth, messages,
    )  # fmt: skip
    update = revision("a", 1, urgency=2)
    async with pool.acquire() as connection, connection.transaction():
        await write_batch(connection, [revision_of(Position(1, 0), update, value_of(update))])
    await pool.execute(
        "INSERT INTO publish.alerts (id, update_id, revision, kind, level, channels, title, body, path, state, reason, "
        "proposed_by) VALUES ('a', $1, 1, 'alert', 2, '{news}', 'A title of usual length', 'And a body of two lines, "
        "which is what most alerts have under their title.', '/updates/x', 'sending', '', 'bench')",
        update.update_id,
    )
    (alert,) = await newest(pool, None, 1)
    payload = notification_of(alert, "https://news.example", 60).payload
    started = cpu_s()
    for _ in range(2000):
        encrypt(payload, p256dh, auth)
    alone = 2000 / (cpu_s() - started)
    async with Outbound(allow_private=True, timeout_s=15) as outbound:
        provider = WebPush(outbound, Vapid(new_vapid_key(), "mailto:bench@example.org"))
        sender = AlertSender(pool, {"web": provider}, AlertRules(), site_url="https://news.example")
        slots = max(8, messages // 1000)
        batches = [
            PushBatch(alert_id="a", number=n, first=n * BATCH + 1, last=(n + 1) * BATCH, slots=slots)
            for n in range(-(-messages // BATCH))
        ]
        used, at, theirs = cpu_s(), time.perf_counter(), sum(server.cpu_times()[:2])
        await sender.handle([Incoming(None, batch) for batch in batches])  # type: ignore[arg-type]
        used, wall, theirs = cpu_s() - used, time.perf_counter() - at, sum(server.cpu_times()[:2]) - theirs
    sent = await pool.fetchval("SELECT count(*) FROM publish.alert_results WHERE result = 'sent'")
    assert sent == messages, f"{sent} of {messages} were sent"
    return {
        "messages": messages,
        "slots": slots,
        "per_core": messages / used,
        "per_second": messages / wall,
        "encryption_alone_per_core": alone,
        "recipients_busy": theirs / wall,
    }


async def webhooks(pool: Pool, port: int, endpoints: int) -> dict[str, Any]:
    """One update to many endpoints; how long those that work wait for it."""
    _, token = await keys.add(pool, "bench", ["webhooks"], ["news"])
    key = await keys.find(pool, token)
    assert key is not None
    kinds = ["hang" if n % 20 == 0 else "fail" if n % 20 == 1 else "good" for n in range(endpoints)]
    await pool.executemany(
        "INSERT INTO publish.endpoints (id, kind, owner, url, channels, secrets) VALUES ($1, 'webhook', $2, $3, '{news}', $4)",
        [
            (
                f"ep_{n}", key.id, f"http://127.{1 + n // 62500}.{n // 250 % 250}.{1 + n % 250}:{port}/{kind}/{n}",
                [{"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "until": None}],
            )
            for n, kind in enumerate(kinds)
        ],
    )  # fmt: skip
    now = datetime.now(UTC) + timedelta(seconds=1)
    update = revision("w", 1, passport=Passport(received_at=now, enriched_at=now))
    async with pool.acquire() as connection, connection.transaction():
        await write_batch(connection, [revision_of(Position(1, 1), update, value_of(update))])
    async with Outbound(allow_private=True, timeout_s=15) as outbound:
        policy = RetryPolicy((5, 300, 1800), timedelta(hours=120))
        channel = DeliveryChannel(Webhooks(pool, "https://news.example").build, policy)
        worker = DeliveryWorker(
            pool, outbound, outbound, {"webhook": channel}, in_flight=2000, per_endpoint=4, timeout_s=15
        )
        used, at = cpu_s(), time.perf_counter()
        await pool.execute(QUEUE_WEBHOOKS, update.update_id, 1, "publish", update.update_id, ["news"], 9, False, now)
        queued = time.perf_counter() - at
        worker.wake()
        running = asyncio.create_task(worker.keep_delivering())
        good = kinds.count("good")
        delivered = 0
        while delivered < good and time.perf_counter() - at < 60:
            await asyncio.sleep(0.1)
            delivered = await pool.fetchval("SELECT count(*) FROM publish.deliveries WHERE state = 'delivered'")
        all_good, used = time.perf_counter() - at, cpu_s() - used
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert delivered == good, f"{delivered} of {good} good endpoints have it"
    waits = [
        row["s"]
        for row in await pool.fetch(
            "SELECT extract(epoch FROM ended_at - created_at)::float8 AS s FROM publish.deliveries WHERE state = 'delivered'"
        )
    ]
    return {
        "endpoints": endpoints,
        "good": good,
        "queued_s": queued,
        "all_good_s": all_good,
        "p50_s": statistics.median(waits),
        "p99_s": statistics.quantiles(waits, n=100)[98],
        "max_s": max(waits),
        "cpu_s": used,
    }


async def first(connections: Connections, pool: Pool, port: int, alerts: int) -> dict[str, Any]:
    """From enriched until the first notification, with every process on its own."""
    settings = connections.model_copy(update={"topic_prefix": f"bench{uuid.uuid4().hex[:8]}."})
    await apply_topics(settings)
    browser = ec.generate_private_key(ec.SECP256R1()).public_key()
    await pool.execute("DELETE FROM publish.endpoints")
    await pool.execute("DELETE FROM publish.subscriptions")
    await pool.execute(
        "INSERT INTO publish.subscriptions (service, target, target_hash, p256dh, auth, token_sha256, channels, per_hour, "
        "per_day) VALUES ('web', $1, '', $2, $3, '', '{news}', 60, 500)",
        f"http://127.0.0.1:{port}/first", browser.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
        os.urandom(16),
    )  # fmt: skip
    web_port = free_port()
    env = {name.upper(): str(value) for name, value in settings.model_dump().items()}
    env |= {"PUBLISH_PUSH_ALLOW_PRIVATE": "true", "PORT": str(web_port), "LOG_LEVEL": "warning"}
    env["PUBLISH_SITE_URL"] = f"http://127.0.0.1:{web_port}"
    folder = OUT.parent / "push-logs"
    children = [
        Child(
            name,
            [sys.executable, "-m", "publish", name],
            folder / f"{name}.log",
            env=env | {"HEALTH_PORT": str(free_port())},
        )
        for name in ("archive", "cache", "web", "push")
    ]
    try:
        for child in children:
            child.start()
        for number in range(alerts + 3):
            now = datetime.now(UTC)
            update = revision(f"n{number}", 1, urgency=2, passport=Passport(received_at=now, enriched_at=now))
            await emit(settings, [update])
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and not await pool.fetchval(
                "SELECT first_sent_at IS NOT NULL FROM publish.alerts WHERE update_id = $1", update.update_id
            ):
                await asyncio.sleep(0.05)
    finally:
        end_all(children)
        admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_servers)
        await admin.start()
        await admin.delete_topics(
            [name for name in await admin.list_topics() if name.startswith(settings.topic_prefix)]
        )
        await admin.close()
        redis = Redis.from_url(settings.redis_url)
        async for name in redis.scan_iter(f"slugline:{settings.topic_prefix}*"):
            await redis.delete(name)
        await redis.aclose()
    rows = await pool.fetch(
        "SELECT extract(epoch FROM first_sent_at - enriched_at)::float8 * 1000 AS ms FROM publish.alerts "
        "WHERE enriched_at IS NOT NULL ORDER BY created_at OFFSET 3"
    )
    waits = [row["ms"] for row in rows if row["ms"] is not None]
    assert len(waits) >= alerts, f"{len(waits)} of {alerts} alerts were sent"
    return {"alerts": len(waits), "p50_ms": statistics.median(waits), "p90_ms": statistics.quantiles(waits, n=10)[8]}


async def body(servers: Servers, options: argparse.Namespace) -> int:
    """All three; 1 where a goal is missed."""
    connections = Connections(kafka_servers=servers.kafka, postgres_dsn=servers.postgres, redis_url=servers.redis)
    port, ready = free_port(), multiprocessing.Event()
    process = multiprocessing.Process(target=recipients, args=(port, ready), daemon=True)
    process.start()
    ready.wait(10)
    try:
        async with database(connections) as (own, pool):
            pushed = await web_push(pool, port, psutil.Process(process.pid), options.messages)
        async with database(connections) as (own, pool):
            hooked = await webhooks(pool, port, options.endpoints)
        async with database(connections) as (own, pool):
            alerted = await first(own, pool, port, options.alerts)
    finally:
        process.terminate()
        process.join()
    figures = {"web_push": pushed, "webhooks": hooked, "first": alerted}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=2) + "\n")
    lines = [
        ("web push per core", pushed["per_core"], GOALS["web push per core"], pushed["per_core"] >= GOALS["web push per core"],
         (f"{pushed['messages']} messages, {pushed['per_second']:.0f}/s by the clock; encryption alone "
         f"{pushed['encryption_alone_per_core']:.0f}/s; recipients {pushed['recipients_busy']:.0%} busy")),
        ("good webhooks s", hooked["all_good_s"], GOALS["good webhooks s"], hooked["all_good_s"] <= GOALS["good webhooks s"],
         (f"{hooked['good']} of {hooked['endpoints']}; p50 {hooked['p50_s']:.2f} s, p99 {hooked['p99_s']:.2f} s, "
         f"CPU {hooked['cpu_s']:.1f} s")),
        ("first p50 ms", alerted["p50_ms"], GOALS["first p50 ms"], alerted["p50_ms"] <= GOALS["first p50 ms"],
         f"{alerted['alerts']} alerts, p90 {alerted['p90_ms']:.0f} ms"),
    ]  # fmt: skip
    print(f"{'measure':20} {'figure':>10} {'goal':>8}")
    for name, figure, goal, met, words in lines:
        print(f"{name:20} {figure:10.1f} {goal:8.0f}  {'met' if met else 'MISSED'}  {words}")
    return 0 if all(line[3] for line in lines) else 1


def main() -> int:
    """The command. The collector is set as the process sets it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--endpoints", type=int, default=10_000)
    parser.add_argument("--alerts", type=int, default=30)
    options = parser.parse_args()
    with running_servers(to_measure=True) as servers:
        return uvloop.run(body(servers, options))


if __name__ == "__main__":
    sys.exit(main())
