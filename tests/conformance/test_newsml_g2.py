"""IPTC's NewsML-G2 examples and unit test files, and what IPTC's own Python package reads in them."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import NewsMLG2
import pytest
from lxml import etree

from conformance.documents import corpus, letters, named, outcome, read_document, words_of
from ingest.formats import Unreadable

pytestmark = pytest.mark.conformance

FILES = corpus("newsml-g2", "*.xml")
NS = {"g2": "http://iptc.org/std/nar/2006-10-01/"}
NEWS = [path for path in FILES if re.search(rb"<(?:newsItem|packageItem)\b", path.read_bytes())]
OTHER = [path for path in FILES if path not in NEWS]


@pytest.mark.parametrize("path", NEWS, ids=named)
def test_an_item_keeps_what_its_elements_say(path: Path) -> None:
    """Guid, version, headline, byline, subjects, keywords, rights, creators and texts, found by plain XPath, are kept."""
    reading = read_document(path.read_bytes())
    tree = etree.fromstring(path.read_bytes())
    items = tree.xpath("descendant-or-self::g2:newsItem[@guid]", namespaces=NS)
    by_guid = {update.guid: update for update in reading.updates}
    # An item of metadata alone has nothing to show.
    assert by_guid or {refused.code for refused in reading.refused} == {"empty"}
    for item in items:
        if item.get("guid") not in by_guid and reading.refused:
            continue
        update = by_guid[item.get("guid")]
        assert update.version == item.get("version")

        def texts(where: str, item: etree._Element = item) -> list[str]:
            return [" ".join("".join(one.itertext()).split()) for one in item.xpath(where, namespaces=NS)]

        everything = letters(update.model_dump_json().encode().decode("unicode_escape", "replace"))
        headlines = [value for value in texts("g2:contentMeta/g2:headline") if value]
        assert not headlines or update.headline in headlines
        for value in texts("g2:contentMeta/g2:by") + texts("g2:contentMeta/g2:keyword"):
            assert value in update.byline or value in update.keywords
        for qcode in item.xpath("g2:contentMeta/g2:subject/@qcode", namespaces=NS):
            assert qcode in [subject.code for subject in update.subjects]
        for value in texts("g2:contentMeta/g2:creator/g2:name"):
            assert (
                letters(value) in everything
                or value in [creator.name for creator in update.creators]
                or len(item.xpath("g2:contentMeta/g2:creator[count(g2:name) > 1]", namespaces=NS))
            )
        for value in texts("g2:contentSet//*[local-name()='body.content']//*[local-name()='p']") + texts(
            "g2:contentSet//*[local-name()='body']/*[local-name()='p']"
        ):
            assert letters(value) in letters(update.headline + words_of(update.body_html))
        for href in item.xpath("g2:contentSet/g2:remoteContent/@href", namespaces=NS):
            if href.startswith("http"):
                assert any(href in (one.url, *one.renditions) for one in update.media)


@pytest.mark.parametrize("path", OTHER, ids=named)
def test_what_carries_no_news_says_so(path: Path) -> None:
    """Concepts, knowledge, planning and catalogs are no updates: the reason says so, nothing is fetched."""
    found = outcome(path.read_bytes())
    if isinstance(found, Unreadable):
        assert found.code == "unknown-format"
    else:
        assert [refused.code for refused in found.refused] == ["not-news"] or found.format == "nitf"


def _reference(path: Path) -> Any:
    """What IPTC's package makes of a file; None where it cannot read it or finds no news item."""
    try:
        item = NewsMLG2.NewsMLG2Document(str(path)).get_item()
    except Exception:  # noqa: BLE001 -- what the other reader cannot read cannot be compared
        return None
    return item if type(item).__name__ == "NewsItem" else None


def test_our_reading_agrees_with_the_standards_own() -> None:
    """IPTC's package and ours find the same guid, version, headlines, subjects and version time in the same files."""
    compared = 0
    for path in NEWS:
        item = _reference(path)
        if item is None:
            continue
        reading = read_document(path.read_bytes())
        if [refused.code for refused in reading.refused] == ["empty"]:
            continue
        update = next(one for one in reading.updates if one.guid == item.guid)
        assert (update.version or "1") == str(item.version)
        created = getattr(item.itemmeta, "versioncreated", None)
        if created is not None and update.version_created is not None:
            assert update.version_created == datetime.fromisoformat(str(created).strip())
        headlines = [" ".join(str(one).split()) for one in getattr(item.contentmeta, "headline", None) or []]
        assert not headlines or update.headline in headlines
        codes = [getattr(one, "qcode", None) for one in getattr(item.contentmeta, "subject", None) or []]
        assert {code for code in codes if code} <= {subject.code for subject in update.subjects}
        compared += 1
    assert compared > 20
