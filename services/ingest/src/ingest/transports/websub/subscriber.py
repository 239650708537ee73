"""Sends requests to hubs: subscribes, renews in time, and ends what is no longer wanted."""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from ingest.settings import Settings
from ingest.sources.source import Source
from ingest.sources.store import UNSUBSCRIBE, UNSUBSCRIBE_UNUSED
from ingest.transports.feed_links import FeedLinks
from ingest.transports.websub.subscriptions import ANSWER_TIMEOUT, LEASE_S, Subscription, is_due, subscription_of
from shared.background import keep_running
from shared.failures.backoff import Backoff, jittered
from shared.failures.transient import is_transient, reason_of
from shared.http.client.errors import RequestFailed, RequestRefused
from shared.http.client.guarded import GuardedClient
from shared.postgres.lease_queue import LeaseQueue
from shared.postgres.pool import Pool

log = structlog.get_logger(__name__)

UNSUBSCRIBE_POLL_S = 5.0
UNSUBSCRIBED_AT_ONCE = 10
UNSUBSCRIBE_BACKOFF = Backoff(first_s=30.0, longest_s=3600.0)


@dataclass(frozen=True, slots=True)
class Unsubscription:
    """A subscription to be ended at its hub, which forgets it by itself at `until`."""

    token: str
    source: str
    hub: str
    topic: str
    until: datetime
    next_at: datetime


UNSUBSCRIPTIONS = LeaseQueue(
    table="ingest.unsubscriptions",
    key={"token": "text"},
    due="next_at",
    attempts="attempts",
    waiting="q.ended_at IS NULL AND q.until >= now()",
    backoff=UNSUBSCRIBE_BACKOFF,
    columns="q.token, q.source, q.hub, q.topic, q.until, q.next_at",
    read=lambda row: Unsubscription(**row),
)


