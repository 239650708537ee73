"""What a consumer promises, on real Kafka: nothing lost, nothing out of order, nothing committed ahead of its work."""

import asyncio
import base64
import contextlib
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from local.child import Child
from shared.consumer import ceiling
from shared.consumer.batches import isolation
from shared.consumer.batches.effects import StartedBatch
from shared.consumer.batches.processor import BatchProcessor
from shared.consumer.consumer import Consumer, Limits, Stuck
from shared.consumer.decode import Incoming, Rejection
from shared.failures import Permanent, Transient
from shared.kafka.broker import new_broker
from shared.kafka.producer import Producer, new_producer
from shared.messages import DeadLetter, Outcomes, RawUpdate
from shared.settings import Connections
from shared.streams import OUTCOMES, RAW
from support.servers import Servers, taken_over_soon
from support.topics import committed, everything_in, raw_update, send_all
from support.waiting import eventually

pytestmark = pytest.mark.integration

STAGE = "test.consumer"
Messages = Sequence[Incoming[RawUpdate]]


@asynccontextmanager
async def running(
    settings: Connections,
    handle: Callable[[Messages], Awaitable[Sequence[Rejection]]],
    *,
    producer: Callable[[Producer], Producer] = lambda plain: plain,
    **options: Any,
) -> AsyncIterator[Consumer]:
    """A consumer of updates.raw that runs while the block does, then drains as a process does."""
    kafka_producer = new_producer(settings, STAGE)
    await kafka_producer.start()
    broker = new_broker(settings, STAGE)
    consumer = Consumer(
        stage=STAGE,
        stream=RAW,
        handle=handle,
        producer=producer(Producer(kafka_producer, source=STAGE, topic_prefix=settings.topic_prefix)),
        settings=settings,
        **options,
    )
    consumer.subscribe(broker)
    await broker.start()
    committing = asyncio.create_task(consumer.run())
    try:
        yield consumer
    finally:
        await consumer.drain()
        committing.cancel()
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await committing
        finally:
            await broker.stop()
            await kafka_producer.stop()


class Effects:
    """Records what was handled, in order."""

    def __init__(self) -> None:
        self.guids: list[str] = []

    async def __call__(self, incoming: Messages) -> list[Rejection]:
        self.guids.extend(message.event.guid for message in incoming)
        return []

    def of(self, prefix: str) -> list[str]:
        return [guid for guid in self.guids if guid.startswith(prefix)]


def same_key(names: Iterable[str]) -> list[RawUpdate]:
    """Updates that go to one partition, so that their order is defined."""
    first = raw_update("one partition")
    return [raw_update(name, update_id=first.update_id) for name in names]


async def send_raw(settings: Connections, value: bytes, headers: Sequence[tuple[str, bytes]] = ()) -> None:
    """Put bytes on updates.raw in the partition of `same_key`."""
    kafka_producer = new_producer(settings, "tests")
    await kafka_producer.start()
    try:
        key = raw_update("one partition").update_id
        await kafka_producer.send_and_wait(
            settings.topic_prefix + RAW.name, value, key=key.encode(), headers=list(headers)
        )
    finally:
        await kafka_producer.stop()


async def dead_letters(settings: Connections) -> list[DeadLetter]:
    """The dead letters of updates.raw."""
    return [
        DeadLetter.model_validate_json(record.value or b"")
        for record in await everything_in(settings, RAW.dead_letters)
    ]


async def total_committed(settings: Connections) -> int:
    """The sum of committed offsets, which is the number of messages committed on fresh topics."""
    return sum((await committed(settings, STAGE, RAW)).values())


