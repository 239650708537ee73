"""Mutations of every suite: whatever comes, a reader gives updates or a reason, and what it gives can be written."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.documents import corpus, outcome
from ingest.formats import FORMATS, Unreadable

pytestmark = pytest.mark.conformance

FILES = [
    path
    for folder in ("feeds", "newsml-g2", "ninjs", "xml-attacks")
    for path in corpus(folder)
    if path.stat().st_size < 60_000 and path.suffix in (".xml", ".json", ".xsl", ".xsd")
]
SEEDS = [
    b"\x01eca0003 3 i 380  dpa 0045\r\n\r\nA/B/\r\n1ST LEAD\r\n\x02Head\r\nBy Anna =\r\n\r\nGeneva (dpa) - Text.\r\n\r\n\x03212322 GMT Nov 18\r\n\x04",
    b"\x16\x16\x01W2870\x1fa\r\nu l \x14\x11 BC-Key 11-13 0049\r\n\x02^Head<\r\n^By A=\r\n\tOSLO (AP) _ Text.\r\n\tAP-WF-11-13-13 1509GMT<\r\n\x03\r\n",
    (
        b'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>a</identifier><sender>s</sender><sent>2026-11-23T09:00:00Z</sent><status>Actual</status>'
        b"<msgType>Update</msgType><scope>Public</scope><references>s,b,2026-11-22T09:00:00Z</references><info><event>x</event><expires>2026-11-24T09:00:00Z</expires>"
        b"<area><areaDesc>y</areaDesc><geocode><valueName>n</valueName><value>v</value></geocode></area></info></alert>"
    ),
    (
        b'<!DOCTYPE nitf SYSTEM "nitf.dtd"><nitf><head><docdata management-status="usable"><doc-id id-string="d"/><date.issue norm="20261123T090000Z"/><urgency ed-urg="4"/>'
        b"</docdata></head><body><body.head><hedline><hl1>H</hl1></hedline><byline>By A<byttl>B</byttl></byline></body.head><body.content><p>x<em>y</em></p><media media-type='image'>"
        b"<media-reference source='https://i.example.org/a.jpg' width='9'/><media-caption>c</media-caption></media></body.content></body></nitf>"
    ),
    (
        b'<NewsML><NewsItem><Identification><NewsIdentifier><ProviderId>w</ProviderId><DateId>20261123</DateId><NewsItemId>a</NewsItemId><RevisionId Update="N">2</RevisionId>'
        b"<PublicIdentifier>urn:newsml:w:20261123:a:2N</PublicIdentifier></NewsIdentifier></Identification><NewsComponent><NewsComponent xml:lang='nl'><Role FormalName='Body'/>"
        b"<NewsLines><HeadLine>H</HeadLine><KeywordLine>k</KeywordLine></NewsLines><ContentItem><DataContent>een\n  twee</DataContent></ContentItem></NewsComponent>"
        b"<NewsComponent xml:lang='fr'><ContentItem><DataContent>un</DataContent></ContentItem></NewsComponent></NewsComponent></NewsItem></NewsML>"
    ),
    (
        b'<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="a" xml:lang="sv"><contentMeta><headline>H</headline></contentMeta><contentSet><inlineXML><BODY xmlns=""><TEXT>'
        b"<RUBRIK>R</RUBRIK><BRODTEXT><P>a\nb  1  2\nc  3  4\nd  5  6\n   e</P></BRODTEXT><BILD><BILDFIL>https://i.example.org/a.jpg</BILDFIL></BILD></TEXT></BODY></inlineXML></contentSet></newsItem>"
    ),
    b"w1645-----\nr s BC-BBO--Standings     11-23 0500\n^BC-BBO--Standings<\n^Top=\n^By A=\n^ W   L   Pct\nOslo 73  52  .584\n^Sunday=\n\t   Oslo 6\n\t   AP-WF-11-23-26 0800GMT<\n",
    b'{"updates": [{"guid": "a", "headline": "x", "versionCreated": "2026-11-23T09:00:00+02:00", "media": [{"url": "https://i.example.org/a.jpg"}], "subjects": ["s"]}]}',
]
PIECES = [
    b"<", b">", b"&", b'"', b"'", b"\x00", b"\xff", b"[", b"]", b"{", b"}", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"&#0;",
    b"&nbsp;", b"\xed\xa0\x80", b"\\ud800", b"NaN", b"1e999", b"null", b"\x01", b"\x02", b"\x03", b"<p>", b"http://[",
    b"2026-13-45T99:99:99Z", b"0001-01-01T00:00:00+23:59", b"9" * 5000, b"[" * 3000, b'{"a":' * 300, b"<div>" * 300,
]  # fmt: skip
FORMAT_NAMES = [None, *(one.names[0] for one in FORMATS)]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A file of a suite with a few bytes changed, taken out, put in, repeated or cut off."""
    seed: Path | bytes = draw(st.one_of(st.sampled_from(FILES), st.sampled_from(SEEDS)))
    body = bytearray(seed if isinstance(seed, bytes) else seed.read_bytes())
    for _ in range(draw(st.integers(1, 6))):
        if not body:
            break
        at = draw(st.integers(0, len(body) - 1))
        kind = draw(st.sampled_from(["flip", "insert", "delete", "repeat", "cut"]))
        if kind == "flip":
            body[at] = draw(st.integers(0, 255))
        elif kind == "insert":
            body[at:at] = draw(st.sampled_from(PIECES))
        elif kind == "delete":
            del body[at : at + draw(st.integers(1, 300))]
        elif kind == "repeat":
            body[at:at] = body[at : at + 200] * draw(st.integers(1, 20))
        else:
            del body[at:]
    return bytes(body)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(body=mutated(), taken_for=st.sampled_from(FORMAT_NAMES))
