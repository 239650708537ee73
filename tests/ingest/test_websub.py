"""Hubs that announce what a feed publishes."""

import hmac
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import httpx
import orjson
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingest.openapi import document
from ingest.outgoing import Fetcher
from ingest.sources import registry
from ingest.sources.api import Api, build
from ingest.sources.feedlinks import FeedLinks
from ingest.sources.limits import Buckets
from ingest.sources.poll import Poller
from ingest.sources.registry import Source
from ingest.sources.websub import Callback, Subscriber, Subscription, is_due, is_signed, subscription_of
from shared.health import Health
from shared.process import http_server
from support.revisions import free_port

from .conftest import Wire

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
RSS = (
    b'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title><item><guid>r1</guid>'
    b"<title>Announced</title></item></channel></rss>"
)


class Hub:
    """A hub that notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []

    async def ask(self, request: Request) -> Response:
        """Accepts every subscription."""
        form = parse_qs((await request.body()).decode())
        self.asked.append({name: values[0] for name, values in form.items()})
        return Response(status_code=202)


@pytest_asyncio.fixture
async def hub() -> AsyncIterator[tuple[Hub, str]]:
    """The hub and its address."""
    served, port = Hub(), free_port()
    async with http_server(Starlette(routes=[Route("/", served.ask, methods=["POST"])]), "127.0.0.1", port):
        yield served, f"http://127.0.0.1:{port}/"


@pytest_asyncio.fixture
async def subscribed(wire: Wire, hub: tuple[Hub, str]) -> AsyncIterator[tuple[httpx.AsyncClient, Subscription]]:
    """A source whose hub has been asked, and a client that speaks to our callback."""
    settings = wire.settings.model_copy(update={"ingest_public_url": "http://ingest.test"})
    source = Source(name="feed", kind="websub", url="http://feed.test/rss")
    await registry.save(wire.pool, source)
    await wire.registry.load(wire.pool)
    async with Fetcher(allow_private=True) as fetcher:
        subscriber = Subscriber(settings, wire.pool, fetcher)
        assert not await subscriber.attend(source, FeedLinks(hub=hub[1], topic="http://feed.test/self"))
    subscription = await subscription_of(wire.pool, "feed")
    assert subscription is not None
    callback = Callback(settings, wire.registry, wire.intake)
    app = build(Api(settings, wire.registry, wire.intake, Buckets()), Health("ingest api"), document, callback.routes())
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://ingest.test") as client:
        yield client, subscription


def signature(body: bytes, secret: str, method: str = "sha256") -> str:
    """As a hub signs."""
    return f"{method}=" + hmac.new(secret.encode(), body, method).hexdigest()


@pytest.mark.integration
async def test_a_hub_is_asked_with_a_secret_and_a_callback_nobody_can_guess(
    hub: tuple[Hub, str], subscribed: tuple[httpx.AsyncClient, Subscription]
) -> None:
    """The subscription names mode, topic, callback, secret and lease."""
    [asked] = hub[0].asked
    assert (asked["hub.mode"], asked["hub.topic"]) == ("subscribe", "http://feed.test/self")
    assert asked["hub.callback"] == f"http://ingest.test/v1/websub/{subscribed[1].token}"
    assert asked["hub.secret"] == subscribed[1].secret
    assert len(subscribed[1].token) >= 32


@pytest.mark.integration
async def test_only_what_we_asked_for_is_confirmed(
    wire: Wire, subscribed: tuple[httpx.AsyncClient, Subscription]
) -> None:
    """The challenge is echoed for our topic and mode; another topic, another mode and another path are not."""
    client, subscription = subscribed
    path = f"/v1/websub/{subscription.token}"
    good = {
        "hub.mode": "subscribe",
        "hub.topic": subscription.topic,
        "hub.challenge": "c<b>",
        "hub.lease_seconds": "3600",
    }
    assert (await client.get(path, params=good | {"hub.topic": "http://other.test"})).status_code == 404
    assert (await client.get(path, params=good | {"hub.mode": "unsubscribe"})).status_code == 404
    assert (await client.get("/v1/websub/guess", params=good)).status_code == 410
    confirmed = await client.get(path, params=good)
    assert (confirmed.status_code, confirmed.text) == (200, "c<b>")
    assert confirmed.headers["content-type"].startswith("text/plain")
    live = await subscription_of(wire.pool, "feed")
    assert live is not None
    assert live.is_live(datetime.now(UTC))
    assert live.lease_s == 3600


@pytest.mark.integration
async def test_what_the_hub_sends_is_taken_only_with_its_signature(
    wire: Wire, subscribed: tuple[httpx.AsyncClient, Subscription]
) -> None:
    """Signed content becomes updates; unsigned and wrongly signed content is acknowledged and thrown away."""
    client, subscription = subscribed
    path = f"/v1/websub/{subscription.token}"
    headers = {"Content-Type": "application/rss+xml"}
    for bad in ({}, {"X-Hub-Signature": signature(RSS, "guess")}, {"X-Hub-Signature": "md5=x"}):
        assert (await client.post(path, content=RSS, headers=headers | bad)).status_code == 202
    assert await wire.raw() == []
    good = {"X-Hub-Signature": signature(RSS, subscription.secret)}
    assert (await client.post(path, content=RSS, headers=headers | good)).status_code == 202
    assert [item["guid"] for item in await wire.raw()] == ["r1"]
    emitter, wire.intake.emitter = wire.intake.emitter, None
    other = RSS.replace(b"r1", b"r2")
    signed = headers | {"X-Hub-Signature": signature(other, subscription.secret)}
    assert (await client.post(path, content=other, headers=signed)).status_code == 503
    wire.intake.emitter = emitter


@pytest.mark.integration
async def test_the_poller_finds_the_hub_and_then_asks_rarely(wire: Wire, hub: tuple[Hub, str]) -> None:
    """The hub is found in the feed that is polled; once it sends, the feed is asked five times more rarely."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "F",
        "feed_url": "http://feed.test/self",
        "hubs": [{"type": "WebSub", "url": hub[1]}],
        "items": [{"id": "1", "title": "Polled", "content_text": "Text."}],
    }

    async def answer(_: Request) -> Response:
        return Response(orjson.dumps(feed), media_type="application/feed+json")

    port = free_port()
    settings = wire.settings.model_copy(update={"ingest_public_url": "http://ingest.test"})
    source = Source(name="feed", kind="websub", url=f"http://127.0.0.1:{port}/", min_interval_s=10, max_interval_s=60)
    await registry.save(wire.pool, source)
    async with (
        http_server(Starlette(routes=[Route("/", answer)]), "127.0.0.1", port),
        Fetcher(allow_private=True) as fetcher,
    ):
        poller = Poller(settings, wire.pool, wire.intake, fetcher, "one")
        waits = []
        for _ in range(2):
            await wire.pool.execute("UPDATE ingest.cursors SET next_at = now()")
            [cursor] = await poller.lease()
            await poller.poll_and_release(cursor)
            waits.append(await wire.pool.fetchval("SELECT next_at - polled_at FROM ingest.cursors"))
            live = "UPDATE ingest.subscriptions SET state = 'active', lease_s = 9000, lease_until = now() + interval '2 hours'"
            await wire.pool.execute(live)
    assert [asked["hub.topic"] for asked in hub[0].asked] == ["http://feed.test/self"]
    assert waits[0] < timedelta(seconds=60) <= timedelta(seconds=300) <= waits[1]
    assert [item["guid"] for item in await wire.raw()] == ["1"]


