"""The Redis read model on real Kafka, Postgres and Redis."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
import orjson
import pytest
import pytest_asyncio
from aiokafka import ConsumerRecord
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError

from local.child import free_port
from publish.archive import process as archive
from publish.cache import process as cache
from publish.cache.store import Flushed, ReadModel
from publish.representation.position import Position
from publish.representation.reader_update import ReaderUpdate, reader_update
from publish.settings import Settings
from shared.consumer.decode import Incoming
from shared.kafka.cloudevents import value_of
from shared.messages import EnrichedUpdate
from shared.settings import Connections
from support.revisions import emit, read, revision, running
from support.waiting import eventually

pytestmark = pytest.mark.integration


@pytest.fixture
def settings(newsroom: Connections) -> Settings:
    """The settings of a process in this newsroom."""
    return Settings(**newsroom.model_dump() | {"health_port": free_port(), "publish_cache_days": 36500})


@pytest_asyncio.fixture
async def redis(settings: Settings) -> AsyncIterator[Any]:
    """The Redis of this test; its keys are gone afterwards."""
    redis = Redis.from_url(settings.redis_url, decode_responses=True)
    yield redis
    await _flush(redis, settings)
    await redis.aclose()


async def _flush(redis: Any, settings: Settings) -> None:
    """What FLUSHALL does, for the keys of this newsroom: all at once."""
    script = "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end"
    await redis.eval(script, 0, f"slugline:{settings.topic_prefix}*")


def _other_port(settings: Settings) -> Settings:
    return settings.model_copy(update={"health_port": free_port()})


class Reader:
    """A downstream consumer: it knows the documented keys and nothing else."""

    def __init__(self, redis: Any, settings: Settings) -> None:
        self.redis = redis
        self.prefix = f"slugline:{settings.topic_prefix}"

    async def update(self, update_id: str) -> dict[str, Any] | None:
        """The JSON of an update."""
        found = await self.redis.get(f"{self.prefix}update:{update_id}")
        return orjson.loads(found) if found else None

    async def feed(self, channel: str) -> list[str]:
        """Headlines, newest first."""
        ids = await self.redis.zrevrange(f"{self.prefix}feed:{channel}", 0, -1)
        return [found["headline"] for each in ids if (found := await self.update(each)) is not None]

    async def at(self, offset: int, epoch: int = 1) -> None:
        """Wait for the watermark."""
        await eventually(
            lambda: self.redis.hget(f"{self.prefix}watermark", "cursor"),
            lambda cursor: bool(cursor) and Position.parse(cursor) >= (epoch, offset),
            within_s=40,
            what="the watermark is not there",
        )


async def test_the_model_shows_what_stands_and_a_kill_leaves_only_a_tombstone(settings: Settings, redis: Any) -> None:
    """Feeds keep the order of first publication, tags are left and joined, and no text of a killed update is left."""
    reader = Reader(redis, settings)
    async with (
        running(lambda stop: archive.serve(_other_port(settings), stop)),
        running(lambda stop: cache.serve(settings, stop)),
    ):
        offsets = await emit(
            settings,
            [
                revision("a", 1, tags=["t1"]),
                revision("b", 1),
                revision("a", 2, tags=["t2"]),
                revision("c", 1),
                revision("c", 2, removal="killed"),
                revision("c", 3),
                revision("a", 1, tags=["t1"]),
            ],
        )
        await reader.at(offsets[-1])
        assert await reader.feed("news") == ["b 1", "a 2"]
        assert (await reader.feed("tag:t1"), await reader.feed("tag:t2")) == ([], ["a 2"])
        corrected = await reader.update(revision("a").update_id)
        assert corrected is not None
        assert (corrected["position"], corrected["cursor"]) == (f"1-{offsets[0]}", f"1-{offsets[2]}")
        dump = [
            await redis.get(key) async for key in redis.scan_iter(f"{reader.prefix}update:{revision('c').update_id}*")
        ]
        assert len(dump) == 1
        assert "Words of c" not in dump[0]
        assert orjson.loads(dump[0])["removal"] == "killed"


async def test_a_flush_in_the_middle_of_a_flood_loses_nothing(settings: Settings, redis: Any) -> None:
    """Whenever Redis is flushed, the model ends as if it had not been, live updates of that moment included."""
    reader = Reader(redis, settings)
    async with (
        running(lambda stop: archive.serve(_other_port(settings), stop)),
        running(lambda stop: cache.serve(settings, stop)),
    ):
        await emit(settings, [revision(f"u{n}") for n in range(100)])
        await _flush(redis, settings)
        await emit(settings, [revision(f"u{n}") for n in range(100, 200)])
        await _flush(redis, settings)
        last = (await emit(settings, [revision("u3", 2), revision("u5", 2, removal="killed")]))[-1]
        await reader.at(last)
        await eventually(lambda: reader.feed("news"), lambda feed: len(feed) == 199, within_s=40)
        expected = [f"u{n} {2 if n == 3 else 1}" for n in reversed(range(200)) if n != 5]
        assert await reader.feed("news") == expected


async def test_a_flush_while_no_message_comes_is_made_good(settings: Settings, redis: Any) -> None:
    """A quiet newsroom's model comes back by itself."""
    reader = Reader(redis, settings)
    async with (
        running(lambda stop: archive.serve(_other_port(settings), stop)),
        running(lambda stop: cache.serve(settings, stop)),
    ):
        await reader.at((await emit(settings, [revision(f"u{n}") for n in range(5)]))[-1])
        await _flush(redis, settings)
        await eventually(lambda: reader.feed("news"), lambda feed: len(feed) == 5, within_s=40)
        assert await redis.exists(f"{reader.prefix}generation")


