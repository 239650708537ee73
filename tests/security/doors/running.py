"""The four ports that strangers, senders, desks and partners reach, as processes of their own, and a key of every kind for each."""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from local.child import free_port
from shared.settings import Connections
from support.processes import Process, Processes

PORTS = {
    "ingest": ("ingest", "api"),
    "enrich": ("enrich", "text"),
    "web": ("publish", "web"),
    "push": ("publish", "push"),
}
"""By name: the process."""
SCOPES = {
    "ingest": {"operator": ("operator", "operate")},
    "enrich": {
        "authors": ("desk", "authors"), "stories": ("desk", "stories"), "corrections": ("desk", "corrections"),
        "held": ("desk", "held"), "operator": ("operator", "operate"),
    },
    "publish": {
        "reader": ("partner", "read"), "revisions": ("partner", "revisions"), "search": ("partner", "search"), "webhooks": ("partner", "webhooks"),
        "alerts": ("desk", "alerts"), "operator": ("operator", "operate"),
    },
}  # fmt: skip
"""Of each service the keys that are made: by role, their kind and their one scope."""


@dataclass
class Doors:
    """Where the ports are, the processes behind them, and a key for each role, by port."""

    processes: Mapping[str, Process]
    keys: dict[str, dict[str, str]] = field(default_factory=dict)

    def url(self, port: str) -> str:
        """Its address."""
        return self.processes[port].url

    def described(self, port: str) -> dict[str, Any]:
        """Its OpenAPI document."""
        answer = httpx.get(f"{self.url(port)}/openapi.json", timeout=10)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def roles(self, port: str) -> dict[str, dict[str, str]]:
        """What a request of each role shows: nothing, a key that is none, another service's, and each of this one's."""
        others = {name: keys["operator"] for name, keys in self.keys.items() if name[:2] != port[:2]}
        foreign = next(key for name, key in others.items() if (name in ("web", "push")) != (port in ("web", "push")))
        shown = {"wrong": "slk_" + "x" * 43, "foreign": foreign, **self.keys[port]}
        return {"nobody": {}} | {role: {"Authorization": f"Bearer {key}"} for role, key in shown.items()}


def _made(processes: Processes, settings: Connections, service: str) -> dict[str, str]:
    found = {}
    for role, (kind, scope) in SCOPES[service].items():
        said = processes.run(settings, service, "keys", "add", role, "--kind", kind, "--scope", scope)
        found[role] = str(json.loads(said)["key"])
    return found


@contextlib.asynccontextmanager
async def running(settings: Connections, folder: Path) -> AsyncIterator[Doors]:
    """All four, as compose has them: what is for operators is on a port of its own."""
    processes = Processes(folder / "logs")
    try:
        started = {}
        # Web has no pages before the archive has an epoch.
        processes.start(settings, "publish", "archive")
        for name, (service, process) in PORTS.items():
            # One address attacks here for all.
            more = {
                "INTERNAL_PORT": str(free_port()),
                "HTTP_CONNECTIONS_PER_ADDRESS": "0",
                "PUBLISH_PUSH_ALLOW_PRIVATE": "false",
            }
            started[name] = processes.start(settings, service, process, **more)
        doors = Doors(started)
        doors.keys["ingest"] = _made(processes, settings, "ingest")
        for source, more_options in (("wire", ()), ("desk", ("--desk",))):
            said = processes.run(settings, "ingest", "sources", "add", source, *more_options)
            doors.keys["ingest"][source] = said.strip().splitlines()[-1]
        doors.keys["enrich"] = _made(processes, settings, "enrich")
        doors.keys["web"] = doors.keys["push"] = _made(processes, settings, "publish")
        for process in started.values():
            await process.ready()
        yield doors
    finally:
        processes.end()
