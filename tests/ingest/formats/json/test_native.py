"""Native JSON: what is wrong is named with its place, what is beside it is taken."""

import json
from datetime import timedelta
from typing import Any

import jsonschema
import pytest

from conformance.documents import outcome, read_document
from ingest.formats import ReadResult, Unreadable
from ingest.formats.json import native

UPDATE = {"guid": "g1", "headline": "Port closes", "body_html": "<p>The port closed.</p>"}


def native_of(value: Any) -> ReadResult:
    """A value as native JSON."""
    return read_document(value if isinstance(value, (bytes, str)) else json.dumps(value), taken_for="native")


@pytest.mark.parametrize(
    ("flawed", "code", "place"),
    [
        ('{"guid": "b", "headline": NaN}', "not-a-number", "/1/headline"),
        ('{"guid": "b", "urgency": -Infinity}', "not-a-number", "/1/urgency"),
        ('{"guid": "b", "headline": "x", "extra": {"n": 1e999}}', "not-a-number", "/1/extra/n"),
        ('{"guid": "b", "guid": "c", "headline": "x"}', "duplicate-key", "/1/guid"),
        ('{"guid": "b", "headline": "x\\u0000y"}', "nul", "/1/headline"),
        ('{"guid": "b", "headline": "x\\ud800y"}', "lone-surrogate", "/1/headline"),
        ('{"headline": "x"}', "missing-field", "/1/guid"),
        ('{"guid": "", "headline": "x"}', "invalid-field", "/1/guid"),
        ('{"guid": "b"}', "empty", "/1/headline"),
        ('{"guid": "b", "headline": "x", "urgency": 12}', "invalid-field", "/1/urgency"),
        ('{"guid": "b", "headline": "x", "version_created": "yesterday"}', "not-a-time", "/1/version_created"),
        ('{"guid": "b", "headline": "x", "versionCreated": 5}', "not-a-time", "/1/versionCreated"),
        ('{"guid": "b", "headline": "x", "media": [{"caption": "c"}]}', "invalid-field", "/1/media/0/url"),
        ('{"guid": "b", "headline": ["x"]}', "invalid-field", "/1/headline"),
        ('"b"', "not-an-object", "/1"),
    ],
)
def test_one_bad_item_is_refused_with_its_pointer_and_the_good_ones_are_taken(
    flawed: str, code: str, place: str
) -> None:
    """Each flaw has a stable code and the JSON pointer of what is at fault; its neighbours are updates all the same."""
    reading = native_of(f'[{{"guid": "a", "headline": "A"}}, {flawed}, {{"guid": "z", "headline": "Z"}}]')
    assert [update.guid for update in reading.updates] == ["a", "z"]
    assert [(refused.index, refused.code, refused.place) for refused in reading.refused] == [(1, code, place)]
    assert reading.refused[0].reason


def test_bytes_of_another_charset_are_named_where_they_stand() -> None:
    """JSON is UTF-8: an item with Latin-1 in it is refused, the others are not."""
    reading = native_of(b'{"updates": [{"guid": "a", "headline": "A"}, {"guid": "b", "headline": "caf\xe9"}]}')
    assert [update.guid for update in reading.updates] == ["a"]
    assert (reading.refused[0].code, reading.refused[0].place) == ("bad-charset", "/updates/1/headline")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty"),
        (b"   \n", "empty"),
        (b'{"guid": "a", "headline": "A"', "malformed-json"),
        (b'{"guid": "a"} trailing', "malformed-json"),
        (b"[" * 100_000, "too-deep"),
        (b'{"guid":"a","headline":"A","extra":' + b'{"a":' * 70 + b"1" + b"}" * 71, "too-deep"),
        (b'"only a string"', "not-an-object"),
        (b" " * (16 * 1024 * 1024) + b"{}", "too-large"),
    ],
)
def test_what_is_no_document_at_all_is_refused_as_a_whole(body: bytes, code: str) -> None:
    """Truncated, too deep, too large, not JSON: one clear code."""
    found = outcome(body, taken_for="native")
    assert isinstance(found, Unreadable)
    assert found.code == code


