"""NewsML-G2 and NITF as agencies write them: what is said is kept, what is for desks does not reach readers."""

from datetime import UTC, datetime, timedelta

import pytest

from conformance.documents import read_document, words_of
from ingest.formats import SourceProfile
from shared.messages import RawUpdate

G2 = 'xmlns="http://iptc.org/std/nar/2006-10-01/"'


def item(
    meta: str = "", content: str = "", body: str = "", attributes: str = 'guid="urn:a" version="3" xml:lang="de"'
) -> str:
    """A newsItem, which has something to show."""
    if "<headline" not in content and not body:
        content += "<headline>Port closes</headline>"
    return (
        f"<newsItem {G2} {attributes}><itemMeta><itemClass qcode='ninat:text'/>{meta}</itemMeta>"
        f"<contentMeta>{content}</contentMeta><contentSet>{body}</contentSet></newsItem>"
    )


def xhtml(markup: str) -> str:
    """An XHTML body."""
    return f'<inlineXML contenttype="application/xhtml+xml"><html xmlns="http://www.w3.org/1999/xhtml"><head><title>t</title></head><body>{markup}</body></html></inlineXML>'


def picture(guid: str, *, status: str = "usable") -> str:
    """A picture's newsItem."""
    return (
        f"<newsItem {G2} guid='{guid}' version='1'><rightsInfo><copyrightNotice>(c) Lens</copyrightNotice></rightsInfo>"
        f"<itemMeta><itemClass qcode='ninat:picture'/><pubStatus qcode='stat:{status}'/></itemMeta>"
        "<contentMeta><creditline>Lens/Åse</creditline><headline>The port</headline><description role='drol:caption'>Cranes at dawn.</description></contentMeta>"
        f"<contentSet><remoteContent rendition='rnd:thumb' href='https://img.example.org/{guid}-t.jpg' contenttype='image/jpeg' width='100' height='60'/>"
        f"<remoteContent rendition='rnd:highRes' href='https://img.example.org/{guid}.jpg' contenttype='image/jpeg' width='3000' height='2000' size='900'/></contentSet></newsItem>"
    )


def one(document: str, profile: SourceProfile | None = None) -> RawUpdate:
    """The only update of a document."""
    reading = read_document(document, profile=profile or SourceProfile())
    assert not reading.refused
    assert len(reading.updates) == 1
    return reading.updates[0]


def message(*items: str) -> str:
    """A newsMessage."""
    return f"<newsMessage {G2}><header><sent>2026-11-23T09:00:00Z</sent></header><itemSet>{''.join(items)}</itemSet></newsMessage>"


def test_a_picture_of_a_package_goes_with_its_text() -> None:
    """The package's text carries the picture with caption, credit, rights and all renditions, largest first."""
    package = f"<packageItem {G2} guid='p'><groupSet root='g'><group id='g'><itemRef residref='urn:a'/><itemRef residref='pic'/></group></groupSet></packageItem>"
    update = one(message(package, item(body=xhtml("<p>x</p>")), picture("pic")))
    assert update.guid == "urn:a"
    lead = update.media[0]
    assert (lead.url, lead.role, lead.width) == ("https://img.example.org/pic.jpg", "lead", 3000)
    assert (lead.caption, lead.credit, lead.copyright, lead.guid) == ("Cranes at dawn.", "Lens/Åse", "(c) Lens", "pic")
    assert lead.renditions == ("https://img.example.org/pic-t.jpg",)


def test_a_linked_picture_goes_with_its_text_and_a_stranger_stays_itself() -> None:
    """A link to a picture of the same message is enough; a picture that nobody names is an update of its own."""
    text = item(meta="<link rel='irel:associatedWith' residref='pic1'/>", body=xhtml("<p>x</p>"))
    reading = read_document(message(text, picture("pic1"), picture("pic2")))
    assert [update.guid for update in reading.updates] == ["urn:a", "pic2"]
    assert [media.guid for media in reading.updates[0].media] == ["pic1"]


def test_a_canceled_picture_goes_with_nothing() -> None:
    """A kill of a picture is a kill, not an illustration."""
    text = item(meta="<link rel='irel:associatedWith' residref='pic'/>", body=xhtml("<p>x</p>"))
    reading = read_document(message(text, picture("pic", status="canceled")))
    assert [(update.guid, update.status, len(update.media)) for update in reading.updates] == [
        ("urn:a", "usable", 0),
        ("pic", "canceled", 1),
    ]


