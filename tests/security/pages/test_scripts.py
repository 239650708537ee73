"""No word of a source runs or loads anything: every page kind, live insertion, feeds, embeds and what others ask, in a real browser."""

import contextlib
import html
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

import feedparser
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Dialog, Page, Request, expect

from enrich.text.steps.text.sanitise import sanitised
from local.child import free_port
from publish.web.renderer import stream_event
from publish.web.stream.http.serve import stream_server
from shared.messages import Author, Change, Corroboration, EnrichedUpdate, Tag
from support.browser import ARGUMENTS, SYSTEM, chromium
from support.samples import full, picture
from support.web_replica import Make, Replica

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

expect.set_options(timeout=30_000)

RUN = "window.ran=1;alert(1)"
AWAY = "http://canary.example"
HOSTILE = [
    f"<script>{RUN}</script>",
    f"<img src=x onerror='{RUN}'>",
    f"<img src={AWAY}/a srcset='{AWAY}/b 2x'>",
    f"<svg onload='{RUN}'><script href={AWAY}/s></script><use href='{AWAY}/u#x'/><animate attributeName=href values=javascript:{RUN} /></svg>",
    f"\"'><script src={AWAY}/s></script>",
    f"\" autofocus onfocus=\"{RUN}\" x=\"",
    f"javascript:{RUN}",
    f"java\tscript:{RUN}",
    f"\x01javascript:{RUN}",
    f"data:text/html,<script>{RUN}</script>",
    f"</script><script>{RUN}</script>",
    f"</title></textarea></style></noscript></template><script>{RUN}</script>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe><iframe src=javascript:{RUN}></iframe>",
    f"<object data={AWAY}/o></object><embed src={AWAY}/e><applet code={AWAY}>",
    f"<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror={RUN}&gt;'>",
    f"<noscript><p title='</noscript><img src=x onerror={RUN}>'>",
    f"<form action={AWAY}><button formaction=javascript:{RUN}>x</button></form><isindex action=javascript:{RUN}>",
    f"<style>@import '{AWAY}/i';*{{background:url({AWAY}/b)}}</style><link rel=stylesheet href={AWAY}/l>",
    f"<p style='background:url({AWAY}/p)' onpointerenter={RUN}>x</p>",
    f"<meta http-equiv=refresh content='0;url={AWAY}'><base href={AWAY}/>",
    f"<video poster={AWAY}/v><source src={AWAY}/s onerror={RUN}></video><audio src={AWAY}/a>",
    f"<a href='javascript:{RUN}'>x</a><a href='&#106;avascript:{RUN}'>x</a><a ping={AWAY} href='//canary.example'>x</a>",
    f"]]><script>{RUN}</script><![CDATA[",
    f"--><script>{RUN}</script><!--",
    f"{{{{constructor.constructor('{RUN}')()}}}}${{{RUN}}}",
    f"\u2028{RUN}\u2029//",
    f"＜script＞{RUN}＜/script＞",
    f"<details open ontoggle={RUN}><marquee onstart={RUN}>x</marquee>",
    f"<input type=image src={AWAY}/i onerror={RUN}><body onload={RUN} background={AWAY}/b>",
    f"<a id=ran name=ran></a><form id=document><input name=cookie></form>{RUN}",
    # What is one thing to a parser of HTML and another to one of SVG or MathML, or to the same parser the second time.
    f"<svg><style><img src=x onerror='{RUN}'></style></svg>",
    f"<svg></p><style><a id='</style><img src=1 onerror={RUN}>'>",
    f"<form><math><mtext></form><form><mglyph><style></math><img src onerror={RUN}>",
    f"<math><annotation-xml encoding='text/html'><style></annotation-xml><img src=x onerror={RUN}>",
    f"<svg><desc><table><svg><style><a title='</style><img src=x onerror={RUN}>'>",
    f"<template><s></template><img src=x onerror={RUN}><div><template shadowrootmode=open><script>{RUN}</script></template></div>",
    f"<select><iframe></select><img src=x onerror={RUN}></iframe><keygen autofocus onfocus={RUN}>",
    f"<xmp><p title='</xmp><img src=x onerror={RUN}>'><listing>&lt;img src=x onerror={RUN}&gt;</listing><noembed><noframes><plaintext>",
    f"<!--><img src=x onerror={RUN}>--><!-- --!><img src=x onerror={RUN}><!-->-><?x <img src=x onerror={RUN}>?><!x <img src=x onerror={RUN}>>",
    f"<svg><![CDATA[><img src=x onerror={RUN}>]]></svg><math><![CDATA[</math><script>{RUN}</script>]]>",
    f"<svg><a xlink:href='javascript:{RUN}'><text y=20>x</text></a><image xlink:href={AWAY}/i /><filter><feImage href={AWAY}/f /></filter></svg>",
    f"<svg><set attributeName=onload to={RUN} /><foreignObject><iframe src='javascript:{RUN}'></iframe></foreignObject></svg>",
    # What becomes markup once it is written again.
    f"&lt;img src=x onerror={RUN}&gt; &amp;lt;img src=x onerror={RUN}&amp;gt; &#60;script&#62;{RUN}&#60;/script&#62;",
    f"<a href='https://a.example/' title='\"><img src=x onerror={RUN}>' lang='`onfocus={RUN}'>x</a>",
    f"<p title=`&#34;&#62;<img src=x onerror={RUN}>` dir='&quot; onclick={RUN} x=&quot;'>x</p><p/onclick={RUN}/>",
    f"<a href='&#x6a;ava&Tab;script&colon;{RUN}'>x</a><a href='java&NewLine;script:{RUN}'>x</a><a href='https:javascript:{RUN}'>x</a>",
    f"<a href='blob:{AWAY}/x'>x</a><a href='vbscript:{RUN}'>x</a><a href='filesystem:{AWAY}/x'>x</a><a href='\\\\canary.example/x' rel=dns-prefetch>x</a>",
    f"[x](javascript:{RUN}) ![x]({AWAY}/m) <javascript:{RUN}> [x]: {AWAY}/r `<img src=x onerror={RUN}>`\n\n    <script>{RUN}</script>",
    f"</ScRiPt/><!--<script>{RUN}</script>--></script >{RUN}//\u2028</script\n><script>{RUN}</script>",
    f'","headline":"</script><script>{RUN}</script>","x":"\\\u2029',
    # What is loaded without being run.
    f"<picture><source srcset='{AWAY}/a, {AWAY}/b 2x'><img srcset='{AWAY}/c 1x' sizes=1px></picture><link rel=preload as=image imagesrcset={AWAY}/p>",
    f"<meta http-equiv=Refresh content=\"0;URL='javascript:{RUN}'\"><meta http-equiv=Content-Security-Policy content='img-src *'><link rel=dns-prefetch href={AWAY}>",
    f"<p style=\"x:\\65xpression({RUN});background-image:image-set('{AWAY}/s' 1x);-moz-binding:url({AWAY}/z)\">x</p></style><style>@font-face{{font-family:x;src:url({AWAY}/f)}}p{{font-family:x}}</style>",
    f"<button popovertarget=p>x</button><div popover id=p onbeforetoggle={RUN}>x</div><portal src={AWAY}></portal><fencedframe src={AWAY}></fencedframe>",
    f"<table background={AWAY}/t><body background={AWAY}/y><input type=image src={AWAY}/i><track src={AWAY}/k><bgsound src={AWAY}/g>",
    # What our own scripts look for.
    f"<div id=live-state data-state=live></div><ol id=feed data-cursor='9-9'></ol><figure data-picture='../../x'></figure><slugline-story data-story='{AWAY}'></slugline-story>",
    f"<article id=update data-update='x' data-revision=99 data-href='javascript:{RUN}'></article><script type=application/ld+json>{{</script>",
]  # fmt: skip


