"""The pages, as a browser gets them."""

import json
from datetime import timedelta
from typing import Any

import pytest
from lxml import etree, html

from publish.representation.position import Position
from publish.representation.reader_update import reader_update
from publish.web.page_parts.lead import lead_of
from shared.messages import Flags
from support.revisions import NOON, read, revision
from support.samples import full, picture
from support.web_replica import Make, Replica


def tree(response: Any) -> Any:
    """The parsed page."""
    return html.document_fromstring(response.content)


def linked(page: Any) -> dict[str, Any]:
    """The structured data of a page."""
    return dict(json.loads(page.xpath('//script[@type="application/ld+json"]')[0].text_content()))


async def test_the_page_shows_lead_and_feed_and_says_where_the_stream_goes_on(replica: Replica) -> None:
    """The News Feed has one lead, the other updates newest first, the cursor of its content, and a link to what is older."""
    replica.take(full(), *(revision(f"u{n}") for n in range(25)))
    page = tree(await replica.get("/"))
    body = page.find("body")
    assert (body.get("data-cursor"), body.get("data-channel")) == ("1-25", "news")
    assert [each.text_content() for each in page.xpath("//h1")] == ["Slugline"]
    assert [each.text_content() for each in page.xpath('//div[@id="lead"]//h2')] == ["Tide gates closed"]
    headlines = [each.text_content() for each in page.xpath('//ol[@id="feed"]//h3')]
    assert headlines == [f"u{n} 1" for n in range(24, 4, -1)]
    more = page.xpath('//p[@id="more"]/a[@rel="next"]')[0].get("href")
    older = tree(await replica.get("/" + more))
    assert [each.text_content() for each in older.xpath('//ol[@id="feed"]//h3')] == [
        *(f"u{n} 1" for n in range(4, -1, -1)),
        "Tide gates closed",
    ]
    assert not older.xpath('//a[@rel="next"]')


async def test_the_lead_is_what_an_editor_pinned_else_what_matters_most() -> None:
    """Pinned before key event, key event before picture, picture before urgency, urgency before newness."""
    from publish.web.feed_store import FeedEntry  # noqa: PLC0415

    def entry(n: int, **fields: Any) -> FeedEntry:
        return FeedEntry(read(revision(f"u{n}", **fields), n))

    plain, urgent, shown = entry(5), entry(4, urgency=1), entry(3, media=(picture(),))
    key, pinned = entry(2, flags=Flags(key_event=True)), entry(1, flags=Flags(pinned=True))
    everything = [plain, urgent, shown, key, pinned]
    for expected in (pinned, key, shown, urgent, plain):
        assert lead_of(everything) is expected
        everything.remove(expected)
    assert lead_of([]) is None


async def test_a_correction_says_when_what_and_why(replica: Replica) -> None:
    """Once the words changed, item and own page tell the time of it, the reason, and the words that changed."""
    replica.take(full(), full(number=2), revision("lead", flags=Flags(pinned=True)))
    for path in ("/", f"/updates/{full().update_id}/tide-gates-closed"):
        page = tree(await replica.get(path))
        assert "(Updated: 12:02 UTC)" in page.xpath('//span[@class="updated"]')[0].text_content()
        assert page.xpath('//p[@class="reason"]')[0].text_content() == "The hour was wrong."
        assert [(each.tag, each.text) for each in page.xpath('//details//p[@class="diff"]')[0]] == [
            ("del", "five"),
            ("ins", "six"),
        ]


async def test_a_killed_update_is_nowhere_at_once(replica: Replica) -> None:
    """After a kill the very next request finds no word of it on any page; its own page is 410 and says so."""
    paths = ["/", "/stories", "/stories/harbour-flood", "/tags/medtop:20000150", "/authors/ana-ferreira", "/v1/updates"]
    replica.take(revision("other", story="harbour-flood", tags=("medtop:20000150",)), full())
    own = f"/updates/{full().update_id}/tide-gates-closed"
    for path in (*paths, own):
        assert "Tide gates closed" in (await replica.get(path)).text, path
    replica.take(
        full(number=2, kind="kill", removal="killed", headline="", body_html="", text="", authors=(), media=())
    )
    for path in paths:
        assert "Tide gates" not in (await replica.get(path)).text, path
    gone = await replica.get(own)
    assert gone.status_code == 410
    assert "This update has been withdrawn." in gone.text
    assert "Tide gates" not in gone.text
    answer = await replica.get(f"/v1/updates/{full().update_id}", accept="application/json")
    assert (answer.status_code, answer.json()["code"]) == (410, "gone")


