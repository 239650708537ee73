"""JSON Feed 1.0 and 1.1: https://www.jsonfeed.org/version/1.1/"""

from datetime import tzinfo
from typing import Any

from ingest.formats import media, times
from ingest.formats.json import document as json_document
from ingest.formats.reading import MAX_ITEMS, Document, Draft, Format, Parsed, RefusedItem, Unreadable
from ingest.formats.text import plain as text
from shared.messages.limits import MOST

_TAKEN = frozenset(
    [
        "id",
        "url",
        "external_url",
        "title",
        "content_html",
        "content_text",
        "summary",
        "image",
        "banner_image",
        "date_published",
        "date_modified",
        "author",
        "authors",
        "tags",
        "language",
        "attachments",
    ]
)


MAX_AUTHORS = 10
"""Of a feed, where its items name none."""


def recognise(document: Document) -> int:
    """Sure of an object whose `version` is JSON Feed's."""
    first = json_document.first_object(document)
    version = first.get("version")
    if isinstance(version, str) and "jsonfeed.org" in version:
        return 95
    return 65 if isinstance(first.get("items"), list) and ("home_page_url" in first or "feed_url" in first) else 0


def read(document: Document) -> Parsed:
    """One draft for each item."""
    parsed = json_document.parse(document, strict=False)
    feed = parsed.value
    members = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(members, list):
        raise Unreadable("missing-field", "/items", "a JSON Feed has a list of items")
    if len(members) > MAX_ITEMS:
        raise Unreadable("too-many-items", "/items", f"{len(members)} items, {MAX_ITEMS} are permitted")
    zone = times.zone(document.profile.time_zone)
    # Each item is told them: a feed has one or two.
    authors = _named([*_list(feed.get("authors"))[:MAX_AUTHORS], feed.get("author")])
    items: list[Draft | RefusedItem] = []
    for index, item in enumerate(members):
        pointer = f"/items/{index}"
        flaw, mended = parsed.tolerable(pointer)
        if flaw:
            items.append(RefusedItem(index=0, code=flaw.code, place=flaw.pointer, reason=flaw.reason))
        elif isinstance(item, dict) and len(item) > json_document.MAX_FIELDS:
            reason = f"{len(item)} members, {json_document.MAX_FIELDS} are permitted"
            items.append(RefusedItem(index=0, code="too-large", place=pointer or "/", reason=reason))
        elif not isinstance(item, dict):
            items.append(RefusedItem(index=0, code="not-an-object", place=pointer, reason="an item is a JSON object"))
        else:
            draft = _draft(pointer, item, feed, authors, zone)
            draft.repairs += mended
            items.append(draft)
    return Parsed("json-feed", items, parsed.repairs)


def _draft(
    pointer: str, item: dict[str, Any], feed: dict[str, Any], authors: list[dict[str, Any]], zone: tzinfo
) -> Draft:
    draft = Draft(place=pointer, hints=item)
    fields = draft.fields
    link = media.absolute(
        _text(item.get("url")) or _text(item.get("external_url")), _text(feed.get("home_page_url"))[:4000]
    )
    guid = _text(item.get("id"))
    if not isinstance(item.get("id"), str) and guid:
        draft.repaired("number-for-text", "/id")
    if not guid and link:
        guid = link
        draft.repaired("identity-from-link", "/url")
    fields.update(guid=guid, link=link)
    for name, ours in (
        ("date_published", "first_created"),
        ("date_published", "version_created"),
        ("date_modified", "version_created"),
    ):
        if written := _text(item.get(name)):
            moment, code = times.parse(written, zone)
            if code and ours == "version_created":
                draft.repaired(code, f"/{name}", written)
            if moment is not None:
                fields[ours] = moment
    body = _text(item.get("content_html"))
    fields["body_html"] = text.body_of_page(body) if body else text.paragraphs(_text(item.get("content_text")))
    fields["headline"] = text.one_line(_text(item.get("title")))
    fields["summary"] = _text(item.get("summary"))
    if language := _text(item.get("language")) or _text(feed.get("language")):
        fields["language"] = language
    fields["keywords"] = [said for one in _list(item.get("tags")) if (said := _text(one))]
    _people(fields, item, authors)
    references = _media(item)
    fields["media"] = media.with_roles(references or media.in_html(fields["body_html"]))
    if extra := {name: value for name, value in item.items() if name not in _TAKEN and value is not None}:
        fields["extra"] = extra
    return draft


def _people(fields: dict[str, Any], item: dict[str, Any], authors: list[dict[str, Any]]) -> None:
    """The item's authors; the feed's where the item names none, as the standard says."""
    own = [*_list(item.get("authors")), item.get("author")]
    if any(isinstance(one, dict) for one in own):
        authors = _named(own)
    if authors:
        fields["creators"] = authors
        fields["byline"] = ", ".join(one["name"] for one in authors)


def _named(several: list[Any]) -> list[dict[str, Any]]:
    """The authors who have a name, each once."""
    named = {
        name: {"name": name, "uri": _text(one.get("url")) or None}
        for one in several[: MOST["creators"] + 1]
        if isinstance(one, dict) and (name := _text(one.get("name")))
    }
    return list(named.values())


def _media(item: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any] | None] = []
    pictures = (media.absolute(_text(item.get(name))) for name in ("image", "banner_image"))
    found += [media.reference([media.Offer(url)], "picture", {}) for url in pictures if url]
    for one in _list(item.get("attachments")):
        if isinstance(one, dict) and (url := media.absolute(_text(one.get("url")))):
            mime = _text(one.get("mime_type")) or None
            offer = media.Offer(url, mime, size_bytes=media.number(one.get("size_in_bytes")))
            kind = media.kind_of(mime, media.by_extension(url), default="document")
            found.append(media.reference([offer], kind, {"headline": _text(one.get("title"))}))
    return [one for one in found if one]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


FORMAT = Format(
    names=("json-feed", "jsonfeed"),
    media_types=("application/feed+json",),
    recognise=recognise,
    read=read,
    family="json",
)
