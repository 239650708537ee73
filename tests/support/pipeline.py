"""The whole pipeline as processes, seen from outside: a sender who posts, and a reader of pages, API and stream."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from shared.settings import Connections
from support.processes import Process, Processes
from support.waiting import eventually

SERVICES = (
    ("ingest", "api"),
    ("enrich", "text"),
    ("enrich", "gather"),
    ("publish", "archive"),
    ("publish", "cache"),
    ("publish", "web"),
)
SOURCES = """
[[source]]
name = "desk"
desk = true
key_env = "DESK_KEY"

[[source]]
name = "wire"
key_env = "WIRE_KEY"
"""
KEYS = {"desk": "desk-key-of-the-tests", "wire": "wire-key-of-the-tests"}


@dataclass
class Event:
    """One event of the stream."""

    kind: str
    id: str
    data: dict[str, Any]


@dataclass
class Stream:
    """What a reader of the stream has seen so far."""

    events: list[Event] = field(default_factory=list)
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the server, or its death, ended it."""

    async def until(self, update_id: str, *kinds: str, within_s: float = 20) -> Event:
        """The first event of those kinds about an update."""

        def found() -> Event | None:
            return next((e for e in self.events if e.kind in kinds and e.data.get("update_id") == update_id), None)

        event = await eventually(found, within_s=within_s, what=f"no {kinds} of {update_id}: {self.kinds()}")
        assert event is not None
        return event

    def kinds(self) -> list[tuple[str, Any]]:
        """What came, in short."""
        return [(event.kind, event.data.get("update_id")) for event in self.events]


@dataclass
class Pipeline:
    """A running newsroom."""

    settings: Connections
    processes: Processes
    named: dict[str, Process]

    @property
    def web(self) -> str:
        """Address of publish web."""
        return self.named["publish-web"].url

    @property
    def ingest(self) -> str:
        """Address of ingest api."""
        return self.named["ingest-api"].url

    async def post(self, *updates: dict[str, Any], source: str = "desk") -> httpx.Response:
        """Push native updates as a source does."""
        body = json.dumps(updates[0] if len(updates) == 1 else list(updates))
        return await self.push("/v1/updates", body.encode(), "application/json", source=source)

    async def push(self, path: str, body: bytes, content_type: str, *, source: str = "desk") -> httpx.Response:
        """Push bytes."""
        headers = {"Authorization": f"Bearer {KEYS[source]}", "Content-Type": content_type}
        async with httpx.AsyncClient(timeout=10) as client:
            return await client.post(self.ingest + path, content=body, headers=headers)

    async def accepted(self, **update: Any) -> str:
        """Push one update, which must be accepted: its id."""
        answer = await self.post(update)
        assert answer.status_code == 202, answer.text
        update_id: str = answer.json()["results"][0]["id"]
        return update_id

    async def get(self, path: str) -> httpx.Response:
        """What a reader is answered."""
        async with httpx.AsyncClient(timeout=10, follow_redirects=True) as client:
            return await client.get(self.web + path)

    async def visible(self, update_id: str, headline: str, within_s: float = 20) -> dict[str, Any]:
        """The update as the API tells it, once it has that headline."""

        async def look() -> dict[str, Any]:
            answer = await self.get(f"/v1/updates/{update_id}")
            found: dict[str, Any] = answer.json()
            return found

        return await eventually(
            look, lambda seen: seen.get("headline") == headline, within_s=within_s, what=f"{headline!r} not visible"
        )

    async def state_of(self, update_id: str) -> dict[str, Any]:
        """What the sender is told of an item."""
        async with httpx.AsyncClient(timeout=10) as client:
            answer = await client.get(
                f"{self.ingest}/v1/items/{update_id}", headers={"Authorization": f"Bearer {KEYS['desk']}"}
            )
            found: dict[str, Any] = answer.json()
            return found

    @asynccontextmanager
    async def stream(
        self, query: str = "", *, last_event_id: str = "", into: list[Event] | None = None
    ) -> AsyncIterator[Stream]:
        """Read the stream while the block runs, events added to `into`; entered once it is open."""
        seen = Stream() if into is None else Stream(into)
        task = asyncio.create_task(self._read(seen, query, last_event_id))
        task.add_done_callback(lambda _: seen.ended.set())
        try:
            await asyncio.wait([asyncio.create_task(seen.opened.wait()), task], return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
            yield seen
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _read(self, seen: Stream, query: str, last_event_id: str) -> None:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_event_id} if last_event_id else {})
        timeout = httpx.Timeout(10, read=60)
        async with (
            httpx.AsyncClient(timeout=timeout) as client,
            client.stream("GET", f"{self.web}/v1/stream{query}", headers=headers) as answer,
        ):
            assert answer.status_code == 200, answer.status_code
            seen.opened.set()
            kind, event_id, data = "", "", []
            async for line in answer.aiter_lines():
                if not line:
                    if data:
                        seen.events.append(Event(kind, event_id, json.loads("\n".join(data))))
                    kind, data = "", []
                    continue
                name, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if name == "event":
                    kind = value
                elif name == "id":
                    event_id = value
                elif name == "data":
                    data.append(value)


def register_sources(
    processes: Processes, settings: Connections, folder: Path, *, python: str = sys.executable, **env: str
) -> None:
    """Make the sources of the tests known to ingest, which may be another release's."""
    path = folder / "sources.toml"
    path.write_text(SOURCES)
    keys = {f"{name.upper()}_KEY": key for name, key in KEYS.items()}
    processes.run(settings, "ingest", "sources", "apply", str(path), python=python, **keys, **env)


@asynccontextmanager
async def started(
    settings: Connections, processes: Processes, folder: Path, services: Sequence[tuple[str, str]] = SERVICES
) -> AsyncIterator[Pipeline]:
    """The pipeline, ready, with its sources; ended with the block."""
    named = {f"{service}-{process}": processes.start(settings, service, process) for service, process in services}
    try:
        # In a thread: what the service talks to may be served by this event loop.
        await asyncio.to_thread(register_sources, processes, settings, folder)
        for process in named.values():
            await process.ready()
        yield Pipeline(settings, processes, named)
    finally:
        processes.end()
        if os.environ.get("SHOW_LOGS"):
            print(processes.logs())
