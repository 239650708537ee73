"""Fetching: where it may go, how far, how much, how long. Against a real server, with real connections."""

import asyncio
import contextlib
import gzip
import socket
import ssl
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from enrich.media.fetch import Budget, CheckedBackend, Fetcher, FetchLimits, checked_url, retry_after_s
from enrich.media.refusals import Later, Refused

LOCAL = FetchLimits(allow_private=True, seconds=5.0, bytes=100_000)


async def fetch(url: str, limits: FetchLimits = LOCAL, backend: CheckedBackend | None = None) -> bytes:
    """The bytes behind a URL, by a fetcher of their own."""
    async with Fetcher(limits, backend=backend) as fetcher, fetcher.fetched(url) as data:
        return data


async def refusal(url: str, limits: FetchLimits = LOCAL, backend: CheckedBackend | None = None) -> str:
    """Why a URL is refused for good."""
    with pytest.raises(Refused) as caught:
        await fetch(url, limits, backend)
    return caught.value.reason


@pytest.mark.parametrize(
    "host",
    ["localhost", "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1", "[::1]",
     "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0", "0.0.0.0", "169.254.169.254", "2852039166", "0xa9fea9fe"],
)  # fmt: skip
async def test_own_machine_in_every_notation(host: str, picture_host: Any, answer: Any) -> None:
    """Decimal, octal, hexadecimal, shortened and IPv6 forms of forbidden hosts all meet the check on the address."""
    picture_host.routes["/"] = answer(body=b"secret")
    limits = FetchLimits(ports=(picture_host.port,), seconds=5.0)
    with pytest.raises((Refused, Later)) as caught:
        await fetch(f"http://{host}:{picture_host.port}/", limits)
    assert any(each in caught.value.reason for each in ("forbidden address", "not resolved", "not a URL"))
    assert not picture_host.asked


async def test_name_is_resolved_once_and_that_address_is_connected_to(picture_host: Any, answer: Any) -> None:
    """A resolver that answers differently the second time (DNS rebinding) changes nothing: what was checked is what is
    connected to, with the name in the Host header."""
    picture_host.routes["/a"] = answer(body=b"picture")
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])
    resolved: list[str] = []

    async def resolver(host: str, _: int) -> Sequence[str]:
        resolved.append(host)
        return next(answers)

    backend = CheckedBackend(resolver=resolver, allow_private=True)
    url = f"http://pictures.example:{picture_host.port}/a"
    assert await fetch(url, backend=backend) == b"picture"
    assert resolved == ["pictures.example"]
    assert picture_host.asked[0].headers["host"] == f"pictures.example:{picture_host.port}"
    assert "metadata service" in await refusal(url, backend=backend)
    assert len(picture_host.asked) == 1


class Recorder(httpcore.AnyIOBackend):
    """Notes where a connection would go, and makes none."""

    def __init__(self) -> None:
        self.addresses: list[str] = []

    async def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> Any:
        """Only note it."""
        self.addresses.append(host)
        raise httpcore.ConnectError("noted")


async def test_only_permitted_addresses_of_a_name_are_tried() -> None:
    """Where a name has public and private addresses, only the public ones are connected to."""
    recorder = Recorder()

    async def resolver(_: str, __: int) -> Sequence[str]:
        return ["10.0.0.1", "93.184.216.34", "::1", "2606:4700::1111", "127.0.0.1"]

    with pytest.raises(Later):
        await fetch("http://mixed.example/", FetchLimits(), CheckedBackend(resolver=resolver, connect=recorder))
    assert recorder.addresses == ["93.184.216.34", "2606:4700::1111"]


async def test_name_that_is_not_known_may_be_known_later() -> None:
    """A resolver that fails is of the moment."""

    async def resolver(_: str, __: int) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(Later, match="not resolved"):
        await fetch("http://nowhere.example/", backend=CheckedBackend(resolver=resolver))


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
        ("http://example.org:22/", "port 22"),
        ("http://example.org:6379/", "port 6379"),
        ("https://example.org:25/", "port 25"),
        ("http://[::1/", "not a URL"),
        ("http://example.org/" + "a" * 5000, "too long"),
        ("", "scheme"),
        ("http://exa mple.org/\r\nX: y", "not a URL"),
    ],
)
def test_url_is_judged_before_anything_is_asked(url: str, reason: str) -> None:
    """Other schemes, ports and credentials are refused by the URL alone."""
    with pytest.raises(Refused, match=reason):
        checked_url(url, FetchLimits())


