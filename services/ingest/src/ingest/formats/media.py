"""Pictures, videos and sounds that an item refers to: which rendition is the one to take, and what may be fetched."""

import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from ingest.formats.fields import AboutField, AboutMedia, MediaFields
from ingest.formats.text import plain as text

KINDS = {
    "picture": "picture", "image": "picture", "photo": "picture", "video": "video", "audio": "audio",
    "graphic": "graphic", "animated": "graphic", "document": "document",
}  # fmt: skip
"""What sources call a kind of media, in lower case."""

MAX_IN_HTML = 50
"""Pictures that are taken out of one text."""

_ABOUT: tuple[AboutField, ...] = (
    "guid", "headline", "caption", "credit", "copyright", "usage_terms", "alt_text", "role",
    "instructions", "creator", "digital_source_type", "terms_url", "licensor_url",
)  # fmt: skip
_SMALL_NAMES = ("thumb", "icon", "small", "preview", "web", "low", "proxy")
_LARGE_NAMES = ("original", "highres", "high", "main", "full", "quicklook", "large", "print", "view")


class Offer(NamedTuple):
    """One rendition that the source offers."""

    url: str
    mime_type: str | None = None
    width: int | None = None
    height: int | None = None
    size_bytes: int | None = None
    name: str = ""


_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.\-]*(?::\d{1,5})?(?:[/?#][^\s<>\"]*)?", re.ASCII)


def absolute(url: str | None, base: str | None = None) -> str | None:
    """The URL where it is absolute http(s) or becomes so with a base; None for what nobody could fetch."""
    if not url:
        return None
    if len(url) < 2000 and _PLAIN_URL.fullmatch(url):
        return url
    url = url.strip()
    try:
        if base and not url.startswith(("http://", "https://")):
            url = urljoin(base, url)
        if len(url) > 4000 or not url.startswith(("http://", "https://", "HTTP://", "HTTPS://", "Http")):
            return None
        if any(letter.isspace() for letter in url):
            url = "%20".join(url.split())
        return url if urlsplit(url).hostname else None
    except ValueError:
        return None


def kind_of(*words: str | None, default: str = "picture") -> str:
    """The kind named by the first of some words that is a kind or a media type."""
    for word in words:
        if not word:
            continue
        plain = word.lower().rpartition(":")[2]
        if plain in KINDS:
            return KINDS[plain]
        family = plain.partition("/")[0]
        if family in KINDS:
            return KINDS[family]
        if plain.startswith(("application/pdf", "application/msword")):
            return "document"
    return default


def reference(offers: Iterable[Offer], kind: str, about: AboutMedia) -> MediaFields | None:
    """A media reference's fields from the renditions offered; None where there is none that can be fetched."""
    ranked = list(offers)
    if len(ranked) > 1:
        ranked.sort(key=_RANKS[kind], reverse=True)
    if not ranked:
        return None
    best = ranked[0]
    others = dict.fromkeys(offer.url for offer in ranked[1:] if offer.url != best.url)
    fields: MediaFields = {
        "url": best.url,
        "kind": kind,
        "mime_type": best.mime_type,
        "width": best.width,
        "height": best.height,
        "size_bytes": best.size_bytes,
        "renditions": tuple(others),
    }
    for name in _ABOUT:
        if value := about.get(name):
            fields[name] = value
    return fields


def terms(*texts: str | None) -> str:
    """All that a source says of a picture's use, a line each: terms, instructions to desks, rights."""
    return "\n".join(dict.fromkeys(said.strip() for said in texts if said and said.strip()))


def unresolved(source: str, about: Mapping[str, object]) -> dict[str, str]:
    """What is kept of a picture whose reference cannot be fetched: a file beside the document, an id."""
    return {"source": source[:1000], **{name: str(value)[:2000] for name, value in about.items() if value}}


def _rank_for(kind: str, family: str) -> Callable[[Offer], tuple[bool, int, int, int]]:
    """Rank renditions: those of the kind first (a video's poster is a picture), then by pixels, bytes and name."""

    def rank(offer: Offer) -> tuple[bool, int, int, int]:
        _, mime, width, height, size, name = offer
        fits = not mime or mime.startswith(family) or kind_of(mime, default=kind) in (kind, "graphic")
        pixels = (width or 0) * (height or 0)
        return fits, pixels, size or 0, 0 if pixels else _named_rank(name.lower())

    return rank


_FAMILIES = {"picture": "image/", "video": "video/", "audio": "audio/", "graphic": "image/", "document": "application/"}
_RANKS = {kind: _rank_for(kind, family) for kind, family in _FAMILIES.items()}


def _named_rank(name: str) -> int:
    if any(word in name for word in _LARGE_NAMES):
        return 1
    return -1 if any(word in name for word in _SMALL_NAMES) else 0


_EXTENSIONS = {
    "jpg": "image", "jpeg": "image", "png": "image", "gif": "image", "webp": "image", "avif": "image", "svg": "image",
    "mp4": "video", "m4v": "video", "mov": "video", "webm": "video", "mpg": "video", "wmv": "video", "m3u8": "video",
    "mp3": "audio", "m4a": "audio", "aac": "audio", "ogg": "audio", "oga": "audio", "wav": "audio", "flac": "audio",
    "pdf": "document",
}  # fmt: skip


def by_extension(url: str) -> str | None:
    """The kind that a file name's extension stands for."""
    return _EXTENSIONS.get(url.partition("?")[0].rpartition(".")[2].lower()[:5])


_IMAGE = re.compile(r"<img\b([^<>]{0,4000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"(?<![a-zA-Z\-])([a-zA-Z\-]{1,40})\s{0,8}=\s{0,8}(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")

_FIGURE = re.compile(r"<figure\b", re.IGNORECASE)
_FIGURE_ENDS = re.compile(r"</figure\b", re.IGNORECASE)
_CAPTION = re.compile(r"<figcaption\b[^<>]*>(.*?)</figcaption", re.IGNORECASE | re.DOTALL)


def _captions(html: str) -> dict[int, str]:
    """Captions of figures by the offset of the image inside them."""
    captions: dict[int, str] = {}
    start = _FIGURE.search(html)
    while start and (end := _FIGURE_ENDS.search(html, start.end())):
        if caption := _CAPTION.search(html, start.end(), end.start()):
            value = text.of_html(caption.group(1))
            captions.update({image.start(): value for image in _IMAGE.finditer(html, start.end(), end.start())})
        start = _FIGURE.search(html, end.end())
    return captions


def in_html(html: str, base: str | None = None) -> list[MediaFields]:
    """References to the pictures in a text, with their captions; tracking pixels are left out."""
    if "<img" not in html and "<IMG" not in html:
        return []
    found: list[MediaFields] = []
    captions = _captions(html)
    for image in itertools.islice(_IMAGE.finditer(html), 10 * MAX_IN_HTML):
        attributes = {
            one[0].lower(): text.unescaped(one[1] or one[2] or one[3]) for one in _ATTRIBUTE.findall(image.group(1))
        }
        width, height = number(attributes.get("width")), number(attributes.get("height"))
        url = _source_of(attributes, base)
        if url is None or (width is not None and width <= 2) or (height is not None and height <= 2):
            continue
        about: AboutMedia = {
            "alt_text": attributes.get("alt"),
            "caption": captions.get(image.start()),
            "role": "inline",
        }
        one = reference([Offer(url, None, width, height)], "picture", about)
        if one:
            found.append(one)
        if len(found) == MAX_IN_HTML:
            break
    return found


_BLANK = re.compile(
    r"^data:|/(?:blank|spacer|pixel|transparent|placeholder|lazy|loading|1x1|grey|gray|empty|clear)[\w.\-]{0,20}\.(?:gif|png|svg|jpe?g|webp)(?:\?|$)",
    re.IGNORECASE,
)
"""What stands where a picture is to be loaded later."""
_LATER = (
    "data-src",
    "data-lazy-src",
    "data-original",
    "data-lazy",
    "data-url",
    "data-full-src",
    "data-hi-res-src",
    "data-image",
)


def _source_of(attributes: Mapping[str, str], base: str | None) -> str | None:
    """The address of the picture itself, where a blank one stands for it until it is looked at."""
    src = attributes.get("src") or ""
    if src and not _BLANK.search(src[:400]) and not src.startswith("data:") and (url := absolute(src, base)):
        return url
    for name in _LATER:
        if (later := attributes.get(name)) and (url := absolute(later, base)):
            return url
    for name in ("data-srcset", "srcset", "data-lazy-srcset"):
        if url := _largest(attributes.get(name) or "", base):
            return url
    return None if _BLANK.search(src[:400]) else absolute(src, base)


def _largest(srcset: str, base: str | None) -> str | None:
    """The largest picture of a `srcset`: `a.jpg 480w, b.jpg 1200w`."""
    best: tuple[float, str] | None = None
    for one in srcset[:8000].split(", ")[:50]:
        parts = one.strip(" ,").split()
        if not parts or (url := absolute(parts[0], base)) is None:
            continue
        size = number(parts[1].rstrip("wx")) or 1 if len(parts) > 1 else 1
        if best is None or size > best[0]:
            best = size, url
    return best[1] if best else None


def number(value: object) -> int | None:
    """A whole number of pixels or bytes, from whatever the source writes one as."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return value if 0 < value < 2**53 else None
    try:
        found = int(float(str(value).strip().removesuffix("px")))
    except (ValueError, OverflowError):
        return None
    return found if 0 < found < 2**53 else None


def with_roles(references: list[MediaFields]) -> list[MediaFields]:
    """The references with the first picture as the lead where none says that it is, the others inline, none twice."""
    unique = list({one["url"]: one for one in reversed(references)}.values())[::-1]
    led = any(one.get("role") == "lead" for one in unique)
    for one in unique:
        if "role" not in one:
            one["role"] = "inline" if led else "lead"
            led = True
    return unique
