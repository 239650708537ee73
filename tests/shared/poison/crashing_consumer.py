"""A consumer in a process of its own, which a message that says so takes down.

Arguments: the file that effects are appended to. What a message's guid begins with decides: `crash`, `hang`, `eat` (all
the memory it gets), `wait` (for ever, with the loop turning), else nothing happens to it.
"""

import asyncio
import os
import resource
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shared.consumer.batches.effects import StartedBatch
from shared.consumer.consumer import Consumer, Limits
from shared.consumer.decode import Incoming, Rejection
from shared.kafka.broker import new_broker
from shared.kafka.producer import Producer, new_producer
from shared.poison.notes import CrashNotes
from shared.poison.partitions import PartitionNotes
from shared.postgres.pool import connect
from shared.process import run, run_until
from shared.settings import Connections
from shared.streams import RAW

STAGE = "test.consumer"


async def _do(guid: str, out: Any) -> None:
    if guid.startswith("crash"):
        os._exit(11)
    if guid.startswith("hang"):
        while True:
            pass
    if guid.startswith("eat"):
        resource.setrlimit(resource.RLIMIT_AS, (1_500_000_000, resource.RLIM_INFINITY))
        try:
            eaten = [bytes(50_000_000) for _ in range(100)]
        except MemoryError:
            # What the kernel does to a container at its limit.
            os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError(len(eaten))
    if guid.startswith("wait"):
        await asyncio.Event().wait()
    out.write(f"{guid}\n")
    out.flush()


async def main(settings: Connections, effects: Path, *, begins: bool, stop: asyncio.Event) -> None:
    """Follow until `stop`."""
    pool = await connect(settings, schema="publish", stop=stop)
    kafka_producer = new_producer(settings, STAGE)
    await kafka_producer.start()
    broker = new_broker(settings, STAGE)
    with effects.open("a") as out:

        async def handle(incoming: Sequence[Incoming[Any]]) -> list[Rejection]:
            for message in incoming:
                await _do(message.event.guid, out)
            return []

        async def start_batch(incoming: Sequence[Incoming[Any]]) -> StartedBatch:
            await handle(incoming)
            settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            settled.set_result(None)
            return StartedBatch([], settled)

        consumer = Consumer(
            stage=STAGE,
            stream=RAW,
            handle=handle,
            start_batch=start_batch if begins else None,
            producer=Producer(kafka_producer, source=STAGE, topic_prefix=settings.topic_prefix),
            settings=settings,
            crash_notes=PartitionNotes(CrashNotes(pool, "publish", STAGE)),
            limits=Limits(drain_s=2.0),
        )
        consumer.subscribe(broker)
        await broker.start()
        print("following", flush=True)
        await run_until(stop, consumer.run())
        await consumer.drain()
        await broker.stop()
    await kafka_producer.stop()
    await pool.close()


if __name__ == "__main__":
    given = Connections()
    run(
        given,
        STAGE,
        lambda stop: main(given, Path(sys.argv[1]), begins=sys.argv[2:] == ["begins"], stop=stop),
    )
