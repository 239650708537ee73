"""What agencies really send, in the shapes that they send it, with words of our own."""

import pytest

from conformance.documents import outcome, read_document
from ingest.formats import SourceProfile, Unreadable
from shared.messages import RawUpdate

G2 = (
    '<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" xmlns:x="http://www.w3.org/1999/xhtml" guid="tag:wire:1" version="2" xml:lang="en">'
    '<itemMeta><itemClass qcode="icls:text"/><provider literal="wire"/><versionCreated>2026-11-23T08:00:00Z</versionCreated><pubStatus qcode="stat:usable"/>{item}</itemMeta>'
    "<contentMeta><slugline>RIVER-FLOOD/</slugline><headline>River rises</headline>{meta}</contentMeta><contentSet>{content}</contentSet></newsItem>"
)
XHTML = '<inlineXML contenttype="application/xhtml+html"><html xmlns="http://www.w3.org/1999/xhtml"><body>{}</body></html></inlineXML>'
NEWSML_1 = (
    '<?xml version="1.0" encoding="UTF-8"?>{doctype}<NewsML><NewsItem><Identification><NewsIdentifier>{identity}</NewsIdentifier></Identification>'
    '<NewsManagement><FirstCreated>20261123T080000Z</FirstCreated><ThisRevisionCreated>20261123T090000Z</ThisRevisionCreated><Status FormalName="Usable"/><Urgency>2</Urgency></NewsManagement>'
    "<NewsComponent>{component}</NewsComponent></NewsItem></NewsML>"
)
IDENTITY = "<ProviderId>WIRE</ProviderId><DateId>20261123</DateId><NewsItemId>item-7-v2</NewsItemId><RevisionId Update='N'>2</RevisionId><PublicIdentifier>urn:newsml:wire.example:20261123:item-7:2{flag}</PublicIdentifier>"
LINES = "<NewsLines><HeadLine>River rises</HeadLine>{}</NewsLines>"
TEXT = '<ContentItem><MediaType FormalName="Text"/><DataContent>{}</DataContent></ContentItem>'


def g2(*, item: str = "", meta: str = "", content: str = "", profile: SourceProfile | None = None) -> RawUpdate:
    """The update of a NewsML-G2 item."""
    return read_document(G2.format(item=item, meta=meta, content=content), profile=profile or SourceProfile()).updates[
        0
    ]


def newsml_1(
    component: str, *, identity: str = IDENTITY.format(flag=""), doctype: str = "", profile: SourceProfile | None = None
) -> RawUpdate:
    """The update of a NewsML 1 item."""
    document = NEWSML_1.format(component=component, identity=identity, doctype=doctype)
    return read_document(document, profile=profile or SourceProfile()).updates[0]


SET_IN_LINES = (
    "(Adds mayor)\n    * Water at six metres\n\n    By Anna Okonkwo\n    OSLO, Nov 23 (Wire) - The river rose on\nMonday for the third\nday.\n"
    "    Schools stay shut.\n\n (Editing by Ines Sato)"
)
PARAGRAPHS = [
    "* Water at six metres",
    "OSLO, Nov 23 (Wire) - The river rose on Monday for the third day.",
    "Schools stay shut.",
    "(Editing by Ines Sato)",
]


def test_a_text_set_in_lines_keeps_its_paragraphs() -> None:
    """An agency that puts teleprinter copy into one element means a paragraph where a line is indented."""
    update = g2(content=XHTML.format(f"<p>{SET_IN_LINES}</p>"))
    assert update.body_html == "".join(f"<p>{one}</p>" for one in PARAGRAPHS)
    assert update.byline == "By Anna Okonkwo"
    plain = g2(content=f'<inlineData contenttype="text/plain"><![CDATA[<p>\n      {SET_IN_LINES}</p>]]></inlineData>')
    assert [" ".join(one.split()) for one in plain.body_html.removeprefix("<p>").split("<p>")] == [
        f"{one}</p>" for one in PARAGRAPHS
    ]


def test_markup_that_is_only_laid_out_is_one_paragraph() -> None:
    """Lines at one depth are how a document is written, not what it says."""
    body = g2(content=XHTML.format("<p>\n        The river\n        rose.\n      </p>")).body_html
    assert body == "<p>The river rose.</p>"


