"""A WebSub hub for every feed of the site (W3C Recommendation WebSub, 2018).

Subscribers are verified, have leases, and get the whole feed, signed with their secret, each time it changes. What a
subscriber has not got yet is not queued twice: it is the feed of the moment that leaves.
"""

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import orjson
import structlog
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from publish.push.delivery.outbound import Answer, Outbound, check_url
from publish.push.delivery.queue import Due, NotYet, Request
from publish.push.delivery.routes import body_bytes
from publish.push.notify import Notice
from publish.representation.position import Position
from shared.background import keep_running
from shared.failures.transient import is_transient
from shared.http.problem import Problem
from shared.http.proxies import TrustedProxies
from shared.http.query import check_query
from shared.http.rate import RateLimit
from shared.postgres.pool import Connection, Pool

log = structlog.get_logger(__name__)

DEFAULT_LEASE_S = 10 * 86_400
LEAST_LEASE_S = 300
MOST_LEASE_S = 30 * 86_400
MAX_SECRET_BYTES = 199
VERIFY_ATTEMPTS = 3
LOST_ATTEMPTS = 5
"""Attempts beyond these were counted when they were begun, and never ended: the process did."""
VERIFY_PAUSE_S = 30.0
IDLE_S = 0.5
PER_MINUTE = 60
MAX_FEED_BYTES = 8 * 1024 * 1024

_TOPIC = re.compile(r"^/feeds/(?:news|(tag|story|author)/([^/?#]+))\.(?:rss|atom|json)$")

DISTRIBUTE = """
WITH meant AS (
  SELECT e.id FROM publish.endpoints e
  WHERE e.kind = 'websub' AND e.state = 'active' AND e.lease_until > now() AND e.channels && $1::text[]),
waiting AS (
  UPDATE publish.deliveries d SET body = $3 FROM meant m
  WHERE d.endpoint_id = m.id AND d.state = 'waiting' AND d.leased_until IS NULL RETURNING d.endpoint_id)
INSERT INTO publish.deliveries (endpoint_id, message_id, type, order_key, body)
SELECT m.id, $2, 'websub', 'feed', $3 FROM meant m WHERE m.id NOT IN (SELECT endpoint_id FROM waiting)
"""
# The body is the place of the log that the feed must have reached before it leaves.


def channel_of(topic: str, site_url: str) -> str | None:
    """The channel of a feed of ours, by its address; None where it is none of ours."""
    if not topic.startswith(site_url + "/"):
        return None
    match = _TOPIC.match(topic[len(site_url) :])
    if match is None:
        return None
    return f"{match[1]}:{unquote(match[2])}" if match[1] else "news"


async def queue_feeds(connection: Connection, notices: Sequence[Notice]) -> None:
    """Queue the feeds that revisions change, once for each subscriber."""
    channels = {channel for notice in notices for channel in notice.archived.channels}
    if channels:
        place = max(notice.archived.cursor for notice in notices)
        await connection.execute(DISTRIBUTE, sorted(channels), f"feed_{secrets.token_hex(8)}", str(place))


