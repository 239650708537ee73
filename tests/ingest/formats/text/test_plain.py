"""What may be in a text, and the glance at a whole document that saves looking at every field."""

import json

import pytest

from conformance.documents import read_document
from ingest.formats.text import plain as text

FORBIDDEN = [
    chr(code)
    for code in (*range(0x20), 0x7F, *range(0x80, 0xA0), *range(0xD800, 0xE000), *range(0xFDD0, 0xFDF0), 0xFFFE, 0xFFFF)
    if text.cleaned(chr(code)) != chr(code)
]


def test_the_glance_misses_nothing() -> None:
    """Every character that is taken out is seen in a document, written as it is or as any escape of JSON or XML."""
    for character in FORBIDDEN:
        assert text.may_be_unclean(json.dumps(character).encode())
        assert text.may_be_unclean(json.dumps(character).upper().replace("\\U", "\\u").encode()) or character in "\b\f"
        assert text.may_be_unclean(f"<p>&#{ord(character)};</p>".encode())
        if not "\ud800" <= character <= "\udfff" and character >= " ":
            assert text.may_be_unclean(character.encode())


def test_ordinary_copy_is_passed_at_a_glance() -> None:
    """Letters, quotes, line breaks and escapes of letters need no second look."""
    value = json.dumps("Größe “quoted” – naïve\n") + json.dumps("\u00e9\u4e2d", ensure_ascii=True) + "日本語 №"
    assert not text.may_be_unclean(value.encode())


@pytest.mark.parametrize("character", ["\b", "\f", "\x07", "\x85", "\ufffe"])
def test_no_escape_of_json_brings_a_control_character_in(character: str) -> None:
    """Whatever way it is written, it is not in the update."""
    for escaped in (True, False):
        body = json.dumps({"uri": "u", "headline": f"a{character}b", "pubstatus": "usable"}, ensure_ascii=escaped)
        headline = read_document(body).updates[0].headline
        assert headline in ("ab", "a b")


@pytest.mark.parametrize(
    ("dateline", "place"),
    [
        ("KYIV, March 3 (Reuters) -", "KYIV"),
        ("London (dpa) - ", "London"),
        ("Oslo, 23 nov 2026 (AFP)", "Oslo"),
        ("WASHINGTON", "WASHINGTON"),
        ("KANSAS CITY, Mo.", "KANSAS CITY, Mo."),
        ("2018-01-03 20:13:08 GMT+00:00", ""),
        ("", ""),
    ],
)
def test_the_place_of_a_dateline(dateline: str, place: str) -> None:
    """A dateline is a place, perhaps a date and an agency; a time alone is no place."""
    assert text.place_of_dateline(dateline) == place


@pytest.mark.parametrize(
    ("note", "private"),
    [
        ("Corrects the name in paragraph two", False),
        ("EDITOR'S NOTE _ The writer was there.", False),
        ("Eds: With AP Photos.", True),
        ("Note to editors: call 555", True),
        ("The following information is not intended for publication", True),
        ("NOT FOR PUBLICATION", True),
    ],
)
def test_notes_that_say_of_themselves_that_they_are_for_desks(note: str, private: bool) -> None:
    """The wording of agencies keeps a note from readers, whatever field it comes in."""
    assert text.says_private(note) is private
