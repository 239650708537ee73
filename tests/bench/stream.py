"""The stream against a minimal C server, nchan and Node in the same run: fan-out, storms, memory, 10,000 readers, a soak.

    python tests/bench/stream.py [--scenario check,fan,storm,many,soak] [--rounds 3] [--servers c,nchan,node,slugline]

The server has core 0, the C load client, which is also the publisher, core 1. Ratios to the C server and to nchan are the
result; absolute times mean nothing on a shared machine. In the fan-out all servers are up and have their readers, and take
turns of about a second, so that a ratio is of neighbours in time. A phase that other processes disturbed is repeated.
"""

import contextlib
import json
import os
import platform
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "stream"
BUILD = ROOT / ".local" / "bench"
TICK = os.sysconf("SC_CLK_TCK")
Row = dict[str, Any]

TURNS = 4
"""How often the servers of a fan-out take turns in a round."""

LABELS = {
    "c": "C, epoll, one send for each (the limit)",
    "c-batch": "C, joined for each turn of the loop",
    "nchan": "nginx with nchan, one worker",
    "node": "Node http, res.write()",
    "uvicorn": "uvicorn, bare ASGI, shared bytes, a task for each reader",
    "slugline": "slugline",
}

PORTS = {name: 18710 + number for number, name in enumerate(LABELS)}


@dataclass
class Setting:
    """What the command line says."""

    readers: int
    seconds: float
    tries: int
    foreign: float


@dataclass
class Results:
    """Every measured phase."""

    rows: list[Row] = field(default_factory=list)

    def add(self, server: str, scenario: str, round_number: int, row: Row) -> None:
        """Keep and show one phase."""
        self.rows.append({"server": server, "scenario": scenario, "round": round_number, **row})
        shown = (
            "rate",
            "p50_ms",
            "p99_ms",
            "cpu_per_100k",
            "cpu_ms_each",
            "stayed_p99_ms",
            "secs",
            "kib_per_connection",
        )
        words = " ".join(f"{key}={row[key]}" for key in shown if key in row)
        click.echo(f"{round_number} {server:9} {row['phase']:11} {words} foreign={row.get('foreign', 0)}", err=True)
        if row.get("missing") or row.get("failed"):
            click.echo(f"{server} {row['phase']}: missing {row.get('missing')}, failed {row.get('failed')}", err=True)

    def of(self, server: str, phase: str, key: str) -> float | None:
        """The median of a figure."""
        values = [row[key] for row in self.rows if row["server"] == server and row["phase"] == phase and key in row]
        return statistics.median(values) if values else None

    def ratios(self, phase: str, key: str, reference: str) -> list[float]:
        """A figure of ours against that of a reference, round by round."""
        values: dict[str, dict[int, float]] = {"slugline": {}, reference: {}}
        for row in self.rows:
            if row["server"] in values and row["phase"] == phase and row.get(key):
                values[row["server"]][row["round"]] = row[key]
        theirs = values[reference]
        return [round(ours / theirs[number], 3) for number, ours in values["slugline"].items() if number in theirs]

    def spread(self, server: str, phase: str, key: str) -> str:
        """The least and the most of a figure."""
        values = [row[key] for row in self.rows if row["server"] == server and row["phase"] == phase and key in row]
        return f"{min(values):g}..{max(values):g}" if values else ""


