"""What reads text from outside takes time in proportion to its length, whatever the text is made of."""

import gzip
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from lxml import etree

from conformance.documents import outcome
from ingest.formats import Unreadable, charset, limits, media, times
from ingest.formats.copy import body as copy_body
from ingest.formats.copy import captions, headlines, places, repeats, tags
from ingest.formats.copy.desks import notes, scripts
from ingest.formats.copy.endings import closers, footers, sign_offs
from ingest.formats.copy.markup import escapes, lines, typesetting
from ingest.formats.copy.names import authors, people
from ingest.formats.feeds.media_rss import media_apart
from ingest.formats.html import embeds, flatten, from_xml
from ingest.formats.json.shapes import body_by_shape
from ingest.formats.text import plain as text
from ingest.formats.text import teleprinter
from ingest.transports.api.body import inflated
from ingest.transports.feed_links import feed_links
from security.growth.documents import DOCUMENTS
from security.growth.measure import growth, quiet_s
from security.growth.pumps import PUMPS
from shared.http.client.retry_after import retry_after_s
from shared.http.problem import Problem


def _markup(value: str) -> str:
    element = etree.Element("body")
    one = etree.SubElement(element, "p")
    one.text = value.translate({code: None for code in range(32) if code not in (9, 10, 13)})
    return from_xml.page(element)


def _limits(value: str) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "headline": value,
        "keywords": value.split(" "),
        "subjects": [{"name": value}],
        "link": value,
    }
    limits.keep_within(fields, lambda *_: None)
    return fields


