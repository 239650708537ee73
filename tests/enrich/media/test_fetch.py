"""Fetching pictures: which answers are final, which ports are asked, what is held in memory."""

import asyncio

import pytest

from enrich.media.errors import PictureRefused, PictureUnavailable
from enrich.media.fetch import Fetcher, FetchLimits, MemoryBudget
from support.http_host import Answer, HttpHost

LOCAL = FetchLimits(allow_private=True, seconds=5.0, bytes=100_000)


async def fetch(url: str, limits: FetchLimits = LOCAL) -> bytes:
    """The bytes behind a URL, by a fetcher of their own."""
    async with Fetcher(limits) as fetcher, fetcher.fetched(url) as data:
        return data


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.org:22/", "port 22"),
        ("http://example.org:6379/", "port 6379"),
        ("https://example.org:25/", "port 25"),
        ("file:///etc/passwd", "scheme"),
        ("http://user:password@example.org/", "user or a password"),
        ("http://127.0.0.1/", "forbidden address"),
    ],
)
async def test_other_schemes_ports_and_credentials_are_refused_for_good(url: str, reason: str) -> None:
    """Nothing is asked of such an address, and nothing will be."""
    with pytest.raises(PictureRefused, match=reason):
        await fetch(url, FetchLimits())


async def test_port_of_a_redirect_is_checked_too(picture_host: HttpHost) -> None:
    """A host in order cannot lead to a port that is none of pictures."""
    picture_host.routes["/a"] = Answer(302, {"Location": "http://127.0.0.1:6379/"})
    fetcher = Fetcher(FetchLimits(ports=(picture_host.port,)), judge=lambda _: None)
    async with fetcher:
        with pytest.raises(PictureRefused, match="port 6379"):
            async with fetcher.fetched(picture_host.url("/a")):
                pass


async def test_size_time_and_damage(picture_host: HttpHost) -> None:
    """What is too large or damaged is refused for good; what is late or cut off may come later."""
    picture_host.routes |= {
        "/large": Answer(body=b"x" * 100_001),
        "/damaged": Answer(body=b"picture", headers={"Content-Encoding": "gzip"}),
        "/drip": Answer(body=b"x" * 1000, piece=1, pause_s=0.1),
        "/short": Answer(body=b"x", length=False, headers={"Content-Length": "5"}),
    }
    for path, reason in {"/large": "too large", "/damaged": "damaged"}.items():
        with pytest.raises(PictureRefused, match=reason):
            await fetch(picture_host.url(path))
    with pytest.raises(PictureUnavailable, match="within"):
        await fetch(picture_host.url("/drip"), FetchLimits(allow_private=True, seconds=0.6))
    with pytest.raises(PictureUnavailable):
        await fetch(picture_host.url("/short"))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, PictureRefused),
        (403, PictureRefused),
        (401, PictureRefused),
        (410, PictureRefused),
        (204, PictureRefused),
        (206, PictureRefused),
        (501, PictureRefused),
        (500, PictureUnavailable),
        (502, PictureUnavailable),
        (503, PictureUnavailable),
        (429, PictureUnavailable),
        (408, PictureUnavailable),
    ],
)
async def test_status_says_whether_to_come_again(picture_host: HttpHost, status: int, kind: type[Exception]) -> None:
    """What a host refuses is final, what it cannot do now is not."""
    picture_host.routes["/a"] = Answer(status)
    with pytest.raises(kind):
        await fetch(picture_host.url("/a"))


async def test_retry_after_is_heeded(picture_host: HttpHost) -> None:
    """The host's own pause comes with the failure."""
    picture_host.routes["/a"] = Answer(429, {"Retry-After": "120"})
    with pytest.raises(PictureUnavailable) as caught:
        await fetch(picture_host.url("/a"))
    assert caught.value.after_s == 120


async def test_budget_bounds_what_is_held_at_once() -> None:
    """Bytes of pictures in memory never exceed the budget, and a picture larger than it still gets its turn."""
    budget = MemoryBudget(100)
    held = most = 0

    async def hold(size: int) -> None:
        nonlocal held, most
        async with budget.reserve(size):
            held += min(size, 100)
            most = max(most, held)
            await asyncio.sleep(0)
            held -= min(size, 100)

    await asyncio.gather(*(hold(size) for size in (60, 60, 40, 500, 100, 1)))
    assert most <= 100
    assert held == 0
