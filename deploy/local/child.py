"""A child process that never outlives its parent."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class NotReady(RuntimeError):
    """A process ended, or did not answer in time; the message has the end of its log."""


_given: set[int] = set()
"""The kernel gives a port again that nobody listens on yet."""


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on now, and that this process was not given before."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return port


def die_with_parent(number: int = signal.SIGTERM, parent: int | None = None) -> None:
    """Have the kernel send `number` to this process when its parent ends, however it ends (Linux; elsewhere nothing)."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
        if parent is not None and os.getppid() != parent:
            os._exit(1)


@dataclass
class Child:
    """One process: its output is appended to `log`, and it leads a process group, so that its own children end with it."""

    name: str
    command: Sequence[str]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to the environment of this process."""
    user: str | None = None
    end_signal: int = signal.SIGTERM
    """What asks it to end in good order."""
    cwd: Path | None = None
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0

    def start(self) -> None:
        """Start it, again if it has ended. To be called from a thread that lives on: the kernel takes its end for the parent's."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        parent, end_signal = os.getpid(), self.end_signal
        self.started_at = time.monotonic()
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                list(self.command),
                env={**os.environ, **self.env},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=self.cwd,
                user=self.user,
                extra_groups=[] if self.user else None,
                preexec_fn=lambda: die_with_parent(end_signal, parent),  # noqa: PLW1509 -- it makes two system calls
            )

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def wait_for_end(self, patience_s: float) -> None:
        """Return once it has ended well; `NotReady` with the end of its log where it failed, or runs on for too long."""
        assert self.process is not None
        try:
            code = self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise NotReady(f"{self.name} did not end within {patience_s:.0f} s:\n{self.tail()}") from None
        if code != 0:
            raise NotReady(f"{self.name} failed with {code}:\n{self.tail()}")

    def ask_to_end(self) -> None:
        """Send the end signal; nothing happens where it has ended."""
        if self.process is not None and self.running:
            self.process.send_signal(self.end_signal)

    def end(self, patience_s: float = 15.0) -> None:
        """Ask it to end, wait, and kill it with all its children where it does not; returns once it is gone."""
        if self.process is None:
            return
        self.ask_to_end()
        try:
            self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            print(f"{self.name}: did not end within {patience_s:.0f} s, killed", file=sys.stderr)
        self.kill()

    def kill(self) -> None:
        """SIGKILL to it and its children; returns once it is gone."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def tail(self, lines: int = 20) -> str:
        """The end of its log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def wait_until(self, ready: Callable[[], bool], patience_s: float, what: str = "ready") -> None:
        """Return once `ready`; raise `NotReady` if the process ends or time runs out first."""
        deadline = time.monotonic() + patience_s
        while not ready():
            if not self.running:
                code = self.process.returncode if self.process else None
                raise NotReady(f"{self.name} ended with {code} before it was {what}:\n{self.tail()}")
            if time.monotonic() > deadline:
                raise NotReady(f"{self.name} was not {what} within {patience_s:.0f} s:\n{self.tail()}")
            time.sleep(0.03)


@dataclass
class ServerProcess:
    """A server on the loopback interface, and its process once it was started."""

    data: Path
    """Its folder; made where it is not there."""
    log: Path
    port: int = field(default=0, kw_only=True)
    """Chosen at the start where it is 0, and kept from then on."""
    child: Child | None = field(default=None, kw_only=True)

    def prepare(self) -> None:
        """Choose the port, make the folders."""
        self.port = self.port or free_port()
        self.data.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)

    def wait_until(self, ready: Callable[[], bool], patience_s: float) -> None:
        """Return once `ready`; see `Child.wait_until`."""
        assert self.child is not None
        self.child.wait_until(ready, patience_s)


def end_all(children: Sequence[Child], patience_s: float = 15.0) -> None:
    """End several at once: all are asked first, then each is waited for."""
    for child in children:
        child.ask_to_end()
    deadline = time.monotonic() + patience_s
    for child in children:
        child.end(max(0.1, deadline - time.monotonic()))


def listens(port: int) -> bool:
    """Whether something accepts connections on a port of the loopback interface."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