async def test_poison_in_the_middle_of_a_batch_lets_the_rest_pass(newsroom: Connections) -> None:
    """A message that cannot be read is set aside whole, with the reason and its place; its neighbours are handled in order."""
    poison = b'{"update_id": "short", "headline": '
    await send_all(newsroom, RAW, same_key(["a", "b", "c"]))
    await send_raw(newsroom, poison, [("ce_type", RawUpdate.ce_type.encode()), ("traceparent", b"00-abc-def-00")])
    await send_all(newsroom, RAW, same_key(["d", "e", "f"]))
    effects = Effects()
    async with running(newsroom, effects):
        await eventually(lambda: len(effects.guids) >= 6, what="handled")
        (dead,) = await eventually(lambda: dead_letters(newsroom), what="dead letter")
    assert effects.guids == ["a", "b", "c", "d", "e", "f"]
    assert base64.b64decode(dead.payload) == poison
    assert (dead.stage, dead.failure, dead.offset) == (STAGE, "invalid", 3)
    assert dead.topic == newsroom.topic_prefix + RAW.name
    assert dead.reason
    assert dead.traceparent == "00-abc-def-00"
    assert await total_committed(newsroom) == 7


async def test_a_field_at_fault_is_named(newsroom: Connections) -> None:
    """A dead letter tells which field broke the contract, as a JSON pointer."""
    bad = raw_update("bad").model_dump_json().replace('"status":"usable"', '"status":7')
    await send_raw(newsroom, bad.encode(), [("ce_type", RawUpdate.ce_type.encode())])
    async with running(newsroom, Effects()):
        (dead,) = await eventually(lambda: dead_letters(newsroom), what="dead letter")
    assert dead.field == "/status"


async def test_a_transient_failure_is_retried_in_order(newsroom: Connections) -> None:
    """While infrastructure is away nothing is skipped, nothing overtakes and nothing goes to the dead letters."""
    await send_all(newsroom, RAW, same_key(str(number) for number in range(20)))
    effects, attempts = Effects(), 0

    async def handle(incoming: Messages) -> list[Rejection]:
        nonlocal attempts
        attempts += 1
        if attempts <= 3:
            raise Transient("the database is away")
        return await effects(incoming)

    async with running(newsroom, handle, max_records=7) as consumer:
        await eventually(consumer.why_not_ready, lambda why: why and "database is away" in why)
        await eventually(lambda: len(effects.guids) >= 20, what="handled")
        assert consumer.why_not_ready() is None
    assert effects.guids == [str(number) for number in range(20)]
    assert await dead_letters(newsroom) == []
    assert await total_committed(newsroom) == 20


async def test_what_can_never_be_done_is_set_aside(newsroom: Connections) -> None:
    """A permanent failure, returned or raised, costs its own message only."""
    await send_all(newsroom, RAW, same_key(["a", "returned", "b", "raised", "c"]))
    effects = Effects()

    async def handle(incoming: Messages) -> list[Rejection]:
        if any(message.event.guid == "raised" for message in incoming):
            raise Permanent("not to be done", field="/guid")
        good = [message for message in incoming if message.event.guid != "returned"]
        await effects(good)
        bad = [message for message in incoming if message.event.guid == "returned"]
        return [Rejection(message.record, Permanent("never")) for message in bad]

    async with running(newsroom, handle):
        await eventually(lambda: dead_letters(newsroom), lambda found: len(found) == 2, what="two dead letters")
        await eventually(lambda: "c" in effects.guids, what="the last one handled")
    assert {dead.reason for dead in await dead_letters(newsroom)} == {"never", "not to be done"}
    assert {dead.failure for dead in await dead_letters(newsroom)} == {"permanent"}
    assert list(dict.fromkeys(effects.guids)) == ["a", "b", "c"]


