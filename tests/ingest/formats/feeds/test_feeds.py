"""RSS, Atom, RDF and JSON Feed: identity, times, texts and pictures of entries."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from conformance.documents import outcome, read_document
from ingest.formats import Unreadable
from ingest.formats.xml.document import MAX_TAGS
from shared.messages import RawUpdate

NAMESPACES = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:media="http://search.yahoo.com/mrss/"'
)


def rss(*items: str, channel: str = "") -> str:
    """An RSS 2.0 feed."""
    inner = "".join(f"<item>{one}</item>" for one in items)
    return f'<rss version="2.0" {NAMESPACES}><channel><title>Wire</title><link>https://example.org/</link>{channel}{inner}</channel></rss>'


def entries(document: str) -> tuple[RawUpdate, ...]:
    """The updates of a feed."""
    return read_document(document).updates


def test_an_entry_without_an_id_is_known_by_its_link_then_by_its_words() -> None:
    """Ids made for entries are the same when the file comes again, and differ where links are shared."""
    document = rss(
        "<title>A</title><link>https://example.org/a</link>",
        "<title>B</title><link>https://example.org/live</link>",
        "<title>C</title><link>https://example.org/live</link>",
        "<title>D</title>",
    )
    first, again = entries(document), entries(document)
    assert first[0].guid == "https://example.org/a"
    assert len({update.guid for update in first}) == 4
    assert [update.guid for update in first] == [update.guid for update in again]
    assert {repair.code for update in first for repair in update.repairs} == {
        "identity-from-link",
        "identity-from-text",
    }


def test_a_changed_text_under_an_id_is_a_version_of_the_same_update() -> None:
    """The id stays, the fingerprint moves."""
    before = entries(rss("<guid isPermaLink='false'>g</guid><title>A</title><description>One</description>"))[0]
    after = entries(rss("<guid isPermaLink='false'>g</guid><title>A</title><description>Two</description>"))[0]
    assert before.update_id == after.update_id
    assert before.fingerprint() != after.fingerprint()


@pytest.mark.parametrize(
    ("written", "offset"),
    [
        ("Mon, 23 Nov 2026 10:00:00 +0200", timedelta(hours=2)),
        ("Mon, 23 Nov 2026 08:00:00 GMT", timedelta(0)),
        ("Mon, 23 Nov 2026 03:00:00 EST", timedelta(hours=-5)),
        ("2026-11-23T10:00:00+02:00", timedelta(hours=2)),
    ],
)
def test_times_keep_their_offset(written: str, offset: timedelta) -> None:
    """A feed's times are kept as they were said, not as UTC."""
    update = entries(rss(f"<title>A</title><guid>g</guid><pubDate>{written}</pubDate>"))[0]
    assert update.version_created == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert update.version_created.utcoffset() == offset


def test_full_content_goes_before_the_summary() -> None:
    """The summary is kept beside a full text, and is the text where there is no other."""
    full, short = entries(
        rss(
            "<guid>1</guid><title>A</title><description>Short &amp;amp; sweet</description><content:encoded><![CDATA[<p>All of <b>it</b></p>]]></content:encoded>",
            "<guid>2</guid><title>B</title><description>&lt;p&gt;Only this&lt;/p&gt;</description>",
        )
    )
    assert (full.body_html, full.summary) == ("<p>All of <b>it</b></p>", "Short & sweet")
    assert (short.body_html, short.summary) == ("<p>Only this</p>", "")


def test_scripts_are_left_to_the_sanitiser_and_content_is_not_lost() -> None:
    """Reading does not sanitise: what feedparser would drop (figures, details) is still there for enrich; a caption goes with its picture."""
    body = (
        "<figure><img src='https://img.example.org/1.jpg'><figcaption>Cap</figcaption></figure><details>More</details>"
    )
    update = entries(rss(f"<guid>1</guid><title>A</title><content:encoded><![CDATA[{body}]]></content:encoded>"))[0]
    assert update.body_html == body.replace("<figcaption>Cap</figcaption>", "")
    assert [(media.url, media.caption, media.role) for media in update.media] == [
        ("https://img.example.org/1.jpg", "Cap", "inline")
    ]


def test_relative_links_in_a_text_become_absolute() -> None:
    """A picture or link relative to the entry's page can be fetched and followed."""
    update = entries(
        rss(
            "<guid>1</guid><title>A</title><link>https://example.org/a/b</link><description><![CDATA[<p><a href=\"/c\">x</a><img src='d.jpg'></p>]]></description>"
        )
    )[0]
    assert 'href="https://example.org/c"' in update.body_html
    assert update.media[0].url == "https://example.org/a/d.jpg"


def test_each_picture_keeps_its_own_caption_and_credit() -> None:
    """Media RSS: an element's own words, then its group's, then the entry's; a group is one picture in many sizes."""
    update = entries(
        rss(
            "<guid>1</guid><title>A</title>"
            "<media:content url='https://i.example.org/1.jpg' medium='image'><media:description>First</media:description><media:credit>Åse</media:credit></media:content>"
            "<media:group><media:content url='https://i.example.org/2s.jpg' type='image/jpeg' width='10' height='10'/><media:content url='https://i.example.org/2l.jpg' type='image/jpeg' width='900' height='600'/><media:description>Second</media:description></media:group>"
            "<media:credit>Agency</media:credit>"
            "<enclosure url='https://i.example.org/talk.mp3' type='audio/mpeg' length='123'/>"
        )
    )[0]
    found = {media.url: (media.kind, media.caption, media.credit) for media in update.media}
    assert found["https://i.example.org/1.jpg"] == ("picture", "First", "Åse")
    assert found["https://i.example.org/2l.jpg"] == ("picture", "Second", "Agency")
    assert found["https://i.example.org/talk.mp3"][0] == "audio"
    assert update.headline == "A"