def hostile(number: int, text: str, revision: int = 1) -> EnrichedUpdate:
    """An update with it in every field; the body is what enrich makes of it, as it always is."""
    now = datetime.now(UTC)
    return full(
        f"hostile-{number}", revision, headline=f"{number} {text}", text=text, body_html=sanitised(f"<p>before</p>{text}<p>after</p>"),
        summary=text, excerpt=text, byline=text, credit=text, copyright=text, located=text, editors_note=text, link=text, language=text,
        source=text, story="hostile", story_label=text, slug=f"hostile-{number}", first_published_at=now, updated_at=now,
        authors=(Author(name=text, slug="hostile", role=text, bio=text, avatar_url=text, url=text, links=(text,)),),
        tags=(Tag(code="hostile", label=text, uri=text),),
        media=(picture(caption=text, credit=text, alt_text=text, placeholder=text),),
        change=Change(reason=text, diff=(("-", text), ("+", text))), corroboration=Corroboration(count=2, because=text),
    )  # fmt: skip


@dataclass
class Watched:
    """The site, a browser, and what happened that must not."""

    replica: Replica
    url: str
    browser: Browser
    happened: list[str] = field(default_factory=list)

    def publish(self, *updates: EnrichedUpdate) -> None:
        """As the follower does."""
        applied = [each for each in self.replica.take(*updates) if each is not None]
        self.replica.broadcaster.publish([stream_event(self.replica.answers.renderer, each) for each in applied])

    async def page(self) -> Page:
        """A page that notes every dialog, every request to elsewhere, and whatever the page's policy had to stop."""
        page = await (await self.browser.new_context()).new_page()

        def asked(request: Request) -> None:
            if urlsplit(request.url).netloc != urlsplit(self.url).netloc and not request.url.startswith("data:"):
                self.happened.append(f"{page.url} asked {request.url}")

        page.on("request", asked)

        async def said(dialog: Dialog) -> None:
            self.happened.append(f"{page.url} said {dialog.message}")
            # A page waits for its dialog, and so would whoever asks it.
            await dialog.dismiss()

        page.on("dialog", said)
        page.on(
            "console",
            lambda told: (
                self.happened.append(f"{page.url}: {told.text}") if "Content Security Policy" in told.text else None
            ),
        )
        return page

    async def judge(self, page: Page) -> None:
        """Fail where anything has run, loaded or been stopped only by the policy."""
        assert await page.evaluate("() => window.ran") is None, page.url
        assert self.happened == []


