"""A format is known by its content; the declared type decides only where the content leaves it open."""

import json

import pytest

from conformance.documents import outcome, read_document
from ingest.formats import FORMATS, Unreadable

NITF = "<nitf><head><docdata><doc-id id-string='d'/></docdata></head><body><body.content><p>x</p></body.content></body></nitf>"
DOCUMENTS = {
    "native": '{"guid": "a", "headline": "x"}',
    "ninjs-1": '{"uri": "a", "headline": "x", "versioncreated": "2026-11-23T09:00:00Z"}',
    "ninjs-2": '{"uri": "a", "headlines": [{"value": "x"}]}',
    "ninjs-3": '{"uri": "a", "headlines": [{"value": "x"}], "versionCreated": "2026-11-23T09:00:00Z"}',
    "json-feed": '{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "a", "content_text": "x"}]}',
    "newsml-g2": '<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="a"><contentMeta><headline>x</headline></contentMeta></newsItem>',
    "nitf": NITF,
    "rss": "<rss><channel><item><title>x</title><guid>a</guid></item></channel></rss>",
    "atom": '<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>a</id><title>x</title></entry></feed>',
    "rdf": '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"><item rdf:about="a"><title>x</title></item></rdf:RDF>',
    "cap": '<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>a</identifier><sender>s</sender><sent>2026-11-23T09:00:00Z</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope><info><event>x</event></info></alert>',
    "iptc7901": "\x01abc0001 3 i 12 dpa\r\n\r\nkey/word/\r\n\x02Head\r\n\r\nText here.\r\n\x03212322 GMT Nov 18\r\n",
    "anpa1312": "\x16\x16\x01W0001\x1fx\r\nr i \x14\x11 BC-Key 11-23 0012\r\n\x02^Head<\r\n\tText.\r\n\x03\r\n",
}


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/octet-stream", "text/html; charset=utf-8", "application/xml"]
)
def test_content_tells_the_format(name: str, content_type: str | None) -> None:
    """Whatever type a server declares, the format is the one that the document is in."""
    reading = read_document(DOCUMENTS[name], content_type=content_type)
    assert reading.format == name
    assert len(reading.updates) == 1


@pytest.mark.parametrize("name", ["nitf", "rss", "atom", "newsml-g2"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32", "iso-8859-1"])
def test_the_charset_does_not_hide_it(name: str, encoding: str) -> None:
    """Marks and first signs tell wide charsets, with and without a declaration."""
    text = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>' + DOCUMENTS[name].replace(
        ">x<", ">Größe<"
    )
    update = read_document(text.encode(encoding)).updates[0]
    assert "Größe" in update.headline + update.body_html


@pytest.mark.parametrize(
    "body", ["hello", "<html><body>page</body></html>", '{"a": 1}', "[]", "<x/>", "\x01\x02\x03", "%PDF-1.4"]
)
def test_what_is_of_no_format_says_so(body: str) -> None:
    """An unknown document is refused with one code, not taken for something."""
    found = outcome(body)
    assert isinstance(found, Unreadable)
    assert found.code in ("unknown-format", "not-an-object")


def test_a_format_that_is_asked_for_is_not_second_guessed() -> None:
    """A source that is set to a format gets that format's reasons."""
    assert read_document(DOCUMENTS["ninjs-1"], taken_for="ninjs").format == "ninjs-1"
    found = outcome(NITF, taken_for="native")
    assert isinstance(found, Unreadable)
    assert found.code == "malformed-json"


def test_every_format_has_names_of_its_own() -> None:
    """Two formats cannot be set by one name, or declared by one type."""
    names = [name for one in FORMATS for name in one.names]
    types = [name for one in FORMATS for name in one.media_types]
    assert len(names) == len(set(names))
    assert len(types) == len(set(types))


def test_the_original_is_named_with_the_format_that_read_it() -> None:
    """Which reader, in which version, made which item of the document into the update."""
    reading = read_document(json.dumps([{"guid": "a", "headline": "x"}, {"guid": "b", "headline": "y"}]))
    assert [(update.original.format, update.original.index) for update in reading.updates if update.original] == [
        ("native", 0),
        ("native", 1),
    ]
