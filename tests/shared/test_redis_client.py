"""The master that Sentinels name, on a real master, replica and Sentinel."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from local.child import Child, free_port, listens
from local.redis import binary
from shared.redis_client import open_redis
from shared.settings import Connections
from support.waiting import eventually


@dataclass
class Watched:
    """A master with a replica, and the Sentinel that watches them."""

    master: int
    replica: int
    sentinel: int


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """All three as processes; a master that is silent for half a second is replaced."""
    ports = Watched(free_port(), free_port(), free_port())
    program, children = binary(), []

    def start(name: str, port: int, *options: str) -> None:
        folder = tmp_path / name
        folder.mkdir()
        command = [program, *options, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
        child = Child(name, command, tmp_path / f"{name}.log")
        child.start()
        children.append(child)

    config = tmp_path / "sentinel.conf"
    config.write_text(
        f"sentinel monitor slugline 127.0.0.1 {ports.master} 1\n"
        "sentinel down-after-milliseconds slugline 500\nsentinel failover-timeout slugline 3000\n"
    )
    start("master", ports.master, "--repl-diskless-sync-delay", "0")
    start("replica", ports.replica, "--replicaof", f"127.0.0.1 {ports.master}")
    sentinel = Child(
        "sentinel", [program, str(config), "--sentinel", "--port", str(ports.sentinel)], tmp_path / "s.log"
    )
    sentinel.start()
    children.append(sentinel)
    yield ports
    for child in children:
        child.end()
        print(subprocess.run(["tail", "-5", str(child.log)], capture_output=True, text=True, check=False).stdout)


async def test_the_client_follows_a_failover(watched: Watched) -> None:
    """Without a setting that changes: the URL says how, the Sentinels say where; one of them may be down."""
    settings = Connections(
        redis_url="redis://nowhere.example:1/0",
        redis_sentinels=f"127.0.0.1:{free_port()},127.0.0.1:{watched.sentinel}",
    )
    async with Redis(port=watched.sentinel) as sentinel, Redis(port=watched.replica) as replica:

        async def is_known() -> bool:
            if not listens(watched.sentinel):
                return False
            return bool(await sentinel.execute_command("SENTINEL", "REPLICAS", "slugline"))

        await eventually(is_known, within_s=20, what="the Sentinel knows no replica")
        async with open_redis(settings, timeout_s=2) as redis:
            await redis.set("word", "before")
            await eventually(lambda: replica.get("word"), lambda value: value == b"before", what="not replicated")
            async with Redis(port=watched.master) as master:
                await master.shutdown(nosave=True)

            async def write() -> bool:
                try:
                    return bool(await redis.set("word", "after"))
                except RedisError:
                    return False

            await eventually(write, within_s=30, what="no new master")
            assert await replica.get("word") == b"after"