def test_a_table_set_in_columns_stays_one() -> None:
    """Results and standings are lines and columns, in markup as in plain text."""
    table = "Standings            P  W\n1  Oslo             19 13\n2  Bergen           19 12\n3  Molde            19 11"
    body = g2(content=XHTML.format(f"<p>Nov 23 (Wire) - Results.</p><p>{table}\n</p>")).body_html
    assert body == f"<p>Nov 23 (Wire) - Results.</p><pre>{table}</pre>"
    plain = g2(content=f'<inlineData contenttype="text/plain">Results.\n\n{table}</inlineData>').body_html
    assert plain == f"<p>Results.</p><pre>{table}</pre>"


def test_a_caption_that_repeats_slugline_and_headline_is_no_summary() -> None:
    """Readers would see the same twice, slugline first."""
    caption = '<description role="descRole:caption">{}</description>'
    assert not g2(meta=caption.format("RIVER-FLOOD/:River rises")).summary
    assert g2(meta=caption.format("Water at six metres.")).summary == "Water at six metres."


def test_the_dateline_goes_before_a_machines_nearest_city() -> None:
    """Where both name the same place the plain name is taken."""
    located = "<located><name>{}</name></located><dateline>FORT ROCK, Ore. (Wire)</dateline>"
    assert g2(meta=located.format("Bend")).located == "FORT ROCK, Ore."
    assert g2(meta=located.format("Fort Rock")).located == "Fort Rock"
    assert g2(meta="<located><name>Oslo</name></located><dateline>2026-11-23 08:00:00</dateline>").located == "Oslo"


def test_the_same_note_is_told_once() -> None:
    """A note pad and its single notes say the same, to desks."""
    notes = "<edNote>Pictures follow. Links below.</edNote><edNote>Pictures follow.</edNote>"
    update = g2(item=notes)
    assert (update.editors_note, update.private_note) == ("", "Pictures follow. Links below.")


def test_a_blank_embargo_holds_unless_the_source_leaves_forms_blank() -> None:
    """The standard's meaning is kept where nobody says that this source fills no forms in."""
    assert g2(item="<embargoed/>").status == "withheld"
    assert g2(item="<embargoed/>", profile=SourceProfile(empty_embargo_is_none=True)).status == "usable"


def test_the_words_of_an_nitf_inside() -> None:
    """A headline may stand in its head's title only, a byline's names in elements without a blank, its end repeat a note."""
    inside = (
        "<nitf><head><title>Title inside</title></head><body><body.head><byline>By<person>Anna Okonkwo</person><byttl>Wire</byttl></byline></body.head>"
        "<body.content><p>Text.</p></body.content><body.end><tagline>Updated throughout.</tagline></body.end></body></nitf>"
    )
    document = G2.replace("<headline>River rises</headline>", "").format(
        item="<edNote>Updated throughout.</edNote>", meta="", content=f"<inlineXML>{inside}</inlineXML>"
    )
    update = read_document(document).updates[0]
    assert (update.headline, update.byline, update.body_html) == (
        "Title inside",
        "By Anna Okonkwo, Wire",
        "<p>Text.</p>",
    )


def test_the_items_language_is_told_among_several() -> None:
    """Headlines, descriptions and texts in other languages stand first; the item says which one it is in."""
    inline = '<inlineXML xml:lang="{0}"><html xmlns="http://www.w3.org/1999/xhtml"><body><p>{1}</p></body></html></inlineXML>'
    document = G2.replace("<headline>River rises</headline>", "{{headlines}}").format(
        item="", meta="", content=inline.format("no", "Elva.") + inline.format("en-GB", "The river.")
    )
    found = '<headline xml:lang="no">Elva stiger</headline><headline xml:lang="en">River rises</headline><description role="drol:summary" xml:lang="no">Kort.</description><description role="drol:summary" xml:lang="en">Short.</description>'
    update = read_document(document.replace("{headlines}", found)).updates[0]
    assert (update.headline, update.summary, update.body_html) == ("River rises", "Short.", "<p>The river.</p>")
    assert update.extra["headlines"] == ["Elva stiger"]


