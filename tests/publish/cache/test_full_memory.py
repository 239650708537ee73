"""The read model in a Redis whose memory is smaller than the news, with the policy that we run it with."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from redis.asyncio import Redis

from local import redis as local_redis
from local.child import end_all
from publish.cache.store import ReadModel
from publish.representation.position import Position
from support.places import ROOT
from support.revisions import read, revision

pytestmark = pytest.mark.integration

WORDS = "<p>" + "word " * 600 + "</p>"
BATCHES, EACH = 60, 100
"""6,000 updates of 3 kB, three times what the memory holds."""
MEMORY = "12mb"


async def test_the_oldest_leave_when_memory_is_full(tmp_path: Path) -> None:
    """Every write succeeds for ever; the newest updates stay whole, and a kill reaches whatever is left of old ones."""
    server = local_redis.Redis(tmp_path / "redis", tmp_path / "redis.log")
    server.start()
    server.wait()
    raw: Any = Redis.from_url(server.url)
    try:
        await raw.config_set("maxmemory", MEMORY)
        await raw.config_set("maxmemory-policy", _policy())
        model = ReadModel(raw, topic_prefix="", feed_length=200, days=30, site_url="https://news.example")
        await model.done(Position(1, 0), await model.begin_rebuild())
        for batch in range(BATCHES):
            numbers = range(batch * EACH, (batch + 1) * EACH)
            updates = [read(revision(f"u{n}", body_html=WORDS), n + 1) for n in numbers]
            assert await model.write(updates, Position(1, numbers[-1] + 1)) == EACH
        last = BATCHES * EACH
        assert await model.watermark() == Position(1, last)
        listed = [each.decode() for each in await raw.zrevrange("slugline:feed:news", 0, -1)]
        assert listed == [revision(f"u{n}").update_id for n in range(last - 1, last - 201, -1)]
        assert await raw.exists(*(f"slugline:update:{each}" for each in listed)) == len(listed)
        assert await raw.dbsize() < last
        for number, guid in enumerate(("u0", f"u{last - 1}"), 1):
            killed = revision(guid, 2, kind="kill", removal="killed")
            await model.take_out([killed.update_id])
            await model.write([read(killed, last + number)], Position(1, last + number))
            assert await model.shows(killed.update_id) == ""
    finally:
        await raw.aclose()
        if server.child is not None:
            end_all([server.child])


def _policy() -> str:
    """What the compose file runs Redis with."""
    command: list[str] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["redis"]["command"]
    words = " ".join(command).split()
    return words[words.index("--maxmemory-policy") + 1]
