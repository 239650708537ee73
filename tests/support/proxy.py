"""A TCP proxy that a test can cut or freeze: what a network does to a connection between a service and a server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Proxy:
    """Passes bytes between clients of `port` and the server behind it, until told otherwise."""

    host: str
    target_port: int
    port: int = 0
    _server: asyncio.Server | None = None
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    linger_s: float = 0.0
    """How much later a client learns that the server has ended its connection than what the server said last."""

    async def start(self) -> None:
        """Listen, on the same port as before where there was one."""
        self._open.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    @property
    def connections(self) -> int:
        """How many it passes bytes of."""
        return len(self._tasks)

    async def cut(self) -> None:
        """Close every connection and refuse new ones."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def freeze(self) -> None:
        """Keep every connection open, accept new ones, and pass nothing."""
        self._open.clear()

    def thaw(self) -> None:
        """Pass what was held back."""
        self._open.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection(self.host, self.target_port)
            with contextlib.closing(upstream_writer):
                pumps = [
                    asyncio.create_task(self._pump(reader, upstream_writer)),
                    asyncio.create_task(self._pump(upstream_reader, writer)),
                ]
                try:
                    await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
                    if pumps[1].done() and self.linger_s:
                        await asyncio.wait(pumps[:1], timeout=self.linger_s)
                finally:
                    for pump in pumps:
                        pump.cancel()
                    await asyncio.gather(*pumps, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                await self._open.wait()
                writer.write(data)
                if not self.linger_s:
                    await writer.drain()


@asynccontextmanager
async def proxied(host: str, port: int, *, linger_s: float = 0.0) -> AsyncIterator[Proxy]:
    """A proxy to a server while the block runs."""
    proxy = Proxy(host, port, linger_s=linger_s)
    await proxy.start()
    try:
        yield proxy
    finally:
        proxy.thaw()
        await proxy.cut()
