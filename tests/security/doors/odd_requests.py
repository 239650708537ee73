"""Requests as no client of ours would send them, and headers with which a stranger speaks for a proxy."""

import asyncio
import contextlib
import re
import ssl
from dataclasses import dataclass

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
POST = b"POST /v1/updates HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
SECOND = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\nX-Smuggled: smuggled\r\n\r\n"
MANY = b"".join(b"X-%d: y\r\n" % number for number in range(5_000))

ODD: dict[str, bytes] = {
    # Two lengths: whoever believes the other one reads a second request out of the first one's body.
    "length and chunks": POST + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "chunks and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n" + SECOND + b"0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + SECOND,
    "lengths in a list": POST + b"Content-Length: 0, 44\r\n\r\n" + SECOND,
    "a length below zero": POST + b"Content-Length: -1\r\n\r\n" + SECOND,
    "a length with a sign": POST + b"Content-Length: +4\r\n\r\n{}{}" + SECOND,
    "a length of many digits": POST + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n{}",
    "an unknown encoding": POST + b"Transfer-Encoding: xchunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + SECOND,
    "chunked twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + SECOND,
    "a blank before the colon": POST + b"Transfer-Encoding : chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + SECOND,
    "a folded header": POST + b"X: y\r\n Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + SECOND,
    "a bare line feed": POST + b"X: y\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + SECOND,
    "a bare carriage return": POST + b"X: y\rTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + SECOND,
    "a chunk size with a prefix": POST + b"Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n",
    "a chunk size of many digits": POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n{}\r\n0\r\n\r\n",
    "a chunk that is longer than it says": POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{}{}\r\n0\r\n\r\n",
    "trailers": POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nAuthorization: Bearer x\r\nHost: evil.example\r\n\r\n",
    # Names and addresses.
    "no host": b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
    "two hosts": HEAD + b"Host: evil.example\r\n\r\n",
    "a host of somebody else": b"GET /stories/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    "a host of garbage": b"GET /stories/ HTTP/1.1\r\nHost: a@evil.example:x/\\\"'<b>\r\nConnection: close\r\n\r\n",
    "a whole address": b"GET http://evil.example/stories/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "two slashes": b"GET //evil.example/stories/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "backslashes": b"GET /\\evil.example\\/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "up and away": b"GET /static/../../../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "up and away, escaped": b"GET /media/%2e%2e%2f%2e%2e%2fetc%2fpasswd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "up and away, escaped twice": b"GET /static/%252e%252e%252fetc HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "a NUL in the address": b"GET /stories/%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "a raw NUL": b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "half a surrogate": b"GET /stories/%ed%a0%80?before=%ed%a0%80 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "a line in the address": b"GET /stories/%0d%0aX-Injected:%20smuggled/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "bytes above ASCII": b"GET /\xff\xfe HTTP/1.1\r\nHost: \xff\r\nX: \xff\xfe\r\nConnection: close\r\n\r\n",
    "a long address": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "many parameters": b"GET /?" + b"&".join(b"a%d=1" % number for number in range(900)) + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    # Fields.
    "thousands of fields": HEAD + MANY + b"\r\n",
    "a long field": HEAD + b"X: " + b"y" * 200_000 + b"\r\n\r\n",
    "a field without a name": HEAD + b": y\r\n\r\n",
    "a NUL in a field": HEAD + b"X: a\x00b\r\n\r\n",
    "many ranges": HEAD + b"Range: bytes=" + b",".join(b"%d-" % number for number in range(2_000)) + b"\r\n\r\n",
    "many entity tags": HEAD + b"If-None-Match: " + b", ".join(b'"%d"' % number for number in range(3_000)) + b"\r\n\r\n",
    "many languages": HEAD + b"Accept-Language: " + b",".join(b"a%d;q=0.1" % number for number in range(2_000)) + b"\r\n\r\n",
    "many types": HEAD + b"Accept: " + b",".join(b"a/b;q=0.1" for _ in range(2_000)) + b"\r\n\r\n",
    "a cookie of many": HEAD + b"Cookie: " + b"; ".join(b"a%d=b" % number for number in range(3_000)) + b"\r\n\r\n",
    "an event id of many digits": b"GET /v1/since HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: " + b"9" * 20_000 + b"\r\nConnection: close\r\n\r\n",
    # Other protocols and methods.
    "a web socket": b"GET /v1/stream HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nLast-Event-ID: 0-0\r\n\r\n",
    "HTTP/2 over clear text": HEAD + b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
    "HTTP/2 at once": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00" * 9,
    "HTTP/0.9": b"GET /\r\n",
    "HTTP/1.0": b"GET / HTTP/1.0\r\n\r\n",
    "HTTP/9.9": b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
    "a tunnel": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "a trace": b"TRACE / HTTP/1.1\r\nHost: localhost\r\nX: evil.example\r\nConnection: close\r\n\r\n",
    "a method of its own": b"SLUG / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "options of all": b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "an expectation": POST + b"Expect: 200-maybe\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    "TLS where there is none": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
    "nothing but line ends": b"\r\n" * 20_000,
    # Many at once.
    "a hundred in one piece": b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100,
}  # fmt: skip
"""By name: what is sent, as it is."""

EVIL = "evil.example"
LISTED: dict[str, dict[str, str]] = {
    "host": {"X-Forwarded-Host": EVIL, "X-Host": EVIL, "X-Forwarded-Server": EVIL, "X-HTTP-Host-Override": EVIL},
    "forwarded": {"Forwarded": f"for={EVIL};host={EVIL};proto=http"},
    "scheme": {"X-Forwarded-Proto": EVIL, "X-Forwarded-Scheme": EVIL, "X-Forwarded-Port": "1", "X-Url-Scheme": EVIL},
    "prefix": {"X-Forwarded-Prefix": f"//{EVIL}", "X-Script-Name": f"//{EVIL}"},
    "address": {"X-Original-URL": "/v1/keys", "X-Rewrite-URL": "/metrics"},
    "method": {"X-HTTP-Method-Override": "DELETE", "X-HTTP-Method": "POST", "X-Method-Override": "PUT"},
    "client": {"X-Forwarded-For": f"{EVIL}, 127.0.0.1", "X-Real-IP": EVIL, "True-Client-IP": EVIL, "CF-Connecting-IP": EVIL},
    "referrer": {"Referer": f"https://{EVIL}/", "Origin": f"https://{EVIL}", "User-Agent": f"<script src=//{EVIL}>"},
    "cookie": {"Cookie": f"lang={EVIL}; session=<script>{EVIL}"},
}  # fmt: skip
"""By name: fields that a page must not be made of, or a shared cache would give it to everybody."""


@dataclass(frozen=True)
class Found:
    """What came until the connection ended, or fell silent."""

    raw: bytes

    @property
    def statuses(self) -> list[int]:
        """Those of all answers."""
        return [int(each) for each in re.findall(rb"HTTP/1\.[01] (\d{3})", self.raw)]


async def asked(port: int, sent: bytes, context: ssl.SSLContext | None = None, silent_s: float = 1.0) -> Found:
    """Send it on a connection of its own, and read until it ends or nothing comes for a moment."""
    host = {"server_hostname": "localhost"} if context else {}
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, **host)
    got = bytearray()
    with contextlib.suppress(OSError, TimeoutError):
        writer.write(sent)
        while piece := await asyncio.wait_for(reader.read(65_536), silent_s):
            got += piece
    writer.close()
    with contextlib.suppress(OSError, TimeoutError, ssl.SSLError):
        await asyncio.wait_for(writer.wait_closed(), 1)
    return Found(bytes(got))
