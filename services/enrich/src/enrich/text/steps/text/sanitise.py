"""Untrusted HTML made safe inside an element of a page."""

import functools
import html
import re
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

import nh3

from enrich.short_text import CONTROLS, without_controls
from enrich.text.steps.text.plain_text import paragraphs_of, unescaped
from shared.markup import repair_nesting
from shared.messages.enriched import ANCHOR

TAGS = {
    "p", "br", "hr", "h2", "h3", "h4", "h5", "h6", "blockquote", "q", "cite", "pre", "code", "ul", "ol", "li", "dl", "dt", "dd",
    "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "a", "abbr", "b", "strong", "i", "em", "u", "s", "del", "ins",
    "mark", "small", "sub", "sup", "span", "div", "time", "bdi", "bdo", "ruby", "rb", "rt", "rp", "wbr", "figure", "figcaption",
}  # fmt: skip
"""What copy needs. Pictures go through enrich media; scripts, styles, forms, frames, SVG and MathML are never let through."""
ATTRIBUTES = {
    "*": {"lang", "dir"},
    "a": {"href", "title"},
    "abbr": {"title"},
    "blockquote": {"cite"},
    "q": {"cite"},
    "time": {"datetime"},
    "figure": {"data-picture"},
    "ol": {"start", "reversed", "type"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
VALUES = {
    "dir": {"ltr", "rtl", "auto"},
    "scope": {"col", "row", "colgroup", "rowgroup"},
    "type": {"1", "a", "A", "i", "I"},
}
NUMBERS = {"start", "colspan", "rowspan"}
MOST_SPANNED = 1000
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,5}")
MOMENT = re.compile(r"[0-9TZ:.+ \-PYMDHSW]{1,40}")
IMAGE = re.compile(r"<img\b[^<>]{0,4000}>", re.IGNORECASE)
LINKED_IMAGE = re.compile(r"<a\b[^<>]{0,4000}>\s*+(<img\b[^<>]{0,4000}>)\s*+</a>", re.IGNORECASE)
"""A picture that links its larger self: it would be taken for a part of a line."""
BETWEEN_VALUES = re.compile(r"[\s\"'<>]+")
MOST_IMAGES = 100
MOST_VALUES = 60
"""Words of an image's attributes that are looked at: hostile copy has as many as it likes."""
SILENT = {
    "script", "style", "template", "title", "noscript", "iframe", "object", "svg", "math", "textarea", "select", "head",
}  # fmt: skip
"""Elements that are removed with their content."""
_WORDS = r"[^<>&\xa0\r\ud800-\udfff]*(?:&amp;[^<>&\xa0\r\ud800-\udfff]*)*"
CLEAN = re.compile(rf"(?:<p>(?!\s|</p>){_WORDS}(?:<(b|i|em|strong)>(?![\s<]){_WORDS}</\1>{_WORDS})*</p>)+")
"""Paragraphs with plain emphasis, as most copy is: the cleaner would not change them."""
EMPTY_BLOCK = re.compile(
    r"<(p|div|span|li|h[2-6]|b|i|em|strong|blockquote)(?: [^<>\"]*+(?:\"[^\"]*+\"[^<>\"]*+)*+)?>\s*+</\1>"
)
DEEPEST_EMPTY = 4
"""Passes that remove empty elements; each removes one level, and hostile copy has as many as it likes."""


@functools.cache
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=TAGS,
        clean_content_tags=SILENT,
        attributes=ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto", "tel"},
        url_relative="deny",
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
    )


def _attribute(_: str, name: str, value: str) -> str | None:  # noqa: PLR0911 -- a table of cases
    if name in ("href", "cite"):
        return value if _is_link(value) else None
    if name == "lang":
        return value if LANGUAGE.fullmatch(value) else None
    if name in NUMBERS:
        number = value.strip()
        return (
            number
            if number.isascii() and number.isdigit() and len(number) < 5 and 0 < int(number) <= MOST_SPANNED
            else None
        )
    if name == "datetime":
        return value if MOMENT.fullmatch(value) else None
    if name == "data-picture":
        return value if ANCHOR.fullmatch(value) else None
    if name == "reversed":
        return ""
    if name in VALUES:
        return value if value in VALUES[name] else None
    return CONTROLS.sub("", value)


def _is_link(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return bool(parts.hostname) if parts.scheme in ("http", "https") else parts.scheme in ("mailto", "tel")


def _with_marks(body: str, anchors: Mapping[str, str]) -> str:
    """The body with a mark in the place of each picture that came with it; nothing is fetched from where its copy says."""

    def mark(found: re.Match[str]) -> str:
        values = BETWEEN_VALUES.split(html.unescape(found[0]), MOST_VALUES)[:MOST_VALUES]
        for value in (*values, *(each.partition("=")[2] for each in values)):
            if anchor := anchors.get(value) or (_relative(value, anchors) if "/" in value or "." in value else None):
                return f'<figure data-picture="{anchor}"></figure>'
        return found[0]

    return IMAGE.sub(mark, LINKED_IMAGE.sub(r"\1", body, count=MOST_IMAGES), count=MOST_IMAGES)


def _relative(value: str, anchors: Mapping[str, str]) -> str | None:
    """The anchor of the one picture whose address ends like this; ingest knew what it is relative to."""
    tail = "/" + value.lstrip("./")
    if len(tail) < 5 or ":" in value:
        return None
    found = {anchor for url, anchor in anchors.items() if url.endswith(tail)}
    return found.pop() if len(found) == 1 else None


def sanitised(body_html: str, anchors: Mapping[str, str] = MappingProxyType({})) -> str:
    """HTML that is safe inside an element of a page; plain text is put into paragraphs.

    `anchors` are those of the pictures that stand in it, by their addresses.
    """
    body = without_controls(body_html).strip()
    if anchors and "<" in body:
        body = _with_marks(body, anchors)
    if not body:
        return ""
    if "<" not in body:
        return "".join(f"<p>{html.escape(paragraph, quote=False)}</p>" for paragraph in paragraphs_of(unescaped(body)))
    if CLEAN.fullmatch(body):
        return body
    clean = str(_cleaner().clean(repair_nesting(body))).strip()
    for _ in range(DEEPEST_EMPTY):
        if "></" not in clean and not EMPTY_BLOCK.search(clean):
            break
        clean = EMPTY_BLOCK.sub("", clean)
    return clean if "<" in clean or not clean else f"<p>{clean}</p>"
