"""What stands around a text in real copy, in every format: notes to desks, sign-offs, alerts without a headline, the same twice."""

import json
from html import escape

import pytest

from conformance.documents import outcome, read_document
from ingest.formats import SourceProfile, Unreadable
from ingest.formats.copy.desks import notes
from shared.messages import RawUpdate

TEXT = "The port reopened on Friday after a week of storms, the ministry said."


def g2(body: str, headline: str = "Port reopens", meta: str = "") -> str:
    """A NewsML-G2 item."""
    return (
        '<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="g"><itemMeta><itemClass qcode="ninat:text"/></itemMeta>'
        f"<contentMeta><headline>{headline}</headline>{meta}</contentMeta><contentSet><inlineXML contenttype='application/xhtml+xml'>"
        f"<html xmlns='http://www.w3.org/1999/xhtml'><body>{body}</body></html></inlineXML></contentSet></newsItem>"
    )


def nitf(body: str, headline: str = "Port reopens") -> str:
    """A NITF document."""
    return f"<nitf><head><docdata><doc-id id-string='1'/></docdata></head><body><body.head><hedline><hl1>{headline}</hl1></hedline></body.head><body.content>{body}</body.content></body></nitf>"


def newsml_1(body: str, headline: str = "Port reopens") -> str:
    """A NewsML 1 item."""
    return (
        "<NewsML><NewsItem><Identification><NewsIdentifier><ProviderId>w</ProviderId><NewsItemId>1</NewsItemId></NewsIdentifier></Identification>"
        f"<NewsComponent><NewsLines><HeadLine>{headline}</HeadLine></NewsLines><ContentItem><DataContent><nitf><body><body.content>{body}</body.content></body></nitf></DataContent></ContentItem></NewsComponent></NewsItem></NewsML>"
    )


def ninjs(body: str, headline: str = "Port reopens") -> str:
    """A ninjs item."""
    return json.dumps({"uri": "u", "versioncreated": "2026-11-20T10:00:00Z", "headline": headline, "body_html": body})


def rss(body: str, headline: str = "Port reopens") -> str:
    """An RSS feed."""
    return f"<rss><channel><item><guid>g</guid><title>{headline}</title><description>{escape(body)}</description></item></channel></rss>"


def json_feed(body: str, headline: str = "Port reopens") -> str:
    """A JSON Feed."""
    item = {"id": "1", "title": headline, "content_html": body}
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [item]})


def house(body: str, headline: str = "Port reopens") -> str:
    """JSON of a house."""
    return json.dumps({"urn": "u", "pubstatus": "usable", "headline": headline, "article_html": body})


FORMATS = (g2, nitf, newsml_1, ninjs, rss, json_feed, house)


def update_of(document: str, profile: SourceProfile | None = None) -> RawUpdate:
    """The only update of a document."""
    return read_document(document, profile=profile or SourceProfile()).updates[0]


NOTES = [
    "(Adds quotes, details)", "(Updates with minister, paragraphs 3-5)", "(Recasts)", "(Corrects spelling of name)", "Eds: With AP Photos.", "EDITORS NOTE: Clients may use this.",
    "Attention editors: a picture follows.", "(Neu: Zitat des Ministers)", "(Zusammenfassung 1545)", "Achtung Redaktionen: Bitte beachten.", "Eine Zusammenfassung folgt bis 17.00 Uhr.",
    "(Mehr in Kürze)", "Hinweis an die Redaktionen: Fotos folgen.", "(Actualisé avec précisions)", "Note aux rédactions: photo disponible.", "(Actualiza con más detalles)",
    "Nota a los editores: hay foto.", "(Habrá ampliación)", "(Uppdaterad med citat)", "Till redaktionen: bild finns.", "(Oppdatert)", "Mer følger.", "Mere følger", "(Opdateret)",
    "350 words", "(ca. 60 Zeilen)", "600 mots", "250 palabras", "BC-Harbour-Race,0123", "Keywords: HARBOUR/", "((jane.doe@wire.example; +32 2 1234))", "Not for publication: call 555.",
    "Contact: newsdesk, +44 20 1234", "We will update this story at 1800 GMT.", "nicht zur Veröffentlichung bestimmt",
]  # fmt: skip


