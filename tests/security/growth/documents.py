"""Documents in every format with a hostile text in each of their fields."""

import json
import re
from collections.abc import Callable
from html import escape

_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

G2 = (
    '<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="a"><itemMeta><itemClass qcode="ninat:text"/>'
    "<versionCreated>{}</versionCreated><edNote>{}</edNote></itemMeta><contentMeta><urgency>{}</urgency><located><name>{}</name></located>"
    '<creator><name>{}</name></creator><subject qcode="{}"><name>{}</name></subject><keyword>{}</keyword><slugline>{}</slugline>'
    "<headline>{}</headline><dateline>{}</dateline><by>{}</by><description>{}</description></contentMeta><contentSet>"
    '<inlineXML><html xmlns="http://www.w3.org/1999/xhtml"><body><p>{}</p></body></html></inlineXML>'
    '<inlineData contenttype="text/plain">{}</inlineData><inlineData contenttype="text/html">{}</inlineData></contentSet></newsItem>'
)
NITF = (
    '<nitf><head><title>{}</title><docdata management-status="{}"><urgency ed-urg="{}"/><date.issue norm="{}"/><doc-id id-string="a"/>'
    '<ed-msg info="{}"/><key-list><keyword key="{}"/></key-list></docdata></head><body><body.head><hedline><hl1>{}</hl1></hedline>'
    "<byline>{}</byline><dateline>{}</dateline><note>{}</note></body.head><body.content><p>{}</p><media><media-reference "
    'source="{}"/><media-caption>{}</media-caption></media></body.content></body></nitf>'
)
NEWSML_1 = (
    "<NewsML><NewsItem><Identification><NewsIdentifier><ProviderId>a</ProviderId><NewsItemId>b</NewsItemId></NewsIdentifier>"
    "</Identification><NewsManagement><FirstCreated>{}</FirstCreated></NewsManagement><NewsComponent><NewsLines><HeadLine>{}</HeadLine>"
    "<ByLine>{}</ByLine><DateLine>{}</DateLine><KeywordLine>{}</KeywordLine></NewsLines><ContentItem><DataContent>{}</DataContent>"
    "</ContentItem></NewsComponent></NewsItem></NewsML>"
)
RSS = (
    '<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel><item><guid>a</guid><title>{}</title><link>{}</link>'
    "<pubDate>{}</pubDate><author>{}</author><category>{}</category><description>{}</description>"
    '<media:content url="{}"><media:description>{}</media:description></media:content><media:keywords>{}</media:keywords>'
    "</item></channel></rss>"
)
ATOM = (
    '<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>a</id><title type="html">{}</title><updated>{}</updated><author><name>{}</name>'
    '</author><summary>{}</summary><content type="html">{}</content><link href="{}"/></entry></feed>'
)
CAP = (
    '<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>a</identifier><sender>{}</sender><sent>{}</sent><status>Actual</status>'
    "<msgType>Update</msgType><scope>Public</scope><note>{}</note><references>{}</references><info><headline>{}</headline>"
    "<description>{}</description><web>{}</web><area><areaDesc>{}</areaDesc></area></info></alert>"
)
HOUSE = (
    '<release id="a" lang="{}"><title>{}</title><leadtext>{}</leadtext><body>{}</body><publicationDate>{}</publicationDate><embargo>{}</embargo>'
    "<publisher><name>{}</name></publisher><contactsAsText>{}</contactsAsText><keywords>{}</keywords><images><image><url>{}</url><caption>{}</caption>"
    "</image></images></release>"
)
BROKEN = "<rss><channel><item><guid>a</guid><title>{}</title><author>{}</author><description>{}</description>&bogus;<b></item></rss>"
NATIVE = (
    "headline",
    "body_html",
    "summary",
    "byline",
    "located",
    "editors_note",
    "version_created",
    "link",
    "language",
)
NINJS = ("versioncreated", "headline", "body_html", "byline", "description_text", "ednote", "located", "keywords")
JSON_FEED = ("url", "title", "content_html", "date_published", "summary", "image")


