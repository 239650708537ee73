"""Naughty strings through every field of every channel: unharmed, and harmless."""

import json
from pathlib import Path
from typing import Any

import feedparser
import pytest
from html5lib import HTMLParser
from lxml import etree

from browser.checkers import checked, strictly_parsed
from publish.representation.position import Position
from publish.representation.reader_update import reader_update
from publish.representation.words import printable
from publish.web.renderer import stream_event
from shared.messages import Author, Change, Corroboration, EnrichedUpdate, Tag
from support.places import conformance, skip_or_fail
from support.revisions import NOON
from support.samples import full, picture
from support.web_replica import Make, Replica

pytestmark = pytest.mark.conformance
MORE = [
    "\u0000nul\u0000",
    "\ud800 lone",
    "]]>",
    "</script><script>alert(1)</script>",
    "\u2028\u2029",
    "{{7*7}}",
    "\ufffe\uffff",
]


def strings() -> list[str]:
    """The collection, and some of our own trade."""
    return [*json.loads(conformance("naughty-strings/blns.json").read_text()), *MORE]


def hostile(number: int, text: str) -> EnrichedUpdate:
    """An update with a string in every field that a source or an editor fills; its own number keeps it apart."""
    encodable = text.encode("utf-8", "replace").decode()
    return full(
        f"naughty-{number}",
        2,
        headline=f"{number}:{encodable}",
        text=encodable,
        body_html=encodable,
        summary=encodable,
        excerpt=encodable,
        byline=encodable,
        credit=encodable,
        copyright=encodable,
        located=encodable,
        editors_note=encodable,
        link=encodable,
        language=encodable,
        source=encodable or "wire",
        story=encodable.strip() or None,
        story_label=encodable,
        slug=f"naughty-{number}",
        authors=(
            Author(
                name=encodable,
                slug=encodable or None,
                role=encodable,
                bio=encodable,
                avatar_url=encodable,
                url=encodable,
                links=(encodable,),
            ),
        ),
        tags=(Tag(code=encodable or "x", label=encodable, uri=encodable),),
        media=(picture(caption=encodable, credit=encodable, alt_text=encodable, placeholder=encodable),),
        change=Change(reason=encodable, diff=(("-", encodable), ("+", encodable))),
        corroboration=Corroboration(count=2, because=encodable),
        updated_at=NOON,
    )


def scripts_of(tree: Any) -> list[Any]:
    """What a browser would run or load of a page."""
    return [
        each for each in tree.iter("script") if each.get("type") not in ("application/ld+json", "application/json") or each.get("src")
    ]  # fmt: skip


@pytest.fixture
def naughty(make_replica: Make) -> Replica:
    """A replica of nothing else."""
    replica = make_replica(publish_web_page_size=100, publish_websub_hub="https://hub.example/?a=1&b=2")
    replica.take(*(hostile(number, text) for number, text in enumerate(strings())))
    return replica


async def test_the_api_and_the_stream_carry_them_unharmed(naughty: Replica) -> None:
    """JSON gives back exactly the string that came in, from pages, from one update, and from an event."""
    for number, text in enumerate(strings()):
        update = hostile(number, text)
        got = (await naughty.get(f"/v1/updates/{update.update_id}", accept="*/*")).json()
        for name in ("headline", "text", "byline", "summary", "credit"):
            assert got[name] == getattr(update, name)
        cursor = Position(1, 10_000 + number)
        applied = naughty.feed_store.apply(reader_update(update.model_copy(update={"revision": 3}), cursor=cursor))
        assert applied is not None
        for view in ("json", "page"):
            data = stream_event(naughty.answers.renderer, applied).views[view]
            assert b"\n" not in data
            assert json.loads(data)["headline"] == update.headline


