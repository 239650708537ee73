"""Feeds out."""

import json
from datetime import UTC, datetime, timedelta

import feedparser
import pytest
from jsonschema import Draft7Validator
from lxml import etree
from referencing import Registry
from referencing.jsonschema import DRAFT4

from publish.web.routes.sitemaps import sitemap
from support.places import conformance
from support.revisions import NOON, revision
from support.samples import full
from support.web_replica import Make, Replica

ATOM = "{http://www.w3.org/2005/Atom}"
FORMS = ("rss", "atom", "json")


@pytest.mark.parametrize("form", FORMS)
async def test_a_correction_moves_updated_and_keeps_the_id(replica: Replica, form: str) -> None:
    """A feed reader sees the same entry with a later time, not a new one; a kill takes it out."""
    replica.take(revision("other"), full())
    first = (await replica.get(f"/feeds/news.{form}")).text
    replica.take(full(number=2, headline="Tide gates closed at six"))
    second = (await replica.get(f"/feeds/news.{form}")).text
    entries = []
    for text in (first, second):
        if form == "json":
            item = json.loads(text)["items"][0]
            entries.append((item["id"], item["date_published"], item["date_modified"], item["title"]))
        else:
            feed = feedparser.parse(text)
            assert not feed.bozo
            entry = feed.entries[0]
            entries.append((entry.id, entry.published_parsed, entry.updated_parsed, entry.title))
    before, after = entries
    assert before[:2] == after[:2]
    assert after[2] > before[2]
    assert after[3] == "Tide gates closed at six"
    replica.take(
        full(number=3, kind="kill", removal="killed", headline="", body_html="", text="", media=(), authors=())
    )
    assert "Tide" not in (await replica.get(f"/feeds/news.{form}")).text


async def test_feeds_name_themselves_their_page_and_their_hub(make_replica: Make) -> None:
    """Self, alternate and, where there is one, the WebSub hub, in the feed and in the Link header."""
    for hub in ("", "https://news.example/websub"):
        replica = make_replica(publish_websub_hub=hub)
        replica.take(full())
        for address, title, page in (
            ("/feeds/news", "Slugline", "/"),
            ("/feeds/story/harbour-flood", "Harbour flood", "/stories/harbour-flood"),
            ("/feeds/tag/medtop:20000150", "Flood", "/tags/medtop:20000150"),
            ("/feeds/author/ana-ferreira", "Ana Ferreira", "/authors/ana-ferreira"),
        ):
            for form in ("rss", "atom"):
                answer = await replica.get(f"{address}.{form}")
                feed = feedparser.parse(answer.text)
                links = {(link.rel, link.href) for link in feed.feed.links}
                assert feed.feed.title == title
                assert ("self", f"https://news.example{address}.{form}") in links
                assert ("alternate", f"https://news.example{page}") in links
                assert (("hub", hub) in links) == bool(hub)
                assert (f'<{hub}>; rel="hub"' in answer.headers["link"]) == bool(hub)
    assert (await replica.get("/feeds/tag/none.rss")).status_code == 404
    assert (await replica.get("/feeds/news.xml")).status_code == 404
    assert (await replica.get("/feeds/source/wire.rss")).status_code == 404


@pytest.mark.conformance
async def test_json_feed_validates(make_replica: Make) -> None:
    """Empty, with everything and with nothing, the JSON Feed fits its schema."""
    schema = json.loads(conformance("jsonfeed-schema/feed.json").read_text())
    first = json.loads(conformance("jsonfeed-schema/feed-1.json").read_text())
    known = Registry().with_resource("https://json.schemastore.org/feed-1", DRAFT4.create_resource(first))
    replica = make_replica(publish_websub_hub="https://hub.example/")
    for updates in ((), (full(), revision("bare"))):
        replica.take(*updates)
        Draft7Validator(schema, registry=known).validate((await replica.get("/feeds/news.json")).json())


async def test_an_empty_feed_is_a_feed(replica: Replica) -> None:
    """A newsroom that has published nothing has valid feeds without entries."""
    for form in ("rss", "atom"):
        feed = feedparser.parse((await replica.get(f"/feeds/news.{form}")).text)
        assert not feed.bozo
        assert feed.entries == []


def test_the_news_sitemap_has_two_days_and_a_thousand(make_replica: Make) -> None:
    """What is older than two days is not in it, and never more than a thousand."""
    replica = make_replica(limit=2000)
    now = datetime(2026, 1, 10, tzinfo=UTC)
    replica.take(revision("old", first_published_at=now - timedelta(days=2, seconds=1)))
    replica.take(revision("fresh", first_published_at=now - timedelta(days=2, seconds=-1)))
    root = etree.fromstring(sitemap(replica.answers, now))
    assert [each.text for each in root.iter("{*}title")] == ["fresh 1"]
    replica.take(*(revision(f"u{n}", first_published_at=now) for n in range(1100)))
    assert len(list(etree.fromstring(sitemap(replica.answers, now)).iter("{*}url"))) == 1000


async def test_bodies_are_safe_html_and_text_stays_text(replica: Replica) -> None:
    """Markup in a headline is text to a feed reader; a script in a body that slipped through upstream is not passed on."""
    hostile = full(
        headline="<b>1</b> & <script>alert(1)</script>",
        summary="<img src=x onerror=alert(1)>",
        body_html="<p>ok</p><script>alert(1)</script><img src=x onerror=alert(1)>",
        first_published_at=NOON,
    )
    replica.take(hostile)
    atom = etree.fromstring((await replica.get("/feeds/news.atom")).content)
    entry = atom.find(f"{ATOM}entry")
    assert entry is not None
    assert entry.findtext(f"{ATOM}title") == "<b>1</b> & <script>alert(1)</script>"
    content = entry.findtext(f"{ATOM}content") or ""
    assert "<p>ok</p>" in content
    assert "script" not in content
    assert "onerror" not in content
    rss = etree.fromstring((await replica.get("/feeds/news.rss")).content)
    assert rss.findtext("channel/item/description") == "&lt;img src=x onerror=alert(1)&gt;"


@pytest.mark.parametrize("form", FORMS)
async def test_what_stands_before_the_words_is_html_too(replica: Replica, form: str) -> None:
    """Pictures, blocks and a desk's note are shown by a feed reader, not written out."""
    replica.take(full(editors_note="Corrects the name of the quay."))
    text = (await replica.get(f"/feeds/news.{form}")).text
    if form == "json":
        content = json.loads(text)["items"][0]["content_html"]
    else:
        content = feedparser.parse(text, sanitize_html=False).entries[0].content[0].value
    assert content.count("<figure") >= 1
    assert "<p><em>Corrects the name of the quay.</em></p>" in content
    assert "&lt;figure" not in content
    assert "&lt;em&gt;" not in content