@pytest.mark.parametrize(
    ("note", "may_be_public"),
    [
        ("<edNote>Text follows in two parts.</edNote>", True),
        ('<edNote pubconstraint="x:nonpublic">Call 555.</edNote>', False),
        ('<edNote pubconstrainturi="http://x/np">Call 555.</edNote>', False),
        ('<edNote role="sttnote:private">Call 555.</edNote>', False),
        ("<edNote>Eds: call 555.</edNote>", False),
        ("<edNote>Die folgenden Informationen sind nicht zur Veröffentlichung bestimmt: 555</edNote>", False),
    ],
)
def test_notes_for_desks_are_private(note: str, may_be_public: bool) -> None:
    """A note is for desks; a profile publishes it, but for what a constraint, a role or its own words keep from readers."""
    update = one(item(meta=note))
    assert (update.editors_note, bool(update.private_note)) == ("", True)
    update = one(item(meta=note), SourceProfile(public_notes=True))
    assert bool(update.editors_note) is may_be_public
    assert bool(update.private_note) is not may_be_public


def test_the_private_part_of_a_note_and_of_a_text_is_cut_out() -> None:
    """dpa marks what is for desks inside an otherwise public notepad, by class."""
    part = '<section class="np-nonpublic"><p>Redaktion: 555</p></section>'
    note = (
        f'<edNote><section xmlns="http://www.w3.org/1999/xhtml"><p>Internet: example.org</p>{part}</section></edNote>'
    )
    update = one(item(meta=note, body=xhtml(f"<p>Text.</p>{part}")), SourceProfile(public_notes=True))
    assert "example.org" in update.editors_note
    assert "555" not in update.editors_note + update.body_html
    assert "555" in update.private_note


def test_any_property_with_a_publishing_constraint_is_withheld_from_readers() -> None:
    """pubconstraint may stand on a byline or a headline too."""
    update = one(item(content='<headline>Seen</headline><by pubconstraint="x:np">By Nobody</by>'))
    assert (update.headline, update.byline) == ("Seen", "")
    assert update.extra["not_public"] == [{"by": "By Nobody"}]


def test_an_embargo_that_cannot_be_read_withholds() -> None:
    """Empty or broken embargo times never let an item out."""
    for written in ("", "tomorrow"):
        assert one(item(meta=f"<pubStatus qcode='stat:usable'/><embargoed>{written}</embargoed>")).status == "withheld"
    update = one(item(meta="<embargoed>2026-12-01T12:00:00+01:00</embargoed><pubStatus qcode='stat:usable'/>"))
    assert (update.status, update.embargo_until) == ("usable", datetime(2026, 12, 1, 11, tzinfo=UTC))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("stat:usable", "usable"),
        ("stat:canceled", "canceled"),
        ("stat:withheld", "withheld"),
        ("stat:commissioned", "withheld"),
    ],
)
def test_publishing_status(status: str, expected: str) -> None:
    """An unknown status is not for readers; a code is known by its URI as well."""
    assert one(item(meta=f"<pubStatus qcode='{status}'/>")).status == expected
    uri = f"http://cv.iptc.org/newscodes/pubstatusg2/{status.removeprefix('stat:')}"
    assert one(item(meta=f"<pubStatus uri='{uri}'/>")).status == expected


def test_names_are_taken_in_the_items_language() -> None:
    """Of several names and notices, the one in the item's language; a mnemonic only where there is nothing else."""
    update = one(
        f"<newsItem {G2} guid='a' xml:lang='de'><rightsInfo><copyrightNotice xml:lang='de'>Alle Rechte</copyrightNotice>"
        "<copyrightNotice xml:lang='en'>All rights</copyrightNotice></rightsInfo><contentMeta><headline>Markt</headline>"
        "<subject qcode='x:1' type='cpnat:geoArea'><name xml:lang='en'>Munich</name><name role='nrol:mnemonic' xml:lang='de'>MUC</name><name xml:lang='de'>München</name></subject>"
        "</contentMeta></newsItem>"
    )
    assert update.copyright == "Alle Rechte"
    assert (update.subjects[0].name, update.subjects[0].kind, update.subjects[0].code) == ("München", "place", "x:1")


