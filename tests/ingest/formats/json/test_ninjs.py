"""ninjs of every version and mixture, and what is wrong in one item of many."""

import json
from typing import Any

import pytest

from conformance.documents import read_document
from ingest.formats import ReadResult, SourceProfile
from shared.messages import RawUpdate


def ninjs(*items: dict[str, Any], profile: SourceProfile | None = None) -> ReadResult:
    """A batch of items."""
    return read_document(json.dumps(list(items)), taken_for="ninjs", profile=profile or SourceProfile())


def one(**item: Any) -> RawUpdate:
    """The update of one item."""
    return ninjs({"uri": "u", "headline": "H", **item}).updates[0]


def test_the_same_item_in_three_versions_says_the_same() -> None:
    """Pattern keys, arrays and camelCase tell one story."""
    first = one(
        headline="H", body_html="<p>B</p>", description_text="D", byline="By A", versioncreated="2026-11-23T09:00:00Z", pubstatus="usable",
        subject=[{"code": "20000003", "scheme": "http://cv.iptc.org/newscodes/mediatopic/", "name": "N"}], person=[{"name": "Pia"}], embargoed="2026-12-01T00:00:00Z",
    )  # fmt: skip
    second = one(
        headlines=[{"role": "main", "value": "H"}], bodies=[{"contenttype": "text/html", "value": "<p>B</p>"}], descriptions=[{"value": "D"}], by="By A",
        versioncreated="2026-11-23T09:00:00Z", pubstatus="usable", subjects=[{"uri": "http://cv.iptc.org/newscodes/mediatopic/20000003", "name": "N"}], people=[{"name": "Pia"}],
        embargoed="2026-12-01T00:00:00Z",
    )  # fmt: skip
    third = one(
        headlines=[{"role": "main", "value": "H"}], bodies=[{"contentType": "text/html", "value": "<p>B</p>"}], descriptions=[{"value": "D"}], by="By A",
        versionCreated="2026-11-23T09:00:00Z", pubStatus="usable", subjects=[{"uri": "http://cv.iptc.org/newscodes/mediatopic/20000003", "name": "N"}], people=[{"name": "Pia"}],
        embargoedUntil="2026-12-01T00:00:00Z",
    )  # fmt: skip
    value = [update.model_dump(exclude={"original", "received_at", "subjects"}) for update in (first, second, third)]
    assert value[0] == value[1] == value[2]
    for update in (first, second, third):
        assert {(subject.code, subject.kind) for subject in update.subjects} == {
            ("medtop:20000003", "subject"),
            (None, "person"),
        }


def test_html_goes_before_plain_text_and_a_whole_page_is_reduced_to_its_body() -> None:
    """The fullest rendition of a text is taken once."""
    assert (
        one(body_text="plain", body_xhtml="<html><head><title>t</title></head><body><p>x</p></body></html>").body_html
        == "<p>x</p>"
    )
    assert one(body_text="One & one.\n\nTwo.").body_html == "<p>One &amp; one.</p><p>Two.</p>"


def test_a_note_for_editors_is_private_unless_the_source_says_otherwise() -> None:
    """ninjs: read by staff at the receiving organisation, not intended to be published."""
    item = {"uri": "u", "headline": "H", "ednote": "Call 555"}
    kept = ninjs(item).updates[0]
    shown = ninjs(item, profile=SourceProfile(public_notes=True)).updates[0]
    assert (kept.editors_note, kept.private_note) == ("", "Call 555")
    assert (shown.editors_note, shown.private_note) == ("Call 555", "")


@pytest.mark.parametrize(
    ("item", "status"),
    [
        ({"pubstatus": "canceled"}, "canceled"),
        ({"pubStatus": "cancelled"}, "canceled"),
        ({"pubstatus": "stat:withheld"}, "withheld"),
        ({"pubstatus": "draft"}, "withheld"),
        ({"embargoed": "next monday"}, "withheld"),
        ({"type": "planning"}, "withheld"),
        ({}, "usable"),
    ],
)
def test_status(item: dict[str, Any], status: str) -> None:
    """What nobody can be sure is for readers is withheld, and the reason recorded."""
    assert one(**item).status == status


