"""How fast pages and API reads are, beside a server that does nothing, in the same run: `make bench` or this file alone.

The web edge runs as it does in production, in a process of its own on one core, with a newsroom of updates in memory and
without Kafka or Postgres behind it: what is measured is the way of a request. The reference is the same HTTP server with
an application that sends the same number of bytes and does nothing else. The client, on another core, keeps 32
connections busy and says how busy it was itself.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import psutil
import uvloop

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "deploy")]


from local.child import free_port  # noqa: E402 -- after the path
from publish.representation.position import Position  # noqa: E402
from publish.representation.reader_update import reader_update  # noqa: E402
from publish.settings import Settings  # noqa: E402 -- after the path
from publish.web.application import build  # noqa: E402
from publish.web.archive_client import ArchiveClient  # noqa: E402
from publish.web.feed_store import FeedStore  # noqa: E402
from publish.web.stream.http.serve import stream_server  # noqa: E402
from shared.messages import EnrichedUpdate  # noqa: E402
from shared.observability.health import Health  # noqa: E402
from support.revisions import revision  # noqa: E402

CONNECTIONS = 32
WORDS = "Water rose over the lower quay in the night and the harbour authority closed the gates at six. " * 3
GOAL_PER_S = {"page": 3000, "304": 6000}


def updates(count: int) -> list[EnrichedUpdate]:
    """A newsroom's newest updates, of believable length."""
    start = datetime.now(UTC) - timedelta(minutes=count)
    return [
        revision(
            f"u{n}", headline=f"Update number {n} of the morning", body_html=f"<p>{WORDS}</p>", text=WORDS, excerpt=WORDS[:150],
            word_count=60, byline="By Ana Ferreira", tags=[f"topic:{n % 20}"], slug=f"update-{n}", language="en",
            first_published_at=start + timedelta(minutes=n),
        )
        for n in range(count)
    ]  # fmt: skip


def serve_edge(port: int, core: int, churn_per_s: float, ready: Event) -> None:
    """The edge; `churn_per_s` new updates come in while it is asked."""
    psutil.Process().cpu_affinity([core])

    async def body() -> None:
        feed_store = FeedStore(5000)
        feed_store.reset(Position(1, -1), [], complete=True)
        for offset, update in enumerate(updates(1000)):
            feed_store.apply(reader_update(update, cursor=Position(1, offset)))
        answers, broadcaster = build(Settings(port=port), feed_store, ArchiveClient(), Health("publish.web"))
        async with stream_server(answers.response_cache, broadcaster, "127.0.0.1", port):
            ready.set()
            offset = 1000
            while True:
                await asyncio.sleep(1 / churn_per_s if churn_per_s else 3600)
                offset += 1
                fresh = revision(f"new{offset}", body_html=f"<p>{WORDS}</p>", text=WORDS)
                feed_store.apply(reader_update(fresh, cursor=Position(1, offset)))

    uvloop.run(body())


def serve_nothing(port: int, core: int, sizes: dict[str, int], ready: Event) -> None:
    """The reference: the same server, the same number of bytes, no work."""
    psutil.Process().cpu_affinity([core])
    bodies = {path: b"x" * size for path, size in sizes.items()}

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        body = bodies[scope["raw_path"].decode() + "?" + scope["query_string"].decode()]
        status = 200 if body else 304
        head = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body))] if body else []
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": body})

    async def body() -> None:
        from shared.http.server.server import http_server  # noqa: PLC0415

        async with http_server(app, "127.0.0.1", port):
            ready.set()
            await asyncio.Event().wait()

    uvloop.run(body())


