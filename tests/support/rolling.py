"""Services that are rolled from one release to another behind addresses that stay, and those who must not notice.

An address is a proxy, as a Service of Kubernetes is one: new connections go to the newest replica that is ready, and those
that are open stay with the replica that they have until it ends.
"""

import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

from oracle.observers.seen import Log
from shared.settings import Connections
from support.event_stream import Parser
from support.pipeline import KEYS
from support.processes import Process, Processes
from support.proxy import Proxy
from support.releases import Release

FRONTED = ("ingest-api", "publish-web", "publish-push")
"""What senders, readers and partners connect to."""
LEAVES_AFTER_S = 0.5
"""Between the moment when nobody is sent to a replica any more and its SIGTERM, as preStop has it."""
PACE_S = 0.1


@dataclass
class Rolling:
    """The newest replica of each process, and what stands in front of those that have readers, senders or partners."""

    settings: Connections
    processes: Processes
    env: dict[str, str] = field(default_factory=dict)
    """Settings of all, whatever the release."""
    fronts: dict[str, Proxy] = field(default_factory=dict)
    replicas: dict[str, Process] = field(default_factory=dict)
    took_s: list[tuple[str, float]] = field(default_factory=list)

    async def open(self) -> None:
        """Take the addresses."""
        for name in FRONTED:
            self.fronts[name] = Proxy("127.0.0.1", 0)
            await self.fronts[name].start()

    def url(self, name: str) -> str:
        """The address that stays."""
        return f"http://127.0.0.1:{self.fronts[name].port}"

    def begin(self, name: str, release: Release) -> Process:
        """Start a replica."""
        service, process = name.split("-")
        env = {**self.env, **release.env, "RELEASE": release.name}
        return self.processes.start(self.settings, service, process, python=release.python, **env)

    async def roll(self, name: str, release: Release) -> None:
        """One more replica, of that release; once it is ready it takes what comes, and the one before is asked to go."""
        began, before = time.monotonic(), self.replicas.get(name)
        replica = self.begin(name, release)
        await replica.ready(within_s=90)
        if name in self.fronts:
            self.fronts[name].target_port = replica.port
        self.replicas[name] = replica
        if before is not None:
            await asyncio.sleep(LEAVES_AFTER_S)
            before.child.ask_to_end()
            await asyncio.to_thread(before.child.wait_for_end, 40)
        self.took_s.append((f"{name} to {release.name}", time.monotonic() - began))

    async def close(self) -> None:
        """End all."""
        await asyncio.to_thread(self.processes.end)
        for proxy in self.fronts.values():
            await proxy.cut()