@pytest.mark.parametrize("note", NOTES)
def test_notes_to_desks_are_moved_out_of_the_text(note: str) -> None:
    """Above and below the text, in several languages: private, and told."""
    for body in (f"<p>{note}</p><p>{TEXT}</p><p>It rained.</p>", f"<p>{TEXT}</p><p>It rained.</p><p>{note}</p>"):
        update = update_of(ninjs(body))
        assert update.body_html == f"<p>{TEXT}</p><p>It rained.</p>"
        assert note in update.private_note
        # Before a text, a sentence that says that it is not for publication is about all of it.
        held = (
            ["advisory-held"] if note == "nicht zur Veröffentlichung bestimmt" and body.startswith(f"<p>{note}") else []
        )
        assert [repair.code for repair in update.repairs] == ["note-taken-out", *held]


@pytest.mark.parametrize("made", FORMATS)
def test_notes_and_sign_offs_in_every_format(made: type) -> None:
    """The rules do not depend on how a text came."""
    update = update_of(made(f"<p>(Adds details)</p><p>{TEXT}</p><p>It rained.</p><p>ab/cd/ef</p>"))
    assert [one for one in ("Adds", "ab/cd") if one in update.body_html + update.headline + update.editors_note] == []
    assert update.body_html == f"<p>{TEXT}</p><p>It rained.</p>"
    assert {"note-taken-out", "sign-off-taken-out"} <= {repair.code for repair in update.repairs}