async def test_the_own_page_has_one_address(replica: Replica) -> None:
    """A wrong or missing slug redirects for good to the right one; what never was is 404."""
    replica.take(full())
    update_id = full().update_id
    for path in (f"/updates/{update_id}", f"/updates/{update_id}/wrong"):
        answer = await replica.get(path)
        assert (answer.status_code, answer.headers["location"]) == (301, f"/updates/{update_id}/tide-gates-closed")
    for path in (
        "/updates/" + "a" * 26,
        "/updates/nonsense/x",
        "/tags/none",
        "/stories/none",
        "/authors/none",
        "/none",
    ):
        answer = await replica.get(path)
        assert answer.status_code == 404, path
        assert "<h1" in answer.text


async def test_a_page_runs_and_loads_nothing_but_its_own(replica: Replica) -> None:
    """The policy allows no inline script or style, the page has none, and everything it loads is its own."""
    replica.take(full())
    for path in ("/", f"/updates/{full().update_id}/tide-gates-closed", "/nowhere"):
        answer = await replica.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        page = tree(answer)
        assert not page.xpath("//*[@style] | //style | //@*[starts-with(name(), 'on')]")
        for script in page.xpath("//script"):
            assert script.get("type") in ("application/ld+json", "application/json") or script.get("src").startswith(
                "/static/"
            )
        for address in page.xpath("//img/@src | //link[@rel='stylesheet']/@href"):
            assert address.startswith(("/", "data:image/"))


async def test_a_picture_takes_its_room_before_it_is_there(replica: Replica) -> None:
    """Every picture has width, height, sizes and alternatives; one that is being fetched has its frame already."""
    replica.take(full(), revision("coming", media_pending=True))
    page = tree(await replica.get("/"))
    lead = page.xpath('//div[@id="lead"]//picture')[0]
    assert [source.get("type") for source in lead.xpath(".//source")] == ["image/avif", "image/webp"]
    shown = lead.xpath(".//img")[0]
    assert (shown.get("width"), shown.get("height")) == ("960", "640")
    assert shown.get("srcset") == "/media/ab/abc-320.jpg 320w, /media/ab/abc-960.jpg 960w"
    assert "The quay at dawn." in page.xpath('//div[@id="lead"]//figcaption')[0].text_content()
    assert page.xpath('//ol[@id="feed"]//figure[contains(@class, "picture-awaited")]/div[contains(@class, "frame")]')


async def test_structured_data_says_what_the_page_says(replica: Replica) -> None:
    """A feed is a LiveBlogPosting of its updates, each with dates and authors; it has an end only once the story is closed."""
    replica.take(full(), full("second", 2, slug="second"))
    data = linked(tree(await replica.get("/stories/harbour-flood")))
    assert data["@type"] == "LiveBlogPosting"
    assert "coverageEndTime" not in data
    assert len(data["liveBlogUpdate"]) == 2
    for posting in data["liveBlogUpdate"]:
        assert posting["headline"]
        assert posting["datePublished"].endswith("+00:00")
        assert posting["author"][0] == {
            "@type": "Person",
            "name": "Ana Ferreira",
            "url": "https://news.example/authors/ana-ferreira",
            "jobTitle": "Correspondent",
        }
    closing = full("last", flags=Flags(closed=True), version_created=NOON + timedelta(hours=3))
    replica.take(closing)
    assert linked(tree(await replica.get("/stories/harbour-flood")))["coverageEndTime"] == "2026-01-01T15:00:00+00:00"
    own = linked(tree(await replica.get(f"/updates/{closing.update_id}/tide-gates-closed")))
    assert (own["@type"], own["headline"]) == ("NewsArticle", "Tide gates closed")


