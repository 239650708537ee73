"""Embedding, text pages, documentation."""

import gzip
import json
import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from publish.settings import Settings
from support.revisions import revision
from support.samples import full
from support.web_replica import Make, Replica


async def test_who_may_embed_is_a_setting(make_replica: Make) -> None:
    """Frames follow it by frame-ancestors, the component by CORS, oEmbed by not answering."""
    cases = {
        "*": ("frame-ancestors *", "*", "*", 200),
        "https://a.example, https://b.example": ("frame-ancestors 'self' https://a.example https://b.example", "https://a.example", None, 200),
        "": (None, None, None, 403),
    }  # fmt: skip
    for setting, (ancestors, known, stranger, status) in cases.items():
        replica = make_replica(publish_embed_origins=setting)
        replica.take(full())
        frame = await replica.get("/embed/stories/harbour-flood")
        assert frame.status_code == status
        if ancestors:
            assert frame.headers["content-security-policy"].endswith(ancestors)
        for origin, allowed in (("https://a.example", known), ("https://c.example", stranger)):
            answer = await replica.get("/embed-story.js", origin=origin)
            assert answer.headers.get("access-control-allow-origin") == allowed
            assert "Origin" in answer.headers["vary"]
        assert (await replica.get("/oembed?url=https://news.example/stories/harbour-flood")).status_code == status
        # Small on the wire, too, where a partner's readers pay for each byte.
        for name in ("client.js", "embed.js", "embed-story.js"):
            zipped = await replica.get(f"/{name}", **{"accept-encoding": "gzip"})
            plain = await replica.get(f"/{name}", **{"accept-encoding": "identity"})
            assert zipped.headers.get("content-encoding") == "gzip"
            assert "content-encoding" not in plain.headers
            assert "Accept-Encoding" in zipped.headers["vary"]
            assert (zipped.text, int(zipped.headers["content-length"]) < 3_500) == (plain.text, True)
        assert (await replica.get("/client.js")).headers["access-control-allow-origin"] == "*"
        assert "frame-ancestors 'none'" in (await replica.get("/")).headers["content-security-policy"]
    with pytest.raises(ValueError, match="not an origin"):
        Settings(publish_embed_origins="https://a.example/path")


async def test_what_is_embedded_goes_with_a_kill(replica: Replica) -> None:
    """Frame, fragment, oEmbed and text: the next answer has nothing of it."""
    replica.take(full(), revision("stays", story="harbour-flood"))
    update = f"https://news.example/updates/{full().update_id}/x"
    paths = (
        "/embed/stories/harbour-flood",
        "/embed/stories/harbour-flood.html",
        "/text",
        "/text/stories/harbour-flood",
    )
    own = (f"/embed/updates/{full().update_id}", f"/text/updates/{full().update_id}")
    for path in (*paths, *own):
        answer = await replica.get(path)
        assert "Tide gates closed" in answer.text, path
        assert "<script>" not in answer.text
    assert (await replica.get(f"/oembed?url={update}&maxwidth=300&dnt=1")).json()["width"] == 300
    replica.take(revision("full", 2, removal="killed"))
    for path in paths:
        assert "gates" not in (await replica.get(path)).text.lower(), path
    for path in own:
        assert (await replica.get(path)).status_code == 410, path
    assert (await replica.get(f"/oembed?url={update}")).status_code == 404


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400), ("url=https://other.example/stories/x", 404), ("url=https://news.example/", 404),
        ("url=https://news.example/stories/none", 404), ("url=https://news.example.evil/stories/x", 404),
        ("url=https://news.example/stories/harbour-flood&format=xml", 501), ("url=x&maxwidth=0", 400), ("url=x&callback=f", 400),
    ],
)  # fmt: skip
async def test_oembed_refuses_what_it_does_not_speak(replica: Replica, query: str, status: int) -> None:
    """Other sites, other formats, other parameters."""
    replica.take(full())
    assert (await replica.get(f"/oembed?{query}")).status_code == status


async def test_pages_say_how_they_are_embedded(replica: Replica) -> None:
    """The discovery link of oEmbed leads to an answer about the page."""
    replica.take(full())
    for path in ("/stories/harbour-flood", f"/updates/{full().update_id}/tide-gates-closed"):
        link = re.search(
            r'type="application/json\+oembed"[^>]*href="https://news.example([^"]+)"', (await replica.get(path)).text
        )
        assert link is not None
        answer = (await replica.get(link[1].replace("&amp;", "&"))).json()
        assert "/embed/" in answer["html"]


