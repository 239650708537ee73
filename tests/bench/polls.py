"""How many votes a minute one web replica takes, with its Redis and the settling beside it: this file alone.

Each vote is a new browser's: it makes a cookie, a digest, a call of Redis and a redirect. The replica runs on one core, as in
production; the client, on another, keeps 64 connections busy. Postgres is settled into by the cache process, once in two
seconds for each poll however many vote, so it is not part of what is measured here.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import sys
import tempfile
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import psutil
import uvloop

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "deploy")]

from local.child import free_port  # noqa: E402 -- after the path
from local.redis import Redis as LocalRedis  # noqa: E402
from publish.polls.votes import Votes  # noqa: E402
from publish.representation.position import Position  # noqa: E402
from publish.representation.reader_update import reader_update  # noqa: E402
from publish.settings import Settings  # noqa: E402
from publish.web.application import build  # noqa: E402
from publish.web.archive_client import ArchiveClient  # noqa: E402
from publish.web.feed_store import FeedStore  # noqa: E402
from publish.web.stream.http.serve import stream_server  # noqa: E402
from shared.messages import Poll, PollOption  # noqa: E402
from shared.observability.health import Health  # noqa: E402
from shared.redis_client import open_redis  # noqa: E402
from support.revisions import revision  # noqa: E402

CONNECTIONS = 64
GOAL_PER_MINUTE = 100_000
UPDATE = revision(
    "poll", blocks=(Poll(kind="poll", id="more", question="More?", options=(PollOption(id="a", label="A"), PollOption(id="b", label="B"))),)
)  # fmt: skip


def serve(port: int, redis_url: str, core: int, ready: Event) -> None:
    """A replica that takes votes."""
    psutil.Process().cpu_affinity([core])

    async def body() -> None:
        feed_store = FeedStore(5000)
        feed_store.reset(Position(1, -1), [], complete=True)
        feed_store.apply(reader_update(UPDATE, cursor=Position(1, 0)))
        settings = Settings(port=port, redis_url=redis_url, publish_poll_per_minute=0)
        answers, broadcaster = build(settings, feed_store, ArchiveClient(), Health("publish.web"))
        async with (
            open_redis(settings, timeout_s=2) as redis,
            stream_server(answers.response_cache, broadcaster, "127.0.0.1", port),
        ):
            answers.votes = Votes.of(redis, settings)
            ready.set()
            await asyncio.sleep(3600)

    uvloop.run(body())


async def voter(port: int, until: float, waits: list[float]) -> int:
    """One connection that votes again and again as somebody else; how often it was counted."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = b"option=a"
    request = (
        f"POST /polls/{UPDATE.update_id}/more HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    counted = 0
    while time.perf_counter() < until:
        at = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        waits.append(time.perf_counter() - at)
        if not head.startswith(b"HTTP/1.1 303") or b"said=counted" not in head:
            raise SystemExit(f"not counted: {head!r}")
        counted += 1
    writer.close()
    return counted


def processor_s(pid: int) -> float:
    """The processor time that a process has taken."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


async def measure(port: int, seconds: float) -> dict[str, float]:
    """Votes a minute, and how long each took."""
    waits: list[float] = []
    began = time.perf_counter()
    counted = sum(await asyncio.gather(*(voter(port, began + seconds, waits) for _ in range(CONNECTIONS))))
    lasted = time.perf_counter() - began
    waits.sort()
    return {
        "votes_per_minute": round(60 * counted / lasted),
        "votes": counted,
        "p50_ms": round(1000 * waits[len(waits) // 2], 1),
        "p99_ms": round(1000 * waits[len(waits) * 99 // 100], 1),
    }


def main() -> None:
    """Print the figures as JSON; exit 1 below the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    seconds = parser.parse_args().seconds
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        redis = LocalRedis(data=Path(folder), log=Path(folder) / "redis.log", port=free_port())
        redis.start()
        redis.wait()
        assert redis.child is not None and redis.child.process is not None  # noqa: PT018 -- it was started
        server = redis.child.process.pid
        ready, port = multiprocessing.Event(), free_port()
        child = multiprocessing.Process(target=serve, args=(port, redis.url, cores[0], ready))
        child.start()
        try:
            if not ready.wait(30):
                raise SystemExit("the replica did not start")
            psutil.Process().cpu_affinity(cores[1:] or cores)
            began = processor_s(child.pid), processor_s(server)
            found = uvloop.run(measure(port, seconds))
            ended = processor_s(child.pid), processor_s(server)
            # On a machine that others use too, processor time says what a core to itself would take.
            of_replica, of_redis = (
                1e6 * (after - before) / found["votes"] for before, after in zip(began, ended, strict=True)
            )
            found |= {
                "replica_us_per_vote": round(of_replica), "redis_us_per_vote": round(of_redis),
                "votes_per_minute_of_a_core": round(60e6 / of_replica),
            }  # fmt: skip
        finally:
            child.terminate()
            child.join()
            if redis.child is not None:
                redis.child.end()
    print(json.dumps(found | {"goal_per_minute": GOAL_PER_MINUTE}))
    sys.exit(found["votes_per_minute_of_a_core"] < GOAL_PER_MINUTE)


if __name__ == "__main__":
    main()
