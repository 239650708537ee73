"""Alerts in a real browser: the real page, the browser's own subscription and keys, a push service on this machine.

Chromium subscribes with `push_service`, decrypts what comes with keys that never leave it, and hands it to the service
worker that publish web serves. Only one thing is put in: the page's subscription names a push service on the Internet,
and its address is replaced on the way to the newsroom by that of the local one.
"""

import contextlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page, Route, expect

from browser.push_service import PushService, push_service
from local.child import free_port
from publish.archive import process as archive
from publish.push import process as push
from publish.push.settings import PushSettings
from publish.web import process as web
from shared.messages import EnrichedUpdate, Passport
from shared.postgres.pool import Pool, connect
from shared.settings import Connections
from support.browser import ARGUMENTS, SYSTEM, chromium
from support.revisions import emit, revision, running
from support.waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.integration, pytest.mark.timeout(240)]


@dataclass
class Reader:
    """A reader's browser before the running newsroom."""

    settings: PushSettings
    context: BrowserContext
    service: PushService
    pool: Pool

    @property
    def url(self) -> str:
        """Where the page is."""
        return self.settings.publish_site_url

    async def open(self, path: str = "/") -> Page:
        """A page."""
        page = await self.context.new_page()
        await page.goto(self.url + path)
        return page

    async def publish(self, *updates: EnrichedUpdate) -> None:
        """Put revisions on the log."""
        await emit(self.settings, updates)

    async def channels(self) -> list[list[str]]:
        """What the newsroom's subscriptions are to."""
        return [row["channels"] for row in await self.pool.fetch("SELECT channels FROM publish.subscriptions")]


async def shown(page: Page) -> list[dict[str, Any]]:
    """The notifications on the reader's screen, by title."""
    found: list[dict[str, Any]] = await page.evaluate(
        "navigator.serviceWorker.ready.then((r) => r.getNotifications()).then((all) => all.map((each) => "
        "({ title: each.title, body: each.body, tag: each.tag, silent: each.silent, url: each.data.url })))"
    )
    return sorted(found, key=lambda each: each["title"])


async def alerts_come_through(page: Page) -> None:
    """A test alert, asked for on the page until it is there: a browser hears its push service a moment after subscribing."""

    async def ask() -> Any:
        await page.get_by_role("button", name="Send a test alert").click()
        await expect(page.locator(".live-header [role=status]")).to_have_text("A test alert is on its way.")
        # Asked again at once, a second one would come when the first has been looked at.
        with contextlib.suppress(AssertionError):
            return await eventually(lambda: shown(page), within_s=5)
        return []

    seen = await eventually(ask, within_s=60, what="no test alert was shown")
    assert [(each["title"], each["body"]) for each in seen] == [("Slugline", "Alerts work on this device.")]
    await page.evaluate(
        "navigator.serviceWorker.ready.then((r) => r.getNotifications()).then((all) => all.forEach((each) => each.close()))"
    )
    await eventually(lambda: shown(page), lambda seen: seen == [])


