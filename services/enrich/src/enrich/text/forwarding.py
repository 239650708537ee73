"""Sends on what came to `updates.raw` under the key of its update's id, to where all of its source is: one place, one order, one writer.

Orders come so whose sender could not learn the source of the update (Postgres was away, or no version had come yet), and whatever
a release before this one has sent.
"""

import asyncio

from prometheus_client import Counter

from enrich.text.domain.lifecycle import Input
from enrich.text.domain.state import State
from shared.consumer.decode import Incoming
from shared.kafka.producer import Producer
from shared.messages import RawUpdate
from shared.streams import RAW

FORWARDED = Counter("slugline_enrich_forwarded", "Messages sent on to the partition of their source", ["type"])


def source_elsewhere(message: Incoming[Input], state: State) -> str | None:
    """The source by which a message should have been keyed; None where it was, or where nobody knows the source yet."""
    event = message.event
    if message.record.key != event.update_id.encode():
        return None
    return (event.source if isinstance(event, RawUpdate) else state.source) or None


async def forward(producer: Producer, message: Incoming[Input], source: str) -> "asyncio.Future[object]":
    """Send a message again under its source's key, with all of its headers, so that its event id stays; it is not handled here."""
    FORWARDED.labels(message.event.ce_type).inc()
    record = message.record
    return await producer.send_bytes(RAW, record.value, key=source.encode(), headers=record.headers)
