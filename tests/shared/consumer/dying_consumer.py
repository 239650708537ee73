"""A consumer whose process is killed after the effects of its first batch and before any commit."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shared.consumer.consumer import Consumer
from shared.consumer.decode import Incoming, Rejection
from shared.kafka.broker import new_broker
from shared.kafka.producer import Producer, new_producer
from shared.settings import Connections
from shared.streams import RAW


async def main(effects: Path) -> None:
    """Run until killed by its own hand."""
    settings = Connections()
    kafka_producer = new_producer(settings, "dying")
    await kafka_producer.start()
    broker = new_broker(settings, "dying")

    seen: list[Incoming[Any]] = []

    async def handle(incoming: Sequence[Incoming[Any]]) -> list[Rejection]:
        with effects.open("a") as out:
            out.writelines(f"{message.event.guid}\n" for message in incoming)
        seen.extend(incoming)
        if len(seen) >= 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return []

    consumer = Consumer(
        stage="test.consumer",
        stream=RAW,
        handle=handle,
        producer=Producer(kafka_producer, source="dying", topic_prefix=settings.topic_prefix),
        settings=settings,
    )
    consumer.subscribe(broker)
    await broker.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
