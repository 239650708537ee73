"""The page's script in a real browser: ten tabs over HTTP/1.1, one stream, and no hole whatever closes or sleeps."""

import asyncio
import time
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, Page

from publish.web.stream.limits import StreamLimits
from support.browser import ARGUMENTS, SYSTEM, chromium
from support.waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.fixture
async def browser():
    """Chromium: the system's, else Playwright's own."""
    async with chromium(lambda browsers: browsers.launch(executable_path=SYSTEM, args=ARGUMENTS)) as opened:
        yield opened


@pytest.fixture
async def tabs(browser: Browser):
    """A browser's window, whose tabs share locks and channels."""
    context = await browser.new_context()
    yield context
    await context.close()


async def open_tab(context: BrowserContext, port: int, channel: str = "news") -> Page:
    """A tab with the page."""
    tab = await context.new_page()
    await tab.goto(f"http://127.0.0.1:{port}/live?channel={channel}", wait_until="domcontentloaded")
    return tab


async def seen(tab: Page) -> list[str]:
    """The ids that the tab received, in order."""
    return await tab.evaluate("window.seen")


async def until(tab: Page, condition: str, deadline_s: float = 30) -> None:
    """Wait until an expression holds in the tab."""
    ends = time.monotonic() + deadline_s
    while not await tab.evaluate(condition):
        if time.monotonic() > ends:
            state = await tab.evaluate("[window.seen, window.states, window.resets, document.body.dataset.cursor]")
            raise AssertionError(f"not within {deadline_s} s: {condition}; {state}")
        await asyncio.sleep(0.05)


async def connected(*opened: Page) -> None:
    """Wait until all tabs say that they are live."""
    for tab in opened:
        await until(tab, "window.states.at(-1) === 'connected'")


def ids(first: int, last: int) -> list[str]:
    """The ids of a run of events."""
    return [f"1-{offset}" for offset in range(first, last + 1)]


async def test_ten_tabs_stay_live_on_one_stream(site, tabs, make_event) -> None:
    """Ten tabs get every event once over one connection, the site stays usable, and another tab takes over without a hole."""
    opened = [await open_tab(tabs, site.port) for _ in range(10)]
    await connected(*opened)
    assert len(site.broadcaster) == 1
    site.publish(*[make_event(offset) for offset in range(1, 4)])
    for tab in opened:
        await until(tab, "window.seen.length >= 3")
        assert await tab.evaluate("fetch('/', {cache: 'no-store'}).then((answer) => answer.text())") == "a page"
    for round_number in range(2):
        leader = opened.pop(0)  # the first that asked for the lock has it, then the next in line
        await leader.close()
        first = 4 + round_number * 3
        site.publish(*[make_event(offset) for offset in range(first, first + 3)])
        for tab in opened:
            await until(tab, f"window.seen.length >= {first + 2}")
    for tab in opened:
        assert await seen(tab) == ids(1, 9)
    # The tab that was closed last may have passed the last events on; the stream of its successor then opens after them.
    await eventually(lambda: len(site.broadcaster), lambda readers: readers == 1, within_s=30)


async def test_tabs_follow_a_channel_of_their_own(site, tabs, make_event) -> None:
    """The one stream carries what any tab follows, and each tab receives its own channel only, whatever its name, also of late comers'."""
    news = await open_tab(tabs, site.port, "tag:a, or b")
    await connected(news)
    story = await open_tab(tabs, site.port, "story:b")
    await connected(story)
    ends = time.monotonic() + 30
    while (
        not any("story:b" in each.channels for each in site.broadcaster.fanout.audiences(None))
        and time.monotonic() < ends
    ):
        await asyncio.sleep(0.02)
    site.publish(
        make_event(1, "tag:a, or b"), make_event(2, "story:b"), make_event(3, "tag:a, or b", "story:b"), make_event(4)
    )
    await until(news, "window.seen.length >= 2")
    await until(story, "window.seen.length >= 2")
    assert await seen(news) == ["1-1", "1-3"]
    assert await seen(story) == ["1-2", "1-3"]
    assert len(site.broadcaster) == 1


async def test_a_page_that_was_cached_meets_the_stream(site, tabs, make_event) -> None:
    """A tab whose page is older than the stream of the others receives what was published since its page was made."""
    site.publish(*[make_event(offset) for offset in range(1, 4)])
    first = await open_tab(tabs, site.port)
    await connected(first)
    old = await tabs.new_page()

    async def stale(route) -> None:
        answer = await route.fetch()
        body = (await answer.text()).replace('data-cursor="1-3"', 'data-cursor="1-1"')
        await route.fulfill(response=answer, body=body)

    await old.route("**/live?*", stale)
    await old.goto(f"http://127.0.0.1:{site.port}/live?channel=news")
    await until(old, "window.seen.length >= 2")
    site.publish(make_event(4))
    await until(old, "window.seen.length >= 3")
    assert await seen(old) == ids(2, 4)


