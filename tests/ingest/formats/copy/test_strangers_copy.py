"""Kinds that stood around texts of the last houses that were read: typesetting systems, tables, channels, old wires."""

import pytest

from conformance.documents import read_document
from ingest.formats import SourceProfile
from ingest.formats.copy import body, captions, headlines, tags
from ingest.formats.copy.desks import notes
from ingest.formats.copy.endings import footers
from ingest.formats.copy.markup import lines, typesetting
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
        ("(LEAD) Port reopens", "Port reopens"),
        ("(2nd LD) Port reopens", "Port reopens"),
        ("2ND LD: Port reopens", "Port reopens"),
        ("1st LD-Writethru-China Focus: Port reopens", "China Focus: Port reopens"),
        ("WDH/Hafen offen", "Hafen offen"),
        ("Le port rouvre (2e LEAD)", "Le port rouvre"),
        ("El puerto reabre (Ampliación)", "El puerto reabre"),
        ("Rekord bei Acme =", "Rekord bei Acme"),
        ("AP News Alert", ""),
        ("Lead found in water (again)", "Lead found in water (again)"),
        ("2nd lead pipe found", "2nd lead pipe found"),
        ("Flash floods in Rome", "Flash floods in Rome"),
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
    assert "<br" not in lines.unwrapped(last + wrapped)
    assert lines.unwrapped(last) == last


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


def test_a_mark_between_a_text_and_a_box_of_facts() -> None:
    html = "<p>The port opened.</p><p>TT</p><h3>Facts</h3>" + "".join(
        f"<p>The port has {n} cranes.</p>" for n in range(5)
    )
    assert "TT" not in body.cleared(html, "Port opens").html
    listed = "<p>They are members:</p><ul><li>TT</li><li>AP</li></ul><p>One.</p><p>Two.</p><p>Three.</p><p>Four.</p>"
    assert body.cleared(listed, "Members meet").html == listed


def test_contacts_below_their_label_are_for_desks() -> None:
    html = "<p>Acme reports a record.</p><p>Pressekontakt:</p><p>Erika Muster, Tel. 040 4113-0</p><p>Original-Content von: Acme GmbH</p>"
    found = body.cleared(html, "Record at Acme")
    assert found.html == "<p>Acme reports a record.</p><p>Original-Content von: Acme GmbH</p>"
    assert "Erika Muster" in found.notes[0]
    below = "<p>Acme reports a record.</p><p>For more information please contact:</p><p>Ann Other</p><p>acme.example // ann@acme.example</p><p>Cautionary Notes</p><p>This may change.</p>"
    assert body.cleared(below, "Record at Acme").html.endswith("</p><p>Cautionary Notes</p><p>This may change.</p>")
    assert "Ann Other" not in body.cleared(below, "Record at Acme").html
    said = "<p>Acme reports a record.</p><p>Contacts:</p><p>These were made in spring, it said.</p>"
    assert "These were made" in body.cleared(said, "Record at Acme").html


@pytest.mark.parametrize(
    ("words", "is_one"),
    [
        ("Читайте також: Порт закрили через шторм", True),
        ("Read also: Port closed by storms", True),
        ("LEGGI ANCHE > Chiuso il porto", True),
        ("Related: Port closed by storms", True),
        ("Related parties said they would go.", False),
        ("Read more books, he said.", False),
        ("Watch: the port was closed, he said, and nobody came until the evening when all of it was over; " * 4, False),
    ],
)
def test_pointers_to_other_texts(words: str, is_one: bool) -> None:
    assert notes.is_read_also(words) is is_one


def test_codes_of_instruments_behind_names() -> None:
    html = "<p>Acme SA &lt;ACME.LS&gt; and &lt;IBM.N&gt; fell; a tag is &lt;b&gt;, a sum &lt;X&gt;.</p>"
    read = typesetting.with_vendors_tags_read(html)
    assert read == "<p>Acme SA and fell; a tag is &lt;b&gt;, a sum &lt;X&gt;.</p>"


@pytest.mark.parametrize(
    "note",
    [
        "ATTENTION - ajoute détails ///",
        "ATENCIÓN: Actualiza con declaraciones",
        "(ATTN: UPDATES with more info in paras 3-4; CHANGES photo)",
        "(V. 'Riapre il porto' delle 10:30)",
        "LISÄÄ: Ministerin kommentit",
        "ALERTE",
        "AP Photos AB101, AB102.",
        "~ Rückfragen &amp; Kontakt: Erika Muster ~",
    ],
)
def test_notes_above_a_text(note: str) -> None:
    html = f"<p>{note}</p><p>By Ann Other</p><p>The port reopened on Saturday.</p>"
    found = body.cleared(html, "Port reopens")
    assert found.html == "<p>The port reopened on Saturday.</p>"
    assert found.bylines == ["By Ann Other"]


@pytest.mark.parametrize(
    "words",
    ["Attention: the port is closed, the ministry said.", "Alerte rouge au port", "AP photos show the port burning."],
)
def test_words_that_look_like_notes_stay(words: str) -> None:
    html = f"<p>{words}</p><p>The port reopened on Saturday.</p>"
    assert body.cleared(html, "Port reopens").html == html


def test_lines_of_writers_above_a_text() -> None:
    starred = "*** Ann Other (texto) e Jo Bloggs (foto), da agência Lusa ***"
    for line, name in ((starred, "Ann Other"), ("(di Ann Other)", "di Ann Other")):
        found = body.cleared(f"<p>{line}</p><p>The port reopened.</p>", "Port reopens")
        assert (found.html, found.bylines) == ("<p>The port reopened.</p>", [name])


def test_a_second_headline_stands_without_its_label() -> None:
    html = "<p>Utl.: Schiffe dürfen einlaufen</p><p>Der Hafen ist offen.</p>"
    assert body.cleared(html, "Hafen offen").html == "<p>Schiffe dürfen einlaufen</p><p>Der Hafen ist offen.</p>"


def test_how_a_system_files_an_entry_is_no_topic() -> None:
    subjects = [
        {"kind": "subject", "name": "article", "scheme": "foxnews.com/content-type"},
        {"kind": "subject", "name": "Ports", "scheme": "foxnews.com/taxonomy"},
    ]
    fields: dict[str, object] = {"subjects": subjects}
    assert tags.tidy(fields, ()) == 1
    assert fields["subjects"] == subjects[1:]
