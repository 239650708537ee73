"""WebSub (W3C Recommendation, 2018), as a subscriber: a hub announces what a feed publishes, the moment it does.

`ingest poll` finds the hub in the feed, asks for the subscription and renews it; `ingest api` answers the hub's
verification and takes what it sends. The feed is polled all the same, more rarely, for the day the hub is silent. What is no longer wanted is ended at the hub.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from ingest.intake import originals
from ingest.intake.deadline import Unavailable
from ingest.intake.receive import DocumentRejected, Intake
from ingest.settings import Settings
from ingest.sources.registry import UNSUBSCRIBE, UNSUBSCRIBE_UNUSED, Registry, Source
from ingest.transports.api.body import read_body
from ingest.transports.feed_links import FeedLinks
from shared.background import keep_running
from shared.failures.backoff import jittered
from shared.http.client import GuardedClient, RequestFailed, RequestRefused
from shared.http.problem import Problem
from shared.postgres.pool import Pool

log = structlog.get_logger(__name__)

TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")

LEASE_S = 5 * 86_400
"""What we ask for; the hub decides."""
ANSWER_TIMEOUT = timedelta(minutes=10)
DENIED_RETRY = timedelta(hours=6)
LEAVE_LOOK_S = 5.0
LEAVE_RETRY_S = 30.0
MAX_LEAVE_RETRY_S = 3600.0
METHODS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}
"""WebSub, section 8: those that a hub may sign with."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What we have asked a hub for, and what it said."""

    source: str
    token: str
    secret: str
    hub: str
    topic: str
    state: str
    requested_at: datetime
    lease_s: int | None
    lease_until: datetime | None
    error: str = ""

    def is_live(self, now: datetime) -> bool:
        """Whether the hub sends."""
        return self.lease_until is not None and self.lease_until > now


def is_due(subscription: Subscription | None, hub: str, topic: str, now: datetime) -> bool:
    """Whether the hub is to be asked (again): at first, where the feed moved, when a third of the lease is left."""
    if subscription is None or (subscription.hub, subscription.topic) != (hub, topic):
        return True
    if subscription.state == "active" and subscription.lease_until is not None:
        left = subscription.lease_until - now
        waited = now - subscription.requested_at > ANSWER_TIMEOUT
        return left < timedelta(seconds=(subscription.lease_s or LEASE_S) / 3) and waited
    patience = DENIED_RETRY if subscription.state == "denied" else ANSWER_TIMEOUT
    return now - subscription.requested_at > patience


def is_signed(body: bytes, header: str, secret: str) -> bool:
    """Whether `X-Hub-Signature` (WebSub, section 8) is ours over this body."""
    method, _, given = header.partition("=")
    digest = METHODS.get(method.strip().lower())
    if digest is None:
        return False
    expected = hmac.new(secret.encode(), body, digest).hexdigest()
    return hmac.compare_digest(expected.encode(), given.strip().lower().encode("utf-8", "replace"))


async def subscription_of(pool: Pool, source: str) -> Subscription | None:
    """The subscription of a source."""
    row = await pool.fetchrow("SELECT * FROM ingest.subscriptions WHERE source = $1", source)
    return Subscription(**dict(row)) if row is not None else None


