"""A story's page in a real browser, before a replica in memory: what helps a reader along, and what a page may cost."""

import itertools
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from browser.checkers import fetched
from local.child import free_port
from publish.representation.position import Position
from publish.web.process import stream_server
from publish.web.renderer import stream_event
from shared.http.server.limits import ServerLimits
from shared.messages import Author, Change, EnrichedUpdate, Flags, StoryProfile, Tag
from support.browser import ARGUMENTS, SYSTEM, chromium
from support.counted_votes import CountedVotes
from support.places import skip_or_fail
from support.revisions import revision
from support.samples import BLOCKS, picture
from support.web_replica import Make, Replica

expect.set_options(timeout=30_000)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

STORY = "/stories/flood"
SAID = StoryProfile(
    edition=1, name="The flood at Port Ellery", standfirst="Two quarters are being cleared.",
    summary=("Four gates are closed.", "The next high water is at nine."),
)  # fmt: skip
YOUTUBE = '<p><a href="https://www.youtube.com/watch?v=dQw4w9WgXcQ">The gates close (YouTube)</a></p>'
MOST_BYTES = 45_000
MOST_REQUESTS = 8


@dataclass
class Site:
    """The site, and the browser that looks at it."""

    replica: Replica
    browser: Browser
    url: str
    complaints: list[str] = field(default_factory=list)

    async def open(self, path: str = STORY, context: BrowserContext | None = None, **options: Any) -> Page:
        """A page that is live."""
        context = context or await self.browser.new_context(**options)
        page = await context.new_page()
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        await page.goto(self.url + path)
        if options.get("java_script_enabled", True):
            await expect(page.locator("#live-state")).to_have_attribute("data-state", "live")
        return page

    def publish(self, *updates: EnrichedUpdate) -> None:
        """Give revisions to the replica, as its follower does."""
        renderer = self.replica.answers.renderer
        events = [stream_event(renderer, applied) for applied in self.replica.take(*updates) if applied]
        self.replica.broadcaster.publish(events, through=Position(1, self.replica.offset))


@pytest_asyncio.fixture
async def site(make_replica: Make) -> AsyncIterator[Site]:
    """A replica in memory on a port, with a story of thirty updates."""
    port = free_port()
    replica = make_replica(publish_stream_drain_s=0.1)
    replica.broadcaster.begin(1, -1)
    limits = ServerLimits.of(replica.answers.settings, 1000)
    async with (
        stream_server(replica.answers.response_cache, replica.broadcaster, "127.0.0.1", port, limits),
        chromium(lambda browsers: browsers.launch(executable_path=SYSTEM, args=ARGUMENTS)) as browser,
    ):
        site = Site(replica, browser, f"http://127.0.0.1:{port}")
        site.publish(*(told(f"u{n}", minute=n) for n in range(30)))
        yield site


def told(guid: str, number: int = 1, minute: int = 40, **fields: Any) -> EnrichedUpdate:
    """An update of the flood."""
    numbers = re.findall(r"\d+", guid)
    body = f"Water stands at the third step, says {guid}."
    given = {
        "story": "flood", "story_label": "The flood at Port Ellery", "story_profile": SAID, "language": "en",
        "headline": f"Headline of {guid}", "text": body, "body_html": f"<p>{body}</p>", "excerpt": body, "word_count": 8,
        "first_published_at": datetime.now(UTC) - timedelta(hours=1) + timedelta(minutes=minute),
        "flags": Flags(key_event=bool(numbers) and int(numbers[0]) % 10 == 5),
        "authors": (Author(name="Ana Ferreira", id="ana", slug="ana"),),
    }  # fmt: skip
    tags = (
        Tag(code="topic:flood", label="Flood"),
        *([Tag(code="place:quay", label="Quay")] if int((numbers or ["0"])[0]) % 3 == 0 else []),
    )
    return revision(guid, number, **given | fields).model_copy(update={"tags": tags})


def corrected(guid: str, number: int) -> EnrichedUpdate:
    """A correction."""
    change = Change(reason="The hour was wrong.", diff=(("-", "five"), ("+", "six")))
    return told(
        guid, number, kind="correct", headline=f"{guid}, corrected", change=change, updated_at=datetime.now(UTC)
    )


