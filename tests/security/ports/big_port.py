"""A port as ours are, with one large answer of its own for each reader: `python -m security.ports.big_port http|stream PORT`."""

import asyncio
import sys
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publish.web.stream.broadcaster import Broadcaster
from publish.web.stream.http.serve import stream_server
from shared.http.routing import application
from shared.http.server.limits import ServerLimits
from shared.http.server.server import http_server
from shared.observability.health import Health, health_routes
from shared.process import run
from shared.settings import Connections

BIG = b"x" * 4_000_000


async def main(kind: str, port: int, stop: asyncio.Event) -> None:
    """Serve until told to stop."""

    async def big(_: Request) -> Response:
        return Response(BIG + b"!")

    app: Any = application([Route("/big", big), *health_routes(Health("big"))])
    limits = ServerLimits(connections=4000)
    server: Any = (
        http_server(app, "127.0.0.1", port, limits)
        if kind == "http"
        else stream_server(app, Broadcaster(), "127.0.0.1", port, limits)
    )
    async with server:
        await stop.wait()


if __name__ == "__main__":
    run(Connections(), "big", lambda stop: main(sys.argv[1], int(sys.argv[2]), stop))