class Subscriber:
    """Asks hubs, and asks again in time."""

    def __init__(self, settings: Settings, pool: Pool, client: GuardedClient) -> None:
        self._settings = settings
        self._pool = pool
        self._client = client
        self._told: set[str] = set()

    async def ensure_subscribed(self, source: Source, links: FeedLinks | None) -> bool:
        """Subscribe or renew where that is due. Whether the hub sends, so that polling may be rare.

        `links` are those of the feed as it was just read; None where it had not changed.
        """
        now = datetime.now(UTC)
        subscription = await subscription_of(self._pool, source.name)
        hub = (links.hub if links is not None else None) or (subscription.hub if subscription else None)
        topic = (links.topic if links is not None else None) or (subscription.topic if subscription else source.url)
        if hub is None or topic is None:
            if source.name not in self._told:
                self._told.add(source.name)
                log.warning("feed names no hub; it is polled", source=source.name)
            return False
        if not self._settings.ingest_public_url:
            if source.name not in self._told:
                self._told.add(source.name)
                log.warning(
                    "INGEST_PUBLIC_URL is empty, so no hub can reach us; the feed is polled", source=source.name
                )
            return False
        if is_due(subscription, hub, topic, now):
            await self._ask(source, subscription, hub, topic)
        return subscription is not None and subscription.is_live(now)

    async def _ask(self, source: Source, before: Subscription | None, hub: str, topic: str) -> None:
        same = before is not None and (before.hub, before.topic) == (hub, topic)
        if not same:
            await self._pool.execute(UNSUBSCRIBE, source.name)
        token = before.token if before is not None and same else secrets.token_urlsafe(24)
        secret = before.secret if before is not None and same else secrets.token_urlsafe(32)
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
            same and before is not None and before.state == "active",
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
            error = "" if 200 <= answer.status < 300 else f"the hub answered {answer.status}: {answer.body[:200]!r}"
        except (RequestRefused, RequestFailed) as failure:
            error = str(failure) or type(failure).__name__
        if error:
            log.warning("hub refuses the subscription", source=source.name, hub=hub, error=error)
        else:
            log.info("hub was asked", source=source.name, hub=hub, topic=topic)
        await self._pool.execute(
            "UPDATE ingest.subscriptions SET error = $2 WHERE source = $1", source.name, error[:1000]
        )

    async def keep_unsubscribing(self) -> None:
        """End at their hubs, until cancelled, the subscriptions that are no longer wanted; replicas share the work."""

        async def step() -> None:
            await self._pool.execute(UNSUBSCRIBE_UNUSED)
            while await self.unsubscribe_next():
                pass

        await keep_running("ended subscriptions", step, every_s=jittered(LEAVE_LOOK_S))

    async def unsubscribe_next(self) -> bool:
        """Ask one hub to end a subscription (WebSub, section 5.1). Whether one was due."""
        if not self._settings.ingest_public_url:
            return False
        # A replica that dies over it has said when the next one asks.
        row = await self._pool.fetchrow(_DUE_TO_LEAVE, LEAVE_RETRY_S, MAX_LEAVE_RETRY_S)
        if row is None:
            return False
        form = {
            "hub.mode": "unsubscribe",
            "hub.topic": row["topic"],
            "hub.callback": self._callback(row["token"]),
        }
        error, ended, patience = "", False, timedelta(0)
        try:
            answer = await self._client.post_form(row["hub"], form)
            if 200 <= answer.status < 300:
                patience = ANSWER_TIMEOUT
            else:
                error = f"the hub answered {answer.status}: {answer.body[:200]!r}"
                ended = answer.status in (404, 410)
        except RequestRefused as failure:
            error, ended = str(failure), True
        except RequestFailed as failure:
            error = str(failure) or type(failure).__name__
        if error:
            log.warning(
                "hub does not end the subscription", source=row["source"], hub=row["hub"], error=error,
                again=not ended and row["next_at"] < row["until"],
            )  # fmt: skip
        else:
            log.info("hub was asked to end the subscription", source=row["source"], hub=row["hub"], topic=row["topic"])
        await self._pool.execute(
            "UPDATE ingest.unsubscriptions SET error = $2, ended_at = CASE WHEN $3 THEN coalesce(ended_at, now()) ELSE ended_at END, "
            "next_at = greatest(next_at, now() + $4::interval) WHERE token = $1",
            row["token"],
            error.replace("\x00", "")[:1000],
            ended,
            patience,
        )
        return True

    def _callback(self, token: str) -> str:
        return f"{self._settings.ingest_public_url.rstrip('/')}/v1/websub/{token}"


_DUE_TO_LEAVE = """
WITH over AS (DELETE FROM ingest.unsubscriptions WHERE until < now())
UPDATE ingest.unsubscriptions SET attempts = attempts + 1,
    next_at = now() + make_interval(secs => least($1 * 2 ^ least(attempts, 20), $2))
WHERE token = (
    SELECT token FROM ingest.unsubscriptions WHERE ended_at IS NULL AND next_at <= now() AND until >= now()
    ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING *
"""


