"""The worker processes: what a hostile picture can do to them, and what it cannot."""

import asyncio
import json
import os
import shlex
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from enrich.media.errors import PictureRefused
from enrich.media.render.pool import RendererPool, RenderLimits
from enrich.media.render.sandbox import environment
from shared.failures import Transient

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the filter of system calls is Linux's")


def png(
    width: int, height: int, *, depth: int = 8, colour: int = 2, interlaced: bool = False, rows: int | None = None
) -> bytes:
    """A PNG of zeros that is small however many pixels it says it has."""
    channels = {0: 1, 2: 3, 6: 4}[colour]
    packer = zlib.compressobj(9)
    row = b"\0" * (1 + (width * depth * channels + 7) // 8)
    data = b"".join([*(packer.compress(row) for _ in range(height if rows is None else rows)), packer.flush()])

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def peak_mb(pid: int) -> float:
    """The most memory that a process has had, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


async def in_worker(*codes: str) -> dict[str, str]:
    """What each line of Python comes to inside a worker once it is confined: `ok`, or the error's name."""
    script = f"""
import json, os, socket, subprocess, threading
from enrich.media import worker
from enrich.media.confinement import deny_system_calls, limit
limit(memory_bytes=2**30)
worker.prepare(); worker._warm_up()
answers = {{"confined": deny_system_calls()}}
for code in {codes!r}:
    try:
        exec(code)
        answers[code] = "ok"
    except BaseException as error:
        answers[code] = type(error).__name__
os.write(1, json.dumps(answers).encode())
os._exit(0)
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-c", script, stdout=asyncio.subprocess.PIPE, env=environment()
    )
    out, _ = await process.communicate()
    answers: dict[str, str] = json.loads(out)
    assert answers.pop("confined"), "the kernel did not take the filter"
    return answers


@LINUX
async def test_confined_worker_reaches_nothing_and_still_renders() -> None:
    """A decoder that is taken over can open no file, no connection and no program, and harm no process; what rendering
    needs is left."""
    denied = (
        "socket.socket()",
        "socket.socketpair()",
        "open('/etc/passwd').read()",
        "os.open('/proc/self/environ', os.O_RDONLY)",
        "open('/tmp/written', 'w')",
        "os.listdir('/')",
        "subprocess.run(['/bin/true'])",
        "os.fork()",
        "os.execv('/bin/true', ['true'])",
        "os.kill(os.getppid(), 9)",
        "os.unlink('/tmp/nothing-here')",
        "os.rename('/tmp/a', '/tmp/b')",
        "os.mkdir('/tmp/made')",
        "os.symlink('/etc/passwd', '/tmp/link')",
        "os.chmod('/tmp', 0o777)",
    )
    needed = ("worker._warm_up()", "thread = threading.Thread(target=int); thread.start(); thread.join()")
    answers = await in_worker(*denied, *needed)
    assert {code: answers[code] for code in denied} == dict.fromkeys(denied, "PermissionError")
    assert {code: answers[code] for code in needed} == dict.fromkeys(needed, "ok")


@LINUX
async def test_worker_inherits_no_secret_and_no_file(
    monkeypatch: pytest.MonkeyPatch, jpeg: Callable[..., bytes], tmp_path: Path
) -> None:
    """Neither the environment nor an open descriptor of the media worker is in the worker."""
    # Only root may look into a worker, so it is what starts it that tells what it is given.
    telling = tmp_path / "python"
    told = shlex.quote(str(tmp_path / "told"))
    tell = f"(export -p; PATH=/usr/bin:/bin; ls -l /proc/$$/fd) >{told}"
    telling.write_text(f'#!/bin/sh\n{tell}\nexec {shlex.quote(sys.executable)} "$@"\n')
    telling.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(telling))
    monkeypatch.setenv("POSTGRES_DSN", "postgresql://secret")
    with Path("/etc/hostname").open() as held:
        os.set_inheritable(held.fileno(), True)
        async with RendererPool(1, RenderLimits()) as renderers:
            await renderers.render(jpeg(100, 100))
    given = (tmp_path / "told").read_text()
    assert given.count("pipe:") == 2, "it was not told what is open"
    for name in environment():
        assert f"{name}=" in given
    assert "hostname" not in given
    assert "POSTGRES" not in given
    assert "postgresql:" not in given


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (png(50_000, 50_000, depth=1, colour=0, rows=10), "too many pixels: 50000 x 50000"),
        (png(2**31 - 1, 1, rows=0), "damaged|too many|strip"),
        (png(3, 3), "too small"),
        (png(30_000, 20, rows=20), "a strip"),
        (png(2000, 2000, rows=3), "damaged png"),
    ],
    ids=["bomb", "endless", "tracking pixel", "strip", "short of rows"],
)
async def test_header_is_judged_before_a_pixel_is_decoded(renderers: RendererPool, data: bytes, reason: str) -> None:
    """A few bytes that unfold into gigabytes are refused by what they say of themselves."""
    started = time.monotonic()
    with pytest.raises(PictureRefused, match=reason):
        await renderers.render(data)
    assert time.monotonic() - started < 15
    assert peak_mb(renderers.pids()[0]) < 300


async def test_memory_is_bounded_whatever_the_picture_needs(jpeg: Callable[..., bytes]) -> None:
    """What would need more than a renderer may have is refused; the next picture is rendered."""
    greedy = png(6000, 6000, depth=16, colour=6, interlaced=True)
    async with RendererPool(1, RenderLimits(memory_bytes=300 * 2**20)) as renderers:
        await renderers.render(jpeg(300, 200))
        with pytest.raises(PictureRefused):
            await renderers.render(greedy)
        assert (await renderers.render(jpeg(300, 200))).width == 300
        assert all(peak_mb(pid) < 300 for pid in renderers.pids())


async def test_picture_that_takes_too_long_is_ended(photo: Callable[..., Any], jpeg: Callable[..., bytes]) -> None:
    """The clock ends it, the worker is replaced, and the next picture is rendered."""
    slow = photo(3000, 3000).jpegsave_buffer(Q=95, interlace=True)
    async with RendererPool(1, RenderLimits(seconds=5.0)) as renderers:
        await renderers.render(jpeg(100, 100))
        (before,) = renderers.pids()
        quick = RendererPool(0, RenderLimits(seconds=0.05))
        renderers._limits = quick._limits
        with pytest.raises(PictureRefused, match="takes longer than"):
            await renderers.render(slow)
        assert before not in renderers.pids()
        renderers._limits = RenderLimits(seconds=20.0)
        assert (await renderers.render(jpeg(100, 100))).width == 100


async def test_crash_costs_one_picture_at_most(
    renderers: RendererPool, jpeg: Callable[..., bytes], photo: Callable[..., Any]
) -> None:
    """A worker that dies under a picture is replaced and the picture tried once more: it may not have been at fault."""
    await renderers.render(jpeg(100, 100))
    (pid,) = renderers.pids()
    job = asyncio.create_task(renderers.render(photo(3000, 2000).jpegsave_buffer()))
    await asyncio.sleep(0)
    os.kill(pid, signal.SIGSEGV)
    assert (await job).width == 3000
    assert pid not in renderers.pids()


async def test_picture_that_always_crashes_is_refused(
    renderers: RendererPool, jpeg: Callable[..., bytes], photo: Callable[..., Any]
) -> None:
    """Twice is enough: the reason names the signal, and nothing hangs."""
    data = photo(4000, 3000).jpegsave_buffer()

    async def assassin() -> None:
        killed: set[int] = set()
        while len(killed) < 2:
            for pid in set(renderers.pids()) - killed:
                # Only once it has started to work: a worker that dies at its start is our own failure.
                if len(list(Path(f"/proc/{pid}/task").iterdir())) > 3:
                    os.kill(pid, signal.SIGSEGV)
                    killed.add(pid)
            await asyncio.sleep(0.02)

    await renderers.render(jpeg(100, 100))
    hunting = asyncio.create_task(assassin())
    with pytest.raises((PictureRefused, Transient)) as caught:
        await renderers.render(data)
    hunting.cancel()
    assert "SIGSEGV" in caught.value.reason
    assert (await renderers.render(jpeg(100, 100))).width == 100


async def test_cancelled_picture_leaves_no_half_answer(
    renderers: RendererPool, jpeg: Callable[..., bytes], photo: Callable[..., Any]
) -> None:
    """After a cancellation the next picture gets its own answer, not the rest of the one before."""
    job = asyncio.create_task(renderers.render(photo(3000, 2000).jpegsave_buffer()))
    while not renderers.pids():
        await asyncio.sleep(0.01)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert (await renderers.render(jpeg(240, 160))).width == 240


async def test_workers_end_with_their_pool(jpeg: Callable[..., bytes]) -> None:
    """No process is left behind."""
    async with RendererPool(2, RenderLimits()) as renderers:
        await asyncio.gather(*(renderers.render(jpeg(100, 100, seed)) for seed in range(3)))
        pids = renderers.pids()
        assert len(pids) == 2
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


async def test_damaged_pictures_never_end_a_worker(renderers: RendererPool, photo: Callable[..., Any]) -> None:
    """Flipped bytes in every format: a picture or a reason, from one and the same worker."""
    image = photo(160, 120)
    originals = (
        image.jpegsave_buffer(), image.jpegsave_buffer(interlace=True), image.pngsave_buffer(), image.webpsave_buffer(),
        image.gifsave_buffer(), image.heifsave_buffer(compression="av1", effort=0),
    )  # fmt: skip
    outcomes = {"rendered": 0, "refused": 0}
    for original in originals:
        for step in range(25):
            damaged = bytearray(original)
            for at in range(12 + step, len(damaged), 29 + 7 * step):
                damaged[at] ^= 1 << (step % 8)
            try:
                await renderers.render(bytes(damaged))
                outcomes["rendered"] += 1
            except PictureRefused:
                outcomes["refused"] += 1
    assert sum(outcomes.values()) == 150
    assert outcomes["refused"] > 50
    assert len(renderers.pids()) == 1


def test_libvips_is_not_in_the_lane_itself() -> None:
    """The process that talks to Kafka and the network loads no decoder."""
    code = "import sys, enrich.media.main; sys.exit('pyvips' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