def test_a_mutated_document_yields_updates_or_a_reason(body: bytes, taken_for: str | None) -> None:
    """Nothing but Unreadable is ever raised, and every update can be written as JSON and fingerprinted."""
    found = outcome(body, taken_for=taken_for)
    if isinstance(found, Unreadable):
        assert found.code
        assert found.reason
        return
    for update in found.updates:
        assert update.model_dump_json()
        assert len(update.fingerprint()) == 32
        assert all(media.url.lower().startswith("http") for media in update.media)
        for moment in (update.version_created, update.first_created, update.embargo_until, update.expires_at):
            assert moment is None or moment.utcoffset() is not None


@settings(max_examples=100, deadline=None)
@given(body=st.binary(max_size=3000), taken_for=st.sampled_from(FORMAT_NAMES))
def test_noise_yields_a_reason(body: bytes, taken_for: str | None) -> None:
    """Bytes that are no document are refused with a reason, whatever they are taken for."""
    found = outcome(body, taken_for=taken_for)
    if isinstance(found, Unreadable):
        assert found.reason
    else:
        assert all(update.guid for update in found.updates)


OBJECTS: list[Any] = [
    {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "W",
        "authors": [{"name": "D"}],
        "items": [
            {"id": "1", "url": "https://e.org/1", "title": "A", "content_html": "<p>x</p>", "content_text": "x", "summary": "S", "image": "https://e.org/1.jpg", "date_published": "2026-11-23T09:00:00+01:00", "tags": ["p"], "authors": [{"name": "A", "url": "https://e.org/a"}], "attachments": [{"url": "https://e.org/t.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 5}]}
        ],
    },
    {"updates": [{"guid": "a", "headline": "x", "body_text": "x", "versionCreated": "2026-11-23T09:00:00Z", "media": [{"url": "https://e.org/a.jpg"}], "subjects": ["s"], "creators": [{"name": "n"}], "flags": {"pinned": True}, "extra": {"a": 1}, "urgency": 3}]},
    {"uri": "urn:1", "type": "text", "versioncreated": "2026-11-23T09:00:00Z", "pubstatus": "usable", "headline": "x", "body_html": "<p>x</p>", "bylines": [{"by": "A", "title": "B"}], "altids": {"itemid": "1"}, "photographer": {"name": "A"}, "datelinelocation": {"city": "O"}, "links": [{"rel": "canonical", "href": "https://e.org/1"}], "subject": [{"code": "1", "name": "n"}], "associations": {"featuremedia": {"type": "picture", "renditions": {"original": {"href": "https://e.org/1.jpg", "width": 5}}}}},
    {"standard": {"name": "ninjs", "version": "3.1"}, "uri": "urn:1", "headlines": [{"role": "main", "value": "x"}], "bodies": [{"contentType": "text/html", "value": "<p>x</p>"}], "subjects": [{"uri": "http://cv.iptc.org/newscodes/mediatopic/1", "name": "n"}], "associations": [{"name": "main", "renditions": [{"name": "o", "href": "https://e.org/1.jpg"}]}]},
]  # fmt: skip
VALUES: list[Any] = [
    None, True, 0, -1, 10**30, 1.5, "", "x", "2026-13-45", "https://[::1", [], {}, [[]], [None], {"name": None}, {"value": 1}, {"": ""}, "\x00", "9" * 50, {"name": ["x"]},
]  # fmt: skip


def places(value: Any, *steps: str | int) -> list[tuple[str | int, ...]]:
    """Every place in a JSON value."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [steps, *(one for name, member in members for one in places(member, *steps, name))]


@st.composite
def of_other_kinds(draw: st.DrawFn) -> bytes:
    """A JSON document with some of its values replaced by values of any kind, or put into a list."""
    document = json.loads(json.dumps(draw(st.sampled_from(OBJECTS))))
    for _ in range(draw(st.integers(1, 4))):
        *way, last = draw(st.sampled_from(places(document)[1:]))
        holder = document
        for step in way:
            holder = holder[step]
        holder[last] = copy.deepcopy(draw(st.sampled_from(VALUES))) if draw(st.booleans()) else [holder[last]]
    return json.dumps(document).encode()


@settings(max_examples=300, deadline=None)
@given(body=of_other_kinds(), taken_for=st.sampled_from([None, None, "ninjs", "native", "json-feed"]))
def test_values_of_any_kind_are_taken_or_told(body: bytes, taken_for: str | None) -> None:
    """Whatever stands where a text, a list or an object should: updates that can be written, or a reason with its place."""
    found = outcome(body, taken_for=taken_for)
    if isinstance(found, Unreadable):
        assert found.reason
        return
    assert all(len(update.fingerprint()) == 32 for update in found.updates)
    assert all(refused.reason for refused in found.refused)
