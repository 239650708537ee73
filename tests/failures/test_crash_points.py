"""A process dies exactly between two of its steps: what comes while it is away, and what it does again, ends as without its death."""

import asyncio
import http.server
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pyvips

from shared.messages import EnrichedUpdate, update_id_for
from shared.settings import Connections
from shared.streams import ENRICHED
from support.pipeline import KEYS, started
from support.processes import Process, Processes
from support.topics import everything_in
from support.waiting import eventually

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]

SERVICES = (("ingest", "api"), ("enrich", "text"), ("publish", "archive"), ("publish", "web"))
EXPIRES_AFTER_S = 4.0


@pytest.fixture
def picture_url() -> Iterator[str]:
    """Where a picture can be fetched."""
    body: bytes = pyvips.Image.black(800, 600).jpegsave_buffer()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "image/jpeg")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/a.jpg"
    server.shutdown()


async def armed(process: Process, point: str, mark: Path) -> None:
    """Start a process anew so that it dies at a crash point, and wait until it is ready."""
    process.child.end()
    mark.unlink(missing_ok=True)
    process.child.env = {**process.child.env, "CRASH_AT": point, "CRASH_MARK": str(mark)}
    process.child.start()
    await process.ready()


async def has_died(process: Process, point: str, mark: Path) -> None:
    """Wait until it has died there; its next start is an ordinary one."""
    await eventually(lambda: mark.exists() and not process.child.running, within_s=20, what=f"not dead at {point}")
    assert mark.read_text().strip() == point
    process.child.env = {name: value for name, value in process.child.env.items() if not name.startswith("CRASH_")}


async def started_again(process: Process) -> None:
    """Start it, and wait until it is ready."""
    process.child.start()
    await process.ready()


async def revisions(newsroom: Connections, update_id: str) -> list[EnrichedUpdate]:
    """What the log has of an update."""
    records = await everything_in(newsroom, ENRICHED)
    return [EnrichedUpdate.model_validate_json(each.value or b"") for each in records if each.key == update_id.encode()]


async def last_revision(newsroom: Connections, update_id: str, **expected: Any) -> EnrichedUpdate:
    """The last revision of an update, once it says this."""

    async def look() -> list[EnrichedUpdate]:
        return await revisions(newsroom, update_id)

    def fits(found: list[EnrichedUpdate]) -> bool:
        return bool(found) and all(getattr(found[-1], name) == value for name, value in expected.items())

    return (await eventually(look, fits, within_s=30, what=f"{update_id} is not {expected}"))[-1]


async def test_an_expiry_that_passes_while_a_revision_has_no_row_hides_the_update(
    newsroom: Connections, processes: Processes, tmp_path: Path
) -> None:
    """The revision is in Kafka, its row is not, and its expiry comes: it goes out of sight, and what is ordered then is done."""
    point, mark = "enrich.revision-acknowledged", tmp_path / "mark"
    async with started(newsroom, processes, tmp_path, SERVICES) as pipeline:
        text = pipeline.named["enrich-text"]
        await armed(text, point, mark)
        expires_at = datetime.now(UTC) + timedelta(seconds=EXPIRES_AFTER_S)
        update_id = await pipeline.accepted(
            guid="vote", headline="Vote now", version="1", expires_at=expires_at.isoformat()
        )
        await has_died(text, point, mark)
        assert [each.removal for each in await revisions(newsroom, update_id)] == [None]
        await asyncio.sleep(max(0.0, expires_at.timestamp() + 0.5 - time.time()))
        await started_again(text)

        expired = await last_revision(newsroom, update_id, removal="expired")
        assert expired.revision == 2
        await eventually(
            lambda: pipeline.get(f"/v1/updates/{update_id}"), lambda answer: answer.status_code == 410, within_s=20
        )
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {KEYS['desk']}"}) as client:
            url = f"{pipeline.ingest}/v1/updates/{update_id}/orders"
            assert (await client.post(url, json={"order": "kill", "reason": "must go"})).status_code == 202
        assert (await last_revision(newsroom, update_id, removal="killed")).revision == 3
        assert "Vote now" not in (await pipeline.get(f"/v1/updates/{update_id}")).text


async def test_a_picture_that_comes_while_a_revision_has_no_row_is_shown(
    newsroom: Connections, processes: Processes, tmp_path: Path, picture_url: str
) -> None:
    """The picture is done, and asks for a refresh, before the revision that waits for it is made once more."""
    point, mark = "enrich.revision-acknowledged", tmp_path / "mark"
    async with started(newsroom, processes, tmp_path, SERVICES) as pipeline:
        media = processes.start(newsroom, "enrich", "media", ENRICH_MEDIA_ALLOW_PRIVATE="true")
        await media.ready()
        text = pipeline.named["enrich-text"]
        await armed(text, point, mark)
        update_id = await pipeline.accepted(
            guid="picture", headline="With a picture", version="1", media=[{"url": picture_url, "credit": "Ann/Wire"}]
        )
        await has_died(text, point, mark)
        (first,) = await revisions(newsroom, update_id)
        assert (first.media_pending, len(first.media)) == (True, 0)
        await started_again(text)
        last = await last_revision(newsroom, update_id, media_pending=False)
        assert len(last.media) == 1


async def test_what_is_sent_again_after_a_death_does_not_beat_what_came_between(
    newsroom: Connections, processes: Processes, tmp_path: Path
) -> None:
    """Kafka has version 1, which nobody has written down; version 2 comes, and then its sender sends version 1 again: neither has a date."""
    point, mark = "ingest.emitted", tmp_path / "mark"
    first = {"guid": "again", "headline": "Two hurt", "version": "1"}
    update_id = update_id_for("desk", "again")
    async with started(newsroom, processes, tmp_path, (("ingest", "api"), ("enrich", "text"))) as pipeline:
        ingest = pipeline.named["ingest-api"]
        await armed(ingest, point, mark)
        with pytest.raises(httpx.TransportError):
            await pipeline.post(first)
        await has_died(ingest, point, mark)
        await started_again(ingest)
        await pipeline.accepted(guid="again", headline="Five hurt", version="2")
        answer = await pipeline.post(first)
        assert answer.status_code in (200, 202), answer.text
        marker = await pipeline.accepted(guid="marker", headline="Behind them")
        await last_revision(newsroom, marker, headline="Behind them")
        assert [each.headline for each in await revisions(newsroom, update_id)] == ["Two hurt", "Five hurt"]
