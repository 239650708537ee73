"""`make demo` as a newcomer runs it: everything comes up, the page shows the wire, and nothing is left behind."""

import json
import os
import shlex
import signal
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.child import free_port
from support.waiting import eventually

pytestmark = [pytest.mark.flow, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[2]


class Demo:
    """The command in a process group of its own, as a terminal starts it."""

    def __init__(self, log: Path) -> None:
        self.port, self.ingest_port, self.log = free_port(), free_port(), log
        self.marker = f"slugline-demo-{self.port}"
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "local", "demo", "--pace", "0.5"],
                env={
                    **os.environ,
                    "PYTHONPATH": str(ROOT / "deploy"),
                    "PORT": str(self.port),
                    "INGEST_PORT": str(self.ingest_port),
                    "LOCAL_FOLDER": str(log.parent / "local"),
                    "DEMO_MARKER": self.marker,
                },
                cwd=ROOT,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self) -> str:
        """What it has printed."""
        return self.log.read_text()

    def get(self, path: str) -> str:
        """What a reader is answered; an OSError while nobody answers."""
        if self.process.poll() is not None:
            pytest.fail(f"the demo ended:\n{self.said()}")
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            body: str = answer.read().decode()
            return body

    def status(self) -> tuple[int, str]:
        """What `slugline status` says of it, after its exit code."""
        [environment] = (self.log.parent / "local").rglob("slugline.env")
        command = [sys.executable, "-m", "slugline", "--env", str(environment), "status"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout + done.stderr

    def processes(self) -> dict[int, str]:
        """Every living process that the demo started, at whatever depth: they carry its environment."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if self.marker.encode() in (folder / "environ").read_bytes():
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\x00", b" ").decode()
            except OSError:
                continue
        return found


def as_curl_would(command: str) -> Any:
    """Do what a printed `curl -H FIELD ... URL -d BODY` does, as a shell would read it: the JSON of the answer."""
    program, *words = shlex.split(command.replace("\\\n", " "))
    assert program == "curl"
    options, url, body = [], "", ""
    while words:
        word = words.pop(0)
        if word == "-H":
            options.append(words.pop(0).partition(": "))
        elif word == "-d":
            body = words.pop(0)
        else:
            url = word
    fields = {name: value for name, _, value in options}
    with urllib.request.urlopen(urllib.request.Request(url, body.encode(), fields), timeout=30) as answer:
        return json.load(answer)


def open_to_others(folder: Path) -> list[str]:
    """Files and folders that other users of the machine may read; that they may pass through a folder shows them nothing."""
    found = {path: path.lstat() for path in (folder, *folder.rglob("*")) if not path.is_socket()}
    return [str(path) for path, is_ in found.items() if is_.st_mode & (0o066 if stat.S_ISDIR(is_.st_mode) else 0o077)]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """A demo that is ended with the test, however that goes."""
    running = Demo(tmp_path / "demo.log")
    yield running
    print(running.said())
    if running.process.poll() is None:
        os.killpg(running.process.pid, signal.SIGTERM)
        running.process.wait(60)


async def test_the_demo_shows_a_wire_takes_an_update_and_goes_down_clean(demo: Demo) -> None:
    """The page fills by itself, the printed curl works, Ctrl-C ends every process, and a correction and a kill have been seen."""
    await eventually(
        lambda: demo.get("/"), lambda page: "What we know" in page, within_s=180, what="the page did not fill"
    )
    updates = json.loads(demo.get("/v1/updates?limit=100"))["updates"]
    assert {each["source"] for each in updates} >= {"newsroom", "harbour-wire", "northern-press"}
    printed = demo.said()
    answer = as_curl_would(printed[printed.index("  curl ") : printed.index("\n\nCtrl-C")])
    (result,) = answer["results"]
    assert result["status"] == "accepted"
    await eventually(
        lambda: demo.get("/"), lambda page: "Harbour bridge closes" in page, within_s=120, what="the posted update"
    )
    await eventually(demo.said, lambda said: "sample wire is through" in said, within_s=180, what="the wire")

    def pictured_from() -> set[str]:
        found = json.loads(demo.get("/v1/updates?limit=100"))["updates"]
        return {each["source"] for each in found if each["media"]}

    with_pictures = {"newsroom", "harbour-wire", "northern-press", "coast-weather"}
    await eventually(pictured_from, lambda found: found >= with_pictures, within_s=180, what="pictures")
    await eventually(
        lambda: demo.get("/"),
        lambda page: "Skerry opens its school hall" in page,
        within_s=120,
        what="the dropped file",
    )

    def lead_picture() -> tuple[str, str]:
        found = json.loads(demo.get("/v1/updates?limit=100"))["updates"]
        picture = {each["pinned"]: each for each in found}[True]["media"][0]
        return picture["caption"], picture["credit"]

    lead = (
        "The Gannet's course, where she lost power, and her drift before the tug took her home.",
        "Nora Vint / Slugline",
    )
    await eventually(lead_picture, lambda seen: seen == lead, within_s=180, what="the lead's picture and its caption")
    everything = json.loads(demo.get("/v1/updates?limit=100"))["updates"]
    headlines = {each["headline"] for each in everything}
    assert not {headline for headline in headlines if headline.startswith("Mayor was warned")}
    assert "Ferry with 204 aboard loses power in Marrow Strait" in headlines
    assert {author["slug"] for each in everything for author in each["authors"]} >= {"ada-quill", "joss-penhale"}
    assert len(demo.processes()) > 10
    # Kafka in memory has no request for the lag of groups: said, and no finding.
    _, said = await eventually(demo.status, lambda status: status[0] == 0, within_s=60, what="not well")
    assert "the lag of consumer groups is not told by this Kafka" in said
    assert open_to_others(demo.log.parent / "local" / "demo") == []

    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(60) == 0
    assert demo.processes() == {}
    assert "Traceback" not in demo.said()


async def test_nothing_outlives_a_demo_that_is_killed(demo: Demo) -> None:
    """When the supervisor dies by SIGKILL, the kernel ends what it started."""
    await eventually(lambda: len(demo.processes()), lambda count: count > 8, within_s=180, what="did not start")
    demo.process.kill()
    demo.process.wait()
    await eventually(demo.processes, lambda left: not left, within_s=180, what="processes are left")


async def test_a_service_that_dies_is_started_again(demo: Demo) -> None:
    """A process that is killed comes back, and the page with it."""
    await eventually(lambda: demo.get("/readyz"), within_s=180, what="not ready")
    await eventually(lambda: "Ctrl-C" in demo.said(), within_s=180, what="did not start")
    (pid,) = [pid for pid, command in demo.processes().items() if "-m publish web" in command]
    os.kill(pid, signal.SIGKILL)
    await eventually(lambda: "publish-web ended with -9" in demo.said(), within_s=120, what="not noticed")
    await eventually(lambda: demo.get("/readyz"), within_s=180, what="not back")
