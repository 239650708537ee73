"""Bare ASGI app with hand-rolled broadcast of one shared, already encoded bytes object.

FANOUT=wake    each client task waits on its feed's future and sends what it has not yet
               seen (a cursor into the shared log, so a late client coalesces by itself)
FANOUT=direct  the publisher steps every client's send() itself; a client's own task only
               waits for the disconnect
"""

import asyncio
import os
from collections import defaultdict

DIRECT = os.environ.get("FANOUT", "wake") == "direct"
KEEP = 50
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")],
}
NO_CONTENT = {"type": "http.response.start", "status": 204, "headers": [(b"content-length", b"0")]}
END = {"type": "http.response.body", "body": b""}


class Feed:
    __slots__ = ("base", "last", "log", "sends", "wake")

    def __init__(self):
        self.log: list[bytes] = []
        self.base = 0  # sequence number of log[0]
        self.last = 0
        self.wake = asyncio.get_running_loop().create_future()
        self.sends: dict = {}

    def frame(self, data: bytes) -> bytes:
        self.last += 1
        frame = b"id: %d\nevent: update\ndata: %b\n\n" % (self.last, data)
        self.log.append(frame)
        if len(self.log) > 4096:
            drop = len(self.log) - 2048
            del self.log[:drop]
            self.base += drop
        return frame

    def recent(self, n=KEEP) -> bytes:
        return b"".join(self.log[-n:])


feeds: dict[str, Feed] = defaultdict(Feed)


def broadcast(feed: Feed, message: dict) -> None:
    for key, send in list(feed.sends.items()):
        coro = send(message)
        try:
            coro.send(None)
        except StopIteration:
            continue
        except Exception:  # noqa: BLE001 -- whatever a client fails with, it is dropped
            feed.sends.pop(key, None)
            continue
        # Paused by the transport: this client is slow, drop it rather than queue for it.
        coro.close()
        feed.sends.pop(key, None)


async def serve_direct(feed, receive, send):
    key = object()
    feed.sends[key] = send
    try:
        while (await receive())["type"] != "http.disconnect":
            pass
    finally:
        feed.sends.pop(key, None)


async def serve_wake(feed, receive, send):
    async def gone():
        while (await receive())["type"] != "http.disconnect":
            pass
        task.cancel()

    async def pump():
        cursor = feed.base + len(feed.log)
        while True:
            if cursor == feed.base + len(feed.log):
                await feed.wake
            new = feed.log[max(0, cursor - feed.base) :]
            cursor = feed.base + len(feed.log)
            await send(
                {"type": "http.response.body", "body": new[0] if len(new) == 1 else b"".join(new), "more_body": True}
            )

    task = asyncio.ensure_future(pump())
    watch = asyncio.ensure_future(gone())
    try:
        await task
    except asyncio.CancelledError:
        pass
    finally:
        watch.cancel()


async def app(scope, receive, send):
    if scope["type"] != "http":
        if scope["type"] == "lifespan":
            while True:
                kind = (await receive())["type"]
                await send({"type": kind + ".complete"})
                if kind == "lifespan.shutdown":
                    return
        return
    path = scope["path"]
    feed = feeds[path[5:]]
    if path.startswith("/sse/"):
        await send(START)
        first = b": ok\n\n"
        if any(k == b"last-event-id" for k, _ in scope["headers"]):
            first += feed.recent()
        await send({"type": "http.response.body", "body": first, "more_body": True})
        await (serve_direct if DIRECT else serve_wake)(feed, receive, send)
        return
    body = b""
    while True:
        msg = await receive()
        body += msg.get("body", b"")
        if not msg.get("more_body"):
            break
    frame = feed.frame(body)
    if DIRECT:
        broadcast(feed, {"type": "http.response.body", "body": frame, "more_body": True})
    else:
        wake, feed.wake = feed.wake, asyncio.get_running_loop().create_future()
        wake.set_result(None)
    await send(NO_CONTENT)
    await send(END)
