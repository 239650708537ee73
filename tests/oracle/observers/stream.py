"""Readers of the event stream and of the polls, who go away and come back with their cursor."""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

import httpx

from oracle.observers.seen import Log
from support.event_stream import Parser

STAYS_S = (1.0, 12.0)
CURSOR_NAMES = ("cursor", "lastEventId", "Last-Event-ID")


class StreamReader:
    """Follows `/v1/stream` at whichever replica, leaves at random, and comes back with its last id."""

    def __init__(self, name: str, webs: Sequence[str], seed: int) -> None:
        self.log = Log(name)
        self._webs = webs
        self._random = random.Random(f"{seed}:{name}")

    async def follow(self) -> None:
        """Until cancelled."""
        while True:
            with contextlib.suppress(OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
                await self._connection(self._random.choice(self._webs), self._random.uniform(*STAYS_S))
            await asyncio.sleep(self._random.uniform(0.02, 0.4))

    async def _connection(self, web: str, stays_s: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(web).port)
        try:
            writer.write(self._request())
            async with asyncio.timeout(5):
                head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                return
            self.log.connections += 1
            parser = Parser()
            async with asyncio.timeout(stays_s):
                while data := await reader.read(1 << 16):
                    for event in parser.feed(data):
                        self.log.add(time.time(), event.event, event.last_event_id, json.loads(event.data))
        finally:
            writer.close()

    def _request(self) -> bytes:
        target, header, last = "/v1/stream", "", self.log.last_id
        if last and self._random.random() < 0.5:
            header = f"Last-Event-ID: {last}\r\n"
        elif last:
            target += f"?{self._random.choice(CURSOR_NAMES)}={last}"
        return f"GET {target} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n{header}\r\n".encode()


class Poller:
    """Follows `/v1/poll` or `/v1/since` by the cursor of each answer."""

    def __init__(self, path: str, webs: Sequence[str], seed: int) -> None:
        self.log = Log(path.rpartition("/")[2])
        self.cursor = "1--1"
        self._path = path
        self._webs = webs
        self._random = random.Random(f"{seed}:{path}")

    async def follow(self) -> None:
        """Until cancelled."""
        async with httpx.AsyncClient(timeout=10) as client:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    await self.ask(client)
                if self._path.endswith("since"):
                    await asyncio.sleep(0.3)

    async def ask(self, client: httpx.AsyncClient) -> bool:
        """One question; whether there is more."""
        query = {"cursor": self.cursor, "limit": str(self._random.randint(1, 60))}
        if self._path.endswith("poll"):
            query["timeout"] = "2"
        answer = await client.get(self._random.choice(self._webs) + self._path, params=query)
        if answer.status_code != 200:
            await asyncio.sleep(0.2)
            return True
        self.log.connections += 1
        told = answer.json()
        for event in told["events"]:
            self.log.add(time.time(), event["event"], event["id"], event["data"])
        self.cursor = told["cursor"]
        return bool(told["more"])
