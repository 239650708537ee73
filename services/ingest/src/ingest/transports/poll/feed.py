"""One poll of one feed: fetch it, take what is new, and walk back through its older pages after an outage."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from ingest.formats import Unreadable
from ingest.intake.deadline import Unavailable
from ingest.intake.read import LARGE_BYTES
from ingest.intake.receipt import DocumentRejected, Receipt
from ingest.intake.receive import Intake
from ingest.settings import Settings
from ingest.sources import store
from ingest.sources.source import Source
from ingest.transports.feed_links import FeedLinks, feed_links
from ingest.transports.poll.schedule import Cursor, PollResult
from ingest.transports.websub.subscriber import Subscriber
from shared.http.client.errors import RequestFailed, RequestRefused
from shared.http.client.guarded import GuardedClient, HttpResponse
from shared.http.client.retry_after import retry_after_s
from shared.postgres.pool import Pool

log = structlog.get_logger(__name__)

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/json;q=0.8, application/xml;q=0.8, text/xml;q=0.8, */*;q=0.5"
)
MAX_PAGES = 50
MAX_RECOVERED_BYTES = 67_108_864
"""Of the pages of one recovery, which are kept in memory until the oldest is found."""


class PageUnavailable(Exception):
    """An older page of a feed cannot be fetched for now."""


@dataclass(frozen=True)
class FeedReader:
    """Fetches feeds and gives what is new to the intake."""

    settings: Settings
    pool: Pool
    intake: Intake
    client: GuardedClient
    subscriber: Subscriber
    before_reading: Callable[[Source], Awaitable[None]]
    """Called before each document is read."""

    async def poll(self, source: Source, cursor: Cursor) -> PollResult:
        """Fetch a feed and take what is new."""
        assert source.url is not None  # noqa: S101 -- its kind needs one
        headers = {"Accept": ACCEPT}
        if cursor.recover_since is None:
            headers |= {"If-None-Match": cursor.etag} if cursor.etag else {}
            headers |= {"If-Modified-Since": cursor.last_modified} if cursor.last_modified else {}
        try:
            answer = await self.client.request("GET", source.url, headers=headers, max_bytes=self._limit(source))
        except (RequestRefused, RequestFailed) as error:
            return cursor.failed(str(error) or type(error).__name__)
        if answer.status == 304:
            return replace(cursor.unchanged(304), announced=await self._announced(source, None))
        if answer.status == 410:
            await store.pause(self.pool, source.name, "the feed is gone for good (410)")
            log.error("feed gone; source paused", source=source.name, url=source.url)
            return _failed(cursor, "410: the feed is gone for good", answer)
        if answer.status != 200:
            return _failed(cursor, f"the server answered {answer.status}", answer)
        result = await self._take_new(source, cursor, answer)
        if result.outcome == "failed":
            return result
        return replace(result, announced=await self._announced(source, answer))

    async def _announced(self, source: Source, answer: HttpResponse | None) -> bool:
        """Whether a hub sends what is new, so that polls may be rare."""
        if source.kind != "websub":
            return False
        links = await _links(answer) if answer is not None else None
        return await self.subscriber.ensure_subscribed(source, links)

    async def _take_new(self, source: Source, cursor: Cursor, answer: HttpResponse) -> PollResult:
        sha256 = hashlib.sha256(answer.body).hexdigest()
        etag, last_modified = answer.headers.get("etag"), answer.headers.get("last-modified")
        if sha256 == cursor.sha256 and cursor.recover_since is None:
            return PollResult("nothing", 200, etag, last_modified, sha256)
        if not answer.body.strip():
            return _failed(cursor, "the answer is empty", answer)
        try:
            older: Sequence[HttpResponse] = ()
            missing = None
            if cursor.recover_since is not None:
                older, missing = await self._older_pages(source, answer, cursor.recover_since)
            accepted = await self._take_older(source, older) + (await self._take(source, answer)).count("accepted")
            if missing is not None:
                return _failed(cursor, missing, answer)
        except Unavailable as error:
            # The feed's validators are not advanced: the next poll takes the same document again.
            return cursor.interrupted(str(error), answer.status)
        except DocumentRejected as error:
            # The same bytes will be rejected again, so no validators are kept: a full answer shows whether they changed.
            return PollResult("failed", 200, None, None, sha256, f"{error.code}: {error.reason}")
        return PollResult(
            "new" if accepted else "nothing",
            200,
            etag,
            last_modified,
            sha256,
            recovered=cursor.recover_since is not None,
        )

    async def _take(self, source: Source, answer: HttpResponse) -> Receipt:
        await self.before_reading(source)
        receipt = await self.intake.take(
            source,
            answer.body,
            content_type=answer.headers.get("content-type"),
            transport="poll",
            headers=_kept_headers(answer),
        )
        if receipt.count("error"):
            raise Unavailable("Kafka has not acknowledged everything")
        return receipt

    async def _take_older(self, source: Source, pages: Sequence[HttpResponse]) -> int:
        """Take the older pages of a feed, the oldest first: what a source sends is published in its order. How many items were new."""
        accepted = 0
        for page in reversed(pages):
            try:
                accepted += (await self._take(source, page)).count("accepted")
            except DocumentRejected as error:
                log.warning("an older page cannot be read", source=source.name, page=page.url, reason=error.reason)
        return accepted

    async def _older_pages(
        self, source: Source, newest: HttpResponse, since: datetime
    ) -> tuple[list[HttpResponse], str | None]:
        """The feed's older pages (RFC 5005) back to `since`, the newest first; and why a page cannot be fetched for now.

        What is new does not wait for such a page: its items come later than those that followed them.
        """
        seen = {source.url, newest.url}
        pages: list[HttpResponse] = []
        page, left_bytes = newest, MAX_RECOVERED_BYTES - len(newest.body)
        for _ in range(MAX_PAGES):
            older = (await _links(page)).older
            if older is None or older in seen or not await self._is_wholly_since(source, page, since):
                break
            seen.add(older)
            try:
                found = await self._older_page(source, older)
            except PageUnavailable as error:
                return pages, str(error)
            if found is None:
                break
            left_bytes -= len(found.body)
            if left_bytes < 0:
                log.warning("recovery ends early", source=source.name, page=older, error="too much to keep in memory")
                break
            page = found
            pages.append(page)
        log.info("recovered", source=source.name, since=since.isoformat(), older_pages=len(pages))
        return pages, None

    async def _is_wholly_since(self, source: Source, page: HttpResponse, since: datetime) -> bool:
        """Whether all that a page has is of `since` or later, so that the page before it matters."""
        await self.before_reading(source)
        try:
            oldest = await self.intake.oldest_in(source, page.body, page.headers.get("content-type"))
        except Unreadable:
            # Whoever takes it tells why.
            return False
        return oldest is not None and oldest >= since

    async def _older_page(self, source: Source, url: str) -> HttpResponse | None:
        """An older page of the feed; None where there is none to be had, so that the recovery ends with what it has."""
        try:
            answer = await self.client.request("GET", url, headers={"Accept": ACCEPT}, max_bytes=self._limit(source))
        except RequestRefused as error:
            log.warning("recovery ends early", source=source.name, page=url, error=str(error))
            return None
        except RequestFailed as error:
            raise PageUnavailable(f"the feed's older page {url}: {str(error) or type(error).__name__}") from error
        if answer.status >= 500 or answer.status == 429:
            raise PageUnavailable(f"the feed's older page {url}: the server answered {answer.status}")
        if answer.status != 200 or not answer.body.strip():
            log.warning("recovery ends early", source=source.name, page=url, status=answer.status)
            return None
        return answer

    def _limit(self, source: Source) -> int:
        return source.body_limit(self.settings.ingest_max_body_bytes)


def _failed(cursor: Cursor, error: str, answer: HttpResponse) -> PollResult:
    return cursor.failed(error, answer.status, retry_after_s(answer.headers))


async def _links(answer: HttpResponse) -> FeedLinks:
    """The feed's own links; those of a large feed are parsed in a thread."""
    if len(answer.body) <= LARGE_BYTES:
        return feed_links(answer.body, answer.url, answer.links)
    return await asyncio.to_thread(feed_links, answer.body, answer.url, answer.links)


def _kept_headers(answer: HttpResponse) -> Mapping[str, str]:
    names = ("content-type", "etag", "last-modified", "date", "content-encoding")
    return {"url": answer.url} | {name: answer.headers[name] for name in names if name in answer.headers}