def test_an_address_is_no_byline() -> None:
    """RSS authors are e-mail addresses: the name is shown, the address is not."""
    named = entries(rss("<guid>1</guid><title>A</title><author>anna@example.org (Anna Okonkwo)</author>"))[0]
    bare = entries(rss("<guid>1</guid><title>A</title><author>desk@example.org</author>"))[0]
    assert named.byline == "Anna Okonkwo"
    assert bare.byline == ""


def test_one_empty_entry_does_not_take_the_others_with_it() -> None:
    """An entry that says nothing is refused beside those that do."""
    reading = read_document(rss("<title>A</title>", "<category/>", "<title>C</title>"))
    assert [update.headline for update in reading.updates] == ["A", "C"]
    assert [(refused.index, refused.code) for refused in reading.refused] == [(1, "empty")]


def test_a_broken_feed_is_read_as_far_as_it_goes() -> None:
    """An unescaped ampersand or a missing end tag is common; the entries are there all the same."""
    reading = read_document(
        "<rss><channel><item><title>Fish & chips</title><guid>1</guid></item><item><title>B</title><guid>2</guid>"
    )
    assert [update.headline for update in reading.updates] == ["Fish & chips", "B"]
    assert "malformed-xml" in [repair.code for repair in reading.repairs]


def test_a_deleted_entry_goes_out_of_sight() -> None:
    """RFC 6721: what a publisher takes out of a feed is withheld until it comes again."""
    reading = read_document(
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:at="http://purl.org/atompub/tombstones/1.0"><at:deleted-entry ref="tag:a" when="2026-11-23T09:00:00Z"/></feed>'
    )
    assert [(update.guid, update.status) for update in reading.updates] == [("tag:a", "withheld")]


def test_elements_that_have_feedparsers_own_names_are_only_words() -> None:
    """A feed may call anything `links` or `authors`; and a reference to no character costs no entry."""
    own = "".join(f"<{name}>x</{name}>" for name in ("links", "authors", "tags", "contributors", "title_detail"))
    for wild in ("", "&#99999999999999999999;", "&#xFFFFFFFFFFFFF;"):
        update = read_document(
            f"<rss version='2.0'><channel><item><guid>a</guid><title>T{wild}</title>{own}</item></channel></rss>"
        ).updates[0]
        assert (update.guid, update.headline) == ("a", "T")


def test_an_authors_face_is_not_the_entrys_picture() -> None:
    """WordPress tells it where other feeds tell the picture."""
    update = read_document(
        '<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel><item><guid>a</guid><title>T</title>'
        '<media:content url="https://0.gravatar.com/avatar/7?s=96" medium="image"/><media:content url="https://example.org/1.jpg" medium="image"/></item></channel></rss>'
    ).updates[0]
    assert [one.url for one in update.media] == ["https://example.org/1.jpg"]


def test_a_counter_that_moves_makes_no_new_version() -> None:
    """A feed that tells how often an entry was commented on changes at every poll; what readers see does not."""
    feed = (
        '<rss version="2.0" xmlns:slash="http://purl.org/rss/1.0/modules/slash/"><channel><item><guid>a</guid><title>T</title>'
        "<slash:comments>{}</slash:comments></item></channel></rss>"
    )
    first, again = (read_document(feed.format(count)).updates[0] for count in (3, 4))
    assert first.extra != again.extra
    assert first.fingerprint() == again.fingerprint()


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("<rss><channel>" + "<a>" * 5000, "too-deep"),
        ("<rss><channel>" + "<a/>" * (MAX_TAGS + 1) + "</channel></rss>", "too-large"),
        (
            '<!DOCTYPE rss [<!ENTITY a "b">]><rss><channel><item><title>&a;</title></item></channel></rss>',
            "entities-declared",
        ),
    ],
)
def test_a_hostile_feed_is_refused(document: str, code: str) -> None:
    """Depth, size and entities are judged before feedparser sees the document."""
    found = outcome(document)
    assert isinstance(found, Unreadable)
    assert found.code == code


def json_feed(**item: object) -> RawUpdate:
    """The update of a JSON Feed with one item."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Wire",
        "language": "en",
        "authors": [{"name": "Ida Desk"}],
    }
    return read_document(json.dumps(feed | {"items": [item]})).updates[0]


def test_json_feed() -> None:
    """Everything that the standard names and an update has a place for."""
    update = json_feed(
        id="1", url="https://example.org/1", title="A", content_html="<p>x</p>", summary="S", image="https://i.example.org/1.jpg",
        date_published="2026-11-23T09:00:00+01:00", date_modified="2026-11-23T10:00:00+01:00", tags=["port"],
        authors=[{"name": "Anna", "url": "https://example.org/anna"}], attachments=[{"url": "https://i.example.org/t.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 5}],
        _custom={"a": 1},
    )  # fmt: skip
    assert (update.guid, update.headline, update.body_html, update.summary, update.link) == (
        "1",
        "A",
        "<p>x</p>",
        "S",
        "https://example.org/1",
    )
    assert (update.byline, update.keywords, update.language) == ("Anna", ("port",), "en")
    assert update.version_created == datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert update.first_created == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert [(media.kind, media.size_bytes) for media in update.media] == [("picture", None), ("audio", 5)]
    assert update.extra == {"_custom": {"a": 1}}


def test_json_feed_of_old_and_sloppy_writers() -> None:
    """A number for an id, plain text, the feed's author for an item without one."""
    update = json_feed(id=7, content_text="One.\n\nTwo <b>.")
    assert (update.guid, update.body_html, update.byline) == ("7", "<p>One.</p><p>Two &lt;b&gt;.</p>", "Ida Desk")
