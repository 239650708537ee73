"""What a sender is told of a message, and what becomes of it, when brokers fall silent."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, NodeNotReadyError, RequestTimedOutError

from ingest.intake.emit import EncodedMessage, QueuedMessage, SendQueue, emit
from support.waiting import eventually


class Brokers:
    """Two brokers that lead two partitions: keys of digits are led to by their last one. Nothing is stored: what counts here
    is what is handed over, and when."""

    def __init__(self) -> None:
        self.leaders: dict[int, int | None] = {0: 10, 1: 11}
        self.known = True
        self.silent: set[int] = set()
        self.unreachable: set[int] = set()
        self.asked: list[int] = []
        self.sent: list[str] = []
        self.under_way: list[tuple[str, asyncio.Future[object]]] = []
        self._woken = asyncio.Event()

    def partition_of(self, _: str, key: bytes) -> int | None:
        """By the last digit."""
        return int(key[-1:]) % 2 if self.known else None

    def leader_of(self, _: str, partition: int) -> int | None:
        """As the test says."""
        return self.leaders[partition]

    def leaders_of(self, _: str) -> set[int]:
        """All of them."""
        return {node for node in self.leaders.values() if node is not None} if self.known else set()

    async def look_up(self, _: str) -> None:
        """Tells of the partitions where the test lets it."""
        await asyncio.sleep(0)

    async def ask(self, node: int) -> None:
        """Answers unless silent."""
        self.asked.append(node)
        if node in self.unreachable:
            raise NodeNotReadyError
        while node in self.silent:
            await self._woken.wait()

    async def send_bytes(self, _: str, value: bytes, **__: Any) -> "asyncio.Future[object]":
        """Takes a message; whether it is acknowledged at once depends on its broker."""
        number = value.decode()
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self.sent.append(number)
        if self.leaders[int(number) % 2] in self.silent:
            self.under_way.append((number, future))
        else:
            asyncio.get_running_loop().call_soon(future.set_result, None)
        return future

    def wake(self, failure: KafkaError | None = None) -> None:
        """Let the silent ones speak: they acknowledge what they were given, or fail to."""
        self.silent.clear()
        self._woken.set()
        for _, future in self.under_way:
            future.set_exception(failure) if failure is not None else future.set_result(None)
        self.under_way.clear()


def message(number: int) -> EncodedMessage:
    """A message for the partition of its last digit."""
    return EncodedMessage(str(number), str(number).encode(), [])


async def statuses(queue: SendQueue, *numbers: int, timeout_s: float = 0.05) -> list[str]:
    """What is told of messages that are sent at once by one sender."""
    return [each.status for each in await emit(queue, [message(number) for number in numbers], timeout_s)]


def queue_of(brokers: Brokers, fresh_s: float = 60.0) -> SendQueue:
    """A queue to the brokers."""
    return SendQueue(brokers, fresh_s=fresh_s)  # type: ignore[arg-type]


async def test_what_was_refused_while_a_broker_was_silent_is_never_sent() -> None:
    """Nothing is handed to a broker that does not answer first; once it does, what was withdrawn stays away and the rest goes."""
    brokers = Brokers()
    brokers.silent = {10}
    queue = queue_of(brokers)
    told = await asyncio.gather(*(statuses(queue, number) for number in range(0, 40, 2)))
    assert told == [["not-sent"]] * 20
    waits = asyncio.create_task(statuses(queue, 100, timeout_s=30))
    await asyncio.sleep(0)
    brokers.wake()
    assert await waits == ["acknowledged"]
    assert brokers.sent == ["100"]
    assert brokers.asked == [10]


async def test_what_was_under_way_when_a_broker_fell_silent_may_be_taken_and_the_rest_is_not() -> None:
    """The group that it had is in doubt; what came after it is withdrawn; a late acknowledgement is heard of."""
    brokers = Brokers()
    queue = queue_of(brokers)
    assert await statuses(queue, 0) == ["acknowledged"]
    brokers.silent = {10}
    doubtful = asyncio.create_task(emit(queue, [message(2)], 0.1))
    await eventually(lambda: brokers.sent == ["0", "2"], what="not handed over")
    assert await statuses(queue, 4) == ["not-sent"]
    [sent] = await doubtful
    assert sent.status == "unknown"
    heard: list[QueuedMessage] = []

    async def note() -> None:
        heard.append(sent)

    queue.when_acknowledged(sent, note)
    brokers.wake()
    await eventually(lambda: heard == [sent], what="not heard of")
    assert sent.status == "acknowledged"
    assert await statuses(queue, 6) == ["acknowledged"]
    assert brokers.sent == ["0", "2", "6"]


@pytest.mark.parametrize(
    ("failure", "status"), [(RequestTimedOutError(), "unknown"), (MessageSizeTooLargeError(), "not-sent")]
)
async def test_a_failure_says_whether_a_message_may_be_taken(failure: KafkaError, status: str) -> None:
    """Only Kafka's own no is one: after a time-out it may have the message all the same."""
    brokers = Brokers()
    queue = queue_of(brokers)
    assert await statuses(queue, 0) == ["acknowledged"]
    brokers.silent = {10}
    sent = asyncio.create_task(statuses(queue, 2, timeout_s=30))
    await eventually(lambda: len(brokers.under_way), what="not handed over")
    brokers.wake(failure)
    assert await sent == [status]