async def test_a_bug_on_one_message_is_tried_again_then_set_aside(newsroom: Connections) -> None:
    """An unforeseen error is tried three times on that message alone, then the feed goes on without it."""
    await send_all(newsroom, RAW, same_key(["a", "b", "bug", "c"]))
    effects, tried = Effects(), 0

    async def handle(incoming: Messages) -> list[Rejection]:
        nonlocal tried
        if any(message.event.guid == "bug" for message in incoming):
            tried += len(incoming) == 1
            raise ValueError("unforeseen")
        return await effects(incoming)

    async with running(newsroom, handle):
        (dead,) = await eventually(lambda: dead_letters(newsroom), what="dead letter")
        await eventually(lambda: "c" in effects.guids, what="the next one handled")
    assert tried == isolation.BUG_ATTEMPTS
    assert dead.reason == "ValueError: unforeseen"
    assert list(dict.fromkeys(effects.guids)) == ["a", "b", "c"]


async def test_a_bug_of_the_moment_costs_nothing(newsroom: Connections) -> None:
    """An unforeseen error that does not come again sets nothing aside."""
    await send_all(newsroom, RAW, same_key(["a"]))
    effects, calls = Effects(), 0

    async def handle(incoming: Messages) -> list[Rejection]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise KeyError("once")
        return await effects(incoming)

    async with running(newsroom, handle):
        await eventually(lambda: effects.guids == ["a"], what="handled")
    assert await dead_letters(newsroom) == []


async def test_drain_commits_what_is_done(newsroom: Connections) -> None:
    """At the end of a process its positions are committed at once, so that the next one repeats nothing."""
    await send_all(newsroom, RAW, [raw_update(str(number)) for number in range(50)])
    effects = Effects()
    async with running(newsroom, effects, limits=Limits(commit_interval_s=3600)):
        await eventually(lambda: len(effects.guids) == 50, what="handled")
        assert await total_committed(newsroom) == 0
    assert await total_committed(newsroom) == 50


async def test_nothing_is_committed_ahead_of_its_work(newsroom: Connections) -> None:
    """While a batch is being handled, the position before it stays committed, however long it takes."""
    await send_all(newsroom, RAW, same_key(["first"]))
    effects, hold = Effects(), asyncio.Event()

    async def handle(incoming: Messages) -> list[Rejection]:
        if any(message.event.guid == "slow" for message in incoming):
            await hold.wait()
        return await effects(incoming)

    async with running(newsroom, handle) as consumer:
        await eventually(lambda: total_committed(newsroom), lambda total: total == 1, what="the first committed")
        await send_all(newsroom, RAW, same_key(["slow"]))
        await eventually(lambda: consumer.status().oldest_batch_s is not None, what="the slow one under way")
        await consumer._processor.commit()
        assert await total_committed(newsroom) == 1
        hold.set()
        await eventually(lambda: total_committed(newsroom), lambda total: total == 2, what="both committed")


async def test_the_ceiling_halts_a_consumer_that_would_empty_its_topic(newsroom: Connections) -> None:
    """When everything fails, the consumer stops, says so in its readiness, and leaves the messages where they are."""
    many = ceiling.MOST_IN_A_ROW * 3
    await send_all(newsroom, RAW, same_key(str(number) for number in range(many)))

    async def handle(incoming: Messages) -> list[Rejection]:
        return [Rejection(message.record, Permanent("a bad release")) for message in incoming]

    async with running(newsroom, handle, max_records=60) as consumer:
        await eventually(consumer.why_not_ready, lambda why: why and "ceiling" in why, what="halted")
        set_aside = len(await dead_letters(newsroom))
    assert set_aside <= ceiling.MOST_IN_A_ROW
    assert await total_committed(newsroom) == set_aside


