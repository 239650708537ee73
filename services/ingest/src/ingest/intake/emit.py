"""Sends to `updates.raw`, and says of each message whether Kafka has it, does not have it, or may have it.

aiokafka cannot take back a message that it was given. So messages wait here until their broker has shown that it answers. When
a sender is told that Kafka is unavailable, its message is withdrawn and never sent. Only a message that was in flight when the
broker fell silent may still arrive, and only of such a message do we say so.
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
"""How long a broker's last answer counts. After a longer silence it is probed before it is given messages."""
PAUSE_S = 0.1
"""Between two probes of a broker that cannot be reached."""
GROUP_BYTES = 1_048_576
"""The size of the group that a broker is given at once. Until it has acknowledged that, the rest waits here."""

REJECTIONS = (
    ClusterAuthorizationFailedError,
    InvalidTopicError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)
"""Errors with which Kafka says that it has not taken a message; after any other error it may have."""

SendStatus = Literal["acknowledged", "not-sent", "unknown"]
"""`not-sent` is final: the message will not be sent any more. `unknown`: Kafka may have it, or get it yet."""


@dataclass(frozen=True, slots=True)
class EncodedMessage:
    """A message for `updates.raw`, encoded."""

    key: str
    """The source of its update, so that all that concerns a source is in one partition, in order. The update's id where the
    source is not known."""
    value: bytes
    headers: list[tuple[str, bytes]]

    @property
    def too_large(self) -> bool:
        """Whether Kafka would refuse it for its size."""
        return len(self.value) > MAX_MESSAGE_BYTES - ENVELOPE_BYTES


def encoded(message: Message, key: str, event_id: str, traceparent: str) -> EncodedMessage:
    """A message as it is sent."""
    return EncodedMessage(
        key,
        value_of(message),
        headers_for(message, source="slugline/ingest", event_id=event_id, traceparent=traceparent),
    )


