"""A client that sends what it likes: bytes as they are, in pieces, and does not read unless it is told to."""

import asyncio
import json
import socket
import time
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What came until the connection ended, or until `read` had enough."""

    raw: bytes
    ended: bool

    @property
    def status(self) -> int:
        """The status of the first answer; 0 where none came."""
        return int(self.raw.split(b" ", 2)[1]) if self.raw.startswith(b"HTTP/") else 0

    @property
    def fields(self) -> dict[str, str]:
        """Its header fields, names in lower case."""
        lines = self.raw.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
        return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    @property
    def problem(self) -> dict[str, Any]:
        """The body as problem+json."""
        assert self.fields.get("content-type") == "application/problem+json", self.raw[:300]
        return dict(json.loads(self.raw.partition(b"\r\n\r\n")[2]))


class Client:
    """One connection."""

    def __init__(self, port: int, *, receive_bytes: int = 0) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.settimeout(10)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def send(self, data: bytes) -> None:
        """Send bytes; OSError once the other side has ended the connection."""
        await asyncio.wait_for(asyncio.get_running_loop().sock_sendall(self.socket, data), 20)

    async def read(self, within_s: float = 20.0, until: bytes = b"") -> Answer:
        """What comes until the connection ends, or `until` has come; fails where neither happens in time."""
        loop = asyncio.get_running_loop()
        got = bytearray()
        async with asyncio.timeout(within_s):
            while not (until and until in got):
                try:
                    piece = await loop.sock_recv(self.socket, 65536)
                except ConnectionError:
                    piece = b""
                if not piece:
                    return Answer(bytes(got), ended=True)
                got += piece
        return Answer(bytes(got), ended=False)

    async def ask(self, data: bytes, within_s: float = 20.0) -> Answer:
        """Send and read to the end of the connection."""
        await self.send(data)
        return await self.read(within_s)

    async def drip(self, data: bytes, pause_s: float, within_s: float = 20.0) -> float:
        """Send byte by byte until the other side ends it; after how many seconds that was."""
        begun = time.monotonic()
        for byte in data:
            try:
                await self.send(bytes([byte]))
                await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.socket, 65536), pause_s)
            except TimeoutError:
                pass
            except OSError:
                return time.monotonic() - begun
            else:
                return time.monotonic() - begun
            if time.monotonic() - begun > within_s:
                break
        raise AssertionError(f"still open after {time.monotonic() - begun:.1f} s")

    def close(self) -> None:
        """End it."""
        self.socket.close()


def get(path: str = "/", *fields: str) -> bytes:
    """A request without a body."""
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: here.example", *fields, "", ""]).encode("latin-1")
