"""A 12-megapixel JPEG to all renditions: the renderer of enrich media beside libvips alone, in the same run.

`python tests/bench/media.py [--rounds N]`. Prints a table and writes `.local/bench/media.json`. The references are one
process that calls libvips and nothing else: *same calls* decodes once and encodes what enrich media encodes; *size by size*
is what most would write, a thumbnail of the file for each size. The stage's figure includes its pipes, metadata, focal
point, placeholder and hashes. Rounds alternate, so that a busy machine is busy for all.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

OUT = Path(__file__).parents[2] / ".local" / "bench" / "media.json"
GOAL = 1.2


def picture() -> bytes:
    """4000 by 3000 pixels with the detail of a photograph, as a JPEG of about 3 MB."""
    import pyvips  # noqa: PLC0415 -- the parent measures processes, and must not be one of libvips

    width, height = 4000, 3000
    bands = []
    for band in range(3):
        image = pyvips.Image.perlin(width, height, cell_size=400, seed=band).linear(50, 120)
        image += pyvips.Image.perlin(width, height, cell_size=40, seed=10 + band).linear(25, 0)
        image += pyvips.Image.perlin(width, height, cell_size=8, seed=20 + band).linear(12, 0)
        image += pyvips.Image.gaussnoise(width, height, sigma=4, mean=0, seed=band)
        bands.append(image)
    return bytes(bands[0].bandjoin(bands[1:]).cast("uchar").copy(interpretation="srgb").jpegsave_buffer(Q=90))


def libvips_alone(data: bytes, *, size_by_size: bool) -> int:
    """All renditions by libvips and nothing else; the bytes that came out."""
    import pyvips  # noqa: PLC0415 -- as above

    from enrich.media.render import render  # noqa: PLC0415 -- as above

    def from_file(width: int) -> Any:
        return pyvips.Image.thumbnail_buffer(
            data, width, height=10_000_000, size="down", export_profile="srgb"
        ).copy_memory()

    if size_by_size:
        sizes = [from_file(width) for width in render.WIDTHS]
    else:
        largest = from_file(render.WIDTHS[-1])
        sizes = [
            *(
                largest.thumbnail_image(width, height=10_000_000, size="down").copy_memory()
                for width in render.WIDTHS[:-1]
            ),
            largest,
        ]
    total = 0
    for size in sizes:
        total += len(
            size.heifsave_buffer(compression="av1", Q=render.AVIF_QUALITY, effort=render.AVIF_EFFORT, keep="none")
        )
        total += len(size.webpsave_buffer(Q=render.WEBP_QUALITY, effort=render.WEBP_EFFORT, keep="none"))
        total += len(
            size.jpegsave_buffer(
                Q=render.JPEG_QUALITY, optimize_coding=True, interlace=True, trellis_quant=True,
                overshoot_deringing=True, optimize_scans=True, quant_table=3, keep="none",
            )
        )  # fmt: skip
    return total


def serve_reference(path: Path, size_by_size: bool) -> None:
    """A process of libvips alone: a line in, one picture done, a line out."""
    import pyvips  # noqa: PLC0415 -- as above

    pyvips.cache_set_max(0)
    data = path.read_bytes()
    for _ in sys.stdin:
        print(libvips_alone(data, size_by_size=size_by_size), flush=True)


def memory_peak_mb(pid: int) -> float:
    """The most memory that a process has had, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


async def measure(rounds: int, data: bytes, path: Path) -> dict[str, Any]:
    """Alternate the three; seconds of each round and the peaks of memory."""
    from enrich.media.render.pool import RendererPool, RenderLimits  # noqa: PLC0415 -- not in the reference processes

    references = {
        name: subprocess.Popen(
            [sys.executable, __file__, "--reference", name, "--picture", str(path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for name in ("same calls", "size by size")
    }  # fmt: skip

    def ask(process: "subprocess.Popen[str]") -> int:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n")
        process.stdin.flush()
        return int(process.stdout.readline())

    seconds: dict[str, list[float]] = {"stage": [], **{name: [] for name in references}}
    sizes: dict[str, int] = {}
    async with RendererPool(1, RenderLimits()) as renderers:

        async def stage() -> int:
            return sum(len(each.data) for each in (await renderers.render(data)).renditions)

        for at in range(rounds + 1):
            started = time.perf_counter()
            sizes["stage"] = await stage()
            lane_s = time.perf_counter() - started
            taken = {}
            for name, process in references.items():
                started = time.perf_counter()
                sizes[name] = ask(process)
                taken[name] = time.perf_counter() - started
            if at:
                # The first round warms up.
                seconds["stage"].append(lane_s)
                for name, value in taken.items():
                    seconds[name].append(value)
        memory = {"stage": memory_peak_mb(renderers.pids()[0])}
    for name, process in references.items():
        memory[name] = memory_peak_mb(process.pid)
        process.communicate()
    return {"seconds": seconds, "bytes": sizes, "memory_mb": memory}


def table(result: dict[str, Any]) -> str:
    """The figures for people."""
    alone = statistics.median(result["seconds"]["same calls"])
    lines = [f"{'':14}{'median s':>10}{'least':>8}{'most':>8}{'x alone':>9}{'peak MB':>9}{'kB out':>8}"]
    for name, values in result["seconds"].items():
        median = statistics.median(values)
        lines.append(
            f"{name:14}{median:10.3f}{min(values):8.3f}{max(values):8.3f}{median / alone:9.2f}"
            f"{result['memory_mb'][name]:9.0f}{result['bytes'][name] / 1000:8.0f}"
        )
    return "\n".join(lines)


def main() -> None:
    """Run, print, write."""
    # Beside this file lies the benchmark of the service, under the name of its package.
    sys.path[:] = [place for place in sys.path if Path(place).resolve() != Path(__file__).parent]
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--reference", choices=("same calls", "size by size"))
    arguments.add_argument("--picture", type=Path)
    options = arguments.parse_args()
    if options.reference:
        serve_reference(options.picture, options.reference == "size by size")
        return
    OUT.parent.mkdir(parents=True, exist_ok=True)
    path = OUT.parent / "media-12mp.jpg"
    make: Callable[[], bytes] = picture
    path.write_bytes(make())
    result = asyncio.run(measure(options.rounds, path.read_bytes(), path))
    path.unlink()
    medians = {name: statistics.median(values) for name, values in result["seconds"].items()}
    result |= {
        "medians_s": medians,
        "ratio": round(medians["stage"] / medians["same calls"], 3),
        "goal": GOAL,
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version()},
    }
    OUT.write_text(json.dumps(result, indent=2) + "\n")
    print("12-megapixel JPEG to 15 renditions (5 widths; AVIF, WebP, JPEG)")
    print(table(result))
    print(f"ratio {result['ratio']} (goal {GOAL}), written to {OUT}")


if __name__ == "__main__":
    main()