async def test_pages_show_them_as_text_and_run_none(naughty: Replica, tmp_path: Path) -> None:
    """Each headline is on its page as it was written, nothing becomes an element, and the pages are valid HTML."""
    pages: dict[str, bytes] = {}
    before = ""
    for number in range(10):
        pages[f"news-{number}"] = body = (await naughty.get(f"/{before}")).content
        tree = HTMLParser(namespaceHTMLElements=False).parse(body, transport_encoding="utf-8")
        link = next((each for each in tree.iter("a") if each.get("rel") == "next"), None)
        if link is None:
            break
        before = link.get("href")
    headlines: set[str] = set()
    for name, body in pages.items():
        strictly_parsed(name, body)
        tree = HTMLParser(namespaceHTMLElements=False).parse(body, transport_encoding="utf-8")
        assert all(script.get("src", "").startswith("/static/") and not script.text for script in scripts_of(tree))
        headlines |= {
            "".join(each.itertext()) for each in tree.iter("h3") if "item-headline" in (each.get("class") or "")
        } | {"".join(each.itertext()) for name in ("h1", "h2") for each in tree.iter(name)}
        for element in tree.iter():
            if isinstance(element.tag, str):
                assert not any(attribute.startswith("on") or attribute == "style" for attribute in element.attrib)
    wanted = {printable(hostile(number, text).headline).strip() for number, text in enumerate(strings())}
    short = {text for text in wanted if len(text) < 200}
    assert {text.replace("\r\n", "\n").replace("\r", "\n") for text in short} <= {each.strip() for each in headlines}
    for number, text in list(enumerate(strings()))[::12]:
        update = hostile(number, text)
        pages[f"own-{number}"] = (await naughty.get(f"/updates/{update.update_id}/naughty-{number}")).content
        strictly_parsed(f"own-{number}", pages[f"own-{number}"])
    found = checked(pages, tmp_path)
    if found is None:
        skip_or_fail("REQUIRE_BROWSER", "html5lib found nothing; the Nu HTML checker cannot be had here")
    assert found == []


async def test_the_pages_they_name_answer(naughty: Replica) -> None:
    """A story, a tag or an author with a naughty name has its page or is not found, and no name is an error of ours."""
    from publish.representation.site import author_path, story_path, tag_path  # noqa: PLC0415

    for number, text in enumerate(strings()):
        update = hostile(number, text)
        paths = [
            tag_path(update.tags[0].code),
            author_path(update.authors[0].slug or "x"),
            story_path(update.story or "x"),
        ]
        for path in paths:
            answer = await naughty.get(path)
            assert answer.status_code in (200, 301, 307, 404), (path, answer.status_code)
            if answer.status_code in (200, 404):
                strictly_parsed(path, answer.content)


async def test_feeds_are_well_formed_with_all_of_them(make_replica: Make) -> None:
    """RSS, Atom, JSON Feed and the sitemap parse, whatever the string, and the title comes back as it was."""
    texts = strings()
    for start in range(0, len(texts), 50):
        replica = make_replica(publish_websub_hub="https://hub.example/?a=1&b=2")
        replica.take(*(hostile(number, text) for number, text in list(enumerate(texts))[start : start + 50]))
        expected = [
            printable(hostile(number, text).headline).strip().replace("\r", "\n")[:199].strip()
            for number, text in list(enumerate(texts))[start : start + 50]
        ][::-1]
        atom = etree.fromstring((await replica.get("/feeds/news.atom")).content)
        titles = [each.text or "" for each in atom.iterfind("{*}entry/{*}title")]
        assert [title[:199].rstrip("…").strip() for title in titles] == expected
        assert not feedparser.parse((await replica.get("/feeds/news.atom")).content).bozo
        rss = etree.fromstring((await replica.get("/feeds/news.rss")).content)
        assert len(rss.findall("channel/item")) == len(expected)
        assert len((await replica.get("/feeds/news.json")).json()["items"]) == len(expected)
        sitemap = etree.fromstring((await replica.get("/sitemap-news.xml")).content)
        assert sitemap.tag.endswith("urlset")
        for update_id in list(replica.feed_store._entries):
            assert (await replica.get(f"/v1/updates/{update_id}.ninjs")).json()["pubStatus"] == "usable"