async def test_words_keep_their_language_and_direction(replica: Replica) -> None:
    """An update in another language is marked with it, and one whose language is none is marked unknown."""
    replica.take(
        revision("ar", language="ar", direction="rtl"), revision("bad", language='x" onload="', direction="ltr")
    )
    page = tree(await replica.get("/"))
    marks = {(each.get("lang"), each.get("dir")) for each in page.xpath("//main//*[@lang]")}
    assert marks == {("ar", "rtl"), ("", "ltr")}


async def test_an_author_has_a_page(replica: Replica) -> None:
    """Name, role, bio, picture and the author's own pages elsewhere, and nothing that a link could run."""
    replica.take(full())
    page = tree(await replica.get("/authors/ana-ferreira"))
    assert [each.text_content() for each in page.xpath("//h1")] == ["Ana Ferreira"]
    assert page.xpath('//ul[@class="author-links"]//a/@href') == ["https://ana.example/", "https://social.example/@ana"]
    assert page.xpath('//img[contains(@class, "avatar-large")]/@src') == ["/media/an/ana.jpg"]
    card = tree(await replica.get("/")).xpath('//div[@class="author"]')[0]
    assert card.xpath('.//p[@class="author-more"]/a/@href') == ["/authors/ana-ferreira"]


async def test_times_are_told_in_the_newsroom_s_zone(make_replica: Make) -> None:
    """Readers see the time of the zone that is set, and machines see its offset, over the change to summer time too."""
    replica = make_replica(publish_time_zone="Europe/Lisbon")
    replica.take(
        revision("winter", first_published_at=NOON), revision("summer", first_published_at=NOON + timedelta(days=180))
    )
    page = tree(await replica.get("/"))
    times = {(each.get("datetime"), each.text_content()) for each in page.xpath('//ol[@id="feed"]//time')}
    assert times == {("2026-01-01T12:00:00+00:00", "12:00 WET"), ("2026-01-01", "Thursday, 1 January 2026")}
    lead = page.xpath('//div[@id="lead"]//time')[0]
    assert (lead.get("datetime"), lead.text_content()) == ("2026-06-30T13:00:00+01:00", "30 June 2026, 13:00 WEST")


async def test_what_is_older_than_memory_comes_from_the_archive(make_replica: Make) -> None:
    """Pages go on beyond what a replica holds, with memory's word on what was killed meanwhile; without the archive, what
    memory holds is shown."""
    replica = make_replica(limit=100)
    replica.take(*(revision(f"u{n}") for n in range(130)))
    replica.feed_store.apply(reader_update(revision("u3", 2, removal="killed"), cursor=Position(1, 200)))
    page = tree(await replica.get("/?before=1-40"))
    headlines = [each.text_content() for each in page.xpath('//ol[@id="feed"]//h3')]
    assert headlines == [f"u{n} 1" for n in range(39, 19, -1)]
    page = tree(await replica.get("/?before=1-10"))
    assert [each.text_content() for each in page.xpath('//ol[@id="feed"]//h3')] == [
        f"u{n} 1" for n in range(9, -1, -1) if n != 3
    ]
    replica.archive.away = True
    assert (await replica.get("/")).status_code == 200
    away = await replica.get("/?before=1-10")
    assert (away.status_code, away.headers["retry-after"]) == (503, "2")


async def test_an_author_s_picture_of_elsewhere_is_shown_only_where_that_is_allowed(make_replica: Make) -> None:
    """A picture from another origin needs the operator's word, since it tells that origin who reads."""
    from shared.messages import Author  # noqa: PLC0415

    author = Author(name="Zoë", slug="zoe", avatar_url="https://faces.example/zoe.jpg?s=64")
    plain, allowing = make_replica(), make_replica(publish_web_image_origins="https://faces.example")
    for replica, expected in ((plain, []), (allowing, ["https://faces.example/zoe.jpg?s=64"])):
        replica.take(revision("a", authors=(author,)))
        answer = await replica.get("/")
        assert tree(answer).xpath('//img[@class="avatar"]/@src') == expected
        assert ("https://faces.example" in answer.headers["content-security-policy"]) == bool(expected)