def test_ttnitf() -> None:
    """TT's own markup: headline, place, byline, picture, and a box below under its own headline."""
    inside = (
        '<BODY xmlns=""><TEXT><RUBRIK>River rises</RUBRIK><DAT><ORT>Oslo</ORT></DAT><INGRESS><P>Lead.</P></INGRESS><BRODTEXT><P>More.</P><MELLIS>Shut</MELLIS><CITAT>No school.</CITAT></BRODTEXT>'
        "<BYLINE>Anna Okonkwo</BYLINE><BILD><BILDFIL>https://example.org/1.jpg</BILDFIL><BILDTEXT><P>Water.</P></BILDTEXT><BILDSKAPARE>Ines Sato</BILDSKAPARE></BILD></TEXT>"
        "<TEXT><RUBRIK>Facts</RUBRIK><BRODTEXT><UL><LI>One</LI></UL></BRODTEXT></TEXT></BODY>"
    )
    update = g2(content=f'<inlineXML contenttype="application/ttnitf+xml">{inside}</inlineXML>')
    assert update.body_html.replace("> <", "><") == (
        "<p>Lead.</p><p>More.</p><h3>Shut</h3><p>No school.</p><h3>Facts</h3><ul><li>One</li></ul>"
    )
    assert (update.headline, update.located, update.byline) == ("River rises", "Oslo", "Anna Okonkwo")
    assert [(one.url, one.caption, one.credit) for one in update.media] == [
        ("https://example.org/1.jpg", "Water.", "Ines Sato")
    ]


def test_references_escaped_twice_are_characters() -> None:
    """Nobody writes `&quot;` for readers to see."""
    assert g2(content=XHTML.format("<p>4 o&amp;#39;clock &amp;quot;sharp&amp;quot;</p>")).body_html == (
        '<p>4 o\'clock "sharp"</p>'
    )


@pytest.mark.parametrize("flag", ["", "N"])
def test_the_public_identifier_without_its_revision_is_the_identity(flag: str) -> None:
    """Some put the version into the item's id too, which would make each version an update of its own."""
    update = newsml_1(LINES.format(""), identity=IDENTITY.format(flag=flag))
    assert (update.guid, update.version, update.urgency) == ("urn:newsml:wire.example:20261123:item-7", "2", 2)


def test_an_item_without_identifiers_is_still_one() -> None:
    """By an id that stands elsewhere in it, else by its words; the same item again has the same."""
    bare = "<ProviderId>wire.example</ProviderId>"
    inside = LINES.format("") + "<DescriptiveMetadata><guid>8A3F</guid></DescriptiveMetadata>"
    assert newsml_1(inside, identity=bare).guid == "8A3F"
    assert newsml_1(LINES.format(""), identity=bare).guid == newsml_1(LINES.format(""), identity=bare).guid


def test_a_document_type_that_names_nitfs_dtd_beside_it_is_legitimate() -> None:
    """NewsML 1 prescribes it; a DTD from elsewhere, a file or any other entity stays an attack."""
    module = '<!DOCTYPE NewsML PUBLIC "urn:newsml:iptc.org" "NewsML_1.2.dtd" [<!ENTITY % nitf SYSTEM "{}"> %nitf; {}]>'
    for system in ("nitf-3-0.dtd", "../nitf/dtd/nitf-3-0.dtd"):
        update = newsml_1(LINES.format(""), doctype=module.format(system, ""))
        assert [repair.code for repair in update.repairs] == ["dtd-module"]
    for system, more in (
        ("http://127.0.0.1:9/x.dtd", ""),
        ("file:///x.dtd", ""),
        ("/etc/x.dtd", ""),
        ("../../etc/passwd", ""),
        ("nitf-3-0.dtd", '<!ENTITY a "b">'),
    ):
        document = NEWSML_1.format(component="", identity=IDENTITY, doctype=module.format(system, more))
        found = outcome(document)
        assert isinstance(found, Unreadable)
        assert found.code == "entities-declared"


