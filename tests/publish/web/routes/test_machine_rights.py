"""What machines may do: one setting, said wherever machines look."""

import pytest
from lxml import etree

from publish.web.routes.machine_rights import AI_CRAWLERS, headers_of, robots_txt, rsl, tdmrep

pytestmark = pytest.mark.unit
SITE = "https://news.example"
RSL = "{https://rslstandard.org/rsl}"


def test_nothing_is_reserved_where_all_is_open() -> None:
    """The pages and robots.txt are as they were."""
    assert headers_of("open", SITE, "") == []
    text = robots_txt("open", SITE)
    assert text.startswith("User-agent: *\nDisallow: /v1/\n")
    assert "License" not in text
    assert "GPTBot" not in text


def test_search_engines_may_index_and_models_may_not_train() -> None:
    """Each place says the same."""
    text = robots_txt("search", SITE)
    group = "\n".join(f"User-agent: {name}" for name in AI_CRAWLERS) + "\nDisallow: /\n"
    assert group in text
    assert "User-agent: *\nDisallow: /v1/\n" in text
    assert f"License: {SITE}/rsl.xml" in text
    headers = dict(headers_of("search", SITE, f"{SITE}/terms"))
    assert headers[b"tdm-reservation"] == b"1"
    assert headers[b"tdm-policy"] == b"https://news.example/terms"
    assert headers[b"link"] == b'<https://news.example/rsl.xml>; rel="license"; type="application/rsl+xml"'
    assert tdmrep(f"{SITE}/terms") == [
        {"location": "/", "tdm-reservation": 1, "tdm-policy": "https://news.example/terms"}
    ]
    licence = etree.fromstring(rsl("search", SITE, "A & B", f"{SITE}/terms").encode()).find(f"{RSL}content")
    assert licence.get("url") == "https://news.example/*"
    assert licence.findtext(f"{RSL}license/{RSL}permits") == "search"
    assert licence.findtext(f"{RSL}license/{RSL}prohibits") == "ai-all"
    assert licence.findtext(f"{RSL}copyright") == "A & B"


def test_none_reserves_search_too() -> None:
    """Whoever asks for it is not in search engines."""
    assert "User-agent: *\nDisallow: /\n" in robots_txt("none", SITE)
    content = etree.fromstring(rsl("none", SITE, "A", "").encode())
    assert content.find(f".//{RSL}permits") is None
    assert content.findtext(f".//{RSL}prohibits") == "all"