@pytest_asyncio.fixture
async def reader(newsroom: Connections, tmp_path: Path) -> AsyncIterator[Reader]:
    """Archive, web and push on real servers, and a browser whose push service is here."""
    port, push_port = free_port(), free_port()
    settings = PushSettings(
        **newsroom.model_dump()
        | {
            "port": port,
            "publish_site_url": f"http://localhost:{port}",
            "publish_push_url": f"http://127.0.0.1:{push_port}",
            "publish_push_allow_private": True,
            "publish_push_check_cache": False,
            "publish_stream_drain_s": 0.1,
        }
    )
    async with contextlib.AsyncExitStack() as stack:
        service = await stack.enter_async_context(push_service(tmp_path))
        # Only a whole Chromium with a profile of its own has push: neither its headless shell nor a private window has.
        context = await stack.enter_async_context(
            chromium(
                lambda browsers: browsers.launch_persistent_context(
                    tmp_path / "profile", executable_path=SYSTEM, channel=None if SYSTEM else "chromium",
                    ignore_default_args=["--disable-background-networking"],
                    args=[each for each in ARGUMENTS if each != "--disable-background-networking"] + service.switches,
                )
            )
        )  # fmt: skip
        await context.grant_permissions(["notifications"], origin=settings.publish_site_url)

        async def to_the_local_service(route: Route) -> None:
            body = json.loads(route.request.post_data or "{}")
            token = body["subscription"]["endpoint"].rsplit("/", 1)[1]
            body["subscription"]["endpoint"] = f"http://127.0.0.1:{service.http_port}/fcm/send/{token}"
            await route.continue_(post_data=json.dumps(body))

        await context.route(re.compile(r"/v1/push/subscriptions$"), to_the_local_service)
        processes = (
            (archive.serve, {"health_port": free_port()}),
            (web.serve, {}),
            (push.serve, {"health_port": push_port}),
        )
        for serve, own in processes:
            given = settings.model_copy(update=own)
            await stack.enter_async_context(running(lambda stop, serve=serve, given=given: serve(given, stop)))  # type: ignore[misc]
        async with httpx.AsyncClient() as client:
            for url in (settings.publish_site_url, settings.publish_push_url):

                async def ready(url: str = url) -> int:
                    try:
                        return (await client.get(f"{url}/readyz")).status_code
                    except httpx.TransportError:
                        return 0

                await eventually(ready, lambda status: status == 200, within_s=30, what=f"{url} is not ready")
        pool = await connect(settings, schema="publish", max_size=2)
        stack.push_async_callback(pool.close)
        yield Reader(settings, context, service, pool)


def news(guid: str, number: int = 1, **fields: Any) -> EnrichedUpdate:
    """A revision of just now, urgent enough for an alert."""
    now = datetime.now(UTC)
    given = {"passport": Passport(received_at=now, enriched_at=now), "first_published_at": now, "urgency": 2}
    return revision(guid, number, **given | fields)


async def test_a_reader_is_alerted_corrected_and_told_of_a_withdrawal(reader: Reader) -> None:
    """A click subscribes; an alert that travels over Kafka and the push service is decrypted by the browser and reads right, leads to its page, is replaced and withdrawn; a second click ends it."""
    page = await reader.open()
    assert reader.service.subscriptions == [], "nothing is asked before a click"
    await page.get_by_role("button", name="Get alerts").click()
    on = page.get_by_role("button", name="Alerts are on")
    await expect(on).to_have_attribute("aria-pressed", "true")
    assert await reader.channels() == [["news"]]
    await page.get_by_text("Alert settings").click()
    # Quiet hours are the reader's own: without them an alert comes at whatever hour this test runs.
    await page.get_by_label("Only the most urgent alerts").uncheck()
    await eventually(
        lambda: reader.pool.fetchval("SELECT quiet_from IS NULL FROM publish.subscriptions"), what="quiet hours stay"
    )
    await alerts_come_through(page)

    update = news("a", headline="Bridge reopens — ‘at last’", summary="Traffic flows over the Dnipro again.")
    await reader.publish(update)
    [alert] = await eventually(lambda: shown(page), within_s=30, what="no alert is shown")
    assert alert == {
        "title": "Bridge reopens — ‘at last’",
        "body": "Traffic flows over the Dnipro again.",
        "tag": update.update_id,
        "silent": False,
        "url": reader.url + update.path,
    }
    taken = reader.service.taken[-1]
    assert (taken.headers["topic"], taken.headers["urgency"]) == (update.update_id, "normal")
    assert b"Bridge" not in taken.body, "the push service cannot read it"

    worker = reader.context.service_workers[0]
    # A click on the notification, as the browser tells the worker of it; to open a window it wants a person's hand.
    opened = await worker.evaluate(
        """async () => {
          const addresses = [];
          clients.openWindow = async (address) => { addresses.push(address); return null; };
          const [notification] = await registration.getNotifications();
          const event = new NotificationEvent("notificationclick", { notification });
          let done;
          event.waitUntil = (work) => { done = work; };
          dispatchEvent(event);
          await done;
          return addresses;
        }"""
    )
    assert opened == [reader.url + update.path]
    article = await reader.open(update.path)
    await expect(article.locator("h1")).to_have_text("Bridge reopens — ‘at last’")
    assert await shown(page) == [], "a click puts the notification away"

    second = news("b", headline="Ferry runs")
    await reader.publish(second)
    await eventually(lambda: shown(page), lambda seen: [each["title"] for each in seen] == ["Ferry runs"], within_s=30)
    await reader.publish(news("b", 2, kind="correct", headline="Ferry does not run"))
    [corrected] = await eventually(
        lambda: shown(page), lambda seen: seen and seen[0]["title"] != "Ferry runs", within_s=30
    )
    assert (corrected["title"], corrected["tag"], corrected["silent"]) == ("Ferry does not run", second.update_id, True)
    await reader.publish(news("b", 3, removal="killed"))
    [withdrawn] = await eventually(
        lambda: shown(page), lambda seen: seen and seen[0]["title"] != "Ferry does not run", within_s=30
    )
    assert withdrawn["title"] == "Alert withdrawn"
    assert "Ferry" not in json.dumps(withdrawn)

    await on.click()
    await expect(page.get_by_role("button", name="Get alerts")).to_have_attribute("aria-pressed", "false")
    assert await reader.channels() == []
    await eventually(lambda: reader.service.subscriptions == [], what="the browser's own subscription stays")


