"""Feeds as they are: captions, shared ids, relative addresses, lazy pictures, players, broken bytes."""

import json

import pytest

from conformance.documents import read_document
from shared.messages import RawUpdate

HEAD = (
    '<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>N</title>'
    "<link>https://n.example/desk/</link><description>d</description>{}</channel></rss>"
)


def rss(items: str) -> tuple[RawUpdate, ...]:
    """The updates of a feed."""
    return read_document(HEAD.format(items)).updates


def test_a_caption_is_no_article() -> None:
    """Wherever the picture stands, and under another prefix."""
    described, picture = (
        "<description>The vote was twelve to three.</description>",
        "<media:content url='https://p.example/a.jpg' medium='image'><media:description>The town hall.</media:description></media:content>",
    )
    for parts in (described + picture, picture + described):
        update = rss(f"<item><guid>g</guid><title>Council votes</title>{parts}</item>")[0]
        assert (update.body_html, update.summary, update.media[0].caption) == (
            "<p>The vote was twelve to three.</p>",
            "",
            "The town hall.",
        )
    other = HEAD.format(f"<item><guid>g</guid><title>Council votes</title>{picture}{described}</item>").replace(
        "media:", "m:"
    )
    assert read_document(other).updates[0].body_html == "<p>The vote was twelve to three.</p>"


def test_a_video_channel_has_its_words_in_media_rss() -> None:
    """And a player's program is no picture; the largest thumbnail is."""
    group = (
        "<media:group><media:title>Bridge opens</media:title><media:content url='https://v.example/v/1' type='application/x-shockwave-flash'/>"
        "<media:thumbnail url='https://v.example/s.png' width='66' height='49'/><media:thumbnail url='https://v.example/l.png' width='480' height='360'/>"
        "<media:description>The mayor cuts the ribbon.</media:description></media:group>"
    )
    update = rss(f"<item><guid>g</guid>{group}</item>")[0]
    assert (update.headline, update.body_html) == ("Bridge opens", "<p>The mayor cuts the ribbon.</p>")
    assert [one.url for one in update.media] == ["https://v.example/l.png"]


@pytest.mark.parametrize("shared", ["N/A", "https://n.example/all/", "0"])
def test_an_id_that_several_entries_share_identifies_none(shared: str) -> None:
    """Each is known by its own link, and told so."""
    items = "".join(
        f"<item><title>Story {n}</title><link>https://n.example/{n}</link><guid isPermaLink='false'>{shared}</guid><description>No {n}.</description></item>"
        for n in (1, 2)
    )
    updates = rss(items)
    assert [update.guid for update in updates] == ["https://n.example/1", "https://n.example/2"]
    assert all("identity-shared" in [repair.code for repair in update.repairs] for update in updates)


def test_relative_addresses() -> None:
    """Of the link against the channel's page, of the text against the link; in JSON Feed, too."""
    update = rss(
        "<item><guid isPermaLink='false'>g</guid><title>Crane moved</title><link>/news/crane</link><content:encoded><![CDATA[<p><a href='plan'>Plan</a> <img src='/a.png'></p>]]></content:encoded><enclosure url='/a.mp3' type='audio/mpeg'/></item>"
    )[0]
    assert (update.link, "https://n.example/news/plan" in update.body_html) == ("https://n.example/news/crane", True)
    assert [one.url for one in update.media] == ["https://n.example/a.mp3", "https://n.example/a.png"]
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "home_page_url": "https://j.example/",
        "items": [
            {
                "id": "1",
                "url": "/p/1",
                "image": "/i.jpg",
                "title": "Pier",
                "content_html": "<p><a href='pier'>The pier</a></p>",
            }
        ],
    }
    update = read_document(json.dumps(feed)).updates[0]
    assert (update.link, update.media[0].url, "https://j.example/p/pier" in update.body_html) == (
        "https://j.example/p/1",
        "https://j.example/i.jpg",
        True,
    )


