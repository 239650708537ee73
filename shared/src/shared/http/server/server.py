"""uvicorn, behind our acceptor and within limits."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Generator

import structlog
import uvicorn
from starlette.types import ASGIApp

from shared.http.server.acceptor import Acceptor, Serve
from shared.http.server.connections import OpenConnections
from shared.http.server.limits import ServerLimits
from shared.http.server.protocol import LimitedProtocol, protocol_for
from shared.http.server.sockets import listen

log = structlog.get_logger(__name__)

MakeAcceptor = Callable[[socket.socket, OpenConnections, Serve], Acceptor]


class HttpServer(uvicorn.Server):
    """uvicorn behind our acceptor and without its signal handlers: the process stops its parts in its own order."""

    def __init__(self, config: uvicorn.Config, connections: OpenConnections, acceptor: MakeAcceptor = Acceptor) -> None:
        super().__init__(config)
        self._connections = connections
        self._acceptor = acceptor
        self._connecting: set[asyncio.Task[object]] = set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen with the acceptor instead of the loop's own server."""
        await self.lifespan.startup()
        self.servers = [
            self._acceptor(each, self._connections, self._serve_connection)  # type: ignore[misc]
            for each in sockets or ()
        ]
        self.started = True

    def _serve_connection(self, connection: socket.socket, early: bytes) -> None:
        loop = asyncio.get_running_loop()

        def protocol() -> LimitedProtocol:
            made: LimitedProtocol = self.config.http_protocol_class(  # type: ignore[assignment, call-arg]
                config=self.config, server_state=self.server_state, app_state=self.lifespan.state, _loop=loop
            )
            made.early = early
            return made

        task = loop.create_task(loop.connect_accepted_socket(protocol, connection))
        self._connecting.add(task)
        task.add_done_callback(self._on_connected)

    def _on_connected(self, task: asyncio.Task[object]) -> None:
        self._connecting.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.info("connection lost before it was served", error=str(error) or type(error).__name__)


def server_config(app: ASGIApp, protocol: type[LimitedProtocol], limits: ServerLimits) -> uvicorn.Config:
    """How uvicorn serves all our ports.

    It trusts no proxies and speaks no WebSocket: `shared.http.proxies` alone tells whose request it is.
    """
    return uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        proxy_headers=False,
        timeout_keep_alive=limits.keep_alive_s,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=10,
    )


@contextlib.asynccontextmanager
async def serving(server: HttpServer, listeners: list[socket.socket]) -> AsyncIterator[None]:
    """Serve while the block runs; entered once the server listens."""
    port = listeners[0].getsockname()[1]
    task = asyncio.create_task(server.serve(listeners), name=f"http:{port}")
    try:
        while not server.started:
            if task.done():
                task.result()
                raise OSError(f"port {port} cannot be served")
            await asyncio.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        await task


@contextlib.asynccontextmanager
async def http_server(
    app: ASGIApp, host: str, port: int, limits: ServerLimits | None = None
) -> AsyncIterator[HttpServer]:
    """Serve an ASGI app within limits while the block runs; entered once the port listens."""
    limits = limits or ServerLimits()
    connections = OpenConnections(limits)
    server = HttpServer(server_config(app, protocol_for(connections), limits), connections)
    with connections.enforced():
        async with serving(server, listen(host, port)):
            yield server
