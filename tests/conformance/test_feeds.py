"""feedparser's corpus: what its `Expect:` comments say of an entry is in the update, where an update has a place for it."""

import ast
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from conformance.documents import corpus, letters, named, read_document, words_of
from ingest.formats import ReadResult, Unreadable
from shared.messages import RawUpdate

pytestmark = pytest.mark.conformance

FILES = corpus("feeds", "*.xml")
_EXPECT = re.compile(rb"^\s*(?:Expect|expect):\s*(.+?)\s*$", re.MULTILINE)
_CLAIM = re.compile(r"entries\[(\d)\]((?:\['\w+'\]|\[\d\]|\.\w+)+) == (u?(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"))")
_CLAIMED_TIME = re.compile(r"entries\[(\d)\]\['(updated|published|created)_parsed'\] == (\([\d, ]+\))")
_FILTERED = ("/sanitize/", "bozo_linenoise.xml")
"""What feedparser makes of markup when it sanitises it, which we leave to enrich; line noise."""


def claims(path: Path) -> list[tuple[int, str, Any]]:
    """(entry, field, value) of each plain equation about an entry."""
    found = _EXPECT.search(path.read_bytes())
    if found is None:
        return []
    text = found.group(1).decode("utf-8", "replace")
    plain = [
        (
            int(number),
            field.replace("['", ".").replace("']", "").replace("[0]", "").lstrip("."),
            ast.literal_eval(value),
        )
        for number, field, value in _CLAIM.findall(text)
    ]
    times = [
        (int(number), f"{name}_parsed", ast.literal_eval(value)) for number, name, value in _CLAIMED_TIME.findall(text)
    ]
    return plain + times


def everything(update: RawUpdate) -> str:
    """All that an update shows, as letters."""
    return letters(update.headline) + letters(words_of(update.body_html)) + letters(update.summary)


def shows(*texts: str) -> Callable[[str], bool]:
    """Whether one of some texts is the value, as written or as a browser shows it."""
    return lambda value: not {letters(value), letters(words_of(value))}.isdisjoint(map(letters, texts))


def contains(whole: str) -> Callable[[str], bool]:
    """Whether a text has the words of the value in it."""
    return lambda value: letters(words_of(value)) in whole


def is_at(moment: datetime | None) -> Callable[[tuple[int, ...]], bool]:
    """Whether a time is the value."""
    return lambda value: moment is not None and moment.astimezone(UTC) == datetime(*value[:6], tzinfo=UTC)


def checks(update: RawUpdate) -> dict[str, Callable[[Any], bool]]:
    """feedparser's names of what an update has a place for, and how to see that it is there."""
    title, body = shows(update.headline), contains(everything(update))
    codes = [word for subject in update.subjects for word in (subject.code, subject.name) if word]
    return {
        "title": title,
        "title_detail.value": title,
        "description": body,
        "summary": body,
        "summary_detail.value": body,
        "content.value": body,
        "id": update.guid.__eq__,
        "guid": update.guid.__eq__,
        "link": lambda value: update.link == value or not value.startswith(("http://", "https://")),
        "author": lambda value: value in update.byline or "@" in value,
        "author_detail.name": lambda value: value in [creator.name for creator in update.creators],
        "tags.term": codes.__contains__,
        "content.language": lambda value: update.language == value,
        "summary_detail.language": lambda value: update.language == value,
        "rights": shows(update.copyright),
        "source.title": shows(update.credit),
        "updated_parsed": is_at(update.version_created),
        "published_parsed": is_at(update.first_created),
    }


def _read(path: Path) -> ReadResult | None:
    try:
        return read_document(path.read_bytes())
    except Unreadable:
        return None


def test_what_feedparser_expects_of_an_entry_is_in_its_update() -> None:
    """Titles, texts, links, ids, authors, tags, rights, languages and times of feedparser's own tests are kept."""
    checked = 0
    wrong: list[str] = []
    for path in FILES:
        if any(folder in str(path) for folder in _FILTERED):
            continue
        text = claims(path)
        reading = _read(path) if text else None
        if reading is None or reading.refused:
            continue
        for number, field, value in text:
            if number >= len(reading.updates):
                continue
            check = checks(reading.updates[number]).get(field)
            if check is None or not value or (isinstance(value, str) and not value.strip()):
                continue
            checked += 1
            if not check(value):
                wrong.append(f"{named(path)}: {field} should be {value!r}: {reading.updates[number]!r}"[:400])
    assert checked > 220
    assert not wrong, f"{len(wrong)} of {checked}:\n" + "\n".join(wrong)


@pytest.mark.parametrize(
    "path", [path for path in FILES if "entity_decl" in path.name or "entity_in" in path.name], ids=named
)
def test_a_feed_that_declares_entities_is_refused(path: Path) -> None:
    """Even feedparser's harmless entities are refused: nobody needs them, and attacks look the same."""
    with pytest.raises(Unreadable, match="entities"):
        read_document(path.read_bytes())


def test_every_feed_yields_updates_or_a_reason_and_the_same_ones_again() -> None:
    """No file raises anything but Unreadable, what is not taken says why, and a feed that comes again holds nothing new."""
    for path in FILES:
        first, second = _read(path), _read(path)
        if first is None or second is None:
            continue
        assert all(refused.code and refused.reason for refused in first.refused)
        assert [update.fingerprint() for update in first.updates] == [update.fingerprint() for update in second.updates]
