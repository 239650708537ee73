"""NewsML-G2: newsMessage, newsItem and packageItem.

Catalogs are not fetched: IPTC's own aliases are known, others come with the document or the source's profile. Items
that carry no news (concepts, knowledge, planning, catalogs) are passed over. A picture that a text in the same message
refers to, by a package or by a link, goes with that text; one that nobody refers to is an update of its own.
"""

from collections.abc import Iterator

from ingest.formats import media
from ingest.formats.model import Document, Draft, Format, Parsed, RefusedItem, refuse_many
from ingest.formats.xml import document as xml_document
from ingest.formats.xml.document import Element, local
from ingest.formats.xml.newsml_g2.item import NewsItem
from ingest.formats.xml.newsml_g2.sections import read_item

_ITEMS = ("newsItem", "packageItem")
_NOT_NEWS = ("conceptItem", "knowledgeItem", "planningItem", "catalogItem")
_ROOTS = frozenset({"newsMessage", *_ITEMS, *_NOT_NEWS})


def recognise(document: Document) -> int:
    """Sure of a root element of NewsML-G2, and of its namespace in a wrapping."""
    name, tag = xml_document.root_name(document)
    if name in _ROOTS:
        return 95
    return 70 if name and "iptc.org/std/nar/" in document.head and "<newsItem" in document.head and tag else 0


def read(document: Document) -> Parsed:
    """One draft for each news item that stands for itself, and for each package that holds none of them."""
    refuse_many(xml_document.prepared(document).count("<newsItem "), "/newsMessage/itemSet")
    root = xml_document.parse(document)
    elements, passed_over = _items(root)
    refuse_many(len(elements), "/newsMessage/itemSet")
    items = [read_item(one, place, document) for place, one in elements]
    if len(items) > 1:
        # A wrapping of the message itself, without identity and words: what it names stands beside it.
        items = [one for one in items if one.guid or not one.is_package or one.fields.get("headline")]
    drafts: list[Draft | RefusedItem] = [item.draft for item in _arranged(items)]
    if not drafts:
        kind, place = passed_over[0] if passed_over else (local(root), f"/{local(root)}")
        drafts.append(RefusedItem(code="not-news", place=place, reason=f"a {kind[:60]} carries no news item"))
    return Parsed("newsml-g2", drafts)


def _items(root: Element) -> tuple[list[tuple[str, Element]], list[tuple[str, str]]]:
    name = local(root)
    if name in _ITEMS:
        return [(f"/{name}", root)], []
    if name in _NOT_NEWS:
        return [], [(name, f"/{name}")]
    found: list[tuple[str, Element]] = []
    passed_over: list[tuple[str, str]] = []
    for holder in xml_document.outermost(root, "itemSet") if name == "newsMessage" else (root,):
        for index, one in enumerate(holder if name == "newsMessage" else xml_document.outermost(root, *_ITEMS)):
            place = f"/newsMessage/itemSet/*[{index + 1}]"
            if local(one) in _ITEMS:
                found.append((place, one))
            elif local(one):
                passed_over.append((local(one), place))
    return found, passed_over


def _arranged(items: list[NewsItem]) -> Iterator[NewsItem]:
    """The items that stand for themselves, with the pictures that belong to them."""
    by_guid = {item.guid: item for item in items if item.guid}
    taken: set[int] = set()
    carried: set[int] = set()
    for item in items:
        if item.is_package:
            members = [by_guid[one] for one in dict.fromkeys(item.refers) if one in by_guid]
            texts = [one for one in members if not one.is_picture and not one.is_package]
            pictures = [one for one in members if one.is_picture]
            holder = texts[0] if texts else item
            _take(holder, pictures, taken)
            if texts or any(one.is_package for one in members):
                carried.add(id(item))
                if item.guid:
                    for one in texts:
                        one.fields.setdefault("extra", {})["package"] = item.guid
        elif not item.is_picture:
            named = (by_guid[one] for one in dict.fromkeys(item.refers) if one in by_guid)
            _take(item, [one for one in named if one.is_picture], taken)
    for item in items:
        if id(item) not in taken and id(item) not in carried:
            yield item


def _take(holder: NewsItem, pictures: list[NewsItem], taken: set[int]) -> None:
    mine = holder.fields.get("media") or []
    for picture in pictures:
        if (
            picture is not holder
            and picture.fields.get("status", "usable") == "usable"
            and not picture.fields.get("embargo_until")
        ):
            for one in picture.fields.get("media") or ():
                one.pop("role", None)
                mine.append(one)
            taken.add(id(picture))
    if mine:
        holder.fields["media"] = media.with_roles(mine)


FORMAT = Format(
    names=("newsml-g2", "newsml"),
    media_types=(
        "application/vnd.iptc.g2.newsmessage+xml",
        "application/vnd.iptc.g2.newsitem+xml",
        "application/vnd.iptc.g2.packageitem+xml",
    ),
    recognise=recognise,
    read=read,
    family="xml",
)