def build() -> dict[str, str]:
    """Compile client and reference, fetch what is missing, and say how each server is started."""
    BUILD.mkdir(parents=True, exist_ok=True)
    for name, source in (("sseload", "sseload.c"), ("limit", "limit.c")):
        target = BUILD / name
        if not target.exists() or target.stat().st_mtime < (HERE / source).stat().st_mtime:
            subprocess.run(["gcc", "-O2", "-g", "-o", str(target), str(HERE / source)], check=True)
    payloads = BUILD / "payloads.jsonl"
    if not payloads.exists():
        subprocess.run([sys.executable, str(HERE / "payloads.py"), "-o", str(payloads)], check=True)
    limit = BUILD / "limit"
    commands = {
        "c": f"{limit} {PORTS['c']} send",
        "c-batch": f"{limit} {PORTS['c-batch']} batch",
        "slugline": f"{sys.executable} {HERE / 'harness.py'} {PORTS['slugline']}",
        "uvicorn": f"{sys.executable} -m uvicorn --app-dir {HERE} asgi_shared:app --port {PORTS['uvicorn']} --loop uvloop "
        "--http httptools --no-access-log --log-level warning --backlog 4096",
    }
    if shutil.which("node"):
        commands["node"] = f"node {HERE / 'node_sse.js'} {PORTS['node']}"
    nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    module = nchan_module()
    if nginx and module:
        text = (HERE / "nchan.conf.in").read_text()
        for name, value in (("@MODULE@", module), ("@BUILD@/", f"{BUILD}/"), ("@PORT@", PORTS["nchan"])):
            text = text.replace(name, str(value))
        (BUILD / "nchan.conf").write_text(text)
        commands["nchan"] = f"{nginx} -c {BUILD / 'nchan.conf'} -p {BUILD}"
    return commands


def nchan_module() -> Path | None:
    """Debian's module of nchan, unpacked beside the other parts; nothing is installed."""
    installed = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
    unpacked = BUILD / "deb" / "usr/lib/nginx/modules/ngx_nchan_module.so"
    if installed.exists():
        return installed
    if not unpacked.exists() and shutil.which("apt-get"):
        debs = BUILD / "debs"
        debs.mkdir(exist_ok=True)
        subprocess.run(["apt-get", "download", "libnginx-mod-nchan"], cwd=debs, capture_output=True, check=False)
        for deb in debs.glob("libnginx-mod-nchan*.deb"):
            subprocess.run(["dpkg", "-x", str(deb), str(BUILD / "deb")], check=True)
    return unpacked if unpacked.exists() else None


def tree(pid: int) -> list[int]:
    """A process and its descendants."""
    found, todo = [], [pid]
    while todo:
        each = todo.pop()
        found.append(each)
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{each}/task").iterdir():
                todo += map(int, (task / "children").read_text().split())
    return found


def cpu_s(pid: int) -> float:
    """CPU seconds of a process and its descendants."""
    total = 0
    for each in tree(pid):
        with contextlib.suppress(OSError):
            total += sum(map(int, Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()[11:13]))
    return total / TICK


def memory_kib(pid: int) -> int:
    """Proportional set size of a process and its descendants."""
    total = 0
    for each in tree(pid):
        with contextlib.suppress(OSError, StopIteration):
            lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total


def busy_s() -> list[float]:
    """Busy seconds of cores 0 and 1."""
    cores = [
        line.split() for line in Path("/proc/stat").read_text().splitlines() if line.startswith(("cpu0 ", "cpu1 "))
    ]
    return [(sum(map(int, each[1:9])) - int(each[4]) - int(each[5])) / TICK for each in cores]


def pinned(core: int, command: list[str]) -> list[str]:
    """The command on one core, before others where we may."""
    nice = ["nice", "-n", "-10"] if os.geteuid() == 0 else []
    core = core if (os.cpu_count() or 1) > core else 0
    return [*nice, "taskset", "-c", str(core), *command]


