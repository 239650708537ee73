"""A reader as a browser is one: the WHATWG parser of event streams, and a plain socket that asks for one."""

import asyncio
import re
import socket
import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Event:
    """One event as it is dispatched."""

    event: str
    data: str
    last_event_id: str


class Parser:
    """WHATWG HTML, section 9.2.6: bytes in, events out."""

    def __init__(self) -> None:
        self.last_event_id = ""
        self.retry: int | None = None
        self.comments: list[str] = []
        self._bytes = b""
        self._first = True
        self._data: list[str] = []
        self._event = ""
        self._id = ""

    def feed(self, data: bytes, *, end: bool = False) -> list[Event]:
        """Take in more of the stream; what is cut off at its end is not an event."""
        self._bytes += data
        events: list[Event] = []
        while True:
            if self._first and (len(self._bytes) >= 3 or end):
                self._bytes = self._bytes.removeprefix(b"\xef\xbb\xbf")
                self._first = False
            if self._first:
                return events
            found = re.search(rb"\r\n|\n|\r", self._bytes)
            if found is None or (found[0] == b"\r" and found.end() == len(self._bytes) and not end):
                return events
            line = self._bytes[: found.start()].decode("utf-8", "replace")
            self._bytes = self._bytes[found.end() :]
            event = self._line(line)
            if event is not None:
                events.append(event)

    def _line(self, line: str) -> Event | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not name:
            self.comments.append(value)
        elif name == "event":
            self._event = value
        elif name == "data":
            self._data.append(value)
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry = int(value)
        return None

    def _dispatch(self) -> Event | None:
        self.last_event_id = self._id
        data, event = self._data, self._event
        self._data, self._event = [], ""
        if not data:
            return None
        return Event(event or "message", "\n".join(data), self.last_event_id)


@dataclass
class Reader:
    """A connection to a stream; what it has received so far, parsed."""

    socket: socket.socket
    head: bytes = b""
    raw: bytes = b""
    events: list[Event] = field(default_factory=list)
    parser: Parser = field(default_factory=Parser)
    ended: bool = False

    @classmethod
    def ask(cls, port: int, target: str = "/v1/stream", *, version: str = "1.1", fields: str = "") -> "Reader":
        """Send a request; the answer is read later."""
        connection = socket.create_connection(("127.0.0.1", port), 5)
        connection.sendall(f"GET {target} HTTP/{version}\r\nHost: localhost\r\n{fields}\r\n".encode())
        return cls(connection)

    def take(self) -> None:
        """Read what there is."""
        self.socket.setblocking(False)
        try:
            while data := self.socket.recv(1 << 20):
                self.receive(data)
            self.ended = True
        except BlockingIOError:
            return
        except ConnectionError:
            self.ended = True

    def receive(self, data: bytes) -> None:
        """Take in bytes of the answer."""
        self.raw += data
        if not self.head:
            self.head, separator, body = self.raw.partition(b"\r\n\r\n")
            if not separator:
                self.head = b""
                return
            data = body
        self.events.extend(self.parser.feed(data))

    async def until(self, condition: object, deadline_s: float = 30.0) -> None:
        """Read until the condition holds."""
        ends = time.monotonic() + deadline_s
        while True:
            self.take()
            if condition(self):  # type: ignore[operator]
                return
            if time.monotonic() > ends:
                raise AssertionError(f"not within {deadline_s} s; head {self.head!r}, events {self.events[-5:]}")
            await asyncio.sleep(0.005)

    async def count(self, number: int) -> list[Event]:
        """The events, once there are so many."""
        await self.until(lambda reader: len(reader.events) >= number)
        return self.events

    async def end(self) -> None:
        """Wait until the other side has closed."""
        await self.until(lambda reader: reader.ended)

    @property
    def status(self) -> int:
        """The answer's status; 0 while there is none."""
        return int(self.head.split()[1]) if self.head else 0

    @property
    def ids(self) -> list[str]:
        """The ids of the events received."""
        return [event.last_event_id for event in self.events]

    def close(self) -> None:
        """Go away."""
        self.socket.close()
