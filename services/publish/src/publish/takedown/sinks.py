"""Where a killed update could still be read: each sink is asked, and clean where nothing of its words comes out.

Sinks are the archive (what reads are served, and of a taken-down update what is stored at all), the cache (Redis), and of
each web address the update's page, the API, the feeds, its pictures, and the stream's replay from before the update was
first published.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote

import orjson
import structlog

from publish.archive import queries
from publish.archive.queries import Archived
from publish.cache.store import ReadModel, open_read_model
from publish.push.delivery.outbound import Answer, Outbound
from publish.representation.pictures import MEDIA_PREFIX
from publish.representation.reader_json import read_metadata
from publish.representation.retraction import without_notices
from publish.settings import Settings
from shared.failures.transient import TRANSIENT, reason_of
from shared.postgres.pool import Pool

log = structlog.get_logger(__name__)

PAGE_BYTES = 8 * 1024 * 1024
PICTURES_AT_ONCE = 20
STREAM_S = 2.0
FEEDS = ("/", "/v1/updates?limit=100", "/feeds/news.rss", "/feeds/news.atom", "/feeds/news.json", "/sitemap-news.xml")


@dataclass(frozen=True, slots=True)
class Finding:
    """One sink at one moment: clean where `detail` is empty."""

    sink: str
    detail: str
    checked_at: datetime

    @property
    def clean(self) -> bool:
        """Whether nothing of the update came out of it."""
        return not self.detail


Look = Callable[[], Awaitable[str]]
"""Why a sink is not clean; empty where it is."""


class TakedownSinks:
    """Everything that readers of one site could read from."""

    def __init__(self, pool: Pool, model: ReadModel | None, outbound: Outbound, web_urls: Sequence[str]) -> None:
        self._pool = pool
        self._model = model
        self._outbound = outbound
        self._web_urls = web_urls

    def looks(self, killed: Archived) -> dict[str, Look]:
        """How each sink is looked at."""
        looks: dict[str, Look] = {"archive": partial(self._archive, killed)}
        if (model := self._model) is not None:
            looks["cache"] = partial(model.shows, killed.update.update_id)
        for url in self._web_urls:
            looks |= {
                f"{url} page": partial(self._gone, f"{url}/updates/{killed.update.update_id}"),
                f"{url} API": partial(self._gone, f"{url}/v1/updates/{killed.update.update_id}"),
                f"{url} feeds": partial(self._feeds, url, killed),
                f"{url} stream": partial(self._stream, url, killed),
                f"{url} pictures": partial(self._pictures, url, killed),
            }
        return looks

    async def look(self, killed: Archived) -> list[Finding]:
        """All sinks at this moment; one that does not answer is not known to be clean."""

        async def find(sink: str, look: Look) -> Finding:
            try:
                detail = await look()
            except TRANSIENT as error:
                detail = f"does not answer: {type(error).__name__}"
            except Exception as error:
                # The other sinks are looked at all the same.
                log.exception("a sink cannot be looked at", sink=sink, update_id=killed.update.update_id)
                detail = f"cannot be looked at: {reason_of(error)}"[:500]
            return Finding(sink, detail, datetime.now(UTC))

        return list(await asyncio.gather(*(find(sink, look) for sink, look in self.looks(killed).items())))

    async def _archive(self, killed: Archived) -> str:
        update = killed.update
        served = [each for each in await queries.revisions(self._pool, update.update_id) if not each.update.is_removal]
        listed = await self._pool.fetchval(
            "SELECT count(*) FROM publish.update_channels WHERE channel = ANY($1) AND position_epoch = $2 "
            "AND position_offset = $3 AND update_id = $4",
            sorted(killed.channels), *killed.position, update.update_id,
        )  # fmt: skip
        stored = await self._pool.fetchval(
            "SELECT count(*) FROM publish.revisions WHERE update_id = $1 AND removal IS NULL AND data IS NOT NULL",
            update.update_id,
        )
        if served or listed:
            return f"serves {len(served)} revisions and lists it in {listed} channels"
        return f"still stores {stored} revisions" if update.removal == "taken-down" and stored else ""

    async def _fetch(self, url: str) -> Answer:
        answer = await self._outbound.send("GET", url, most_bytes=PAGE_BYTES)
        if answer.status is None:
            raise OSError(answer.error)
        return answer

    async def _gone(self, url: str) -> str:
        answer = await self._fetch(url)
        return "" if answer.status in (404, 410) else f"answers {answer.status}"

    async def _feeds(self, url: str, killed: Archived) -> str:
        paths = list(FEEDS)
        if killed.update.story:
            paths.append(f"/v1/updates?limit=100&channel=story:{killed.update.story}")
        answers = await asyncio.gather(*(self._fetch(url + path) for path in paths))
        name = killed.update.update_id.encode()
        showing = [
            path
            for path, answer in zip(paths, answers, strict=True)
            if answer.ok and name in without_notices(answer.body)
        ]
        return f"is in {', '.join(showing)}" if showing else ""

    async def _pictures(self, url: str, killed: Archived) -> str:
        paths = [
            path
            for picture, paths in (await queries.ever_shown(self._pool, killed.update.update_id)).items()
            if not set(await queries.showing(self._pool, picture, 2)) - {killed.update.update_id}
            for path in paths
        ]
        served = 0
        for start in range(0, len(paths), PICTURES_AT_ONCE):
            urls = [f"{url}{MEDIA_PREFIX}{quote(path)}" for path in paths[start : start + PICTURES_AT_ONCE]]
            answers = await asyncio.gather(*(self._outbound.send("HEAD", each, most_bytes=0) for each in urls))
            for answer in answers:
                if answer.status is None or answer.status >= 500:
                    raise OSError(answer.error or f"answers {answer.status}")
                served += answer.status not in (404, 410)
        return f"serves {served} of its {len(paths)} renditions" if served else ""

    async def _stream(self, url: str, killed: Archived) -> str:
        """Reads the replay that a client gets whose cursor is before the update's first publication."""
        before = f"{killed.position.epoch}-{max(killed.position.offset - 1, 0)}"
        path = f"/v1/stream?channels=update:{killed.update.update_id}&cursor={before}"
        events = await self._outbound.stream(f"{url}{path}", for_s=STREAM_S, most_bytes=PAGE_BYTES)
        for line in events.splitlines():
            if not line.startswith(b"data:"):
                continue
            try:
                data = orjson.loads(line[5:])
            except ValueError:
                continue
            if isinstance(data, dict) and data.get("update_id") == killed.update.update_id:
                words = read_metadata(data)
                if words and not data.get("removal"):
                    return f"replays its {', '.join(words)}"
        return ""


@asynccontextmanager
async def open_sinks(settings: Settings, pool: Pool) -> AsyncIterator[TakedownSinks]:
    """The sinks that the settings name; these addresses are ours, so private ones are in order."""
    async with (
        open_read_model(settings, timeout_s=3) as model,
        Outbound(allow_private=True, timeout_s=10.0) as outbound,
    ):
        yield TakedownSinks(pool, model if settings.publish_push_check_cache else None, outbound, settings.web_urls)