@pytest_asyncio.fixture
async def watched(make_replica: Make, tmp_path: Path) -> AsyncIterator[Watched]:
    """A replica on a port, with a stream, and a browser."""
    port = free_port()
    replica = make_replica(publish_site_url=f"http://127.0.0.1:{port}", publish_web_page_size=100)
    replica.broadcaster.begin(1, -1)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(
            stream_server(replica.answers.response_cache, replica.broadcaster, "127.0.0.1", port)
        )
        browser = await stack.enter_async_context(
            chromium(lambda browsers: browsers.launch(executable_path=SYSTEM, args=ARGUMENTS))
        )
        yield Watched(replica, f"http://127.0.0.1:{port}", browser)


async def test_no_page_runs_or_loads_what_a_source_says(watched: Watched) -> None:
    """Every page kind, with everything in every field, then live: as new and as corrected, on open pages."""
    page = await watched.page()
    await page.goto(watched.url + "/")
    await expect(page.locator("#live-state")).to_have_attribute("data-state", "live")
    watched.publish(*(hostile(number, text) for number, text in enumerate(HOSTILE)))
    await expect(page.locator("#feed h3").first).to_contain_text(f"{len(HOSTILE) - 1} ")
    watched.publish(*(hostile(number, text, 2) for number, text in enumerate(HOSTILE)))
    await expect(page.locator("#feed .reason").first).to_be_attached()
    await watched.judge(page)
    own = [hostile(number, text) for number, text in enumerate(HOSTILE)]
    paths = [
        "/", "/stories", "/stories/hostile", "/tags/hostile", "/authors/hostile", "/search?q=before", "/text", "/text/stories/hostile", "/docs",
        "/embed/stories/hostile", f"/embed/updates/{own[0].update_id}",
        "/v1/updates", "/oembed?url=" + quote(f"{watched.url}/stories/hostile"),
        *(f"/updates/{each.update_id}/{each.slug}" for each in own[::6]), f"/text/updates/{own[3].update_id}",
    ]  # fmt: skip
    for path in paths:
        answer = await page.goto(watched.url + path)
        assert answer is not None
        assert answer.status == 200, path
        await watched.judge(page)


async def test_no_address_brings_a_script_with_it(watched: Watched) -> None:
    """What a stranger writes into an address or a parameter is text on the page that says it is not there."""
    page = await watched.page()
    for text in HOSTILE[::3]:
        said = quote(text, safe="")
        for path in (
            f"/{said}",
            f"/stories/{said}",
            f"/tags/{said}",
            f"/authors/{said}",
            f"/updates/{said}",
            f"/search?q={said}",
            f"/?before={said}",
            f"/oembed?url={said}",
        ):
            await page.goto(watched.url + path)
            await watched.judge(page)


async def test_an_embed_runs_nothing_on_pages_of_others(watched: Watched) -> None:
    """The component and the fragment of a story, on a page without any policy of its own."""
    watched.publish(*(hostile(number, text) for number, text in enumerate(HOSTILE)))
    page = await watched.page()
    await page.route(
        f"{watched.url}/elsewhere",
        lambda route: route.fulfill(
            content_type="text/html",
            body=f"<!doctype html><script async src='{watched.url}/embed.js' data-story='hostile' data-limit='100'></script>"
            "<div id=here></div><script>fetch('/embed/stories/hostile.html').then(a => a.text()).then(t => here.innerHTML = t)</script>",
        ),
    )
    await page.goto(f"{watched.url}/elsewhere")
    await expect(page.locator("slugline-story li").first).to_be_attached()
    await expect(page.locator("#here")).not_to_be_empty()
    await watched.judge(page)
    watched.publish(*(hostile(number, text, 2) for number, text in enumerate(HOSTILE)))
    await expect(page.locator("slugline-story li").first).to_be_attached()
    await watched.judge(page)
    contents = [each["content_html"] for each in (await watched.replica.get("/feeds/news.json")).json()["items"]]
    for path in ("/feeds/news.rss", "/feeds/news.atom"):
        # As a careless reader of feeds shows it: neither cleaned nor under a policy.
        parsed = feedparser.parse((await watched.replica.get(path)).content, sanitize_html=False)
        contents += [each["content"][0]["value"] for each in parsed.entries if "content" in each]
        # The description of RSS is HTML; of Atom's summary its type says that it is text (RFC 4287, 3.1.1).
        contents += [
            html.escape(each["summary"]) if path.endswith("atom") else each["summary"]
            for each in parsed.entries
            if "summary" in each
        ]
    assert len(contents) >= 3 * len(HOSTILE)
    for content in contents:
        await page.evaluate("words => { here.innerHTML = words }", content)
    await watched.judge(page)
    # What runs is seen.
    await page.evaluate("words => { here.innerHTML = words }", HOSTILE[1] + HOSTILE[2])
    await expect(page.locator("#here img").first).to_be_attached()
    await page.wait_for_function("() => window.ran === 1")
    assert any("canary.example" in each for each in watched.happened)
