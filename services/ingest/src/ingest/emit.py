"""Sends to `updates.raw`, and says of each message whether Kafka has it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from aiokafka.errors import KafkaError

from shared.envelope import headers_for, value_of
from shared.kafka import Emitter
from shared.messages import Message
from shared.topics import MAX_MESSAGE_BYTES, RAW

log = structlog.get_logger(__name__)

ENVELOPE_BYTES = 16_384
"""Room for key, headers and the record's own framing within the largest message."""


@dataclass(frozen=True, slots=True)
class Sendable:
    """A message for `updates.raw`, encoded."""

    update_id: str
    value: bytes
    headers: list[tuple[str, bytes]]

    @property
    def too_large(self) -> bool:
        """Whether Kafka would refuse it for its size."""
        return len(self.value) > MAX_MESSAGE_BYTES - ENVELOPE_BYTES


def sendable(message: Message, update_id: str, event_id: str, traceparent: str) -> Sendable:
    """A message in its envelope."""
    return Sendable(
        update_id,
        value_of(message),
        headers_for(message, source="slugline/ingest", event_id=event_id, traceparent=traceparent),
    )


async def emit(emitter: Emitter | None, messages: Sequence[Sendable], patience_s: float) -> list[bool]:
    """Whether Kafka has each of the messages, in their order.

    A large batch may take its time; what ends the waiting is `patience_s` seconds in which Kafka acknowledges nothing.
    What was given to the producer before that may still arrive: the repeat that the sender is asked for has the same
    event id and changes nothing.
    """
    if emitter is None:
        return [False] * len(messages)
    futures: list[asyncio.Future[object]] = []
    progress = asyncio.get_running_loop().time()
    try:
        for message in messages:
            async with asyncio.timeout_at(progress + patience_s):
                futures.append(
                    await emitter.send_bytes(
                        RAW, message.value, key=message.update_id.encode(), headers=message.headers
                    )
                )
            if futures[0].done():
                progress = asyncio.get_running_loop().time()
    except (KafkaError, OSError, TimeoutError) as error:
        log.warning("kafka takes nothing", error=str(error) or type(error).__name__, queued=len(futures), fold="emit")
    pending = set(futures)
    while pending:
        left_s = max(progress + patience_s - asyncio.get_running_loop().time(), 0.0)
        done, pending = await asyncio.wait(pending, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            log.warning(
                "kafka acknowledges nothing", unacknowledged=len(pending), patience_s=round(patience_s, 2), fold="emit"
            )
            break
        progress = asyncio.get_running_loop().time()
    for future in pending:
        # Its failure is ours already; asyncio must not report it a second time as never looked at.
        future.add_done_callback(lambda late: late.cancelled() or late.exception())
    kept = [future.done() and not future.cancelled() and future.exception() is None for future in futures]
    return kept + [False] * (len(messages) - len(kept))
