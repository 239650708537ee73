"""What a fault does, one function for each kind. Each returns once it is over, and whether it has fired: it looks, it does not assume."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from redis.asyncio import Redis

from local.child import NotReady, ServerProcess
from local.postgres import Postgres
from oracle.faults.machine import Clock, Disk, ahead_s
from oracle.newsroom import Newsroom, Worker
from support.proxy import Proxy

FIRES_WITHIN_S = 300.0
"""For a crash point to be reached while copy flows; some come with what is rare."""
STOPS_WITHIN_S = 10.0
"""For the kernel to stop a process, which a write to a busy disk puts off."""
STARTS_WITHIN_S = 60.0
FILLED_WITHIN_S = 60.0
"""For the cache to put something into an empty Redis."""
ENDS_OF_IT_S = 3.0
"""For a server to end of what it could not write."""


@dataclass(frozen=True)
class Fault:
    """One planned fault."""

    name: str
    """What it is, and at what."""
    happen: Callable[[], Awaitable[bool]]
    worker: Worker | None = None
    """The process that it is at; None for a server, of which one has a fault at a time."""


def stopped(pid: int) -> bool:
    """Whether the kernel says that a process is stopped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("T")
    except OSError:
        return False


def descendants(pid: int) -> list[int]:
    """A process and all that descend from it."""
    parents: dict[int, list[int]] = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):
            child, rest = int(place.parent.name), place.read_text().rpartition(") ")[2]
            parents.setdefault(int(rest.split()[1]), []).append(child)
    found = [pid]
    for each in found:
        found.extend(parents.get(each, ()))
    return found


async def until(condition: Callable[[], bool], within_s: float) -> bool:
    """Whether a condition came true in time."""
    ends = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > ends:
            return False
        await asyncio.sleep(0.05)
    return True


async def kill(worker: Worker) -> bool:
    """kill -9; whoever supervises it starts it again."""
    process = worker.child.process
    assert process is not None
    was_running = worker.child.running
    worker.killed += 1
    worker.ready_since = None
    worker.signal(signal.SIGKILL)
    return was_running and await until(lambda: process.poll() == -signal.SIGKILL, 5)


async def crash(worker: Worker, point: str, times: int) -> bool:
    """Start it anew, armed, and wait until it dies at the point; its mark proves where."""
    worker.crash_at = f"{point}:{times}"
    before = len(worker.crashed_at)
    await kill(worker)
    fired = await until(lambda: len(worker.crashed_at) > before, FIRES_WITHIN_S)
    if not fired:
        await kill(worker)
    return fired and worker.crashed_at[before] == point


async def freeze(worker: Worker, seconds: float) -> bool:
    """SIGSTOP, then CONT after so long."""
    process = worker.child.process
    assert process is not None
    worker.busy = True
    try:
        worker.signal(signal.SIGSTOP)
        fired = await until(lambda: stopped(process.pid), STOPS_WITHIN_S)
        await asyncio.sleep(seconds)
        return fired
    finally:
        worker.signal(signal.SIGCONT)
        worker.busy = False


async def step_clock(worker: Worker, clock: Clock, by_s: float, seconds: float) -> bool:
    """Its wall clock is so far off for so long, and right again."""
    fired = False
    clock.step(by_s)
    try:
        ends = time.monotonic() + STARTS_WITHIN_S
        while not fired and time.monotonic() < ends:
            off_s = await ahead_s(worker.url)
            fired = off_s is not None and abs(off_s - by_s) < 1.5
            await asyncio.sleep(0.2)
        await asyncio.sleep(seconds)
    finally:
        clock.step(0)
    return fired


async def cut(proxy: Proxy, seconds: float) -> bool:
    """End every connection between a process and a server, and refuse new ones for so long."""
    fired = proxy.connections > 0
    await proxy.cut()
    await asyncio.sleep(seconds)
    await proxy.start()
    return fired


async def hold(proxy: Proxy, seconds: float) -> bool:
    """Keep the connections between a process and a server, and pass nothing for so long."""
    fired = proxy.connections > 0
    proxy.freeze()
    await asyncio.sleep(seconds)
    proxy.thaw()
    return fired


async def second_replica(spare: Worker, seconds: float, *, by_kill: bool) -> bool:
    """Another replica comes, takes partitions while work is in flight, and goes."""
    spare.start()
    spare.wanted = True
    fired = await until(lambda: spare.ready_since is not None, STARTS_WITHIN_S)
    await asyncio.sleep(seconds)
    spare.wanted = False
    if by_kill:
        spare.signal(signal.SIGKILL)
    else:
        spare.child.ask_to_end()
    if not await until(lambda: not spare.child.running, 25):
        spare.child.kill()
        return False
    spare.ready_since = None
    return fired