@pytest.mark.parametrize(
    "said",
    [
        "(This is an aside that readers should read.)", "Attention turned to the port. Editors at the paper were glad.", "Update your phones, the ministry said.", "More than 300 words were spoken.",
        "Hintergrund ist ein Streit um die Kosten.", "Mehr ist nicht bekannt.", "US-Präsident", "Embargo on oil is to be lifted, officials said.", "Kommentar von Experten: gut.", "He asked: why?",
        "Bilder zeigen den Hafen.", "Tipp: Früh kommen.", "- one", "Redaktionen in aller Welt berichten.", "Contact sports are popular.",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_note_stays(said: str) -> None:
    """No sentence for readers is lost to a word in it."""
    update = update_of(ninjs(f"<p>{TEXT}</p><p>{said}</p><p>It rained all day, people said.</p>"))
    assert f"<p>{said}</p>" in update.body_html
    assert update.repairs == ()


@pytest.mark.parametrize(
    "heading",
    [
        "Notizblock",
        "# dpa NOTEBOOK",
        "Notes to editors",
        "Redaktionelle Hinweise",
        "Note aux rédactions",
        "Til redaktionen",
    ],
)
def test_what_follows_such_a_heading_is_for_desks(heading: str) -> None:
    """A notebook ends the text."""
    update = update_of(ninjs(f"<p>{TEXT}</p><h2>{heading}</h2><ul><li>Ministry, Street 1</li></ul><p>tel 123</p>"))
    assert update.body_html == f"<p>{TEXT}</p>"
    assert "Street 1" in update.private_note


@pytest.mark.parametrize("end", ["ab/cd/ef", "abc/def", "MWE", "(ab/cd)", "(abc)", "dpa ab yyzz n1 cd", "/ritzau/", "(©NTB)", "TT", "ENDS", "-30-", "Enditem", "(END)", "© dpa-infocom, dpa:261120-99-123456/3", "TT-AFP", "(Schluss) mmu/abc"])  # fmt: skip
def test_sign_offs_are_taken_from_the_end(end: str) -> None:
    """Initials, an agency's mark, an end mark: kept for the desk."""
    update = update_of(ninjs(f"<p>{TEXT}</p><p>It rained.</p><p>{end}</p>"))
    assert update.body_html == f"<p>{TEXT}</p><p>It rained.</p>"
    assert update.extra["sign_offs"] == [end]


def test_initials_behind_the_last_sentence() -> None:
    """In the same paragraph; a sentence that ends in a short word stays."""
    assert update_of(ninjs(f"<p>{TEXT}</p><p>It rained. ab/cd</p>")).body_html.endswith("<p>It rained.</p>")
    assert update_of(ninjs(f"<p>{TEXT}</p><p>He said yes. Or no</p>")).body_html.endswith("<p>He said yes. Or no</p>")


@pytest.mark.parametrize("made", FORMATS)
def test_an_alert_without_a_headline(made: type) -> None:
    """Its words are the headline, marked as made, and said once; initials are neither."""
    update = update_of(made("<p>Bridge over the strait collapses (police)</p><p>ab/cd/ef</p>", ""))
    assert (update.headline, update.headline_from_text, update.body_html) == (
        "Bridge over the strait collapses (police)",
        True,
        "",
    )
    for body in ("<p>Dimite el presidente (oficial) jpa/mro</p>", "<p>Dimite el presidente (oficial)</p>"):
        assert update_of(made(body, "")).headline == "Dimite el presidente (oficial)"


def test_a_longer_text_without_a_headline_goes_on_behind_it() -> None:
    """The first sentence moves; its dateline is the place."""
    update = update_of(
        g2("<p>KYIV (Wire) - Blasts were heard in the city. The mayor said so.</p><p>It is night.</p>", "")
    )
    assert (update.headline, update.located) == ("Blasts were heard in the city.", "KYIV")
    assert update.body_html == "<p>The mayor said so.</p><p>It is night.</p>"


@pytest.mark.parametrize("made", FORMATS)
def test_the_headline_again_is_left_out(made: type) -> None:
    """As heading or as first line, whatever its punctuation."""
    for again in ("<h1>Port reopens</h1>", "<p>PORT REOPENS.</p>"):
        assert update_of(made(f"{again}<p>{TEXT}</p>")).body_html == f"<p>{TEXT}</p>"


def test_a_standfirst_that_the_text_begins_with_is_said_once() -> None:
    """Also behind a dateline, and where it is cut short; another one stays."""
    for summary, body in (
        (TEXT, f"<p>{TEXT}</p><p>More.</p>"),
        (TEXT, f"<p>OSLO (Wire) - {TEXT}</p>"),
        (TEXT[:50] + "...", f"<p>{TEXT}</p>"),
    ):
        update = update_of(g2(body, meta=f"<description role='drol:summary'>{summary}</description>"))
        assert (update.summary, [repair.code for repair in update.repairs]) == ("", ["summary-repeated"])
    update = update_of(g2(f"<p>{TEXT}</p>", meta="<description role='drol:summary'>Ships return.</description>"))
    assert update.summary == "Ships return."


def test_furniture_of_a_whole_article_is_no_paragraph() -> None:
    """Kicker, source, writer and a caption without its picture; the writer is the byline."""
    body = (
        f'<article><div class="dat"><span class="vignette">Sport</span><span class="source">TT</span></div><p>{TEXT}</p>'
        '<div class="byline">Erika Muster</div><figure><div class="byline">Foto Graf</div><figcaption>Bild</figcaption></figure></article>'
    )
    update = update_of(ninjs(body))
    assert (update.body_html, update.byline) == (f"<article><p>{TEXT}</p></article>", "Erika Muster")


def test_a_byline_above_the_text_is_the_byline() -> None:
    """It is no paragraph; a sentence that begins like one is."""
    update = update_of(g2(f"<p>By Jane Doe and John Roe</p><p>OSLO (Wire) - {TEXT}</p>"))
    assert (update.byline, update.located) == ("By Jane Doe and John Roe", "OSLO")
    assert update_of(g2("<p>By Friday the port was open, he said.</p><p>Good.</p>")).byline == ""


@pytest.mark.parametrize("made", FORMATS)
def test_nothing_to_show_is_refused(made: type) -> None:
    """No page without words and picture, in any format; a withdrawal needs none."""
    found = outcome(made("", ""))
    assert not isinstance(found, Unreadable)
    assert [refused.code for refused in found.refused] in (["empty"], ["no-body"], ["no-identity"])


def test_what_may_not_be_published_is_withheld() -> None:
    """An embargo in the text, and an item that is nothing but a note."""
    held = update_of(g2(f"<p>EMBARGOED until 0600 GMT Monday</p><p>{TEXT}</p>"))
    note = update_of(g2("<p>(Diese Informationen sind nicht zur Veröffentlichung bestimmt)</p>"))
    lifted = update_of(g2(f"<p>EMBARGO LIFTED</p><p>{TEXT}</p>"))
    assert (held.status, note.status, lifted.status) == ("withheld", "held", "usable")


def test_players_and_posts_become_links() -> None:
    """With a name, and to where a person would go."""
    body = (
        f'<p>{TEXT}</p><iframe src="//www.youtube.com/embed/abc" title="The opening"></iframe><video><source src="https://v.example/a.mp4"></video>'
        '<div class="fb-post" data-href="https://www.facebook.com/p/1"></div><iframe src="https://www.googletagmanager.com/ns.html" height="0" width="0"></iframe>'
    )
    update = update_of(rss(body))
    assert '<p><a href="https://www.youtube.com/watch?v=abc">The opening (YouTube)</a></p>' in update.body_html
    assert '<a href="https://v.example/a.mp4">Video (v.example)</a>' in update.body_html
    assert '<a href="https://www.facebook.com/p/1">Facebook</a>' in update.body_html
    assert "googletag" not in update.body_html


def test_vendors_tags_and_wrapped_lines() -> None:
    """A dash is a dash, a component's reference is nothing, a tag that is written about is a word; lines kept short are one."""
    update = update_of(nitf("<p>It cost $3 &lt;endash&gt; much. &lt;component id='4'/&gt;The &lt;title&gt; tag.</p>"))
    assert update.body_html == "<p>It cost $3 – much. The &lt;title&gt; tag.</p>"
    lines = "The harbour that was closed for a whole week<br/>after the storm was open again on Friday when<br/>ships came in."
    assert "<br" not in update_of(nitf(f"<p>{lines}</p>")).body_html


@pytest.mark.parametrize(
    ("begins", "place"),
    [
        ("DAMASCUS (Reuters) - ", "DAMASCUS"), ("Frankfurt/Main (dpa/lhe) - ", "Frankfurt/Main"), ("PARIS, 3 mars 2024 (AFP) - ", "PARIS"), ("Madrid, 3 mar (EFE).- ", "Madrid"),
        ("Oslo (NTB): ", "Oslo"), ("BEIJING, Nov. 9 (Xinhua) -- ", "BEIJING"), ("PORT MARROW, Dec. 9 Kyodo - ", "PORT MARROW"), ("Wien/APA - ", "Wien"), ("Sydney, AAP - ", "Sydney"),
        ("", ""), ("The mayor (CDU) ", ""), ("Peter (45) - ", ""),
    ],
)  # fmt: skip
def test_the_place_is_the_datelines(begins: str, place: str) -> None:
    """Of the text itself, before the office of who wrote it."""
    office = "<located><name>Bangalore</name></located>"
    update = update_of(g2(f"<p>{begins}{TEXT}</p>", meta=office), SourceProfile(located_is_office=True))
    assert update.located == place


def test_tags_are_for_readers() -> None:
    """Addresses, ids and mnemonics are kept beside them."""
    subjects = "".join(
        f"<subject type='{kind}' qcode='{code}'><name>{name}</name></subject>"
        for kind, code, name in (
            ("cpnat:poi", "x:1", "Tatort, Musterallee 1, 99999 Musterstadt, Deutschland"), ("cpnat:abstract", "t:43", "Related topic id"), ("cpnat:abstract", "cat:sp", "sp"),
            ("cpnat:person", "p:1", "Li Na"), ("cpnat:geoArea", "g:1", "Rome"), ("cpnat:poi", "x:2", "12 rue de la Paix, 75002 Paris"), ("cpnat:abstract", "medtop:20000538", "Leisure"),
        )
    )  # fmt: skip
    update = update_of(g2(f"<p>{TEXT}</p>", meta=subjects))
    assert [one.name for one in update.subjects] == [None, "Li Na", "Rome", "Leisure"]
    machine = update.extra["machine_tags"]
    assert isinstance(machine, list)
    assert len(machine) == 3
    profile = SourceProfile(reader_tags=("medtop",))
    assert [one.name for one in update_of(g2("", meta=subjects), profile).subjects] == ["Leisure"]


def test_what_is_a_note_is_always_looked_at() -> None:
    """The cheap test before the rules says yes to every note, with the small words that most paragraphs begin with, too."""
    for note in (
        "The following information is not intended for publication, and is given to the desks of our clients alone, who may use it.",
        "An alle Redaktionen: Bitte beachten Sie, dass die Zusammenfassung erst am Nachmittag kommt und die Grafik spaeter folgt.",
        "A suivre plus d'informations dans le courant de la journee, avec les reactions de Berlin et de Paris et une infographie.",
        "For editorial queries please contact the newsroom at any hour of the day, for pictures the picture desk, for video the other one.",
        "For more information, please contact the press office of the ministry, which answers from eight to six on every working day.",
    ):  # fmt: skip
        assert notes.may_be_note(note), note
        assert notes.kind_of_note(note), note
    for text in ("The harbour of Oslo was closed", "An officer was hurt on Monday", "A ferry ran aground off Skerry"):
        assert not notes.may_be_note(
            f"{text} when a gale of force nine came in from the west, and nobody could say for how long."
        )


@pytest.mark.parametrize(
    ("headline", "shown", "note"),
    [
        ("*Man arrested after shots in the harbour", "Man arrested after shots in the harbour", ""),
        (">>>ANSA/Gas supplies cut by a third", "Gas supplies cut by a third", ""),
        ("+++ River rises +++", "River rises", ""),
        ("Parliament passes the act*** TRANSLATED ***", "Parliament passes the act", "TRANSLATED"),
        ("#Harbour trends for a day", "#Harbour trends for a day", ""),
        ("Oslo/Bergen line shut", "Oslo/Bergen line shut", ""),
        ("C++ is forty", "C++ is forty", ""),
        ("UPDATE 1-Statue to reopen on Monday", "Statue to reopen on Monday", "UPDATE 1"),
        ("RPT-UPDATE 2-Statue to reopen", "Statue to reopen", "RPT-UPDATE 2"),
        ("CORRECTED-Statue to reopen", "CORRECTED-Statue to reopen", ""),
    ],
)
def test_marks_around_a_headline_are_no_words_of_it(headline: str, shown: str, note: str) -> None:
    """Stars, arrows and an agency's name before it, what a machine put behind it; a hash belongs to a word."""
    update = update_of(ninjs(f"<p>{TEXT}</p>", headline))
    assert (update.headline, update.private_note) == (shown, note)


def test_a_placeholder_is_no_headline() -> None:
    """`No Headline !` says that there is none: one is made of the text."""
    update = update_of(ninjs(f"<p>{TEXT} It rained.</p><p>Nobody was hurt.</p>", "No Headline !"))
    assert update.headline_from_text
    assert "headline" not in update.headline.lower()


@pytest.mark.parametrize("said", ["==Kyodo", r"(SDA\/sj)", "AAP RTV ar", "© 2026 Wire AB. Only for subscribers, and for one use; all rights are reserved by the agency and its owners."])  # fmt: skip
def test_more_sign_offs(said: str) -> None:
    """Marks with signs before them, a desk between agency and initials, and a notice of copyright with its terms."""
    update = update_of(ninjs(f"<p>{TEXT}</p><p>It rained.</p><p>{said}</p>"))
    assert update.body_html == f"<p>{TEXT}</p><p>It rained.</p>"


@pytest.mark.parametrize("said", ["Copyright law is to change, she said.", "AP and Reuters were there.", "All in all it rained."])  # fmt: skip
def test_last_sentences_stay(said: str) -> None:
    """What only begins like one."""
    assert said in update_of(ninjs(f"<p>{TEXT}</p><p>{said}</p>")).body_html


def test_escaped_code_of_embeds_and_references_is_never_shown_as_words() -> None:
    """A paragraph of code becomes the link that it has, or nothing; a reference to a component is left out; HTML that is written about stays."""
    box = '&lt;div class="check" data-id="a0G"&gt;&lt;/div&gt;&lt;script src="https://check.example/embed.js"&gt;&lt;/script&gt;'
    film = '&lt;iframe src="https://www.youtube.com/embed/abcdefghijk"&gt;&lt;/iframe&gt;'
    body = update_of(ninjs(f'<p>{TEXT} &lt;NewsComponentRef idref="D1"/&gt;</p><p>{box}</p><p>{film}</p><p>A &lt;div class="a"&gt; is an element.</p>')).body_html  # fmt: skip
    assert "NewsComponentRef" not in body
    assert "script" not in body
    assert "iframe" not in body
    assert 'href="https://www.youtube.com/watch?v=abcdefghijk"' in body
    assert "&lt;div" in body


@pytest.mark.parametrize(
    ("summary", "shown"),
    [
        ("Port reopens after", ""),
        ("INDIA SUCESOS", ""),
        ("PORT/GALE:Port reopens", ""),
        ("Forty ships wait outside.", "Forty ships wait outside."),
        ("NATO meets.", "NATO meets."),
    ],
)
def test_a_summary_says_something_of_its_own(summary: str, shown: str) -> None:
    """Not the slug, not words of a tag, not the beginning of the headline or of the text."""
    document = json.loads(ninjs("<p>Port reopens after a gale of two days, with forty ships outside.</p>"))
    document |= {"description_text": summary, "slugline": "PORT/GALE"}
    assert update_of(json.dumps(document)).summary == shown


def test_a_note_that_tells_an_embargo_withholds() -> None:
    """Wherever it stands in the note; one that says that it is over, or that there is none, does not."""
    for note, status in (
        ("(see also PORT) Embargoed to 0001 Friday September 9", "withheld"),
        ("Adds quotes. Not for release until noon.", "withheld"),
        ("Under embargo until 6 p.m. (see PORT)", "withheld"),
        ("Stand for release. EMBARGO 18:00", "withheld"),
        ("Sous embargo jusqu'à midi", "withheld"),
        ("Corrects that the arms embargo until 2027 covers drones", "usable"),
        ("Adds that the oil embargo to be lifted in May was of 1973", "usable"),
        ("Explains the embargo 50 years ago", "usable"),
        ("Embargo: none", "usable"),
        ("EMBARGO LIFTED", "usable"),
    ):
        document = json.loads(ninjs(f"<p>{TEXT}</p>")) | {"ednote": note}
        assert update_of(json.dumps(document)).status == status, note


def test_tags_are_neither_the_headline_nor_a_path() -> None:
    """Some vendors send the headline as a topic, and topics with all that is above them."""
    headline = "Declaration of independence is unacceptable, minister says"
    document = json.loads(ninjs(f"<p>{TEXT}</p>", headline))
    document["subject"] = [{"code": "a", "name": headline}, {"code": "b", "name": "Lifestyle and Leisure\\Recreation"}]
    assert [one.name for one in update_of(json.dumps(document)).subjects] == ["Recreation"]


def test_a_line_that_is_the_headline_without_its_kicker() -> None:
    """`Checked: No, ...` above a text that begins with `No, ...`; and what a version replaces is for desks."""
    update = update_of(ninjs(f"<p>No, this paper is not of the council</p><p>{TEXT}</p>", "Checked: No, this paper is not of the council"))  # fmt: skip
    assert update.body_html == f"<p>{TEXT}</p>"
    update = update_of(ninjs(f"<p>N i e u w bericht, vervangt: Haven open</p><p>{TEXT}</p>"))
    assert update.body_html == f"<p>{TEXT}</p>"