async def test_dead_letters_that_cannot_be_written_do_not_count_twice(newsroom: Connections) -> None:
    """An outage of the dead-letter topic is a pause: its repeats never add up to the ceiling."""
    bad = 150
    await send_all(newsroom, RAW, same_key(str(number) for number in range(bad)))
    refusals = ceiling.MOST_IN_A_ROW // bad + 2

    class Failing(Producer):
        async def send(self, topic: str, *arguments: Any, **options: Any) -> Any:
            nonlocal refusals
            if topic == RAW.dead_letters and refusals > 0:
                refusals -= 1
                raise OSError("the dead-letter topic has no leader")
            return await super().send(topic, *arguments, **options)

    def failing(plain: Producer) -> Producer:
        return Failing(plain._producer, source=STAGE, topic_prefix=newsroom.topic_prefix)

    async def handle(incoming: Messages) -> list[Rejection]:
        return [Rejection(message.record, Permanent("never")) for message in incoming]

    async with running(newsroom, handle, producer=failing):
        await eventually(
            lambda: dead_letters(newsroom), lambda found: len(found) >= bad, within_s=60, what="dead letters"
        )
    assert await total_committed(newsroom) == bad


@pytest.mark.needs("a second member")
async def test_a_second_replica_takes_over_without_loss_or_disorder(newsroom: Connections) -> None:
    """A rebalance in the middle of work loses nothing, and within a key no effect runs before an earlier one is done."""
    guids = [f"key{key}/{number:03}" for number in range(30) for key in range(12)]
    await send_all(newsroom, RAW, [raw_update(guid, update_id=raw_update(guid[:5]).update_id) for guid in guids])
    first_done: dict[str, list[str]] = defaultdict(list)
    by: dict[str, set[str]] = defaultdict(set)

    def worker(name: str) -> Callable[[Messages], Awaitable[list[Rejection]]]:
        async def handle(incoming: Messages) -> list[Rejection]:
            # Slow until the other has joined, so that the rebalance finds work in hand.
            await asyncio.sleep(0.01 if by["two"] else 0.3)
            for message in incoming:
                guid = message.event.guid
                if guid not in first_done[guid[:5]]:
                    first_done[guid[:5]].append(guid)
                by[name].add(guid)
            return []

        return handle

    async with running(newsroom, worker("one"), max_records=10):
        await eventually(lambda: len(by["one"]) > 30, what="the first at work")
        async with running(newsroom, worker("two"), max_records=10):
            await eventually(
                lambda: len(by["one"] | by["two"]), lambda count: count == len(guids), within_s=40, what="all done"
            )
    assert by["two"], "the second replica was given no partition"
    for done in first_done.values():
        assert done == sorted(done)
    assert await total_committed(newsroom) == len(guids)


async def test_what_comes_while_a_backlog_is_handled_passes_it(newsroom: Connections) -> None:
    """A few batches later, though Kafka has given thousands of the backlog at once, and gives nothing else until those are taken."""
    live = [raw_update(f"live-{number}") for number in range(8)]

    class Working(Effects):
        sent_at = 0

        async def __call__(self, incoming: Messages) -> list[Rejection]:
            await super().__call__(incoming)
            if not self.sent_at and len(self.guids) > 500:
                await send_all(newsroom, RAW, live)
                self.sent_at = len(self.guids)
            # As long as a batch takes.
            await asyncio.sleep(0.05)
            return []

    effects = Working()
    await send_all(newsroom, RAW, same_key(f"late-{number:04}" for number in range(8_000)))
    async with running(newsroom, effects, max_records=100):
        await eventually(lambda: effects.of("live"))
    assert effects.of("late") == sorted(effects.of("late"))
    first = next(number for number, guid in enumerate(effects.guids) if guid.startswith("live"))
    assert first - effects.sent_at <= 1_000


async def test_a_header_that_is_not_utf8_does_no_harm(newsroom: Connections) -> None:
    """Headers are anybody's bytes: a foreign one never costs a message."""
    value = raw_update("odd").model_dump_json().encode()
    headers = [("ce_type", RawUpdate.ce_type.encode()), ("x-odd", b"\xff\xfe\x00"), ("traceparent", b"\xc3\x28")]
    await send_raw(newsroom, value, headers)
    effects = Effects()
    async with running(newsroom, effects):
        await eventually(lambda: effects.guids == ["odd"], what="handled")
    assert await dead_letters(newsroom) == []