class Client(asyncio.Protocol):
    """One connection that asks again as soon as it is answered."""

    def __init__(self, request: bytes, counts: list[int], until: float) -> None:
        self.request = request
        self.counts = counts
        self.until = until
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.left = -1
        self.head = b""
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        """Ask."""
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        """Count an answer when it is whole, and ask again."""
        if self.left < 0:
            data = self.head + data
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self.head = data
                return
            self.head = b""
            lower = data[:end].lower()
            place = lower.find(b"content-length:")
            self.left = int(lower[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
            if lower[9:12] not in (b"200", b"304"):
                self.done.set_exception(RuntimeError(data[:200].decode("latin-1")))
                return
            data = data[end + 4 :]
        self.left -= len(data)
        if self.left > 0:
            return
        self.left = -1
        self.counts[0] += 1
        if time.perf_counter() < self.until:
            self.transport.write(self.request)
        else:
            self.transport.close()
            if not self.done.done():
                self.done.set_result(None)


@dataclass
class Result:
    """One measurement."""

    what: str
    server: str
    per_s: float
    spread: float
    us_of_server: float
    client_busy: float
    body_bytes: int


async def load(port: int, target: str, headers: str, seconds: float) -> tuple[int, float]:
    """Answers in so many seconds, and the share of a core that the client used."""
    request = f"GET {target} HTTP/1.1\r\nHost: bench\r\n{headers}\r\n".encode()
    counts = [0]
    started, cpu = time.perf_counter(), time.process_time()
    clients = []
    for _ in range(CONNECTIONS):
        _, client = await asyncio.get_running_loop().create_connection(
            lambda: Client(request, counts, started + seconds), "127.0.0.1", port
        )
        clients.append(client)
    await asyncio.gather(*(client.done for client in clients))
    took = time.perf_counter() - started
    return round(counts[0] / took), (time.process_time() - cpu) / took


async def once(port: int, target: str, headers: str) -> tuple[bytes, bytes]:
    """Head and body of one answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n{headers}\r\n".encode())
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


def measure(
    port: int,
    process: psutil.Process,
    what: str,
    server: str,
    *,
    target: str,
    headers: str,
    seconds: float,
    rounds: int,
) -> Result:
    """The median of several rounds."""
    rates, costs, busy = [], [], []
    _, body = asyncio.run(once(port, target, headers))
    for _ in range(rounds):
        before = sum(process.cpu_times()[:2])
        rate, client = uvloop.run(load(port, target, headers, seconds))
        used = sum(process.cpu_times()[:2]) - before
        rates.append(rate)
        costs.append(used / max(1, rate * seconds) * 1e6)
        busy.append(client)
    return Result(
        what, server, statistics.median(rates), (max(rates) - min(rates)) / statistics.median(rates),
        round(statistics.median(costs), 1), round(statistics.median(busy), 2), len(body),
    )  # fmt: skip


def started(target: Callable[..., None], *arguments: Any) -> tuple[multiprocessing.Process, psutil.Process]:
    """A server in a process of its own, once it listens."""
    ready = multiprocessing.get_context("spawn").Event()
    process = multiprocessing.get_context("spawn").Process(target=target, args=(*arguments, ready), daemon=True)
    process.start()
    if not ready.wait(60):
        raise RuntimeError("a server did not start")
    return process, psutil.Process(process.pid)  # type: ignore[return-value]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    cores = sorted(psutil.Process().cpu_affinity())
    server_core, client_core = cores[0], cores[-1]
    psutil.Process().cpu_affinity([client_core])
    port = free_port()
    calm, watched = started(serve_edge, port, server_core, 0.0)
    own = f"/updates/{revision('u990').update_id}/update-990"
    gzip = "Accept-Encoding: gzip, br\r\n"
    cases = [("page", "/", gzip), ("page, not compressed", "/", ""), ("own page", own, gzip),
             ("api", "/v1/updates", gzip), ("feed", "/feeds/news.rss", gzip)]  # fmt: skip
    results: list[Result] = []
    sizes: dict[str, int] = {}
    for what, target, headers in cases:
        results.append(
            measure(
                port,
                watched,
                what,
                "edge",
                target=target,
                headers=headers,
                seconds=options.seconds,
                rounds=options.rounds,
            )
        )
        sizes[f"/{len(sizes)}?"] = results[-1].body_bytes
    head, _ = asyncio.run(once(port, "/", gzip))
    tag = next(line for line in head.decode().splitlines() if line.lower().startswith("etag")).split(": ", 1)[1]
    known = f"If-None-Match: {tag}\r\n{gzip}"
    results.append(
        measure(port, watched, "304", "edge", target="/", headers=known, seconds=options.seconds, rounds=options.rounds)
    )
    sizes[f"/{len(sizes)}?"] = 0
    calm.kill()
    calm.join()
    busy_port = free_port()
    busy, watched = started(serve_edge, busy_port, server_core, 20.0)
    results.append(
        measure(
            busy_port,
            watched,
            "page, 20 updates/s come in",
            "edge",
            target="/",
            headers=gzip,
            seconds=options.seconds,
            rounds=options.rounds,
        )
    )
    busy.kill()
    busy.join()
    idle_port = free_port()
    idle, watched = started(serve_nothing, idle_port, server_core, sizes)
    for number, result in enumerate([each for each in results if "come in" not in each.what]):
        results.append(
            measure(idle_port, watched, result.what, "nothing", target=f"/{number}", headers=gzip, seconds=options.seconds, rounds=options.rounds)
        )  # fmt: skip
    idle.kill()
    idle.join()
    nothing = {each.what: each for each in results if each.server == "nothing"}
    print(
        f"{'what':32}{'answers/s':>11}{'spread':>8}{'CPU µs':>8}{'client':>8}{'bytes':>8}{'idle app/s':>12}{'share':>7}  goal"
    )
    for each in results:
        if each.server == "nothing":
            continue
        reference = nothing.get(each.what) or nothing["page"]
        goal = GOAL_PER_S["304" if each.what == "304" else "page"]
        print(
            f"{each.what:32}{each.per_s:>11,.0f}{each.spread:>8.0%}{each.us_of_server:>8.0f}{each.client_busy:>8.0%}"
            f"{each.body_bytes:>8,}{reference.per_s:>12,.0f}{each.per_s / reference.per_s:>7.0%}"
            f"  {goal:,} {'reached' if each.per_s >= goal else 'MISSED'}"
        )
    folder = ROOT / ".local/bench"
    folder.mkdir(parents=True, exist_ok=True)
    values = {"cores": os.cpu_count(), "connections": CONNECTIONS, "results": [asdict(each) for each in results]}
    (folder / "pages.json").write_text(json.dumps(values, indent=1))


if __name__ == "__main__":
    main()