async def test_redirects_are_followed_and_judged_anew(picture_host: Any, answer: Any) -> None:
    """Each hop goes through the same checks; a relative one works; a picture behind five is taken, behind six not."""
    picture_host.routes |= {f"/{each}": answer(302, {"Location": f"/{each + 1}"}) for each in range(6)}
    picture_host.routes["/6"] = answer(body=b"picture")
    assert await fetch(picture_host.url("/1")) == b"picture"
    assert "more than 5 redirects" in await refusal(picture_host.url("/0"))
    for location, reason in {
        "file:///etc/passwd": "scheme",
        "http://169.254.169.254/latest/meta-data/": "metadata service",
        "http://user:pw@127.0.0.1/": "user or a password",
        "http://example.org:99999/": "not a URL",
    }.items():
        picture_host.routes["/away"] = answer(301, {"Location": location})
        assert reason in await refusal(picture_host.url("/away"))


async def test_redirect_into_the_private_network_is_refused(picture_host: Any, answer: Any) -> None:
    """A public host cannot send us to our own machine."""
    picture_host.routes |= {
        "/public": answer(302, {"Location": picture_host.url("/inside")}),
        "/inside": answer(body=b"secret"),
    }

    async def resolver(host: str, _: int) -> Sequence[str]:
        return ["93.184.216.34"] if host == "public.example" else [host]

    class Redirected(httpcore.AnyIOBackend):
        async def connect_tcp(self, _: str, __: int, *more: Any, **named: Any) -> Any:
            """The public address is played by our host."""
            return await super().connect_tcp("127.0.0.1", picture_host.port, *more, **named)

    backend = CheckedBackend(resolver=resolver, connect=Redirected())
    limits = FetchLimits(ports=(80, picture_host.port), seconds=5.0)
    assert "loopback" in await refusal("http://public.example/public", limits, backend)
    assert [asked.path for asked in picture_host.asked] == ["/public"]


async def test_size_is_limited_by_what_is_told_and_by_what_comes(picture_host: Any, answer: Any) -> None:
    """A length over the limit is not begun; a body without one is cut off at the limit."""
    picture_host.routes |= {
        "/told": answer(body=b"x", length=False, headers={"Content-Length": "100000000"}),
        "/silent": answer(body=b"x" * 1_000_000, length=False, piece=10_000),
        "/exact": answer(body=b"x" * 100_000),
    }
    assert "too large: 100,000,000" in await refusal(picture_host.url("/told"))
    assert "too large: more than" in await refusal(picture_host.url("/silent"))
    assert len(await fetch(picture_host.url("/exact"))) == 100_000


async def test_compressed_bomb_is_cut_off_at_the_limit(picture_host: Any, answer: Any) -> None:
    """The limit counts after the content encoding; what was not asked for and cannot be bounded is refused."""
    picture_host.routes |= {
        "/bomb": answer(body=gzip.compress(b"\0" * 50_000_000), headers={"Content-Encoding": "gzip"}),
        "/fair": answer(body=gzip.compress(b"picture"), headers={"Content-Encoding": "gzip"}),
        "/torn": answer(body=gzip.compress(b"picture" * 100)[:20], headers={"Content-Encoding": "gzip"}),
        "/lie": answer(body=b"picture", headers={"Content-Encoding": "gzip"}),
        "/br": answer(body=b"picture", headers={"Content-Encoding": "br"}),
    }
    assert "too large" in await refusal(picture_host.url("/bomb"))
    assert await fetch(picture_host.url("/fair")) == b"picture"
    with pytest.raises(Later):
        await fetch(picture_host.url("/torn"))
    assert "damaged" in await refusal(picture_host.url("/lie"))
    assert "'br'" in await refusal(picture_host.url("/br"))