async def test_a_reader_who_was_away_gets_the_corrected_alert_and_nothing_of_a_killed_one(reader: Reader) -> None:
    """A push service keeps one message for each Topic: the correction that took the alert's place is the alert, and a withdrawal of what was never shown shows none of it."""
    page = await reader.open()
    await page.get_by_role("button", name="Get alerts").click()
    await page.get_by_text("Alert settings").click()
    await page.get_by_label("Only the most urgent alerts").uncheck()
    await expect(page.locator(".live-header [role=status]")).to_have_text("Your choice is kept.")
    await alerts_come_through(page)
    reader.service.online = False
    taken = len(reader.service.taken)
    await reader.publish(news("a", headline="Three hurt"), news("b", headline="Mayor resigns"))
    await eventually(lambda: len(reader.service.taken) == taken + 2, within_s=30)
    await reader.publish(news("a", 2, kind="correct", headline="Nobody hurt"), news("b", 2, removal="killed"))
    await eventually(lambda: len(reader.service.taken) == taken + 4, within_s=30)
    assert len(reader.service.held) == 2
    await reader.service.come_back()
    [alert] = await eventually(
        lambda: shown(page), lambda seen: any(each["title"] == "Nobody hurt" for each in seen), within_s=30
    )
    assert alert["silent"] is False


async def test_a_reader_chooses_topics(reader: Reader) -> None:
    """On a topic's page the button is about that topic; alerts of others do not come; a reader drops one and keeps the rest; dropping the last ends it."""
    await reader.publish(
        news("old", urgency=5, tags=["sport"], story="flood", story_label="Flood in the valley"),
        news("old2", urgency=5, tags=["war"]),
    )
    page = await reader.open()
    await expect(page.locator("#feed h3, #lead h2")).to_have_count(2)
    await page.goto(reader.url + "/tags/sport")
    await page.get_by_role("button", name="Get alerts on this topic").click()
    await expect(page.get_by_role("button", name="Alerts on this topic are on")).to_be_visible()
    await page.get_by_text("Alert settings").click()
    await page.get_by_label("Only the most urgent alerts").uncheck()
    await expect(page.locator(".live-header [role=status]")).to_have_text("Your choice is kept.")
    await page.goto(reader.url + "/stories/flood")
    await page.get_by_role("button", name="Get alerts on this story").click()
    await expect(page.get_by_role("button", name="Alerts on this story are on")).to_be_visible()
    assert await reader.channels() == [["tag:sport", "story:flood"]]
    await page.get_by_text("Alert settings").click()
    await expect(page.get_by_label("Flood in the valley")).to_be_checked()
    await alerts_come_through(page)
    taken = len(reader.service.taken)
    await reader.publish(
        news("w", headline="Of no interest", tags=["war"]), news("s", headline="Final score", tags=["sport"])
    )
    await eventually(lambda: shown(page), lambda seen: [each["title"] for each in seen] == ["Final score"], within_s=30)
    assert len(reader.service.taken) == taken + 1
    await page.get_by_label("sport", exact=True).uncheck()
    await eventually(reader.channels, lambda seen: seen == [["story:flood"]])
    front = await reader.open()
    await expect(front.get_by_role("button", name="Get alerts")).to_be_visible()
    await page.get_by_label("Flood in the valley").uncheck()
    await expect(page.get_by_role("button", name="Get alerts on this story")).to_be_visible()
    assert await reader.channels() == []