@pytest.mark.parametrize("query", ["before=x", "before=1", "before=-1-1", "before=1-1%00"])
async def test_a_cursor_that_is_none_is_a_clear_error(replica: Replica, query: str) -> None:
    """A page asked for with a broken cursor says what is wrong, as a page to readers and as a problem to programs."""
    replica.take(full())
    shown = await replica.get(f"/?{query}")
    assert shown.status_code == 400
    assert "cursor" in shown.text
    told = await replica.get(f"/v1/updates?{query}", accept="application/json")
    assert (told.status_code, told.json()["field"]) == (400, "before")


async def test_each_day_of_a_feed_begins_with_its_date(replica: Replica) -> None:
    """So that a clock's time is never that of another day; what was changed on a later day says which."""
    later = NOON + timedelta(days=2, hours=1)
    replica.take(
        revision("old", first_published_at=NOON, updated_at=later),
        revision("same day", first_published_at=NOON + timedelta(hours=1), updated_at=NOON + timedelta(hours=2)),
        revision("new", first_published_at=later),
        revision("newest", first_published_at=later),
    )
    page = tree(await replica.get("/"))
    days = [each.get("data-day") or each.xpath(".//h3")[0].text_content() for each in page.xpath('//ol[@id="feed"]/li')]
    assert days == ["2026-01-03", "new 1", "2026-01-01", "same day 1", "old 1"]
    updated = [" ".join(each.text_content().split()) for each in page.xpath('//ol[@id="feed"]//*[@class="updated"]')]
    assert updated == ["(Updated: 14:00 UTC)", "(Updated: 3 January 2026, 13:00 UTC)"]


async def test_an_update_without_a_headline_says_its_text_once(replica: Replica) -> None:
    """On a page of many, on its own, in RSS and JSON Feed; where something has to be a title, it is the text's beginning."""
    text = "Police closed the harbour bridge. Buses go round."
    bare = {"headline": "", "body_html": f"<p>{text}</p>", "text": text, "excerpt": text, "word_count": 8, "slug": "u"}
    replica.take(revision("bare", **bare), revision("lead", flags=Flags(pinned=True)))
    item = tree(await replica.get("/")).xpath('//ol[@id="feed"]/li[@data-id]')[0]
    assert item.text_content().count("Police closed") == 1
    own = tree(await replica.get(f"/updates/{revision('bare').update_id}/u"))
    assert own.xpath("//h1[contains(@class, 'unseen')]")[0].text_content() == text
    assert len(own.xpath("//title[contains(., 'Police closed')]")) == 1
    rss = etree.fromstring((await replica.get("/feeds/news.rss")).content)
    assert [each.findtext("title") for each in rss.iter("item")] == ["lead 1", None]
    listed = (await replica.get("/feeds/news.json")).json()["items"]
    assert [each.get("title") for each in listed] == ["lead 1", None]


async def test_a_long_lead_gives_way_to_the_feed(replica: Replica) -> None:
    """It shows how it begins and leads to the rest, which its own page has; a link leads past it."""
    text = "The gates closed at six. " + "Nobody knows why. " * 200
    replica.take(
        revision("long", body_html=f"<p>{text}</p>", text=text, excerpt="The gates closed at six.", word_count=605)
    )
    front = tree(await replica.get("/"))
    (lead,) = front.xpath('//div[@id="lead"]')
    assert "The gates closed at six." in lead.text_content()
    assert "Nobody knows why" not in lead.text_content()
    (more,) = lead.xpath('.//p[@class="continue"]/a')
    assert "Nobody knows why" in tree(await replica.get(more.get("href"))).xpath("//article")[0].text_content()
    assert front.xpath('//a[@href="#live-heading"]')


async def test_a_pin_of_a_story_opens_the_story_only(replica: Replica) -> None:
    """The front page opens with what is pinned for everybody, or with what matters most."""
    replica.take(
        revision("pinned", story="flood", flags=Flags(pinned=True)), revision("news", urgency=1), revision("other")
    )
    assert tree(await replica.get("/")).xpath('//div[@id="lead"]//h2')[0].text_content() == "news 1"
    assert tree(await replica.get("/stories/flood")).xpath('//div[@id="lead"]//h2')[0].text_content() == "pinned 1"
    replica.take(revision("for all", flags=Flags(pinned=True)), revision("newer", urgency=1))
    assert tree(await replica.get("/")).xpath('//div[@id="lead"]//h2')[0].text_content() == "for all 1"