async def test_text_pages_fit_into_one_flight(replica: Replica) -> None:
    """14 kB with the head, whatever is published, and `Older` leads through everything once."""
    replica.take(
        *(revision(f"long-{n}", text=f"Слово {n} " * 3000, excerpt="Слово " * 400, language="uk") for n in range(40)),
        revision("huge", text="<&>" * 200_000, headline="<&>" * 300),
    )
    seen: list[str] = []
    address = "/text"
    while address:
        answer = await replica.get(address, **{"accept-encoding": "identity"})
        head = sum(len(name) + len(value) + 4 for name, value in answer.headers.raw) + 20
        assert len(answer.content) + head <= 14_000
        seen += re.findall(r'href="/text/updates/([a-z2-7]{26})"', answer.text)
        older = re.search(r'href="\?before=([0-9-]+)"', answer.text)
        address = f"/text?before={older[1]}" if older else ""
    assert len(dict.fromkeys(seen)) == 41
    for name in ("huge", "long-1"):
        answer = await replica.get(f"/text/updates/{revision(name).update_id}")
        assert len(answer.content) <= 13_000
        assert "Read all of it" in answer.text
    assert "<script" not in answer.text
    assert "stylesheet" not in answer.text


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.anchors: set[str] = set()
        self.paths: set[str] = set()
        self.loaded: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id"):
            assert given["id"] not in self.ids
            self.ids.add(given["id"] or "")
        href = given.get("href") or ""
        for address in (given.get("src") or "", href if tag == "link" and given.get("rel") != "canonical" else ""):
            if "//" in address:
                self.loaded.add(address)
        if href.startswith("#"):
            self.anchors.add(href[1:])
        elif href.startswith("/"):
            self.paths.add(href)


async def test_the_docs_describe_every_operation_and_lead_nowhere_else(replica: Replica) -> None:
    """All of the OpenAPI document is on the page, links resolve, and nothing is loaded from another host."""
    page = await replica.get("/docs")
    links = _Links()
    links.feed(page.text)
    assert links.anchors <= links.ids
    for path in links.paths:
        assert (await replica.get(path)).status_code == 200, path
    description = (await replica.get("/openapi.json")).json()
    for path, methods in description["paths"].items():
        for operation in methods.values():
            assert operation["operationId"] in links.ids
            assert path in page.text
    assert not links.loaded
    assert len(gzip.compress(page.content)) < 45_000


def test_scripts_for_others_are_small() -> None:
    """Comments and indentation apart, the client is below 5 kB."""
    for name, most in (("client.js", 5_000), ("embed.js", 1_200), ("embed-story.js", 7_000)):
        source = (files("publish.web") / "static" / name).read_text()
        lines = [line.strip() for line in source.splitlines()]
        assert len("\n".join(line for line in lines if line and not line.startswith(("//", "/**"))).encode()) <= most, (
            name
        )


async def test_structured_data_and_sitemaps(replica: Replica) -> None:
    """Agencies and desks are organisations, the publisher has a logo, a page without a picture a share picture; stories are in a sitemap."""
    desk = revision("desk", authors=({"name": "Foreign desk"}, {"name": "Reuters"}, {"name": "Ana Newsom"}))
    replica.take(desk, revision("s", story="flood & fire"))
    page = (await replica.get(f"/updates/{desk.update_id}/words")).text
    match = re.search(r'application/ld\+json">(.*?)</script>', page)
    assert match is not None
    data = json.loads(match[1])
    assert [each["@type"] for each in data["author"]] == ["Organization", "Organization", "Person"]
    assert data["publisher"]["logo"]["url"] == "https://news.example/static/logo.png"
    assert 'content="https://news.example/static/share.png"' in page
    assert (await replica.get("/static/share.png")).headers["content-type"] == "image/png"
    assert "https://news.example/sitemap-stories.xml" in (await replica.get("/sitemap.xml")).text
    assert "https://news.example/stories/flood%20%26%20fire" in (await replica.get("/sitemap-stories.xml")).text
    assert "Sitemap: https://news.example/sitemap.xml" in (await replica.get("/robots.txt")).text
