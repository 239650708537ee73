"""A person is erased: marker words in every field of what they wrote, and afterwards in no table, no key and no file."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from shared.postgres.pool import connect
from shared.settings import Connections
from slugline.erasure.search import scan
from support.pipeline import started
from support.processes import Processes
from support.waiting import eventually

pytestmark = [pytest.mark.flow, pytest.mark.timeout(280)]

PERSON = "Zqxa Quillfeather"
SERVICES = (("ingest", "api"), ("enrich", "text"), ("publish", "archive"), ("publish", "cache"), ("publish", "web"))


async def in_redis(settings: Connections) -> list[str]:
    """Keys and values that say the name."""
    found = []
    async with Redis.from_url(settings.redis_url) as redis:
        async for key in redis.scan_iter(match=f"slugline:{settings.topic_prefix}*"):
            if await redis.type(key) == b"string" and b"Zqxa" in (await redis.get(key) or b""):
                found.append(key.decode())  # noqa: PERF401 -- scanned and read in turn
    return found


async def test_a_person_is_gone_from_every_store(newsroom: Connections, processes: Processes, tmp_path: Path) -> None:
    """By author: originals, versions, states, revisions, bylines, Redis and files; the report has a date for each topic of Kafka."""
    async with started(newsroom, processes, tmp_path, SERVICES) as pipeline:
        written = await pipeline.accepted(
            guid="one", version="1", headline="Storm", byline=f"By {PERSON}", body_html=f"<p>Words of {PERSON}.</p>",
            summary="By the sea", media=[{"url": "http://127.0.0.1:9/p.jpg", "credit": PERSON, "caption": f"Seen by {PERSON}"}],
        )  # fmt: skip
        held = await pipeline.accepted(
            guid="two", version="1", headline="Later", byline=PERSON, body_html="<p>Held.</p>",
            embargo_until=(datetime.now(UTC) + timedelta(days=1)).isoformat(),
        )  # fmt: skip
        other = await pipeline.accepted(
            guid="three", version="1", headline="Calm", byline="By Ada Nib", body_html="<p>x</p>"
        )
        for update_id, headline in ((written, "Storm"), (other, "Calm")):
            await pipeline.visible(update_id, headline)
        pool = await connect(newsroom, schema="slugline", max_size=2, for_command=True)
        try:
            before = await scan(pool, [PERSON])
            assert {"ingest.originals", "enrich.updates", "publish.revisions", "publish.updates"} <= before.keys()
            await eventually(lambda: in_redis(newsroom))
            arguments = ("slugline", "erase", "--author", PERSON, "--json")
            meant = json.loads(await asyncio.to_thread(processes.run, newsroom, *arguments))
            assert set(meant["updates"]) == {written, held}
            assert await scan(pool, [PERSON]) == before, "nothing is erased that was only asked about"
            done = json.loads(await asyncio.to_thread(processes.run, newsroom, *arguments, "--yes"))
            assert done["complete"], done
            assert await scan(pool, [PERSON]) == {}
            await eventually(lambda: in_redis(newsroom), lambda found: found == [])
            statuses = [(await pipeline.get(f"/v1/updates/{each}")).status_code for each in (written, held, other)]
            assert statuses == [410, 404, 200], "what was never seen leaves no tombstone"
        finally:
            await pool.close()
        files = [path for path in Path(newsroom.media_store.removeprefix("file://")).rglob("*") if path.is_file()]
        assert not [path for path in files if b"Zqxa" in path.read_bytes()]
        logs = "".join(path.read_text("utf-8", "replace") for path in (tmp_path / "logs").glob("*.log"))
        assert not re.search("Zqxa", logs), "a log says the name"
        dated = {each["place"]: each["until"] for each in done["places"] if each["until"]}
        assert f"Kafka {newsroom.topic_prefix}updates.enriched" in dated
        print("\nerased: " + "; ".join(f"{each['place']} {each['state']}" for each in done["places"]))