def test_versions_come_from_and_take_the_place_of_items() -> None:
    """evolvedFrom and supersedes name the source's own guids; times keep their offset."""
    update = one(
        item(
            meta="<versionCreated>2026-11-23T10:00:00+02:00</versionCreated><link rel='irel:evolvedFrom' residref='urn:before'/><link rel='irel:supersedes' residref='urn:old'/>"
        )
    )
    assert (update.version, update.evolved_from, update.replaces) == ("3", "urn:before", ("urn:old",))
    assert update.version_created is not None
    assert update.version_created.utcoffset() == timedelta(hours=2)


def test_texts_in_every_vessel() -> None:
    """XHTML, NITF, plain and escaped text all become paragraphs."""
    for body in (
        xhtml("<h2>Head</h2><p>One <em>two</em> &amp; three</p>"),
        '<inlineXML contenttype="application/nitf+xml"><nitf xmlns="http://iptc.org/std/NITF/2006-10-18/"><body><body.content><hl2>Head</hl2><p>One <em>two</em> &amp; three</p></body.content></body></nitf></inlineXML>',
        "<inlineData contenttype='text/plain'>Head\n\nOne two &amp; three</inlineData>",
        "<inlineData contenttype='text/html'>&lt;h2&gt;Head&lt;/h2&gt;&lt;p&gt;One two &amp;amp; three&lt;/p&gt;</inlineData>",
        "<inlineData contenttype='text/plain' encoding='enc:base64'>SGVhZAoKT25lIHR3byAmIHRocmVl</inlineData>",
    ):
        update = one(item(body=body))
        assert words_of(update.body_html).split() == ["Head", "One", "two", "&", "three"]
        assert "<p>" in update.body_html


NITF_HEAD = """<head><title>T</title><tobject><tobject.subject tobject.subject.refnum="04000000" tobject.subject.type="Economy"/></tobject>
<docdata management-status="{status}"><doc-id regsrc="EX" id-string="ex-1"/>{docdata}</docdata></head>"""


def nitf(
    docdata: str = "", status: str = "usable", head: str = "", body: str = "<p>One.</p>", root: str = "<nitf>"
) -> str:
    """A NITF document."""
    return (
        root
        + NITF_HEAD.format(status=status, docdata=docdata)
        + f"<body><body.head><hedline><hl1>Port closes</hl1></hedline>{head}</body.head><body.content>{body}</body.content></body></nitf>"
    )


@pytest.mark.parametrize(
    "root",
    [
        "<nitf>",
        '<?xml version="1.0"?><!DOCTYPE nitf SYSTEM "nitf.dtd"><nitf>',
        '<!DOCTYPE nitf PUBLIC "-//IPTC//DTD NITF 3.2//EN" "http://www.nitf.org/nitf-3-2.dtd" [ <!-- none --> ]><nitf version="-//IPTC//DTD NITF 3.2//EN">',
        '<nitf xmlns="http://iptc.org/std/NITF/2006-10-18/">',
        '<!DOCTYPE nitf SYSTEM "/etc/passwd"><nitf baselang="en">',
    ],
)
def test_nitf_with_and_without_namespace_and_dtd(root: str) -> None:
    """A bare DOCTYPE means nothing; the words are the same."""
    update = one(nitf(root=root, docdata="<urgency ed-urg='4'/><date.issue norm='20261123T090000+0100'/>"))
    assert (update.guid, update.headline, update.body_html, update.urgency) == ("ex-1", "Port closes", "<p>One.</p>", 4)
    assert (update.subjects[0].code, update.subjects[0].name) == ("subj:04000000", "Economy")
    assert update.version_created == datetime(2026, 11, 23, 8, tzinfo=UTC)


def test_nitf_notes_for_desks_and_bylines() -> None:
    """ed-msg and notes are for desks, but for public advisories (`pa`); a title is parted from its name."""
    update = one(
        nitf(
            docdata="<ed-msg info='Call 555'/>",
            head="<note type='npa'><p>Hold</p></note><note type='std'><p>Adds detail</p></note><note type='pa'><p>Helplines are open.</p></note><byline>By A. CONDON<byttl>AP Writer</byttl></byline><dateline>OSLO, Nov. 5 (AP) -</dateline>",
        )
    )
    assert update.private_note == "Call 555\nHold\nAdds detail"
    assert update.editors_note == "Helplines are open."
    assert update.byline == "By A. CONDON, AP Writer"
    assert update.located == "OSLO"


