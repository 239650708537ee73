"""What a story is called and said of, on its page, in feeds and to search engines; cards of stories; frames of embeds."""

import json
from datetime import timedelta
from typing import Any

import pytest
from lxml import etree, html

from shared.messages import EnrichedUpdate, Flags, StoryProfile
from support.revisions import NOON, revision
from support.web_replica import Make, Replica

SAID = StoryProfile(
    edition=1, name="The flood", standfirst="Water <rises>.", summary=("Gates are shut.", "Trains stop.")
)


def tree(response: Any) -> Any:
    """The parsed page."""
    return html.document_fromstring(response.content)


def linked(page: Any, kind: str) -> dict[str, Any]:
    """The structured data of a kind."""
    every = [json.loads(each.text_content()) for each in page.xpath('//script[@type="application/ld+json"]')]
    return next(dict(each) for each in every if each["@type"] == kind)


def of_story(guid: str, number: int = 1, minute: int = 0, **fields: Any) -> EnrichedUpdate:
    """An update of the flood."""
    given = {"story": "flood", "story_label": "flood", "first_published_at": NOON + timedelta(minutes=minute)}
    return revision(guid, number, **given | fields)


async def test_a_story_is_what_editors_say_of_it(replica: Replica) -> None:
    """In heading, title, Open Graph, structured data and feeds; never a headline, never an id."""
    replica.take(of_story("a"), of_story("b", minute=5, story_profile=SAID, flags=Flags(key_event=True)))
    page = tree(await replica.get("/stories/flood"))
    assert [each.text_content() for each in page.xpath("//h1")] == ["The flood"]
    assert page.findtext(".//title") == "The flood · Slugline"
    assert page.xpath('//meta[@property="og:title"]/@content') == ["The flood"]
    assert page.xpath('//meta[@property="og:description"]/@content') == ["Water <rises>."]
    assert page.xpath('//section[@class="summary"]//li/text()') == ["Gates are shut.", "Trains stop."]
    assert page.xpath('//section[@class="key-events"]//li/a/text()') == ["b 1"]
    blog = linked(page, "LiveBlogPosting")
    assert (blog["headline"], blog["description"]) == ("The flood", "Water <rises>.")
    assert [each["name"] for each in linked(page, "BreadcrumbList")["itemListElement"]] == [
        "Slugline",
        "Stories",
        "The flood",
    ]
    atom = etree.fromstring((await replica.get("/feeds/story/flood.atom")).content)
    assert [atom.findtext(f"{{*}}{name}") for name in ("title", "subtitle")] == ["The flood", "Water <rises>."]
    feed = (await replica.get("/feeds/story/flood.json")).json()
    assert (feed["title"], feed["description"]) == ("The flood", "Water <rises>.")


@pytest.mark.parametrize("path", ["/stories/flood", "/stories/flood?before=1-8"])
async def test_coverage_began_when_it_began(replica: Replica, path: str) -> None:
    """On every page of the story, however many updates later, and after the first one was killed."""
    replica.take(*(of_story(f"u{n}", minute=n) for n in range(30)), of_story("u0", 2, removal="killed"))
    blog = linked(tree(await replica.get(path)), "LiveBlogPosting")
    assert blog["coverageStartTime"] == "2026-01-01T12:00:00+00:00"


async def test_the_newest_edition_counts_whichever_update_brought_it(replica: Replica) -> None:
    """An older edition that comes with a later revision takes nothing back, and a kill of the carrier neither."""
    newer = StoryProfile(edition=2, name="The great flood")
    replica.take(
        of_story("a"), of_story("b"), of_story("a", 2, story_profile=newer), of_story("b", 2, story_profile=SAID)
    )
    assert tree(await replica.get("/stories/flood")).findtext(".//h1") == "The great flood"
    replica.take(of_story("a", 3, removal="killed"))
    assert tree(await replica.get("/stories/flood")).findtext(".//h1") == "The great flood"
    assert "SAID" not in (await replica.get("/v1/updates")).text


async def test_what_memory_lacks_of_a_story_the_archive_has(make_replica: Make) -> None:
    """A replica that holds only the newest updates asks once when coverage began; without the archive it says what it knows."""
    replica = make_replica(limit=100)
    replica.take(*(of_story(f"u{n}", minute=n, story_profile=SAID) for n in range(3)))
    replica.take(*(revision(f"other{n}") for n in range(150)), of_story("late", minute=900))
    page = tree(await replica.get("/stories/flood"))
    assert page.findtext(".//h1") == "The flood"
    assert linked(page, "LiveBlogPosting")["coverageStartTime"] == "2026-01-01T12:00:00+00:00"


async def test_the_front_page_has_cards_of_the_stories_that_go_on(replica: Replica) -> None:
    """Four at the most, that with the newest update first, each with its newest lines; one that is over has none."""
    for n in range(6):
        replica.take(*(revision(f"s{n}-{k}", story=f"s{n}", story_label=f"Story {n}") for k in range(4)))
    replica.take(revision("end", story="s5", story_label="Story 5", flags=Flags(closed=True)))
    page = tree(await replica.get("/"))
    cards = page.xpath('//ol[@id="card-row"]/li')
    assert [each.findtext("h3/a") for each in cards] == [f"Story {n}" for n in (4, 3, 2, 1)]
    assert cards[0].xpath(".//ol/li/a/text()") == ["s4-3 1", "s4-2 1", "s4-1 1"]


async def test_an_update_s_page_has_its_story_around_it(replica: Replica) -> None:
    """What came before and after it, and the story's newest; all of it follows though the update itself does not change."""
    replica.take(*(of_story(f"u{n}", story_profile=SAID) for n in range(2)))
    path = of_story("u1").path
    page = tree(await replica.get(path))
    assert page.xpath('//nav[@class="neighbours"]/a/@rel') == ["prev"]
    assert page.xpath('//nav[@class="crumbs"]//a//text()') == ["Slugline", "Stories", "The flood"]
    replica.take(of_story("u2"))
    page = tree(await replica.get(path))
    assert page.xpath('//nav[@class="neighbours"]/a/@rel') == ["prev", "next"]
    assert page.xpath('//ol[@class="card-lines"]/li/a/text()') == ["u2 1", "u1 1", "u0 1"]
    replica.take(of_story("u2", 2, removal="killed"))
    assert "u2 1" not in (await replica.get(path)).text


async def test_a_frame_loads_from_one_provider_and_goes_with_its_update(replica: Replica) -> None:
    """Pages frame this site alone; a frame page may load what its update embeds, and is gone once that is killed."""
    body = '<p>Watch.</p><p><a href="https://youtu.be/dQw4w9WgXcQ">The gates (YouTube)</a></p>'
    update = revision("a", body_html=body)
    replica.take(update)
    page = await replica.get(update.path)
    assert "frame-src 'self'" in page.headers["content-security-policy"]
    assert tree(page).xpath('//figure[@data-provider="YouTube"]//a/@href') == ["https://youtu.be/dQw4w9WgXcQ"]
    frame = await replica.get(f"/frames/{update.update_id}/0")
    assert "frame-src https://www.youtube-nocookie.com;" in frame.headers["content-security-policy"]
    assert tree(frame).xpath("//iframe/@src") == ["https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ"]
    assert (await replica.get(f"/frames/{update.update_id}/1")).status_code == 404
    replica.take(revision("a", 2, removal="killed"))
    assert (await replica.get(f"/frames/{update.update_id}/0")).status_code == 404
