"""NewsML 1.x: components nested at will, pictures with their captions, versions and status."""

from datetime import UTC, datetime

import pytest

from conformance.documents import read_document
from shared.messages import RawUpdate

ITEM = """<NewsItem><Identification><NewsIdentifier><ProviderId>afp.com</ProviderId><DateId>20261123</DateId><NewsItemId>{number}</NewsItemId>
<RevisionId PreviousRevision="1" Update="U">2</RevisionId><PublicIdentifier>urn:newsml:afp.com:20261123:{number}:2</PublicIdentifier></NewsIdentifier></Identification>
<NewsManagement><NewsItemType FormalName="News"/><FirstCreated>20261123T090000Z</FirstCreated><ThisRevisionCreated>20261123T100000+0100</ThisRevisionCreated>
<Status FormalName="{status}"/>{management}<Urgency FormalName="4"/></NewsManagement>
<NewsComponent><NewsLines><HeadLine>Port closes</HeadLine><ByLine>By Anna</ByLine><DateLine>Oslo, 23 nov 2026 (AFP)</DateLine><CopyrightLine>© AFP</CopyrightLine></NewsLines>
<DescriptiveMetadata><Language FormalName="EN"/><SubjectCode><SubjectMatter FormalName="04008000"/></SubjectCode></DescriptiveMetadata>
<NewsComponent><Role FormalName="Contact"/><ContentItem><MediaType FormalName="Text"/><DataContent><p>Call 555</p></DataContent></ContentItem></NewsComponent>
<NewsComponent><Role FormalName="Main"/><ContentItem><MediaType FormalName="Text"/><DataContent>{text}</DataContent></ContentItem></NewsComponent>
<NewsComponent Duid="photo"><NewsLines><CreditLine>Åse</CreditLine></NewsLines>
<NewsComponent><Role FormalName="Caption"/><ContentItem><MediaType FormalName="Text"/><DataContent><p>Cranes.</p></DataContent></ContentItem></NewsComponent>
<NewsComponent><Role FormalName="Thumbnail"/><ContentItem Href="https://i.example.org/t.jpg"><MimeType FormalName="image/jpeg"/></ContentItem></NewsComponent>
<NewsComponent><Role FormalName="HighDef"/><ContentItem Href="https://i.example.org/h.jpg"><MimeType FormalName="image/jpeg"/><Characteristics><Property FormalName="Width" Value="900"/><Property FormalName="Height" Value="600"/></Characteristics></ContentItem></NewsComponent>
</NewsComponent></NewsComponent></NewsItem>"""


def read(
    number: str = "abc", status: str = "Usable", management: str = "", text: str = "<p>One.</p><p>Two.</p>"
) -> RawUpdate:
    """The update of one item."""
    return read_document(
        f"<NewsML>{ITEM.format(number=number, status=status, management=management, text=text)}</NewsML>"
    ).updates[0]


def test_an_item_with_a_picture() -> None:
    """Identity without the revision, times with their offset, the main text, the picture with caption and credit."""
    update = read()
    assert (update.guid, update.version, update.urgency, update.language) == (
        "urn:newsml:afp.com:20261123:abc",
        "2",
        4,
        "en",
    )
    assert (update.headline, update.byline, update.located, update.copyright) == (
        "Port closes",
        "By Anna",
        "Oslo",
        "© AFP",
    )
    assert update.version_created == datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert update.body_html == "<p>One.</p><p>Two.</p>"
    assert [subject.code for subject in update.subjects] == ["subj:04008000"]
    assert [(one.url, one.caption, one.credit, one.renditions) for one in update.media] == [
        ("https://i.example.org/h.jpg", "Cranes.", "Åse", ("https://i.example.org/t.jpg",))
    ]


@pytest.mark.parametrize(
    "text",
    [
        "<![CDATA[<p>One.</p><p>Two.</p>]]>",
        "One.\n\nTwo.",
        '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>t</title></head><body><p>One.</p><p>Two.</p></body></html>',
        "<nitf><body><body.content><p>One.</p><p>Two.</p></body.content></body></nitf>",
    ],
)
def test_texts_in_every_vessel(text: str) -> None:
    """Escaped, plain, XHTML and NITF texts are the same paragraphs."""
    assert read(text=text).body_html == "<p>One.</p><p>Two.</p>"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("Usable", "usable"),
        ("Canceled", "canceled"),
        ("Withheld", "withheld"),
        ("Embargoed", "withheld"),
        ("Odd", "withheld"),
    ],
)
def test_status(status: str, expected: str) -> None:
    """An embargo without a time, and a status that nobody knows, keep an item from readers."""
    assert read(status=status).status == expected


def test_an_embargo_with_its_end() -> None:
    """The moment at which the status will change is the embargo's end."""
    change = '<StatusWillChange><FutureStatus FormalName="Usable"/><DateAndTime>20261124T090000Z</DateAndTime></StatusWillChange>'
    update = read(status="Embargoed", management=change)
    assert (update.status, update.embargo_until) == ("usable", datetime(2026, 11, 24, 9, tzinfo=UTC))
