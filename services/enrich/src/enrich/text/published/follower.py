"""Follows `updates.enriched`, so that the writer of rows knows which of its revisions were first in the log, and that nobody
else writes for the partitions that it has."""

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError
from prometheus_client import Gauge

from enrich.text.published.records import PublishedRecord, published_record
from shared.failures import Transient
from shared.failures.transient import is_transient, reason_of
from shared.kafka.standalone import new_consumer
from shared.kafka.startup import start_when_available
from shared.settings import Connections
from shared.streams import ENRICHED

log = structlog.get_logger(__name__)

PACE_S = 0.1
"""From one look at the log to the next, unless somebody waits for a record of it: fewer, larger fetches."""
POLL_MS = 500
PAUSE_S = 0.5
LONGEST_WAIT_S = 30.0
"""After which a batch that waits for the log to be read fails, and is handled again."""
REMEMBERED = 50_000
"""Updates whose newest number is remembered: many times what is published between an emission and its row."""

POSITION = Gauge("slugline_enrich_log_offset", "Offset in updates.enriched up to which enrich text has followed it")


class Counts:
    """Which records of the log count, as they come by: one whose number is higher than all before it of its update."""

    def __init__(self) -> None:
        self._newest: OrderedDict[str, tuple[int, str]] = OrderedDict()
        self._lost: set[tuple[str, int]] = set()

    def take(self, record: PublishedRecord, writer: str) -> bool:
        """Look at the next record as `writer`; whether it counts and is another's."""
        number, by = self._newest.get(record.update_id, (0, ""))
        if record.revision > number:
            self._newest[record.update_id] = (record.revision, record.writer)
            self._newest.move_to_end(record.update_id)
            if len(self._newest) > REMEMBERED:
                self._newest.popitem(last=False)
            return record.writer != writer
        # A record of ours behind one of ours of that number, or a higher one, is a repeat by Kafka's client.
        if record.writer == writer != by:
            self._lost.add((record.update_id, record.revision))
        return False

    def is_taken(self, update_id: str, revision: int, writer: str) -> bool:
        """Whether another was first with a number."""
        number, by = self._newest.get(update_id, (0, ""))
        return (number >= revision and by != writer) or (update_id, revision) in self._lost

    def forget_lost(self) -> None:
        """Another writer's id begins: what the one before lost is of no account any more."""
        self._lost.clear()

    def clear(self) -> None:
        """The log is another one."""
        self._newest.clear()
        self._lost.clear()


class LogFollower:
    """Reads every record of the log from where it ended when this process started. It has no group and commits nothing."""

    def __init__(self, settings: Connections) -> None:
        self._settings = settings
        self._partition = TopicPartition(settings.topic_prefix + ENRICHED.name, 0)
        self._consumer: AIOKafkaConsumer | None = None
        self._following: asyncio.Task[None] | None = None
        self._counts = Counts()
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._failure: str | None = None
        self.position = 0
        """Every record before this offset has been read."""
        self.writer = ""
        """The id of the writer in this process."""
        self.on_other: Callable[[PublishedRecord], None] = lambda _: None
        """Called with each record that counts and is another writer's."""
        self.on_new_log: Callable[[], None] = lambda: None
        """Called when the log turns out to be another one."""

    async def start(self, stop: asyncio.Event) -> None:
        """Wait for Kafka, stand at the end of the log, and follow it from there until `stop` is called."""
        consumer = new_consumer(self._settings, "slugline-enrich-text-follower")
        await start_when_available(consumer, "updates.enriched", stop)
        if stop.is_set():
            await consumer.stop()
            return
        self._consumer = consumer
        consumer.assign([self._partition])
        self.position = (await consumer.end_offsets([self._partition]))[self._partition]
        consumer.seek(self._partition, self.position)
        self._following = asyncio.create_task(self._follow(), name="follower of updates.enriched")

    async def _follow(self) -> None:
        """Whatever goes away in between."""
        while True:
            try:
                await self._read()
                self._failure = None
            except OffsetOutOfRangeError:
                await self._begin_again()
            except Exception as error:
                self._failure = reason_of(error)
                if is_transient(error):
                    log.warning("updates.enriched cannot be followed", error=self._failure, fold="log")
                else:
                    log.exception("bug in following updates.enriched", fold=type(error).__name__)
                await asyncio.sleep(PAUSE_S)

    async def stop(self) -> None:
        """Leave Kafka; no batch is in flight any more."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait([self._following])
        if self._consumer is not None:
            await self._consumer.stop()

    async def read_past(self, offset: int) -> None:
        """Return once the record at an offset has been read. Raises `Transient` where that takes too long."""
        if self.position > offset:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((offset, future))
        self._wake.set()
        try:
            async with asyncio.timeout(LONGEST_WAIT_S):
                await future
        except TimeoutError:
            why = self._failure or "Kafka gives nothing"
            raise Transient(f"updates.enriched is read up to {self.position} only: {why}") from None
        finally:
            self._waiting = [each for each in self._waiting if each[1] is not future]

    def is_taken(self, update_id: str, revision: int) -> bool:
        """Whether another writer's record of that number, or a higher one, was first, as far as the log is read."""
        return self._counts.is_taken(update_id, revision, self.writer)

    def begin_writer(self, writer: str) -> None:
        """From now on records with this id are ours, and no others."""
        self.writer = writer
        self._counts.forget_lost()

    def take(self, records: Sequence["ConsumerRecord[bytes, bytes]"]) -> None:
        """Look at the next records of the log."""
        for record in records:
            if (published := published_record(record)) is not None and self._counts.take(published, self.writer):
                self.on_other(published)
            self.position = record.offset + 1
        POSITION.set(self.position)
        for offset, future in self._waiting:
            if self.position > offset and not future.done():
                future.set_result(None)

    async def _read(self) -> None:
        assert self._consumer is not None  # noqa: S101
        looked_at = time.monotonic()
        for records in (await self._consumer.getmany(timeout_ms=POLL_MS)).values():
            self.take(records)
        rest_s = looked_at + PACE_S - time.monotonic()
        if rest_s > 0 and not self._waiting:
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), rest_s)

    async def _begin_again(self) -> None:
        """What is to be read is gone: the topic was made anew, or records went while they could not be read."""
        assert self._consumer is not None  # noqa: S101
        first = (await self._consumer.beginning_offsets([self._partition]))[self._partition]
        log.error("updates.enriched is another log, or its records went unread; it is read from its beginning",
                  position=self.position, beginning=first)  # fmt: skip
        self._counts.clear()
        self.position = first
        self._consumer.seek(self._partition, first)
        self.on_new_log()
