"""A lane whose process is killed after the effects of its first batch and before any commit."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shared.consumer.consumer import Lane
from shared.consumer.decode import Delivery, Rejection
from shared.kafka.clients import Emitter, new_broker, new_producer
from shared.messages import RawUpdate
from shared.settings import Connections
from shared.streams import RAW


async def main(effects: Path) -> None:
    """Run until killed by its own hand."""
    settings = Connections()
    producer = new_producer(settings, "dying")
    await producer.start()
    broker = new_broker(settings, "dying")

    seen: list[Delivery[Any]] = []

    async def handle(deliveries: Sequence[Delivery[Any]]) -> list[Rejection]:
        with effects.open("a") as out:
            out.writelines(f"{delivery.event.guid}\n" for delivery in deliveries)
        seen.extend(deliveries)
        if len(seen) >= 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return []

    lane = Lane(
        stage="test.lane",
        topic=RAW,
        types={RawUpdate.ce_type: RawUpdate},
        handle=handle,
        emitter=Emitter(producer, source="dying", topic_prefix=settings.topic_prefix),
        settings=settings,
    )
    lane.attach(broker)
    await broker.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
