"""Stories on pages of others, in a real browser: another origin embeds, and what is killed goes there too."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from browser.checkers import fetched
from local.child import free_port
from publish.representation.position import Position
from publish.settings import Settings
from publish.web.application import build
from publish.web.feed_store import FeedStore
from publish.web.renderer import stream_event
from publish.web.stream.http.serve import stream_server
from shared.messages import EnrichedUpdate
from shared.observability.health import Health
from support.browser import ARGUMENTS, SYSTEM, chromium
from support.revisions import revision
from support.web_replica import ListedArchive, Replica

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

expect.set_options(timeout=20_000)


@dataclass
class Sites:
    """The site, another one on an origin of its own, and a browser."""

    replica: Replica
    url: str
    other: str
    browser: Browser
    pages: dict[str, str]
    complaints: list[str] = field(default_factory=list)

    def publish(self, *updates: EnrichedUpdate) -> None:
        """As the follower does."""
        applied = [each for each in self.replica.take(*updates) if each is not None]
        self.replica.broadcaster.publish([stream_event(self.replica.answers.renderer, each) for each in applied])

    async def open(self, address: str, script: str = "", **options: Any) -> Page:
        """A page; what the console says of errors is kept."""
        page = await (await self.browser.new_context(**options)).new_page()
        page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        if script:
            await page.add_init_script(script)
        await page.goto(address)
        return page


@contextlib.asynccontextmanager
async def _other_site(pages: dict[str, str]) -> AsyncIterator[str]:
    import uvicorn  # noqa: PLC0415

    app = Starlette(routes=[Route("/{name}", lambda request: HTMLResponse(pages.get(request.path_params["name"], "")))])
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="localhost", port=port, log_level="error", lifespan="off"))
    task = asyncio.create_task(server.serve())
    try:
        yield f"http://localhost:{port}"
    finally:
        server.should_exit = True
        await task


@pytest_asyncio.fixture
async def sites(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Sites]:
    """Both sites and the browser; the parameter says who may embed."""
    port = free_port()
    settings = Settings(
        publish_site_url=f"http://127.0.0.1:{port}",
        media_store=f"file://{tmp_path}",
        publish_embed_origins=getattr(request, "param", "*"),
    )
    feed_store, archive = FeedStore(100), ListedArchive()
    feed_store.reset(Position(1, -1), [], complete=True)
    answers, broadcaster = build(settings, feed_store, archive, Health("publish.web"))
    broadcaster.begin(1, -1)
    pages: dict[str, str] = {}
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(stream_server(answers.response_cache, broadcaster, "127.0.0.1", port))
        other = await stack.enter_async_context(_other_site(pages))
        browser = await stack.enter_async_context(
            chromium(lambda browsers: browsers.launch(executable_path=SYSTEM, args=ARGUMENTS))
        )
        replica = Replica(answers, broadcaster, archive, feed_store, httpx.AsyncClient())
        yield Sites(replica, settings.publish_site_url, other, browser, pages)


def told(guid: str, number: int = 1, **fields: Any) -> EnrichedUpdate:
    """An update of the story."""
    given = {
        "headline": f"Headline {guid}",
        "text": f"Words of {guid}.",
        "story": "flood",
        "story_label": "The flood",
        "language": "en",
    }
    return revision(guid, number, **given | fields)


async def test_a_component_on_another_site_lives_with_the_story(sites: Sites) -> None:
    """New, corrected and killed updates reach it; words are text; the page's own styles stay out, custom properties go in."""
    sites.pages["plain"] = (
        "<!doctype html><title>Other</title><style>li{color:lime!important} slugline-story{--slugline-accent:rgb(1, 2, 3)}</style>"
        f'<h1>Other</h1><script async src="{sites.url}/embed.js" data-story="flood" data-limit="3"></script>'
    )
    sites.publish(told("a"), told("b", headline="<b>B</b><img src=x onerror=alert(1)>"))
    page = await sites.open(f"{sites.other}/plain")
    items = page.locator("slugline-story li")
    await expect(items).to_have_count(2)
    await expect(items.first).to_contain_text("<b>B</b><img src=x onerror=alert(1)>")
    await expect(page.locator("slugline-story [part=header]")).to_have_text("The flood")
    await expect(page.locator("slugline-story")).to_have_attribute("state", "connected")
    assert (
        await page.locator("slugline-story [part=header]").evaluate("e => getComputedStyle(e).borderBlockEndColor")
        == "rgb(1, 2, 3)"
    )
    assert await items.first.evaluate("e => getComputedStyle(e).color") != "rgb(0, 255, 0)"
    sites.publish(told("c"), told("a", 2, headline="Corrected", kind="correct"), revision("other"))
    await expect(items).to_have_count(3)
    await expect(items.nth(0)).to_contain_text("Headline c")
    await expect(items.nth(2)).to_contain_text("Corrected")
    sites.publish(told("d", blocks=[{"kind": "quote", "text": "<i>Run</i>", "speaker": "Ana"}]))
    await expect(items.nth(0)).to_contain_text("Headline d")
    await expect(items.nth(0).locator("[part=block]")).to_have_text("“<i>Run</i>”\nAna")
    await expect(items).to_have_count(3)
    sites.publish(told("b", 2, story="other", story_label="Other"))
    await expect(items.nth(2)).to_contain_text("Corrected")
    sites.publish(told("e"), *(revision(guid, 2, removal="killed") for guid in "dc"))
    await expect(items).to_have_count(2)
    sites.publish(revision("e", 2, removal="killed"))
    await expect(items).to_have_count(1)
    # An older one, which there was no room for, takes the place of those.
    await expect(items).to_contain_text("Corrected")
    sites.publish(revision("a", 3, removal="killed"))
    await expect(items).to_contain_text("Nothing to show here now.")
    await page.screenshot(path="/tmp/embed-component.png")
    assert sites.complaints == []


