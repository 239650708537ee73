"""The guarded client: where it may go, how far, how much, how long. Against a real server, with real connections."""

import asyncio
import contextlib
import gzip
import socket
import ssl
import time
import zlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.http.client.addresses import why_forbidden
from shared.http.client.errors import RequestFailed, RequestRefused
from shared.http.client.guarded import ClientLimits, GuardedClient, GuardedResolver, Judge, Resolve, SystemResolve
from shared.http.client.urls import parsed_url
from support.http_host import Answer, HttpHost, http_host

MAX_BYTES = 100_000
LIMITS = ClientLimits(total_s=5.0, redirects=5)


@pytest_asyncio.fixture
async def host() -> AsyncIterator[HttpHost]:
    """A host that answers as a test says."""
    async with http_host() as made:
        yield made


async def fetch(
    url: str,
    *,
    allow_private: bool = True,
    limits: ClientLimits = LIMITS,
    judge: Judge | None = None,
    resolve: Resolve | None = None,
) -> bytes:
    """The body behind a URL, by a client of its own."""
    async with GuardedClient(allow_private=allow_private, limits=limits, judge=judge, resolve=resolve) as client:
        return (await client.request("GET", url, max_bytes=MAX_BYTES)).body


async def refusal(
    url: str, *, allow_private: bool = True, judge: Judge | None = None, resolve: Resolve | None = None
) -> str:
    """Why a URL is refused for good."""
    with pytest.raises(RequestRefused) as caught:
        await fetch(url, allow_private=allow_private, judge=judge, resolve=resolve)
    return str(caught.value)


@pytest.mark.parametrize(
    "name",
    ["localhost", "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1", "[::1]",
     "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "0", "0.0.0.0", "169.254.169.254", "2852039166",
     "0xa9fea9fe", "inside.example"],
)  # fmt: skip
async def test_own_machine_in_every_notation(name: str, host: HttpHost) -> None:
    """Decimal, octal, hexadecimal, shortened and IPv6 forms of forbidden hosts all meet the check on the address."""
    host.routes["/"] = Answer(body=b"secret")
    system = SystemResolve()

    async def resolve(asked: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"] if asked == "inside.example" else await system(asked, port)

    with pytest.raises((RequestRefused, RequestFailed)) as caught:
        await fetch(f"http://{name}:{host.port}/", allow_private=False, resolve=resolve)
    assert any(each in str(caught.value) for each in ("forbidden address", "not resolved", "not a URL"))
    assert not host.asked


async def test_name_is_resolved_once_and_that_address_is_connected_to(host: HttpHost) -> None:
    """A resolver that answers differently the second time (DNS rebinding) changes nothing: what was checked is what is
    connected to, with the name in the Host header."""
    host.routes["/a"] = Answer(body=b"picture")
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])
    resolved: list[str] = []

    async def resolve(name: str, _: int) -> Sequence[str]:
        resolved.append(name)
        return next(answers)

    url = f"http://pictures.example:{host.port}/a"
    assert await fetch(url, resolve=resolve) == b"picture"
    assert resolved == ["pictures.example"]
    assert host.asked[0].headers["host"] == f"pictures.example:{host.port}"
    assert "metadata service" in await refusal(url, resolve=resolve)
    assert len(host.asked) == 1


async def test_only_permitted_addresses_of_a_name_are_tried() -> None:
    """Where a name has public and private addresses, only the public ones are connected to."""

    async def resolve(_: str, __: int) -> Sequence[str]:
        return ["10.0.0.1", "93.184.216.34", "::1", "2606:4700::1111", "127.0.0.1"]

    found = await GuardedResolver(why_forbidden, resolve).resolve("mixed.example", 80)
    assert [each["host"] for each in found] == ["93.184.216.34", "2606:4700::1111"]


async def test_name_that_is_not_known_may_be_known_later() -> None:
    """A resolver that fails is of the moment."""

    async def resolve(_: str, __: int) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(RequestFailed, match="not resolved"):
        await fetch("http://nowhere.example/", resolve=resolve)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///etc/passwd", "scheme"),
        ("ftp://example.org/a.jpg", "scheme"),
        ("gopher://example.org/", "scheme"),
        ("data:image/png;base64,AA", "scheme"),
        ("//example.org/a.jpg", "scheme"),
        ("http:///a.jpg", "host"),
        ("http://user:password@example.org/", "user or a password"),
        ("http://[::1/", "not a URL"),
        ("http://example.org:0/", "not a URL"),
        ("http://example.org/" + "a" * 5000, "too long"),
        ("", "scheme"),
        ("http://exa mple.org/\r\nX: y", "not a URL"),
        ("http://exa mple.org/", "not a URL"),
    ],
)
def test_url_is_judged_before_anything_is_asked(url: str, reason: str) -> None:
    """Other schemes and credentials are refused by the URL alone."""
    with pytest.raises(RequestRefused, match=reason):
        parsed_url(url)


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("http://example.org", "http://example.org/"),
        ("https://example.org/a%2Fb?sig=x%2By%3D&z=a+b#part", "https://example.org/a%2Fb?sig=x%2By%3D&z=a+b"),
        ("http://b\u00fccher.example/\u00fc b?q=\u00fc", "http://xn--bcher-kva.example/%C3%BC%20b?q=%C3%BC"),
        ("http://example.org:80/50%?", "http://example.org/50%"),
    ],
)
def test_what_is_escaped_in_a_url_stays_as_it_is(url: str, sent: str) -> None:
    """A signature over a URL holds; only what cannot be sent is escaped."""
    parsed = parsed_url(url)
    assert f"{parsed.scheme}://{parsed.raw_authority}{parsed.raw_path_qs}" == sent


