"""The naughty strings through the text fields of the formats that can carry them: unharmed, but for what no page can hold."""

import json
from html import escape
from typing import Any

import pytest

from conformance.documents import corpus, letters, read_document, words_of
from ingest.formats.text import plain as text

pytestmark = pytest.mark.conformance

STRINGS: list[str] = json.loads(corpus("naughty-strings", "blns.json")[0].read_text("utf-8"))
TEXTS = (
    "headline",
    "summary",
    "byline",
    "credit",
    "copyright",
    "usage_terms",
    "located",
    "slugline",
    "editors_note",
    "private_note",
    "correction_reason",
)


@pytest.mark.parametrize("field", TEXTS)
def test_native_fields_keep_every_string(field: str) -> None:
    """What is sent is what is emitted, without control characters."""
    for number, value in enumerate(STRINGS):
        document: dict[str, Any] = {"guid": f"g{number}", "headline": "x", field: value}
        reading = read_document(json.dumps(document), taken_for="native")
        if not reading.updates:
            assert field == "headline"
            assert [refused.code for refused in reading.refused] == ["empty"]
            assert not text.cleaned(value).strip()
            continue
        assert getattr(reading.updates[0], field) == text.cleaned(value)


def test_a_naughty_guid_is_an_identity() -> None:
    """Every string that is not blank identifies an update, and different strings different ones."""
    readings = [
        read_document(json.dumps({"guid": value, "headline": "x"}), taken_for="native")
        for value in STRINGS
        if value.strip()
    ]
    ids = [reading.updates[0].update_id for reading in readings if reading.updates]
    assert len(ids) > 480
    assert len(set(ids)) == len({reading.updates[0].guid for reading in readings if reading.updates})


def test_plain_text_bodies_show_every_string() -> None:
    """A plain body is escaped, so that a reader sees the very characters."""
    for value in STRINGS:
        reading = read_document(json.dumps({"guid": "g", "headline": "x", "body_text": value}), taken_for="native")
        assert letters(words_of(reading.updates[0].body_html)) == letters(text.cleaned(value))


def test_newsml_and_rss_titles_show_every_string() -> None:
    """The same through XML, where the document can say it at all."""
    for value in STRINGS:
        plain = text.cleaned(value)
        newsml = (
            '<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="g"><contentMeta><headline>'
            f"{escape(plain)}</headline></contentMeta></newsItem>"
        )
        shown = [update.headline for update in read_document(newsml).updates]
        assert letters("".join(shown)) == letters(plain)
        atom = (
            '<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>g</id><title type="text">'
            f"{escape(plain)}</title><summary>x</summary></entry></feed>"
        )
        assert letters(read_document(atom).updates[0].headline) == letters(plain)
