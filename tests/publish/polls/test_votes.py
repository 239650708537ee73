"""Votes on real Redis and Postgres: counted once, settled, and whole again after Redis has lost them."""

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from publish.polls.settled import settle, settled_votes
from publish.polls.votes import Votes, browser_of, signed, voter_of
from publish.settings import Settings
from shared.postgres.set_aside import listed
from shared.settings import Connections

pytestmark = pytest.mark.integration

POLL = ("u" * 26, "more")


@pytest.fixture
def settings(newsroom: Connections) -> Settings:
    """The settings of a process in this newsroom."""
    return Settings(**newsroom.model_dump())


async def test_votes_survive_the_loss_of_redis(settings: Settings, pool: Any) -> None:
    """Votes of before and after a loss are added up once, whichever process looks first, and nothing is settled twice."""
    async with Redis.from_url(settings.redis_url) as redis:
        votes = Votes.of(redis, settings)
        counted = await asyncio.gather(*(votes.vote(POLL, "yes", bytes([number % 40])) for number in range(80)))
        assert sum(counted) == 40
        assert await settle(pool, votes) == 1
        assert await settle(pool, votes) == 0
        assert await settled_votes(pool, POLL) == {"yes": 40}
        await redis.delete(*[key async for key in redis.scan_iter(f"slugline:{settings.topic_prefix}poll-*")])
        assert await votes.vote(POLL, "no", b"another")
        count = await votes.count(POLL)
        assert (dict(count.votes), count.is_whole) == ({"no": 1}, False)
        for _ in range(2):
            await settle(pool, votes)
        assert dict((await votes.count(POLL)).votes) == {"yes": 40, "no": 1}
        assert await settled_votes(pool, POLL) == {"yes": 40, "no": 1}
        assert await votes.key() == await votes.key()


async def test_a_poll_that_cannot_be_settled_holds_up_no_other(settings: Settings, pool: Any) -> None:
    """It is set aside with the reason, and settled once what was wrong is mended."""
    async with Redis.from_url(settings.redis_url) as redis:
        votes = Votes.of(redis, settings)
        bad = ("b" * 26, "more")
        await votes.vote(bad, "yes", b"one")
        await votes.vote(POLL, "yes", b"one")
        key = f"slugline:{settings.topic_prefix}poll-votes:{'/'.join(bad)}"
        await redis.hset(key, "no", "many")
        assert await settle(pool, votes) == 1
        assert await settled_votes(pool, POLL) == {"yes": 1}
        [entry] = await listed(pool, "publish", "polls")
        assert (entry.key, "many" in entry.reason) == ("/".join(bad), True)
        await redis.hdel(key, "no")
        await pool.execute("UPDATE publish.set_aside SET next_at = now()")
        assert await settle(pool, votes) == 1
        assert await settled_votes(pool, bad) == {"yes": 1}
        assert await listed(pool, "publish", "polls") == []


def test_a_cookie_of_another_key_is_nobodys() -> None:
    """Nor is one that was changed; and two polls know a browser by different digests."""
    cookie = signed(b"a", "browser")
    assert browser_of(b"a", cookie) == "browser"
    assert [
        browser_of(b"b", cookie),
        browser_of(b"a", cookie + "0"),
        browser_of(b"a", ""),
        browser_of(b"a", "é.é"),
    ] == [None] * 4
    assert voter_of(b"a", "browser", POLL) != voter_of(b"a", "browser", ("u" * 26, "less"))


async def test_what_somebody_else_wrote_where_votes_are_counted_is_mended(settings: Settings, pool: Any) -> None:
    """Keys of another type begin anew, with what was settled; a reader is shown a count that is no number as none."""
    async with Redis.from_url(settings.redis_url) as redis:
        votes, prefix = Votes.of(redis, settings), f"slugline:{settings.topic_prefix}poll"
        assert await votes.vote(POLL, "yes", b"one")
        assert await settle(pool, votes) == 1
        for name in ("-key", "-changed", f"-votes:{'/'.join(POLL)}", f"-voters:{'/'.join(POLL)}"):
            await redis.delete(prefix + name)
            await redis.rpush(prefix + name, "x")
        assert len(await votes.key()) == 32
        assert await votes.changed() == []
        assert await votes.vote(POLL, "yes", b"two")
        await settle(pool, votes)
        assert dict((await votes.count(POLL)).votes) == {"yes": 2}
        await redis.hset(f"{prefix}-votes:{'/'.join(POLL)}", "no", b"\xff many")
        assert dict((await votes.count(POLL)).votes) == {"yes": 2, "no": 0}
