"""Nothing is pushed before the page, the API and the cache answer with it.

Asked, not assumed: every web address of the settings is asked how far it is (the cursor that its API answers with), the
Redis read model is asked for its watermark, and for what readers are alerted to, the API and the page of that very
update are fetched. Past the deadline: webhooks leave all the same, since they carry the content themselves; a feed leaves
when it has what changed; alerts wait on, since they lead to the page, until they are too old to be one.
"""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson
import structlog
from prometheus_client import Counter, Histogram

from publish.cache.store import ReadModel
from publish.push.delivery.outbound import Outbound
from publish.representation.position import Position
from publish.representation.reader_update import ReaderUpdate
from shared.failures.transient import TRANSIENT

log = structlog.get_logger(__name__)

FIRST_PAUSE_S = 0.01
LAST_PAUSE_S = 0.25
LATE_S = 0.2
"""For a sink that missed its last deadline and has not caught up since: while a replica is away, not every batch waits for it."""
MAX_PAGE_BYTES = 8 * 1024 * 1024

WAITED = Histogram("slugline_push_readable_seconds", "Wait until page, API and cache had what was to leave")
LATE = Counter("slugline_push_unreadable", "Places of the log that were not readable by the deadline", ["sink"])


@dataclass(frozen=True, slots=True)
class ReadinessChecks:
    """What readers read from: web replicas and the cache."""

    outbound: Outbound
    web_urls: Sequence[str]
    model: ReadModel | None
    """None where no cache runs."""
    late: set[str] = field(default_factory=set)
    """The sinks that missed the last deadline."""

    async def behind(self, place: Position) -> list[str]:
        """The sinks that do not have everything up to this position."""
        checks = [self._web_is_behind(url, place) for url in self.web_urls]
        return [sink for sink in await asyncio.gather(*checks, self._cache_is_behind(place)) if sink is not None]

    async def web_reached(self, url: str, place: Position) -> Position | None:
        """Up to where a web address has everything, asked for this position so that no cache answers; None where it does not say."""
        answer = await self.outbound.send("GET", f"{url}/v1/updates?limit=1&at={place}", most_bytes=MAX_PAGE_BYTES)
        cursor = _json(answer.body).get("cursor") if answer.ok else None
        try:
            return Position.parse(str(cursor)) if cursor is not None else None
        except ValueError:
            return None

    async def cache_reached(self) -> Position | None:
        """Up to where the cache has everything; None where it does not say, or there is none."""
        try:
            return await self.model.watermark() if self.model is not None else None
        except TRANSIENT:
            return None

    async def _web_is_behind(self, url: str, place: Position) -> str | None:
        reached = await self.web_reached(url, place)
        return None if reached is not None and reached >= place else url

    async def _cache_is_behind(self, place: Position) -> str | None:
        reached = await self.cache_reached()
        return None if self.model is None or (reached is not None and reached >= place) else "cache"

    async def missing(self, update: ReaderUpdate) -> list[str]:
        """The sinks that do not answer with this revision of this update, or, if it is a removal, still show it."""
        checks = [check(url, update) for url in self.web_urls for check in (self._api_lacks, self._page_lacks)]
        return [sink for sink in await asyncio.gather(*checks) if sink is not None]

    async def _api_lacks(self, url: str, update: ReaderUpdate) -> str | None:
        answer = await self.outbound.send("GET", f"{url}/v1/updates/{update.update_id}", most_bytes=MAX_PAGE_BYTES)
        revision = _json(answer.body).get("revision")
        right = answer.status == (410 if update.is_removal else 200)
        return None if right and isinstance(revision, int) and revision >= update.revision else f"{url} API"

    async def _page_lacks(self, url: str, update: ReaderUpdate) -> str | None:
        answer = await self.outbound.send("GET", url + update.path, most_bytes=MAX_PAGE_BYTES)
        if update.is_removal:
            return None if answer.status in (404, 410) else f"{url} page"
        shown = re.search(rb'data-id="%s" data-revision="([0-9]{1,9})"' % update.update_id.encode(), answer.body)
        right = answer.ok and (shown is None or int(shown[1]) >= update.revision)
        return None if right else f"{url} page"


def _json(body: bytes) -> dict[str, object]:
    try:
        value = orjson.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


async def wait_until_readable(readiness: ReadinessChecks, place: Position, deadline_s: float) -> bool:
    """Wait until all sinks have everything up to this position; whether they did by the deadline."""
    started = time.monotonic()
    pause_s = FIRST_PAUSE_S
    while behind := await readiness.behind(place):
        is_known = readiness.late.issuperset(behind)
        if time.monotonic() - started > (min(LATE_S, deadline_s) if is_known else deadline_s):
            for sink in behind:
                LATE.labels(sink).inc()
            log.error("not readable by the deadline", behind=behind, cursor=str(place), fold="readable")
            readiness.late.update(behind)
            return False
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 1.5, LAST_PAUSE_S)
    readiness.late.clear()
    WAITED.observe(time.monotonic() - started)
    return True