def _xml(template: str) -> Callable[[str], bytes]:
    return lambda value: template.replace("{}", escape(_NO_XML.sub(" ", value))).encode("utf-8", "replace")


def _as_it_is(template: str) -> Callable[[str], bytes]:
    return lambda value: template.replace("{}", _NO_XML.sub(" ", value)).encode("utf-8", "replace")


def _json(names: tuple[str, ...], **more: str) -> Callable[[str], bytes]:
    return lambda value: json.dumps(more | dict.fromkeys(names, value)).encode()


def _feed(value: str) -> bytes:
    items = [{"id": "a", "authors": [{"name": value}]} | dict.fromkeys(JSON_FEED, value)]
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items}).encode()


def _ans(value: str) -> bytes:
    parts = [
        {"type": kind, "content": value, "level": 2} for kind in ("text", "header", "raw_html", "interstitial_link")
    ]
    picture = {"type": "image", "url": value, "caption": value, "credits": {"by": [{"name": value}]}}
    story = {
        "type": "story", "version": "0.10.9", "_id": "a", "headlines": {"basic": value}, "description": {"basic": value}, "subheadlines": {"basic": value},
        "display_date": value, "credits": {"by": [{"name": value}]}, "taxonomy": {"tags": [{"text": value}]}, "content_elements": [*parts, picture],
        "promo_items": {"basic": picture}, "language": value,
    }  # fmt: skip
    return json.dumps(story).encode()


def _line(before: bytes, after: bytes) -> Callable[[str], bytes]:
    return lambda value: before + value.encode("utf-8", "replace") + after


DOCUMENTS: dict[str, Callable[[str], bytes]] = {
    "newsml-g2": _xml(G2),
    "newsml-1": _xml(NEWSML_1),
    "nitf": _xml(NITF),
    "rss": _xml(RSS),
    "atom": _xml(ATOM),
    "cap": _xml(CAP),
    "house-xml": _xml(HOUSE),
    "newsml-g2, as it is": _as_it_is(G2),
    "nitf, as it is": _as_it_is(f"{NITF.partition('<p>')[0].replace('{}', 'x')}{{}}</body.content></body></nitf>"),
    "atom, as it is": _as_it_is(
        '<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>a</id><content type="xhtml">{}<div>x</div></content></entry></feed>'
    ),
    "rss, broken": _as_it_is(BROKEN),
    "rss, broken, escaped": _xml(BROKEN),
    "rss, beside the items": _as_it_is("<rss><channel>{}<item><guid>a</guid><title>b</title></item></channel></rss>"),
    "native": _json(NATIVE, guid="a"),
    "native, plain": _json(("body_text",), guid="a"),
    "ninjs": _json(NINJS, uri="a"),
    "json feed": _feed,
    "ans": _ans,
    "json, as it is": _line(b'{"guid":"a","headline":', b"}"),
    "json, broken": _line(b'{"uri":"a","versioncreated":"2026-01-01T00:00:00Z","headline":"', b'"}'),
    "anpa 1312": _line(b"\x16\x16\x01W2870\x1fasian\nu l BC-A 11-13 0049\n\x02", b"\x03"),
    "anpa 1312, header": _line(b"\x16\x16\x01W2870\x1fasian\nu l ", b"\n\x02^a<\n\tb\n\x03"),
    "iptc 7901": _line(b"\x01eca0003 3 i 380 dpa 0045\r\nA/B\r\n\x02", b"\x03"),
    "iptc 7901, header": _line(b"\x01eca0003 3 i 380 ", b"\r\n\x02head\n\ntext\x03"),
    "iptc 7901, end": _line(b"\x01eca0003 3 i 380 dpa 0045\r\nA/B\r\n\x02head\n\ntext\x03", b""),
    "nothing around it": _line(b"", b""),
}
"""By name: a function from a text to a document that has it in each of its fields."""