@dataclass
class HubCallbacks:
    """Where hubs verify, and where they send."""

    settings: Settings
    registry: Registry
    intake: Intake

    def routes(self) -> tuple[BaseRoute, ...]:
        """The two routes, for the application of `ingest api`."""
        path = "/v1/websub/{token}"
        return (Route(path, self.verify, methods=["GET"]), Route(path, self.receive, methods=["POST"]))

    async def verify(self, request: Request) -> Response:
        """Verification of intent (WebSub, section 5.3), and denial (5.2)."""
        if request.query_params.get("hub.mode") == "unsubscribe":
            return await self._verify_leaving(request)
        subscription, _ = await self._found(request)
        asked = request.query_params
        if asked.get("hub.topic") != subscription.topic:
            raise Problem(404, "other-topic", "this is not what we asked for", field="hub.topic")
        mode = asked.get("hub.mode")
        if mode == "denied":
            reason = asked.get("hub.reason", "").replace("\x00", "")[:500]
            await self._write(subscription, "state = 'denied', lease_until = NULL, error = $2", f"denied: {reason}")
            log.error("hub denies the subscription; the feed is polled", source=subscription.source, reason=reason)
            return Response(status_code=204)
        challenge = asked.get("hub.challenge")
        if mode != "subscribe" or not challenge:
            raise Problem(404, "not-asked", "we have asked for no such thing", field="hub.mode")
        lease_s = _lease_s(asked)
        await self._write(
            subscription,
            "state = 'active', error = '', lease_s = $2::integer, lease_until = now() + make_interval(secs => $2::integer)",
            lease_s,
        )
        log.info("hub has subscribed us", source=subscription.source, hub=subscription.hub, lease_s=lease_s)
        return _echo(challenge)

    async def _verify_leaving(self, request: Request) -> Response:
        """Confirm that a subscription is to end, as often as the hub asks; one that we still want is not ended."""
        token, challenge = request.path_params["token"], request.query_params.get("hub.challenge")
        topic = request.query_params.get("hub.topic", "")
        if self.intake.pool is None:
            raise Unavailable("Postgres does not answer")
        source = None
        if TOKEN.fullmatch(token) and challenge and "\x00" not in topic:
            source = await self.intake.within(
                self.intake.pool.fetchval(
                    "UPDATE ingest.unsubscriptions SET ended_at = coalesce(ended_at, now()), error = '' "
                    "WHERE token = $1 AND topic = $2 RETURNING source",
                    token,
                    topic,
                )
            )
        if source is None:
            raise Problem(404, "not-asked", "we have asked for no such thing", field="hub.mode")
        log.info("hub has ended the subscription", source=source, topic=topic)
        return _echo(str(challenge))

    async def receive(self, request: Request) -> Response:
        """Content distribution (WebSub, section 7). What is not signed by us is acknowledged and thrown away."""
        subscription, source = await self._found(request)
        if source.paused:
            raise Problem(503, "source-paused", "nothing is taken for now", headers={"Retry-After": "600"})
        limit = min(source.max_body_bytes or self.settings.ingest_max_body_bytes, self.settings.ingest_max_body_bytes)
        body = await read_body(request, limit, self.settings.ingest_body_timeout_s)
        if not is_signed(body, request.headers.get("x-hub-signature", ""), subscription.secret):
            self.intake.statistics.refused(source.name, "bad-signature")
            log.warning("content without our signature thrown away", source=source.name)
            return Response(status_code=202)
        again = await self._has_come_before(source, body)
        try:
            receipt = await self.intake.take(
                source,
                body,
                content_type=request.headers.get("content-type"),
                transport="websub",
                headers={"link": request.headers.get("link", "")},
                again=again,
            )
        except DocumentRejected:
            # Kept and counted; the same again would be as unreadable.
            return Response(status_code=202)
        if receipt.count("error"):
            raise Unavailable("Kafka does not answer")
        return Response(status_code=202)

    async def _has_come_before(self, source: Source, body: bytes) -> bool:
        """Whether a hub's message may be an old one that somebody sends again.

        WebSub signs the body alone: no time, no id. So the same bytes prove nothing the second time; what was emitted of them
        is not emitted again, and the feed itself is asked what it says now, should it really have gone back to that.
        """
        pool = self.intake.pool
        if pool is None:
            raise Unavailable("Postgres does not answer")
        sha256 = hashlib.sha256(body).hexdigest()
        if not await self.intake.within(originals.was_received_before(pool, source.name, sha256)):
            return False
        log.info("hub sends what it has sent before; the feed is asked", source=source.name)
        await self.intake.within(
            pool.execute(
                "UPDATE ingest.cursors SET etag = NULL, last_modified = NULL, sha256 = NULL, next_at = least(next_at, "
                "greatest(now(), coalesce(polled_at, now()) + make_interval(secs => $2))) WHERE source = $1",
                source.name,
                float(source.min_interval_s or self.settings.ingest_poll_min_interval_s),
            )
        )
        return True

    async def _found(self, request: Request) -> tuple[Subscription, Source]:
        token = request.path_params["token"]
        if not TOKEN.fullmatch(token):
            raise Problem(410, "unknown-subscription", "we no longer listen here")
        pool = self.intake.pool
        if pool is None:
            raise Unavailable("Postgres does not answer")
        row = await self.intake.within(pool.fetchrow("SELECT * FROM ingest.subscriptions WHERE token = $1", token))
        if row is None:
            raise Problem(410, "unknown-subscription", "we no longer listen here")
        subscription = Subscription(**dict(row))
        source = await self.intake.within(self.registry.source_named(subscription.source, pool))
        if source is None:
            raise Problem(410, "unknown-subscription", "we no longer listen here")
        return subscription, source

    async def _write(self, subscription: Subscription, change: str, value: Any) -> None:
        if self.intake.pool is None:
            raise Unavailable("Postgres does not answer")
        await self.intake.within(
            self.intake.pool.execute(
                f"UPDATE ingest.subscriptions SET {change} WHERE token = $1",  # noqa: S608 -- changes are ours
                subscription.token,
                value,
            )
        )


def _echo(challenge: str) -> Response:
    # Plain text that is never interpreted: the challenge is whatever the caller wrote.
    return PlainTextResponse(challenge, headers={"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"})


def _lease_s(asked: Mapping[str, str]) -> int:
    given = asked.get("hub.lease_seconds", "")
    return min(max(int(given[:9]), 60), 365 * 86_400) if given.isascii() and given.isdigit() else LEASE_S
