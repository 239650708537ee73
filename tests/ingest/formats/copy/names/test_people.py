"""Who can be an author: one rule for names, and what becomes of creators and bylines."""

import pytest

from conformance.documents import read_document
from ingest.formats import SourceProfile
from ingest.formats.copy.names import authors, people
from shared.messages import RawUpdate

G2 = (
    '<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="g"><itemMeta><itemClass qcode="ninat:text"/></itemMeta>'
    "<contentMeta><headline>Port reopens</headline>{}</contentMeta><contentSet>"
    "<inlineData contenttype='text/plain'>The port is open again after a week.</inlineData></contentSet></newsItem>"
)


def g2(meta: str, profile: SourceProfile | None = None) -> RawUpdate:
    """The update of a NewsML-G2 item."""
    return read_document(G2.format(meta), profile=profile or SourceProfile()).updates[0]


@pytest.mark.parametrize(
    "name",
    [
        "Erika Muster", "ERIKA MUSTER", "Muster, Erika", "J. Smithers", "Ludwig van der Meer", "María de la Cruz", "王小明", "ليلى حسن", "Jean-Luc d'Arcy",
        "O'Brien", "Kim Il-sung", "Ursula von der Leyen", "Li Na", "Sarah", "Mike O’Neill", "Karin Karlsson/TT", "Ayşe Yılmaz / DHA", "Дарья Иванова",
    ],
)  # fmt: skip
def test_names_of_people(name: str) -> None:
    """Of all scripts, with particles, in capitals, with the agency behind them."""
    assert people.kind_of_name(name) == "person"


@pytest.mark.parametrize(
    "name",
    [
        "muster.erika", "rademacher.daniel", "daa/mt/msr", "MWE", "ab", "a.b.", "admin", "jsmith", "user123", "redaktion@x.example", "https://x.example", "erika muster",
        "n/a", "newsroom", "SCMP", "x_y", "-", "",
    ],
)  # fmt: skip
def test_logins_codes_and_initials(name: str) -> None:
    """What content systems and desks write for a name is none."""
    assert people.kind_of_name(name) == "code"


@pytest.mark.parametrize("name", ["AFP", "dpa/AFP", "Associated Press", "Reuters Staff", "TT-AFP", "Ritzau", "globenewswire", "The Quay Desk team", "Agence France-Presse", "Sveriges Redaktion"])  # fmt: skip
def test_agencies_and_desks(name: str) -> None:
    """An organisation is no person."""
    assert people.kind_of_name(name) == "organisation"


def test_logins_of_the_desk_are_no_authors() -> None:
    """A name that is a login, or the end of its own code, and a contributor without a role: kept for the desk alone."""
    update = g2(
        "<creator qcode='ad:muster.erika'><name>muster.erika</name></creator><creator qcode='ad:Muster'><name>Muster</name></creator>"
        "<contributor qcode='ad:x'><name>Ann Other</name></contributor><creator qcode='p:1'><name>Ida Blom</name></creator>"
    )
    assert [one.name for one in update.creators] == ["Ida Blom"]
    sent = update.extra["people_as_sent"]
    assert isinstance(sent, dict)
    assert [one["name"] for one in sent["creators"]] == ["muster.erika", "Muster", "Ann Other", "Ida Blom"]
    assert "no-author" in [repair.code for repair in update.repairs]


def test_a_vendor_whose_creators_are_desk_staff_has_authors_in_its_byline_only() -> None:
    """As data: the profile of dpa says so."""
    meta = "<creator qcode='x:1'><name>Ida Blom</name></creator><by>Von Erika Muster, dpa</by>"
    update = g2(meta, SourceProfile(extends="dpa"))
    assert (update.byline, update.creators) == ("Von Erika Muster, dpa", ())


@pytest.mark.parametrize("role", ["photographer", "crol:photographer", "foto", "video editor", "editor", "publisher"])
def test_who_did_not_write_is_no_author_of_a_text(role: str) -> None:
    """Photographers and desk editors of an item of text are not its writers."""
    body = f"<contributor role='{role}'><name>Petra Linse</name></contributor>"
    assert g2(body).creators == ()


@pytest.mark.parametrize(
    ("byline", "shown"),
    [
        ("By daa/mt/msr", ""), ("muster.erika", ""), ("admin", ""), ("AFP", ""), ("By The Associated Press", ""), ("https://x.example/a", ""),
        ("Jane Doe <jane@x.example>", "Jane Doe"), ("By Anna Okonkwo and Ben Marsh", "By Anna Okonkwo and Ben Marsh"), ("Karin Karlsson/TT", "Karin Karlsson/TT"),
        ("Por Juan Pérez", "Por Juan Pérez"), ("Ada Quill in Kyiv and Ben Marsh in London", "Ada Quill in Kyiv and Ben Marsh in London"), ("王小明 李华", "王小明 李华"),
    ],
)  # fmt: skip
def test_bylines(byline: str, shown: str) -> None:
    """A byline keeps the names that are in it, as they are written; one without a name is none."""
    assert authors.byline_of(byline)[0] == shown


def test_an_agency_in_the_bylines_place_is_the_credit() -> None:
    """Where nobody else is credited."""
    nitf = "<nitf><head><docdata><doc-id id-string='1'/></docdata></head><body><body.head><hedline><hl1>Port reopens</hl1></hedline><byline>{}</byline></body.head></body></nitf>"
    update = read_document(nitf.format("Ritzau/AFP")).updates[0]
    assert (update.byline, update.credit) == ("", "Ritzau/AFP")


def test_a_photographer_of_a_picture_is_not_the_writer_of_the_text() -> None:
    """NewsML 1: what a picture's component says is about the picture; of an item that is a picture all of it is."""
    lines = "<NewsLines><HeadLine>{}</HeadLine><ByLine>Petra Linse</ByLine><CreditLine>WIRE/Archive</CreditLine></NewsLines><AdministrativeMetadata><Creator><Party FormalName='Petra Linse'/></Creator></AdministrativeMetadata>"
    picture = f"<NewsComponent>{lines.format('The port')}<NewsComponent><Role FormalName='Quicklook'/><ContentItem Href='https://p.example/a.jpg'><MediaType FormalName='Photo'/></ContentItem></NewsComponent></NewsComponent>"
    text = "<NewsComponent><ContentItem><MediaType FormalName='Text'/><DataContent><p>The port is open again.</p></DataContent></ContentItem></NewsComponent>"
    item = (
        "<NewsML><NewsItem><Identification><NewsIdentifier><ProviderId>w</ProviderId><NewsItemId>1</NewsItemId></NewsIdentifier></Identification>"
        "<NewsComponent><NewsLines><HeadLine>Port reopens</HeadLine></NewsLines><AdministrativeMetadata><Provider><Party FormalName='WIRE'/></Provider></AdministrativeMetadata>{}</NewsComponent></NewsItem></NewsML>"
    )
    update = read_document(item.format(text + picture)).updates[0]
    assert (update.headline, update.byline, update.creators, update.credit) == ("Port reopens", "", (), "WIRE")
    assert update.media[0].credit == "WIRE/Archive"