async def test_the_sender_of_what_cannot_be_read_is_told(newsroom: Connections) -> None:
    """Its ce_id names the version, so its end is on updates.outcomes; what names none is only a dead letter."""
    update = raw_update("one partition")
    version = f"{update.update_id}:{'0' * 32}"
    for ce_id in (version, f"{version}:20260101T120000.000000Z", "order:1", "nonsense", ""):
        headers = [("ce_id", ce_id.encode()), ("ce_type", RawUpdate.ce_type.encode())]
        await send_raw(newsroom, b'{"update_id": 5}', headers)
    effects = Effects()
    async with running(newsroom, effects):

        async def set_aside() -> int:
            return len(await dead_letters(newsroom))

        await eventually(set_aside, lambda count: count == 5, within_s=30, what="not all were set aside")
    told = [
        outcome
        for record in await everything_in(newsroom, OUTCOMES)
        for outcome in Outcomes.model_validate_json(record.value or b"").outcomes
    ]
    assert {(each.update_id, each.fingerprint, each.stage) for each in told} == {(update.update_id, "0" * 32, "dead")}
    assert len(told) == 2
    assert told[0].reason.startswith("/update_id: RawUpdate: ")


async def test_a_message_of_an_unknown_type_is_no_dead_letter_when_it_is_ours(newsroom: Connections) -> None:
    """A newer release may put new types on a topic: older readers pass over ours and set others' aside."""
    await send_raw(newsroom, b"{}", [("ce_type", b"slugline.update.invented")])
    await send_raw(newsroom, b"{}", [("ce_type", b"com.example.else")])
    async with running(newsroom, Effects()):
        (dead,) = await eventually(lambda: dead_letters(newsroom), what="dead letter")
    assert dead.field == "ce_type"


async def test_kill_between_effect_and_commit_repeats_the_work(
    newsroom: Connections, servers: Servers, tmp_path: Path
) -> None:
    """A process that dies after its effect and before its commit leaves the message to the next one: twice, never not."""
    newsroom = taken_over_soon(newsroom, servers)
    await send_all(newsroom, RAW, same_key(["a", "b", "c"]))
    script = Path(__file__).parent / "dying_consumer.py"
    variables = {name.upper(): str(value) for name, value in newsroom.model_dump().items()}
    child = Child("dying", [sys.executable, str(script), str(tmp_path / "effects")], tmp_path / "log", env=variables)
    child.start()
    await eventually(lambda: not child.running, what="the first process killed", within_s=30)
    assert child.process is not None
    assert child.process.returncode == -9, child.tail()
    assert (tmp_path / "effects").read_text().split() == ["a", "b", "c"]
    assert await total_committed(newsroom) == 0
    effects = Effects()
    async with running(newsroom, effects):
        await eventually(lambda: len(effects.guids) >= 3, within_s=45, what="repeated")
    assert effects.guids == ["a", "b", "c"]


class Beginning:
    """Begins batches whose settling the test decides; what fails takes those begun after it with it, as it must."""

    def __init__(self) -> None:
        self.begun: list[tuple[list[str], asyncio.Future[None]]] = []
        self.handled: list[str] = []

    @property
    def names(self) -> list[str]:
        return [guid for guids, _ in self.begun for guid in guids]

    async def start_batch(self, incoming: Messages) -> StartedBatch:
        settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.begun.append(([message.event.guid for message in incoming], settled))
        return StartedBatch([], settled)

    async def handle(self, incoming: Messages) -> list[Rejection]:
        self.handled.extend(message.event.guid for message in incoming)
        return []

    def settle(self, guid: str) -> None:
        for guids, settled in self.begun:
            if guid in guids and not settled.done():
                settled.set_result(None)

    def fail(self, failure: Exception, *, since: str) -> None:
        failing = False
        for guids, settled in self.begun:
            failing = failing or since in guids
            if failing and not settled.done():
                settled.set_exception(failure)


