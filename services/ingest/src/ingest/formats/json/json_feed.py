"""JSON Feed 1.0 and 1.1: https://www.jsonfeed.org/version/1.1/"""

import re
from datetime import tzinfo

from pydantic import JsonValue

from ingest.formats import media, times
from ingest.formats.copy.endings.footers import take_footers
from ingest.formats.feeds.entry import resolved
from ingest.formats.fields import CreatorFields, MediaFields, TimeField, UpdateFields
from ingest.formats.json import document as json_document
from ingest.formats.json.document import text_of
from ingest.formats.model import Document, Draft, Format, Parsed, RefusedItem, Unreadable, refuse_many
from ingest.formats.text import plain as text
from shared.messages.limits import MOST

_TAKEN = frozenset([
    "id", "url", "external_url", "title", "content_html", "content_text", "summary", "image", "banner_image",
    "date_published", "date_modified", "author", "authors", "tags", "language", "attachments",
])  # fmt: skip


_TIMES: tuple[tuple[str, TimeField], ...] = (
    ("date_published", "first_created"),
    ("date_published", "version_created"),
    ("date_modified", "version_created"),
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
    feed = parsed.value if isinstance(parsed.value, dict) else {}
    members = feed.get("items")
    if not isinstance(members, list):
        raise Unreadable("missing-field", "/items", "a JSON Feed has a list of items")
    refuse_many(len(members), "/items")
    zone = times.zone(document.profile.time_zone)
    # Each item repeats them, so their number is bounded: a feed has one or two.
    authors = _named([*_several(feed.get("authors"))[:MAX_AUTHORS], *_several(feed.get("author"))])
    addresses = (
        text_of(feed.get("home_page_url"))[:4000],
        text_of(feed.get("feed_url"))[:4000],
        document.request.address,
    )
    base = next((url for one in addresses if one and (url := media.absolute(one))), None)
    items: list[Draft | RefusedItem] = []
    for index, member in enumerate(members):
        pointer = f"/items/{index}"
        item = json_document.item_of(parsed, pointer, member)
        if isinstance(item, RefusedItem):
            items.append(item)
        else:
            draft = _draft(pointer, item.value, feed, authors, zone, base)
            draft.repairs += item.repairs
            items.append(draft)
    return Parsed("json-feed", items, parsed.repairs)


def _draft(  # noqa: PLR0917 -- what all items of a feed share
    pointer: str,
    item: dict[str, JsonValue],
    feed: dict[str, JsonValue],
    authors: list[CreatorFields],
    zone: tzinfo,
    base: str | None,
) -> Draft:
    draft = Draft(place=pointer, hints=item)
    fields = draft.fields
    link = media.absolute(text_of(item.get("url")) or text_of(item.get("external_url")), base)
    near = link or base
    guid = text_of(item.get("id"))
    if not isinstance(item.get("id"), str) and guid:
        draft.repaired("number-for-text", "/id")
    if not guid and link:
        guid = link
        draft.repaired("identity-from-link", "/url")
    fields["guid"], fields["link"] = guid, link
    for name, ours in _TIMES:
        if written := text_of(item.get(name)):
            moment, code = times.parse(written, zone)
            if code and ours == "version_created":
                draft.repaired(code, f"/{name}", written)
            if moment is not None:
                fields[ours] = moment
    body = text_of(item.get("content_html"))
    fields["body_html"] = (
        resolved(text.body_of_page(body), near or "") if body else text.paragraphs(text_of(item.get("content_text")))
    )
    fields["headline"] = text.one_line(text_of(item.get("title")))
    fields["summary"] = text_of(item.get("summary"))
    take_footers(draft)
    if language := text_of(item.get("language")) or text_of(feed.get("language")):
        fields["language"] = language
    fields["keywords"] = [tag for one in _list(item.get("tags")) if (tag := text_of(one))]
    _people(fields, item, authors)
    references = _media(item, near)
    fields["media"] = media.with_roles(references or media.in_html(fields["body_html"], near))
    extra: dict[str, object] = {name: value for name, value in item.items() if name not in _TAKEN and value is not None}
    if extra:
        fields["extra"] = extra
    return draft


def _people(fields: UpdateFields, item: dict[str, JsonValue], authors: list[CreatorFields]) -> None:
    """The item's authors; the feed's where the item names none, as the standard says."""
    own = _named([*_several(item.get("authors")), *_several(item.get("author"))])
    if own:
        authors = own
    if authors:
        fields["creators"] = authors
        fields["byline"] = ", ".join(one["name"] for one in authors)


def _named(several: list[JsonValue]) -> list[CreatorFields]:
    """The authors who have a name, each once."""
    named: dict[str, CreatorFields] = {}
    for one in several[: MOST["creators"] + 1]:
        if isinstance(one, dict) and (name := text_of(one.get("name"))):
            named[name] = {"name": name, "uri": text_of(one.get("url")) or None}
        elif isinstance(one, str) and one.strip():
            named[one.strip()] = {"name": one.strip()}
    return list(named.values())


def _several(value: JsonValue) -> list[JsonValue]:
    """A list; of one object or text the list of it, as some write authors."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _media(item: dict[str, JsonValue], base: str | None) -> list[MediaFields]:
    found: list[MediaFields | None] = []
    pictures = (media.absolute(text_of(item.get(name)), base) for name in ("image", "banner_image"))
    found += [media.reference([media.Offer(url)], "picture", {}) for url in pictures if url and not _ICON.search(url)]
    for one in _list(item.get("attachments")):
        if isinstance(one, dict) and (url := media.absolute(text_of(one.get("url")), base)):
            mime = text_of(one.get("mime_type")) or None
            offer = media.Offer(url, mime, size_bytes=media.number(one.get("size_in_bytes")))
            kind = media.kind_of(mime, media.by_extension(url), default="document")
            found.append(media.reference([offer], kind, {"headline": text_of(one.get("title"))}))
    return [one for one in found if one]


_ICON = re.compile(r"/(?:favicon|apple-touch-icon|site-icon)[\w.-]{0,40}$", re.IGNORECASE)
"""A site's own sign, which some give for an item that has no picture."""


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


FORMAT = Format(
    names=("json-feed", "jsonfeed"),
    media_types=("application/feed+json",),
    recognise=recognise,
    read=read,
    family="json",
)