async def test_a_reader_finds_the_way(site: Site) -> None:
    """Key events jump within the page, filters leave what is asked for, a link to an older update finds it, and all is told."""
    page = await site.open()
    await page.locator("#digest [data-jump]").first.click()
    await expect(page.locator(f"#u-{told('u25').update_id}").locator("h2")).to_be_in_viewport()
    assert page.url.endswith(f"#u-{told('u25').update_id}")
    await page.locator(".filter", has_text="Quay").click()
    shown = page.locator("#feed > .item:visible h3")
    await expect(shown).to_have_text([f"Headline of u{n}" for n in (27, 24, 21, 18, 15, 12, 9)])
    await page.locator(".filter", has_text="Key events").click()
    await expect(shown).to_have_text(["Headline of u15"])
    await page.locator(".filter", has_text="All updates").click()
    await expect(shown).to_have_count(20)
    older = await site.open(f"{STORY}#u-{told('u2').update_id}")
    await expect(older.locator(f"#u-{told('u2').update_id}")).to_be_visible(timeout=30_000)
    assert site.complaints == []


async def test_a_reader_shares_pauses_and_follows(site: Site) -> None:
    """The address is copied where the device shares nothing, what is new waits while the page is paused, and a story is kept."""
    context = await site.browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    await context.add_init_script("delete Navigator.prototype.share")
    page = await site.open(STORY, context)
    await page.locator("#top [data-share]").click()
    await expect(page.locator("#top [data-share]")).to_have_text("Link copied")
    assert await page.evaluate("() => navigator.clipboard.readText()") == site.url + STORY
    await page.locator("#pause").click()
    site.publish(told("fresh"))
    await expect(page.locator("#pill")).to_have_text("1 new update")
    site.publish(told("u28", 2, removal="killed", headline="", text="", body_html="", excerpt="", authors=()))
    await expect(page.get_by_text("Headline of u28")).to_have_count(0)
    await page.locator("#pause").click()
    await expect(page.locator("#feed h3").first).to_have_text("Headline of fresh")
    await page.locator("[data-follow]").click()
    front = await site.open("/", context)
    await expect(front.locator(".card-followed")).to_have_count(1)
    assert site.complaints == []


async def test_who_comes_back_is_told_what_happened(site: Site) -> None:
    """Key events, corrections and withdrawals of what this reader saw; from this browser's memory, after ten minutes away."""
    context = await site.browser.new_context(viewport={"width": 1200, "height": 6000})
    page = await site.open(STORY, context)
    await expect(page.locator("#feed > .item")).to_have_count(20)
    await page.wait_for_timeout(300)
    await page.goto(site.url + "/stories")
    await page.evaluate(
        "() => { const key = 'slugline-left:story:flood'; const kept = JSON.parse(localStorage.getItem(key));"
        "localStorage.setItem(key, JSON.stringify({ ...kept, at: kept.at - 3600000 })); }"
    )
    site.publish(
        corrected("u27", 2), revision("u26", 2, removal="killed", story="flood"), told("news35"), revision("u1", 2, removal="killed", story="flood"),
    )  # fmt: skip
    page = await site.open(STORY, context)
    lines = page.locator(".away li")
    await expect(lines).to_have_text(
        [
            re.compile("Key event Headline of news35"),
            re.compile("Corrected u27, corrected"),
            "1 update that you saw was withdrawn",
        ]
    )
    site.publish(revision("news35", 2, removal="killed", story="flood"))
    await expect(page.get_by_text("Headline of news35")).to_have_count(0)
    assert site.complaints == []