async def test_a_batch_begins_before_the_last_has_settled_and_none_is_committed_out_of_turn(
    newsroom: Connections,
) -> None:
    """What settled is committed as far as everything before it has; what has not stays, also over a drain's commit."""
    await send_all(newsroom, RAW, same_key(["a", "b", "c"]))
    work = Beginning()
    async with running(newsroom, work.handle, start_batch=work.start_batch, max_records=1):
        await eventually(lambda: work.names == ["a", "b", "c"], what="all begun")
        work.settle("a")
        work.settle("c")
        await eventually(lambda: total_committed(newsroom), lambda total: total == 1, what="the first committed")
        await send_all(newsroom, RAW, same_key(["d"]))
        await eventually(lambda: "d" in work.names, what="the fourth begun")
        assert await total_committed(newsroom) == 1
        work.settle("b")
        await eventually(lambda: total_committed(newsroom), lambda total: total == 3, what="three committed")
        work.settle("d")
    assert await total_committed(newsroom) == 4
    assert work.handled == []


@pytest.mark.parametrize("failure", [Transient("the database is away"), ValueError("unforeseen")])
async def test_what_does_not_settle_is_read_again_and_handled_one_batch_at_a_time(
    newsroom: Connections, failure: Exception
) -> None:
    """A batch that fails after it was begun comes again, in order, with all that were begun after it, also when nothing new arrives."""
    await send_all(newsroom, RAW, same_key(["a", "b", "c", "d"]))
    work = Beginning()
    async with running(newsroom, work.handle, start_batch=work.start_batch, max_records=1):
        await eventually(lambda: work.names == ["a", "b", "c", "d"], what="all begun")
        work.settle("a")
        work.fail(failure, since="b")
        await eventually(lambda: work.handled == ["b", "c", "d"], what="handled again")
        await send_all(newsroom, RAW, same_key(["e"]))
        await eventually(lambda: "e" in work.names, what="the next begun")
        work.settle("e")
        await eventually(lambda: total_committed(newsroom), lambda total: total == 5, what="all committed")
    assert work.names == ["a", "b", "c", "d", "e"]


async def test_what_was_read_beyond_a_failure_is_read_again_after_it(newsroom: Connections) -> None:
    """Records that arrive while a failed batch ends are not handled before it."""
    await send_all(newsroom, RAW, same_key(["a"]))
    work = Beginning()
    async with running(newsroom, work.handle, start_batch=work.start_batch, max_records=1) as consumer:
        await eventually(lambda: work.names == ["a"], what="begun")
        work.fail(Transient("the database is away"), since="a")
        await send_all(newsroom, RAW, same_key(["b"]))
        await eventually(lambda: "b" in [*work.handled, *work.names], what="the second taken")
        assert work.handled[:1] == ["a"]
        work.settle("b")
        await eventually(lambda: total_committed(newsroom), lambda total: total == 2, what="both committed")
        assert consumer.why_not_ready() is None


async def test_no_more_than_so_many_batches_are_in_flight(newsroom: Connections) -> None:
    """A stage whose effects do not settle stops reading instead of filling its memory."""
    limits = Limits(batches_in_flight=20)
    names = [f"{number:02}" for number in range(limits.batches_in_flight + 5)]
    await send_all(newsroom, RAW, same_key(names))
    work = Beginning()
    async with running(newsroom, work.handle, start_batch=work.start_batch, max_records=1, limits=limits):
        await eventually(lambda: len(work.begun) == limits.batches_in_flight, what="as many as may be")
        work.settle(names[0])
        await eventually(lambda: len(work.begun) == limits.batches_in_flight + 1, what="one more")
        for number, name in enumerate(names, 1):
            await eventually(lambda: len(work.names), lambda begun, least=number: begun >= least, what=f"{name} begun")
            work.settle(name)
    assert work.names == names
    assert await total_committed(newsroom) == len(names)