async def test_a_tab_that_slept_catches_up(site, tabs, make_event) -> None:
    """A frozen tab that wakes receives everything in order, once, without a reload."""
    leader, sleeper = await open_tab(tabs, site.port), await open_tab(tabs, site.port)
    await connected(leader, sleeper)
    devtools = await tabs.new_cdp_session(sleeper)
    await devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
    site.publish(*[make_event(offset) for offset in range(1, 6)])
    await until(leader, "window.seen.length >= 5")
    await leader.close()
    site.publish(make_event(6))
    await devtools.send("Page.setWebLifecycleState", {"state": "active"})
    await until(sleeper, "window.seen.length >= 6")
    site.publish(make_event(7))
    await until(sleeper, "window.seen.length >= 7")
    assert await seen(sleeper) == ids(1, 7)


async def test_a_reset_fetches_the_page_again(site, tabs, make_event) -> None:
    """After a gap that cannot be replayed the feed is what the page is now, and the stream goes on from there."""
    tab, other = await open_tab(tabs, site.port), await open_tab(tabs, site.port)
    await connected(tab, other)
    site.broadcaster.begin(2, 5)
    site.publish(make_event(6, epoch=2))
    for each in (tab, other):
        await until(each, "window.resets.length === 1 && document.querySelectorAll('#feed li').length === 1")
        await until(each, "document.body.dataset.cursor === '2-6'")
    site.publish(make_event(7, epoch=2))
    for each in (tab, other):
        await until(each, "window.seen.at(-1) === '2-7'")


async def test_where_streams_do_not_get_through_it_polls(site, tabs, make_event) -> None:
    """A reader behind something that refuses streams is kept current by long polls."""
    tab = await tabs.new_page()
    await tab.route("**/v1/stream?*", lambda route: route.fulfill(status=503, body="no"))
    await tab.goto(f"http://127.0.0.1:{site.port}/live?channel=news")
    site.publish(make_event(1))
    await until(tab, "window.seen.length >= 1")
    site.publish(make_event(2), make_event(3))
    await until(tab, "window.seen.length >= 3")
    assert await seen(tab) == ids(1, 3)
    assert await tab.evaluate("window.states.at(-1)") == "polling"


async def test_where_neither_gets_through_it_asks_now_and_then(site, tabs, make_event) -> None:
    """Plain questions, which a cache may answer, go on from the same cursor."""
    tab = await tabs.new_page()
    await tab.clock.install()
    for path in ("stream", "poll"):
        await tab.route(f"**/v1/{path}?*", lambda route: route.fulfill(status=503, body="no"))
    await tab.goto(f"http://127.0.0.1:{site.port}/live?channel=news")
    site.publish(make_event(1))
    for _ in range(40):
        await tab.clock.run_for(2_000)
        if await tab.evaluate("window.states.at(-1)") == "asking":
            break
    site.publish(make_event(2))
    await tab.clock.run_for(16_000)
    await until(tab, "window.seen.length >= 2")
    assert await seen(tab) == ids(1, 2)


async def test_a_reader_who_saves_data_is_asked_for_once_a_minute(site, tabs, make_event) -> None:
    """No stream is opened and no poll waits; what came in between is told in order, once."""
    tab = await tabs.new_page()
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(urlsplit(request.url).path))
    await tab.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'connection', {get: () => ({saveData: true})})"
    )
    await tab.clock.install()
    await tab.goto(f"http://127.0.0.1:{site.port}/live?channel=news")
    await until(tab, "window.states.at(-1) === 'asking'")
    site.publish(make_event(1), make_event(2))
    await tab.clock.run_for(61_000)
    await until(tab, "window.seen.length >= 2")
    assert await seen(tab) == ids(1, 2)
    assert asked.count("/v1/since") == 2
    assert not {"/v1/stream", "/v1/poll"} & set(asked)


async def test_a_replica_that_goes_away_is_left_and_found_again(served, tabs, make_event) -> None:
    """When the server sends everybody away, tabs come back by themselves and miss nothing."""
    async with served(StreamLimits(retry_ms=100)) as site:
        tab, other = await open_tab(tabs, site.port), await open_tab(tabs, site.port)
        await connected(tab, other)
        draining = asyncio.create_task(site.broadcaster.drain(0.3))
        await until(tab, "window.states.includes('reconnecting')")
        await draining
        site.publish(make_event(1))
        site.broadcaster.draining = False
        for each in (tab, other):
            await until(each, "window.seen.length >= 1")
            assert await seen(each) == ["1-1"]
