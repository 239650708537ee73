"""Pictures, videos and sounds of a feed's entry: Media RSS 1.5.1, enclosures, an image.

Media RSS is read from the tree beside feedparser, which forgets which caption belongs to which picture.
"""

import re

from ingest.formats import media
from ingest.formats.feeds.entry import Entry, optional, several, string
from ingest.formats.fields import AboutMedia, MediaFields
from ingest.formats.text import plain as text
from ingest.formats.xml import document as xml_document
from ingest.formats.xml.document import Element

_MEDIA_RSS = ("http://search.yahoo.com/mrss/", "http://search.yahoo.com/mrss")
_AVATAR = re.compile(r"https?://[\w.\-]{0,40}gravatar\.com/avatar/", re.IGNORECASE)
"""WordPress lists its author's avatar as if it were the entry's picture."""


def media_of(entry: Entry, element: Element | None, grouped: bool) -> list[MediaFields]:
    found: list[MediaFields] = []
    if element is not None:
        found += _media_rss(element)
    else:
        found += _flat_media(entry, grouped)
    for one in several(entry, "links"):
        if one.get("rel") == "enclosure":
            found += _single(one.get("href"), one.get("type"), size=one.get("length"), alt=one.get("title"))
    if not any(one["kind"] == "picture" for one in found):
        image = dict.get(entry, "image")
        if isinstance(image, dict):
            found += _single(image.get("href"), "image")
    return found


def _single(
    url: object, kind: object, *, width: object = None, height: object = None, size: object = None, alt: object = None
) -> list[MediaFields]:
    target = media.absolute(url if isinstance(url, str) else None)
    if target is None:
        return []
    value = kind if isinstance(kind, str) else None
    mime = value if value and "/" in value else None
    offer = media.Offer(target, mime, media.number(width), media.number(height), media.number(size))
    one = media.reference(
        [offer], media.kind_of(value, media.by_extension(target), default="document"), {"alt_text": optional(alt)}
    )
    return [one] if one else []


def _flat_media(entry: Entry, grouped: bool) -> list[MediaFields]:
    """Media RSS as feedparser gives it, for feeds that are not well formed."""
    credited = [string(one.get("content")) for one in several(entry, "media_credit") if one.get("content")]
    found: list[MediaFields] = []
    for one in several(entry, "media_content"):
        found += _single(
            one.get("url"),
            one.get("medium") or one.get("type"),
            width=one.get("width"),
            height=one.get("height"),
            size=one.get("filesize"),
        )
    if not found:
        for one in several(entry, "media_thumbnail"):
            found += _single(one.get("url"), "image", width=one.get("width"), height=one.get("height"))
    if grouped and found:
        found[0]["renditions"] = tuple(one["url"] for one in found[1:])
        found = found[:1]
    for medium in found:
        if credited:
            medium["credit"] = credited[0]
    return found


def _media_rss(element: Element) -> list[MediaFields]:
    """Each `media:content` with its own texts, else its group's, else the entry's; a group is one medium in many renditions."""
    found: list[MediaFields] = []
    for name in _MEDIA_RSS:
        for group in element.findall(f"{{{name}}}group"):
            offers = [_offer(one) for one in group.iter(f"{{{name}}}content")]
            found += _one_medium(offers, group, element, name)
        for one in element.findall(f"{{{name}}}content"):
            found += _one_medium([_offer(one)], one, element, name)
        if not found:
            for one in element.iter(f"{{{name}}}thumbnail"):
                parent = one.getparent()
                found += _one_medium([_offer(one, "image")], one if parent is None else parent, element, name)
                break
    return found


def _offer(one: Element, kind: str | None = None) -> tuple[media.Offer | None, str]:
    url = media.absolute(one.get("url"))
    if url is None or _AVATAR.match(url):
        return None, ""
    mime = one.get("type")
    medium = kind or media.kind_of(one.get("medium"), mime, media.by_extension(url), default="picture")
    return media.Offer(
        url,
        mime if mime and "/" in mime else None,
        media.number(one.get("width")),
        media.number(one.get("height")),
        media.number(one.get("fileSize")),
    ), medium


def _one_medium(
    offers: list[tuple[media.Offer | None, str]], holder: Element, entry: Element, name: str
) -> list[MediaFields]:
    usable = [(offer, kind) for offer, kind in offers if offer is not None]
    if not usable:
        return []
    kind = media.kind_of(usable[0][1])
    about: AboutMedia = {
        "caption": _words_of(holder, entry, name, "description"),
        "headline": _words_of(holder, None, name, "title") or None,
        "credit": _words_of(holder, entry, name, "credit"),
        "copyright": _words_of(holder, entry, name, "copyright"),
    }
    one = media.reference([offer for offer, _ in usable], kind, about)
    return [one] if one else []


def _words_of(holder: Element, entry: Element | None, name: str, what: str) -> str:
    for where in (holder, entry):
        if where is not None:
            for found in where.iter(f"{{{name}}}{what}") if where is holder else where.findall(f"{{{name}}}{what}"):
                if words := text.of_html(xml_document.words(found)):
                    return words
    return ""