FUNCTIONS: dict[str, Callable[[str], Any]] = {
    "paragraphs": text.paragraphs,
    "paragraphs of inline markup": text.paragraphs_of_inline,
    "paragraphs of escaped text": text.paragraphs_of_escaped,
    "words of HTML": text.of_html,
    "whether it is markup": text.is_markup,
    "body of a page": text.body_of_page,
    "lines set as paragraphs": text.typeset,
    "paragraphs set anew": lambda said: text.reset(f"<p>{said}</p>"),
    "rows of a table": lambda said: text.is_table(said) and text.rows(said),
    "characters that nothing can hold": text.cleaned,
    "references": text.unescaped,
    "place of a dateline": text.place_of_dateline,
    "whether a note is private": text.says_private,
    "dateline of a wire": teleprinter.dateline,
    "time group of a wire": teleprinter.time_group,
    "byline of a wire": teleprinter.is_byline,
    "time": times.parse,
    "pictures in a text": media.in_html,
    "address of a picture": lambda said: media.absolute(said, "https://example.org/"),
    "kind of a picture": media.kind_of,
    "number of pixels": media.number,
    "flattening": flatten.flat,
    "players as links": lambda said: embeds.as_links(f"<p>{said}</p><iframe src='https://v.example/'>{said}"),
    "a body for readers": lambda said: copy_body.cleared(f"<p>{said}</p>{said}", "Headline", "slug"),
    "a headline of a text": lambda said: copy_body.parted_headline(f"<p>{said}</p>", 200),
    "vendors' tags": lambda said: typesetting.with_vendors_tags_read(said + "&lt;endash&gt;"),
    "wrapped lines": lambda said: lines.unwrapped(f"<p>{said}<br>{said}</p>"),
    "captions": lambda said: copy_body.without_captions(f"<figcaption>{said}</figcaption>{said}", {"a"}),
    "whether it is a note": notes.kind_of_note,
    "whether it points to another text": notes.is_read_also,
    "whether it is a closing line": lambda said: closers.is_closer(said, is_block=True),
    "what stands behind a sentence": lambda said: closers.behind(said + "(完)"),
    "who wrote it": closers.writer,
    "whether it is a sign-off": lambda said: (sign_offs.is_sign_off(said), sign_offs.initials_at_end(said)),
    "a name": people.kind_of_name,
    "a byline": lambda said: (authors.byline_of(said), authors.is_line_of_names(said)),
    "a dateline's place": lambda said: (places.of_text(said), places.without_dateline(said)),
    "a footer of a feed": lambda said: (
        footers.without_footers(f"<p>{said}</p><p class='sharedaddy {said}'>{said}</p>{said}<a href=''>{said}</a>"),
        footers.bare_summary(f"{said}[...]"),
        footers.is_footer(said),
    ),
    "a caption": lambda said: captions.tidy({"media": [{"caption": said}, {"caption": f"{said} (Photo: {said})"}]}),
    "a script of a video": lambda said: scripts.without_script(f"<p>{said}</p><p>STORYLINE:</p><p>{said}</p>"),
    "what was escaped twice": lambda said: (
        escapes.read_once_more(f"{said}&amp;eacute;"),
        escapes.body_read_once_more(f"<p>{said}&amp;eacute;</p>"),
    ),
    "a headline as sent": headlines.bare,
    "the first sentence": repeats.first_sentence,
    "the same words": lambda said: repeats.begins_with(said, said[:-1]),
    "a tag for readers": lambda said: tags.is_for_readers("place", said),
    "Media RSS apart": lambda said: media_apart(f"<rss><media:title>{said}</media:title>{said}"),
    "a body by its shape": lambda said: body_by_shape({"a": said, "b": {"c": said}}),
    "markup": _markup,
    "limits": _limits,
    "charset": lambda said: charset.decode(said.encode("utf-8", "replace"), "utf-8", "iso-8859-1"),
    "links of a feed": lambda said: feed_links(
        f"<feed>{said}</feed>".encode("utf-8", "replace"), "https://example.org"
    ),
    "pause that a server asks for": lambda said: retry_after_s({"Retry-After": said}),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_time_grows_with_the_text(name: str) -> None:
    """No more than in proportion, for every function and every kind of text."""
    grown = {pump: why for pump, made in PUMPS.items() if (why := growth(FUNCTIONS[name], made, 6_000))}
    assert not grown


@pytest.mark.parametrize("name", DOCUMENTS)
def test_time_grows_with_the_document(name: str) -> None:
    """The same of whole documents, in every format, with the text in each of their fields."""
    grown = {}
    for pump, made in PUMPS.items():
        if pump.endswith("between words") and (
            why := growth(outcome, lambda n, made=made: DOCUMENTS[name](made(n)), 1_500)
        ):  # type: ignore[misc]
            grown[pump] = why
    assert not grown


@pytest.mark.parametrize(
    "name", [name for name in DOCUMENTS if "as it is" in name or "7901" in name or "native" in name]
)
def test_a_body_is_no_more_than_a_small_multiple_of_its_document(name: str) -> None:
    """An ampersand becomes five characters, a blank of a table eight at most; nothing becomes more."""
    for pump, made in PUMPS.items():
        document = DOCUMENTS[name](made(1_000))
        found = outcome(document)
        bodies = [] if isinstance(found, Unreadable) else [update.body_html for update in found.updates]
        assert sum(map(len, bodies)) <= 8 * len(document) + 200, pump


MEMBER = gzip.compress(b"")


@pytest.mark.parametrize(
    "made",
    [
        lambda n: MEMBER * n + gzip.compress(b"{}"),
        lambda n: gzip.compress(b"x") * n,
        lambda n: gzip.compress(b"x" * n * 20),
        lambda n: gzip.compress(b"{}") + b"\x00" * n * 20,
        lambda n: gzip.compress(b"{}") + b"\xff" * n * 20,
        lambda n: MEMBER * n + b"\x1f\x8b",
        lambda n: gzip.compress(bytes(range(256)) * n)[:-4],
    ],
    ids=["empty members", "members of a byte", "one member", "zeros behind", "bytes behind", "cut short", "no end"],
)  # fmt: skip
def test_decompression_grows_with_the_body(made: Callable[[int], bytes]) -> None:
    """Neither many members nor what stands behind the last of them costs more than its length."""
    assert not growth(lambda body: _inflated(body, "gzip"), made, 10_000)


def test_a_body_of_more_members_than_anybody_sends_is_refused() -> None:
    """It would take longer than its sender is worth; the reason names the limit."""
    with pytest.raises(Problem, match="members"):
        inflated(MEMBER * 100_001, "gzip", 1 << 20)


def test_a_bomb_ends_at_the_limit() -> None:
    """In both encodings, and in the last of many members."""
    for body, encoding in (
        (gzip.compress(b"\x00" * 50_000_000), "gzip"),
        (MEMBER * 1000 + gzip.compress(b"\x00" * 50_000_000), "gzip"),
        (zlib.compress(b"\x00" * 50_000_000), "deflate"),
    ):
        with pytest.raises(Problem, match="larger than 1000 bytes"):
            inflated(body, encoding, 1000)


def _inflated(body: bytes, encoding: str) -> bytes | str:
    try:
        return inflated(body, encoding, 1 << 20)
    except Problem as problem:
        return problem.detail


NAMESPACES = "".join(f'<n{number}:b xmlns:n{number}="urn:{number}"/>' for number in range(100_000))
LARGE: dict[str, bytes] = {
    "namespaces of a feed": f"<rss><channel><item><guid>a</guid><title>b</title><description>{NAMESPACES}</description></item></channel></rss>".encode(),
    "namespaces of a text": f"<nitf><body><body.content>{NAMESPACES}</body.content></body></nitf>".encode(),
    "attributes of a feed": b"<rss><channel><item><title "
    + b" ".join(b'a%d="v"' % number for number in range(20_000))
    + b">a</title></item></channel></rss>",
    "base of a feed": b'<rss xml:base="http://a/'
    + b"a/" * 100_000
    + b'"><channel>'
    + b"<item/>" * 9000
    + b"</channel></rss>",
    "categories of an entry": b"<rss><channel><item><title>a</title>"
    + b"".join(b"<category>c%d</category>" % number for number in range(50_000))
    + b"</item></channel></rss>",
    "categories of a broken entry": b"<rss><channel><item><title>a</title>"
    + b"".join(b"<category>c%d</category>" % number for number in range(20_000))
    + b"&bogus;</channel></rss>",
    "rights of a feed, for each entry": b"<rss><channel><copyright>"
    + b"&lt;b&gt;" * 50_000
    + b"</copyright>"
    + b"<item><title>a</title></item>" * 9000
    + b"</channel></rss>",
    "authors of a JSON feed, for each item": b'{"version":"https://jsonfeed.org/version/1.1","authors":['
    + b",".join(b'{"name":"a%d"}' % number for number in range(20_000))
    + b'],"items":['
    + b",".join(b'{"id":"%d","title":"a"}' % number for number in range(9000))
    + b"]}",
    "bylines of an item": b'<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="a"><contentMeta><headline>a</headline>'
    + b"<by>ab</by>" * 90_000
    + b"</contentMeta></newsItem>",
    "notes of an item": b'<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="a"><itemMeta>'
    + b"".join(b"<edNote>n%d</edNote>" % number for number in range(90_000))
    + b"</itemMeta></newsItem>",
    "texts in texts": b"<nitf><body><body.content>" * 60 + b"<p>a</p>" * 50_000 + b"</body.content></body></nitf>" * 60,
    "a name of a megabyte over many values": b'{"uri":"a","'
    + b"n" * 1_000_000
    + b'":['
    + b'"\\u0000",' * 100_000
    + b"1]}",
    "kills with a long note": b'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>a</identifier><status>Actual</status>'
    b"<scope>Public</scope><msgType>Cancel</msgType><sender>"
    + b"s" * 400_000
    + b"</sender><note>"
    + b"n" * 1_000_000
    + b"</note><references>"
    + b" ".join(b"a,%d,2026-11-23T09:00:00Z" % number for number in range(1_900))
    + b"</references></alert>",
    "entities of a thousand digits": b'{"guid":"a","headline":"b","body_html":"<b>&#' + b"1" * 900_000 + b';</b>"}',
}
SOON_S = 5.0
"""Of a machine that does nothing else (`growth.measure`)."""


@pytest.mark.parametrize("name", LARGE)
def test_what_multiplies_inside_a_document_is_read_soon_or_refused(name: str) -> None:
    """Each of these took minutes or gigabytes: one part of a document for each of another."""
    assert quiet_s(lambda: outcome(LARGE[name]), SOON_S) <= SOON_S
