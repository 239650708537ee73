"""Services as processes of their own, as they run in production, for flow and failure tests."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from local.child import Child, end_all, free_port
from shared.settings import Connections
from support.waiting import eventually


def environment_of(settings: Connections) -> dict[str, str]:
    """The settings as the environment of a process, without what is at its default: a secret may come as a file."""
    given = settings.model_dump(exclude_defaults=True)
    return {
        name.upper(): value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in given.items()
    }


@dataclass
class Process:
    """One running process of a service."""

    child: Child
    port: int

    @property
    def url(self) -> str:
        """Where its HTTP listens."""
        return f"http://127.0.0.1:{self.port}"

    async def ready(self, within_s: float = 40.0) -> None:
        """Wait until /readyz answers 200."""
        async with httpx.AsyncClient(timeout=2) as client:

            async def look() -> str:
                if not self.child.running:
                    pytest.fail(f"{self.child.name} ended:\n{self.child.tail(40)}")
                try:
                    answer = await client.get(f"{self.url}/readyz")
                except httpx.TransportError as error:
                    return repr(error)
                return "ready" if answer.status_code == 200 else answer.text

            await eventually(look, lambda seen: seen == "ready", within_s=within_s, what=f"{self.child.name} not ready")


@dataclass
class Processes:
    """Starts processes of services on a newsroom and ends them with the test."""

    folder: Path
    running: dict[str, Process] = field(default_factory=dict)

    def start(
        self, settings: Connections, service: str, process: str, *, python: str = sys.executable, **env: str
    ) -> Process:
        """Start `python -m service process`; its HTTP listens on a free port unless `env` says where."""
        variables = environment_of(settings)
        variables |= {"LOG_LEVEL": "info", "LOG_FORMAT": "json"}
        name = f"{service}-{process}"
        own = {"publish-web": "PORT", "ingest-api": "INGEST_PORT"}.get(name, "HEALTH_PORT")
        port = int(env.get(own, 0)) or free_port()
        variables |= {own: str(port), **env}
        number = sum(1 for each in self.running if each.startswith(name))
        key = f"{name}-{number}" if number else name
        child = Child(key, [python, "-m", service, process], self.folder / f"{key}.log", env=variables)
        child.start()
        self.running[key] = Process(child, port)
        return self.running[key]

    def run(self, settings: Connections, *arguments: str, python: str = sys.executable, **env: str) -> str:
        """Run `python -m ...` to its end and return what it printed."""
        variables = environment_of(settings)
        done = subprocess.run(
            [python, "-m", *arguments],
            env={**os.environ, **variables, **env},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def end(self) -> None:
        """End them all."""
        end_all([process.child for process in self.running.values()])

    def logs(self) -> str:
        """The ends of all logs."""
        return "\n".join(f"--- {name}\n{process.child.tail(25)}" for name, process in self.running.items())


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """Processes of this test; the ends of their logs are shown where it fails."""
    started = Processes(tmp_path / "logs")
    yield started
    started.end()
    print(started.logs())
