"""The hub with the feeds that publish web really serves, from the link in a feed to what its subscriber gets."""

import contextlib
import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import feedparser
import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from local.child import free_port
from publish.archive import process as archive
from publish.push import process as push
from publish.push.settings import PushSettings
from publish.web import process as web
from shared.http.server.server import http_server
from shared.messages import Author, EnrichedUpdate, Passport
from shared.postgres.pool import Pool
from shared.streams import ENRICHED
from support.revisions import emit, revision, running
from support.topics import committed
from support.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

SECRET = "told once"
FEEDS = {"news": "/feeds/news", "tag": "/feeds/tag/sport", "author": "/feeds/author/ana", "story": "/feeds/story/flood"}
FORMS = {"rss": "application/rss+xml", "atom": "application/atom+xml", "json": "application/feed+json"}


class Subscribers:
    """Subscribers at one address each, which confirm what they are asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.leases: dict[str, int] = {}
        self.got: dict[str, list[tuple[dict[str, str], bytes]]] = {}

    async def take(self, request: Request) -> Response:
        """A verification of intent, or content."""
        name = request.path_params["name"]
        if request.method == "POST":
            self.got.setdefault(name, []).append((dict(request.headers), await request.body()))
            return Response(None, 204)
        self.leases[name] = int(request.query_params.get("hub.lease_seconds", 0))
        return PlainTextResponse(request.query_params["hub.challenge"])


@pytest_asyncio.fixture
async def subscribers() -> AsyncIterator[Subscribers]:
    """The subscribers of this test."""
    port = free_port()
    made = Subscribers(f"http://127.0.0.1:{port}")
    app = Starlette(routes=[Route("/{name}", made.take, methods=["GET", "POST"])])
    async with http_server(app, "127.0.0.1", port):
        yield made


@pytest_asyncio.fixture
async def newsroom_with_hub(settings: PushSettings) -> AsyncIterator[PushSettings]:
    """Archive, web and push, whose feeds name the hub."""
    port, push_url = free_port(), f"http://127.0.0.1:{settings.health_port}"
    own = settings.model_copy(
        update={
            "port": port,
            "publish_site_url": f"http://127.0.0.1:{port}",
            "publish_push_web_urls": "",
            "publish_push_url": push_url,
            "publish_websub_hub": f"{push_url}/websub",
            "publish_stream_drain_s": 0.1,
        }
    )
    async with contextlib.AsyncExitStack() as stack:
        apart = own.model_copy(update={"health_port": free_port()})
        await stack.enter_async_context(running(lambda stop: archive.serve(apart, stop)))
        await stack.enter_async_context(running(lambda stop: web.serve(own, stop)))
        await stack.enter_async_context(running(lambda stop: push.serve(own, stop)))
        for url in (own.publish_site_url, push_url):
            await eventually(lambda url=url: _status(f"{url}/readyz"), lambda seen: seen == 200, within_s=40)  # type: ignore[misc]
        yield own


async def _status(url: str) -> int:
    try:
        async with httpx.AsyncClient() as client:
            return (await client.get(url)).status_code
    except httpx.TransportError:
        return 0


def fresh(guid: str, number: int = 1, **fields: Any) -> EnrichedUpdate:
    """A revision of just now."""
    now = datetime.now(UTC)
    given = {"passport": Passport(received_at=now, enriched_at=now), "first_published_at": now}
    return revision(guid, number, **given | fields)


def titles(form: str, body: bytes) -> list[str]:
    """The headlines of a feed."""
    if form == "json":
        return [item["title"] for item in json.loads(body)["items"]]
    feed = feedparser.parse(body)
    assert not feed.bozo
    return [entry.title for entry in feed.entries]


async def test_every_feed_is_a_topic_at_the_hub_that_it_names(
    newsroom_with_hub: PushSettings, pool: Pool, subscribers: Subscribers
) -> None:
    """From the links of each feed: subscribe, confirm, and get the whole feed signed, with what concerns it and nothing else, until the lease ends or the subscriber leaves."""
    site = newsroom_with_hub.publish_site_url
    ana = Author(name="Ana Ferreira", slug="ana")
    ours = fresh("ours", tags=["sport"], authors=(ana,), story="flood", story_label="Flood")
    await emit(newsroom_with_hub, [ours, fresh("other", tags=["war"])])

    async def committed_offsets() -> int:
        return sum((await committed(newsroom_with_hub, "publish.push", ENRICHED)).values())

    await eventually(
        committed_offsets, lambda seen: seen == 2, what="push has not worked off what was before the subscriptions"
    )
    names = [(kind, form) for kind in FEEDS for form in FORMS]
    async with httpx.AsyncClient(follow_redirects=True) as client:
        topics: dict[str, str] = {}
        for kind, form in names:
            address = f"{site}{FEEDS[kind]}.{form}"
            feed = await eventually(lambda address=address: client.get(address), lambda seen: seen.status_code == 200)  # type: ignore[misc]
            links = dict(re.findall(r'<([^>]+)>; rel="(hub|self)"', feed.headers["link"]))
            links = {rel: url for url, rel in links.items()}
            said = feed.json() if form == "json" else {}
            hub = said["hubs"][0]["url"] if said else links["hub"]
            assert (hub, links["self"]) == (newsroom_with_hub.websub_hub, address)
            topics[f"{kind}.{form}"] = links["self"]
            wanted = {
                "hub.mode": "subscribe", "hub.topic": links["self"], "hub.callback": f"{subscribers.url}/{kind}.{form}",
                "hub.secret": SECRET, "hub.lease_seconds": "3600",
            }  # fmt: skip
            assert (await client.post(hub, data=wanted)).status_code == 202
        active = "SELECT count(*) FROM publish.endpoints WHERE kind = 'websub'"
        await eventually(lambda: pool.fetchval(active), lambda count: count == len(names))
        assert set(subscribers.leases.values()) == {3600}

        await emit(newsroom_with_hub, [fresh("ours", 2, kind="correct", headline="Corrected", tags=["sport"], authors=(ana,), story="flood"), fresh("third")])  # fmt: skip

        def newest(name: str) -> Any:
            return subscribers.got.get(name, [({}, b"")])[-1]

        for kind, form in names:
            name = f"{kind}.{form}"
            headers, body = await eventually(
                lambda name=name: newest(name), lambda got: b"Corrected" in got[1], within_s=30, what=f"{name} got nothing"  # type: ignore[misc]
            )  # fmt: skip
            assert headers["content-type"].startswith(FORMS[form])
            assert headers["x-hub-signature"] == "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
            assert f'<{topics[name]}>; rel="self"' in headers["link"]
            if kind != "news":
                assert titles(form, body) == ["Corrected"]
        for form in FORMS:
            await eventually(lambda form=form: titles(form, newest(f"news.{form}")[1]), lambda seen: seen == ["third 1", "other 1", "Corrected"])  # type: ignore[misc]  # fmt: skip

        # What concerns nobody's feed but the news tells nobody else.
        before = {name: len(got) for name, got in subscribers.got.items()}
        expired, renewed = "tag.rss", "tag.atom"
        url = f"{subscribers.url}/{expired}"
        await pool.execute("UPDATE publish.endpoints SET lease_until = now() - interval '1 second' WHERE url = $1", url)
        again = {
            "hub.mode": "subscribe", "hub.topic": topics[renewed], "hub.callback": f"{subscribers.url}/{renewed}",
            "hub.secret": "another", "hub.lease_seconds": "7200",
        }  # fmt: skip
        assert (await client.post(newsroom_with_hub.websub_hub, data=again)).status_code == 202
        await eventually(lambda: subscribers.leases[renewed], lambda lease: lease == 7200)
        leave = {
            "hub.mode": "unsubscribe", "hub.topic": topics["tag.json"], "hub.callback": f"{subscribers.url}/tag.json",
        }  # fmt: skip
        assert (await client.post(newsroom_with_hub.websub_hub, data=leave)).status_code == 202
        await eventually(lambda: pool.fetchval(active), lambda count: count == len(names) - 1)
        await emit(newsroom_with_hub, [fresh("fourth", tags=["sport"])])
        headers, body = await eventually(lambda: newest(renewed), lambda got: b"fourth 1" in got[1], within_s=30)
        assert headers["x-hub-signature"] == "sha256=" + hmac.new(b"another", body, hashlib.sha256).hexdigest()
        await eventually(lambda: newest("news.rss"), lambda got: b"fourth 1" in got[1], within_s=30)
        for name in (expired, "tag.json", "author.rss", "author.json", "story.atom"):
            assert len(subscribers.got[name]) == before[name], name
        await pool.execute(
            "UPDATE publish.endpoints SET lease_until = now() - interval '2 minutes' WHERE url = $1", url
        )
        await eventually(lambda: pool.fetchval(active), lambda count: count == len(names) - 2)
