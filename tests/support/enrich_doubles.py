"""Postgres and Kafka as enrich text sees them, in memory: for tests of its handler without servers."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition
from aiokafka.structs import RecordMetadata

from enrich.reference.loader import ReferenceData, ReferenceLoader
from enrich.settings import Settings
from enrich.text.domain.lifecycle import Input
from enrich.text.domain.state import State
from enrich.text.handler import TextHandler
from enrich.text.published.follower import LogFollower
from enrich.text.published.records import PublishedRecord, published_record
from enrich.text.published.recovery import Recovery
from shared.consumer.decode import Incoming
from shared.kafka.cloudevents import value_of
from shared.messages import Message
from shared.streams import ENRICHED, Stream
from support.incoming import NINE


@dataclass
class MemoryPostgres:
    """Keeps the states that are stored; knows no pictures."""

    states: dict[str, bytes] = field(default_factory=dict)
    places: dict[int, int] = field(default_factory=dict)
    """Settled places, by partition of updates.raw."""
    failure: Exception | None = None
    """Raised by every statement while it is set."""
    no_pictures: Exception | None = None
    """Raised by what asks for pictures while it is set."""

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
        """The rows of the updates that are asked for, where it asks for such; what a statement stores."""
        if self.failure is not None:
            raise self.failure
        if self.no_pictures is not None and "enrich.media_references" in statement:
            raise self.no_pictures
        if "INSERT INTO enrich.updates" in statement:
            return self._store(values)
        if "FROM enrich.settled" in statement:
            return [{"partition": each, "place": self.places[each]} for each in values[0] if each in self.places]
        if "revision FROM enrich.updates" in statement:
            known = [each for each in values[0] if each in self.states]
            return [{"update_id": each, "revision": self.state(each).revision} for each in known]
        if "LEFT JOIN enrich.overrides" not in statement:
            return []
        ids = values[0] if isinstance(values[0], list) else values
        empty = dict.fromkeys(
            (
                "tags",
                "story",
                "story_because",
                "gathered",
                "gathered_because",
                "gathered_label",
                "gathered_is_sure",
                "families",
            )
        )
        return [{"update_id": each, "state": self.states.get(each), **empty} for each in ids]

    async def execute(self, statement: str, *values: Any) -> None:
        """Settled places."""
        if self.failure is not None:
            raise self.failure
        if "INSERT INTO enrich.settled" in statement:
            self.places |= dict.fromkeys(values[0], values[1])

    def _store(self, columns: Sequence[Any]) -> list[dict[str, Any]]:
        """Compare and swap on the turn, all or none; the test's own `states` count as turn 0 where they say none."""
        rows = list(zip(columns[0], columns[12], columns[-1], strict=True))
        written = [row for row in rows if (self.state(row[0]).state_version if row[0] in self.states else 0) == row[2]]
        if len(written) == len(rows):
            self.states |= {update_id: state for update_id, state, _ in rows}
        return [{"update_id": update_id} for update_id, _, _ in written]

    def state(self, update_id: str) -> State:
        """A state that was stored."""
        return State.model_validate_json(self.states[update_id])


@dataclass
class MemoryKafka:
    """Keeps what is sent; acknowledges it at once unless it `holds`. It has one log, `updates.enriched`."""

    sent: list[tuple[str, Any]] = field(default_factory=list)
    """The stream and the message, or its bytes."""
    keys: list[tuple[str, Any]] = field(default_factory=list)
    """The stream and the key of each."""
    holds: bool = False
    unacknowledged: list["asyncio.Future[object]"] = field(default_factory=list)
    log: list[Any] = field(default_factory=list)
    """The records of `updates.enriched`."""
    followers: list[LogFollower] = field(default_factory=list)
    _held: list[tuple["asyncio.Future[object]", RecordMetadata]] = field(default_factory=list)

    async def send(self, stream: Stream, message: Message, *, key: str, **_: Any) -> "asyncio.Future[object]":
        """Keep a message."""
        self.keys.append((stream.name, key))
        return self._keep(stream, message, 0)

    async def send_bytes(
        self, stream: Stream, value: bytes, *, key: bytes, headers: Any = (), **_: Any
    ) -> "asyncio.Future[object]":
        """Keep bytes."""
        self.keys.append((stream.name, key.decode()))
        offset = len(self.log)
        if stream == ENRICHED:
            self.log.append(SimpleNamespace(offset=offset, key=key, value=value, headers=tuple(headers)))
            for follower in self.followers:
                follower.take(self.log[-1:])
        return self._keep(stream, value, offset)

    def partition_of(self, _: Stream, key: bytes) -> int:
        """Sources are in partition 7; all else is where it says."""
        return 7

    async def begin_sending(self) -> None:
        """Nothing waits."""

    def acknowledge(self) -> None:
        """What is unacknowledged is acknowledged, and all that follows."""
        self.holds = False
        for future, metadata in self._held:
            future.set_result(metadata)

    def of(self, stream: Stream) -> list[Any]:
        """What was sent to a stream, in order."""
        return [message for name, message in self.sent if name == stream.name]

    @asynccontextmanager
    async def open(self, partitions: Collection[int]) -> AsyncIterator["MemoryReader"]:
        """The log as it stands now, for a recovery."""
        yield MemoryReader(self.log[:])

    def _keep(self, stream: Stream, message: Any, offset: int) -> "asyncio.Future[object]":
        self.sent.append((stream.name, message))
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        partition = TopicPartition(stream.name, 0)
        metadata = RecordMetadata(stream.name, 0, partition, offset, None, None, None)
        if self.holds:
            self.unacknowledged.append(future)
            self._held.append((future, metadata))
        else:
            future.set_result(metadata)
        return future


@dataclass
class MemoryReader:
    """The log as it stood once."""

    records: list[Any]
    first: int = 0

    @property
    def end(self) -> int:
        """The end of the log."""
        return len(self.records)

    async def offset_at(self, _: float) -> int:
        """All is new."""
        return 0

    async def read(self, begin: int) -> AsyncIterator[list[PublishedRecord]]:
        """The log from an offset."""
        yield [each for each in map(published_record, self.records[begin:]) if each is not None]


_offsets = count()


def incoming(*events: Input, key: bytes = b"", first: int | None = None) -> Sequence[Incoming[Input]]:
    """Events as the consumer hands them over, in partition 0 at offsets of their own, or from `first`."""
    offsets = _offsets if first is None else count(first)
    return [
        Incoming(SimpleNamespace(partition=0, offset=next(offsets), key=key, headers=(), value=value_of(event)), event)  # type: ignore[arg-type]
        for event in events
    ]


def handler_on(postgres: MemoryPostgres, kafka: MemoryKafka, **settings: Any) -> TextHandler:
    """The handler on doubles, at nine: a process that starts."""
    loader = ReferenceLoader(postgres, None, ReferenceData())  # type: ignore[arg-type]
    follower = LogFollower(Settings())
    follower.position = len(kafka.log)
    kafka.followers.append(follower)
    return TextHandler(
        pool=postgres,  # type: ignore[arg-type]
        producer=kafka,  # type: ignore[arg-type]
        loader=loader,
        settings=Settings(**settings),
        follower=follower,
        recovery=Recovery(postgres, kafka, follower),  # type: ignore[arg-type]
        clock=lambda: NINE,
    )