@contextlib.contextmanager
def server(name: str, command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server on core 0 while the block runs."""
    log = (BUILD / f"{name}.log").open("ab")
    process = subprocess.Popen(pinned(0, shlex.split(command)), stdout=log, stderr=log, start_new_session=True)
    try:
        ends = time.monotonic() + 15
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", PORTS[name]), 1):
                break
            if time.monotonic() > ends or process.poll() is not None:
                raise click.ClickException(f"{name} did not start, see {log.name}")
            time.sleep(0.05)
        time.sleep(0.5)
        yield process
    finally:
        pids = tree(process.pid)
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in pids:
                with contextlib.suppress(OSError):
                    os.kill(pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(3)
                break
        log.close()
        time.sleep(0.3)


class Client:
    """The load client on core 1: a line in, a line of JSON out."""

    def __init__(self, name: str, *, replay: bool = False) -> None:
        command = [str(BUILD / "sseload"), "--port", str(PORTS[name]), "--payloads", str(BUILD / "payloads.jsonl")]
        if replay:
            command += ["--sub-path", "/catchup/f%u"] if name == "nchan" else ["--header", "Last-Event-ID: 0"]
        self.process = subprocess.Popen(
            pinned(1, command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    def do(self, line: str) -> Row:
        """One command and its result."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise click.ClickException("the load client died")
        result: Row = json.loads(answer)
        return result

    def close(self) -> None:
        """End the client."""
        with contextlib.suppress(OSError):
            assert self.process.stdin
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def measured(
    setting: Setting, process: subprocess.Popen[bytes], client: Client, line: str, *, again: bool = True
) -> Row:
    """One phase with the server's CPU; the least disturbed of a few tries."""
    best: Row | None = None
    for _ in range(setting.tries if again else 1):
        before, cpu, client_cpu, began = busy_s(), cpu_s(process.pid), cpu_s(client.process.pid), time.monotonic()
        row = client.do(line)
        took = time.monotonic() - began
        used, client_used, after = cpu_s(process.pid) - cpu, cpu_s(client.process.pid) - client_cpu, busy_s()
        row["cpu_s"] = round(used, 3)
        others = [now - then for now, then in zip(after, before, strict=True)]
        row["foreign"] = round(max(0.0, sum(others) - used - client_used) / took / len(others), 3)
        if row.get("deliveries"):
            row["cpu_per_100k"] = round(used / row["deliveries"] * 1e5, 4)
        if best is None or row["foreign"] < best["foreign"]:
            best = row
        if row["foreign"] <= setting.foreign:
            break
    assert best is not None
    return best


@dataclass
class Sharer:
    """A server of the fan-out with its readers, who wait while the others have their turns."""

    name: str
    process: subprocess.Popen[bytes]
    client: Client


def fan(setting: Setting, commands: dict[str, str]) -> Iterator[tuple[str, int, Row]]:
    """One event to all readers: one by one, paced, with a backlog, in a burst; and what a reader takes of memory.

    Yields the server, the number of the turn and what was measured.
    """
    with contextlib.ExitStack() as stack:
        sharers: list[Sharer] = []
        for name, command in commands.items():
            process = stack.enter_context(server(name, command))
            client = stack.enter_context(contextlib.closing(Client(name)))
            empty = memory_kib(process.pid)
            yield name, 0, measured(setting, process, client, f"connect {setting.readers}", again=False)
            client.do("closed 1 1")
            time.sleep(0.2)
            idle = memory_kib(process.pid)
            yield name, 0, {"phase": "memory", "kib_per_connection": round((idle - empty) / setting.readers, 2)}
            sharers.append(Sharer(name, process, client))
        for turn in range(TURNS):
            others = (f"closed 16 {setting.seconds / 2}", "burst 50") if turn % 2 else (f"paced 10 {setting.seconds}",)
            for line in (f"closed 1 {setting.seconds / 2}", *others):
                for each in sharers:
                    yield each.name, turn, measured(setting, each.process, each.client, line)
            sharers.reverse()


def storm(setting: Setting, name: str, process: subprocess.Popen[bytes]) -> Iterator[Row]:
    """9,000 readers come back, 512 at a time, each replaying 50 events; then again while 5,000 are served 10 events/s."""
    count = 9000
    seed = Client(name)
    seed.do("connect 1")
    seed.do("burst 60")
    seed.close()
    for phase, others, rate in (("storm", 0, 0), ("storm-busy", 5000, 10)):
        client = Client(name, replay=True)
        try:
            if others:
                client.do(f"connect {others}")
                client.do("idle 500")
            row = measured(setting, process, client, f"storm {count} 512 50 {rate}", again=False)
            yield row | {"phase": phase, "cpu_ms_each": round(row["cpu_s"] / max(1, row["done"]) * 1000, 4)}
        finally:
            client.close()
        time.sleep(1)


def many(setting: Setting, name: str, process: subprocess.Popen[bytes]) -> Iterator[Row]:
    """10,000 readers on one core."""
    client = Client(name)
    try:
        yield measured(setting, process, client, "connect 10000", again=False) | {"phase": "connect-10k"}
        client.do("closed 1 1")
        yield measured(setting, process, client, f"closed 1 {setting.seconds}") | {"phase": "closed-10k"}
    finally:
        client.close()


def soak(_: Setting, name: str, process: subprocess.Popen[bytes]) -> Iterator[Row]:
    """A day's worth of events (one every two seconds) with readers who come, are replayed to and go; memory before and after."""

    def stretch(least: int) -> int:
        events = 0
        while events < least:
            client = Client(name, replay=True)
            try:
                client.do("connect 300")
                client.do("storm 200 64 50 0")
                row = client.do("closed 16 2")
                if row["missing"]:
                    raise click.ClickException(f"{name} lost events in the soak: {row}")
                events += row["events"]
            finally:
                client.close()
        return events

    warm = stretch(14_000)
    before, began = memory_kib(process.pid), time.monotonic()
    events = stretch(43_200)
    after = memory_kib(process.pid)
    yield {
        "phase": "soak",
        "warm_events": warm,
        "events": events,
        "secs": round(time.monotonic() - began, 1),
        "before_kib": before,
        "after_kib": after,
        "growth": round(after / before - 1, 4),
    }


ALONE = {"storm": storm, "many": many, "soak": soak}


class Stream:
    """One reader of the check: what it got, without HTTP's framing."""

    def __init__(self, port: int, path: str, fields: str = "") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 5)
        request = f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n{fields}\r\n"
        self.socket.sendall(request.encode())
        raw = b""
        while b"\r\n\r\n" not in raw:
            raw += self.socket.recv(65536)
        head, _, self.raw = raw.partition(b"\r\n\r\n")
        self.chunked = b"transfer-encoding: chunked" in head.lower()
        self.text = b""

    def _take(self) -> None:
        if not self.chunked:
            self.text, self.raw = self.text + self.raw, b""
        while self.chunked:
            line, separator, rest = self.raw.partition(b"\r\n")
            if not separator or len(rest) < int(line, 16) + 2:
                return
            size = int(line, 16)
            self.text, self.raw = self.text + rest[:size], rest[size + 2 :]

    def data(self, count: int, timeout_s: float = 5) -> list[bytes]:
        """The data of the events, once there are so many or the time is over."""
        ends = time.monotonic() + timeout_s
        while True:
            self._take()
            blocks = self.text.replace(b"\r\n", b"\n").split(b"\n\n")[:-1]
            found = [
                b"\n".join(line[5:].removeprefix(b" ") for line in block.split(b"\n") if line.startswith(b"data:"))
                for block in blocks
                if b"data:" in block
            ]
            left = ends - time.monotonic()
            if len(found) >= count or left <= 0:
                return found
            self.socket.settimeout(left)
            with contextlib.suppress(TimeoutError):
                data = self.socket.recv(65536)
                if not data:
                    return found
                self.raw += data