async def test_redirects_are_followed_and_judged_anew(host: HttpHost) -> None:
    """Each hop goes through the same checks; a relative one works; what is behind five is taken, behind six not."""
    host.routes |= {f"/{each}": Answer(302, {"Location": f"/{each + 1}"}) for each in range(6)}
    host.routes["/6"] = Answer(body=b"picture")
    assert await fetch(host.url("/1")) == b"picture"
    assert "more than 5 redirects" in await refusal(host.url("/0"))
    for location, reason in {
        "file:///etc/passwd": "scheme",
        "http://169.254.169.254/latest/meta-data/": "metadata service",
        "http://user:pw@127.0.0.1/": "user or a password",
        "http://example.org:99999/": "not a URL",
    }.items():
        host.routes["/away"] = Answer(301, {"Location": location})
        assert reason in await refusal(host.url("/away"))


async def test_redirects_are_answers_where_none_is_to_be_followed(host: HttpHost) -> None:
    """A form is not sent on, and a client without redirects gives the answer as it is."""
    host.routes["/"] = Answer(307, {"Location": "/there"})
    async with GuardedClient(allow_private=True, limits=LIMITS) as client:
        assert (await client.post_form(host.url("/"), {"a": "b"})).status == 307
    async with GuardedClient(allow_private=True) as client:
        assert (await client.request("GET", host.url("/"), max_bytes=100)).status == 307
    assert [asked.path for asked in host.asked] == ["/", "/"]


async def test_redirect_into_the_private_network_is_refused(host: HttpHost) -> None:
    """A public host cannot send us to our own machine."""
    host.routes["/public"] = Answer(302, {"Location": f"http://127.0.0.2:{host.port}/inside"})

    async def resolve(name: str, _: int) -> Sequence[str]:
        return ["127.0.0.1"] if name == "public.example" else [name]

    def judge(address: str) -> str | None:
        return None if address == "127.0.0.1" else why_forbidden(address)

    assert "loopback" in await refusal(f"http://public.example:{host.port}/public", judge=judge, resolve=resolve)
    assert [asked.path for asked in host.asked] == ["/public"]


async def test_credentials_stay_with_the_host_they_are_for(host: HttpHost) -> None:
    """A redirect to another origin carries what asks for a form of the answer, and no more."""
    host.routes |= {
        "/away": Answer(302, {"Location": f"http://localhost:{host.port}/b"}),
        "/near": Answer(302, {"Location": "/b"}),
        "/b": Answer(body=b"x"),
    }
    sent = {"Authorization": "Bearer secret", "X-Key": "secret", "Accept": "text/plain"}
    async with GuardedClient(allow_private=True, limits=LIMITS) as client:
        await client.request("GET", host.url("/away"), headers=sent, max_bytes=100)
        await client.request("GET", host.url("/near"), headers=sent, max_bytes=100)
    away, near = [asked.headers for asked in host.asked if asked.path == "/b"]
    assert away["accept"] == "text/plain"
    assert not {"authorization", "x-key"} & set(away)
    assert near["authorization"] == near["x-key"].replace("secret", "Bearer secret")


async def test_size_is_limited_by_what_is_told_and_by_what_comes(host: HttpHost) -> None:
    """A length over the limit is not begun; a body without one is cut off at the limit."""
    host.routes |= {
        "/told": Answer(body=b"x", length=False, headers={"Content-Length": "100000000"}),
        "/silent": Answer(body=b"x" * 1_000_000, length=False, piece=10_000),
        "/exact": Answer(body=b"x" * MAX_BYTES),
    }
    assert "too large" in await refusal(host.url("/told"))
    assert "too large" in await refusal(host.url("/silent"))
    assert len(await fetch(host.url("/exact"))) == MAX_BYTES


