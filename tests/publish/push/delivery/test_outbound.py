"""Requests to addresses that others gave us."""

import pytest

from publish.push.delivery.outbound import Outbound, check_url
from support.http_host import Answer, http_host


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


async def test_what_goes_wrong_is_in_the_answer() -> None:
    """No error is raised: a refusal, and a port where nobody listens, are in the answer."""
    async with Outbound(allow_private=False, timeout_s=2) as outbound:
        refused = await outbound.send("POST", "https://localhost:9/", body=b"x")
    assert refused.status is None
    assert "forbidden address" in refused.error
    async with Outbound(allow_private=True, timeout_s=2) as outbound:
        assert (await outbound.send("POST", "http://127.0.0.1:9/", body=b"x")).status is None


async def test_long_answers_are_cut() -> None:
    """What is longer than of use is left unread."""
    async with http_host() as host, Outbound(allow_private=True, timeout_s=5) as outbound:
        host.routes["/"] = Answer(body=b"x" * 100_000)
        answer = await outbound.send("GET", host.url("/"))
        assert (answer.status, len(answer.body)) == (200, 16_384)