class Batches(Effects):
    """Records what was handled together."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[str]] = []

    async def __call__(self, incoming: Messages) -> list[Rejection]:
        self.batches.append([message.event.guid for message in incoming])
        return await super().__call__(incoming)


@pytest.mark.needs("whole fetches")
async def test_a_paced_consumer_takes_the_first_at_once_and_then_what_has_gathered(newsroom: Connections) -> None:
    """Nobody waits where nothing has come for a while; what comes at once after is one batch."""
    work = Batches()
    async with running(newsroom, work, pace_s=5.0):
        for name in ("a", "b", "c"):
            await send_all(newsroom, RAW, same_key([name]))
            if name == "a":
                await eventually(lambda: work.guids == ["a"], within_s=15, what="the first handled")
        await eventually(lambda: work.guids == ["a", "b", "c"], what="all handled")
    assert work.batches == [["a"], ["b", "c"]]


async def test_a_paced_consumer_does_not_rest_while_its_batches_are_full(newsroom: Connections) -> None:
    """What has piled up is worked off as fast as it goes."""
    names = ["a", "b", "c", "d"]
    await send_all(newsroom, RAW, same_key(names))
    work = Batches()
    async with running(newsroom, work, pace_s=600.0, max_records=1):
        await eventually(lambda: work.guids == names, what="all handled")
    assert await total_committed(newsroom) == 4


async def test_a_batch_that_raises_in_the_consumer_itself_is_read_again(
    newsroom: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong, no batch is passed over."""
    effects, taken, failed = Effects(), BatchProcessor._process, []

    async def failing_once(processor: BatchProcessor[RawUpdate], records: Any) -> None:
        if not failed:
            failed.append(True)
            raise RuntimeError("a bug")
        await taken(processor, records)

    monkeypatch.setattr(BatchProcessor, "_process", failing_once)
    await send_all(newsroom, RAW, same_key(["a", "b"]))
    async with running(newsroom, effects):
        await eventually(lambda: effects.guids == ["a", "b"], what="handled")
        await eventually(lambda: total_committed(newsroom), lambda total: total == 2, what="both committed")


async def test_a_consumer_that_polls_no_more_says_so(newsroom: Connections) -> None:
    """A consume loop that ended without a word is neither ready nor live, so that its process is restarted."""
    effects = Effects()
    async with running(newsroom, effects) as consumer:
        await send_all(newsroom, RAW, same_key(["a"]))
        await eventually(lambda: effects.guids == ["a"], what="handled")
        assert consumer.why_not_live() is None
        for task in consumer._subscriber.tasks:
            task.cancel()
        await eventually(consumer.why_not_live, lambda why: why and "polled" in why, what="not live")
        assert "polled" in str(consumer.why_not_ready())


@pytest.mark.parametrize("pauses", [0, 1])
async def test_a_batch_that_waits_for_ever_ends_its_process(newsroom: Connections, pauses: int) -> None:
    """What awaits an answer that never comes is seen by a loop that still turns, after a pause too: the process ends, and a new
    one begins."""
    limits = Limits(longest_batch_s=2.0, drain_s=1.0)
    await send_all(newsroom, RAW, same_key(["a"]))
    begun, never = asyncio.Event(), asyncio.Event()

    failures = iter([Transient("away")] * pauses)

    async def handle(_: Messages) -> list[Rejection]:
        if (failure := next(failures, None)) is not None:
            raise failure
        begun.set()
        await never.wait()
        return []

    async def until_stuck() -> None:
        async with running(newsroom, handle, limits=limits) as consumer:
            await asyncio.wait_for(begun.wait(), 30)
            assert consumer.why_not_live() is None
            await eventually(consumer.why_not_live, lambda why: why and "running for 2 s" in why, what="not live")
            with pytest.raises(Stuck):
                await asyncio.wait_for(consumer.run(), 30)
            never.set()

    with pytest.raises(Stuck):
        await until_stuck()
