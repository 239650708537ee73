"""The consumer of `updates.raw`, without a server."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from enrich.settings import Settings
from enrich.text.process import text_consumer
from shared.consumer.batches.effects import StartedBatch
from shared.consumer.decode import Incoming, Rejection
from shared.messages import DeadLetter, Order, Outcomes, RawUpdate
from shared.streams import OUTCOMES, RAW
from support.in_memory import RecordingProducer, in_memory, put
from support.topics import raw_update


class Text:
    """A handler that starts everything and completes it at once."""

    def __init__(self) -> None:
        self.started: list[str] = []

    async def handle(self, incoming: Sequence[Incoming[Any]]) -> Sequence[Rejection]:
        raise AssertionError("nothing has failed")

    async def start_batch(self, incoming: Sequence[Incoming[Any]]) -> StartedBatch:
        self.started.extend(type(each.event).__name__ for each in incoming)
        completed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        completed.set_result(None)
        return StartedBatch([], completed)

    def assigned(self, partitions: frozenset[int]) -> None:
        """Nothing to recover."""


async def test_every_kind_of_message_reaches_the_handler_and_the_sender_hears_of_what_is_broken() -> None:
    """By its key and its id, though nothing else can be read of it."""
    text: Any = Text()
    producer = RecordingProducer()
    update = raw_update("a")
    order = Order(update_id=update.update_id, order="kill", by="desk", ordered_at=datetime.now(UTC))
    async with in_memory(text_consumer(text, producer, Settings())) as broker:
        await put(broker, RAW, update, key=update.source)
        await put(broker, RAW, order, key=update.source)
        await broker.publish(
            b"{", topic=RAW.name, key=update.update_id.encode(),
            headers={"ce_type": RawUpdate.ce_type, "ce_id": f"{update.update_id}:{'0' * 32}"},
        )  # fmt: skip
    assert text.started == ["RawUpdate", "Order"]
    (dead,) = [DeadLetter.model_validate_json(value) for value in producer.values(RAW.dead_letters)]
    (outcomes,) = [Outcomes.model_validate_json(value) for value in producer.values(OUTCOMES)]
    assert (dead.stage, outcomes.outcomes[0].stage) == ("enrich.text", "dead")
