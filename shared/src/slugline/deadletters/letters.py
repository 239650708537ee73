"""What is on the dead-letter topics: letters, and the marks behind them that say which are done with.

A topic is read from its beginning (90 days at most), one record at a time; of a letter everything is kept but its payload.
"""

import base64
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from pydantic import ValidationError

from shared.consumer.decode import header_of
from shared.messages import DeadLetter, DeadLettersClosed
from shared.settings import Connections
from shared.streams import DECLARED, RAW, Stream

CONSUMED = {stream.name: stream for stream in DECLARED if stream.receivers}
POLL_MS = 2_000
UPDATE_ID = re.compile(r"([a-z2-7]{26})(?::.*)?")
LETTER_ID = re.compile(r"([a-z.]{1,100})@([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class LetterId:
    """`updates.raw@17`: the topic that a message was for, and where its dead letter is on the topic of the dead."""

    topic: str
    offset: int

    @classmethod
    def parse(cls, text: str) -> "LetterId":
        """Of what `list` prints; ValueError where it is anything else."""
        found = LETTER_ID.fullmatch(text)
        if found is None or found[1] not in CONSUMED:
            raise ValueError(
                f"{text!r} is no dead letter: TOPIC@OFFSET is needed, as `slugline deadletters list` prints it"
            )
        return cls(found[1], int(found[2]))

    def __str__(self) -> str:
        """As it is printed."""
        return f"{self.topic}@{self.offset}"


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter without its payload, and what has become of it."""

    id: LetterId
    stage: str
    failure: str
    reason: str
    field: str
    failed_at: datetime
    attempt: int
    partition: int
    """Where the message was on its own topic."""
    offset: int
    key: str | None
    source: str
    """Of the update, as far as the message says; empty where it says nothing."""
    update_id: str
    event_id: str
    whole: bool
    closed: DeadLettersClosed | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """Which letters are meant; empty means any."""

    topics: Sequence[str] = tuple(CONSUMED)
    ids: frozenset[LetterId] = frozenset()
    stage: str = ""
    reason: str = ""
    source: str = ""
    update_id: str = ""
    since: datetime | None = None
    until: datetime | None = None
    closed: bool = False
    """Whether those that were replayed or dropped are meant, too."""

    def match(self, letter: Letter) -> bool:
        """Whether a letter is meant, leaving aside whether it is closed, which is known at the end only."""
        return (
            (not self.ids or letter.id in self.ids)
            and (not self.stage or letter.stage == self.stage)
            and self.reason.lower() in f"{letter.field} {letter.reason}".lower()
            and (not self.source or letter.source == self.source)
            and (not self.update_id or letter.update_id == self.update_id)
            and (self.since is None or letter.failed_at >= self.since)
            and (self.until is None or letter.failed_at < self.until)
        )

    @property
    def wanted_topics(self) -> Sequence[str]:
        """Those that have to be read."""
        return sorted({each.topic for each in self.ids}) or self.topics


@dataclass(slots=True)
class Found:
    """The letters that were looked for, oldest first by topic, and how many records cannot be read."""

    letters: list[Letter] = field(default_factory=list)
    unreadable: int = 0
    more: bool = False
    """Whether the topics hold more than were read."""


def letter_of(stream: Stream, offset: int, letter: DeadLetter) -> Letter:
    """What is kept of a dead letter."""
    headers = dict(reversed(letter.headers))
    event_id = _text(headers.get("ce_id", ""))
    said = _payload(letter) if letter.whole else {}
    named = UPDATE_ID.fullmatch(event_id) or UPDATE_ID.fullmatch(letter.key or "")
    update_id = str(said.get("update_id") or (named[1] if named else ""))[:26]
    source = str(said.get("source") or (letter.key if stream == RAW and not named else "") or "")[:100]
    return Letter(
        LetterId(stream.name, offset), letter.stage, letter.failure, letter.reason, letter.field, letter.failed_at,
        letter.attempt, letter.partition, letter.offset, letter.key, source, update_id, event_id, letter.whole,
    )  # fmt: skip


def _text(value: str) -> str:
    try:
        return base64.b64decode(value).decode("utf-8", "replace")[:200]
    except ValueError:
        return ""


def _payload(letter: DeadLetter) -> dict[str, object]:
    try:
        said = orjson.loads(base64.b64decode(letter.payload))
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def partition_of(settings: Connections, stream: Stream) -> TopicPartition:
    """Where the dead letters of a stream are."""
    return TopicPartition(settings.topic_prefix + stream.dead_letters.name, 0)


async def records(
    reader: AIOKafkaConsumer, partition: TopicPartition, first: int = 0
) -> AsyncGenerator["ConsumerRecord[bytes, bytes]", None]:
    """The records from `first` to the end as it is now."""
    reader.assign([partition])
    end = (await reader.end_offsets([partition]))[partition]
    begin = max((await reader.beginning_offsets([partition]))[partition], first)
    if begin >= end:
        return
    reader.seek(partition, begin)
    while await reader.position(partition) < end:
        for found in (await reader.getmany(partition, timeout_ms=POLL_MS)).values():
            for record in found:
                if record.offset < end:
                    yield record


def decoded(record: "ConsumerRecord[bytes, bytes]") -> DeadLetter | DeadLettersClosed | None:
    """A record of a dead-letter topic; None where it cannot be read."""
    kind = DeadLettersClosed if header_of(record, "ce_type") == DeadLettersClosed.ce_type else DeadLetter
    try:
        return kind.model_validate_json(record.value or b"")
    except (ValidationError, ValueError):
        return None


async def find(
    settings: Connections, reader: AIOKafkaConsumer, filters: Filters, *, most_records: int | None = None
) -> Found:
    """The letters that are meant. With `most_records`, only so many of the newest records of each topic are read."""
    found = Found()
    for topic in filters.wanted_topics:
        stream = CONSUMED[topic]
        partition = partition_of(settings, stream)
        first = 0
        if most_records is not None:
            reader.assign([partition])
            first = max((await reader.end_offsets([partition]))[partition] - most_records, 0)
            found.more |= (await reader.beginning_offsets([partition]))[partition] < first
        letters: dict[int, Letter] = {}
        closed: dict[int, DeadLettersClosed] = {}
        async with aclosing(records(reader, partition, first)) as following:
            async for record in following:
                message = decoded(record)
                if message is None:
                    found.unreadable += 1
                elif isinstance(message, DeadLettersClosed):
                    closed.update(dict.fromkeys(message.offsets, message))
                elif filters.match(letter := letter_of(stream, record.offset, message)):
                    letters[record.offset] = letter
        found.letters += [
            replace(letter, closed=closed.get(offset))
            for offset, letter in letters.items()
            if filters.closed or offset not in closed
        ]
    return found


async def read_one(settings: Connections, reader: AIOKafkaConsumer, letter_id: LetterId) -> DeadLetter | None:
    """One letter with its payload; None where there is none any more."""
    partition = partition_of(settings, CONSUMED[letter_id.topic])
    async with aclosing(records(reader, partition, letter_id.offset)) as following:
        async for record in following:
            message = decoded(record)
            return message if record.offset == letter_id.offset and isinstance(message, DeadLetter) else None
    return None
