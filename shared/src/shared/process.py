"""The life of a process: signals, the tasks that make it up, its HTTP port, and an orderly end."""

import asyncio
import contextlib
import faulthandler
import gc
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator
from typing import Any

import structlog
import uvicorn
import uvloop

from shared.failures import Unanswered
from shared.http.server.accept import Acceptor, Take
from shared.http.server.bounds import Bounds
from shared.http.server.connections import OpenConnections
from shared.http.server.listen import listen, raise_descriptor_limit
from shared.http.server.protocol import BoundedProtocol, bounded
from shared.observability.health import Health, health_app
from shared.observability.logs import configure_logging, configure_tracing
from shared.settings import Connections

log = structlog.get_logger(__name__)


MakeAcceptor = Callable[[socket.socket, OpenConnections, Take], Acceptor]


class HttpServer(uvicorn.Server):
    """uvicorn behind our acceptor, and without its signal handlers: the process has its own, and stops what it started in its own order."""

    def __init__(self, config: uvicorn.Config, connections: OpenConnections, acceptor: MakeAcceptor = Acceptor) -> None:
        super().__init__(config)
        self._connections = connections
        self._acceptor = acceptor
        self._taking: set[asyncio.Task[Any]] = set()

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

    def _taken(self, task: asyncio.Task[Any]) -> None:
        self._taking.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.info("connection lost before it was served", error=str(error) or type(error).__name__)


ENDING_S = 30.0
"""For what is left once the process has ended in order: a thread that never returns must not hold it."""


async def _keep_turning(limit_s: float) -> None:
    """Have this process end, with the stacks of all its threads on stderr, once the loop has not turned for `limit_s`.

    What hangs it may be a message: only a new process can pass it by, and one that hangs is not restarted by everybody
    who runs it (Docker restarts what has ended). Nothing of ours keeps the loop for more than a second or two.
    """
    try:
        while True:
            faulthandler.dump_traceback_later(limit_s, exit=True)
            await asyncio.sleep(limit_s / 6)
    finally:
        faulthandler.dump_traceback_later(max(limit_s, ENDING_S), exit=True)


def run(settings: Connections, name: str, main: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Run `main(stop)` on uvloop until it returns; SIGTERM and SIGINT set `stop`. A loop that hangs ends the process."""

    async def body() -> None:
        folding = configure_logging(settings, name)
        configure_tracing(settings, name)
        raise_descriptor_limit()
        # What is imported stays: looking through it for rings takes tens of milliseconds, which a reader would wait.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        log.info("starting")
        turning = asyncio.create_task(_keep_turning(settings.watchdog_s), name="watchdog")
        printing = asyncio.create_task(folding.keep_printing(), name="folded log lines")
        try:
            await main(stop)
        except Unanswered as error:
            log.warning("stopped before Postgres answered", error=str(error))
        else:
            log.info("stopped")
        finally:
            turning.cancel()
            printing.cancel()
            await asyncio.gather(printing, return_exceptions=True)

    uvloop.run(body())
    faulthandler.cancel_dump_traceback_later()


def server_config(app: Any, protocol: type[BoundedProtocol], bounds: Bounds, **options: Any) -> uvicorn.Config:
    """How uvicorn serves every port of ours.

    It is told of no proxies and speaks no WebSocket: whose request it is, `shared.http.proxies` says, and nobody else.
    """
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
        **options,
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
async def http_server(
    app: Any, host: str, port: int, bounds: Bounds | None = None, **options: Any
) -> AsyncIterator[HttpServer]:
    """Serve an ASGI app within bounds while the block runs; entered once the port listens."""
    bounds = bounds or Bounds()
    connections = OpenConnections(bounds)
    server = HttpServer(server_config(app, bounded(connections), bounds, **options), connections)
    with connections.watched():
        async with serving(server, listen(host, port)):
            yield server


@contextlib.asynccontextmanager
async def health_server(health: Health, settings: Connections, default_port: int) -> AsyncIterator[None]:
    """The health port of a process that has no other HTTP."""
    port = settings.health_port or default_port
    async with http_server(health_app(health), settings.bind_host, port, Bounds.of(settings)):
        yield


async def run_until(stop: asyncio.Event, *tasks: Awaitable[None]) -> None:
    """Run the tasks until `stop`; one that ends before, or fails, ends them all and its error is raised."""
    running = [asyncio.ensure_future(task) for task in tasks]
    stopping = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait([stopping, *running], return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stopping}:
            task.result()
            if not stop.is_set():
                raise RuntimeError("a task of the process ended before its time")
    finally:
        stop.set()
        # More than once: on Python 3.11 `asyncio.wait_for` swallows a cancellation that comes as its future ends.
        while pending := {task for task in (*running, stopping) if not task.done()}:
            for task in pending:
                task.cancel()
            await asyncio.wait(pending, timeout=1)
        await asyncio.gather(*running, stopping, return_exceptions=True)
