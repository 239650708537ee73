"""The four ports that strangers, senders, desks and partners reach, as processes of their own, and a key of every kind for each."""

import asyncio
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
    "enrich": {
        "authors": ("desk", "authors"), "stories": ("desk", "stories"), "corrections": ("desk", "corrections"), "held": ("desk", "held"),
    },
    "publish": {
        "reader": ("partner", "read"), "revisions": ("partner", "revisions"), "search": ("partner", "search"), "webhooks": ("partner", "webhooks"),
        "alerts": ("desk", "alerts"),
    },
}  # fmt: skip
"""Of each service the keys that are made beside an operator's: by role, their kind and their one scope."""


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
        foreign = self.keys["ingest" if port in ("web", "push") else "push"]["operator"]
        shown = {"wrong": "slk_" + "x" * 43, "foreign": foreign, **self.keys[port]}
        return {"nobody": {}} | {role: {"Authorization": f"Bearer {key}"} for role, key in shown.items()}


def _operator(processes: Processes, settings: Connections, service: str) -> str:
    said = processes.run(settings, service, "keys", "add", "operator", "--kind", "operator", "--scope", "operate")
    return str(json.loads(said)["key"])


async def _made(url: str, operator: str, scopes: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """A key for each role, made on the port as an operator makes them."""
    found = {"operator": operator}
    async with httpx.AsyncClient(base_url=url, timeout=20, headers={"Authorization": f"Bearer {operator}"}) as client:
        for role, (kind, scope) in scopes.items():
            answer = await client.post("/v1/keys", json={"holder": role, "kind": kind, "scopes": [scope]})
            assert answer.status_code == 201, answer.text
            found[role] = str(answer.json()["key"])
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
        operators = {
            service: await asyncio.to_thread(_operator, processes, settings, service)
            for service in ("ingest", "enrich", "publish")
        }
        sources = {}
        for source, more_options in (("wire", ()), ("desk", ("--desk",))):
            said = await asyncio.to_thread(processes.run, settings, "ingest", "sources", "add", source, *more_options)
            sources[source] = said.strip().splitlines()[-1]
        for process in started.values():
            await process.ready()
        doors.keys["ingest"] = {"operator": operators["ingest"], **sources}
        doors.keys["enrich"] = await _made(doors.url("enrich"), operators["enrich"], SCOPES["enrich"])
        doors.keys["web"] = doors.keys["push"] = await _made(doors.url("push"), operators["publish"], SCOPES["publish"])
        yield doors
    finally:
        processes.end()