def check(name: str) -> None:
    """A server that loses, garbles or leaks events is not worth measuring."""
    port = PORTS[name]
    lines = (BUILD / "payloads.jsonl").read_bytes().splitlines()[:80]
    lines[3] = json.dumps({"headline": "Zürich – größer, 日本語, 🚆", "~": 1}, ensure_ascii=False).encode()

    def post(line: bytes) -> None:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.sendall(b"POST /pub/f0 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(line), line))
            answer = connection.recv(4096)
        if answer.split()[1][:1] != b"2":
            raise click.ClickException(f"{name} refused an event: {answer[:80]!r}")

    reader, other = Stream(port, "/sse/f0"), Stream(port, "/sse/f1")
    time.sleep(0.2)
    for line in lines[:60]:
        post(line)
    back = Stream(port, "/catchup/f0") if name == "nchan" else Stream(port, "/sse/f0", "Last-Event-ID: 0\r\n")
    got_back = back.data(50)
    for line in lines[60:]:
        post(line)
    for what, got, wanted in (
        ("live events", reader.data(80), lines),
        ("replay", got_back, lines[10:60]),
        ("live after replay", back.data(70), lines[10:]),
        ("another feed", [each for each in other.data(1, 0.3) if b"headline" in each], []),
    ):
        if got != wanted:
            raise click.ClickException(f"{name}: {what}: {len(got)} events, {len(wanted)} wanted, or not the same")


def goals(results: Results) -> list[Row]:
    """The goals that this run can judge: the median of the rounds, each against the reference of the same round."""

    def ratio(phase: str, key: str, reference: str) -> list[float]:
        return results.ratios(phase, key, reference)

    def figure(phase: str, key: str) -> list[float]:
        rows = [row for row in results.rows if row["server"] == "slugline" and row["phase"] == phase]
        return [row[key] for row in rows if row.get(key) is not None]

    table: list[tuple[str, list[float], str, float]] = [
        ("CPU per delivery, one by one, against C", ratio("closed1", "cpu_per_100k", "c"), "<=", 1.15),
        ("CPU per delivery, one by one, against nchan", ratio("closed1", "cpu_per_100k", "nchan"), "<=", 0.65),
        ("CPU per delivery, one by one, against Node", ratio("closed1", "cpu_per_100k", "node"), "<=", 0.6),
        ("backlog, deliveries/s, against nchan", ratio("closed16", "rate", "nchan"), ">=", 8),
        ("latency paced, p50, against C", ratio("paced", "p50_ms", "c"), "<=", 1.1),
        ("latency paced, p99, against C", ratio("paced", "p99_ms", "c"), "<=", 1.1),
        ("KiB of user space per idle connection", figure("memory", "kib_per_connection"), "<=", 4),
        ("storm with other readers, seconds, against C", ratio("storm-busy", "secs", "c"), "<=", 2.5),
        ("storm with other readers, seconds, against nchan", ratio("storm-busy", "secs", "nchan"), "<=", 0.3),
        ("storm alone, seconds, against C", ratio("storm", "secs", "c"), "<=", 2.5),
        ("storm alone, seconds, against nchan", ratio("storm", "secs", "nchan"), "<=", 0.3),
        ("p99 of those who stayed, ms", figure("storm-busy", "stayed_p99_ms"), "<=", 700),
        ("10,000 readers, CPU per delivery, against C", ratio("closed-10k", "cpu_per_100k", "c"), "<=", 1.15),
        ("growth of memory over a day's events", figure("soak", "growth"), "<=", 0.05),
    ]
    return [
        {
            "goal": name,
            "is": round(statistics.median(values), 3),
            "least": min(values),
            "most": max(values),
            "wanted": f"{sign} {bound:g}",
            "met": statistics.median(values) <= bound if sign == "<=" else statistics.median(values) >= bound,
        }
        for name, values, sign, bound in table
        if values
    ]


def show(results: Results, servers: list[str], judged: list[Row]) -> None:
    """The tables."""
    columns = [
        ("one by one: CPU s/100k", "closed1", "cpu_per_100k", "{:.2f}"),
        ("deliveries/s", "closed1", "rate", "{:,.0f}"),
        ("paced p50 ms", "paced", "p50_ms", "{:.0f}"),
        ("p99 ms", "paced", "p99_ms", "{:.0f}"),
        ("burst/s", "burst", "rate", "{:,.0f}"),
        ("backlog/s", "closed16", "rate", "{:,.0f}"),
        ("storm s", "storm", "secs", "{:.2f}"),
        ("busy storm s", "storm-busy", "secs", "{:.2f}"),
        ("stayed p99 ms", "storm-busy", "stayed_p99_ms", "{:.0f}"),
        ("with newcomers' replays", "storm-busy", "live_p99_ms", "{:.0f}"),
        ("KiB/reader", "memory", "kib_per_connection", "{:.1f}"),
        ("10k: CPU s/100k", "closed-10k", "cpu_per_100k", "{:.2f}"),
    ]
    click.echo("| server | " + " | ".join(name for name, *_ in columns) + " |")
    click.echo("|---|" + "---:|" * len(columns))
    for name in servers:
        cells = [(results.of(name, phase, key), form) for _, phase, key, form in columns]
        click.echo(
            f"| {LABELS[name]} | " + " | ".join(form.format(v) if v is not None else "" for v, form in cells) + " |"
        )
    click.echo(
        "\nspread of CPU s/100k one by one: "
        + ", ".join(f"{n} {results.spread(n, 'closed1', 'cpu_per_100k')}" for n in servers)
    )
    click.echo("\n| goal | is | rounds | wanted | met |\n|---|---:|---:|---:|---|")
    for row in judged:
        rounds = f"{row['least']:g}..{row['most']:g}"
        click.echo(f"| {row['goal']} | {row['is']:g} | {rounds} | {row['wanted']} | {'yes' if row['met'] else 'NO'} |")


def measure(results: Results, setting: Setting, commands: dict[str, str], asked: Sequence[str], rounds: int) -> None:
    """Every scenario that is asked for, round by round."""
    for round_number in range(rounds):
        for each in asked:
            if each == "fan":
                for name, turn, row in fan(setting, commands):
                    results.add(name, each, round_number * TURNS + turn, row)
            for name, command in commands.items():
                if each not in ALONE or (each == "soak" and (name != "slugline" or round_number)):
                    continue
                with server(name, command) as process:
                    for row in ALONE[each](setting, name, process):
                        results.add(name, each, round_number, row)


@click.command()
@click.option("--scenario", default="check,fan,storm,many,soak", show_default=True, help="Which, comma-separated.")
@click.option("--servers", default="c,nchan,node,slugline", show_default=True, help=f"Of {', '.join(LABELS)}.")
@click.option("--readers", default=5000, show_default=True, help="Readers of the fan-out.")
@click.option("--rounds", default=3, show_default=True, help="Every round visits every server.")
@click.option("--seconds", default=2.0, show_default=True, help="Length of a phase.")
@click.option("--tries", default=2, show_default=True, help="Times a disturbed phase is measured at most.")
@click.option(
    "--foreign", default=0.05, show_default=True, help="Share of the cores that others may take undisturbingly."
)
@click.option("--out", default=BUILD / "stream.json", show_default=True, type=click.Path(path_type=Path))
def main(  # noqa: PLR0917 -- click calls it by name
    scenario: str, servers: str, readers: int, rounds: int, seconds: float, tries: int, foreign: float, out: Path
) -> None:
    """Measure the stream and its peers."""
    if (
        os.environ.get("BENCH_NAMESPACE") != "1"
        and subprocess.run(["unshare", "-n", "true"], check=False).returncode == 0
    ):
        # A network namespace of its own: own ports, no connection tracking.
        commands = build()
        os.environ["BENCH_NAMESPACE"] = "1"
        os.execvp(
            "unshare", ["unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$@"', "bench", sys.executable, *sys.argv]
        )
    commands = build()
    os.sched_setaffinity(0, {(os.cpu_count() or 1) - 1})
    names = [name for name in servers.split(",") if name in commands]
    for name in set(servers.split(",")) - set(names):
        click.echo(f"{name} is not to be had here and is left out", err=True)
    asked = scenario.split(",")
    setting = Setting(readers, seconds, tries, foreign)
    results = Results()
    if "check" in asked:
        for name in names:
            with server(name, commands[name]):
                check(name)
            click.echo(f"{name}: nothing lost, garbled or leaked", err=True)
    measure(results, setting, {name: commands[name] for name in names}, asked, rounds)
    judged = goals(results)
    show(results, names, judged)
    medians: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in results.rows:
        keys = [key for key, value in row.items() if isinstance(value, int | float) and key != "round"]
        medians[row["server"]][row["phase"]] = {key: results.of(row["server"], row["phase"], key) for key in keys}
    out.parent.mkdir(parents=True, exist_ok=True)
    machine = {"cores": os.cpu_count(), "kernel": platform.release(), "python": platform.python_version()}
    report = {"benchmark": "stream", "machine": machine, "goals": judged, "medians": medians, "rows": results.rows}
    out.write_text(json.dumps(report, indent=1) + "\n")
    click.echo(f"\n{out}")


if __name__ == "__main__":
    main()