class Feeds:
    """Composes content distribution requests out of the site's own feeds."""

    def __init__(self, ours: Outbound, *, site_url: str, web_url: str, hub_url: str) -> None:
        self._ours = ours
        self._site_url = site_url
        self._web_url = web_url
        self._hub_url = hub_url

    async def compose(self, due: Sequence[Due]) -> dict[int, Request | NotYet | str]:
        """A request for each; the feed is fetched from a web replica, once for each topic, when the replica is far enough."""
        reached = await self._reached()
        topics = sorted({each.topic for each in due if each.topic})
        fetched = await asyncio.gather(*(self._fetch(topic) for topic in topics))
        feeds = dict(zip(topics, fetched, strict=True))
        return {each.id: self._request(each, feeds, reached) for each in due}

    async def _reached(self) -> Position | None:
        answer = await self._ours.send(
            "GET", f"{self._web_url}/v1/updates?limit=1&at={secrets.token_hex(4)}", most_bytes=MAX_FEED_BYTES
        )
        try:
            return Position.parse(str(orjson.loads(answer.body)["cursor"])) if answer.ok else None
        except (ValueError, LookupError, TypeError):
            return None

    async def _fetch(self, topic: str) -> Answer:
        # A query that no cache has seen: the feed of now.
        address = f"{self._web_url}{topic[len(self._site_url) :]}?at={secrets.token_hex(4)}"
        return await self._ours.send("GET", address, most_bytes=MAX_FEED_BYTES)

    def _request(self, due: Due, feeds: Mapping[str, Answer], reached: Position | None) -> Request | NotYet | str:
        topic = due.topic or ""
        if reached is None or (due.body and reached < Position.parse(due.body)):
            return NotYet("the feed does not have yet what is to be told")
        feed = feeds[topic]
        if feed.status == 404:
            return "the feed is empty by now"
        if not feed.ok:
            return NotYet(f"the feed could not be read: {feed.error or feed.status}")
        headers = {
            "Content-Type": feed.headers.get("Content-Type", "application/octet-stream"),
            "Link": f'<{self._hub_url}>; rel="hub", <{topic}>; rel="self"',
        }
        if due.secrets:
            digest = hmac.new(due.secrets[0]["secret"].encode(), feed.body, hashlib.sha256).hexdigest()
            headers["X-Hub-Signature"] = f"sha256={digest}"
        return Request(headers, feed.body)


