"""Those who are told by push: a server that takes webhooks and WebSub's content, and refuses some of it at random."""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import httpx

from oracle.attachments import picture
from oracle.newsroom import Newsroom, push_key
from oracle.observers.seen import Log

REFUSED = 0.03
"""Of the deliveries; they are to come again."""


class Recipients:
    """One address for webhooks, one for WebSub."""

    def __init__(self, seed: int) -> None:
        self.webhooks = Log("webhooks")
        self.feed: dict[str, object] = {}
        """The feed as WebSub last brought it."""
        self.feeds = 0
        self.port = 0
        self._random = random.Random(f"{seed}:recipients")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, request after request."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ValueError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, target, _ = head[0].split(" ")
                fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
                body = await reader.readexactly(int(fields.get("content-length", 0)))
                status, answer = self._take(method, target, fields, body)
                writer.write(f"HTTP/1.1 {status} -\r\nContent-Length: {len(answer)}\r\n\r\n".encode() + answer)
                await writer.drain()
        writer.close()

    def _take(self, method: str, target: str, fields: dict[str, str], body: bytes) -> tuple[int, bytes]:
        if method == "GET" and target.startswith("/pictures/"):
            return 200, picture(target)
        if method == "GET":
            return 200, parse_qs(urlsplit(target).query).get("hub.challenge", [""])[0].encode()
        if self._random.random() < REFUSED:
            return 503, b""
        told = json.loads(body)
        if target.startswith("/hook"):
            self.webhooks.add(time.time(), str(told["type"]).removeprefix("update."), "", told["data"])
        else:
            self.feed, self.feeds = told, self.feeds + 1
        return 204, b""


@contextlib.asynccontextmanager
async def recipients(newsroom: Newsroom, seed: int) -> AsyncIterator[Recipients]:
    """Recipients that are subscribed, while the block runs."""
    own = Recipients(seed)
    server = await asyncio.start_server(own.serve, "127.0.0.1", 0)
    own.port = server.sockets[0].getsockname()[1]
    push = newsroom.worker("publish-push").url
    key = await asyncio.to_thread(push_key, newsroom)
    async with httpx.AsyncClient(timeout=10) as client:
        answer = await client.post(
            f"{push}/v1/push/endpoints",
            json={"url": f"http://127.0.0.1:{own.port}/hook"},
            headers={"Authorization": f"Bearer {key}"},
        )
        answer.raise_for_status()
        form = {
            "hub.mode": "subscribe", "hub.topic": f"{newsroom.webs[0]}/feeds/news.json",
            "hub.callback": f"http://127.0.0.1:{own.port}/feed",
        }  # fmt: skip
        (await client.post(f"{push}/websub", data=form)).raise_for_status()
    try:
        yield own
    finally:
        server.close()
