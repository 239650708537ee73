"""Dead letters: messages that can never be handled, set aside with the reason and with all that is needed to replay them."""

import asyncio
import base64
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog
from aiokafka import ConsumerRecord
from prometheus_client import Counter

from shared.consumer.decode import Rejection, header_of, update_id_of, version_of
from shared.failures import Invalid
from shared.kafka.producer import Producer, acknowledged
from shared.messages import DeadLetter, Outcome, Outcomes
from shared.observability.traces import trace_id_of
from shared.streams import MAX_MESSAGE_BYTES, OUTCOMES, RAW, Stream

log = structlog.get_logger(__name__)

PAYLOAD_BYTES = MAX_MESSAGE_BYTES // 2
"""Of a payload in a dead letter: base64 makes it a third longer, and one that Kafka refuses would block the consumer for ever."""

DEAD = Counter("slugline_consumer_dead_letters", "Messages set aside", ["stage", "failure"])


ATTEMPT = "slugline_attempt"
"""The header of a message that was replayed out of the dead letters: how often it has been tried."""


def attempt_of(record: "ConsumerRecord[bytes, bytes]") -> int:
    """How often a message has been tried, by its header; 1 where it says nothing that makes sense."""
    said = header_of(record, ATTEMPT)
    return int(said) if said.isascii() and said.isdigit() and 0 < len(said) < 6 else 1


def dead_letter(stage: str, rejection: Rejection, at: datetime) -> DeadLetter:
    """The dead letter of a record."""
    record, failure = rejection.record, rejection.failure
    return DeadLetter(
        stage=stage,
        failure="invalid" if isinstance(failure, Invalid) else "permanent",
        reason=failure.reason,
        field=failure.field,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key.decode("utf-8", "replace") if record.key is not None else None,
        headers=tuple((name, base64.b64encode(value or b"").decode()) for name, value in record.headers),
        payload=base64.b64encode((record.value or b"")[:PAYLOAD_BYTES]).decode(),
        whole=len(record.value or b"") <= PAYLOAD_BYTES,
        traceparent=header_of(record, "traceparent"),
        failed_at=at,
        attempt=attempt_of(record),
    )


def dead_outcome(rejection: Rejection, at: datetime) -> Outcome | None:
    """The outcome for the sender of a version, from its `ce_id` alone; None where that names no version."""
    record, failure = rejection.record, rejection.failure
    version = version_of(record)
    if version is None:
        return None
    reason = f"{failure.field}: {failure.reason}" if failure.field else failure.reason
    return Outcome(update_id=version[0], fingerprint=version[1], stage="dead", at=at, reason=reason[:500])


class DeadLetters:
    """Sends the dead letters of one stage."""

    def __init__(self, stage: str, stream: Stream, producer: Producer) -> None:
        self._stage = stage
        # A series that begins at 1 has no increase: the first dead letter would alert nobody.
        for failure in ("invalid", "permanent"):
            DEAD.labels(stage, failure)
        self._topic = stream.dead_letters
        self._reports_outcomes = stream == RAW
        """Senders ask what became of a version, and what cannot be read cannot say so itself."""
        self._producer = producer

    async def send(self, rejections: Sequence[Rejection]) -> None:
        """Set records aside; returns once Kafka has their dead letters."""
        now = datetime.now(UTC)
        futures = [await self._send_one(rejection, now) for rejection in rejections]
        outcomes = [outcome for each in rejections if (outcome := dead_outcome(each, now)) is not None]
        if outcomes and self._reports_outcomes:
            first = rejections[0].record
            futures.append(
                await self._producer.send(
                    OUTCOMES,
                    Outcomes(outcomes=tuple(outcomes)),
                    key=outcomes[0].update_id,
                    event_id=f"{self._stage}:dead:{first.topic}:{first.partition}:{first.offset}",
                )
            )
        await acknowledged(futures)

    async def _send_one(self, rejection: Rejection, now: datetime) -> "asyncio.Future[object]":
        dead = dead_letter(self._stage, rejection, now)
        log.warning(
            "dead letter", stage=self._stage, reason=dead.reason, field=dead.field,
            topic=dead.topic, partition=dead.partition, offset=dead.offset, key=dead.key,
            event_id=header_of(rejection.record, "ce_id")[:200],
            update_id=update_id_of(rejection.record), trace_id=trace_id_of(dead.traceparent),
        )  # fmt: skip
        DEAD.labels(self._stage, dead.failure).inc()
        return await self._producer.send(
            self._topic,
            dead,
            key=dead.key or "",
            event_id=f"{self._stage}:{dead.topic}:{dead.partition}:{dead.offset}",
            traceparent=dead.traceparent,
        )
