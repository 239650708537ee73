"""Pictures, videos and sounds of a feed's entry: Media RSS 1.5.1, enclosures, an image.

Media RSS is read from the tree beside feedparser, which forgets which caption belongs to which picture.
"""

import re

from ingest.formats import media
from ingest.formats.feeds.entry import Entry, optional, several, string
from ingest.formats.fields import AboutMedia, MediaFields, UpdateFields
from ingest.formats.text import plain as text
from ingest.formats.xml import document as xml_document
from ingest.formats.xml.document import Element

_MEDIA_RSS = ("http://search.yahoo.com/mrss/", "http://search.yahoo.com/mrss")
_AVATAR = re.compile(r"https?://[\w.\-]{0,40}gravatar\.com/avatar/", re.IGNORECASE)
"""WordPress lists its author's avatar as if it were the entry's picture."""


_PREFIX = re.compile(r"xmlns:([\w.\-]{1,40})\s{0,5}=\s{0,5}[\"']http://search\.yahoo\.com/mrss/?[\"']")


def media_apart(source: str) -> str:
    """The feed with Media RSS's descriptions and titles under names of our own: they are the captions of pictures.

    feedparser takes `media:description` for the entry's own text, whichever stands first.
    """
    found = _PREFIX.search(source)
    prefix = found.group(1) if found else "media"
    if f"{prefix}:description" not in source and f"{prefix}:title" not in source:
        return source
    return re.sub(rf"(</?{re.escape(prefix)}:)(description|title)(?=[\s/>])", r"\1about-\2", source)


def take_media_words(fields: UpdateFields, element: Element) -> None:
    """Take the words of an entry that has none but those about its video or picture, as video channels send them."""
    for name in _MEDIA_RSS:
        for holder in (element, *element.findall(f"{{{name}}}group")):
            title, described = holder.find(f"{{{name}}}about-title"), holder.find(f"{{{name}}}about-description")
            if title is not None and not fields.get("headline"):
                fields["headline"] = text.of_html(xml_document.words(title))
            if described is not None and not fields.get("body_html") and not fields.get("summary"):
                value = "".join(map(str, described.itertext()))
                fields["body_html"] = (
                    text.paragraphs_of_escaped(value) if "<" not in value else text.paragraphs(text.of_html(value))
                )


def media_of(entry: Entry, element: Element | None, grouped: bool, base: str | None = None) -> list[MediaFields]:
    found: list[MediaFields] = []
    if element is not None:
        found += _media_rss(element, base)
    else:
        found += _flat_media(entry, grouped)
    for one in several(entry, "links"):
        if one.get("rel") == "enclosure":
            found += _single(one.get("href"), one.get("type"), size=one.get("length"), alt=one.get("title"), base=base)
    if not any(one["kind"] == "picture" for one in found):
        image = dict.get(entry, "image")
        if isinstance(image, dict):
            found += _single(image.get("href"), "image", base=base)
    return found


def _single(
    url: object,
    kind: object,
    *,
    width: object = None,
    height: object = None,
    size: object = None,
    alt: object = None,
    base: str | None = None,
) -> list[MediaFields]:
    target = media.absolute(url if isinstance(url, str) else None, base)
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


def _media_rss(element: Element, base: str | None) -> list[MediaFields]:
    """Each `media:content` with its own texts, else its group's, else the entry's; a group is one medium in many renditions."""
    found: list[MediaFields] = []
    for name in _MEDIA_RSS:
        for group in element.findall(f"{{{name}}}group"):
            offers = [_offer(one, base) for one in group.iter(f"{{{name}}}content")]
            found += _one_medium(offers, group, element, name)
        for one in element.findall(f"{{{name}}}content"):
            found += _one_medium([_offer(one, base)], one, element, name)
        if not found and (thumbnails := list(element.iter(f"{{{name}}}thumbnail"))):
            largest = max(thumbnails[:_MOST_THUMBNAILS], key=_pixels)
            parent = largest.getparent()
            holder = largest if parent is None else parent
            found += _one_medium([_offer(largest, base, "image")], holder, element, name)
    return found


_MOST_THUMBNAILS = 50


def _pixels(thumbnail: Element) -> int:
    return (media.number(thumbnail.get("width")) or 0) * (media.number(thumbnail.get("height")) or 1)


_FAMILIES = ("image/", "video/", "audio/")


def _offer(one: Element, base: str | None, kind: str | None = None) -> tuple[media.Offer | None, str]:
    url = media.absolute(one.get("url"), base)
    if url is None or _AVATAR.match(url):
        return None, ""
    mime = one.get("type")
    if (
        mime
        and "/" in mime
        and not mime.startswith(_FAMILIES)
        and media.by_extension(url) not in ("image", "video", "audio")
    ):
        # A player's page or program is neither a picture nor a video.
        return None, ""
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
        "caption": _words_of(holder, entry, name, "about-description"),
        "headline": _words_of(holder, None, name, "about-title") or None,
        "credit": _words_of(holder, entry, name, "credit"),
        "copyright": _words_of(holder, entry, name, "copyright"),
        "usage_terms": _restriction(holder, entry, name),
    }
    one = media.reference([offer for offer, _ in usable], kind, about)
    return [one] if one else []


def _restriction(holder: Element, entry: Element, name: str) -> str:
    """`media:restriction` by country, in the words that wires have for it: "AT OUT", "DE ONLY"."""
    said: list[str] = []
    for where in (holder, entry):
        for one in where.findall(f"{{{name}}}restriction")[:20]:
            codes = xml_document.words(one).upper().split()[:50]
            if (one.get("type") or "") == "country" and codes:
                how = "OUT" if one.get("relationship") == "deny" else "ONLY"
                said.append(f"{', '.join(codes)} {how}")
    return media.terms(*said)


def _words_of(holder: Element, entry: Element | None, name: str, what: str) -> str:
    for where in (holder, entry):
        if where is not None:
            for found in where.iter(f"{{{name}}}{what}") if where is holder else where.findall(f"{{{name}}}{what}"):
                if words := text.of_html(xml_document.words(found)):
                    return words
    return ""
