"""Requests to addresses that others gave us."""

import socket
from typing import Any

import pytest

from publish.push.delivery.outbound import Outbound, check_url


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
