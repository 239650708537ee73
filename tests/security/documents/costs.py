"""What something hostile costs a process that goes on serving: how long its loop stands still, and how much memory it takes.

Both are told by the kernel, so that neighbours on the machine change nothing: a stall is the processor time of the main
thread, which has the loop, between a probe and its answer; the peak of memory is reset before (proc(5), `clear_refs`, `VmHWM`).
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from support.processes import Process

PROBE = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
PAUSE_S = 0.005


@dataclass
class Cost:
    """Of one process, while something went on."""

    stall_s: float = 0.0
    """Processor time of the main thread, of the slowest probe."""
    resting_kb: int = 0
    peak_kb: int = 0

    def __str__(self) -> str:
        return f"{self.stall_s * 1000:.0f} ms, {self.resting_kb >> 10} -> {self.peak_kb >> 10} MiB"


def pid_of(process: Process) -> int:
    """Its number."""
    assert process.child.process is not None
    return process.child.process.pid


def worked_s(pid: int) -> float:
    """Processor time that the main thread has had."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e9


def memory_kb(pid: int, field: str) -> int:
    """A field of memory: `VmRSS` is now, `VmHWM` the most since the last reset."""
    found = re.search(rf"^{field}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])


async def _probe(process: Process, cost: Cost) -> None:
    """Probe one after the other until cancelled; on a new connection where the process has ended one that was silent for long."""
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", process.port)
        try:
            while True:
                await _asked(reader, writer, pid_of(process), cost)
                await asyncio.sleep(PAUSE_S)
        except (asyncio.IncompleteReadError, ConnectionError):
            continue
        finally:
            writer.close()


async def _asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pid: int, cost: Cost) -> None:
    before = worked_s(pid)
    writer.write(PROBE)
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    assert length is not None, head
    await reader.readexactly(int(length[1]))
    cost.stall_s = max(cost.stall_s, worked_s(pid) - before)


@contextlib.asynccontextmanager
async def measured(processes: Mapping[str, Process], rested: Mapping[str, int]) -> AsyncIterator[dict[str, Cost]]:
    """Costs of these processes while the block runs, by their names, beside what they had `rested` with; whole once it has ended."""
    costs = {name: Cost(resting_kb=rested[name]) for name in processes}
    for process in processes.values():
        Path(f"/proc/{pid_of(process)}/clear_refs").write_text("5")
    probes = [asyncio.create_task(_probe(process, costs[name])) for name, process in processes.items()]
    try:
        yield costs
    finally:
        for each in probes:
            each.cancel()
        ends = await asyncio.gather(*probes, return_exceptions=True)
        for name, process in processes.items():
            costs[name].peak_kb = memory_kb(pid_of(process), "VmHWM")
    for end in ends:
        if isinstance(end, Exception):
            raise end
