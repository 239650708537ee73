"""Documents that are odd rather than large: numbers, names, charsets, times and addresses as no wire sends them."""

import gzip
from functools import partial

import pytest

from conformance.documents import outcome
from ingest.formats import Unreadable
from security.growth.measure import quiet_s

BIG = b"9" * 100000
ODD: dict[str, bytes] = {
    "int 1e5": b'{"guid":"a","headline":"b","urgency":' + BIG + b"}",
    "int 1e5 version": b'{"guid":"a","headline":"b","version":' + BIG + b"}",
    "float exp": b'{"guid":"a","headline":"b","urgency":1e999999}',
    "neg zero": b'{"guid":"a","headline":"b","urgency":-0}',
    "NaN": b'{"guid":"a","headline":"b","urgency":NaN,"extra":{"a":Infinity,"b":-Infinity}}',
    "lone": b'{"guid":"a\\ud800","headline":"b\\udfff","body_text":"\\ud83d x"}',
    "a digit that is no number": '{"guid":"a","headline":"b","urgency":"²"}'.encode(),
    "a number of many digits as text": b'{"guid":"a","headline":"b","urgency":"' + BIG + b'"}',
    "raw surrogate": b'{"guid":"a","headline":"\xed\xa0\x80"}',
    "dup keys": b'{"guid":"a","guid":"b","headline":"x","headline":"y","headline":"z"}',
    "dup many": b"{" + b",".join(b'"guid":"%d"' % i for i in range(200000)) + b',"headline":"x"}',
    "hash keys": b'{"guid":"a","headline":"b","extra":{'
    + b",".join(b'"%d":1' % (i * (2**61 - 1)) for i in range(100000))
    + b"}}",
    "nul": b'{"guid":"a\\u0000b","headline":"\\u0000"}',
    "version obj": b'{"guid":{"a":1},"headline":["b"],"body_html":{"x":1}}',
    "bool": b"true",
    "null": b"null",
    "str": b'"x"',
    "num": b"12",
    "empty list": b"[]",
    "empty obj": b"{}",
    "list of list": b"[[[[]]]]",
    "comment json": b'/*x*/{"guid":"a","headline":"b"}',
    "bom utf16": '{"guid":"a","headline":"b"}'.encode("utf-16"),
    "bom utf32": '{"guid":"a","headline":"b"}'.encode("utf-32"),
    "utf7": b"+ADw-rss+AD4-",
    "gzip inside": gzip.compress(b"0" * 10000000),
    "pdf": b"%PDF-1.7 " + b"x" * 1000,
    "rss ns clash": b'<rss xmlns="a" xmlns="b"><channel/></rss>',
    "rss pubdate": b"<rss><channel><item><guid>a</guid><title>b</title><pubDate>"
    + b"1" * 100000
    + b"</pubDate></item></channel></rss>",
    "rss pubdate neg": b"<rss><channel><item><guid>a</guid><title>b</title><pubDate>Fri, 99 Feb 99999 99:99:99 +9999</pubDate></item></channel></rss>",
    "atom id huge": b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>'
    + b"i" * 1000000
    + b"</id><title>b</title></entry></feed>",
    "atom base": b'<feed xmlns="http://www.w3.org/2005/Atom" xml:base="javascript:alert(1)//"><entry><id>a</id><title>b</title><link href="x"/></entry></feed>',
    "atom base nest": b'<feed xmlns="http://www.w3.org/2005/Atom">'
    + b'<entry xml:base="a/">' * 200
    + b"</entry>" * 200
    + b"</feed>",
    "xslt pi": b'<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="http://evil.example/x"?><rss><channel><item><guid>a</guid><title>b</title></item></channel></rss>',
    "xinclude": b'<rss xmlns:xi="http://www.w3.org/2001/XInclude"><channel><item><guid>a</guid><title><xi:include href="file:///etc/passwd" parse="text"/></title></item></channel></rss>',
    "xml 1.1": b'<?xml version="1.1"?><rss><channel><item><guid>a</guid><title>b&#1;</title></item></channel></rss>',
    "xml enc lie": b'<?xml version="1.0" encoding="utf-7"?><rss/>',
    "enc idna": b'<?xml version="1.0" encoding="idna"?><rss/>',
    "enc punycode": b'<?xml version="1.0" encoding="punycode"?><rss>' + b"a-" * 100000 + b"</rss>",
    "enc rot13": b'<?xml version="1.0" encoding="rot13"?><rss/>',
    "enc zlib": b'<?xml version="1.0" encoding="zlib"?><rss/>',
    "enc bz2": b'<?xml version="1.0" encoding="bz2_codec"?><rss/>',
    "enc unicode_escape": b'<?xml version="1.0" encoding="unicode_escape"?><rss/>',
    "enc undefined": b'<?xml version="1.0" encoding="undefined"?><rss/>',
    "enc mbcs": b'<?xml version="1.0" encoding="mbcs"?><rss/>',
    "enc hz": b'<?xml version="1.0" encoding="hz"?><rss>' + b"~{" * 500000 + b"</rss>",
    "enc iso2022jp": b'<?xml version="1.0" encoding="iso-2022-jp"?><rss>' + b"\x1b$B" * 300000 + b"</rss>",
    "ninjs dup": b'{"uri":"a","versioncreated":"99999-13-45T99:99:99Z","headline":"b","version":1e400}',
    "time far": b'{"guid":"a","headline":"b","version_created":"0000-00-00T00:00:00Z"}',
    "tz": b'{"guid":"a","headline":"b","version_created":"2026-01-01T00:00:00+99:99"}',
    "time num": b'{"guid":"a","headline":"b","version_created":' + BIG + b"}",
    "lang": b'{"guid":"a","headline":"b","language":"' + b"a-" * 50000 + b'"}',
    "link": b'{"guid":"a","headline":"b","link":"http://[' + b":" * 3000 + b']/"}',
    "link idna": ('{"guid":"a","headline":"b","link":"http://' + "ß" * 3000 + '.example/"}').encode(),
    "media svg": b'{"guid":"a","headline":"b","media":[{"url":"data:image/svg+xml,<svg onload=alert(1)>"},{"url":"file:///etc/passwd"}]}',
    "geo": b'{"guid":"a","headline":"b","subjects":[{"code":"' + b"x:" * 50000 + b'"}]}',
    "zwj": ('{"guid":"a","headline":"' + "\u200d" * 100000 + '"}').encode(),
    "zalgo": ('{"guid":"a","headline":"' + ("e" + "\u0301" * 5000) * 20 + '"}').encode(),
    "rtl": '{"guid":"a","headline":"\u202e\u2066\u2067x"}'.encode(),
}

"""By name."""
LONGEST_S = 1.0
"""Of a machine that does nothing else (`growth.measure`)."""


@pytest.mark.parametrize("name", ODD)
def test_an_odd_document_is_read_or_refused_with_a_reason(name: str) -> None:
    """At once, and never with an error of ours; what is read can be written as JSON, without NUL and half characters."""
    assert quiet_s(partial(outcome, ODD[name]), LONGEST_S) <= LONGEST_S
    found = outcome(ODD[name])
    if isinstance(found, Unreadable):
        assert found.code
        return
    assert all(one.code and one.reason for one in found.refused)
    for update in found.updates:
        written = update.model_dump_json()
        assert "\\u0000" not in written
        written.encode("utf-8")
