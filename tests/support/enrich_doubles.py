"""Postgres and Kafka as enrich text sees them, in memory: for tests of its handler without servers."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from types import SimpleNamespace
from typing import Any

from enrich.reference.loader import ReferenceData, ReferenceLoader
from enrich.settings import Settings
from enrich.text.domain.lifecycle import Input
from enrich.text.domain.state import State
from enrich.text.handler import TextHandler
from shared.consumer.decode import Incoming
from shared.kafka.cloudevents import value_of
from shared.messages import Message
from shared.streams import Stream
from support.incoming import NINE


@dataclass
class MemoryPostgres:
    """Keeps the states that are stored; knows no pictures."""

    states: dict[str, bytes] = field(default_factory=dict)
    failure: Exception | None = None
    """Raised by every statement while it is set."""

    def dedicated(self) -> "MemoryPostgres":
        """Itself."""
        return self

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["MemoryPostgres"]:
        """Itself."""
        yield self

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Nothing is undone."""
        yield

    async def fetch(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """The rows of the updates that are asked for, where it asks for such."""
        if self.failure is not None:
            raise self.failure
        if "LEFT JOIN enrich.overrides" not in statement:
            return []
        ids = values[0] if isinstance(values[0], list) else values
        empty = dict.fromkeys(
            ("tags", "story", "story_because", "gathered", "gathered_because", "gathered_label", "families")
        )
        return [{"update_id": each, "state": self.states.get(each), **empty} for each in ids]

    async def execute(self, statement: str, *columns: Any) -> None:
        """Store states."""
        if self.failure is not None:
            raise self.failure
        if "INSERT INTO enrich.updates" in statement:
            self.states |= zip(columns[0], columns[12], strict=True)

    def state(self, update_id: str) -> State:
        """A state that was stored."""
        return State.model_validate_json(self.states[update_id])


@dataclass
class MemoryKafka:
    """Keeps what is sent; acknowledges it at once unless it `holds`."""

    sent: list[tuple[str, Any]] = field(default_factory=list)
    """The stream and the message, or its bytes."""
    keys: list[tuple[str, Any]] = field(default_factory=list)
    """The stream and the key of each."""
    holds: bool = False
    unacknowledged: list["asyncio.Future[object]"] = field(default_factory=list)

    async def send(self, stream: Stream, message: Message, *, key: str, **_: Any) -> "asyncio.Future[object]":
        """Keep a message."""
        self.keys.append((stream.name, key))
        return self._keep(stream, message)

    async def send_bytes(self, stream: Stream, value: bytes, *, key: bytes, **_: Any) -> "asyncio.Future[object]":
        """Keep bytes."""
        self.keys.append((stream.name, key.decode()))
        return self._keep(stream, value)

    async def begin_sending(self) -> None:
        """Nothing waits."""

    def of(self, stream: Stream) -> list[Any]:
        """What was sent to a stream, in order."""
        return [message for name, message in self.sent if name == stream.name]

    def _keep(self, stream: Stream, message: Any) -> "asyncio.Future[object]":
        self.sent.append((stream.name, message))
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        if self.holds:
            self.unacknowledged.append(future)
        else:
            future.set_result(None)
        return future


_offsets = count()


def incoming(*events: Input, key: bytes = b"") -> Sequence[Incoming[Input]]:
    """Events as the consumer hands them over."""
    return [
        Incoming(SimpleNamespace(partition=0, offset=next(_offsets), key=key, headers=(), value=value_of(event)), event)  # type: ignore[arg-type]
        for event in events
    ]


def handler_on(postgres: MemoryPostgres, kafka: MemoryKafka, **settings: Any) -> TextHandler:
    """The handler on doubles, at nine."""
    loader = ReferenceLoader(postgres, None, ReferenceData())  # type: ignore[arg-type]
    return TextHandler(
        pool=postgres,  # type: ignore[arg-type]
        producer=kafka,  # type: ignore[arg-type]
        loader=loader,
        settings=Settings(**settings),
        clock=lambda: NINE,
    )
