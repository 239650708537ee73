"""Subscriptions: what was requested of hubs, what they answered, and their signatures."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.postgres.pool import Pool, Row

LEASE_S = 5 * 86_400
"""The lease that we ask for; the hub decides."""
ANSWER_TIMEOUT = timedelta(minutes=10)
DENIED_RETRY = timedelta(hours=6)
METHODS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}
"""WebSub, section 8: those that a hub may sign with."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A request to a hub, and its answer."""

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
        """Whether the hub sends what is new."""
        return self.lease_until is not None and self.lease_until > now

    def is_for(self, hub: str, topic: str) -> bool:
        """Whether this is a subscription to that topic at that hub."""
        return (self.hub, self.topic) == (hub, topic)


def subscription_from(row: Row | None) -> Subscription | None:
    """The subscription in a row of the table."""
    return Subscription(**row) if row is not None else None


async def subscription_of(pool: Pool, source: str) -> Subscription | None:
    """The subscription of a source."""
    return subscription_from(await pool.fetchrow("SELECT * FROM ingest.subscriptions WHERE source = $1", source))


def is_due(subscription: Subscription | None, hub: str, topic: str, now: datetime) -> bool:
    """Whether to send the hub a (new) request: at first, where the feed moved, and when a third of the lease is left."""
    if subscription is None or not subscription.is_for(hub, topic):
        return True
    since_request = now - subscription.requested_at
    if subscription.state == "active" and subscription.lease_until is not None:
        left = subscription.lease_until - now
        return left < timedelta(seconds=(subscription.lease_s or LEASE_S) / 3) and since_request > ANSWER_TIMEOUT
    return since_request > (DENIED_RETRY if subscription.state == "denied" else ANSWER_TIMEOUT)


def is_signed(body: bytes, header: str, secret: str) -> bool:
    """Whether `X-Hub-Signature` (WebSub, section 8) was made of this body with our secret."""
    method, _, given = header.partition("=")
    digest = METHODS.get(method.strip().lower())
    if digest is None:
        return False
    expected = hmac.new(secret.encode(), body, digest).hexdigest()
    return hmac.compare_digest(expected.encode(), given.strip().lower().encode("utf-8", "replace"))
