"""Which documents are ninjs, and their items."""

from collections.abc import Iterator

from pydantic import JsonValue

from ingest.formats.json import document as json_document
from ingest.formats.json.document import text_of
from ingest.formats.json.ninjs.item import read_item
from ingest.formats.json.ninjs.properties import NinjsItem, name_of
from ingest.formats.model import Document, Draft, Format, Parsed, RefusedItem, Unreadable, refuse_many

_TELLING = frozenset({
    "versioncreated", "firstcreated", "contentcreated", "pubstatus", "associations", "renditions", "copyrightholder",
    "copyrightnotice", "representationtype", "headlines", "bodies", "descriptions", "description_text",
    "description_html", "description_caption", "body_xhtml", "ednote", "usageterms", "embargoeduntil", "infosource",
    "infosources", "altids", "trustindicators", "eventdetails", "plannedcoverage",
})  # fmt: skip
_OF_3 = frozenset({
    "versionCreated", "pubStatus", "embargoedUntil", "copyrightHolder", "altIds", "firstCreated", "usageTerms",
    "eventDetails", "plannedCoverage",
})  # fmt: skip
_OF_2 = frozenset({"headlines", "bodies", "descriptions", "people", "subjects", "by"})
_TYPES = frozenset(
    {"text", "audio", "video", "picture", "graphic", "composite", "component", "event", "planning", "photo"}
)


def recognise(document: Document) -> int:
    """Sure of an object that says so, or that has a `uri` and one of the fields that only ninjs has."""
    first = _inner(json_document.first_object(document))
    if not first:
        return 0
    for name in ("standard", "$standard"):
        value = first.get(name)
        if isinstance(value, dict) and "ninjs" in str(value.get("name", "")).lower():
            return 95
    names = set(map(str.lower, first))
    telling = not names.isdisjoint(_TELLING)
    if "uri" in names:
        return 85 if telling else 60
    if telling and text_of(first.get("type")) in _TYPES and ("guid" in names or name_of(first)):
        return 80
    return 0


def read(document: Document) -> Parsed:
    """One draft for each item: the document itself, each of a list, or each of a search answer's items."""
    parsed = json_document.parse(document, strict=False)
    found = list(_members(parsed.value))
    if not found:
        raise Unreadable("not-an-object", "", "an item is a JSON object, a batch a list of them")
    refuse_many(len(found), "")
    items: list[Draft | RefusedItem] = []
    generation = 0
    for pointer, value in found:
        item = json_document.item_of(parsed, pointer, value)
        if isinstance(item, RefusedItem):
            items.append(item)
        else:
            generation = generation or _generation(item.value)
            draft = read_item(pointer, item.value, document)
            draft.repairs += item.repairs
            items.append(draft)
    return Parsed(f"ninjs-{generation or 1}", items, parsed.repairs)


def _inner(value: NinjsItem) -> NinjsItem:
    for _, member in _members(value):
        return member if isinstance(member, dict) else {}
    return {}


def _members(value: JsonValue, pointer: str = "") -> Iterator[tuple[str, JsonValue]]:
    """The items with their pointers; AP's and others' search answers wrap them in `data`, `items` and `item`."""
    if isinstance(value, list):
        for index, member in enumerate(value):
            inner = member.get("item") if isinstance(member, dict) and "uri" not in member else None
            if isinstance(inner, dict):
                yield f"{pointer}/{index}/item", inner
            else:
                yield f"{pointer}/{index}", member
    elif isinstance(value, dict):
        if "uri" not in value and "guid" not in value:
            for name in ("data", "items", "_items", "results", "item"):
                if isinstance(inner := value.get(name), (dict, list)):
                    yield from _members(inner, f"{pointer}/{name}")
                    return
        yield pointer, value


def _generation(value: NinjsItem) -> int:
    for name in ("standard", "$standard"):
        content = value.get(name)
        if isinstance(content, dict) and str(content.get("version", ""))[:1] in ("1", "2", "3"):
            return int(str(content["version"])[0])
    if not _OF_3.isdisjoint(value):
        return 3
    return 1 if _OF_2.isdisjoint(value) else 2


FORMAT = Format(
    names=("ninjs", "ninjs-1", "ninjs-2", "ninjs-3"),
    media_types=("application/ninjs+json", "application/vnd.iptc.ninjs+json", "application/vnd.iptc.g2.ninjs+json"),
    recognise=recognise,
    read=read,
    family="json",
)