@pytest.mark.integration
async def test_a_denial_is_noted(wire: Wire, subscribed: tuple[httpx.AsyncClient, Subscription]) -> None:
    """A hub that denies is believed; the feed goes on being polled."""
    client, subscription = subscribed
    asked = {"hub.mode": "denied", "hub.topic": subscription.topic, "hub.reason": "no capacity"}
    assert (await client.get(f"/v1/websub/{subscription.token}", params=asked)).status_code == 204
    denied = await subscription_of(wire.pool, "feed")
    assert denied is not None
    assert (denied.state, denied.error) == ("denied", "denied: no capacity")


def test_a_subscription_is_renewed_in_time() -> None:
    """It is due at first, when the feed's hub moved, with a third of the lease left, and after a silence or a denial."""

    def held(state: str, asked_ago: timedelta, left: timedelta | None = None) -> Subscription:
        until = NOW + left if left is not None else None
        return Subscription("s", "t", "x", "h", "topic", state, NOW - asked_ago, 9000, until)

    day = timedelta(days=1)
    assert is_due(None, "h", "topic", NOW)
    assert is_due(held("active", day, day), "other", "topic", NOW)
    assert not is_due(held("active", day, timedelta(seconds=4000)), "h", "topic", NOW)
    assert is_due(held("active", day, timedelta(seconds=2000)), "h", "topic", NOW)
    assert not is_due(held("pending", timedelta(minutes=5)), "h", "topic", NOW)
    assert is_due(held("pending", timedelta(minutes=11)), "h", "topic", NOW)
    assert not is_due(held("denied", timedelta(hours=1)), "h", "topic", NOW)


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_every_method_of_the_standard_is_understood(method: str) -> None:
    """The four methods that WebSub names are verified; a changed body is not."""
    body = b"copy"
    assert is_signed(body, signature(body, "secret", method), "secret")
    assert not is_signed(body + b"!", signature(body, "secret", method), "secret")