async def test_what_others_embed_is_loaded_when_it_is_asked_for(site: Site) -> None:
    """Before the click nothing of the provider's is asked for; then one frame of ours is. Without scripts there is a link."""
    site.publish(told("film", body_html=f"<p>Watch.</p>{YOUTUBE}"))
    asked: list[str] = []
    context = await site.browser.new_context()
    await context.route(
        "**/*", lambda route: route.continue_() if "127.0.0.1" in route.request.url else route.fulfill(body="A film")
    )
    context.on("request", lambda request: asked.append(request.url))
    page = await site.open(STORY, context)
    card = page.locator(".embed")
    await expect(card.get_by_role("button", name="Load from YouTube")).to_be_visible()
    assert all(url.startswith(site.url) for url in asked)
    await card.get_by_role("button").click()
    frame = page.frame_locator(".embed iframe")
    await expect(frame.locator("iframe")).to_have_attribute("src", "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ")
    await expect(frame.frame_locator("iframe").get_by_text("A film")).to_be_visible()
    assert {url for url in asked if not url.startswith(site.url)} == {
        "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ"
    }
    plain = await site.open(java_script_enabled=False)
    await expect(plain.locator(".embed a")).to_have_attribute("href", "https://www.youtube.com/watch?v=dQw4w9WgXcQ")
    assert site.complaints == []


@pytest.mark.parametrize(
    ("browser_is", "words"),
    [
        ("delete window.PushManager", "This browser cannot show alerts."),
        ("Notification.requestPermission = async () => 'denied'", "Your browser blocks alerts from this site."),
        ("Notification.requestPermission = async () => 'default'", "Nothing was turned on"),
        ("Notification.requestPermission = async () => 'granted'", "Alerts cannot be changed right now."),
    ],
)
async def test_the_alerts_button_says_why_nothing_happened(site: Site, browser_is: str, words: str) -> None:
    """The browser cannot, the reader refuses or does not answer, the newsroom's own service is away."""
    context = await site.browser.new_context()
    await context.add_init_script(browser_is)
    page = await site.open(STORY, context)
    await page.get_by_role("button", name="Get alerts on this story").click()
    await expect(page.locator(".push-status")).to_contain_text(words)
    await expect(page.get_by_role("button", name="Get alerts on this story")).to_have_attribute("aria-pressed", "false")


def asked_of_readers() -> EnrichedUpdate:
    """An update with a block of each kind, a picture in its text, and a translation."""
    mark = '<figure data-picture="' + "a" * 16 + '"></figure>'
    pictures = (picture(), picture(id="two", role="inline", anchors=("a" * 16,)))
    return told("asked", body_html=f"<p>Before.</p>{mark}<p>After.</p>", blocks=BLOCKS, media=pictures)


def translated(number: int = 1, **fields: Any) -> EnrichedUpdate:
    """The same in German."""
    original = asked_of_readers().update_id
    return told("uebersetzt", number, language="de", headline="Gefragt", translation_of=original, **fields)


async def test_a_vote_shows_how_a_poll_stands_and_follows_it(site: Site) -> None:
    """Without leaving the page, and without scripts on a page of its own; nothing moves but under the reader's own hand."""
    site.replica.answers.votes = votes = CountedVotes()
    update = asked_of_readers()
    site.publish(update)
    page = await site.open(update.path)
    form = page.locator("[data-poll]")
    await form.get_by_label("Yes, soon").check()
    await form.get_by_role("button", name="Vote").click()
    await expect(page.locator("#announce")).to_have_text("Your vote is counted.")
    yes = form.locator('[data-option="yes"]')
    await expect(yes).to_have_attribute("data-share", "100%")
    await votes.vote((update.update_id, "fifth-gate"), "no", b"somebody else")
    await expect(yes).to_have_attribute("data-share", "50%")
    await expect(form.locator(".poll-total")).to_have_text("2 votes")
    plain = await site.open(update.path, java_script_enabled=False)
    await plain.get_by_label("No", exact=True).check()
    await plain.get_by_role("button", name="Vote").click()
    await expect(plain.locator(".poll-said")).to_have_text("Your vote is counted.")
    await plain.goto(site.url + update.path)
    await plain.get_by_label("No", exact=True).check()
    await plain.get_by_role("button", name="Vote").click()
    await expect(plain.locator(".poll-said")).to_have_text("This browser has voted already.")
    assert votes.counted == {"yes": 1, "no": 2}
    assert [each for each in site.complaints if "404" not in each] == []


