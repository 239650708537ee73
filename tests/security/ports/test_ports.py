"""Hostile clients at the three ports: whoever else comes is answered, and memory stays where it was."""

import asyncio
import contextlib
import os
import re
import resource
import statistics
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from local.child import Child, free_port
from shared.settings import Connections
from support.processes import Process, Processes
from support.raw_http import Client, get
from support.waiting import eventually

# How soon probes are answered is measured beside the attackers, and nothing else.
pytestmark = [pytest.mark.flow, pytest.mark.alone, pytest.mark.timeout(120)]

ROOT = Path(__file__).parents[2]
PROCESSES = [("ingest", "api"), ("publish", "web"), ("publish", "push")]
INSIDE = [("enrich", "text"), ("publish", "archive")]
"""A port of a desk's own API, and one that nobody but probes and metrics asks, as all others have it."""
NOWHERE = Connections(
    kafka_servers="127.0.0.1:1", postgres_dsn="postgresql://nobody@127.0.0.1:1/none", redis_url="redis://127.0.0.1:1/0",
    media_store="file:///tmp", bind_host="127.0.0.1",
)  # fmt: skip
"""A port answers before its servers do, so none is needed here."""
SLOWEST_PROBE_S = 0.5
"""Of 95 in 100, on a machine that the attacker shares; measured alone it is a tenth."""
GROWTH_BYTES = 256 * 1024 * 1024


def most_connections(wanted: int) -> int:
    """As many as an attacker may open here; a test without room for a few thousand is skipped."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < 4096:
        pytest.skip(f"the limit of open files is {hard}")
    return min(wanted, hard - 1000)


@contextlib.asynccontextmanager
async def attack(kind: str, port: int, count: int, seconds: int) -> AsyncIterator[None]:
    """Clients of another process attack while the block runs; entered once all their connections are made."""
    attacker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "security.ports.attack", kind, str(port), str(count), str(seconds),
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            attacker.kill()
        await attacker.wait()


async def probe(port: int, path: str = "/livez") -> float:
    """How long an answer takes on a new connection."""
    begun = time.monotonic()
    with Client(port) as client:
        answer = await client.ask(get(path, "Connection: close"))
    assert answer.status == 200, answer.raw[:200]
    return time.monotonic() - begun


async def answers_under(port: int, pid: int, seconds: float, what: str) -> None:
    """Probe twenty times a second; each is answered in time, and the process does not grow."""
    process = psutil.Process(pid)
    before = peak = process.memory_info().rss
    times = []
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        times.append(await probe(port))
        peak = max(peak, process.memory_info().rss)
        await asyncio.sleep(0.05)
    times.sort()
    slow = times[int(len(times) * 0.95)]
    print(
        f"{what}: /livez p50 {statistics.median(times) * 1e3:.0f} ms, p95 {slow * 1e3:.0f} ms, max {times[-1] * 1e3:.0f} ms, "
        f"{len(times)} probes; memory {before >> 20} -> {peak >> 20} MiB"
    )
    assert slow <= SLOWEST_PROBE_S
    assert peak - before < GROWTH_BYTES


async def listening(process: Process) -> int:
    """The process, once its port answers."""

    async def look() -> float:
        return await probe(process.port)

    await eventually(look, lambda _: True, within_s=40, what="the port does not answer")
    assert process.child.process is not None
    return process.child.process.pid


@pytest.mark.parametrize(("service", "process"), PROCESSES)
async def test_probes_are_answered_under_every_attack(processes: Processes, service: str, process: str) -> None:
    """Heads without end, requests and bodies that never end, connections by the thousand: a new client is answered at once."""
    running = processes.start(NOWHERE, service, process)
    pid = await listening(running)
    many = most_connections(int(os.environ.get("ATTACK_CONNECTIONS", "6000")))
    kinds = [
        ("headers", 10),
        ("half", many),
        ("bodies", many // 2),
        ("idle", many // 2),
        ("unread", 500),
        ("flood", 10**6),
    ]
    if process == "web":
        kinds.append(("streams", many))
    for kind, count in kinds:
        async with attack(kind, running.port, count, 6):
            await answers_under(running.port, pid, 3, f"{service} {process}, {count} {kind}")


@pytest.mark.parametrize(("service", "process"), INSIDE)
async def test_a_port_that_is_inside_is_kept_as_well(processes: Processes, service: str, process: str) -> None:
    """Whoever gets as far finds the same limits there: fewer attacks, since all ports have one server."""
    running = processes.start(NOWHERE, service, process)
    pid = await listening(running)
    for kind, count in (("headers", 10), ("half", most_connections(2000)), ("unread", 200)):
        async with attack(kind, running.port, count, 4):
            await answers_under(running.port, pid, 1.5, f"{service} {process}, {count} {kind}")


def test_every_port_has_the_one_server() -> None:
    """With the limits of the settings: nothing else listens for HTTP."""
    sources = {
        path: path.read_text("utf-8")
        for pattern in ("services/*/src/**/*.py", "shared/src/**/*.py")
        for path in ROOT.parent.glob(pattern)
    }
    makes = re.compile(r"(?<!def )\b(?:http_server|stream_server)\(([^\n]*)")
    calls = [(path.name, found[1]) for path, text in sources.items() for found in makes.finditer(text)]
    assert len(calls) >= 6
    assert not [call for call in calls if "ServerLimits.of(settings)" not in call[1] and "limits)" not in call[1]]
    others = re.compile(r"uvicorn\.(?:run|Server)\(|\.start_server\(|\.create_server\(|HTTPServer\(")
    assert [path.name for path, text in sources.items() if others.search(text)] == []


@pytest.mark.parametrize("kind", ["http", "stream"])
async def test_readers_who_do_not_read_hold_little(tmp_path: Path, kind: str) -> None:
    """500 readers who take nothing of 4 MB each hold no gigabytes."""
    port = free_port()
    child = Child(
        "big",
        [sys.executable, "-m", "security.ports.big_port", kind, str(port)],
        tmp_path / "log",
        env={"PYTHONPATH": str(ROOT)},
    )
    child.start()
    try:
        pid = await listening(Process(child, port))
        async with attack("hung", port, most_connections(500), 12):
            await answers_under(port, pid, 8, f"{kind}, 500 hung readers")
    finally:
        child.end()
