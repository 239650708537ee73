"""Serves an ASGI application within bounds, for as long as a block runs."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Generator

import structlog
import uvicorn
from starlette.types import ASGIApp

from shared.http.server.accept import Acceptor, Take
from shared.http.server.bounds import Bounds
from shared.http.server.connections import OpenConnections
from shared.http.server.listen import listen
from shared.http.server.protocol import BoundedProtocol, bounded
from shared.observability.health import Health, health_app
from shared.settings import Connections

log = structlog.get_logger(__name__)

MakeAcceptor = Callable[[socket.socket, OpenConnections, Take], Acceptor]


class HttpServer(uvicorn.Server):
    """uvicorn with another acceptor, and without its signal handlers: the process has its own, and stops what it started in order."""

    def __init__(self, config: uvicorn.Config, connections: OpenConnections, acceptor: MakeAcceptor = Acceptor) -> None:
        super().__init__(config)
        self._connections = connections
        self._acceptor = acceptor
        self._taking: set[asyncio.Task[tuple[asyncio.Transport, BoundedProtocol]]] = set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, by the acceptor instead of the loop's own server."""
        await self.lifespan.startup()
        self.servers = [
            self._acceptor(each, self._connections, self._take)  # type: ignore[misc]
            for each in sockets or ()
        ]
        self.started = True

    def _take(self, connection: socket.socket, early: bytes) -> None:
        loop = asyncio.get_running_loop()

        def protocol() -> BoundedProtocol:
            made: BoundedProtocol = self.config.http_protocol_class(  # type: ignore[assignment, call-arg]
                config=self.config, server_state=self.server_state, app_state=self.lifespan.state, _loop=loop
            )
            made.early = early
            return made

        task = loop.create_task(loop.connect_accepted_socket(protocol, connection))
        self._taking.add(task)
        task.add_done_callback(self._taken)

    def _taken(self, task: asyncio.Task[tuple[asyncio.Transport, BoundedProtocol]]) -> None:
        self._taking.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.info("connection lost before it was served", error=str(error) or type(error).__name__)


def server_config(app: ASGIApp, protocol: type[BoundedProtocol], bounds: Bounds) -> uvicorn.Config:
    """How uvicorn serves every port: without WebSocket, and without its own idea of proxies, which is `shared.http.proxies`'."""
    return uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        proxy_headers=False,
        timeout_keep_alive=bounds.keep_alive_s,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=10,
    )


@contextlib.asynccontextmanager
async def serving(server: HttpServer, listeners: list[socket.socket]) -> AsyncIterator[None]:
    """Let a server serve while the block runs; entered once it listens."""
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
async def http_server(app: ASGIApp, host: str, port: int, bounds: Bounds | None = None) -> AsyncIterator[HttpServer]:
    """Serve an ASGI app within bounds while the block runs; entered once the port listens."""
    bounds = bounds or Bounds()
    connections = OpenConnections(bounds)
    server = HttpServer(server_config(app, bounded(connections), bounds), connections)
    with connections.watched():
        async with serving(server, listen(host, port)):
            yield server


@contextlib.asynccontextmanager
async def health_server(health: Health, settings: Connections, default_port: int) -> AsyncIterator[None]:
    """The health port of a process that has no other HTTP."""
    port = settings.health_port or default_port
    async with http_server(health_app(health), settings.bind_host, port, Bounds.of(settings)):
        yield
