"""Sends dead letters back to where they came from, and closes them, so that none is sent twice by mistake.

A letter is closed once Kafka has its message. A command that dies between the two sends that message again: its id is the same,
and whatever consumes it has seen it.
"""

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.consumer.dead_letters import ATTEMPT
from shared.kafka.producer import Producer
from shared.messages import DeadLetter, DeadLettersClosed
from shared.settings import Connections
from slugline.deadletters.letters import CONSUMED, Letter, LetterId, read_one

REPLAY_OF = "slugline_replay_of"
"""The header of a message that was replayed: which dead letter it was."""
CLOSED_TOGETHER = 500
_OURS = (ATTEMPT, REPLAY_OF)


@dataclass(slots=True)
class Done:
    """What became of the letters."""

    sent: list[LetterId] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    """Those that cannot be sent, with the reason."""


def headers_of(letter: DeadLetter, letter_id: LetterId) -> list[tuple[str, bytes]]:
    """The message's own headers, and that it is a replay."""
    own = [(name, base64.b64decode(value)) for name, value in letter.headers if name not in _OURS]
    return [*own, (ATTEMPT, str(letter.attempt + 1).encode()), (REPLAY_OF, str(letter_id).encode())]


async def payload_of(reader: AIOKafkaConsumer, letter: DeadLetter) -> bytes | None:
    """The message's bytes: out of the letter, or where it was too large for one, from its own topic while that has it."""
    if letter.whole:
        return base64.b64decode(letter.payload)
    place = TopicPartition(letter.topic, letter.partition)
    reader.assign([place])
    first = (await reader.beginning_offsets([place]))[place]
    end = (await reader.end_offsets([place]))[place]
    if not first <= letter.offset < end:
        return None
    reader.seek(place, letter.offset)
    while await reader.position(place) <= letter.offset:
        for record in (await reader.getmany(place, timeout_ms=2_000, max_records=1)).get(place, ()):
            return bytes(record.value or b"") if record.offset == letter.offset else None
    return None


async def replay(
    settings: Connections,
    reader: AIOKafkaConsumer,
    producer: Producer,
    letters: Sequence[Letter],
    *,
    per_s: float,
    by: str,
    at: Callable[[], datetime],
    on_progress: Callable[[], None] = lambda: None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Done:
    """Send letters back in their order, at most so many a second, and close those that were sent."""
    done = Done()
    unclosed: list[Letter] = []
    started = time.monotonic()
    try:
        for number, letter in enumerate(letters):
            ahead_s = number / per_s - (time.monotonic() - started)
            if ahead_s > 0:
                await sleep(ahead_s)
            whole = await read_one(settings, reader, letter.id)
            payload = await payload_of(reader, whole) if whole is not None else None
            if whole is None or payload is None:
                done.refused[str(letter.id)] = (
                    "it has left its topic"
                    if whole is None
                    else "its message was too large for a letter and has left its topic"
                )
            else:
                key = whole.key.encode() if whole.key is not None else None
                headers = headers_of(whole, letter.id)
                await (await producer.send_bytes(CONSUMED[letter.id.topic], payload, key=key, headers=headers))
                done.sent.append(letter.id)
                unclosed.append(letter)
            on_progress()
            if len(unclosed) >= CLOSED_TOGETHER:
                await close(producer, unclosed, how="replayed", by=by, at=at())
                unclosed = []
    finally:
        await close(producer, unclosed, how="replayed", by=by, at=at())
    return done


async def close(
    producer: Producer, letters: Sequence[Letter], *, how: str, by: str, at: datetime, reason: str = ""
) -> None:
    """Mark letters as done with, on their topics."""
    for topic in sorted({each.id.topic for each in letters}):
        offsets = [each.id.offset for each in letters if each.id.topic == topic]
        for start in range(0, len(offsets), CLOSED_TOGETHER):
            some = offsets[start : start + CLOSED_TOGETHER]
            mark = DeadLettersClosed.model_validate({"offsets": some, "how": how, "by": by, "at": at, "reason": reason})
            event_id = f"closed:{some[0]}:{some[-1]}:{at.isoformat()}"
            stream = CONSUMED[topic].dead_letters
            await (await producer.send(stream, mark, key="", event_id=event_id))
