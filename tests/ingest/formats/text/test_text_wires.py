"""IPTC 7901 and ANPA 1312: framing, header fields, heads, paragraphs, and what is not for publication."""

from datetime import UTC, datetime

import pytest

from conformance.documents import read_document
from ingest.formats import SourceProfile

MESSAGE = (
    "\x01eca0003 3 i 380  dpa 0045\r\n\r\nSwitzerland/migration/UN/\r\n1ST LEAD\r\n\x02Switzerland joins resisters\r\n"
    "By Anna Okonkwo =\r\n\r\nGeneva (dpa) - Switzerland is joining a growing\r\nnumber of countries.\r\n\r\nMüller said “no”.\r\n\r\n"
    "* * * *\r\nThe following information is not intended for publication\r\n\r\nCall 555.\r\n\r\n\x03212322 GMT Nov 18\r\n\x04"
)
ANPA = (
    "\x16\x16\x01W2870\x1fasian\r\nu l \x14\x11 BC-LT--Argentina-Cancer     11-13 0049\r\n\x02^BC-LT--Argentina-Cancer,466<\r\n"
    "^Mirrors can hurt<\r\n^Eds: With AP Photos.<\r\n^By PAUL BYRNE=\r\n^Associated Press=\r\n"
    "\t   BUENOS AIRES, Argentina (AP) _ For patients\r\ndealing with it.\r\n \r\n\t   ``Look Good'' is a program.\r\n"
    "\r\n\t   AP-WF-11-13-13 1509GMT<\r\n\r\n\x03\r\n\x04"
)


@pytest.mark.parametrize("charset", ["utf-8", "cp1252"])
def test_iptc_7901(charset: str) -> None:
    """Header, keywords, headline, byline, dateline, paragraphs, time; the rest is for desks."""
    reading = read_document(MESSAGE.encode(charset))
    update = reading.updates[0]
    assert reading.format == "iptc7901"
    assert (update.guid, update.urgency, update.subjects[0].code, update.slugline) == (
        "iptc7901:eca0003:201811212322",
        3,
        "i",
        "Switzerland/migration/UN",
    )
    assert (update.headline, update.byline, update.located, update.credit) == (
        "Switzerland joins resisters",
        "By Anna Okonkwo",
        "Geneva",
        "dpa",
    )
    assert (
        update.body_html
        == "<p>Geneva (dpa) - Switzerland is joining a growing number of countries.</p><p>Müller said “no”.</p>"
    )
    assert update.version_created == datetime(2018, 11, 21, 23, 22, tzinfo=UTC)
    assert (update.signal, update.keywords) == ("update", ("Switzerland", "migration", "UN"))
    assert "555" in update.private_note
    assert "555" not in update.body_html + update.editors_note


def test_anpa_1312() -> None:
    """Priority, category, keyword, head lines, tabs, typesetter's quotes and dashes, date."""
    reading = read_document(ANPA)
    update = reading.updates[0]
    assert reading.format == "anpa1312"
    assert (update.guid, update.urgency, update.subjects[0].code) == ("anpa1312:w2870:201311131509", 3, "a1312cat:l")
    assert (update.headline, update.byline, update.slugline) == (
        "Mirrors can hurt",
        "By PAUL BYRNE, Associated Press",
        "BC-LT--Argentina-Cancer",
    )
    assert (
        update.body_html
        == "<p>BUENOS AIRES, Argentina (AP) — For patients dealing with it.</p><p>“Look Good” is a program.</p>"
    )
    assert (update.located, update.private_note) == ("BUENOS AIRES, Argentina", "Eds: With AP Photos.")


def test_several_messages_of_one_transmission() -> None:
    """One truncated message does not take the others with it."""
    reading = read_document(
        MESSAGE + MESSAGE.replace("eca0003", "eca0004").replace("\x03", "") + MESSAGE.replace("eca0003", "eca0005")
    )
    assert [update.extra["number"] for update in reading.updates] == ["0003", "0005"]
    assert [(refused.index, refused.code) for refused in reading.refused] == [(1, "truncated")]


@pytest.mark.parametrize("document", [MESSAGE, ANPA])
def test_the_same_transmission_again_gives_the_same_updates(document: str) -> None:
    """A file that is dropped twice holds nothing new."""
    assert [update.fingerprint() for update in read_document(document).updates] == [
        update.fingerprint() for update in read_document(document).updates
    ]


def test_a_sources_own_charset_and_priorities() -> None:
    """Bytes that are not UTF-8 are read in the profile's charset; its codes mean what it says."""
    profile = SourceProfile(charset="cp1251", urgencies={"3": 1}, codes={"i": "medtop:11000000"})
    update = read_document(MESSAGE.replace("Müller said “no”", "Киев").encode("cp1251"), profile=profile).updates[0]
    assert "Киев" in update.body_html
    assert (update.urgency, update.subjects[0].code) == (1, "medtop:11000000")
