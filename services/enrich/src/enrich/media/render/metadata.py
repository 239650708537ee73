"""Metadata embedded in a picture: IPTC IIM, XMP and two fields of EXIF.

Sources: IPTC Photo Metadata Standard 2023.2 (fields of both schemas), IIM 4.2 (records and data sets), the XMP
specification part 1 (RDF in XML), PLUS 2.0.1 (data mining).
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from lxml import etree

from enrich.picture_index.embedded import Embedded

MAX_BLOCK_BYTES = 2 * 1024 * 1024
"""Larger blocks of metadata are not read; real ones are below 100 kB."""
MAX_TEXT = 4000
MAX_NAMESPACES = 500
"""Namespace declarations in a packet: libxml2 searches those in scope for each new one. Real packets have 30."""
MAX_ITEMS = 100
"""In a list or an alternative."""

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_PLUS = "{http://ns.useplus.org/ldf/xmp/1.0/}"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_XMP_FIELDS = {
    "headline": "{http://ns.adobe.com/photoshop/1.0/}Headline",
    "caption": "{http://purl.org/dc/elements/1.1/}description",
    "credit": "{http://ns.adobe.com/photoshop/1.0/}Credit",
    "creator": "{http://purl.org/dc/elements/1.1/}creator",
    "source": "{http://ns.adobe.com/photoshop/1.0/}Source",
    "copyright": "{http://purl.org/dc/elements/1.1/}rights",
    "usage_terms": "{http://ns.adobe.com/xap/1.0/rights/}UsageTerms",
    "instructions": "{http://ns.adobe.com/photoshop/1.0/}Instructions",
    "alt_text": "{http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/}AltTextAccessibility",
    "terms_url": "{http://ns.adobe.com/xap/1.0/rights/}WebStatement",
    "data_mining": "{http://ns.useplus.org/ldf/xmp/1.0/}DataMining",
    "digital_source": "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType",
}
_NAMES_OF_VALUES = ("data_mining", "digital_source")
"""Fields whose value is a URI of a vocabulary: its last part is the name."""
_IIM_FIELDS = {
    105: "headline",
    120: "caption",
    110: "credit",
    80: "creator",
    115: "source",
    116: "copyright",
    40: "instructions",
}
_IIM_UTF8 = b"\x1b%G"
_EXIF_END = re.compile(r", ASCII, \d{1,10} components?, \d{1,10} bytes\)$")
"""libvips gives a text as `text (text, ASCII, 5 components, 5 bytes)`."""
_EXIF_END_LENGTH = 60


def read_metadata(block: Callable[[str], bytes | str | None]) -> Embedded:
    """The fields of a picture; XMP wins over IIM, and IIM over EXIF. `block` returns a metadata block by its name in libvips.

    What cannot be read is left out: a picture is not refused for its metadata.
    """
    exif = {"creator": _exif(block("exif-ifd0-Artist")), "copyright": _exif(block("exif-ifd0-Copyright"))}
    iim = read_iim(_bytes(block("iptc-data")))
    xmp = read_xmp(_bytes(block("xmp-data")))
    names = {*exif, *iim, *xmp}
    return Embedded(**{name: xmp.get(name) or iim.get(name) or exif.get(name) or "" for name in names})


def read_xmp(packet: bytes) -> dict[str, str]:
    """The fields of an XMP packet, which is UTF-8 within a picture. One with a document type or an entity is not read."""
    if not packet or len(packet) > MAX_BLOCK_BYTES or b"<!DOCTYPE" in packet or b"<!ENTITY" in packet:
        return {}
    if packet.count(b"xmlns") > MAX_NAMESPACES:
        return {}
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True
    )
    try:
        root = etree.fromstring(packet.strip(b"\x00 \r\n\t"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return {}
    if root is None:
        return {}
    found: dict[str, str] = {}
    for description in root.iter(f"{_RDF}Description"):
        for name, tag in _XMP_FIELDS.items():
            if found.get(name):
                continue
            text = (description.get(tag) or _xmp_text(description.find(tag)))[: 2 * MAX_TEXT]
            if name in _NAMES_OF_VALUES:
                text = re.split(r"[/#]", text.rstrip("/"))[-1]
            found[name] = _clean(text)
    found["licensor_url"] = _licensor_url(root)
    return {name: text for name, text in found.items() if text}


def _licensor_url(root: "etree._Element") -> str:
    """The page of the first licensor that has one: an element or an attribute of a structure within plus:Licensor."""
    for holder in islice(root.iter(f"{_PLUS}Licensor"), MAX_ITEMS):
        for one in islice(holder.iter(), MAX_ITEMS):
            if text := _clean(
                (one.text or "") if one.tag == f"{_PLUS}LicensorURL" else one.get(f"{_PLUS}LicensorURL", "")
            ):
                return text
    return ""


def _xmp_text(element: "etree._Element | None") -> str:
    """A plain value, the default language of an alternative, or all items of a sequence."""
    if element is None:
        return ""
    if resource := element.get(f"{_RDF}resource"):
        return resource
    items = list(islice(element.iter(f"{_RDF}li"), MAX_ITEMS))
    if not items:
        return _beginning(element.itertext())
    texts = [_beginning(item.itertext()).strip() for item in items]
    if element.find(f"{_RDF}Alt") is not None:
        default = [text for item, text in zip(items, texts, strict=True) if item.get(_XML_LANG) == "x-default"]
        return next((text for text in (*default, *texts) if text), "")
    return ", ".join(text for text in texts if text)


def _beginning(parts: Iterable[object]) -> str:
    """As much of a text as is kept, so that nested elements are not read in full at every level."""
    kept: list[str] = []
    left = 2 * MAX_TEXT
    for part in parts:
        kept.append(str(part)[:left])
        left -= len(kept[-1])
        if left <= 0:
            break
    return "".join(kept)


def read_iim(block: bytes) -> dict[str, str]:
    """The fields of an IIM block, bare or within Photoshop's image resources."""
    if not block or len(block) > MAX_BLOCK_BYTES:
        return {}
    values: dict[str, list[bytes]] = {}
    utf8 = False
    for record, dataset, value in _iim_datasets(_iim_within(block)):
        if (record, dataset) == (1, 90):
            utf8 = value == _IIM_UTF8
        elif record == 2 and dataset in _IIM_FIELDS:
            values.setdefault(_IIM_FIELDS[dataset], []).append(value)
    found = {
        name: _clean(", ".join(_iim_text(each, utf8=utf8) for each in parts if each)) for name, parts in values.items()
    }
    return {name: text for name, text in found.items() if text}