@dataclass
class Watch:
    """Those who must not notice: a wire, readers of every kind, and a partner's webhook."""

    rolling: Rolling
    errors: list[str] = field(default_factory=list)
    """Whatever any of them was refused."""
    accepted: dict[str, list[str]] = field(default_factory=dict)
    """By update, the headlines that were acknowledged, in order."""
    killed: set[str] = field(default_factory=set)
    streams: list[Log] = field(default_factory=list)
    polled: Log = field(default_factory=lambda: Log("poll"))
    told: Log = field(default_factory=lambda: Log("webhooks"))
    asked: Counter[str] = field(default_factory=Counter)
    slowest_s: dict[str, float] = field(default_factory=dict)
    hook_port: int = 0
    _said_all: asyncio.Event = field(default_factory=asyncio.Event)

    async def _ask(
        self, what: str, method: str, url: str, expected: Sequence[int] = (200,), **more: object
    ) -> httpx.Response | None:
        """One request on a connection of its own; another answer, or none, is an error that somebody has seen."""
        began = time.monotonic()
        self.asked[what] += 1
        try:
            async with httpx.AsyncClient(timeout=10, follow_redirects=True) as client:
                answer = await client.request(method, url, **more)  # type: ignore[arg-type]
        except httpx.TransportError as error:
            self.errors.append(f"{what}: {error!r}")
            return None
        self.slowest_s[what] = max(self.slowest_s.get(what, 0.0), time.monotonic() - began)
        if answer.status_code not in expected:
            self.errors.append(f"{what}: {answer.status_code} {answer.text[:300]}")
            return None
        return answer

    async def push(self) -> None:
        """A wire: news, every fourth time a version of what it sent before, now and then a kill."""
        number, ids = 0, dict[str, str]()
        while not self._said_all.is_set():
            number += 1
            guid = f"copy-{number - 2 if number % 4 == 0 else number}"
            update: dict[str, str] = {"guid": guid, "version": str(number), "headline": f"Headline {number}"}
            update["body_html"] = f"<p>What is known by {number}.</p>"
            if kills := number % 25 == 0:
                update = {"guid": f"copy-{number - 7}", "version": str(number), "status": "canceled"}
            answer = await self._ask(
                "push", "POST", self.rolling.url("ingest-api") + "/v1/updates", (202,), json=update,
                headers={"Authorization": f"Bearer {KEYS['wire']}"},
            )  # fmt: skip
            if answer is not None:
                update_id = ids.setdefault(update["guid"], answer.json()["results"][0]["id"])
                if kills:
                    self.killed.add(update_id)
                else:
                    self.accepted.setdefault(update_id, []).append(update["headline"])
            await asyncio.sleep(PACE_S)

    async def follow(self, log: Log) -> None:
        """An open page: the stream, again with the last id wherever it ends."""
        self.streams.append(log)
        while True:
            try:
                await self._connection(log)
            except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
                self.errors.append(f"{log.name}: {error!r}")
                await asyncio.sleep(PACE_S)

    async def _connection(self, log: Log) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(self.rolling.url("publish-web")).port)
        try:
            last = f"Last-Event-ID: {log.last_id}\r\n" if log.seen else ""
            writer.write(f"GET /v1/stream HTTP/1.1\r\nHost: localhost\r\n{last}\r\n".encode())
            async with asyncio.timeout(5):
                head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise ValueError(head)
            log.connections += 1
            parser = Parser()
            while data := await reader.read(1 << 16):
                for event in parser.feed(data):
                    log.add(time.time(), event.event, event.last_event_id, json.loads(event.data))
        finally:
            writer.close()

    async def poll(self) -> None:
        """A page without streams."""
        cursor = "1--1"
        while True:
            url = f"{self.rolling.url('publish-web')}/v1/poll?cursor={cursor}&timeout=2"
            answer = await self._ask("poll", "GET", url)
            if answer is not None:
                told = answer.json()
                for event in told["events"]:
                    self.polled.add(time.time(), event["event"], event["id"], event["data"])
                cursor = told["cursor"]

    async def look(self) -> None:
        """Readers who come: the front page, the API, and the update that came last."""
        web = self.rolling.url("publish-web")
        while True:
            await self._ask("front page", "GET", web + "/")
            newest = await self._ask("API", "GET", web + "/v1/updates?limit=20")
            for each in newest.json()["updates"][:1] if newest else ():
                await self._ask("page of an update", "GET", f"{web}/updates/{each['update_id']}/x", (200, 410))
            await asyncio.sleep(PACE_S)

    async def be_told(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A partner's endpoint, a connection."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                length = int(head.partition("content-length:")[2].partition("\r\n")[0])
                told = json.loads(await reader.readexactly(length))
                self.told.add(time.time(), str(told["type"]).removeprefix("update."), "", told["data"])
                writer.write(b"HTTP/1.1 204 -\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        writer.close()

    async def subscribe(self, key: str) -> None:
        """Have the endpoint told."""
        answer = await self._ask(
            "subscription", "POST", self.rolling.url("publish-push") + "/v1/push/endpoints", (200, 201),
            json={"url": f"http://127.0.0.1:{self.hook_port}/hook"}, headers={"Authorization": f"Bearer {key}"},
        )  # fmt: skip
        assert answer is not None, self.errors

    @contextlib.asynccontextmanager
    async def watching(self, key: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """All of them, while the block runs; what is given ends the wire."""
        server = await asyncio.start_server(self.be_told, "127.0.0.1", 0)
        self.hook_port = server.sockets[0].getsockname()[1]
        await self.subscribe(key)
        wire = asyncio.create_task(self.push())
        readers = [self.follow(Log(f"stream {number}")) for number in (1, 2, 3)]
        tasks = [asyncio.create_task(each) for each in (*readers, self.poll(), self.look())]

        async def end_wire() -> None:
            self._said_all.set()
            await wire

        try:
            yield end_wire
        finally:
            await end_wire()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            server.close()