def test_associations_become_pictures_with_their_words() -> None:
    """The named lead first; texts, withdrawn pictures and nulls are no pictures."""
    renditions = {
        "original": {"href": "https://i.example.org/o.jpg", "width": 900, "height": 600, "mimetype": "image/jpeg"},
        "thumbnail": {"href": "https://i.example.org/t.jpg", "width": 9, "height": 6},
    }
    update = one(
        associations={
            "embedded1": {"uri": "e", "type": "picture", "renditions": {"x": {"href": "https://i.example.org/e.jpg"}}},
            "featuremedia": {
                "uri": "f",
                "type": "picture",
                "headline": "FH",
                "description_text": "Cap",
                "byline": "Åse",
                "copyrightholder": "C",
                "renditions": renditions,
            },
            "gone": {"type": "picture", "pubstatus": "canceled", "renditions": renditions},
            "related": {"type": "text", "headline": "no"},
            "nothing": None,
        }
    )
    found = {media.guid: media for media in update.media}
    assert set(found) == {"e", "f"}
    assert (found["f"].role, found["e"].role) == ("lead", "inline")
    assert (found["f"].url, found["f"].caption, found["f"].credit, found["f"].renditions) == (
        "https://i.example.org/o.jpg",
        "Cap",
        "Åse",
        ("https://i.example.org/t.jpg",),
    )


def test_search_answers_are_opened() -> None:
    """AP's media API wraps items in data, items and item."""
    wrapped = {
        "data": {
            "items": [
                {"item": {"uri": "a", "headline": "A", "usageterms": ["One.", "Two."]}},
                {"item": {"uri": "b", "headline": "B"}},
            ]
        }
    }
    reading = read_document(json.dumps(wrapped))
    assert [update.guid for update in reading.updates] == ["a", "b"]
    assert reading.updates[0].usage_terms == "One. Two."


def test_one_bad_item_does_not_take_the_others_with_it() -> None:
    """A name that is there twice at an item's own level means nothing; deep inside the last is taken."""
    reading = read_document(
        '[{"uri":"a","headline":"A","pubstatus":"usable"},{"uri":"b","headline":"B","headline":"C"},'
        '{"uri":"c","headline":"x\\ud800","extra":{"k":1,"k":2}},{"uri":"d","urgency":NaN},{"headline":"none"},5]',
        taken_for="ninjs",
    )
    assert [update.guid for update in reading.updates] == ["a", "c"]
    assert [(refused.index, refused.code) for refused in reading.refused] == [
        (1, "duplicate-key"),
        (3, "not-a-number"),
        (4, "no-identity"),
        (5, "not-an-object"),
    ]
    assert reading.updates[1].headline == "x"
    assert {repair.code for repair in reading.updates[1].repairs} >= {"lone-surrogate", "duplicate-key"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{“uri”: “u”, “headline”: “A”}".encode(), "curly-quote"),
        (b'{"uri": "u", "headline": "He said "no" today", "pubstatus": "usable"}', "unescaped-quote"),
        (b'{"uri": "u", "headline": "A",}', "trailing-comma"),
        (b'{"uri": "u", "headline": "caf\xe9"}', "bad-charset"),
        (b'{"uri": "u", "headline": "a\x0bb"}', "control-characters"),
    ],
)
def test_broken_json_of_a_wire_is_mended_and_recorded(body: bytes, code: str) -> None:
    """Real copy has curly quotes, bare quotes, Latin-1 and control characters in it."""
    reading = read_document(body, taken_for="ninjs")
    assert reading.updates[0].headline
    assert code in [repair.code for repair in reading.repairs]


def test_a_profile_says_where_a_vendor_hides_things() -> None:
    """Vendor differences are data: fields, codes, urgencies, zone, notes."""
    profile = SourceProfile(
        name="vendor",
        headline_from=("kicker",),
        identity=("altid",),
        codes={"x": "medtop:01000000"},
        urgencies={"flash": 1},
        time_zone="Europe/Oslo",
        credit="Vendor",
    )
    update = ninjs(
        {
            "uri": "u",
            "altId": "stable",
            "kicker": "Real headline",
            "headline": "SLUG",
            "subject": [{"code": "x"}],
            "urgency": "flash",
            "versioncreated": "2026-07-01T10:00:00",
        },
        profile=profile,
    ).updates[0]
    assert (update.guid, update.headline, update.subjects[0].code, update.urgency, update.credit, update.profile) == (
        "stable",
        "Real headline",
        "medtop:01000000",
        1,
        "Vendor",
        "vendor",
    )
    assert str(update.version_created) == "2026-07-01 10:00:00+02:00"
