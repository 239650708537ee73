"""Texts in JSON by their shape: whatever a house calls its body, it is the longest text with paragraphs. Pure."""

from collections.abc import Sequence

from pydantic import JsonValue

from ingest.formats.html import from_xml
from ingest.formats.text import plain as text

LEAST_BODY = 80
"""Characters of a text that is taken for a body because of its shape alone."""
MAX_DEPTH = 4
MAX_LOOKED_AT = 2_000
"""Values that are looked at in one item."""

_HTML_NAMES = (
    "html",
    "xhtml",
    "rendered",
    "value",
    "content",
    "text",
    "body",
    "data",
    "#text",
    "main",
    "basic",
    "plain",
    "markdown",
)
_BLOCKS = ("paragraphs", "blocks", "elements", "children", "items", "content_elements", "sections", "ops", "parts")


def member(value: JsonValue, names: Sequence[str]) -> JsonValue:
    """The first of some members that says anything, whatever its letters' case."""
    if not isinstance(value, dict):
        return value
    for name in names:
        if (one := value.get(name)) not in (None, "", [], {}):
            return one
    low = {name.lower(): one for name, one in value.items()}
    return next((low[name] for name in names if low.get(name) not in (None, "", [], {})), None)


def html_of(value: JsonValue, depth: int = 0) -> str:
    """The HTML of a body: a text, an object that holds one under another name, or a list of paragraphs or blocks."""
    if isinstance(value, str):
        return _html(value)
    if depth > MAX_DEPTH:
        return ""
    if isinstance(value, dict):
        inner = member(value, _HTML_NAMES)
        if inner is None:
            inner = member(value, _BLOCKS)
        return "" if inner is None or inner is value else _wrapped(value, html_of(inner, depth + 1))
    if isinstance(value, list):
        return "".join(html_of(one, depth + 1) for one in value[:MAX_LOOKED_AT])
    return ""


def _wrapped(value: dict[str, JsonValue], html: str) -> str:
    """A block's HTML under its own kind: a heading stays one."""
    kind = str(value.get("type") or value.get("tag") or "").lower()
    if (
        kind in ("header", "heading", "subheadline", "subheading", "h2", "h3")
        and html.startswith("<p>")
        and html.count("<p>") == 1
    ):
        return f"<h3>{html[3:-4]}</h3>"
    return (
        ""
        if kind in ("image", "video", "picture", "embed", "reference", "oembed_response")
        and "<" not in html.strip("<p>")
        else html
    )


def _html(value: str) -> str:
    value = value.strip()
    if not value:
        return ""
    if value.startswith("<?xml") or "<nitf" in value[:200] or "<body.content" in value:
        return text.paragraphs(text.of_html(value))
    if "<" in value and text.is_markup(value) and "</" in value:
        value = text.body_of_page(value)
        return value if from_xml.has_blocks(value.lower()) else text.paragraphs_of_inline(value)
    return text.paragraphs(text.unescaped(value) if "&" in value else value)


def body_by_shape(item: dict[str, JsonValue]) -> tuple[str, str]:
    """The member that holds the longest text, and its HTML; two empty texts where none is long enough to be one."""
    best, longest = "", 0
    looked_at = 0
    stack: list[tuple[str, JsonValue, int]] = [(name, one, 0) for name, one in item.items()]
    while stack and looked_at < MAX_LOOKED_AT:
        name, value, depth = stack.pop()
        looked_at += 1
        if isinstance(value, str):
            size = len(value) if " " in value[:200] or not value.isascii() else 0
            if "<p" in value:
                size *= 4
            if size > longest:
                best, longest = name, size
        elif depth < MAX_DEPTH and isinstance(value, dict):
            stack += [(f"{name}/{inner}", one, depth + 1) for inner, one in value.items()]
    if longest < LEAST_BODY:
        return "", ""
    found: JsonValue = item
    for step in best.split("/"):
        found = found[step] if isinstance(found, dict) and step in found else None
    return best, html_of(found)
