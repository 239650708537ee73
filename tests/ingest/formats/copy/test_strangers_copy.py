"""Kinds that stood around texts of the last houses that were read: typesetting systems, tables, channels, old wires."""

import pytest

from conformance.documents import read_document
from ingest.formats import SourceProfile
from ingest.formats.copy import body, captions, footers, headlines, tags
from shared.messages import RawUpdate


def only(document: str, **settings: object) -> RawUpdate:
    """The one update of a document, read with a profile."""
    profile = SourceProfile.model_validate(settings)
    (update,) = read_document(document.encode(), profile=profile.completed()).updates
    return update


@pytest.mark.parametrize(
    ("name", "is_shown"),
    [
        ("Tate, Bankside, London SE1 9TG, Vereinigtes Königreich", False),
        ("Bend, Oregon", True),
        ("f6e9eeef-5b13-530c-bfd2-2cfcee9a8a01", False),
        ("PAID", False),
        ("Paid leave", True),
    ],
)
def test_addresses_ids_and_marks_of_a_paywall_are_no_tags(name: str, is_shown: bool) -> None:
    kind = "place" if "," in name else "subject"
    assert tags.is_for_readers(kind, name) is is_shown


def test_a_writer_is_no_topic_and_a_name_is_read_once_more() -> None:
    subjects = [
        {"kind": "subject", "name": "Juan Arias"},
        {"kind": "subject", "name": "Secrets &amp; Lies"},
        {"kind": "person", "name": "Ann Other"},
    ]
    fields: dict[str, object] = {
        "subjects": subjects,
        "creators": [{"name": "Juan Arias"}, {"name": "Ann Other"}],
    }
    tags.tidy(fields, ())
    assert fields["subjects"] == [
        {"kind": "subject", "name": "Secrets & Lies"},
        {"kind": "person", "name": "Ann Other"},
    ]


@pytest.mark.parametrize(
    ("headline", "shown"),
    [
        ("BC-BBN--Top Ten", "Top Ten"),
        ("BBO--Sox win again", "Sox win again"),
        ("PM-led talks fail", "PM-led talks fail"),
        ("BC-Alberta pipeline dispute ends", "BC-Alberta pipeline dispute ends"),
        ("US -- and the world", "US -- and the world"),
    ],
)
def test_a_cycle_and_desk_are_no_part_of_a_headline(headline: str, shown: str) -> None:
    assert headlines.bare(headline)[0] == shown


def test_what_stands_above_a_repeated_headline_goes_with_it() -> None:
    html = "<p>The Sports Xchange</p><p>World Series: Lester set for Game 1</p><p>BOSTON -- A rematch opens.</p>"
    found = body.cleared(html, "World Series: Lester set for Game 1")
    assert found.html == "<p>BOSTON -- A rematch opens.</p>"
    assert found.furniture == ["The Sports Xchange"]


def test_a_sentence_above_a_repeated_headline_stays() -> None:
    html = "<p>The port reopened.</p><p>World Series: Lester set for Game 1</p><p>BOSTON -- A rematch opens.</p>"
    assert body.cleared(html, "World Series: Lester set for Game 1").html.startswith("<p>The port reopened.</p>")


def test_a_house_that_keeps_its_lines_short_does_so_before_a_capital() -> None:
    wrapped = "".join(
        f"<p>{n}. More extreme weather is forecast over the next few<br/>days, and it is likely to get worse.</p>"
        for n in (1, 2)
    )
    last = "<p>A week of celebrations marks the anniversary of the<br/>Sydney Opera House.</p>"
    assert "<br" not in body.unwrapped(last + wrapped)
    assert body.unwrapped(last) == last


@pytest.mark.parametrize(
    ("caption", "credit", "shown", "is_of"),
    [
        ("Der Spiegel (2002). Foto: Aaron Chown/PA Wire", "Aaron Chown", "Der Spiegel (2002).", "Aaron Chown/PA Wire"),
        ("The bridge. Photograph: Ann Other/AP", None, "The bridge.", "Ann Other/AP"),
        ("The bridge. Photograph: Ann Other/AP", "Jo Bloggs", "The bridge. Photograph: Ann Other/AP", "Jo Bloggs"),
        ("Foto: Ann Other", None, "Foto: Ann Other", "Ann Other"),
        (".", "dpa", "", "dpa"),
    ],
)
def test_a_credit_is_told_once(caption: str, credit: str | None, shown: str, is_of: str) -> None:
    picture: dict[str, object] = {"caption": caption, "credit": credit}
    captions.tidy({"media": [picture]})
    assert (picture["caption"], picture["credit"]) == (shown, is_of)


def test_a_channel_is_no_author() -> None:
    update = only(
        "<feed xmlns='http://www.w3.org/2005/Atom' xmlns:yt='http://www.youtube.com/xml/schemas/2015'><id>f</id><title>t</title>"
        "<entry><id>yt:video:1</id><yt:channelId>UC1</yt:channelId><title>Port reopens after a week</title>"
        "<author><name>Al Jazeera English</name><uri>https://www.youtube.com/channel/UC1</uri></author><link href='https://v.example/1'/></entry></feed>"
    )
    assert (update.byline, update.creators, update.credit) == ("", (), "Al Jazeera English")


def test_keywords_that_are_a_list() -> None:
    document = (
        "<nitf><head><docdata><doc-id id-string='1'/><key-list><keyword key='Kunst/Film/London/'/><keyword key='AC/DC'/></key-list></docdata></head>"
        "<body><body.head><hedline><hl1>Port reopens</hl1></hedline></body.head><body.content><p>The port reopened.</p></body.content></body></nitf>"
    )
    assert only(document).keywords == ("Kunst", "Film", "London", "AC/DC")


def test_an_advertisers_address_is_a_footer() -> None:
    assert footers.is_footer("Annons: https://track.example/t?a=1")
