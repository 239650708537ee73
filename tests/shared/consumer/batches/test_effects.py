"""Effects of a batch: started or handled, with its dead letters written and counted."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.consumer import ceiling as ceilings
from shared.consumer.batches.effects import Effects, StartBatch, StartedBatch
from shared.consumer.ceiling import Ceiling
from shared.consumer.dead_letters import DeadLetters
from shared.consumer.decode import Incoming, Rejection
from shared.failures import Permanent, Transient
from shared.kafka.cloudevents import value_of
from shared.messages import DeadLetter, RawUpdate
from shared.streams import RAW
from support.in_memory import RecordingProducer, record_of
from support.topics import raw_update

Messages = Sequence[Incoming[RawUpdate]]
GOOD = record_of(value_of(raw_update("a")), ce_type=RawUpdate.ce_type)
BROKEN = record_of(b"{", offset=1, ce_type=RawUpdate.ce_type)


class Stage:
    """A stage that keeps what it was given."""

    def __init__(self, start: bool = False) -> None:
        self.producer = RecordingProducer()
        self.handled: list[str] = []
        self.started: list[str] = []
        self.completed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.failure: Exception | None = None
        start_batch: StartBatch[RawUpdate] | None = self.start if start else None
        self.effects: Effects[RawUpdate] = Effects(
            "stage", {RawUpdate.ce_type: RawUpdate}, self.handle, start_batch,
            ceiling=Ceiling("stage"), dead_letters=DeadLetters("stage", RAW, self.producer),
        )  # fmt: skip

    async def handle(self, incoming: Messages) -> list[Rejection]:
        self.handled.extend(each.event.guid for each in incoming)
        return []

    async def start(self, incoming: Messages) -> StartedBatch:
        if self.failure is not None:
            raise self.failure
        self.started.extend(each.event.guid for each in incoming)
        return StartedBatch([], self.completed)

    def dead(self) -> list[DeadLetter]:
        return [DeadLetter.model_validate_json(value) for value in self.producer.values(RAW.dead_letters)]


async def test_a_handled_batch_has_completed_and_what_is_broken_is_set_aside() -> None:
    """Its dead letter is written before the batch counts as done."""
    stage = Stage()
    completed = await stage.effects.apply([GOOD, BROKEN], serial=False)
    assert completed.done()
    assert stage.handled == ["a"]
    assert [dead.offset for dead in stage.dead()] == [1]


async def test_a_started_batch_completes_later() -> None:
    """Unless it must be serial."""
    stage = Stage(start=True)
    assert await stage.effects.apply([GOOD], serial=False) is stage.completed
    assert (await stage.effects.apply([GOOD], serial=True)).done()
    assert (stage.started, stage.handled) == (["a"], ["a"])


async def test_a_batch_that_cannot_be_started_is_handled() -> None:
    """Which finds the message at fault; an outage is raised."""
    stage = Stage(start=True)
    stage.failure = ValueError("odd")
    assert (await stage.effects.apply([GOOD], serial=False)).done()
    assert stage.handled == ["a"]
    stage.failure = Transient("away")
    with pytest.raises(Transient):
        await stage.effects.apply([GOOD], serial=False)


async def test_nothing_is_set_aside_beyond_the_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    """The messages stay on their topic."""
    monkeypatch.setattr(ceilings, "MOST_IN_A_ROW", 1)
    stage = Stage()
    with pytest.raises(Transient, match="ceiling"):
        await stage.effects.set_aside([Rejection(BROKEN, Permanent("no"))] * 2, of=2)
    assert stage.dead() == []
    with pytest.raises(Transient, match="ceiling"):
        stage.effects.check_ceiling()