async def test_compressed_bomb_is_cut_off_at_the_limit(host: HttpHost) -> None:
    """The limit counts after the content encoding; what was not asked for and cannot be bounded is refused."""
    gzipped, picture = {"Content-Encoding": "gzip"}, gzip.compress(b"picture")
    host.routes |= {
        "/bomb": Answer(body=gzip.compress(b"\0" * 50_000_000), headers=gzipped),
        "/fair": Answer(body=picture, headers=gzipped),
        "/deflate": Answer(body=zlib.compress(b"picture"), headers={"Content-Encoding": "deflate"}),
        "/members": Answer(body=picture + picture, headers=gzipped),
        "/torn": Answer(body=gzip.compress(b"picture" * 100)[:20], headers=gzipped),
        "/lie": Answer(body=b"picture", headers=gzipped),
        "/empty": Answer(304, headers=gzipped),
        "/br": Answer(body=b"picture", headers={"Content-Encoding": "br"}),
    }
    assert "too large" in await refusal(host.url("/bomb"))
    assert await fetch(host.url("/fair")) == await fetch(host.url("/deflate")) == b"picture"
    assert await fetch(host.url("/members")) == b"picturepicture"
    assert await fetch(host.url("/empty")) == b""
    with pytest.raises(RequestFailed, match="before its time"):
        await fetch(host.url("/torn"))
    assert "damaged" in await refusal(host.url("/lie"))
    assert "'br'" in await refusal(host.url("/br"))


async def test_what_a_content_encoding_gives_nothing_of_is_limited_too(host: HttpHost) -> None:
    """Bytes behind its end are not read; a header without an end meets the limit of what is sent."""
    endless = b"\x1f\x8b\x08\x08" + b"\0" * 6 + b"n" * 5_000_000
    gzipped = {"Content-Encoding": "gzip"}
    host.routes |= {
        "/behind": Answer(body=gzip.compress(b"picture") + b"\0" * 5_000_000, headers=gzipped, length=False),
        "/header": Answer(body=endless, headers=gzipped, length=False),
        "/members": Answer(body=gzip.compress(b"") * 5_000, headers=gzipped, length=False),
    }
    assert await fetch(host.url("/behind")) == b"picture"
    assert await fetch(host.url("/members")) == b""
    assert "too large" in await refusal(host.url("/header"))


async def test_whole_time_is_limited_however_a_host_drips(host: HttpHost) -> None:
    """A byte now and then keeps no connection beyond the limit: each read is quick, the whole is not."""
    host.routes["/drip"] = Answer(body=b"x" * 1000, piece=1, pause_s=0.1)
    started = time.monotonic()
    with pytest.raises(RequestFailed, match="within"):
        await fetch(host.url("/drip"), limits=ClientLimits(total_s=0.6))
    assert time.monotonic() - started < 5


async def test_time_between_two_pieces_is_limited(host: HttpHost) -> None:
    """A host that falls silent is left."""
    host.routes["/silent"] = Answer(body=b"xx", piece=1, pause_s=2.0)
    with pytest.raises(RequestFailed):
        await fetch(host.url("/silent"), limits=ClientLimits(read_s=0.3))


async def test_no_cookie_and_no_proxy(host: HttpHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one answer sets is not sent with the next, and the environment's proxies are not used."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    host.routes["/a"] = Answer(body=b"picture", headers={"Set-Cookie": "id=1; Path=/"})
    async with GuardedClient(allow_private=True) as client:
        for _ in range(2):
            assert (await client.request("GET", host.url("/a"), max_bytes=100)).body == b"picture"
    assert "cookie" not in host.asked[1].headers


async def test_links_are_absolute(host: HttpHost) -> None:
    """The `Link` headers of a response, as they are meant."""
    host.routes["/a"] = Answer(headers={"Link": '</hub>; rel="hub", <http://[bad>; rel=x'})
    host.routes["/b"] = Answer(headers={"Link": '</hub>; rel="hub", <c>; rel="self"'})
    async with GuardedClient(allow_private=True) as client:
        assert (await client.request("GET", host.url("/a"), max_bytes=9)).links == ()
        links = (await client.request("GET", host.url("/b"), max_bytes=9)).links
    assert [(link["rel"], link["url"]) for link in links] == [("hub", host.url("/hub")), ("self", host.url("/c"))]


async def test_certificate_is_that_of_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection goes to the checked address, and TLS still asks for and judges the name of the URL."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pictures.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("pictures.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "host.pem"
    pem.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    asked_names: list[str] = []
    context.sni_callback = lambda _, asked, __: asked_names.append(asked)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\npicture")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]

    async def resolve(_: str, __: int) -> Sequence[str]:
        return ["127.0.0.1"]

    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    assert await fetch(f"https://pictures.example:{port}/a", resolve=resolve) == b"picture"
    with pytest.raises(RequestFailed, match="CERTIFICATE_VERIFY_FAILED"):
        await fetch(f"https://other.example:{port}/a", resolve=resolve)
    assert asked_names == ["pictures.example", "other.example"]
    server.close()
