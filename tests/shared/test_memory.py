"""What a process gives back after something large."""

import asyncio
import sys

import pytest

from shared import memory

MIB = 1024 * 1024
PROGRAM = """
import gc
from shared.memory import give_back, resident_bytes
gc.disable()
class Held:
    def __init__(self, data):
        self.data, self.itself = data, self
rested = resident_bytes()
# Blocks of the heap with something small that stays between them, and a cycle for each.
blocks = [(Held(b"x" * 100_000), b"y" * 1_000) for _ in range(1500)]
grown = resident_bytes()
kept = [small for _, small in blocks]
del blocks
before = resident_bytes()
give_back()
print(rested, grown, before, resident_bytes())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the allocator of glibc")
async def test_what_was_freed_is_given_back() -> None:
    """Cycles are collected, and the free parts of the heap returned, also those between things that stay."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    rested, grown, before, after = map(int, said.split())
    assert grown > rested + 100 * MIB
    assert before > rested + 100 * MIB
    assert after < rested + 20 * MIB


async def test_it_is_given_back_once_a_process_has_grown(monkeypatch: pytest.MonkeyPatch) -> None:
    """By so much since it rested; what is given back by itself is where the next growth is counted from."""
    sizes = iter([100, 105, 150, 101, 40, 60, 75, 41])
    given: list[int] = []
    done = asyncio.Event()

    def size() -> int:
        try:
            return next(sizes) * MIB
        except StopIteration:
            done.set()
            return 0

    monkeypatch.setattr(memory, "resident_bytes", size)
    monkeypatch.setattr(memory, "give_back", lambda: given.append(1))
    keeping = asyncio.create_task(memory.keep_giving_back(0.0, 24 * MIB))
    await asyncio.wait_for(done.wait(), 5)
    keeping.cancel()
    # 150 from 100; then 40 is rest, 60 is no growth, 75 is.
    assert len(given) == 2
