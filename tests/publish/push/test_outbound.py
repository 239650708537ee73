"""Requests to addresses that others gave us."""

import socket
from typing import Any

import pytest

from publish.push.outbound import Outbound, check_url, is_public


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "0.0.0.0",
        "::1",
        "fe80::1%eth0",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "fc00::1",
        "224.0.0.1",
        "100.64.0.1",
        "::",
        "255.255.255.255",
        "192.0.2.1",
    ],
)
def test_addresses_inside_are_not_public_however_they_are_wrapped(address: str) -> None:
    """Loopback, private, link-local, metadata, mapped, NAT64 and 6to4 addresses are refused."""
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    """What is on the Internet may be called, through NAT64 too."""
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "ftp://example.org/",
        "https://user:pw@example.org/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https:///x",
        "https://example.org/#x",
        "https://exa mple.org/",
        "https://example.org:0/",
        "https://[/",
    ],
)
def test_urls_that_cannot_be_meant_are_refused_when_they_are_given(url: str) -> None:
    """Only https to a host by name or public address is an endpoint."""
    assert check_url(url, allow_private=False) is not None


@pytest.mark.parametrize("host", ["localhost", "2130706433", "0x7f.1", "0177.0.0.1", "inside.example"])
async def test_what_a_name_resolves_to_is_checked_when_connecting(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name, or a number in disguise, that resolves to an address inside is not connected to."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    resolve = socket.getaddrinfo

    def inside(name: Any, *args: Any, **kwargs: Any) -> Any:
        return resolve("127.0.0.1" if name in (host, host.encode()) else name, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", inside)
    async with Outbound(allow_private=False, timeout_s=2) as outbound:
        answer = await outbound.send("POST", f"https://{host}:{port}/", body=b"x")
    listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        listener.accept()
    listener.close()
    assert answer.status is None
    assert "not a public address" in answer.error or "not a canonical" in answer.error
