"""XML of houses that follow no standard: Ritzau's RBNews, press releases of Solita and Cision's sites (ntbinfo.no, sttinfo.fi, …), Europa Press.

Each is a table of where it keeps what; the members are then read like those of a house's JSON (`json/dialects.py`). A root
element that is in no table is left to others.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from ingest.formats.json.dialects import draft_of
from ingest.formats.model import Document, Draft, Format, Parsed, RefusedItem
from ingest.formats.xml import document as xml_document
from ingest.formats.xml.document import Element, child, local, words

_MOST_PICTURES = 100


@dataclass(frozen=True, slots=True)
class _House:
    """Where a house keeps what: members of an article by paths below the root, the surest first; `@` is an attribute."""

    members: Mapping[str, tuple[str, ...]]
    has: tuple[str, ...]
    """Elements without which it is not this house's."""
    pictures: str = ""
    """The path of a picture, and below it its address and caption."""
    address: tuple[str, ...] = ("url",)
    caption: tuple[str, ...] = ("caption",)
    subjects: str = ""
    """The element whose children are IPTC's subject codes."""
    flags: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Elements that say `true`, and the member and value that they mean."""
    time_zone: str = "UTC"


_HOUSES: Mapping[str, _House] = {
    "RBNews": _House(
        members={
            "guid": ("NewsID",), "version": ("version",), "version_created": ("PublishDate",), "headline": ("headline",), "summary": ("subtitle",), "located": ("town",),
            "credit": ("origin",), "content_html": ("content",), "byline": ("byLine",), "slug": ("strapline",), "priority": ("Priority",), "note": ("TilRedaktionen",),
            "sections": ("section",),
        },
        has=("NewsID", "content"),
        subjects="IPTCList",
        flags={"Annuleret": ("status", "canceled"), "Korrektion": ("signal", "correction")},
        time_zone="Europe/Copenhagen",
    ),
    "release": _House(
        members={
            "guid": ("@id",), "version_created": ("publicationDate",), "headline": ("title",), "summary": ("leadtext",), "content_html": ("body",), "link": ("longurl", "shorturl"),
            "credit": ("publisher/name",), "language": ("@lang", "language/label"), "embargoed": ("embargo",), "note": ("contactsAsText",), "keywords": ("keywords",),
        },
        has=("title", "body", "publicationDate"),
        pictures="images/image",
        time_zone="Europe/Oslo",
    ),
    "NOTICIA": _House(
        members={
            "guid": ("CODIGO",), "headline": ("TITULAR",), "summary": ("ENTRADILLA",), "content_html": ("CONTENIDO",), "byline": ("FIRMA", "FIRMA2"), "located": ("LUGAR",),
            "kicker": ("ANTETITULO",),
        },
        has=("CODIGO", "TITULAR", "CONTENIDO"),
        pictures="FOTO",
        address=("NOMBRE",),
        caption=("PIE",),
        time_zone="Europe/Madrid",
    ),
}  # fmt: skip
_AS_SENT = frozenset({"content_html"})
"""Members that keep their markup."""


def recognise(document: Document) -> int:
    """Sure of a root element of a house's and the elements that it never lacks."""
    name, _ = xml_document.root_name(document)
    house = _HOUSES.get(name)
    if house is None:
        return 0
    whole = xml_document.prepared(document)
    return 88 if all(f"<{one}" in whole for one in house.has) else 0


def read(document: Document) -> Parsed:
    """The one article of the document."""
    root = xml_document.parse(document)
    name = local(root)
    house = _HOUSES.get(name)
    if house is None:
        refused = RefusedItem(code="unknown-format", place="/", reason=f"{name[:60]!r} is the root of no house's XML")
        return Parsed("house-xml", [refused])
    items: list[Draft | RefusedItem] = [draft_of(f"/{name}", _article(root, house), document, house.time_zone)]
    return Parsed("house-xml", items)


def _article(root: Element, house: _House) -> dict[str, JsonValue]:
    article: dict[str, JsonValue] = {}
    for name, paths in house.members.items():
        if said := next((one for path in paths if (one := _said(root, path, as_sent=name in _AS_SENT))), ""):
            article[name] = said
    if "credit" in article:
        article["credit"] = str(article["credit"]).strip("/ ")
    if local(root) == "NOTICIA" and (day := _said(root, "FECHA")):
        article["version_created"] = f"{day.replace('/', '.')} {_said(root, 'HORA')}".strip()
    for flag, (name, value) in house.flags.items():
        if _said(root, flag).lower() in ("true", "1"):
            article[name] = value
    if house.subjects and (codes := child(root, house.subjects)) is not None:
        article["subject"] = [{"qcode": f"subj:{words(one):0>8}"} for one in codes if words(one).isdigit()]
    if house.pictures:
        article["media"] = [*_pictures(root, house)]
    return article


def _said(root: Element, path: str, *, as_sent: bool = False) -> str:
    if path.startswith("@"):
        return (root.get(path[1:]) or "").strip()
    found = child(root, *path.split("/"))
    if found is None:
        return ""
    return (found.text or "").strip() if as_sent and not len(found) else words(found)


def _pictures(root: Element, house: _House) -> list[JsonValue]:
    *above, name = house.pictures.split("/")
    holder = child(root, *above) if above else root
    found: list[JsonValue] = []
    for one in holder if holder is not None else ():
        if local(one) == name and len(found) < _MOST_PICTURES:
            found.append(
                {
                    "type": "picture",
                    "url": words(child(one, *house.address)),
                    "caption": words(child(one, *house.caption)),
                }
            )
    return found


FORMAT = Format(names=("house-xml", "rbnews", "solita"), media_types=(), recognise=recognise, read=read, family="xml")
