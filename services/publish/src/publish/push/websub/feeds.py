"""Content distribution: a subscriber gets the whole feed, signed with its secret, each time it changes.

A delivery that is still waiting is not queued twice: what is sent is the feed at the time of sending.
"""

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from urllib.parse import unquote

import orjson

from publish.push.delivery.notice import Notice
from publish.push.delivery.outbound import Answer, Outbound
from publish.push.delivery.queue import DeliveryRequest, DueDelivery, Postponed, Skipped, Unbuildable, Unsent
from publish.representation.position import Position
from shared.postgres.pool import Connection

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
# The body is the position that the feed must have reached before it leaves.


def channel_of(topic: str, site_url: str) -> str | None:
    """The channel of one of the site's feeds, by its address; None for any other address."""
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


class FeedDistribution:
    """Builds content distribution requests from the site's own feeds."""

    def __init__(self, client: Outbound, *, site_url: str, web_url: str, hub_url: str) -> None:
        self._client = client
        self._site_url = site_url
        self._web_url = web_url
        self._hub_url = hub_url

    async def build(self, due: Sequence[DueDelivery]) -> dict[int, DeliveryRequest | Unsent]:
        """A request for each; the feed is fetched from a web replica, once for each topic, when the replica is far enough."""
        reached = await self._reached()
        if reached is None:
            return {each.id: Postponed("the site does not answer with its feeds") for each in due}
        topics = sorted({each.topic for each in due if each.topic})
        fetched = await asyncio.gather(*(self._fetch(topic) for topic in topics))
        feeds = dict(zip(topics, fetched, strict=True))
        return {each.id: self._request(each, feeds, reached) for each in due}

    async def _reached(self) -> Position | None:
        answer = await self._client.send(
            "GET", f"{self._web_url}/v1/updates?limit=1&at={secrets.token_hex(4)}", most_bytes=MAX_FEED_BYTES
        )
        try:
            return Position.parse(str(orjson.loads(answer.body)["cursor"])) if answer.ok else None
        except (ValueError, LookupError, TypeError):
            return None

    async def _fetch(self, topic: str) -> Answer:
        # A query that no cache has seen: the feed of now.
        address = f"{self._web_url}{topic[len(self._site_url) :]}?at={secrets.token_hex(4)}"
        return await self._client.send("GET", address, most_bytes=MAX_FEED_BYTES)

    def _request(self, due: DueDelivery, feeds: Mapping[str, Answer], reached: Position) -> DeliveryRequest | Unsent:
        topic = due.topic or ""
        if due.body and reached < Position.parse(due.body):
            return Postponed("the feed does not show yet what has changed")
        feed = feeds.get(topic)
        if feed is None:
            return Unbuildable("its subscription has no topic")
        if feed.status == 404:
            return Skipped("the feed is empty by now")
        if not feed.ok:
            return Postponed(f"the feed could not be read: {feed.error or feed.status}")
        headers = {
            "Content-Type": feed.headers.get("Content-Type", "application/octet-stream"),
            "Link": f'<{self._hub_url}>; rel="hub", <{topic}>; rel="self"',
        }
        if due.secrets:
            digest = hmac.new(due.secrets[0]["secret"].encode(), feed.body, hashlib.sha256).hexdigest()
            headers["X-Hub-Signature"] = f"sha256={digest}"
        return DeliveryRequest(headers, feed.body)
