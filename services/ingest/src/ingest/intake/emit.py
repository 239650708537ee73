"""Sends to `updates.raw`, and says of each message whether Kafka has it, has it not, or may have it.

aiokafka cannot take back what it was given. So messages wait here until their broker has shown that it answers: whoever is
told that Kafka is away has had his message withdrawn, and it is never sent. Only what was under way when a broker fell silent
may still arrive; of that, and of nothing else, is said that it may.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import structlog
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)

from shared.kafka.cloudevents import headers_for, value_of
from shared.kafka.producer import Producer
from shared.messages import Message
from shared.streams import MAX_MESSAGE_BYTES, RAW

log = structlog.get_logger(__name__)

ENVELOPE_BYTES = 16_384
"""Room for key, headers and the record's own framing within the largest message."""
FRESH_S = 0.1
"""How long a broker's last answer counts. After a longer silence it is asked something before it is given anything."""
PAUSE_S = 0.1
"""Between two questions to a broker that cannot be reached."""
GROUP_BYTES = 1_048_576
"""What a broker is given at once. While it has not acknowledged that, the rest waits here."""

REFUSALS = (
    ClusterAuthorizationFailedError,
    InvalidTopicError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)
"""Answers of Kafka that say that it has not taken a message; after any other failure it may have."""

SendStatus = Literal["acknowledged", "not-taken", "maybe-taken"]
"""`not-taken` is for ever: the message will not be sent any more."""


@dataclass(frozen=True, slots=True)
class EncodedMessage:
    """A message for `updates.raw`, encoded."""

    update_id: str
    value: bytes
    headers: list[tuple[str, bytes]]

    @property
    def too_large(self) -> bool:
        """Whether Kafka would refuse it for its size."""
        return len(self.value) > MAX_MESSAGE_BYTES - ENVELOPE_BYTES


def encoded(message: Message, update_id: str, event_id: str, traceparent: str) -> EncodedMessage:
    """A message in its envelope."""
    return EncodedMessage(
        update_id,
        value_of(message),
        headers_for(message, source="slugline/ingest", event_id=event_id, traceparent=traceparent),
    )


