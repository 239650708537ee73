"""Slugline's broadcaster and connection code under the addresses of the benchmark: `GET /sse/<feed>`, `POST /pub/<feed>`.

`Last-Event-ID: 0` asks for the last 50 events of the feed, which here becomes the cursor that a reader of then would have.
"""

import asyncio
import re
import socket
import sys
from collections import defaultdict, deque
from typing import Any

from publish.settings import Settings
from publish.web.stream.broadcaster import Broadcaster
from publish.web.stream.event import StreamEvent
from publish.web.stream.http.accept import StreamAcceptor
from publish.web.stream.http.serve import stream_server
from publish.web.stream.limits import StreamLimits
from shared.process import run

BACK = 50


def harness(broadcaster: Broadcaster) -> tuple[Any, type[StreamAcceptor]]:
    """The application that publishes, and the acceptor that knows the benchmark's addresses."""
    offset = 0
    recent: dict[str, deque[int]] = defaultdict(lambda: deque(maxlen=BACK + 1))

    class Harness(StreamAcceptor):
        request = re.compile(rb"GET /sse/(\w+) HTTP/1\.1\r\n")

        def stream(self, connection: socket.socket, peer: str, query: str, fields: bytes) -> None:
            if b"\r\nLast-Event-ID: 0" in fields:
                places = recent[query]
                cursor = places[0] if len(places) > BACK else places[0] - 1 if places else offset
                fields = fields.replace(b"Last-Event-ID: 0", b"Last-Event-ID: 1-%d" % cursor)
            super().stream(connection, peer, f"channels={query}", fields)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal offset
        feed = scope["path"].rpartition("/")[2]
        message = await receive()
        body = message["body"]
        while message["more_body"]:
            message = await receive()
            body += message["body"]
        offset += 1
        recent[feed].append(offset)
        broadcaster.publish([StreamEvent(1, offset, "update", frozenset((feed,)), {"json": body})])
        await send({"type": "http.response.start", "status": 204, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    return app, Harness


async def main(port: int, stop: asyncio.Event) -> None:
    """Serve until the process is told to stop."""
    broadcaster = Broadcaster(StreamLimits(per_address=0, most_connections=18_000))
    broadcaster.begin(1, 0)
    app, acceptor = harness(broadcaster)
    async with stream_server(app, broadcaster, "127.0.0.1", port, acceptor=acceptor):
        await stop.wait()


if __name__ == "__main__":
    run(Settings(), "bench", lambda stop: main(int(sys.argv[1]), stop))