async def kill_server(server: ServerProcess, seconds: float) -> bool:
    """kill -9 to a server, which is started again after so long and keeps what it has on disk."""
    assert server.child is not None
    fired = server.child.running
    server.child.kill()
    await asyncio.sleep(seconds)
    return await _start_again(server) and fired


async def _start_again(server: ServerProcess) -> bool:
    """Whether it runs in the end."""
    ends = time.monotonic() + 40
    while time.monotonic() < ends:
        # A server whose predecessor's children linger refuses to start.
        await asyncio.to_thread(_wait_for_start, server)
        assert server.child is not None
        if server.child.running:
            return True
        await asyncio.sleep(0.3)
    return False


def _wait_for_start(server: ServerProcess) -> None:
    server.start()  # type: ignore[attr-defined]
    with contextlib.suppress(NotReady):
        server.wait()  # type: ignore[attr-defined]


async def freeze_server(server: ServerProcess, seconds: float) -> bool:
    """SIGSTOP to a server and all its children: connections stay open and nothing is answered."""
    assert server.child is not None
    assert server.child.process is not None
    pids = descendants(server.child.process.pid)
    for each in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGSTOP)
    pid = server.child.process.pid
    fired = await until(lambda: stopped(pid), STOPS_WITHIN_S)
    await asyncio.sleep(seconds)
    for each in reversed(pids):
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGCONT)
    return fired


async def fill_disk(newsroom: Newsroom, disk: Disk, seconds: float) -> bool:
    """The disk of servers and pictures is full for so long; a server that ended of it is started again once there is room."""
    try:
        fired = await asyncio.to_thread(disk.fill)
        await asyncio.sleep(seconds)
    finally:
        await asyncio.to_thread(disk.free)
    await asyncio.sleep(ENDS_OF_IT_S)
    for server in (newsroom.kafka, newsroom.postgres, newsroom.redis):
        assert server.child is not None
        if not server.child.running:
            server.child.kill()
            fired = await _start_again(server) and fired
    return fired


async def flush(newsroom: Newsroom) -> bool:
    """Redis forgets everything, once there is something to forget: it may have been flushed or killed a moment before."""
    redis = Redis.from_url(newsroom.settings.redis_url, socket_timeout=5)
    ends = time.monotonic() + FILLED_WITHIN_S
    try:
        while not (held := await redis.dbsize()) and time.monotonic() < ends:
            await asyncio.sleep(0.5)
        await redis.flushall()
    finally:
        await redis.aclose()
    return bool(held)


async def end_sessions(postgres: Postgres) -> bool:
    """Postgres ends every session of the services, as an administrator may."""
    admin = await asyncpg.connect(postgres.dsn)
    try:
        ended = await admin.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
    finally:
        await admin.close()
    return bool(ended)


async def fill_redis(newsroom: Newsroom, seconds: float) -> bool:
    """Redis has no memory left: it refuses every write but deletes, for so long."""
    redis = Redis.from_url(newsroom.settings.redis_url, socket_timeout=5)
    try:
        await redis.config_set("maxmemory", "1")
        full: str = (await redis.config_get("maxmemory"))["maxmemory"]
        await asyncio.sleep(seconds)
        await redis.config_set("maxmemory", "0")
    finally:
        await redis.aclose()
    return full == "1"


async def read_only_postgres(postgres: Postgres, seconds: float) -> bool:
    """Postgres takes no writes for so long, as while its disk is full or another server is made the first."""
    admin = await asyncpg.connect(postgres.dsn)
    try:
        for value in ("on", "off"):
            await admin.execute("SET default_transaction_read_only = off")
            await admin.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
            await admin.execute("SELECT pg_reload_conf()")
            if value == "on":
                other = await asyncpg.connect(postgres.dsn)
                fired = await _becomes_read_only(other)
                await other.close()
                await asyncio.sleep(seconds)
    finally:
        await admin.close()
    return fired


async def _becomes_read_only(connection: "asyncpg.Connection[asyncpg.Record]") -> bool:
    for _ in range(50):
        if await connection.fetchval("SHOW default_transaction_read_only") == "on":
            return True
        await asyncio.sleep(0.05)
    return False
