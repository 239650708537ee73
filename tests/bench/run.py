"""All benchmarks, one after the other, on servers that are started for them: `make bench`, or `make bench BENCH=--quick`."""

import contextlib
import json
import os
import platform
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
OUT = ROOT / ".local" / "bench"
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "deploy")]

from local.jars import NoJars  # noqa: E402 -- after the path
from support.servers import GIVEN, running_servers  # noqa: E402 -- after the path

LIMIT_S = 1800
"""A benchmark that takes longer is ended, and counts as failed."""


@dataclass(frozen=True)
class Bench:
    """One benchmark: a script of its own, which prints a table and writes `.local/bench/{name}.json`."""

    name: str
    measures: str
    quick: Sequence[str]
    """Its arguments for a first look, whose figures say little."""
    servers: bool = False
    """Whether it needs real Kafka, Postgres and Redis."""
    programs: Sequence[str] = ()
    """What it cannot do without. A peer that is missing is its own affair: it says so and measures the others."""


BENCHES = (
    Bench(
        "pipeline",
        "from a POST's first byte to the stream's event, beside two bare hops of Kafka",
        ("--rates", "100", "--turns", "3"),
        servers=True,
    ),
    Bench(
        "refreshes",
        "live news while an author's old updates are made again, beside quiet turns",
        ("--updates", "1000", "--rounds", "1", "--seconds", "5"),
        servers=True,
    ),
    Bench("pages", "pages and API beside a server that does nothing", ("--seconds", "0.5", "--rounds", "1")),
    Bench(
        "stream",
        "fan-out, storms and memory beside a C server, nchan and Node",
        ("--scenario", "check,fan,storm", "--readers", "2000", "--rounds", "1", "--seconds", "1", "--tries", "1"),
        programs=("gcc", "taskset"),
    ),
    Bench(
        "push",
        "Web Push, webhooks, and the time to the first alert",
        ("--messages", "2000", "--endpoints", "1000", "--alerts", "5"),
        servers=True,
    ),
    Bench(
        "enrich",
        "enrich text with 100,000 names, beside a bare relay",
        ("--updates", "4000", "--repeats", "1"),
        servers=True,
    ),
    Bench(
        "capacity",
        "processor time, memory, disk and bandwidth of an update, a reader and a webhook, and what a million readers would take",
        ("--updates", "200", "--readers", "200", "--endpoints", "5"),
        servers=True,
    ),
    Bench(
        "newsrooms",
        "live news of a newsroom while another one on the same servers sends all it can, beside quiet turns",
        ("--rounds", "1", "--seconds", "5"),
        servers=True,
    ),
    Bench("media", "a 12-megapixel picture to all renditions, beside libvips alone", ("--rounds", "2")),
    Bench(
        "backlog",
        "what came during an outage drains while another source is live",
        ("--updates", "3000"),
        servers=True,
    ),
    Bench(
        "growth",
        "a million updates in the archive beside a few: ready, pages, API, search, archiving, disk",
        ("--rows", "20000", "--questions", "20"),
        servers=True,
    ),
    Bench(
        "prune",
        "a million old rows deleted while documents come in, and monthly partitions beside",
        ("--rows", "10000"),
        servers=True,
    ),
    Bench("search", "a page of search results from a large archive", ("--rows", "20000", "--turns", "3"), servers=True),
    Bench("reading", "items of each format a second, feeds beside feedparser", ("--seconds", "0.2", "--repeats", "2")),
)
NAMES = [bench.name for bench in BENCHES]


@dataclass
class Outcome:
    """What became of one benchmark."""

    name: str
    outcome: str
    seconds: float = 0.0
    table: str = ""
    result: Any = None


