"""Documents made to keep a reader busy or fill its memory, ten megabytes each unless noted: bombs, depth, size, number."""

from collections.abc import Callable

MEGA = 1024 * 1024
G2 = b'<newsMessage xmlns="http://iptc.org/std/nar/2006-10-01/"><itemSet>'
CAP = (
    b'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>1</identifier><status>Actual</status><scope>Public</scope>'
    b"<msgType>Cancel</msgType>"
)
RSS = b'<rss version="2.0"><channel>'
NITF = b"<nitf><body><body.content>"
NINJS = b'{"uri":"a","versioncreated":"2026-11-23T09:00:00Z","x":'
ANPA = b"\x16\x16\x01W2870\x1fasian\nu l BC-A 11-13 0049\n\x02"
IPTC = b"\x01eca0003 3 i 380 dpa 0045\r\n\x02"


def _filled(head: bytes, piece: bytes, tail: bytes = b"", size: int = 10 * MEGA) -> Callable[[], bytes]:
    return lambda: head + piece * ((size - len(head) - len(tail)) // len(piece)) + tail


def _bomb() -> bytes:
    laughs = "".join(f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 10))
    return f'<!DOCTYPE a [<!ENTITY l0 "lol">{laughs}]><a>&l9;</a>'.encode()


ATTACKS: dict[str, Callable[[], bytes]] = {
    "entities that multiply": _bomb,
    "an entity behind blanks": _filled(b"<!DOCTYPE a [", b" ", b'<!ENTITY a "b">]><a>&a;</a>'),
    "a document type without end": _filled(b"<!DOCTYPE a [", b"<!ELEMENT a ANY>"),
    "comments before the root": _filled(b"", b"<!--a-->", b"<rss/>"),
    "a comment without end": _filled(b"<!--", b"-"),
    "newsml-g2, deep": _filled(G2 + b'<newsItem guid="a">', b"<a>"),
    "newsml-1, deep": _filled(b"<NewsML><NewsItem>", b"<NewsComponent>"),
    "nitf, deep": _filled(NITF, b"<b>"),
    "nitf, deep in utf-16": lambda: ("<nitf>" + "<a>" * 1_600_000).encode("utf-16"),
    "rss, deep": _filled(RSS, b"<a>"),
    "rss, deep and broken": _filled(RSS + b"<item>&bogus;<title>", b"<a>"),
    "cap, deep": _filled(CAP, b"<info>"),
    "newsml-g2, items": _filled(G2, b'<newsItem guid="a"/>', b"</itemSet></newsMessage>"),
    "nitf, tags": _filled(NITF, b"<b/>", b"</body.content></body></nitf>"),
    "rss, items": _filled(RSS, b"<item/>", b"</channel></rss>"),
    "atom, entries": _filled(
        b'<feed xmlns="http://www.w3.org/2005/Atom">', b"<entry><id>1</id></entry>", b"</feed>", MEGA
    ),
    "cap, alerts": _filled(b"<alerts>" + CAP + b"</alert>", b"<alert/>", b"</alerts>"),
    "cap, infos": _filled(CAP, b"<info/>", b"</alert>"),
    "cap, references": _filled(CAP + b"<references>", b"a,1,2026-11-23T09:00:00Z ", b"</references></alert>"),
    "nitf, one attribute": _filled(b'<nitf a="', b"x", b'"/>'),
    "nitf, attributes": lambda: b"<nitf " + b" ".join(b'a%d="1"' % number for number in range(700_000)) + b"/>",
    "nitf, one text": _filled(NITF + b"<p>", b"x", b"</p></body.content></body></nitf>"),
    "nitf, references": _filled(NITF, b"&a;", b"</body.content></body></nitf>"),
    "nitf, ampersands": _filled(NITF, b"& ", b"</body.content></body></nitf>"),
    "nitf, control characters": _filled(NITF, b"\x01", b"</body.content></body></nitf>"),
    "nitf, sections without end": _filled(NITF, b"<![CDATA["),
    "json, deep lists": _filled(b"", b"["),
    "json, deep objects": _filled(b"", b'{"a":'),
    "json, deep inside": lambda: NINJS + b"[" * 150 + b"]" * 150 + b"}",
    "json, deep many times": _filled(NINJS + b"[[]", b"," + b"[" * 100 + b"]" * 100, b"]}"),
    "json, items": _filled(b"[{}", b',{"uri":"a"}', b"]"),
    "json, members": lambda: b"{" + b",".join(b'"k%d":1' % number for number in range(800_000)) + b"}",
    "json, the same member": _filled(b'{"uri":"a"', b',"k":1', b"}"),
    "json, a number": _filled(NINJS, b"9", b"}"),
    "json, quotes": _filled(NINJS + b'"', b'" ', b"}", MEGA),
    "json, commas": _filled(b'{"uri":"a"', b", ", b"}", MEGA),
    "anpa, without end": _filled(ANPA, b"^head<\r\n"),
    "anpa, messages": _filled(b"", b"\x01W2870\x1fasian\n"),
    "anpa, figures": _filled(ANPA, b" 1", b"\x03"),
    "iptc 7901, without end": _filled(IPTC, b"x \n"),
    "iptc 7901, indented lines": _filled(IPTC, b"x\n  y\n", b"\x03"),
    "blanks": _filled(b"", b" "),
    "zeros": _filled(b"", b"\x00"),
}
"""By name; nothing of any of them becomes an update."""