def test_a_nitf_story_is_known_across_its_versions() -> None:
    """A document id that only adds a version to the story's key is the story's; other ids are themselves."""
    first = one(
        nitf(docdata="")
        .replace('id-string="ex-1"', 'id-string="d9cd_46"')
        .replace("</docdata>", "<du-key key='d9cd' version='47'/></docdata>")
    )
    assert (first.guid, first.version) == ("d9cd", "47")


def test_nitf_kills_corrections_and_embargoes() -> None:
    """canceled kills the document it names; a correction says why; a release later than the issue is an embargo."""
    assert one(nitf(status="canceled")).status == "canceled"
    kill = one(nitf(status="canceled").replace("<docdata ", "<docdata management-doc-idref='ex-0' "))
    assert (kill.guid, kill.status) == ("ex-0", "canceled")
    correction = one(nitf(docdata="<correction info='Corrects the name' id-string='ex-0'/>"))
    assert (correction.signal, correction.correction_reason, correction.replaces) == (
        "correction",
        "Corrects the name",
        ("ex-0",),
    )
    held = one(nitf(docdata="<date.issue norm='20261123T090000Z'/><date.release norm='20261124T090000Z'/>"))
    assert held.embargo_until == datetime(2026, 11, 24, 9, tzinfo=UTC)
    assert one(nitf(status="embargoed")).status == "withheld"


def test_nitf_media_with_caption_and_credit() -> None:
    """References of one media element are renditions of one picture; one that cannot be fetched is kept with its words."""
    media = (
        "<media media-type='image'><media-reference mime-type='image/jpeg' source='https://img.example.org/s.jpg' width='100' height='50'/>"
        "<media-reference mime-type='image/jpeg' source='https://img.example.org/l.jpg' width='1000' height='500'/><media-caption><p>Cranes.</p></media-caption><media-producer>Åse</media-producer></media>"
        "<media media-type='image'><media-reference source='local.jpg'/><media-caption>Elsewhere.</media-caption></media>"
    )
    update = one(nitf(body=f"<p>One.</p>{media}<p/>"))
    assert update.body_html == "<p>One.</p>"
    assert [(one.url, one.caption, one.credit) for one in update.media] == [
        ("https://img.example.org/l.jpg", "Cranes.", "Åse")
    ]
    assert update.extra["media_unresolved"] == [{"source": "local.jpg", "caption": "Elsewhere."}]
    based = one(nitf(body=media), SourceProfile(media_base_url="https://files.example.org/wire/"))
    assert based.media[1].url == "https://files.example.org/wire/local.jpg"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("<p>caf&eacute; &amp; bar</p>", "undeclared-entity"),
        ("<p>caf\u00e9 & bar</p>", "undeclared-entity"),
        ("<p>caf\u00e9\x07 &amp; bar</p>", "control-characters"),
        ("<p>caf\u00e9&#7; &amp; bar</p>", "control-characters"),
        ("<x:p>caf\u00e9 &amp; bar</x:p>", "undeclared-namespace"),
    ],
)
def test_sloppy_xml_is_mended_and_recorded(body: str, code: str) -> None:
    """What agencies really send is understood, and the repair is with the update."""
    update = one(nitf(body=body))
    assert words_of(update.body_html) == "café & bar"
    assert code in [repair.code for repair in update.repairs]


def test_a_charset_that_is_not_what_it_says_is_recorded() -> None:
    """Windows-1252 under a UTF-8 declaration, and UTF-8 under a Latin-1 one, are read as what they are."""
    document = '<?xml version="1.0" encoding="{}"?>' + nitf(body="<p>“Größe” – 5 €</p>")
    for declared, actual in (("utf-8", "cp1252"), ("iso-8859-1", "utf-8"), ("us-ascii", "utf-8")):
        reading = read_document(document.format(declared).encode(actual))
        assert reading.updates[0].body_html == "<p>“Größe” – 5 €</p>"
        assert "bad-charset" in [repair.code for repair in reading.repairs]