async def test_a_replica_that_lacked_the_latest_writes_is_written_again(settings: Settings, redis: Any) -> None:
    """After a failover nothing killed is back, and nothing new is missing, whether a message comes or not."""
    reader = Reader(redis, settings)
    raw = Redis.from_url(settings.redis_url)
    async with (
        running(lambda stop: archive.serve(_other_port(settings), stop)),
        running(lambda stop: cache.serve(settings, stop)),
    ):
        await reader.at((await emit(settings, [revision(f"u{n}") for n in range(3)]))[-1])
        replica = {key: await raw.dump(key) for key in await raw.keys(f"{reader.prefix}*")}
        later = [revision("u1", 2, kind="kill", removal="killed"), revision("u3")]
        await reader.at((await emit(settings, later))[-1])
        await _become(raw, reader.prefix, replica)
        await eventually(lambda: reader.feed("news"), lambda feed: feed == ["u3 1", "u2 1", "u0 1"], within_s=40)
        await _become(raw, reader.prefix, replica)
        await emit(settings, [revision("u4")])
        expected = ["u4 1", "u3 1", "u2 1", "u0 1"]
        await eventually(lambda: reader.feed("news"), lambda feed: feed == expected, within_s=40)
        killed = await reader.update(revision("u1").update_id)
        assert killed is not None
        assert killed["removal"] == "killed"
    await raw.aclose()


async def _archived(settings: Settings, offset: int) -> None:
    """Wait until the archive knows of a record."""
    connection = await asyncpg.connect(settings.postgres_dsn)
    try:
        place = "SELECT max(last_offset) FROM publish.epochs"
        await eventually(lambda: connection.fetchval(place), lambda seen: seen >= offset, what="the archive is behind")
    finally:
        await connection.close()


async def _become(redis: Any, prefix: str, replica: dict[bytes, bytes]) -> None:
    """At once, all keys are as they were in the replica."""
    now = await redis.keys(f"{prefix}*")
    pipeline = redis.pipeline(transaction=True)
    for key in now:
        pipeline.delete(key)
    for key, value in replica.items():
        pipeline.restore(key, 0, value, replace=True)
    await pipeline.execute()


@pytest.mark.parametrize("removal", ["killed", "taken-down", "withdrawn", None])
async def test_a_repeat_of_what_the_model_has_let_go_shows_nothing_old(
    settings: Settings, redis: Any, removal: str | None
) -> None:
    """Redis let an update go, or its time in the model is over: what went before its removal or correction stays away."""
    reader = Reader(redis, settings)
    last = revision("a", 2, removal=removal)
    async with (
        running(lambda stop: archive.serve(_other_port(settings), stop)),
        running(lambda stop: cache.serve(settings, stop)),
    ):
        offset = (await emit(settings, [revision("a", tags=["t"]), last]))[-1]
        await reader.at(offset)
        await _archived(settings, offset)
        for kind in ("update", "state"):
            await redis.delete(f"{reader.prefix}{kind}:{last.update_id}")
        await redis.zrem(f"{reader.prefix}feed:news", last.update_id)
        await reader.at((await emit(settings, [revision("a", tags=["t"]), revision("b")]))[-1])
        assert await reader.feed("news") == ["b 1"]
        assert await reader.feed("tag:t") == []
        assert await reader.update(last.update_id) is None
        if removal in ("withdrawn", None):
            await reader.at((await emit(settings, [revision("a", 3)]))[-1])
            assert await reader.feed("news") == ["b 1", "a 3"]


def _placed(updates: Sequence[EnrichedUpdate]) -> list[ReaderUpdate]:
    return [read(update, n) for n, update in enumerate(updates)]