async def test_an_open_translation_says_when_its_original_is_changed(site: Site) -> None:
    """Without a reload; and no more once it is corrected too."""
    site.publish(asked_of_readers(), translated())
    page = await site.open(translated().path)
    await expect(page.locator("#languages a")).to_have_text("English")
    site.publish(told("asked", 2, kind="correct", updated_at=datetime.now(UTC)))
    await expect(page.locator(".stale")).to_have_text("The original was changed after this translation was made.")
    site.publish(translated(2, kind="correct", updated_at=datetime.now(UTC) + timedelta(seconds=1)))
    await expect(page.locator(".stale")).to_have_count(0)


async def test_a_page_costs_little_and_stands_still(site: Site) -> None:
    """At first view at most eight requests and 45 kB; nothing moves while updates come; a counting voice every ten seconds at most."""
    context = await site.browser.new_context(viewport={"width": 1200, "height": 900})
    page = await context.new_page()
    await page.add_init_script(
        "window.shifted = 0; new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.shifted += entry.value; })"
        ".observe({ type: 'layout-shift', buffered: true });"
        "window.spoken = []; addEventListener('DOMContentLoaded', () => new MutationObserver(() => window.spoken.push(performance.now()))"
        ".observe(document.getElementById('announce'), { childList: true, characterData: true, subtree: true }));"
    )
    sizes: dict[str, int] = {}

    async def note(request: Any) -> None:
        if "/v1/stream" not in request.url:
            spent = await request.sizes()
            sizes[request.url] = spent["responseBodySize"] + spent["responseHeadersSize"]

    page.on("requestfinished", note)
    await page.goto(site.url + STORY)
    await expect(page.locator("#live-state")).to_have_attribute("data-state", "live")
    await page.wait_for_timeout(500)
    assert len(sizes) + 1 <= MOST_REQUESTS, sizes
    assert sum(sizes.values()) <= MOST_BYTES, sizes
    assert await page.evaluate("() => window.shifted") < 0.01
    await page.locator("#feed > .item").nth(6).scroll_into_view_if_needed()
    for n in range(6):
        site.publish(told(f"now{n}"), told("u20", n + 2, kind="enrich"))
        await page.wait_for_timeout(500)
    await expect(page.locator("#pill")).to_have_text("6 new updates")
    assert await page.evaluate("() => window.shifted") < 0.01
    spoken = await page.evaluate("() => window.spoken")
    assert all(later - sooner >= 9_900 for sooner, later in itertools.pairwise(spoken)), spoken


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_is_accessible_and_fits_at_every_width(site: Site, scheme: Any) -> None:
    """axe-core finds nothing from 320 to 1900 px, and no page scrolls sideways."""
    folder = fetched("axe-core")
    if folder is None:
        skip_or_fail("REQUIRE_BROWSER", "axe-core cannot be had here")
    axe = Path(folder / "axe.min.js").read_text()
    film = told("film", body_html=f"<p>Watch.</p>{YOUTUBE}")
    site.publish(
        film, *(revision(f"{story}0", story=story, story_label=story, language="en") for story in ("vote", "strike"))
    )
    site.replica.answers.votes = CountedVotes()
    blocks = asked_of_readers()
    site.publish(blocks, translated(), told("asked", 2, kind="correct", updated_at=datetime.now(UTC), blocks=BLOCKS))
    context = await site.browser.new_context(color_scheme=scheme)
    page = await context.new_page()
    kinds = (
        STORY, "/", film.path, blocks.path, translated().path, f"/polls/{blocks.update_id}/fifth-gate", "/stories", "/search?q=water",
        "/tags/topic:flood", "/authors/ana", "/?before=1-9", "/text", "/docs", "/none",
    )  # fmt: skip
    for path in kinds:
        await page.goto(site.url + path)
        await page.evaluate(axe)
        for width in (320, 1900):
            await page.set_viewport_size({"width": width, "height": 900})
            found = await page.evaluate(
                "() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice'] })"
            )
            problems = [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found["violations"]]
            assert problems == [], (path, width)
            assert await page.evaluate("() => document.documentElement.scrollWidth") <= width, (path, width)
