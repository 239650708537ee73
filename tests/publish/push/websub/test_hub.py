"""The WebSub hub against a local subscriber, by the W3C Recommendation."""

import hashlib
import hmac
from typing import Any

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from local.child import free_port
from publish.push.process import serve
from publish.push.settings import PushSettings
from publish.push.websub.feeds import channel_of
from shared.http.server.server import http_server
from shared.postgres.pool import Pool
from support.revisions import emit, revision, running
from support.waiting import eventually

pytestmark = pytest.mark.integration


class Subscriber:
    """A subscriber that confirms what it asked for, and keeps what it gets."""

    def __init__(self) -> None:
        self.url = ""
        self.expects: set[tuple[str, str]] = set()
        self.leases: list[int] = []
        self.asked = 0
        self.got: list[tuple[dict[str, str], bytes]] = []

    async def take(self, request: Request) -> Response:
        """A verification (GET) or content (POST)."""
        if request.method == "POST":
            self.got.append((dict(request.headers), await request.body()))
            return Response(None, 202)
        self.asked += 1
        query = request.query_params
        if (query["hub.mode"], query["hub.topic"]) not in self.expects or query.get("own") != "1":
            return Response(None, 404)
        if "hub.lease_seconds" in query:
            self.leases.append(int(query["hub.lease_seconds"]))
        return PlainTextResponse(query["hub.challenge"])


@pytest_asyncio.fixture
async def subscriber() -> Any:
    """The subscriber of this test."""
    made, port = Subscriber(), free_port()
    made.url = f"http://127.0.0.1:{port}/hook?own=1"
    async with http_server(Starlette(routes=[Route("/hook", made.take, methods=["GET", "POST"])]), "127.0.0.1", port):
        yield made


async def _hub(settings: PushSettings, **form: str) -> httpx.Response:
    address = f"http://127.0.0.1:{settings.health_port}/websub"

    async def ask() -> httpx.Response:
        try:
            async with httpx.AsyncClient() as client:
                return await client.post(address, data={f"hub.{name}": value for name, value in form.items()})
        except httpx.TransportError as error:
            raise OSError(str(error)) from error

    return await eventually(ask, lambda answer: answer.status_code != 503)


async def test_a_verified_subscriber_gets_the_whole_feed_signed_until_it_leaves(
    settings: PushSettings, pool: Pool, site: Any, subscriber: Any
) -> None:
    """Intent is verified, content comes whole with links and a sha256 signature, a feed that cannot be read waits, an unsubscribed one gets none."""
    topic = f"{settings.publish_site_url}/feeds/news.atom"
    subscriber.expects.add(("subscribe", topic))
    async with running(lambda stop: serve(settings, stop)):
        asked = await _hub(
            settings, mode="subscribe", topic=topic, callback=subscriber.url, secret="s3", lease_seconds="9"
        )
        assert asked.status_code == 202
        await eventually(lambda: pool.fetchval("SELECT count(*) FROM publish.endpoints WHERE kind = 'websub'"))
        assert subscriber.leases == [300], "a lease is no shorter than the hub's least"
        site.feeds_fail = True
        await emit(settings, [revision("a"), revision("b")])
        await eventually(lambda: pool.fetchval("SELECT max(cardinality(log)) FROM publish.deliveries"))
        assert subscriber.got == []
        await eventually(
            lambda: pool.fetchval("SELECT max(attempts) = 0 FROM publish.deliveries WHERE leased_until IS NULL")
        )
        site.feeds_fail = False
        headers, body = (await eventually(lambda: subscriber.got))[0]
        assert body == b"b 1\na 1"
        assert headers["x-hub-signature"] == "sha256=" + hmac.new(b"s3", body, hashlib.sha256).hexdigest()
        assert f'<{topic}>; rel="self"' in headers["link"]
        assert f'<{settings.websub_hub}>; rel="hub"' in headers["link"]
        assert headers["content-type"].startswith("application/atom+xml")
        subscriber.expects = {("unsubscribe", topic)}
        assert (await _hub(settings, mode="unsubscribe", topic=topic, callback=subscriber.url)).status_code == 202
        await eventually(lambda: pool.fetchval("SELECT count(*) = 0 FROM publish.endpoints WHERE kind = 'websub'"))


async def test_only_a_subscriber_that_confirms_is_subscribed_and_bad_requests_are_refused(
    settings: PushSettings, pool: Pool, site: Any, subscriber: Any
) -> None:
    """A callback that does not echo the challenge gets nothing; wrong modes, topics, callbacks, secrets and leases are refused by name."""
    topic = f"{settings.publish_site_url}/feeds/news.atom"
    good = {"mode": "subscribe", "topic": topic, "callback": subscriber.url}
    async with running(lambda stop: serve(settings, stop)):
        assert (await _hub(settings, **good)).status_code == 202
        await eventually(lambda: subscriber.asked)
        await eventually(lambda: pool.fetchval("SELECT count(*) = 0 FROM publish.websub_requests"))
        assert await pool.fetchval("SELECT count(*) FROM publish.endpoints") == 0
        for wrong, field in (
            ({"mode": "denied"}, "hub.mode"),
            ({"topic": "https://elsewhere.example/feeds/news.atom"}, "hub.topic"),
            ({"topic": f"{settings.publish_site_url}/feeds/../v1/updates"}, "hub.topic"),
            ({"callback": "gopher://x"}, "hub.callback"),
            ({"secret": "s" * 200}, "hub.secret"),
            ({"lease_seconds": "-1"}, "hub.lease_seconds"),
        ):
            refused = await _hub(settings, **good | wrong)
            assert 400 <= refused.status_code < 500
            assert refused.json()["field"] == field


def test_every_feed_of_the_site_is_a_topic() -> None:
    """A feed's address names its channel, percent-encoding undone; nothing else is a topic."""
    site = "https://news.example"
    assert channel_of(f"{site}/feeds/news.json", site) == "news"
    assert channel_of(f"{site}/feeds/tag/medtop:04000000.rss", site) == "tag:medtop:04000000"
    assert channel_of(f"{site}/feeds/author/na%C3%AFve%2Fx.atom", site) == "author:naïve/x"
    assert channel_of(f"{site}/feeds/update/x.atom", site) is None
    assert channel_of(f"{site}/feeds/source/wire.atom", site) is None
    assert channel_of(f"{site}.evil/feeds/news.json", site) is None
