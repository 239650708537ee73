"""Several writers, crashes and late ones, on real Kafka and Postgres: what rows say is what the log says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio

from enrich.reference.loader import ReferenceData, ReferenceLoader
from enrich.settings import Settings
from enrich.text.domain.lifecycle import Input
from enrich.text.domain.state import State
from enrich.text.handler import TextHandler
from enrich.text.published.follower import LogFollower
from enrich.text.published.places import read_places
from enrich.text.published.reader import PublishedLog
from enrich.text.published.recovery import Recovery
from enrich.text.state_store import load
from shared.consumer.decode import Incoming, header_of
from shared.failures import Transient
from shared.kafka.producer import Producer, new_producer
from shared.messages import EnrichedUpdate, update_id_for
from shared.postgres.migrations import open_pool
from shared.postgres.pool import Pool
from shared.settings import Connections
from shared.streams import ENRICHED, RAW
from support.enrich_text import Desk, Replicas, settings_of
from support.incoming import order, version
from support.topics import everything_in
from support.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

UPDATE = update_id_for("pa", "g1")
Writers = Callable[[], Awaitable[TextHandler]]


@pytest_asyncio.fixture
async def pool(newsroom: Connections) -> AsyncIterator[Pool]:
    """Postgres with the schema."""
    pool = await open_pool(Settings(**newsroom.model_dump()), schema="enrich", stop=asyncio.Event())
    yield pool
    await pool.close()


@pytest_asyncio.fixture
async def writer(newsroom: Connections, pool: Pool) -> AsyncIterator[Writers]:
    """Starts handlers as processes of enrich text have them; each has a producer and a follower of its own."""
    settings = settings_of(newsroom)
    async with AsyncExitStack() as stack:

        async def start() -> TextHandler:
            kafka_producer = new_producer(settings, "test")
            await kafka_producer.start()
            stack.push_async_callback(kafka_producer.stop)
            follower = LogFollower(settings)
            await follower.start(asyncio.Event())
            stack.push_async_callback(follower.stop)
            return TextHandler(
                pool=pool,
                producer=Producer(kafka_producer, source="test", topic_prefix=settings.topic_prefix),
                loader=ReferenceLoader(pool, None, ReferenceData()),
                settings=settings,
                follower=follower,
                recovery=Recovery(pool, PublishedLog(settings), follower),
            )

        yield start


async def at(desk: Desk, *messages: Input) -> Sequence[Incoming[Any]]:
    """Messages as they stand on updates.raw, which has them: recovery asks for its end."""
    before = len(await desk.records(RAW))
    await desk.send(*messages)
    keys = {UPDATE.encode(), *map(str.encode, desk.sources.values())}
    records = [record for record in await desk.records(RAW) if record.key in keys]
    offsets = [(record.partition, record.offset) for record in records][-len(messages) :]
    assert before + len(messages) == len(await desk.records(RAW))
    return [
        Incoming(SimpleNamespace(partition=partition, offset=offset, key=b"", headers=()), message)  # type: ignore[arg-type]
        for (partition, offset), message in zip(offsets, messages, strict=True)
    ]


async def published(desk: Desk) -> list[EnrichedUpdate]:
    """What counts for readers, in order."""
    found: list[EnrichedUpdate] = []
    for update in await desk.revisions():
        if update.revision > max((each.revision for each in found), default=0):
            found.append(update)
    return found


async def row(pool: Pool) -> State:
    """The state of the update as Postgres has it."""
    return (await load(pool, [UPDATE]))[UPDATE].state


async def assert_row_is_the_log(desk: Desk, pool: Pool) -> None:
    """Enrich's idea of what was last published is the log's first record of that number."""
    state, last = await row(pool), (await published(desk))[-1]
    assert state.last_published is not None
    assert (state.revision, state.last_published.removal) == (last.revision, last.removal)
    assert (state.last_published.headline, state.last_published.text) == (last.headline, last.text)


async def test_a_writer_that_dies_before_its_rows_changes_nothing(
    desk: Desk, writer: Writers, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is as dead as it can be in this process: none of its rows is ever written. The next one is asked for the same."""
    dying = await writer()
    messages = await at(desk, version(1), version(2), order("withdraw", 3))

    async def never(*_: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(dying._writer, "_record", never)
    await dying.start_batch(messages)
    before = await desk.until(3)
    await (await writer()).handle(messages)
    assert await desk.revisions() == before
    await assert_row_is_the_log(desk, pool)
    # The desk takes it further from there.
    await (await writer()).handle(await at(desk, order("kill", 4)))
    assert [(each.revision, each.removal) for each in (await published(desk))[2:]] == [(3, "withdrawn"), (4, "killed")]
    await assert_row_is_the_log(desk, pool)


async def test_two_writers_at_once_end_with_what_the_log_says(desk: Desk, writer: Writers, pool: Pool) -> None:
    """A rebalance left two for a moment: whoever was not first goes back, reads what was, and goes on from there."""
    one, other = await writer(), await writer()
    await one.handle(await at(desk, version(1)))
    messages = await at(desk, *[version(number) for number in range(2, 30)])

    async def insist(text: TextHandler) -> int:
        failures = 0
        for message in messages:
            while True:
                try:
                    await text.handle([message])
                except Transient:
                    failures += 1
                    await asyncio.sleep(0.05)
                else:
                    break
        return failures

    await asyncio.gather(insist(one), insist(other))
    revisions = await published(desk)
    assert [each.version for each in revisions] == [str(number) for number in range(1, 30)]
    await assert_row_is_the_log(desk, pool)


async def test_what_a_late_writer_publishes_is_noticed_and_mended(
    desk: Desk, replicas: Replicas, writer: Writers, pool: Pool
) -> None:
    """It shows what a desk has withdrawn meanwhile; nobody sends anything, and it is gone all the same."""
    late = await writer()
    await late.handle(await at(desk, version(1)))
    await replicas()
    await desk.send(order("withdraw", 5))
    await desk.until(2)
    # Its own line: it holds the update for shown, and publishes two further versions, of which the second counts.
    stale = await at_stale(desk, late)
    await eventually(lambda: published(desk), lambda seen: seen[-1].revision >= stale + 1, within_s=30)
    await eventually(lambda: row(pool), lambda state: state.revision >= stale + 1, within_s=30)
    last = (await published(desk))[-1]
    assert last.removal == "withdrawn"
    await assert_row_is_the_log(desk, pool)


async def at_stale(desk: Desk, late: TextHandler) -> int:
    """A record as a late writer's line has it, made from a raw record that is settled; its number."""
    (first, *_), number = await desk.records(ENRICHED), 7
    headers = [
        (name, f"{UPDATE}:{number}".encode() if name == "ce_id" else b"late" if name == "ce_writer" else value)
        for name, value in first.headers
    ]
    shown = EnrichedUpdate.model_validate_json(first.value).model_copy(update={"revision": number})
    sent = await desk.producer.send_bytes(
        ENRICHED, shown.model_dump_json(exclude_defaults=True).encode(), key=first.key, headers=headers
    )
    await sent
    return number


async def test_places_of_all_partitions_follow_the_log(
    desk: Desk, replicas: Replicas, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of those that have nothing to do, too: recovery never reads far."""
    monkeypatch.setattr("enrich.text.handler.SETTLED_WHEN_IDLE_S", 0.2)
    await replicas()
    await desk.send(*[version(number) for number in range(1, 6)])
    await desk.until(5)
    places = await eventually(
        lambda: read_places(pool, range(RAW.partitions)),
        lambda places: len(places) == RAW.partitions and min(places.values()) == 5,
        within_s=20,
        what="places",
    )
    assert set(places.values()) == {5}


async def test_the_release_before_said_no_cause(desk: Desk, newsroom: Connections, writer: Writers, pool: Pool) -> None:
    """An upgrade in the moment between record and row: its record is adopted all the same, once its update is looked at."""
    messages = await at(desk, version(1), order("withdraw", 2))
    elsewhere = await writer()
    await elsewhere.handle(messages[:1])
    (record,) = await everything_in(newsroom, ENRICHED)
    await pool.execute("DELETE FROM enrich.updates")
    await pool.execute("DELETE FROM enrich.settled")
    assert header_of(record, "ce_cause")
    plain = [(name, value) for name, value in record.headers if name not in ("ce_cause", "ce_writer")]
    again = EnrichedUpdate.model_validate_json(record.value).model_copy(update={"revision": 2, "headline": "Theirs"})
    headers = [(name, f"{UPDATE}:2".encode() if name == "ce_id" else value) for name, value in plain]
    value = again.model_dump_json(exclude_defaults=True).encode()
    await (await desk.producer.send_bytes(ENRICHED, value, key=record.key, headers=headers))
    await (await writer()).handle(messages[1:])
    assert [each.revision for each in await published(desk)][:2] == [1, 2]
    state = await row(pool)
    assert state.revision >= 2
    await assert_row_is_the_log(desk, pool)
