"""Hubs that announce what a feed publishes."""

import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
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

from ingest.sources import store
from ingest.sources.rate_limit import SourceRateLimit
from ingest.sources.source import Source
from ingest.sources.store import UNSUBSCRIBE_UNUSED
from ingest.transports.api.app import build
from ingest.transports.api.authentication import Api
from ingest.transports.api.openapi import document
from ingest.transports.feed_links import FeedLinks
from ingest.transports.http_client import http_client
from ingest.transports.poll.poller import Poller
from ingest.transports.websub.callbacks import HubCallbacks
from ingest.transports.websub.subscriber import Subscriber
from ingest.transports.websub.subscriptions import Subscription, subscription_of
from local.child import free_port
from shared.http.server.server import http_server
from shared.observability.health import Health
from support.ingest_api import Wire

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


RSS = (
    b'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title><item><guid>r1</guid>'
    b"<title>Announced</title></item></channel></rss>"
)


class Hub:
    """A hub that notes what it is asked, and answers with `status`."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.status = 202

    async def ask(self, request: Request) -> Response:
        """Takes every request down."""
        form = parse_qs((await request.body()).decode())
        self.asked.append({name: values[0] for name, values in form.items()})
        return Response(status_code=self.status)


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
    await store.save(wire.pool, source)
    await wire.registry.load(wire.pool)
    async with http_client(allow_private=True) as fetcher:
        subscriber = Subscriber(settings, wire.pool, fetcher)
        assert not await subscriber.ensure_subscribed(source, FeedLinks(hub=hub[1], topic="http://feed.test/self"))
    subscription = await subscription_of(wire.pool, "feed")
    assert subscription is not None
    callback = HubCallbacks(settings, wire.registry, wire.intake)
    app = build(
        Api(settings, wire.registry, wire.intake, SourceRateLimit()), Health("ingest.api"), document, callback.routes()
    )
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
async def test_an_empty_notification_is_acknowledged(
    wire: Wire, subscribed: tuple[httpx.AsyncClient, Subscription]
) -> None:
    """Some hubs ping with a signed body of nothing: nothing is wrong with it, and nothing is kept of it."""
    client, subscription = subscribed
    headers = {"X-Hub-Signature": signature(b"", subscription.secret), "Content-Type": "application/rss+xml"}
    answer = await client.post(f"/v1/websub/{subscription.token}", content=b"", headers=headers)
    assert answer.status_code == 202
    assert await wire.pool.fetchval("SELECT count(*) FROM ingest.originals WHERE transport = 'websub'") == 0


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
    for empty in (b"", b" \n"):
        ping = headers | {"X-Hub-Signature": signature(empty, subscription.secret)}
        assert (await client.post(path, content=empty, headers=ping)).status_code == 202
    assert len(await wire.raw()) == 1, "a hub that asks whether we are there brings nothing"
    producer, wire.intake.producer = wire.intake.producer, None
    other = RSS.replace(b"r1", b"r2")
    signed = headers | {"X-Hub-Signature": signature(other, subscription.secret)}
    assert (await client.post(path, content=other, headers=signed)).status_code == 503
    wire.intake.producer = producer


@pytest.mark.integration
async def test_what_a_hub_has_sent_before_brings_no_withdrawn_wording_back(
    wire: Wire, subscribed: tuple[httpx.AsyncClient, Subscription]
) -> None:
    """WebSub signs no time: the same bytes again emit nothing that was emitted, and let the feed itself be asked at once, and
    read whole. What was not taken the first time is."""
    client, subscription = subscribed
    cursor = "INSERT INTO ingest.cursors (source, etag, sha256, polled_at, next_at) VALUES ('feed', 'e', 's', now() - $1::interval, now() + $1)"
    await wire.pool.execute(cursor, timedelta(minutes=9))

    async def send(title: bytes) -> int:
        body = RSS.replace(b"Announced", title)
        headers = {"Content-Type": "application/rss+xml", "X-Hub-Signature": signature(body, subscription.secret)}
        return (await client.post(f"/v1/websub/{subscription.token}", content=body, headers=headers)).status_code

    async def is_due() -> bool:
        return bool(await wire.pool.fetchval("SELECT next_at <= now() AND etag IS NULL FROM ingest.cursors"))

    producer, wire.intake.producer = wire.intake.producer, None
    assert await send(b"First") == 503
    wire.intake.producer = producer
    assert [await send(title) for title in (b"First", b"Second")] == [202, 202]
    assert not await is_due()
    assert await send(b"First") == 202
    assert [item["headline"] for item in await wire.raw()] == ["First", "Second"]
    assert await is_due()


@pytest.mark.integration
async def test_the_poller_finds_the_hub_and_then_asks_rarely(wire: Wire, hub: tuple[Hub, str]) -> None:
    """The hub is found in the feed that is polled; once it sends, the feed is asked five times more rarely."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "F",
        "feed_url": "http://feed.test/self",
        "hubs": [{"type": "WebSub", "url": hub[1]}],
        "items": [{"id": "1", "title": "PollResult", "content_text": "Text."}],
    }

    async def answer(_: Request) -> Response:
        return Response(orjson.dumps(feed), media_type="application/feed+json")

    port = free_port()
    settings = wire.settings.model_copy(update={"ingest_public_url": "http://ingest.test"})
    source = Source(name="feed", kind="websub", url=f"http://127.0.0.1:{port}/", min_interval_s=10, max_interval_s=60)
    await store.save(wire.pool, source)
    async with (
        http_server(Starlette(routes=[Route("/", answer)]), "127.0.0.1", port),
        http_client(allow_private=True) as fetcher,
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


async def left(wire: Wire) -> bool:
    """`ingest poll` looks for subscriptions that are no longer wanted. Whether a hub was asked to end one."""
    settings = wire.settings.model_copy(update={"ingest_public_url": "http://ingest.test"})
    async with http_client(allow_private=True) as fetcher:
        subscriber = Subscriber(settings, wire.pool, fetcher)
        await wire.pool.execute(UNSUBSCRIBE_UNUSED)
        return bool(await subscriber.unsubscribe_some())


async def pause(wire: Wire) -> None:
    """By command."""
    await store.pause(wire.pool, "feed", "night")


async def remove(wire: Wire) -> None:
    """By command."""
    await store.remove(wire.pool, "feed")


async def follow_another(wire: Wire) -> None:
    """By a file that names another topic."""
    await store.save(wire.pool, Source(name="feed", kind="websub", url="http://feed.test/other"))


async def poll_instead(wire: Wire) -> None:
    """By a file that makes another kind of it."""
    await store.save(wire.pool, Source(name="feed", kind="poll", url="http://feed.test/rss"))


@pytest.mark.integration
@pytest.mark.parametrize("change", [pause, remove, follow_another, poll_instead])
async def test_what_is_no_longer_wanted_is_ended_at_the_hub(
    change: Callable[[Wire], Awaitable[None]],
    wire: Wire,
    hub: tuple[Hub, str],
    subscribed: tuple[httpx.AsyncClient, Subscription],
) -> None:
    """The hub is asked once, with the very callback that it knows; it verifies with us, and what it still sends is gone."""
    client, subscription = subscribed
    path = f"/v1/websub/{subscription.token}"
    leaving = {"hub.mode": "unsubscribe", "hub.topic": subscription.topic, "hub.challenge": "bye"}
    assert (await client.get(path, params=leaving)).status_code == 404
    await change(wire)
    await wire.registry.load(wire.pool)
    assert await left(wire)
    assert hub[0].asked[-1] == {
        "hub.mode": "unsubscribe",
        "hub.topic": subscription.topic,
        "hub.callback": f"http://ingest.test{path}",
    }
    assert not await left(wire)
    assert (await client.get(path, params=leaving | {"hub.topic": "http://other.test"})).status_code == 404
    for _ in range(2):
        verified = await client.get(path, params=leaving)
        assert (verified.status_code, verified.text) == (200, "bye")
    await wire.pool.execute("UPDATE ingest.unsubscriptions SET next_at = now()")
    assert not await left(wire)
    signed = {"Content-Type": "application/rss+xml", "X-Hub-Signature": signature(RSS, subscription.secret)}
    assert (await client.post(path, content=RSS, headers=signed)).status_code == 410
    assert await wire.raw() == []


@pytest.mark.integration
async def test_a_hub_that_is_away_is_asked_again_until_its_lease_is_over(
    wire: Wire, hub: tuple[Hub, str], subscribed: tuple[httpx.AsyncClient, Subscription]
) -> None:
    """Failures are retried with growing pauses; what the hub itself knows nothing of, or forgets by itself, is not."""
    await remove(wire)
    pauses = []
    for status in (500, 429, 202):
        hub[0].status = status
        assert await left(wire)
        row = await wire.pool.fetchrow("SELECT next_at - now() AS wait, error FROM ingest.unsubscriptions")
        pauses.append(row["wait"])
        assert (str(status) in row["error"]) is (status != 202)
        assert not await left(wire)
        await wire.pool.execute("UPDATE ingest.unsubscriptions SET next_at = now()")
    assert pauses == sorted(pauses)
    hub[0].status = 404
    assert await left(wire)
    assert not await left(wire)
    assert await wire.pool.fetchval("SELECT ended_at IS NOT NULL FROM ingest.unsubscriptions")
    await wire.pool.execute("UPDATE ingest.unsubscriptions SET ended_at = NULL, next_at = now(), until = now()")
    assert not await left(wire)
    assert len(hub[0].asked) == 5


@pytest.mark.integration
async def test_a_feed_that_moves_to_another_hub_leaves_the_one_before(
    wire: Wire, hub: tuple[Hub, str], subscribed: tuple[httpx.AsyncClient, Subscription]
) -> None:
    """The new hub is asked with another callback and secret; the old one is told that it is over."""
    settings = wire.settings.model_copy(update={"ingest_public_url": "http://ingest.test"})
    async with http_client(allow_private=True) as fetcher:
        source = Source(name="feed", kind="websub", url="http://feed.test/rss")
        links = FeedLinks(hub=f"{hub[1]}?new", topic="http://feed.test/self")
        await Subscriber(settings, wire.pool, fetcher).ensure_subscribed(source, links)
    assert await left(wire)
    first, moved, ended = hub[0].asked
    assert [moved["hub.mode"], ended["hub.mode"]] == ["subscribe", "unsubscribe"]
    assert ended["hub.callback"] == first["hub.callback"] != moved["hub.callback"]
    assert first["hub.secret"] != moved["hub.secret"]