class QueuedMessage:
    """A message in a `SendQueue`."""

    __slots__ = ("acknowledged", "handed_over", "message")

    def __init__(self, message: EncodedMessage) -> None:
        self.message = message
        self.acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done once Kafka has the message or has failed to take it; cancelled when it was withdrawn."""
        self.handed_over = False
        """Whether aiokafka has the message, so that it cannot be withdrawn any more."""

    @property
    def status(self) -> SendStatus:
        """What is known of it now."""
        if not self.acknowledged.done():
            return "unknown"
        if self.acknowledged.cancelled():
            return "not-sent"
        failure = self.acknowledged.exception()
        if failure is None:
            return "acknowledged"
        return "not-sent" if not self.handed_over or isinstance(failure, REJECTIONS) else "unknown"

    def withdraw(self) -> None:
        """Cancel it, so that it is never sent, unless aiokafka has it."""
        if not self.handed_over:
            self.acknowledged.cancel()


class SendQueue:
    """Messages for `updates.raw` on their way to Kafka, in order for each partition.

    Each broker is given one group at a time, of all that has gathered for it, and only while its last answer is fresh.
    """

    def __init__(self, producer: Producer, *, fresh_s: float = FRESH_S, group_bytes: int = GROUP_BYTES) -> None:
        self.producer = producer
        self.last_error = ""
        """Why a broker could last not be probed."""
        self._fresh_s = fresh_s
        self._group_bytes = group_bytes
        self._waiting: dict[int | None, deque[QueuedMessage]] = {}
        """By partition; under None while the partitions are not known."""
        self._answered_at: dict[int, float] = {}
        """When each broker last answered, by `time.monotonic`."""
        self._probes: dict[int, asyncio.Task[bool]] = {}
        self._sending: dict[int | None, asyncio.Task[None]] = {}
        """By broker; under None for partitions without a leader."""
        self._later: set[asyncio.Task[None]] = set()

    def put(self, message: EncodedMessage) -> QueuedMessage:
        """Queue a message."""
        queued = QueuedMessage(message)
        partition = self.producer.partition_of(RAW, message.key.encode())
        if None in self._waiting:
            # Messages that came before the partitions were known are sent before this one.
            partition = None
        self._waiting.setdefault(partition, deque()).append(queued)
        self._start(partition)
        return queued

    def when_acknowledged(self, queued: QueuedMessage, work: Callable[[], Awaitable[None]]) -> None:
        """Do something once Kafka has acknowledged a message, if it ever does; for messages whose status is `unknown`."""

        async def wait() -> None:
            await asyncio.wait([queued.acknowledged])
            if queued.status == "acknowledged":
                await work()

        task = asyncio.create_task(wait())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    def probe_brokers(self) -> None:
        """Probe the brokers that have been silent, so that messages that are about to be put need not wait for it."""
        long_ago = time.monotonic() - self._fresh_s
        if self._answered_at and min(self._answered_at.values()) > long_ago:
            return
        leaders = self.producer.leaders_of(RAW)
        self._answered_at = {node: at for node, at in self._answered_at.items() if node in leaders}
        for node in leaders:
            # A broker that is being given messages will answer those first.
            if node not in self._sending and not self._is_fresh(node):
                self._probe(node)

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
                elif self._is_fresh(node) or await self._probe(node):
                    await self._send(node, partitions)
                else:
                    await asyncio.sleep(PAUSE_S)
        finally:
            del self._sending[node]
        # A partition may have another leader by now.
        for partition in self._waiting:
            self._start(partition)

    def _partitions_of(self, node: int | None) -> list[int | None]:
        """The partitions of a broker for which messages wait. Withdrawn messages are dropped."""
        for partition, waiting in list(self._waiting.items()):
            while waiting and waiting[0].acknowledged.done():
                waiting.popleft()
            if not waiting:
                del self._waiting[partition]
        return [partition for partition in self._waiting if self._broker_of(partition) == node]

    async def _find_leaders(self) -> None:
        """Look up the partitions and their leaders, and start sending to those that are known now."""
        try:
            await self.producer.look_up(RAW)
        except (KafkaError, OSError, TimeoutError) as error:
            self.last_error = str(error) or type(error).__name__
        unplaced = self._waiting.pop(None, deque())
        for queued in unplaced:
            partition = self.producer.partition_of(RAW, queued.message.key.encode())
            self._waiting.setdefault(partition, deque()).append(queued)
        for partition in self._waiting:
            self._start(partition)
        if self._partitions_of(None):
            await asyncio.sleep(PAUSE_S)

    def _probe(self, node: int) -> "asyncio.Task[bool]":
        """Whether a broker answers. Callers share one probe at a time."""
        if node not in self._probes:
            self._probes[node] = asyncio.create_task(self._answers(node))
        return self._probes[node]

    async def _answers(self, node: int) -> bool:
        try:
            await self.producer.ask(node)
        except (KafkaError, OSError, TimeoutError) as error:
            self.last_error = str(error) or type(error).__name__
            return False
        else:
            self._answered_at[node] = time.monotonic()
            return True
        finally:
            del self._probes[node]

    async def _send(self, node: int, partitions: Sequence[int | None]) -> None:
        """Give a broker a group of messages, and wait until it has answered for all of them."""
        sent: list[QueuedMessage] = []
        left = self._group_bytes
        for partition in partitions:
            if left <= 0:
                break
            waiting = self._waiting.pop(partition, deque())
            # It goes to the end for the next group: a flood on one partition must not keep the others waiting.
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
                        key=queued.message.key.encode(),
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
            # Each sender gets the error of its own message.
            with contextlib.suppress(KafkaError, OSError, TimeoutError):
                await queued.acknowledged

    def _on_answer(self, node: int, queued: QueuedMessage, future: "asyncio.Future[object]") -> None:
        failure = KafkaError("cancelled") if future.cancelled() else future.exception()
        if failure is None:
            self._answered_at[node] = time.monotonic()
            queued.acknowledged.set_result(None)
        else:
            self._fail(queued, failure)

    @staticmethod
    def _fail(queued: QueuedMessage, failure: BaseException) -> None:
        queued.acknowledged.set_exception(failure)
        # Its sender may be gone; read the exception, lest asyncio report that nobody did.
        queued.acknowledged.exception()


async def emit(
    queue: SendQueue | None,
    messages: Sequence[EncodedMessage],
    timeout_s: float,
    on_queued: Callable[[], None] = lambda: None,
) -> list[QueuedMessage]:
    """Send messages and wait until Kafka has answered for each; those that still wait after that are withdrawn.

    They are queued at once, which `on_queued` is told: whatever is queued for the same source from then on comes out behind them.

    A large batch may take long: what ends the wait is `timeout_s` in which Kafka acknowledges none of it. A message whose status
    is `unknown` may still be acknowledged.
    """
    if queue is None:
        unsent = [QueuedMessage(message) for message in messages]
        for each in unsent:
            each.withdraw()
        return unsent
    queued = [queue.put(message) for message in messages]
    on_queued()
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
    statuses = [each.status for each in queued]
    if any(status != "acknowledged" for status in statuses):
        log.warning(
            "kafka does not answer", withdrawn=statuses.count("not-sent"), unacknowledged=statuses.count("unknown"),
            timeout_s=round(timeout_s, 2), error=queue.last_error or None,
        )  # fmt: skip
    return queued
