"""The words that pictures carry."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrich.media.render.metadata import read_iim, read_metadata, read_xmp


def dataset(record: int, number: int, value: bytes) -> bytes:
    """One IIM data set."""
    return struct.pack(">BBBH", 0x1C, record, number, len(value)) + value


def photoshop(iim: bytes, *, before: bytes = b"") -> bytes:
    """IIM within Photoshop's image resources, behind another resource."""
    other = b"8BIM" + b"\x03\xed" + b"\x03abc" + struct.pack(">I", 3) + b"xyz\x00"
    return (
        b"Photoshop 3.0\x00" + before + other + b"8BIM" + b"\x04\x04" + b"\x00\x00" + struct.pack(">I", len(iim)) + iim
    )


UTF8 = dataset(1, 90, b"\x1b%G")


def test_iim_fields_are_read_in_their_encodings() -> None:
    """Declared UTF-8, undeclared UTF-8 and the Western code page that old tools write are all understood."""
    fields = dataset(2, 105, "Überschrift".encode()) + dataset(2, 120, "Čáp – 鸛".encode()) + dataset(2, 110, b"Agency")
    for block in (photoshop(UTF8 + fields), photoshop(fields), UTF8 + fields):
        assert read_iim(block) == {"headline": "Überschrift", "caption": "Čáp – 鸛", "credit": "Agency"}
    western = photoshop(dataset(2, 120, "Café “Zürich”".encode("cp1252")))
    assert read_iim(western) == {"caption": "Café “Zürich”"}


def test_iim_repeated_byline_names_all() -> None:
    """Two photographers are both named; instructions, source and copyright are kept apart."""
    block = photoshop(
        dataset(2, 80, b"Ana")
        + dataset(2, 80, b"Ben")
        + dataset(2, 115, b"Src")
        + dataset(2, 116, b"(c)")
        + dataset(2, 40, b"No web")
    )
    assert read_iim(block) == {"creator": "Ana, Ben", "source": "Src", "copyright": "(c)", "instructions": "No web"}


XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:Headline="By attribute"/>
<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
 xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/" xmlns:Iptc4xmpCore="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
 xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
<dc:description><rdf:Alt><rdf:li xml:lang="de">Ein Storch</rdf:li><rdf:li xml:lang="x-default">A stork</rdf:li></rdf:Alt></dc:description>
<dc:creator><rdf:Seq><rdf:li>Ana</rdf:li><rdf:li>Ben</rdf:li></rdf:Seq></dc:creator>
<dc:rights><rdf:Alt><rdf:li xml:lang="en">(c) 2026</rdf:li></rdf:Alt></dc:rights>
<photoshop:Credit>A. Gency</photoshop:Credit>
<xmpRights:UsageTerms><rdf:Alt><rdf:li xml:lang="x-default">Editorial use</rdf:li></rdf:Alt></xmpRights:UsageTerms>
<Iptc4xmpCore:AltTextAccessibility><rdf:Alt><rdf:li xml:lang="x-default">A stork on a roof</rdf:li></rdf:Alt></Iptc4xmpCore:AltTextAccessibility>
<plus:DataMining>http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING</plus:DataMining>
<Iptc4xmpExt:DigitalSourceType rdf:resource="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"/>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""


def test_xmp_fields_are_read_in_all_their_forms() -> None:
    """Attributes, plain elements, alternatives by language, sequences and resources are understood."""
    assert read_xmp(XMP.encode()) == {
        "headline": "By attribute",
        "caption": "A stork",
        "creator": "Ana, Ben",
        "copyright": "(c) 2026",
        "credit": "A. Gency",
        "usage_terms": "Editorial use",
        "alt_text": "A stork on a roof",
        "data_mining": "DMI-PROHIBITED-AIMLTRAINING",
        "digital_source": "trainedAlgorithmicMedia",
    }


@pytest.mark.parametrize(
    "prologue",
    [
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd">',
    ],
)
def test_xmp_with_a_document_type_is_not_read(prologue: str) -> None:
    """Entities are an attack; the packet says nothing, and the picture is not refused for it."""
    body = XMP[XMP.index("<x:xmpmeta") : XMP.index("<?xpacket end")].replace("A. Gency", "&e;")
    assert read_xmp((prologue + body).encode()) == {}


def test_encoding_of_an_entity_attack_does_not_hide_it() -> None:
    """In UTF-16 too, nothing of an entity's value reaches us."""
    attack = '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x [<!ENTITY e "leaked">]>' + XMP[
        XMP.index("<x:xmpmeta") : XMP.index("<?xpacket end")
    ].replace("A. Gency", "&e;")
    assert "leaked" not in read_xmp(attack.encode("utf-16")).values()


def test_xmp_wins_over_iim_and_iim_over_exif() -> None:
    """Of two that speak, the newer schema is believed; each fills what the other leaves out."""
    blocks = {
        "exif-ifd0-Artist": "Exif Name (Exif Name, ASCII, 10 components, 10 bytes)",
        "exif-ifd0-Copyright": "(c) Exif ((c) Exif, ASCII, 9 components, 9 bytes)",
        "iptc-data": photoshop(UTF8 + dataset(2, 80, b"Iim Name") + dataset(2, 110, b"Iim Credit")),
        "xmp-data": XMP.replace("<photoshop:Credit>A. Gency", "<photoshop:Credit>Xmp Credit").encode(),
    }
    found = read_metadata(blocks.get)
    assert (found.credit, found.creator, found.copyright) == ("Xmp Credit", "Ana, Ben", "(c) 2026")
    del blocks["xmp-data"]
    found = read_metadata(blocks.get)
    assert (found.credit, found.creator, found.copyright) == ("Iim Credit", "Iim Name", "(c) Exif")


@given(st.binary(max_size=300))
def test_no_bytes_make_a_reader_fail(noise: bytes) -> None:
    """Metadata is hostile too: whatever it is, the readers answer, with bounded text and no control characters."""
    whole = XMP.encode()
    for block in (noise, b"8BIM\x04\x04" + noise, b"\x1c\x02\x78" + noise, photoshop(noise)):
        for text in read_iim(block).values():
            assert "\x00" not in text
    for packet in (noise, whole[: len(noise)] + noise + whole[len(noise) :], b"<x:xmpmeta>" + noise):
        for text in read_xmp(packet).values():
            assert len(text) <= 4000
