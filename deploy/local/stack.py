"""Starts servers and services as processes, keeps them running, and ends them all, in order, whatever happens."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import stat
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from local.child import Child, NotReady, end_all, free_port, listens
from local.postgres import binaries, reachable
from local.services import SERVICES, Service

ROOT = Path(__file__).resolve().parents[2]
RESTART_AT_MOST_S = 10.0
STABLE_AFTER_S = 30.0
CHECK_INTERVAL_S = 0.2


class Interrupted(BaseException):
    """Somebody asked the stack to end."""


class Taken(RuntimeError):
    """A port or the stack's folder is in use."""


class Server(Protocol):
    """Postgres, Redis or Kafka as a local process."""

    child: Child | None

    def start(self) -> None:
        """Start it."""

    def wait(self) -> None:
        """Return once it answers."""


def say(*words: object) -> None:
    """A line for the person who watches."""
    print(*words, flush=True)


@dataclass
class Supervised:
    """A process that is started again when it ends."""

    child: Child
    port: int = 0
    pause_s: float = 0.5
    restart_at: float | None = None

    def ready(self) -> bool:
        """Whether /readyz answers 200."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def look_after(self) -> None:
        """Note that it has ended, or start it again when its pause is over."""
        now = time.monotonic()
        if self.child.running:
            return
        if self.restart_at is None:
            if now - self.child.started_at > STABLE_AFTER_S:
                self.pause_s = 0.5
            code = self.child.process.returncode if self.child.process else None
            say(f"{self.child.name} ended with {code}, starts again in {self.pause_s:.1f} s; the end of its log:")
            say(self.child.tail(8))
            self.restart_at = now + self.pause_s
            self.pause_s = min(self.pause_s * 2, RESTART_AT_MOST_S)
        elif now >= self.restart_at:
            self.restart_at = None
            self.child.start()


@dataclass
class Stack:
    """Everything that runs, in the order in which it was started."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    env_of: dict[str, dict[str, str]] = field(default_factory=dict)
    """What only one service gets, by its package: its role of Postgres."""
    servers: list[Server] = field(default_factory=list)
    supervised: list[Supervised] = field(default_factory=list)

    @property
    def logs(self) -> Path:
        """Where every process's output goes, a file each."""
        return self.folder / "logs"

    def start_servers(self, servers: Sequence[Server]) -> None:
        """Start them at once, return when all answer."""
        for server in servers:
            self.servers.append(server)
            server.start()
        for server in servers:
            server.wait()

    def python(self, **commands: Sequence[str]) -> None:
        """Run each `python -m ...` to its end, all at once, under its name; `NotReady` with its output where one fails."""
        children = [self._child(name, arguments, {}) for name, arguments in commands.items()]
        try:
            for child in children:
                child.start()
            for child in children:
                child.wait_for_end(120)
        finally:
            end_all(children)

    def start_service(self, service: Service, port: int = 0) -> Supervised:
        """Start a process of a service; its HTTP listens on `port`, or on a free one."""
        port = port or free_port()
        child = self._child(service.name, [service.package, service.command], {service.port_setting: str(port)})
        return self._start(child, port)

    def start_module(self, name: str, *arguments: str) -> Supervised:
        """Start another Python module that belongs to the stack."""
        return self._start(self._child(name, arguments, {}), 0)

    def _start(self, child: Child, port: int) -> Supervised:
        child.start()
        supervised = Supervised(child, port)
        self.supervised.append(supervised)
        return supervised

    def _child(self, name: str, arguments: Sequence[str], env: Mapping[str, str]) -> Child:
        own = self.env_of.get(arguments[0], {})
        command = [sys.executable, "-m", *arguments]
        return Child(name, command, self.logs / f"{name}.log", env={**self.env, **own, **env})

    def write_environment(self) -> Path:
        """The settings by which `slugline` finds this stack, in a file that only this user reads: NAME=value lines."""
        processes = ",".join(f"{each.child.name}=127.0.0.1:{each.port}" for each in self.supervised if each.port)
        path = self.folder / "slugline.env"
        path.touch(mode=0o600)
        # Redis as publish reaches it; Postgres as its administrator, who sees every service's schema.
        # What dumps and restores is of the same release as the Postgres of this stack; the machine's own may be older.
        own = {"SLUGLINE_PROCESSES": processes, "PG_BIN": str(binaries())}
        lines = {**self.env_of.get("publish", {}), **self.env, **own}
        path.write_text(
            "".join(f"{name}={value}\n" for name, value in lines.items() if name != "PYTHONPATH" and "KEY" not in name)
        )
        return path

    def wait_ready(self, patience_s: float = 60) -> None:
        """Return once /readyz of every service that was started answers 200."""
        for each in self.supervised:
            if each.port:
                each.child.wait_until(each.ready, patience_s)

    def all_ready(self) -> bool:
        """Whether /readyz of every service that was started answers 200 now."""
        return all(each.ready() for each in self.supervised if each.port)

    def look_after(self) -> None:
        """Start again what has ended. A server that ended ends the stack: what it held in memory is gone."""
        for each in self.supervised:
            each.look_after()
        for server in self.servers:
            if server.child is not None and not server.child.running:
                raise NotReady(f"{server.child.name} ended:\n{server.child.tail()}")

    def end(self) -> None:
        """End everything: what takes copy in first, the servers last; nothing is left when this returns."""
        order: dict[str, list[Child]] = {}
        for each in self.supervised:
            order.setdefault(each.child.name.partition("-")[0], []).append(each.child)
        for name in sorted(order, key=_end_position):
            end_all(order[name])
        end_all([server.child for server in self.servers if server.child is not None])