async def test_a_frame_grows_with_its_story(sites: Sites) -> None:
    """With the script beside it; without any script the words are there all the same."""
    sites.pages["framed"] = (
        f'<!doctype html><title>Other</title><iframe src="{sites.url}/embed/stories/flood" style="width:400px;height:50px"></iframe>'
        f'<script async src="{sites.url}/embed.js"></script>'
    )
    sites.publish(*(told(f"u{number}", text="Words and words. " * 15) for number in range(6)))
    page = await sites.open(f"{sites.other}/framed")
    frame = page.frame_locator("iframe")
    await expect(frame.locator("slugline-story li[data-id]")).to_have_count(6)
    await page.wait_for_function("document.querySelector('iframe').getBoundingClientRect().height > 600")
    sites.publish(*(revision(f"u{number}", 2, removal="killed") for number in range(5)))
    await expect(frame.locator("slugline-story li[data-id]")).to_have_count(1)
    await page.wait_for_function("document.querySelector('iframe').getBoundingClientRect().height < 500")
    still = await sites.open(f"{sites.other}/framed", java_script_enabled=False)
    await expect(still.frame_locator("iframe").locator("li")).to_have_count(1)
    assert sites.complaints == []


@pytest.mark.parametrize("sites", ["https://friend.example"], indirect=True)
async def test_who_may_not_embed_cannot(sites: Sites) -> None:
    """The browser refuses the module and the frame on a site that is not named."""
    sites.pages["plain"] = (
        f'<!doctype html><title>Other</title><iframe src="{sites.url}/embed/stories/flood"></iframe>'
        f'<script async src="{sites.url}/embed.js" data-story="flood"></script>'
    )
    sites.publish(told("a"))
    page = await sites.open(f"{sites.other}/plain")
    await page.wait_for_function("document.querySelector('slugline-story')")
    await expect(page.locator("slugline-story li")).to_have_count(0)
    async with asyncio.timeout(20):
        while not (
            any("CORS" in each for each in sites.complaints)
            and any("frame-ancestors" in each for each in sites.complaints)
        ):
            await page.wait_for_timeout(50)


FOLLOW = """<!doctype html><title>Client</title><script type="module">
import { follow } from "%s/client.js";
window.told = []; window.states = [];
window.stop = follow("%s", {channel: "story:flood",
  snapshot: (updates) => told.push(["snapshot", updates.map((each) => each.headline)]),
  update: (update, kind) => told.push([kind, update.headline]), remove: (id) => told.push(["remove", id]),
  state: (state) => states.push(state)});
</script>"""


@pytest.mark.parametrize(
    ("script", "state"),
    [
        ("", "connected"),
        ("window.EventSource = class { constructor() { setTimeout(() => this.onerror?.()); this.readyState = 2 } addEventListener() {} close() {} }; EventSource.CLOSED = 2", "polling"),
        ("Object.defineProperty(Navigator.prototype, 'connection', {get: () => ({saveData: true})})", "asking"),
    ],
    ids=["stream", "poll", "save-data"],
)  # fmt: skip
async def test_the_client_goes_down_the_ladder_on_one_cursor(sites: Sites, script: str, state: str) -> None:
    """Whatever gets through tells the same; a reset makes it fetch the snapshot again."""
    sites.pages["client"] = FOLLOW % (sites.url, sites.url)
    sites.publish(told("a"))
    page = await sites.open(f"{sites.other}/client", "" if state != "asking" else script)
    if state == "polling":
        page = await sites.open(f"{sites.other}/client", script)
    await page.wait_for_function("told.length")
    await page.wait_for_function(f"states.at(-1) === '{state}'")
    if state == "asking":
        return
    sites.publish(told("b"), revision("elsewhere"), told("a", 2, kind="correct", headline="A"))
    await page.wait_for_function("told.length >= 3")
    sites.publish(revision("b", 2, removal="killed"))
    await page.wait_for_function("told.length >= 4")
    assert await page.evaluate("told") == [
        ["snapshot", ["Headline a"]], ["publish", "Headline b"], ["correct", "A"], ["remove", revision("b").update_id],
    ]  # fmt: skip
    sites.replica.broadcaster.reset("gap")
    sites.publish(told("c"))
    kind = "snapshot" if state == "connected" else "publish"  # who polls has missed nothing
    await page.wait_for_function(f"told.some((each) => each[0] === '{kind}' && each[1].includes('Headline c'))")
    await page.evaluate("stop()")
    sites.publish(told("d"))
    assert "Headline d" not in str(await page.evaluate("told"))


async def test_partner_pages_have_no_flaw(sites: Sites) -> None:
    """Documentation, search and text: axe finds nothing, narrow and wide, in light and dark."""
    sites.publish(told("a"), told("b"))
    axe = fetched("axe-core")
    narrow, wide = (360, "light"), (1280, "dark")
    for path, (width, scheme) in {
        "/docs": narrow, "/search": wide, "/search?q=words": narrow, "/text/stories/flood": wide, "/embed/stories/flood": narrow,
    }.items():  # fmt: skip
        page = await sites.open(sites.url + path, viewport={"width": width, "height": 800}, color_scheme=scheme)
        overflow = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, (path, width)
        if axe is not None:
            await page.evaluate((axe / "axe.min.js").read_text())
            found = (await page.evaluate("axe.run()"))["violations"]
            assert [(path, each["id"], [node["html"] for node in each["nodes"]][:3]) for each in found] == []
        await page.close()
    assert sites.complaints == []