async def test_a_flush_in_the_middle_of_a_rebuild_leaves_the_model_unmade(settings: Settings, redis: Any) -> None:
    """A model that lost its first half while the second was written is not taken for whole."""
    raw = Redis.from_url(settings.redis_url)
    model = ReadModel(raw, topic_prefix=settings.topic_prefix, feed_length=10, days=1, site_url="https://news.example")
    token = await model.begin_rebuild()
    await model.rebuild(_placed([revision("a")]))
    await _flush(redis, settings)
    await model.rebuild(_placed([revision("b")]))
    with pytest.raises(Flushed):
        await model.done(Position(1, 1), token)
    assert await model.watermark() is None
    await raw.aclose()


async def test_a_model_of_an_older_release_is_rebuilt(settings: Settings, redis: Any) -> None:
    """Its updates are of another form, with fields that are not for partners."""
    raw = Redis.from_url(settings.redis_url)
    model = ReadModel(raw, topic_prefix=settings.topic_prefix, feed_length=10, days=1, site_url="https://news.example")
    await model.done(Position(1, 1), await model.begin_rebuild())
    assert await model.watermark() == Position(1, 1)
    await redis.set(f"{model.prefix}generation", "0123456789abcdef 2026-01-01T12:00:00+00:00")
    assert await model.watermark() is None
    await raw.aclose()


async def test_feeds_are_bounded_and_scores_keep_the_order_of_positions(settings: Settings, redis: Any) -> None:
    """A feed holds the newest only, and a place of a later epoch ranks above any of an earlier one."""
    raw = Redis.from_url(settings.redis_url)
    model = ReadModel(raw, topic_prefix=settings.topic_prefix, feed_length=10, days=1, site_url="https://news.example")
    token = await model.begin_rebuild()
    await model.rebuild(_placed([revision(f"u{n}") for n in range(30)]))
    await model.done(Position(1, 29), token)
    reader = Reader(redis, settings)
    assert await reader.feed("news") == [f"u{n} 1" for n in reversed(range(20, 30))]
    await model.write([reader_update(revision("z"), cursor=Position(2, 0), position=Position(2, 0))], Position(2, 0))
    assert (await reader.feed("news"))[0] == "z 1"
    await raw.aclose()


async def test_a_kill_is_taken_out_before_anything_is_written(settings: Settings, redis: Any) -> None:
    """Where Redis takes no more, as when its memory is full, the text of what was killed is gone all the same."""
    reader = Reader(redis, settings)
    raw = Redis.from_url(settings.redis_url)
    model = ReadModel(
        raw, topic_prefix=settings.topic_prefix, feed_length=100, days=36500, site_url="https://news.example"
    )
    token = await model.begin_rebuild()
    await model.rebuild(_placed([revision("a", tags=["t1"]), revision("b", tags=["t1"])]))
    await model.done(Position(1, 1), token)

    async def full(*_: Any, **__: Any) -> int:
        raise OutOfMemoryError("command not allowed when used memory > 'maxmemory'")

    model.write = full  # type: ignore[method-assign]
    follower = cache.Cache(None, model, settings)
    with pytest.raises(OutOfMemoryError):
        await follower.handle([_incoming(2, revision("a", 2, kind="kill", removal="killed"))])
    assert await reader.update(revision("a").update_id) is None
    assert await redis.zrange(f"{reader.prefix}feed:tag:t1", 0, -1) == [revision("b").update_id]
    assert await redis.zrange(f"{reader.prefix}feed:news", 0, -1) == [revision("b").update_id]
    await raw.aclose()


async def test_a_kill_that_comes_twice_leaves_its_removal(settings: Settings, redis: Any) -> None:
    """As after a rebuild that had it already: what is read again from the log takes nothing away."""
    reader = Reader(redis, settings)
    raw = Redis.from_url(settings.redis_url)
    model = ReadModel(
        raw, topic_prefix=settings.topic_prefix, feed_length=100, days=36500, site_url="https://news.example"
    )
    killed = revision("a", 2, kind="kill", removal="killed")
    token = await model.begin_rebuild()
    await model.rebuild(_placed([killed]))
    await model.done(Position(1, 1), token)
    await model.take_out([killed.update_id])
    await model.write([read(killed, 1)], Position(1, 1))
    left = await reader.update(killed.update_id)
    assert left is not None
    assert left["removal"] == "killed"
    await raw.aclose()


def _incoming(offset: int, update: EnrichedUpdate) -> Incoming[EnrichedUpdate]:
    value = value_of(update)
    record = ConsumerRecord("updates.enriched", 0, offset, 0, 0, b"k", value, None, 0, len(value), ())
    return Incoming(record, update)