async def test_one_silent_broker_does_not_hold_up_the_other() -> None:
    """Partitions of another broker go on; a large batch is told of message by message."""
    brokers = Brokers()
    brokers.silent = {10}
    assert await statuses(queue_of(brokers), 0, 1, 2, 3) == ["not-sent", "acknowledged", "not-sent", "acknowledged"]
    assert brokers.sent == ["1", "3"]


async def test_messages_of_a_partition_keep_their_order_and_gather() -> None:
    """While a broker has a group, what comes gathers, and goes together, in order, once that is acknowledged."""
    brokers = Brokers()
    queue = queue_of(brokers)
    assert await statuses(queue, 0) == ["acknowledged"]
    brokers.silent = {10}
    senders = [asyncio.create_task(statuses(queue, number, timeout_s=30)) for number in range(2, 402, 2)]
    await eventually(lambda: len(brokers.sent) > 1, what="not handed over")
    senders += [asyncio.create_task(statuses(queue, number, timeout_s=30)) for number in range(402, 502, 2)]
    await asyncio.sleep(0)
    assert len(brokers.sent) == 201
    brokers.wake()
    assert await asyncio.gather(*senders) == [["acknowledged"]] * 250
    assert brokers.sent == [str(number) for number in range(0, 502, 2)]


async def test_a_flood_in_one_partition_does_not_keep_another_waiting() -> None:
    """What a broker is given at once is bounded, and its partitions take turns."""
    brokers = Brokers()
    brokers.leaders[1] = 10
    queue = SendQueue(brokers, group_bytes=20)  # type: ignore[arg-type]
    flood = asyncio.create_task(statuses(queue, *range(1000, 1400, 2), timeout_s=30))
    late = asyncio.create_task(statuses(queue, 1001, timeout_s=30))
    assert await asyncio.gather(flood, late) == [["acknowledged"] * 200, ["acknowledged"]]
    assert brokers.sent.index("1001") < 12
    assert [each for each in brokers.sent if each != "1001"] == [str(number) for number in range(1000, 1400, 2)]


async def test_a_broker_is_asked_only_after_a_silence_and_once_for_all() -> None:
    """A broker that has just acknowledged something is not asked; one that is silent is asked once, however many wait; what is
    asked ahead has been answered when it is needed."""
    brokers = Brokers()
    queue = queue_of(brokers)
    for number in range(0, 20, 2):
        assert await statuses(queue, number) == ["acknowledged"]
    assert brokers.asked == [10]
    hasty = queue_of(brokers, fresh_s=0.0)
    for _ in range(2):
        assert await statuses(hasty, 0, 2, 4) == ["acknowledged"] * 3
    assert brokers.asked == [10] * 3
    ahead = queue_of(brokers)
    brokers.asked.clear()
    ahead.probe_brokers()
    ahead.probe_brokers()
    await eventually(lambda: sorted(brokers.asked) == [10, 11], what="not asked ahead")
    assert await statuses(ahead, 0, 1) == ["acknowledged"] * 2
    assert sorted(brokers.asked) == [10, 11]


async def test_a_broker_that_comes_back_within_the_patience_gets_what_waits() -> None:
    """A broker that cannot be reached is tried again as long as somebody waits, and then left alone."""
    brokers = Brokers()
    brokers.unreachable = {10}
    queue = queue_of(brokers)
    assert await statuses(queue, 0) == ["not-sent"]
    waits = asyncio.create_task(statuses(queue, 2, timeout_s=30))
    await eventually(lambda: len(brokers.asked) > 2, what="not tried again")
    brokers.unreachable.clear()
    assert await waits == ["acknowledged"]
    assert brokers.sent == ["2"]


async def test_what_has_no_leader_waits_for_one_in_order() -> None:
    """Partitions that are not known yet, or have lost their leader, take nothing until they have one."""
    brokers = Brokers()
    brokers.known = False
    queue = queue_of(brokers)
    assert await statuses(queue, 0, 1) == ["not-sent"] * 2
    first = asyncio.create_task(statuses(queue, 2, 4, timeout_s=30))
    await asyncio.sleep(0)
    brokers.known = True
    second = asyncio.create_task(statuses(queue, 6, 8, timeout_s=30))
    assert await asyncio.gather(first, second) == [["acknowledged"] * 2] * 2
    brokers.leaders[0] = None
    waits = asyncio.create_task(statuses(queue, 10, timeout_s=30))
    assert await statuses(queue, 12) == ["not-sent"]
    brokers.leaders[0] = 11
    assert await waits == ["acknowledged"]
    assert brokers.sent == ["2", "4", "6", "8", "10"]


async def test_a_sender_that_is_given_up_takes_its_messages_back() -> None:
    """A request that is cancelled leaves nothing behind that is sent later."""
    brokers = Brokers()
    brokers.silent = {10}
    queue = queue_of(brokers)
    sender = asyncio.create_task(statuses(queue, 0, 2, timeout_s=30))
    await eventually(lambda: brokers.asked, what="not asked")
    sender.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sender
    brokers.wake()
    assert await statuses(queue, 4) == ["acknowledged"]
    assert brokers.sent == ["4"]


async def test_without_a_way_to_kafka_nothing_is_taken() -> None:
    """Before Kafka has answered for the first time."""
    told: Sequence[QueuedMessage] = await emit(None, [message(1), message(2)], 1)
    assert [each.status for each in told] == ["not-sent"] * 2