def test_an_enclosure_is_neither_page_nor_identity() -> None:
    """Of an entry that names its page."""
    update = rss(
        "<item><title>Episode</title><enclosure url='https://c.example/1.mp3' type='audio/mpeg' length='1'/><link>https://n.example/e1</link><description>Talk.</description></item>"
    )[0]
    assert (update.guid, update.link) == ("https://n.example/e1", "https://n.example/e1")


@pytest.mark.parametrize(
    "image",
    [
        "<img src='data:image/gif;base64,R0' data-src='https://p.example/a.jpg'>", "<img src='/blank.gif' data-lazy-src='https://p.example/a.jpg'>",
        "<img srcset='https://p.example/s.jpg 480w, https://p.example/a.jpg 1200w'>", "<img src='data:x'><noscript><img src='https://p.example/a.jpg'></noscript>",
    ],
)  # fmt: skip
def test_lazy_pictures_are_found(image: str) -> None:
    """Instead of the blank one that stands for them."""
    update = rss(
        f"<item><guid>g</guid><title>A picture</title><content:encoded><![CDATA[<p>See.</p>{image}]]></content:encoded></item>"
    )[0]
    assert [one.url for one in update.media] == ["https://p.example/a.jpg"]


def test_a_broken_byte_costs_one_character() -> None:
    """The rest of the document is what it says to be."""
    body = (
        HEAD.format(
            "<item><guid>g</guid><title>Café Müller öffnet</title><description>Über die Brücke, täglich au\ufffd</description></item>"
        )
        .encode()
        .replace(b"\xef\xbf\xbd", b"\xc3")
    )
    update = read_document(body).updates[0]
    assert (update.headline, update.body_html) == ("Café Müller öffnet", "<p>Über die Brücke, täglich au\ufffd</p>")


@pytest.mark.parametrize("claim", ["koi8-r", "shift_jis", "gbk", "windows-1251", "iso-8859-1"])
def test_utf_8_under_another_name(claim: str) -> None:
    """Whatever the header says."""
    body = HEAD.format(
        "<item><guid>g</guid><title>Мост закрыт до полудня</title><description>Движение откроют.</description></item>"
    )
    assert (
        read_document(body.encode(), content_type=f"application/rss+xml; charset={claim}").updates[0].headline
        == "Мост закрыт до полудня"
    )
    assert (
        read_document(body.encode("windows-1251"), content_type="application/rss+xml; charset=windows-1251")
        .updates[0]
        .headline
        == "Мост закрыт до полудня"
    )


@pytest.mark.parametrize("name", ["title", "textarea"])
def test_an_element_that_nothing_closes_swallows_nothing(name: str) -> None:
    """What follows it stays."""
    update = rss(
        f"<item><guid>g</guid><title>Form</title><content:encoded><![CDATA[<p>It has a <{name}> that is open.</p><p>The rest must stay.</p>]]></content:encoded></item>"
    )[0]
    assert "<p>The rest must stay.</p>" in update.body_html


@pytest.mark.parametrize("authors", [{"name": "Ida Blom"}, [{"name": "Ida Blom"}], "Ida Blom", ["Ida Blom"]])
def test_authors_of_a_json_feed(authors: object) -> None:
    """An object, a list, or text."""
    for name in ("author", "authors"):
        feed = {
            "version": "https://jsonfeed.org/version/1",
            "items": [{"id": "1", "title": "Pier", "content_text": "x", name: authors}],
        }
        assert read_document(json.dumps(feed)).updates[0].byline == "Ida Blom"


def test_a_credit_that_stands_in_the_caption() -> None:
    """Is the picture's, and the caption goes with the picture."""
    update = rss(
        "<item><guid>g</guid><title>Bridge opens</title><content:encoded><![CDATA[<p>It opened.</p><figure><img src='https://p.example/a.jpg'><figcaption>The bridge. Photograph: Ann Other/AP</figcaption></figure>]]></content:encoded></item>"
    )[0]
    assert (update.media[0].credit, "Photograph" in update.body_html) == ("Ann Other/AP", False)
