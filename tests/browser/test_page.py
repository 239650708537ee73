"""The page in a real browser, before a real archive and a real replica."""

import contextlib
import itertools
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from browser.checkers import fetched
from local.child import free_port
from publish.archive import process as archive
from publish.settings import Settings
from publish.web import process as web
from shared.messages import Author, Change, EnrichedUpdate, Flags, Media, Rendition, StoryProfile, Tag
from shared.settings import Connections
from support.browser import ARGUMENTS, SYSTEM, chromium
from support.places import skip_or_fail
from support.revisions import emit, revision, running
from support.waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.integration, pytest.mark.timeout(300)]

expect.set_options(timeout=30_000)


@dataclass
class Site:
    """The site in this process, and the browser that looks at it."""

    settings: Settings
    browser: Browser
    complaints: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.settings.port}"

    async def open(self, path: str = "/", context: BrowserContext | None = None, **options: Any) -> Page:
        """A page in a new context, or in one that is given; what the console says of errors is kept."""
        context = context or await self.browser.new_context(**options)
        page = await context.new_page()
        page.on(
            "console",
            lambda message: self.complaints.append(message.text) if message.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        await page.goto(self.url + path)
        if options.get("java_script_enabled", True):
            await expect(page.locator("#live-state")).to_have_attribute("data-state", "live")
        return page

    async def publish(self, *updates: EnrichedUpdate) -> None:
        """Put revisions on the log, and wait until the replica has them."""
        offsets = await emit(self.settings, updates)
        async with httpx.AsyncClient(base_url=self.url) as client:

            async def reached() -> int:
                answer = await client.get("/v1/updates", params={"limit": 1})
                return int(answer.json().get("cursor", "0--1").partition("-")[2])

            await eventually(reached, lambda offset: offset >= offsets[-1], what="the replica is behind")


@pytest_asyncio.fixture
async def site(newsroom: Connections) -> AsyncIterator[Site]:
    """An archive, a replica and a browser."""
    given = {"health_port": free_port(), "port": free_port(), "publish_stream_drain_s": 0.1}
    settings = Settings(**newsroom.model_dump() | given)
    async with contextlib.AsyncExitStack() as stack:
        browser = await stack.enter_async_context(
            chromium(lambda browsers: browsers.launch(executable_path=SYSTEM, args=ARGUMENTS))
        )
        await stack.enter_async_context(running(lambda stop: archive.serve(settings, stop)))
        await stack.enter_async_context(running(lambda stop: web.serve(settings, stop)))
        site = Site(settings, browser)
        async with httpx.AsyncClient(base_url=site.url) as client:

            async def ready() -> int:
                try:
                    return (await client.get("/readyz")).status_code
                except httpx.TransportError:
                    return 0

            await eventually(ready, lambda status: status == 200, what="the replica is not ready")
        yield site


def words(guid: str, number: int = 1, **fields: Any) -> EnrichedUpdate:
    """An update with a body as a wire sends one."""
    body = fields.pop("body", f"Words of {guid}.")
    now = datetime.now(UTC)
    given = {
        "body_html": f"<p>{body}</p>", "text": body, "word_count": len(body.split()), "first_published_at": now,
        "language": "en", "headline": f"Headline of {guid}", "excerpt": body[:100],
    }  # fmt: skip
    return revision(guid, number, **given | fields)


def corrected(guid: str, number: int, headline: str, **fields: Any) -> EnrichedUpdate:
    """A correction with its reason and diff."""
    change = Change(reason="The number was wrong.", diff=(("-", f"Headline of {guid}"), ("+", headline)))
    return words(guid, number, kind="correct", headline=headline, change=change, updated_at=datetime.now(UTC), **fields)


def killed(guid: str, number: int) -> EnrichedUpdate:
    """A kill."""
    return revision(guid, number, removal="killed")


async def test_an_update_appears_is_corrected_and_is_killed_on_an_open_page(site: Site) -> None:
    """Without a reload: a new update appears on top, its correction replaces it and says so, its kill takes it away."""
    # Pinned, it leads all the while; else the newest would, a moment after it came.
    await site.publish(words("first", flags=Flags(pinned=True)))
    page = await site.open()
    feed = page.locator("#feed")
    await site.publish(words("second"), words("third"))
    await expect(feed.locator("h3").first).to_have_text("Headline of third")
    item = page.locator(f"#u-{words('second').update_id}")
    await expect(item).to_be_visible()
    await site.publish(corrected("second", 2, "A better headline"))
    await expect(item.locator("h3")).to_have_text("A better headline")
    await expect(item.locator(".updated")).to_contain_text("(Updated: ")
    await item.locator("summary").click()
    await expect(item.locator(".reason")).to_have_text("The number was wrong.")
    await expect(item.locator("ins")).to_have_text("A better headline")
    await expect(feed.locator("h3")).to_have_text(["Headline of third", "A better headline"])
    await site.publish(killed("second", 3))
    await expect(item).to_have_count(0)
    await expect(page.locator("#announce")).to_contain_text("withdrawn")
    await site.publish(killed("first", 2))
    await expect(page.get_by_text("Headline of first")).to_have_count(0)
    assert site.complaints == []


async def test_nothing_moves_under_the_eyes_of_a_reader(site: Site) -> None:
    """Who has scrolled into the feed is offered new updates by a button, and pictures that follow later move nothing."""
    long = "Water rose over the lower quay in the night. " * 14
    await site.publish(words("lead", body=long * 3, flags=Flags(pinned=True)))
    await site.publish(*(words(f"u{n}", body=long, media_pending=n == 9) for n in range(16)))
    page = await site.open(viewport={"width": 1000, "height": 700})
    await page.evaluate(
        "() => { window.shifted = 0; new PerformanceObserver((list) => list.getEntries().forEach("
        "(entry) => { window.shifted += entry.value; })).observe({ type: 'layout-shift', buffered: true }); }"
    )
    reading = page.locator(f"#u-{words('u9').update_id}")
    await reading.scroll_into_view_if_needed()
    seen_to = await page.evaluate("() => window.scrollY")
    await page.mouse.wheel(0, 300)
    # The wheel turns after the call has returned, and the page may glide.
    await page.wait_for_function("(end) => Math.abs(window.scrollY - end) < 1", arg=seen_to + 300)
    before = await reading.bounding_box()
    await site.publish(*(words(f"new{n}") for n in range(3)), words("lead", 2, body="x"))
    await expect(page.locator("#pill")).to_have_text("3 new updates")
    await expect(page).to_have_title("(3) Slugline")
    picture = Media(
        id="p", caption="A quay", credit="Wire", alt_text="A quay", width=960, height=640,
        renditions=(Rendition(url="/media/none-960.jpg", mime_type="image/jpeg", width=960, height=640),),
    )  # fmt: skip
    await site.publish(words("u9", 2, kind="enrich", body=long, media=(picture,)))
    await expect(reading.locator("img.photo")).to_have_count(1)
    after = await reading.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(after["y"] - before["y"]) < 2
    assert await page.evaluate("() => window.shifted") < 0.01
    await site.publish(killed("new1", 2))
    await expect(page.locator("#pill")).to_have_text("2 new updates")
    await page.locator("#pill").click()
    await expect(page.locator("#feed h3").first).to_have_text("Headline of new2")
    await expect(page.locator("#pill")).to_be_hidden()
    await expect(page.locator("#feed h3").first.locator("a")).to_be_focused()
    assert [each for each in site.complaints if "404" not in each] == []


async def test_show_more_goes_on_with_and_without_scripts(site: Site) -> None:
    """The link brings older updates into the page; without scripts it leads to them, and pages show everything but live."""
    await site.publish(*(words(f"u{n}") for n in range(45)))
    page = await site.open()
    more = page.get_by_role("link", name="Show more")
    await expect(page.locator("#feed > .item")).to_have_count(20)
    await more.click()
    await expect(page.locator("#feed > .item")).to_have_count(40)
    await expect(page.locator("#feed > li h3 a").nth(20)).to_be_focused()
    await more.click()
    await expect(page.locator("#feed > .item")).to_have_count(44)
    await expect(more).to_have_count(0)
    ids = await page.locator("#feed > .item").evaluate_all("(items) => items.map((item) => item.id)")
    assert len(set(ids)) == 44
    plain = await site.open(java_script_enabled=False)
    await expect(plain.locator("#feed > .item")).to_have_count(20)
    await plain.get_by_role("link", name="Show more").click()
    await expect(plain.locator("#feed > .item")).to_have_count(20)
    await expect(plain.locator("#feed h3").first).to_have_text("Headline of u23")
    await plain.locator("#feed h3 a").first.click()
    await expect(plain.locator("h1")).to_have_text("Headline of u23")
    assert site.complaints == []


async def test_an_open_own_page_is_corrected_and_withdrawn(site: Site) -> None:
    """The update's own page takes a correction in place with its history, and says so when the update is killed."""
    await site.publish(words("own"), words("other"))
    page = await site.open(words("own").path)
    await expect(page.locator("h1")).to_have_text("Headline of own")
    await site.publish(words("other", 2, headline="Of no interest here"), corrected("own", 2, "Corrected headline"))
    await expect(page.locator("h1")).to_have_text("Corrected headline")
    await expect(page.locator("#history .revision-kind")).to_have_text(["Corrected", "Published"])
    await site.publish(killed("own", 3))
    await expect(page.get_by_text("This update has been withdrawn.")).to_be_visible()
    await expect(page.get_by_text("Corrected headline")).to_have_count(0)
    assert site.complaints == []


async def test_a_tag_page_hears_only_its_own(site: Site) -> None:
    """A page of one topic gets that topic's updates, and an update that leaves the topic is not left out of date on it."""
    flood = (Tag(code="topic:flood", label="Flood"),)

    def tagged(guid: str, number: int = 1, **fields: Any) -> EnrichedUpdate:
        return words(guid, number, **fields).model_copy(update={"tags": flood})

    await site.publish(tagged("a"))
    page = await site.open("/tags/topic:flood")
    await site.publish(words("elsewhere"), tagged("b"))
    await expect(page.locator("#feed h3")).to_have_text(["Headline of b", "Headline of a"])
    await site.publish(words("a", 2, headline="No longer about it"))
    await expect(page.get_by_text("Headline of a", exact=True)).to_have_count(0)
    assert site.complaints == []


async def test_a_killed_lead_leaves_an_open_page(site: Site) -> None:
    """The lead that is killed goes at once, and the next one takes its place."""
    await site.publish(words("plain"), words("lead", flags=Flags(pinned=True)))
    page = await site.open()
    await expect(page.locator("#lead h2")).to_have_text("Headline of lead")
    await site.publish(killed("lead", 2))
    await expect(page.get_by_text("Headline of lead")).to_have_count(0)
    await expect(page.locator("#lead h2")).to_have_text("Headline of plain")
    await expect(page.locator("#feed > .item")).to_have_count(0)
    assert site.complaints == []


SEEN = """() => {
    const words = (element) => {
        const told = element.cloneNode(true);
        for (const time of told.querySelectorAll("time")) time.textContent = time.dateTime;
        return told.textContent.replace(/\\s+/g, " ").trim();
    };
    const shown = (element) => [element.dataset.id, element.dataset.revision, words(element)];
    const all = (selector) => [...document.querySelectorAll(selector)];
    return {
        title: document.title,
        over: all("#kicker, .feed-title, .feed-intro, #top .standfirst, #top .story-meta, .closed").map(words),
        digest: all("#digest li, #digest p").map(words),
        cards: all("#card-row > li").map((each) => [each.dataset.story, words(each)]),
        neighbours: all(".neighbours a").map(words),
        lead: all("#lead > article, #own > article").map(shown),
        feed: all("#feed > li").map((each) => each.classList.contains("day") ? words(each) : shown(each)),
        more: all("#more a").map(words),
        empty: Boolean(document.querySelector("#empty:not([hidden])")),
        history: all(".revisions > li").map(words),
        list: all("#list li").map(words),
    };
}"""
"""What a reader has before the eyes, in order."""


def as_far_as_both(seen: dict[str, Any], now: dict[str, Any]) -> None:
    """Cut the feeds to one length: an open page keeps what it showed, the server answers with so many items, and goes on."""
    both = min(len(seen["feed"]), len(now["feed"]))
    assert abs(len(seen["feed"]) - len(now["feed"])) < 12
    if len(seen["feed"]) != len(now["feed"]):
        assert now["more"]
        assert seen["more"]
    seen["feed"], now["feed"] = seen["feed"][:both], now["feed"][:both]


async def test_an_open_page_is_the_page_that_the_server_answers(site: Site) -> None:
    """After every kind of event, on every kind of page: what is open all the while and what is loaded now are the same."""
    tag = "topic:harbour"
    ana = Author(name="Ana Ferreira", slug="ana")
    picture = Media(
        id="abc", caption="The quay.", width=960, height=640,
        renditions=(Rendition(url="/media/ab/abc-960.jpg", mime_type="image/jpeg", width=960, height=640),),
    )  # fmt: skip
    full = {"tags": (tag,), "authors": (ana,), "story": "flood", "story_label": "Flood"}
    yesterday = datetime.now(UTC) - timedelta(days=1)
    old = [words(f"old{n}", first_published_at=yesterday, **full) for n in range(30)]
    others = [
        words(f"{story}{n}", story=story, story_label=story.title())
        for n in range(2)
        for story in ("vote", "strike", "fire")
    ]
    await site.publish(*old, *(words(f"u{n}", **full) for n in range(5)), *others)
    context = await site.browser.new_context()
    front = await site.open("/", context)
    earlier = (await front.locator("#more a").get_attribute("href")) or ""
    paths = (
        "/stories/flood",
        "/tags/topic:harbour",
        "/authors/ana",
        f"/{earlier}",
        words("u4").path,
        "/stories",
        "/search?q=u3",
    )
    pages = {"/": front} | {path: await site.open(path, context) for path in paths}

    async def same() -> dict[str, Any]:
        differing = {}
        for path, page in pages.items():
            loaded = await context.new_page()
            answer = await loaded.goto(site.url + path)
            seen, now = await page.evaluate(SEEN), await loaded.evaluate(SEEN)
            await loaded.close()
            gone = answer is not None and answer.status == 410
            if gone and "withdrawn" in await page.locator("#content").inner_text():
                continue
            as_far_as_both(seen, now)
            if path.startswith("/search"):
                # What is found later is for the next search.
                now["list"] = [each for each in now["list"] if each in seen["list"]]
            if seen != now:
                differing[path] = {
                    name: str((seen[name], now[name]))[:1500] for name in seen if seen[name] != now[name]
                }
        return differing

    now = datetime.now(UTC)
    said = StoryProfile(
        edition=1, name="The flood", standfirst="Water rises.", summary=("Gates are shut.", "Trains stop.")
    )
    events: dict[str, EnrichedUpdate] = {
        "a story is described": words("u4", 2, kind="enrich", story_profile=said, **full),
        "and described anew": words(
            "u3", 2, kind="enrich", story_profile=StoryProfile(edition=2, name="A flood"), **full
        ),
        "another story goes on": words("vote2", story="vote", story_label="Vote"),
        "its line is corrected": corrected("vote2", 2, "Vote, corrected", story="vote", story_label="Vote"),
        "a fifth story begins": words("rain0", story="rain", story_label="Rain"),
        "its only update is killed": killed("rain0", 2),
        "a line of a card is killed": killed("strike1", 2),
        "a card's story is closed": words("fire2", story="fire", story_label="Fire", flags=Flags(closed=True)),
        "published": words("fresh", **full),
        "with a picture, so that it leads": words("pictured", media=(picture,), **full),
        "the lead is corrected": corrected("pictured", 2, "The lead, corrected", media=(picture,), **full),
        "an item is corrected": corrected("u2", 2, "An item, corrected", **full),
        "the page's own update is corrected": corrected("u4", 3, "Its own, corrected", **full),
        "an earlier item is corrected": corrected("old5", 2, "Earlier, corrected", **full),
        "an earlier item is killed": killed("old6", 2),
        "pinned for all": words("pin", flags=Flags(pinned=True), tags=(tag,)),
        "pinned in its story": words("u3", 3, kind="pin", flags=Flags(pinned=True), **full),
        "unpinned": words("pin", 2, kind="pin", tags=(tag,)),
        "a key event": words("u1", 2, kind="pin", flags=Flags(key_event=True), **full),
        "the tag leaves it": words("u0", 2, kind="enrich", story="flood", story_label="Flood", authors=(ana,)),
        "it leaves the story": words("fresh", 2, kind="enrich", tags=(tag,), authors=(ana,)),
        "the lead is killed": killed("u1", 3),
        "the one before the page's own is withdrawn": words("u3", 4, kind="kill", removal="withdrawn"),
        "and back": words("u3", 5, kind="update", updated_at=now, **full),
        "the story is closed": words("last", flags=Flags(closed=True), version_created=now, **full),
        "and open again": words("last", 2, kind="update", updated_at=now, **full),
        "the page's own update is killed": killed("u4", 4),
    }
    for what, update in events.items():
        await site.publish(update)
        await eventually(same, lambda differing: not differing, within_s=30, what=f"{what}: not the same page")
    # The picture is in no store, and what is killed is gone.
    assert [each for each in site.complaints if "404" not in each and "410" not in each] == []


async def test_times_are_told_on_the_reader_s_clock(site: Site) -> None:
    """With the zone on hover; days begin at the reader's midnight, and each has its date."""
    evening = (datetime.now(UTC) - timedelta(days=3)).replace(hour=20, minute=0, second=0, microsecond=0)
    await site.publish(
        words("evening", first_published_at=evening),
        words("night", first_published_at=evening + timedelta(hours=2), updated_at=evening + timedelta(hours=3)),
        words("lead", flags=Flags(pinned=True)),
    )
    page = await site.open("/", timezone_id="Asia/Tokyo", locale="en-GB")
    stamps = page.locator("#feed .stamp > a time")
    await expect(stamps).to_have_text(["07:00", "05:00"])
    assert "Japan Standard Time" in (await stamps.first.get_attribute("title") or "")
    # Browsers differ in the comma.
    local = (evening + timedelta(hours=9)).strftime("^%A,? %-d %B %Y$")
    await expect(page.locator("#feed > .day")).to_have_text([re.compile(local)])
    page = await site.open("/", timezone_id="Atlantic/Azores", locale="en-GB")
    days = [(evening + timedelta(days=n)).strftime("%-d %B %Y") for n in (0,)]
    for shown in await page.locator("#feed > .day").all_inner_texts():
        assert any(day in shown for day in days)
    without = await site.open("/", java_script_enabled=False)
    await expect(without.locator("#feed > .day")).to_have_text([evening.strftime("%A, %-d %B %Y")])


async def test_the_pages_are_accessible(site: Site) -> None:
    """axe-core finds nothing to complain of on any page, in light and in dark; the skip link is the first stop."""
    folder = fetched("axe-core")
    if folder is None:
        skip_or_fail("REQUIRE_BROWSER", "axe-core cannot be had here")
    axe = Path(folder / "axe.min.js").read_text()
    author = Author(name="Ana Ferreira", slug="ana", role="Correspondent", bio="Writes about rivers.")
    full = words(
        "full", flags=Flags(key_event=True, pinned=True), authors=(author,), story="flood", story_label="Flood",
        byline="By Ana Ferreira", first_published_at=datetime.now(UTC) - timedelta(hours=3),
    ).model_copy(update={"body_html": f"<pre>{'wide ' * 60}</pre><table><tr>{'<td>a column</td>' * 40}</tr></table>"})  # fmt: skip
    await site.publish(
        full, words("a", authors=(author,)), corrected("a", 2, "Better"), words("key", flags=Flags(key_event=True))
    )
    for scheme, path in itertools.product(
        ("light", "dark"), ("/", full.path, "/stories/flood", "/stories", "/authors/ana", "/text")
    ):
        context = await site.browser.new_context(color_scheme="dark" if scheme == "dark" else "light")
        page = await context.new_page()
        await page.goto(site.url + path)
        await page.evaluate(axe)
        found = await page.evaluate(
            "() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'] })"
        )
        problems = [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found["violations"]]
        assert problems == [], (scheme, path)
        if path != "/text":
            await page.keyboard.press("Tab")
            await expect(page.locator("a.skip")).to_be_focused()
        await context.close()


async def test_no_page_scrolls_sideways(site: Site) -> None:
    """However narrow the screen and however long the word, nothing is wider than the page."""
    await site.publish(
        words("long", headline="Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2),
        words("table", body="x").model_copy(
            update={"body_html": "<table><tr>" + "<td>column of words</td>" * 12 + "</tr></table><pre>" + "x" * 400 + "</pre>"}
        ),
        words("url", body="https://example.org/" + "a" * 300),
    )  # fmt: skip
    page = await site.open()
    for width, path in itertools.product((320, 390, 768, 1280), ("/", words("table").path, "/text")):
        await page.set_viewport_size({"width": width, "height": 800})
        await page.goto(site.url + path)
        assert await page.evaluate("() => document.documentElement.scrollWidth") <= width, path
