"""What the script of the read model decides, on a Redis of its own."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from local import redis as local_redis
from local.child import end_all
from publish.cache.store import Flushed, ReadModel
from publish.representation.position import Position
from support.revisions import read, revision


@pytest_asyncio.fixture
async def raw(tmp_path: Path) -> AsyncIterator[Any]:
    """A Redis of this test."""
    server = local_redis.Redis(tmp_path / "redis", tmp_path / "redis.log")
    server.start()
    server.wait()
    redis: Any = Redis.from_url(server.url)
    yield redis
    await redis.aclose()
    assert server.child is not None
    end_all([server.child])


@pytest.mark.parametrize("removal", ["killed", "taken-down"])
async def test_a_kill_wins_whatever_its_number(raw: Any, removal: str) -> None:
    """Of an update that is killed under a lower number than it has, only the removal is left, and no later number brings it back."""
    model = ReadModel(raw, topic_prefix="", feed_length=10, days=30, site_url="https://news.example")
    await model.done(Position(1, 0), await model.begin_rebuild())
    shown = revision("a", 5)
    await model.write([read(shown, 1)], Position(1, 1))
    assert await model.shows(shown.update_id) != ""

    assert await model.write([read(revision("a", 4, kind="kill", removal=removal), 2)], Position(1, 2)) == 1
    assert await model.shows(shown.update_id) == ""
    told = orjson.loads(await raw.get(f"slugline:update:{shown.update_id}"))
    assert (told["revision"], "headline" in told) == (4, False)

    assert await model.write([read(revision("a", 6), 3)], Position(1, 3)) == 0
    assert await model.shows(shown.update_id) == ""


async def test_the_watermark_never_goes_back(raw: Any) -> None:
    """A batch that comes once more, as after a crash, leaves the place that was reached; a new epoch is further than any place of the old."""
    model = ReadModel(raw, topic_prefix="", feed_length=10, days=30, site_url="https://news.example")
    await model.done(Position(1, 0), await model.begin_rebuild())
    for place, reached in (((1, 7), (1, 7)), ((1, 3), (1, 7)), ((2, 1), (2, 1)), ((1, 9), (2, 1))):
        await model.write([read(revision("a"), place[1])], Position(*place))
        assert await model.watermark() == Position(*reached)


async def write_next(model: ReadModel) -> None:
    """The next revision, as the process writes it."""
    following = read(revision("a", 2), 2)
    await model.positions([following.update_id])
    await model.write([following], Position(1, 2))


async def test_what_somebody_else_wrote_there_is_discarded_and_made_anew(raw: Any) -> None:
    """Keys of another type, numbers that are none and bytes that are no text: each is told as a flush, after which the model can be made;
    what others keep beside it stays."""
    model = ReadModel(raw, topic_prefix="", feed_length=10, days=30, site_url="https://news.example")
    shown = revision("a", 1)
    await raw.hset("slugline:poll-votes:a/b", "yes", 3)
    damages = (
        ("watermark", lambda key: raw.set(key, "x")),
        ("watermark", lambda key: raw.hset(key, "offset", "\xff")),
        ("generation", lambda key: raw.rpush(key, "x")),
        (f"state:{shown.update_id}", lambda key: raw.set(key, "x")),
        (f"state:{shown.update_id}", lambda key: raw.hset(key, mapping={"revision": "one", "position": b"\xff"})),
        ("feed:news", lambda key: raw.set(key, "x")),
    )
    for number, (name, damage) in enumerate(damages):
        await model.done(Position(1, 0), await model.begin_rebuild())
        await model.write([read(shown, 1)], Position(1, 1))
        if (name in ("watermark", "generation", "feed:news") and number != 1) or number == 3:
            await raw.delete(f"slugline:{name}")
        await damage(f"slugline:{name}")
        if name in ("watermark", "generation"):
            assert await model.watermark() is None, number
        else:
            with pytest.raises(Flushed):
                await write_next(model)
        assert {key async for key in raw.scan_iter()} == {b"slugline:poll-votes:a/b"}, number