class Hub:
    """Takes requests to subscribe, verifies that the subscriber meant it, and lets leases end."""

    def __init__(
        self, pool: Pool, outbound: Outbound, *, site_url: str, allow_private: bool, proxies: TrustedProxies
    ) -> None:
        self._pool = pool
        self._outbound = outbound
        self._site_url = site_url
        self._allow_private = allow_private
        self._proxies = proxies
        self._rate = RateLimit(PER_MINUTE)
        self._wake = asyncio.Event()

    def routes(self) -> list[Route]:
        """The hub's one address."""
        return [Route("/websub", self.ask, methods=["POST"])]

    async def ask(self, request: HttpRequest) -> Response:
        """`POST /websub`: a form with hub.mode, hub.topic, hub.callback, and optionally hub.lease_seconds and hub.secret."""
        check_query(request)
        self._rate.check(self._proxies.client(request.client.host if request.client else "", request.headers.raw))
        try:
            form = dict(parse_qsl((await body_bytes(request)).decode(), max_num_fields=50))
        except ValueError:
            raise Problem(400, "not-a-form", "the body is not a form in UTF-8") from None
        if "\x00" in "".join(form.values()):
            raise Problem(400, "bad-parameter", "NUL is allowed in no field")
        mode, topic, callback = (form.get(f"hub.{name}", "") for name in ("mode", "topic", "callback"))
        if mode not in ("subscribe", "unsubscribe"):
            raise Problem(400, "bad-parameter", "hub.mode: subscribe or unsubscribe", field="hub.mode")
        channel = channel_of(topic, self._site_url)
        if channel is None:
            raise Problem(404, "no-such-topic", "hub.topic: no feed of this site has that address", field="hub.topic")
        if (why := check_url(callback, allow_private=self._allow_private)) is not None:
            raise Problem(422, "callback", f"hub.callback: {why}", field="hub.callback")
        secret = form.get("hub.secret") or None
        if secret is not None and len(secret.encode()) > MAX_SECRET_BYTES:
            raise Problem(400, "bad-parameter", f"hub.secret: at most {MAX_SECRET_BYTES} bytes", field="hub.secret")
        lease = form.get("hub.lease_seconds", "")
        if lease and not re.fullmatch(r"[0-9]{1,12}", lease):
            raise Problem(400, "bad-parameter", "hub.lease_seconds: a number of seconds", field="hub.lease_seconds")
        lease_s = min(max(int(lease or DEFAULT_LEASE_S), LEAST_LEASE_S), MOST_LEASE_S)
        await self._pool.execute(
            "INSERT INTO publish.websub_requests (mode, topic, channel, callback, secret, lease_s) VALUES ($1, $2, $3, $4, $5, $6)",
            mode, topic, channel, callback, secret, lease_s,
        )  # fmt: skip
        self._wake.set()
        return Response(None, 202, {"Cache-Control": "no-store"})

    async def keep_verifying(self) -> None:
        """Verify what is asked for and end what has run out, until cancelled."""

        async def step() -> None:
            while await self._verify_some():
                continue
            await self._pool.execute(
                "DELETE FROM publish.endpoints WHERE kind = 'websub' AND lease_until < now() - interval '1 minute'"
            )

        await keep_running("WebSub requests", step, every_s=IDLE_S, wake=self._wake)

    async def _verify_some(self) -> int:
        rows = await self._pool.fetch(
            "WITH due AS (SELECT id FROM publish.websub_requests WHERE next_attempt_at <= now() ORDER BY next_attempt_at, id LIMIT 50 "
            "FOR UPDATE SKIP LOCKED) UPDATE publish.websub_requests r SET attempts = attempts + 1, "
            "next_attempt_at = now() + make_interval(secs => $1) FROM due WHERE r.id = due.id RETURNING r.*",
            VERIFY_PAUSE_S,
        )
        await asyncio.gather(*(self._verify_or_drop(row) for row in rows))
        return len(rows)

    async def _verify_or_drop(self, asked: Any) -> None:
        """Verify a request; one that cannot even be tried is dropped after as many attempts as the others have."""
        try:
            if asked["attempts"] <= VERIFY_ATTEMPTS + LOST_ATTEMPTS:
                await self._verify(asked)
                return
        except Exception as error:
            if is_transient(error):
                raise
            log.exception("a WebSub request cannot be verified", topic=asked["topic"], callback=asked["callback"])
            if asked["attempts"] < VERIFY_ATTEMPTS:
                return
        log.error("a WebSub request is dropped", topic=asked["topic"], callback=asked["callback"])
        await self._pool.execute("DELETE FROM publish.websub_requests WHERE id = $1", asked["id"])

    async def _verify(self, asked: Any) -> None:
        """Verification of intent, section 5.3: the subscriber echoes the challenge, or it was not the one who asked."""
        challenge = secrets.token_urlsafe(24)
        query = {"hub.mode": asked["mode"], "hub.topic": asked["topic"], "hub.challenge": challenge}
        if asked["mode"] == "subscribe":
            query["hub.lease_seconds"] = str(asked["lease_s"])
        joint = "&" if urlsplit(asked["callback"]).query else "?"
        answer = await self._outbound.send("GET", f"{asked['callback']}{joint}{urlencode(query)}")
        confirmed = answer.ok and hmac.compare_digest(answer.body, challenge.encode())
        refused = answer.status is not None and not confirmed and answer.status < 500
        if not confirmed and not refused and asked["attempts"] < VERIFY_ATTEMPTS:
            return
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("DELETE FROM publish.websub_requests WHERE id = $1", asked["id"])
            if confirmed:
                await self._settle(connection, asked)
        log.info("WebSub", mode=asked["mode"], topic=asked["topic"], callback=asked["callback"], confirmed=confirmed)

    async def _settle(self, connection: Connection, asked: Any) -> None:
        if asked["mode"] == "unsubscribe":
            await connection.execute(
                "DELETE FROM publish.endpoints WHERE kind = 'websub' AND topic = $1 AND url = $2",
                asked["topic"], asked["callback"],
            )  # fmt: skip
            return
        await connection.execute(
            "INSERT INTO publish.endpoints (id, kind, url, topic, channels, secrets, lease_until) "
            "VALUES ($1, 'websub', $2, $3, $4, $5, now() + make_interval(secs => $6)) "
            "ON CONFLICT (topic, url) WHERE kind = 'websub' DO UPDATE SET secrets = excluded.secrets, state = 'active', "
            "lease_until = excluded.lease_until, failures = 0, failing_since = NULL, retry_at = NULL",
            f"ws_{secrets.token_hex(12)}", asked["callback"], asked["topic"], [asked["channel"]],
            [{"secret": asked["secret"]}] if asked["secret"] else [], float(asked["lease_s"]),
        )  # fmt: skip
