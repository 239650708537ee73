"""Dead letters: whole, with their place and reason; and the outcome for whoever sent a version."""

import base64
from datetime import UTC, datetime

from shared.consumer.dead_letters import PAYLOAD_BYTES, DeadLetters, dead_letter, dead_outcome
from shared.consumer.decode import Rejection
from shared.failures import Invalid, Permanent
from shared.messages import DeadLetter, Outcomes
from shared.streams import ENRICHED, OUTCOMES, RAW, Stream
from support.in_memory import RecordingProducer, record_of

NOW = datetime(2026, 11, 28, tzinfo=UTC)
UPDATE, FINGERPRINT = "a" * 26, "0" * 32
RECORD = record_of(b"\xff", offset=7, partition=3, key=UPDATE.encode(), ce_id=f"{UPDATE}:{FINGERPRINT}")


def test_a_dead_letter_says_all_that_is_needed_to_replay_it() -> None:
    """Payload and headers are bytes of anybody."""
    dead = dead_letter("stage", Rejection(RECORD, Invalid("broken", field="/a")), NOW)
    assert (dead.topic, dead.partition, dead.offset, dead.key) == (RAW.name, 3, 7, UPDATE)
    assert (dead.failure, dead.reason, dead.field, dead.failed_at) == ("invalid", "broken", "/a", NOW)
    assert base64.b64decode(dead.payload) == b"\xff"
    assert dead.whole
    assert dead_letter("stage", Rejection(RECORD, Permanent("no")), NOW).failure == "permanent"


def test_a_payload_that_is_too_large_is_cut() -> None:
    """A dead letter that Kafka refuses would block the consumer for ever."""
    dead = dead_letter("stage", Rejection(record_of(b"x" * (PAYLOAD_BYTES + 1)), Permanent("no")), NOW)
    assert not dead.whole
    assert len(base64.b64decode(dead.payload)) == PAYLOAD_BYTES


def test_the_outcome_is_of_the_version_that_its_id_names() -> None:
    """The key is the source's, or an update's id of a release before; and of none, where the id names no version."""
    outcome = dead_outcome(Rejection(RECORD, Invalid("broken", field="/a")), NOW)
    assert outcome is not None
    assert (outcome.update_id, outcome.fingerprint, outcome.stage, outcome.reason) == (
        UPDATE, FINGERPRINT, "dead", "/a: broken",
    )  # fmt: skip
    by_source = record_of(b"", key=b"wire", ce_id=f"{UPDATE}:{FINGERPRINT}")
    assert dead_outcome(Rejection(by_source, Permanent("no")), NOW) is not None
    assert dead_outcome(Rejection(record_of(b"", key=b"wire", ce_id="order:1"), Permanent("no")), NOW) is None
    assert dead_outcome(Rejection(record_of(b""), Permanent("no")), NOW) is None


async def sent_by(stream: Stream) -> RecordingProducer:
    producer = RecordingProducer()
    await DeadLetters("stage", stream, producer).send([Rejection(RECORD, Permanent("no"))])
    return producer


async def test_dead_letters_go_to_the_topic_of_their_stream() -> None:
    """Only versions as received have a sender who asks."""
    raw, enriched = await sent_by(RAW), await sent_by(ENRICHED)
    (value,) = raw.values(RAW.dead_letters)
    assert DeadLetter.model_validate_json(value).stage == "stage"
    (outcomes,) = raw.values(OUTCOMES)
    assert Outcomes.model_validate_json(outcomes).outcomes[0].stage == "dead"
    assert len(enriched.values(ENRICHED.dead_letters)) == 1
    assert enriched.values(OUTCOMES) == []