def test_values_whose_meaning_is_plain_are_put_right_and_recorded() -> None:
    """A number for a text, a text for a number, one for a list, a name for a subject: taken, with the repair's place."""
    reading = native_of(
        {
            "guid": 17,
            "headline": "A",
            "urgency": "3",
            "version": 4,
            "subjects": "Economy",
            "creators": ["Anna"],
            "keywords": None,
        }
        | {"guid": "17"}
    )
    update = reading.updates[0]
    assert (update.urgency, update.version, update.subjects[0].name, update.creators[0].name) == (
        3,
        "4",
        "Economy",
        "Anna",
    )
    assert {(repair.code, repair.place) for repair in update.repairs} == {
        ("text-for-number", "/urgency"),
        ("number-for-text", "/version"),
        ("single-for-list", "/subjects"),
    }


def test_synonyms_and_camel_case_are_understood_and_the_unknown_is_kept() -> None:
    """Senders write the field's usual names; a member that has no place is kept in `extra`."""
    update = native_of(
        {
            "uri": "u",
            "title": "T",
            "body": "One.\n\nTwo & three.",
            "versionCreated": "2026-11-23T10:00:00+02:00",
            "pubStatus": "usable",
            "desk": {"id": 4},
        }
    ).updates[0]
    assert (update.guid, update.headline, update.body_html) == ("u", "T", "<p>One.</p><p>Two &amp; three.</p>")
    assert update.version_created is not None
    assert update.version_created.utcoffset() == timedelta(hours=2)
    assert update.extra == {"desk": {"id": 4}}


def test_a_time_without_an_offset_is_the_sources_zone_and_recorded() -> None:
    """Nothing without an offset leaves the reader."""
    update = native_of(UPDATE | {"version_created": "2026-11-23T08:00:00"}).updates[0]
    assert update.version_created is not None
    assert update.version_created.utcoffset() == timedelta(0)
    assert [repair.code for repair in update.repairs] == ["time-without-offset"]


def test_a_kill_needs_no_words() -> None:
    """A withdrawal says what it is about and nothing else."""
    update = native_of({"guid": "g", "status": "canceled"}).updates[0]
    assert update.status == "canceled"


def test_the_published_schema_accepts_what_the_reader_takes() -> None:
    """The JSON Schema is valid and true of single updates, lists and batches."""
    schema = native.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for document in (UPDATE, [UPDATE], {"updates": [UPDATE]}):
        jsonschema.validate(document, schema)
        assert len(native_of(document).updates) == 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"headline": "no guid"}, schema)


def test_control_characters_are_taken_out_and_the_repair_recorded() -> None:
    """No page, feed or database can hold them."""
    update = native_of({"guid": "g", "headline": "a\x07b\x85c", "body_text": "x"}).updates[0]
    assert update.headline == "ab c"
    assert [repair.code for repair in update.repairs] == ["control-characters"]


def test_the_same_words_are_the_same_version() -> None:
    """The fingerprint does not depend on when and how a version came."""
    first, second = native_of(UPDATE).updates[0], native_of([UPDATE]).updates[0]
    assert first.fingerprint() == second.fingerprint()
    assert first.update_id == second.update_id


@pytest.mark.parametrize(
    ("field", "value", "place"),
    [
        ("body_text", ["x"], "/body_text"),
        ("body", {"a": 1}, "/body_html"),
        ("media", [{"url": "https://e.org/1.jpg"}, {"url": "javascript:alert(1)"}], "/media/1/url"),
        ("pictures", "ftp://e.org/1.jpg", "/pictures/0/url"),
    ],
)
def test_a_value_of_another_kind_is_told_by_its_place(field: str, value: object, place: str) -> None:
    """A body is text, a picture has an address that can be fetched."""
    reading = read_document(json.dumps({"guid": "a", "headline": "x", field: value}), taken_for="native")
    assert [(refused.code, refused.place) for refused in reading.refused] == [("invalid-field", place)]
