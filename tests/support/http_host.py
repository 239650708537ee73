"""A bare HTTP/1.1 server that can misbehave in every way that hosts do."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    path: str
    headers: dict[str, str]


@dataclass
class Answer:
    """What a path answers. `pause_s` goes before each piece of the body."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    length: bool = True
    piece: int = 1 << 20
    pause_s: float = 0.0


Route = Callable[[Asked], Answer | Awaitable[Answer]]


class HttpHost:
    """A bare HTTP/1.1 server on 127.0.0.1 that can misbehave."""

    def __init__(self) -> None:
        self.routes: dict[str, Answer | Route] = {}
        self.asked: list[Asked] = []
        self.at_once = 0
        self.most_at_once = 0
        self.port = 0

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        """The address of a path here."""
        return f"http://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            path = head[0].split(" ")[1]
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:]) if name
            }
            asked = Asked(path, headers)
            self.asked.append(asked)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            try:
                route = self.routes.get(path.partition("?")[0], Answer(404))
                answer = route(asked) if callable(route) else route
                if asyncio.iscoroutine(answer):
                    answer = await answer
                await self._send(writer, answer)
            finally:
                self.at_once -= 1
        writer.close()

    async def _send(self, writer: asyncio.StreamWriter, answer: Answer) -> None:
        headers = {"Connection": "close", **answer.headers}
        if answer.length:
            headers.setdefault("Content-Length", str(len(answer.body)))
        lines = [f"HTTP/1.1 {answer.status} X", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        writer.write("\r\n".join(lines).encode("latin-1"))
        for at in range(0, len(answer.body), answer.piece):
            if answer.pause_s:
                await writer.drain()
                await asyncio.sleep(answer.pause_s)
            writer.write(answer.body[at : at + answer.piece])
            await writer.drain()


@contextlib.asynccontextmanager
async def http_host() -> AsyncIterator[HttpHost]:
    """A host on a port of its own while the block runs."""
    host = HttpHost()
    server = await asyncio.start_server(host.serve, "127.0.0.1", 0)
    host.port = server.sockets[0].getsockname()[1]
    try:
        yield host
    finally:
        server.close()