def test_an_item_in_two_languages_is_one_update_in_the_sources_language() -> None:
    """The first where the source names none; the other is noted."""
    part = '<NewsComponent xml:lang="{0}"><NewsLines><HeadLine>{1}</HeadLine></NewsLines><NewsComponent xml:lang="{0}"><Role FormalName="Lead"/>{2}</NewsComponent><NewsComponent xml:lang="{0}"><Role FormalName="Body"/>{3}</NewsComponent></NewsComponent>'
    both = part.format("nl", "Rivier stijgt", TEXT.format("Kort."), TEXT.format("Lang.")) + part.format(
        "fr", "La rivière monte", TEXT.format("Bref."), TEXT.format("Long.")
    )
    first = newsml_1(both)
    assert (first.language, first.headline, first.summary, first.body_html) == (
        "nl",
        "Rivier stijgt",
        "Kort.",
        "<p>Lang.</p>",
    )
    assert first.extra["translations"] == {"fr": "La rivière monte"}
    other = newsml_1(both, profile=SourceProfile(language="fr-BE"))
    assert (other.guid, other.language, other.headline, other.body_html) == (
        first.guid,
        "fr",
        "La rivière monte",
        "<p>Long.</p>",
    )


def test_what_stands_beside_the_text_is_not_the_text() -> None:
    """Style sheets, titles and tweets are components too; advice to editors stays with them; keywords are all kept."""
    component = (
        LINES.format(
            "<KeywordLine>WATER</KeywordLine><KeywordLine>SCHOOL;RAIN</KeywordLine><NewsLine><NewsLineType FormalName='AdvisoryLine'/><NewsLineText>CORRECTS age</NewsLineText></NewsLine>"
        )
        + "<NewsComponent><Role FormalName='StyleSheet'/><ContentItem><MimeType FormalName='text/css'/><DataContent>.a { color: red }</DataContent></ContentItem></NewsComponent>"
        + f"<NewsComponent><Role FormalName='TweetText'/>{TEXT.format('Short and loud')}</NewsComponent>"
        + f"<NewsComponent><Role FormalName='Abstract'/>{TEXT.format('In short.')}</NewsComponent>"
        + f"<NewsComponent>{TEXT.format('&lt;b&gt;Water&lt;/b&gt; rose.')}</NewsComponent>"
    )
    update = newsml_1(component)
    assert (update.body_html, update.summary, update.private_note) == (
        "<p><b>Water</b> rose.</p>",
        "In short.",
        "CORRECTS age",
    )
    assert update.keywords == ("WATER", "SCHOOL", "RAIN")
    assert "CORRECTS" not in update.editors_note + update.headline


def test_nitf_with_fields_in_other_places() -> None:
    """Urgency and revision in the head, the place in parts, a picture as `img`, HTML in a CDATA section."""
    update = read_document(
        "<nitf><head><docdata><doc-id id-string='7'/></docdata><revision-history comment='ADDS mayor'/><urgency ed-urg='2'/></head><body><body.head><headline><hl1>River rises</hl1></headline>"
        "<dateline><location><city>Bend</city><state>Oregon</state></location></dateline></body.head>"
        "<body.content><img source='https://example.org/1.jpg'/><p>Text.</p></body.content></body></nitf>"
    ).updates[0]
    assert (update.headline, update.urgency, update.located, update.private_note) == (
        "River rises",
        2,
        "Bend, Oregon",
        "ADDS mayor",
    )
    assert ([one.url for one in update.media], update.body_html) == (["https://example.org/1.jpg"], "<p>Text.</p>")
    cdata = "<nitf><head><docdata><doc-id id-string='7'/></docdata></head><body><body.content><![CDATA[One<br/>two]]></body.content></body></nitf>"
    assert read_document(cdata).updates[0].body_html == "<p>One<br/>two</p>"


def test_ap_media_api() -> None:
    """The id that lasts is beside an address that does not; bylines, photographer, dateline and page are AP's own names."""
    document = (
        '{"data": {"item": {"uri": "https://api.example.org/content/8a3f?qt=%s", "altids": {"itemid": "8a3f"}, "type": "text", "versioncreated": "2026-11-23T08:00:00Z", "pubstatus": "usable",'
        '"headline": "River rises", "bylines": [{"by": "By ANNA OKONKWO", "title": "Wire Writer"}], "photographer": {"name": "Ines Sato"}, "datelinelocation": {"city": "Oslo", "countryname": "NORWAY"},'
        '"links": [{"rel": "canonical", "href": "https://example.org/river"}]}}}'
    )
    first, again = (read_document(document % query).updates[0] for query in ("one", "two"))
    assert (first.guid, first.update_id) == ("8a3f", again.update_id)
    assert (first.byline, first.located, first.link) == (
        "By ANNA OKONKWO, Wire Writer",
        "Oslo",
        "https://example.org/river",
    )
    assert [(one.name, one.role) for one in first.creators] == [("Ines Sato", "photographer")]


