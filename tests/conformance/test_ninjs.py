"""IPTC's ninjs suites and the agencies' own examples: what they say is in the updates."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from conformance.documents import corpus, letters, named, outcome, read_document, words_of
from ingest.formats import Unreadable

pytestmark = pytest.mark.conformance

FILES = [
    path
    for path in corpus("ninjs", "*.json")
    if "specification" not in path.parts and "schema" not in path.name.lower()
]
PASSING = [
    path
    for path in FILES
    if "should_pass" in path.parts or ("examples" in path.parts and "schema-extension" not in path.parts)
]
FAILING = [path for path in FILES if "should_fail" in path.parts]


def _items(path: Path) -> list[dict[str, Any]]:
    value = json.loads(path.read_text("utf-8"))
    return value if isinstance(value, list) else [value]


def _first_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return next((one["value"] for one in value if isinstance(one, dict) and one.get("role") in ("main", None)), "")
    return ""


@pytest.mark.parametrize("path", PASSING, ids=named)
def test_what_an_item_says_is_in_its_update(path: Path) -> None:
    """Identity, version, status, headline, language, people, places, subjects and pictures are kept, whatever the version."""
    reading = read_document(path.read_bytes())
    items = _items(path)
    if reading.refused:
        # The suite's items of metadata alone have nothing to show.
        assert {refused.code for refused in reading.refused} == {"empty"}
        return
    assert len(reading.updates) == len(items)
    for update, item in zip(reading.updates, items, strict=True):
        text = {name.lower(): value for name, value in item.items()}
        assert update.guid == text["uri"]
        assert update.version == (str(text["version"]) if "version" in text else None)
        if text.get("type") != "planning" and not any(repair.code.startswith("embargo") for repair in update.repairs):
            assert update.status == text.get("pubstatus", "usable")
        if text.get("language"):
            assert update.language == text["language"]
        headline = text.get("headline") or _first_text(text.get("headlines"))
        assert update.headline == (words_of(headline) if "</" in headline else headline) or not headline
        byline = text.get("byline") or text.get("by") or ""
        assert byline in (update.byline, update.credit)
        names = {subject.name for subject in update.subjects} | {subject.code for subject in update.subjects}
        for kind in ("person", "people", "place", "places", "organisation", "organisations", "subject", "subjects"):
            for one in text.get(kind, []):
                assert not one.get("name") or one["name"] in names
        found = json.dumps([reference.model_dump() for reference in update.media])
        for href in _hrefs(text):
            assert href in found


def _hrefs(item: dict[str, Any]) -> list[str]:
    """The hrefs of pictures, videos and sounds in an item and its associations, as far as they can be fetched."""
    found: list[str] = []
    associations = item.get("associations") or []
    for one in [item, *(associations.values() if isinstance(associations, dict) else associations)]:
        renditions = one.get("renditions") or []
        for each in renditions.values() if isinstance(renditions, dict) else renditions:
            mime = each.get("mimetype") or each.get("contenttype") or each.get("contentType") or "image/"
            if each.get("href", "").startswith("http") and mime.startswith(("image/", "video/", "audio/")):
                found.append(each["href"])
    return found


@pytest.mark.parametrize("path", [path for path in PASSING if "examples" in path.parts], ids=named)
def test_the_text_of_an_agency_is_whole(path: Path) -> None:
    """Each word of a body, and of a caption, is in the update."""
    for update, item in zip(read_document(path.read_bytes()).updates, _items(path), strict=True):
        bodies = [value for name, value in item.items() if name.startswith("body_") and isinstance(value, str)]
        bodies += [
            one["value"]
            for one in item.get("bodies", [])
            if "html" in one.get("contentType", one.get("contenttype", ""))
        ]
        # What stands around the text (captions, sign-offs) is kept for the desk.
        kept = letters(
            update.headline
            + words_of(update.body_html)
            + json.dumps(update.extra, ensure_ascii=False)
            + update.private_note
        )
        for body in bodies[:1]:
            for paragraph in re.findall(r"<p>([^<]+)</p>", body):
                assert letters(words_of(paragraph)) in kept
        if update.media and item.get("type") == "picture":
            captions = [one["value"] for one in item.get("descriptions", []) if one.get("role") in ("caption", "text")]
            assert (
                any(letters(caption) == letters(update.media[0].caption or "") for caption in captions) or not captions
            )


@pytest.mark.parametrize("path", FAILING, ids=named)
def test_an_item_that_breaks_the_schema_yields_an_update_or_a_reason(path: Path) -> None:
    """Schemas are not reality: what can be understood is taken, the rest is refused with a code and a reason."""
    found = outcome(path.read_bytes())
    if isinstance(found, Unreadable):
        assert found.code
        assert found.reason
    else:
        assert found.updates or found.refused


def test_an_agency_that_names_a_member_twice_is_read() -> None:
    """Business Wire's example has one rendition twice: the last is taken and the repair recorded."""
    reading = read_document(
        next(
            path for path in PASSING if path.parts[-2:] == ("1.4", "businesswire-newsml-20130731006140.json")
        ).read_bytes()
    )
    assert [repair.code for repair in reading.repairs] == ["duplicate-key"]
    assert reading.updates[0].media