class QueuedMessage:
    """A message that was given to a `SendQueue`."""

    __slots__ = ("acknowledged", "handed_over", "message")

    def __init__(self, message: EncodedMessage) -> None:
        self.message = message
        self.acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Ends once Kafka has the message, or has failed to take it; cancelled when it was withdrawn."""
        self.handed_over = False
        """Whether aiokafka has it, so that it cannot be withdrawn any more."""

    @property
    def fate(self) -> SendStatus:
        """What can be said of it now."""
        if not self.acknowledged.done():
            return "maybe-taken"
        if self.acknowledged.cancelled():
            return "not-taken"
        failure = self.acknowledged.exception()
        if failure is None:
            return "acknowledged"
        return "not-taken" if not self.handed_over or isinstance(failure, REFUSALS) else "maybe-taken"

    def withdraw(self) -> None:
        """Take it back, unless it has left: then it is never sent."""
        if not self.handed_over:
            self.acknowledged.cancel()


class SendQueue:
    """Messages for `updates.raw` on their way to Kafka, in order for each partition.

    Each broker is given one group at a time, as large as has gathered, and only after it has answered something a moment ago.
    """

    def __init__(self, producer: Producer, *, fresh_s: float = FRESH_S, group_bytes: int = GROUP_BYTES) -> None:
        self.producer = producer
        self.trouble = ""
        """Why a broker could not be asked lately."""
        self._fresh_s = fresh_s
        self._group_bytes = group_bytes
        self._waiting: dict[int | None, deque[QueuedMessage]] = {}
        """By partition; under None while Kafka has not told of any."""
        self._answered_at: dict[int, float] = {}
        """When each broker last answered, by `time.monotonic`."""
        self._asking: dict[int, asyncio.Task[bool]] = {}
        self._sending: dict[int | None, asyncio.Task[None]] = {}
        """By broker; under None for partitions that have no leader."""
        self._later: set[asyncio.Task[None]] = set()

    def put(self, message: EncodedMessage) -> QueuedMessage:
        """Queue a message."""
        queued = QueuedMessage(message)
        partition = self.producer.partition_of(RAW, message.update_id.encode())
        if None in self._waiting:
            # What came before the partitions were known stays before this.
            partition = None
        self._waiting.setdefault(partition, deque()).append(queued)
        self._start(partition)
        return queued

    def when_acknowledged(self, queued: QueuedMessage, work: Callable[[], Awaitable[None]]) -> None:
        """Do something about a message once Kafka has it, should that ever be; for those whose fate is `maybe-taken`."""

        async def wait() -> None:
            await asyncio.wait([queued.acknowledged])
            if queued.fate == "acknowledged":
                await work()

        task = asyncio.create_task(wait())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    def probe_brokers(self) -> None:
        """Ask the brokers that have been silent whether they live, so that what is about to be put need not wait for it."""
        long_ago = time.monotonic() - self._fresh_s
        if self._answered_at and min(self._answered_at.values()) > long_ago:
            return
        leaders = self.producer.leaders_of(RAW)
        self._answered_at = {node: at for node, at in self._answered_at.items() if node in leaders}
        for node in leaders:
            # A broker that has something under way answers that first.
            if node not in self._sending and not self._is_fresh(node):
                self._ask(node)

    def _start(self, partition: int | None) -> None:
        node = self._broker_of(partition)
        if node not in self._sending:
            self._sending[node] = asyncio.create_task(self._send_all(node))

    def _broker_of(self, partition: int | None) -> int | None:
        return None if partition is None else self.producer.leader_of(RAW, partition)

    def _is_fresh(self, node: int) -> bool:
        return time.monotonic() - self._answered_at.get(node, float("-inf")) < self._fresh_s

    async def _send_all(self, node: int | None) -> None:
        """Send what waits for a broker, until nothing does."""
        try:
            while partitions := self._partitions_of(node):
                if node is None:
                    await self._find_leaders()
                elif self._is_fresh(node) or await self._ask(node):
                    await self._send(node, partitions)
                else:
                    await asyncio.sleep(PAUSE_S)
        finally:
            del self._sending[node]
        # What it led may have another leader by now.
        for partition in self._waiting:
            self._start(partition)

    def _partitions_of(self, node: int | None) -> list[int | None]:
        """Where something waits for a broker. What was withdrawn is forgotten."""
        for partition, waiting in list(self._waiting.items()):
            while waiting and waiting[0].acknowledged.done():
                waiting.popleft()
            if not waiting:
                del self._waiting[partition]
        return [partition for partition in self._waiting if self._broker_of(partition) == node]

    async def _find_leaders(self) -> None:
        """Learn of the partitions and their leaders; what has one now goes to it."""
        try:
            await self.producer.look_up(RAW)
        except (KafkaError, OSError, TimeoutError) as error:
            self.trouble = str(error) or type(error).__name__
        unplaced = self._waiting.pop(None, deque())
        for queued in unplaced:
            partition = self.producer.partition_of(RAW, queued.message.update_id.encode())
            self._waiting.setdefault(partition, deque()).append(queued)
        for partition in self._waiting:
            self._start(partition)
        if self._partitions_of(None):
            await asyncio.sleep(PAUSE_S)

    def _ask(self, node: int) -> "asyncio.Task[bool]":
        """Whether a broker answers. It is asked one question at a time, however many want to know."""
        if node not in self._asking:
            self._asking[node] = asyncio.create_task(self._answers(node))
        return self._asking[node]

    async def _answers(self, node: int) -> bool:
        try:
            await self.producer.ask(node)
        except (KafkaError, OSError, TimeoutError) as error:
            self.trouble = str(error) or type(error).__name__
            return False
        else:
            self._answered_at[node] = time.monotonic()
            return True
        finally:
            del self._asking[node]

    async def _send(self, node: int, partitions: Sequence[int | None]) -> None:
        """Hand a group over, and wait until the broker has answered for all of it."""
        sent: list[QueuedMessage] = []
        left = self._group_bytes
        for partition in partitions:
            if left <= 0:
                break
            waiting = self._waiting.pop(partition, deque())
            # Last in line for the next group: one partition's flood must not keep the others waiting.
            self._waiting[partition] = waiting
            while waiting and left > 0:
                queued = waiting.popleft()
                if queued.acknowledged.done():
                    continue
                left -= len(queued.message.value)
                queued.handed_over = True
                try:
                    future = await self.producer.send_bytes(
                        RAW,
                        queued.message.value,
                        key=queued.message.update_id.encode(),
                        headers=queued.message.headers,
                        partition=partition,
                    )
                except (KafkaError, OSError, TimeoutError) as error:
                    queued.handed_over = False
                    self._fail(queued, error)
                    continue
                future.add_done_callback(partial(self._on_answer, node, queued))
                sent.append(queued)
        for queued in sent:
            # What Kafka says is told to whoever put it.
            with contextlib.suppress(KafkaError, OSError, TimeoutError):
                await queued.acknowledged

    def _on_answer(self, node: int, queued: QueuedMessage, future: "asyncio.Future[object]") -> None:
        failure = KafkaError("given up") if future.cancelled() else future.exception()
        if failure is None:
            self._answered_at[node] = time.monotonic()
            queued.acknowledged.set_result(None)
        else:
            self._fail(queued, failure)

    @staticmethod
    def _fail(queued: QueuedMessage, failure: BaseException) -> None:
        queued.acknowledged.set_exception(failure)
        # Who put it may have gone; asyncio must not report it as never looked at.
        queued.acknowledged.exception()


async def emit(queue: SendQueue | None, messages: Sequence[EncodedMessage], timeout_s: float) -> list[QueuedMessage]:
    """Send messages, and wait for what Kafka says of each; those that have not left by then are withdrawn.

    A large batch may take its time; what ends the waiting is `timeout_s` seconds in which Kafka acknowledges nothing of it.
    A message whose fate is `maybe-taken` may be acknowledged yet.
    """
    if queue is None:
        refused = [QueuedMessage(message) for message in messages]
        for each in refused:
            each.withdraw()
        return refused
    queued = [queue.put(message) for message in messages]
    pending: set[asyncio.Future[None]] = {each.acknowledged for each in queued}
    progress = time.monotonic()
    try:
        while pending:
            left_s = max(progress + timeout_s - time.monotonic(), 0.0)
            done, pending = await asyncio.wait(pending, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                break
            progress = time.monotonic()
    finally:
        for each in queued:
            each.withdraw()
    if any(each.fate != "acknowledged" for each in queued):
        fates = [each.fate for each in queued]
        log.warning(
            "kafka does not answer", withdrawn=fates.count("not-taken"), unacknowledged=fates.count("maybe-taken"),
            timeout_s=round(timeout_s, 2), error=queue.trouble or None,
        )  # fmt: skip
    return queued