async def test_what_a_content_encoding_gives_nothing_of_is_limited_too(picture_host: Any, answer: Any) -> None:
    """Bytes behind its end are not read; a header without an end meets the limit of what is sent."""
    endless = b"\x1f\x8b\x08\x08" + b"\0" * 6 + b"n" * 5_000_000
    picture_host.routes |= {
        "/behind": answer(
            body=gzip.compress(b"picture") + b"\0" * 5_000_000, headers={"Content-Encoding": "gzip"}, length=False
        ),
        "/header": answer(body=endless, headers={"Content-Encoding": "gzip"}, length=False),
    }
    assert await fetch(picture_host.url("/behind")) == b"picture"
    assert "too large" in await refusal(picture_host.url("/header"))


async def test_whole_time_is_limited_however_a_host_drips(picture_host: Any, answer: Any) -> None:
    """A byte now and then keeps no connection beyond the limit: each read is quick, the whole is not."""
    picture_host.routes["/drip"] = answer(body=b"x" * 1000, piece=1, pause_s=0.1)
    started = time.monotonic()
    with pytest.raises(Later, match="not fetched within"):
        await fetch(picture_host.url("/drip"), FetchLimits(allow_private=True, seconds=0.6))
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, Refused),
        (403, Refused),
        (401, Refused),
        (410, Refused),
        (204, Refused),
        (206, Refused),
        (501, Refused),
        (500, Later),
        (502, Later),
        (503, Later),
        (429, Later),
        (408, Later),
    ],
)
async def test_status_says_whether_to_come_again(
    picture_host: Any, answer: Any, status: int, kind: type[Exception]
) -> None:
    """What a host refuses is final, what it cannot do now is not."""
    picture_host.routes["/a"] = answer(status)
    with pytest.raises(kind):
        await fetch(picture_host.url("/a"))


async def test_retry_after_is_heeded(picture_host: Any, answer: Any) -> None:
    """The host's own pause comes with the failure."""
    picture_host.routes["/a"] = answer(429, {"Retry-After": "120"})
    with pytest.raises(Later) as caught:
        await fetch(picture_host.url("/a"))
    assert caught.value.after_s == 120
    assert retry_after_s("Wed, 21 Oct 2015 07:28:00 GMT", now=1445412470) == 10
    assert retry_after_s("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert retry_after_s("soon") is None
    assert retry_after_s("-1") is None


async def test_no_cookie_and_no_proxy(picture_host: Any, answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one answer sets is not sent with the next, and the environment's proxies are not used."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    picture_host.routes["/a"] = answer(body=b"picture", headers={"Set-Cookie": "id=1; Path=/"})
    async with Fetcher(LOCAL) as fetcher:
        for _ in range(2):
            async with fetcher.fetched(picture_host.url("/a")) as data:
                assert data == b"picture"
    assert "cookie" not in picture_host.asked[1].headers


async def test_budget_bounds_what_is_held_at_once() -> None:
    """Bytes of pictures in memory never exceed the budget, and a picture larger than it still gets its turn."""
    budget = Budget(100)
    held = most = 0

    async def hold(size: int) -> None:
        nonlocal held, most
        async with budget.place(size):
            held += min(size, 100)
            most = max(most, held)
            await asyncio.sleep(0)
            held -= min(size, 100)

    await asyncio.gather(*(hold(size) for size in (60, 60, 40, 500, 100, 1)))
    assert most <= 100
    assert held == 0


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

    async def resolver(_: str, __: int) -> Sequence[str]:
        return ["127.0.0.1"]

    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    backend = CheckedBackend(resolver=resolver, allow_private=True)
    assert await fetch(f"https://pictures.example:{port}/a", backend=backend) == b"picture"
    with pytest.raises(Later, match="CERTIFICATE_VERIFY_FAILED"):
        await fetch(f"https://other.example:{port}/a", backend=backend)
    assert asked_names == ["pictures.example", "other.example"]
    server.close()