def _end_position(name: str) -> int:
    names = ["replay", "wire", *dict.fromkeys(service.package for service in SERVICES)]
    return names.index(name) if name in names else len(names)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """SIGINT, SIGTERM and SIGHUP raise `Interrupted`, once: the ending that follows is not disturbed by a second one."""

    def interrupt(number: int, _: Any) -> None:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted(signal.Signals(number).name)

    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, interrupt)
    yield


def _closed_mode() -> int:
    """Of a folder that nobody else may look into. Root's Postgres runs as another user, who must pass through."""
    return 0o711 if os.geteuid() == 0 else 0o700


@contextlib.contextmanager
def folder_of(name: str, *, keep: bool) -> Iterator[Path]:
    """`.local/{name}` (LOCAL_FOLDER puts it elsewhere), held by this process alone and closed to other users; without `keep` its
    data is empty at the start and gone at the end."""
    folder = Path(os.environ.get("LOCAL_FOLDER") or ROOT / ".local") / name
    if not folder.parent.exists():
        folder.parent.mkdir(parents=True)
        folder.parent.chmod(_closed_mode())
    folder.mkdir(exist_ok=True)
    folder.chmod(_closed_mode())
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Taken(f"it runs already, out of {folder}") from None
        shutil.rmtree(folder / "logs", ignore_errors=True)
        if not keep:
            shutil.rmtree(folder / "data", ignore_errors=True)
        (folder / "data").mkdir(exist_ok=True)
        (folder / "data").chmod(_closed_mode())
        try:
            yield folder
        finally:
            if not keep:
                shutil.rmtree(folder / "data", ignore_errors=True)


@contextlib.contextmanager
def postgres_folder(folder: Path, *, keep: bool) -> Iterator[Path]:
    """Where Postgres keeps its data: under `folder`, unless this is root and nobody else may enter there."""
    if os.geteuid() != 0 or reachable(folder / "data"):
        yield folder / "data" / "postgres"
        return
    if keep:
        path = Path("/var/tmp") / f"slugline-{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"
        path.mkdir(mode=0o755, exist_ok=True)
        refuse_foreign(path)
        path.chmod(0o755)
        yield path / "postgres"
        return
    with open_folder() as path:
        yield path / "postgres"


def refuse_foreign(folder: Path) -> None:
    """`Taken` unless the folder is one, is this user's, and nobody else may write there: its name can be guessed."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise Taken(f"{folder} is another user's, or others may write there; see what it is and move it away")


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that others may enter but only this user may write to, under a name that nobody can guess; gone afterwards."""
    place = next(
        (each for each in (tempfile.gettempdir(), "/tmp", "/var/tmp") if reachable(Path(each).resolve())), None
    )
    if place is None:
        raise Taken("no folder for temporary files can be entered by others; set TMPDIR")
    with tempfile.TemporaryDirectory(prefix="slugline-", dir=place, ignore_cleanup_errors=True) as temporary:
        path = Path(temporary).resolve()
        path.chmod(0o755)
        yield path


def port_from(setting: str, default: int) -> int:
    """A port that readers or senders use: from the environment, else the default; it must be free."""
    port = int(os.environ.get(setting) or default)
    if listens(port):
        raise Taken(f"port {port} is taken; choose another: {setting}={port + 100} make ...")
    return port