def test_an_item_of_ap_without_an_address() -> None:
    """Some answers leave the address out; the item's id is enough to know it by, and the shape tells the format."""
    document = '{"data": {"items": [{"item": {"altids": {"itemid": "8a3f"}, "type": "text", "pubstatus": "usable", "versioncreated": "2026-11-23T08:00:00Z", "headline": "River rises"}}]}}'
    reading = read_document(document)
    assert (reading.format, [update.guid for update in reading.updates]) == ("ninjs-1", ["8a3f"])


def test_a_profile_points_into_fields() -> None:
    """A source that hides its names deeper is a matter of data."""
    profile = SourceProfile(identity=("ids.story",), headline_from=("titles.long",))
    document = '{"uri": "urn:1", "versioncreated": "2026-11-23T08:00:00Z", "headline": "Short", "ids": {"story": "8a3f"}, "titles": {"long": "Long"}}'
    update = read_document(document, profile=profile).updates[0]
    assert (update.guid, update.headline) == ("8a3f", "Long")


def test_utf_8_under_another_name_is_utf_8() -> None:
    """Copy that was stored again keeps the declaration of its old charset."""
    document = '<?xml version="1.0" encoding="ISO-8859-15"?><nitf><head><docdata><doc-id id-string="7"/></docdata></head><body><body.head><hedline><hl1>België €</hl1></hedline></body.head></body></nitf>'
    assert read_document(document.encode()).updates[0].headline == "België €"
    assert read_document(document.encode("iso-8859-15")).updates[0].headline == "België €"


ANPA = "w1645-----\nr s BC-BBO--Standings     11-23 0500\n{}\n\t   AP-WF-11-23-26 0800GMT<\n"


def test_anpa_tables_and_their_headings() -> None:
    """The head ends where the text begins; columns stay columns, and headings stand above what they head."""
    update = read_document(
        ANPA.format(
            "^BC-BBO--Standings<\n^Standings=\n^All Times EST=\n^By The Associated Press=\n^EAST=\n^ W   L   Pct\nOslo 73  52  .584\nBergen 71  54  .568\n\t   ___=\n^Sunday's Games=\n\t   Oslo 6, Bergen 5\n^;W;L;Pct\nOslo;74;52;.587\n"
        )
    ).updates[0]
    assert (update.headline, update.byline, update.credit, update.summary) == (
        "Standings",
        "",
        "The Associated Press",
        "All Times EST",
    )
    assert update.body_html == (
        "<h3>EAST</h3><pre>W   L   Pct\nOslo 73  52  .584\nBergen 71  54  .568</pre><p>___</p><h3>Sunday's Games</h3><p>Oslo 6, Bergen 5</p><table><tr><td></td><td>W</td><td>L</td><td>Pct</td></tr><tr><td>Oslo</td><td>74</td><td>52</td><td>.587</td></tr></table>"
    )


def test_anpa_that_is_only_headlines() -> None:
    """A list of headlines is the text; a routing code before the slugline is not."""
    update = read_document(
        ANPA.format("^*9006< ^AP-Top-Headlines,0176<\n^Top news at 8 a.m.<\n^River rises\n^Schools stay shut\n")
    ).updates[0]
    assert (update.slugline, update.headline, update.body_html) == (
        "AP-Top-Headlines",
        "Top news at 8 a.m.",
        "<p>River rises</p><p>Schools stay shut</p>",
    )


def test_a_correction_that_is_told_by_a_property() -> None:
    """AFP says so beside the keywords; what it corrects is a note to editors."""
    update = newsml_1(
        LINES.format(
            "<NewsLine><NewsLineType FormalName='AdvisoryLine'/><NewsLineText>CORRECTS day</NewsLineText></NewsLine>"
        )
        + '<DescriptiveMetadata><Property FormalName="Version" Value="Correction"/><Property FormalName="Keyword" Value="river"/></DescriptiveMetadata>'
    )
    assert (update.signal, update.private_note, update.keywords) == ("correction", "CORRECTS day", ("river",))
