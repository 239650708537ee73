"""The outcomes consumer, without a server."""

from collections.abc import Sequence
from datetime import UTC, datetime

from ingest.processes import OUTCOMES_STAGE, outcomes_consumer
from ingest.settings import Settings
from shared.messages import DeadLetter, Outcome, Outcomes
from shared.streams import OUTCOMES
from support.in_memory import RecordingProducer, in_memory, put


async def test_outcomes_are_recorded_in_their_order_and_what_is_broken_is_set_aside() -> None:
    """One that cannot be read holds up none."""
    recorded: list[str] = []

    async def record(outcomes: Sequence[Outcome]) -> None:
        recorded.extend(each.stage for each in outcomes)

    def outcome(stage: str) -> Outcomes:
        each = Outcome(update_id="a" * 26, fingerprint="0" * 32, stage=stage, at=datetime.now(UTC))
        return Outcomes(outcomes=(each,))

    producer = RecordingProducer()
    consumer = outcomes_consumer(record, producer, Settings())
    # Nobody waits between two batches here.
    consumer._pace_s = 0.0
    async with in_memory(consumer) as broker:
        await put(broker, OUTCOMES, outcome("enriched"), key="a")
        await broker.publish(b"{", topic=OUTCOMES.name, headers={"ce_type": Outcomes.ce_type})
        await put(broker, OUTCOMES, outcome("published"), key="a")
    assert recorded == ["enriched", "published"]
    (dead,) = [DeadLetter.model_validate_json(value) for value in producer.values(OUTCOMES.dead_letters)]
    assert (dead.stage, dead.failure) == (OUTCOMES_STAGE, "invalid")
