"""The formats that wires send: bytes in, raw updates out, with what was repaired and what was refused.

Each format is a module of its family's package with a `FORMAT`; adding one is adding it to `FORMATS`. Nothing here reads a
file or opens a socket: readers are functions of the bytes, their type and the source's profile.
"""

from dataclasses import replace

from ingest.formats.feeds import reader as feeds
from ingest.formats.finish import finish
from ingest.formats.json import dialects, json_feed, native
from ingest.formats.json import document as json_document
from ingest.formats.json.ninjs import document as ninjs
from ingest.formats.model import (
    DEFAULT_PROFILE,
    MAX_DOCUMENT_BYTES,
    Document,
    Format,
    ReadRequest,
    ReadResult,
    RefusedItem,
    SourceProfile,
    Unreadable,
)
from ingest.formats.text import anpa1312, iptc7901
from ingest.formats.xml import cap, houses
from ingest.formats.xml.newsml_1 import item as newsml_1
from ingest.formats.xml.newsml_g2 import message as newsml_g2
from ingest.formats.xml.nitf import document as nitf

__all__ = [
    "DEFAULT_PROFILE", "FORMATS", "ReadRequest", "ReadResult", "RefusedItem", "SourceProfile", "Unreadable", "read", "recognise",
]  # fmt: skip
FORMATS: tuple[Format, ...] = (
    anpa1312.FORMAT,
    cap.FORMAT,
    dialects.FORMAT,
    feeds.FORMAT,
    houses.FORMAT,
    iptc7901.FORMAT,
    json_feed.FORMAT,
    native.FORMAT,
    newsml_1.FORMAT,
    newsml_g2.FORMAT,
    ninjs.FORMAT,
    nitf.FORMAT,
)
"""Where two formats are equally sure of a document, the first one reads it."""

_BY_FAMILY = {
    family: tuple(one for one in FORMATS if one.family in (None, family)) for family in ("json", "xml", "text")
}
_BY_NAME = {name: one for one in FORMATS for name in one.names}
_BY_MEDIA_TYPE = {name: one for one in FORMATS for name in one.media_types}


def recognise(document: Document) -> Format:
    """The format that a document is in: by its content, and by its declared type where the content leaves it open."""
    best, sure = FORMATS[0], 0
    for one in _BY_FAMILY[document.family]:
        if (found := one.recognise(document)) > sure:
            best, sure = one, found
    if sure >= 50:
        return best
    if declared := _BY_MEDIA_TYPE.get(document.media_type):
        return declared
    if sure > 0:
        return best
    if document.family == "json":
        json_document.parse(document, strict=True)
    raise Unreadable("unknown-format", "", "neither its type nor its content is of a format that can be read")


def read(body: bytes, request: ReadRequest) -> ReadResult:
    """The updates that a document holds.

    Raises Unreadable where the document as a whole cannot be taken; an item that cannot is in `refused`, beside those
    that can.
    """
    if not body.strip():
        raise Unreadable("empty", "", "the document is empty")
    if len(body) > MAX_DOCUMENT_BYTES:
        raise Unreadable("too-large", "", f"the document has {len(body)} bytes, {MAX_DOCUMENT_BYTES} are permitted")
    document = Document(
        body, replace(request, profile=request.profile.completed()) if request.profile.extends else request
    )
    name = request.format
    if name is None:
        chosen = recognise(document)
    elif name in _BY_NAME:
        chosen = _BY_NAME[name]
    else:
        raise Unreadable("unknown-format", "", f"there is no format {name[:60]!r}: {', '.join(sorted(_BY_NAME))}")
    return finish(chosen.read(document), document, chosen.parser_version)