def _iim_within(block: bytes) -> bytes:
    """IIM is image resource 0x0404 of Photoshop's `8BIM` blocks: type, id, padded name, size, padded data."""
    start = block.find(b"8BIM")
    if start < 0:
        return block
    at = start
    while block[at : at + 4] == b"8BIM" and at + 12 <= len(block):
        name_bytes = block[at + 6] + 1
        data_at = at + 6 + name_bytes + name_bytes % 2 + 4
        size = int.from_bytes(block[data_at - 4 : data_at], "big")
        if block[at + 4 : at + 6] == b"\x04\x04":
            return block[data_at : data_at + size]
        at = data_at + size + size % 2
    return b""


def _iim_datasets(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at + 5 <= len(data) and data[at] == 0x1C:
        size = int.from_bytes(data[at + 3 : at + 5], "big")
        if size & 0x8000:
            # An extended data set: the lower bits count the bytes of the size. None of the fields read is so long.
            return
        yield data[at + 1], data[at + 2], data[at + 5 : at + 5 + size]
        at += 5 + size


def _iim_text(value: bytes, *, utf8: bool) -> str:
    if utf8:
        return value.decode("utf-8", "replace")
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("cp1252", "replace")


def _exif(value: bytes | str | None) -> str:
    if not isinstance(value, str) or (end := _EXIF_END.search(value, max(len(value) - _EXIF_END_LENGTH, 0))) is None:
        return ""
    twice = value[: end.start()]
    half = (len(twice) - len(" (")) // 2
    if half >= 0 and twice[:half] == twice[half + len(" (") :]:
        return _clean(twice[:half])
    return _clean(twice.partition(" (")[0])


def _bytes(value: bytes | str | None) -> bytes:
    return bytes(value) if isinstance(value, bytes | bytearray | memoryview) else b""


def _clean(text: str) -> str:
    """Text without control characters and surrounding space, of limited length, in Unicode's composed form (NFC)."""
    plain = "".join(
        character if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cs") else " "
        for character in text[: 2 * MAX_TEXT]
    )
    return unicodedata.normalize("NFC", plain).strip()[:MAX_TEXT]