@dataclass
class Report:
    """Everything of one run; written anew after each benchmark, so that an interrupted run keeps what it has."""

    quick: bool
    servers: str
    started_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    machine: dict[str, Any] = field(
        default_factory=lambda: {
            "cores": os.cpu_count(),
            "kernel": platform.release(),
            "python": platform.python_version(),
        }
    )
    benchmarks: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Keep one more, and write the file."""
        self.benchmarks.append(outcome)
        OUT.mkdir(parents=True, exist_ok=True)
        (OUT / "bench.json").write_text(json.dumps(asdict(self), indent=1) + "\n")

    @property
    def failed(self) -> list[str]:
        """The names of those that failed."""
        return [each.name for each in self.benchmarks if each.outcome.startswith("failed")]


def why_not(bench: Bench, no_servers: str = "") -> str | None:
    """Why a benchmark cannot run here; None where it can. `no_servers` says why there are none, where there are none."""
    missing = [program for program in bench.programs if shutil.which(program) is None]
    if missing:
        return f"needs {' and '.join(missing)}"
    if bench.servers and no_servers:
        return f"figures on the in-memory Kafka say nothing, and {no_servers}"
    return None


def run(bench: Bench, env: Mapping[str, str], *, quick: bool) -> Outcome:
    """Run one, showing what it prints; the outcome has its table and its JSON."""
    written = OUT / f"{bench.name}.json"
    written.unlink(missing_ok=True)
    began = time.monotonic()
    command = [sys.executable, str(HERE / f"{bench.name}.py"), *(bench.quick if quick else ())]
    lines = []
    with subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        limit = threading.Timer(LIMIT_S, process.kill)
        limit.start()
        try:
            for line in process.stdout:
                click.echo(line, nl=False)
                lines.append(line)
            code = process.wait()
        except BaseException:
            # It had the interrupt too; it ends its servers before it ends.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()
            raise
        finally:
            limit.cancel()
    result = json.loads(written.read_text()) if written.exists() else None
    # A benchmark that has written its figures did its work; its status then tells of goals.
    outcome = "done" if code == 0 else f"failed with {code}" if result is None else "done, a goal was missed"
    return Outcome(bench.name, outcome, round(time.monotonic() - began, 1), "".join(lines), result)


@click.command(
    epilog="\b\n" + "\n".join(f"{bench.name:9} {bench.measures}" for bench in BENCHES),
    context_settings={"max_content_width": 120},
)
@click.argument("names", nargs=-1, type=click.Choice(NAMES), metavar="[NAME]...")
@click.option("--quick", is_flag=True, help="A first look in a few minutes: every benchmark once, and short.")
def main(names: tuple[str, ...], *, quick: bool) -> None:
    """Measure speed beside bare references of the same run: all benchmarks, or those named.

    Each prints its table. Everything goes into one file, .local/bench/bench.json. Servers are started where they are
    needed, unless TEST_KAFKA_SERVERS, TEST_POSTGRES_DSN and TEST_REDIS_URL say where they are. The status is 1 where one failed.
    """
    wanted = [bench for bench in BENCHES if not names or bench.name in names]
    report = Report(quick, "none")
    no_servers = ""
    env = os.environ | {
        "PYTHONPATH": os.pathsep.join(
            filter(None, [str(ROOT / "tests"), str(ROOT / "deploy"), os.environ.get("PYTHONPATH")])
        ),
        "PYTHONUNBUFFERED": "1",
    }
    try:
        with contextlib.ExitStack() as stack:
            if any(bench.servers and why_not(bench) is None for bench in wanted):
                try:
                    servers = stack.enter_context(running_servers(to_measure=True))
                    report.servers = servers.kind
                    env |= dict(zip(GIVEN, (servers.kafka, servers.postgres, servers.redis), strict=True))
                except NoJars as reason:
                    no_servers = str(reason)
            click.echo(f"servers: {no_servers or report.servers}")
            for number, bench in enumerate(wanted, 1):
                click.secho(f"\n== {number} of {len(wanted)}: {bench.name}, {bench.measures}", bold=True)
                reason = why_not(bench, no_servers)
                outcome = run(bench, env, quick=quick) if reason is None else Outcome(bench.name, f"left out: {reason}")
                report.add(outcome)
                click.echo(f"-- {outcome.outcome}, {outcome.seconds:.0f} s")
    except KeyboardInterrupt:
        click.echo("\ninterrupted")
    click.echo()
    for each in report.benchmarks:
        click.echo(f"{each.name:9} {each.seconds:6.0f} s  {each.outcome}")
    if report.benchmarks:
        click.echo(f"{(OUT / 'bench.json').relative_to(ROOT)}")
    sys.exit(1 if report.failed or len(report.benchmarks) < len(wanted) else 0)


if __name__ == "__main__":
    main()