class Subscriber:
    """Sends requests to hubs, and repeats them in time."""

    def __init__(self, settings: Settings, pool: Pool, client: GuardedClient) -> None:
        self._settings = settings
        self._pool = pool
        self._client = client
        self._warned: set[str] = set()

    async def ensure_subscribed(self, source: Source, links: FeedLinks | None) -> bool:
        """Subscribe or renew where that is due. Returns whether the hub sends, so that polls may be rare.

        `links` are those of the feed as it was just read; None where it had not changed.
        """
        now = datetime.now(UTC)
        subscription = await subscription_of(self._pool, source.name)
        hub = (links.hub if links is not None else None) or (subscription.hub if subscription else None)
        topic = (links.topic if links is not None else None) or (subscription.topic if subscription else source.url)
        if hub is None or topic is None:
            self._warn_once(source, "feed names no hub; it is polled")
            return False
        if not self._settings.ingest_public_url:
            self._warn_once(source, "INGEST_PUBLIC_URL is empty, so no hub can reach us; the feed is polled")
            return False
        if is_due(subscription, hub, topic, now):
            await self._subscribe(source, subscription, hub, topic)
        return subscription is not None and subscription.is_live(now)

    def _warn_once(self, source: Source, warning: str) -> None:
        if source.name not in self._warned:
            self._warned.add(source.name)
            log.warning(warning, source=source.name)

    async def _subscribe(self, source: Source, before: Subscription | None, hub: str, topic: str) -> None:
        renewed = before if before is not None and before.is_for(hub, topic) else None
        if renewed is None:
            await self._pool.execute(UNSUBSCRIBE, source.name)
        token = renewed.token if renewed is not None else secrets.token_urlsafe(24)
        secret = renewed.secret if renewed is not None else secrets.token_urlsafe(32)
        # Written first: a hub may verify before it answers.
        await self._pool.execute(
            "INSERT INTO ingest.subscriptions AS s (source, token, secret, hub, topic, state, requested_at) "
            "VALUES ($1, $2, $3, $4, $5, 'pending', now()) ON CONFLICT (source) DO UPDATE SET token = $2, secret = $3, "
            "hub = $4, topic = $5, requested_at = now(), state = CASE WHEN $6 THEN s.state ELSE 'pending' END, "
            "lease_until = CASE WHEN $6 THEN s.lease_until END",
            source.name,
            token,
            secret,
            hub,
            topic,
            renewed is not None and renewed.state == "active",
        )
        form = {
            "hub.mode": "subscribe",
            "hub.topic": topic,
            "hub.callback": self._callback(token),
            "hub.secret": secret,
            "hub.lease_seconds": str(LEASE_S),
        }
        try:
            answer = await self._client.post_form(hub, form)
            error = "" if answer.ok else f"the hub answered {answer.status}: {answer.body[:200]!r}"
        except (RequestRefused, RequestFailed) as failure:
            error = str(failure) or type(failure).__name__
        if error:
            log.warning("hub refuses the subscription", source=source.name, hub=hub, error=error)
        else:
            log.info("hub was asked to subscribe us", source=source.name, hub=hub, topic=topic)
        await self._pool.execute(
            "UPDATE ingest.subscriptions SET error = $2 WHERE source = $1", source.name, error[:1000]
        )

    async def keep_unsubscribing(self) -> None:
        """End at their hubs, until cancelled, the subscriptions that are no longer wanted; replicas share the work."""

        async def step() -> None:
            await self._pool.execute(UNSUBSCRIBE_UNUSED)
            await self._pool.execute("DELETE FROM ingest.unsubscriptions WHERE until < now()")
            while await self.unsubscribe_some():
                pass

        await keep_running("ended subscriptions", step, every_s=jittered(UNSUBSCRIBE_POLL_S))

    async def unsubscribe_some(self) -> int:
        """Ask hubs to end subscriptions (WebSub, section 5.1), several at once: none waits for another. How many were due."""
        if not self._settings.ingest_public_url:
            return 0
        # The claim sets the time of the next attempt, so that another replica goes on where this one dies.
        due = await UNSUBSCRIPTIONS.claim(self._pool, UNSUBSCRIBED_AT_ONCE, UNSUBSCRIBE_BACKOFF.first_s)
        ended = await asyncio.gather(*(self._unsubscribe(ending) for ending in due), return_exceptions=True)
        for ending, result in zip(due, ended, strict=True):
            if isinstance(result, BaseException):
                if not isinstance(result, Exception) or is_transient(result):
                    raise result
                log.error("bug in ending a subscription", source=ending.source, hub=ending.hub, exc_info=result)
                error = reason_of(result).replace("\x00", "")[:1000]
                await self._pool.execute(
                    "UPDATE ingest.unsubscriptions SET error = $2 WHERE token = $1", ending.token, error
                )
        return len(due)

    async def _unsubscribe(self, ending: Unsubscription) -> None:
        form = {
            "hub.mode": "unsubscribe",
            "hub.topic": ending.topic,
            "hub.callback": self._callback(ending.token),
        }
        error, ended, wait = "", False, timedelta(0)
        try:
            answer = await self._client.post_form(ending.hub, form)
            if answer.ok:
                wait = ANSWER_TIMEOUT
            else:
                error = f"the hub answered {answer.status}: {answer.body[:200]!r}"
                ended = answer.status in (404, 410)
        except RequestRefused as failure:
            error, ended = str(failure), True
        except RequestFailed as failure:
            error = str(failure) or type(failure).__name__
        if error:
            log.warning(
                "hub does not end the subscription", source=ending.source, hub=ending.hub, error=error,
                again=not ended and ending.next_at < ending.until,
            )  # fmt: skip
        else:
            log.info("hub was asked to end the subscription", source=ending.source, hub=ending.hub, topic=ending.topic)
        await self._pool.execute(
            "UPDATE ingest.unsubscriptions SET error = $2, ended_at = CASE WHEN $3 THEN coalesce(ended_at, now()) ELSE ended_at END, "
            "next_at = greatest(next_at, now() + $4::interval) WHERE token = $1",
            ending.token,
            error.replace("\x00", "")[:1000],
            ended,
            wait,
        )

    def _callback(self, token: str) -> str:
        return f"{self._settings.ingest_public_url.rstrip('/')}/v1/websub/{token}"
