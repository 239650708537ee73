"""JSON that follows no standard: what an agency sells today, and a text under any name."""

import json

import pytest

from conformance.documents import outcome, read_document
from ingest.formats import Unreadable
from shared.messages import RawUpdate

TEXT = "The harbour reopened on Friday after a week of storms, the ministry said, and ships came in."


def one(**item: object) -> RawUpdate:
    """The update of one item."""
    return read_document(json.dumps(item)).updates[0]


def test_dpa_digitalwires() -> None:
    """Identity, text, people, places, pictures; notes are for desks, an address is no tag."""
    update = one(
        urn="urn:newsml:wire:1", entry_id="e", version=3, pubstatus="usable", urgency=4, language="de", headline="Hafen offen", teaser="Schiffe kehren zurück.",
        byline="Von Max Muster, dpa", dateline="Kiel (dpa/lno)", creditline="dpa", updated="2026-11-20T10:00:00Z", article_html=f"<section class='main'><p>{TEXT}</p></section>",
        categories=[{"type": "dnltype:geosubject", "name": "Kiel", "qcode": "geo:2"}, {"type": "dpatype:poi", "name": "Hafen, Kai 1, 24103 Kiel", "qcode": "x:9"}],
        ednotes=[{"role": "dpaednoterole:editorialnote", "ednote": "Zusammenfassung bis 1700", "is_publishable": False}], notepad={"nonpublic_html": "<p>Tel 123</p>"},
        associations=[{"type": "image", "urn": "u2", "caption": "Der Hafen", "creditline": "A B/dpa", "renditions": [{"url": "https://m.example/1.jpg", "mimetype": "image/jpeg", "width": 800}]}],
    )  # fmt: skip
    assert (update.guid, update.version, update.byline, update.located) == (
        "urn:newsml:wire:1",
        "3",
        "Von Max Muster, dpa",
        "Kiel",
    )
    assert (update.editors_note, update.private_note) == ("", "Tel 123\nZusammenfassung bis 1700")
    assert [(one.kind, one.name) for one in update.subjects] == [("place", "Kiel")]
    assert (update.media[0].url, update.media[0].caption, update.media[0].credit) == (
        "https://m.example/1.jpg",
        "Der Hafen",
        "A B/dpa",
    )


@pytest.mark.parametrize("name", ["bodyXhtml", "bodyText", "content", "articleBody", "fulltext", "body", "brødtext"])
def test_a_body_has_many_names(name: str) -> None:
    """As HTML or plain text, on its own or inside an object."""
    for value in (f"<p>{TEXT}</p>", TEXT, {"html": f"<p>{TEXT}</p>"}, {"rendered": TEXT}, [f"<p>{TEXT}</p>"]):
        assert one(articleId=7, titel="Hafen offen", **{name: value}).body_html == f"<p>{TEXT}</p>"


def test_a_body_of_no_known_name_is_found_by_its_shape() -> None:
    """In a house's JSON and in a dialect of ninjs; told, with the member's name."""
    update = one(id="7", title="Harbour", teaser_x="Short.", xStoryX={"one": TEXT})
    assert update.body_html == f"<p>{TEXT}</p>"
    assert [(repair.code, repair.place) for repair in update.repairs] == [("body-by-shape", "/xstoryx/one")]
    update = one(uri="u", versioncreated="2026-11-20T10:00:00Z", headline="Harbour", artikelText=f"<p>{TEXT}</p>")
    assert (update.body_html, [repair.code for repair in update.repairs]) == (f"<p>{TEXT}</p>", ["body-by-shape"])


def test_an_item_without_any_text_is_refused_by_the_names_it_has() -> None:
    """So that its sender or a profile can say where it is."""
    found = outcome(json.dumps([{"id": "1", "url": "https://x.example/1", "foo": 3, "content": ""}]))
    assert not isinstance(found, Unreadable)
    assert [refused.code for refused in found.refused] == ["no-body"]
    assert "foo" in found.refused[0].reason


def test_a_draft_is_withheld() -> None:
    """A state that nobody knows, too."""
    for state in ("draft", "in_progress", "banana"):
        assert one(urn="u", pubstatus=state, headline="H", article_html=TEXT).status == "withheld"
    assert one(_id="u", _current_version=2, state="published", headline="H", body_html=TEXT).status == "usable"


def test_ap_is_credited_and_its_text_is_told_to_be_elsewhere() -> None:
    """A headline whose text is only linked is marked."""
    item = {
        "uri": "https://api.example/1?qt=x", "altids": {"itemid": "aa11"}, "type": "text", "versioncreated": "2026-01-01T10:00:00Z", "headline": "Harbour reopens",
        "infosource": [{"name": "AP"}], "renditions": {"nitf": {"href": "https://api.example/1.nitf", "contenttype": "text/xml"}},
    }  # fmt: skip
    update = read_document(json.dumps({"data": {"item": item}})).updates[0]
    assert (update.guid, update.credit) == ("aa11", "AP")
    assert [repair.code for repair in update.repairs] == ["text-not-included"]
    assert update.extra["text_renditions"] == [{"target": "https://api.example/1.nitf", "type": "text/xml"}]
