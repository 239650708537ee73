"""Makes a sanitised body fit where a page puts it: only what HTML allows there, however a source nested its elements.

Sanitising upstream makes a body harmless; this makes it valid. The tree is built anew from a short list of elements, so
nothing that upstream let through by mistake reaches a reader either.
"""

import re
from html import escape
from typing import Any
from urllib.parse import urlsplit

import nh3
from lxml import etree, html

INLINE = frozenset(
    ["em", "strong", "b", "i", "u", "s", "del", "ins", "sub", "sup", "code", "q", "cite", "small", "mark", "abbr", "dfn", "kbd", "samp", "var", "bdi"]
)  # fmt: skip
HEADINGS = frozenset(["h1", "h2", "h3", "h4", "h5", "h6"])
FLOW = frozenset(
    [
        "p",
        "div",
        "section",
        "article",
        "main",
        "header",
        "footer",
        "aside",
        "address",
        "figure",
        "figcaption",
        "dl",
        "dt",
        "dd",
        "center",
    ]
)
BLOCK = (
    FLOW
    | HEADINGS
    | frozenset(
        ["ul", "ol", "li", "blockquote", "pre", "table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption", "hr"]
    )
)
DROPPED = frozenset(
    ["script", "style", "template", "iframe", "object", "embed", "svg", "math", "form", "input", "button", "select", "textarea", "noscript", "img", "video", "audio"]
)  # fmt: skip
LINKS = ("http", "https", "mailto")
MAX_DEPTH = 40
MOST_NESTED = 200
"""libxml2 drops what is nested deeper than 256 elements, words and all: of such a body the words alone are kept."""
TAG = re.compile(r"<(/?)(?!(?:br|hr|img|wbr|col|area)\b)[a-z][^>]*>")


def _nesting(cleaned: str) -> int:
    depth = deepest = 0
    for tag in TAG.finditer(cleaned):
        depth += -1 if tag[1] else 1
        deepest = max(deepest, depth)
    return deepest


class Headings:
    """The levels of a body's headings: they begin at `first`, and none is more than one below the one before."""

    def __init__(self, first: int) -> None:
        self.first = first
        self._open: list[int] = []

    def level(self, given: int) -> int:
        """The level of the next heading, which the source gave another."""
        while self._open and self._open[-1] >= given:
            self._open.pop()
        self._open.append(given)
        return min(6, self.first + len(self._open) - 1)


def fitting(body: str, heading: int = 4) -> str:
    """The body as flow content; its headings begin at the level `heading`."""
    if not body.strip():
        return ""
    cleaned = nh3.clean(body)
    if _nesting(cleaned) > MOST_NESTED:
        return f"<p>{nh3.clean(body, tags=set())}</p>"
    try:
        root = html.fragment_fromstring(cleaned, create_parent="div")
    except (etree.LxmlError, ValueError):
        return f"<p>{nh3.clean(body, tags=set())}</p>"
    pieces: list[str] = []
    _flow(root, pieces, Headings(heading), 0)
    return "".join(pieces)


def _flow(node: Any, out: list[str], heading: Headings, depth: int) -> None:
    run: list[str] = []

    def end_run() -> None:
        text = "".join(run)
        run.clear()
        if _says_something(text):
            out.append(f"<p>{text.strip()}</p>")

    if node.text:
        run.append(escape(node.text, quote=False))
    for child in node:
        tag = child.tag if isinstance(child.tag, str) else ""
        if tag in BLOCK:
            end_run()
            _block(child, tag, out, heading, depth + 1)
        elif tag and tag not in DROPPED:
            if tag not in INLINE and tag not in ("a", "br") and _holds_block(child) and depth < MAX_DEPTH:
                end_run()
                _flow(child, out, heading, depth + 1)
            else:
                _inline_element(child, tag, run, depth + 1, linked=False)
        if child.tail:
            run.append(escape(child.tail, quote=False))
    end_run()


def _block(node: Any, tag: str, out: list[str], heading: Headings, depth: int) -> None:
    if depth > MAX_DEPTH:
        text = " ".join("".join(node.itertext()).split())
        out.append(f"<p>{escape(text, quote=False)}</p>" if text else "")
    elif tag in ("ul", "ol"):
        _list(node, tag, out, heading, depth)
    elif tag == "table":
        _table(node, out, heading, depth)
    elif tag == "blockquote":
        inner: list[str] = []
        _flow(node, inner, heading, depth)
        if inner:
            out.append(f"<blockquote>{''.join(inner)}</blockquote>")
    elif tag in HEADINGS:
        text = _inline(node, depth, linked=False).strip()
        if _says_something(text):
            level = heading.level(int(tag[1]))
            out.append(f"<h{level}>{text}</h{level}>")
    elif tag == "pre":
        text = _inline(node, depth, linked=False)
        if _says_something(text):
            out.append(f"<pre>{text}</pre>")
    elif tag == "hr":
        out.append("<hr>")
    else:
        _flow(node, out, heading, depth)


def _list(node: Any, tag: str, out: list[str], heading: Headings, depth: int) -> None:
    items: list[str] = []
    for child in node:
        if not isinstance(child.tag, str) or child.tag in DROPPED:
            continue
        inner: list[str] = []
        if child.tag in ("ul", "ol"):
            _list(child, child.tag, inner, heading, depth + 1)
        else:
            _flow(child, inner, heading, depth + 1)
        content = "".join(inner)
        if content.startswith("<p>") and content.count("<p>") == 1 and content.endswith("</p>"):
            content = content[3:-4]
        if content:
            items.append(f"<li>{content}</li>")
    if items:
        out.append(f"<{tag}>{''.join(items)}</{tag}>")


def _table(node: Any, out: list[str], heading: Headings, depth: int) -> None:
    rows: list[list[str]] = []
    for row in node.iter("tr"):
        cells = []
        for cell in row:
            if cell.tag in ("td", "th"):
                inner: list[str] = []
                _flow(cell, inner, heading, depth + 1)
                cells.append(f"<{cell.tag}>{''.join(inner)}</{cell.tag}>")
        if cells:
            rows.append(cells)
    if rows:
        width = max(len(cells) for cells in rows)
        lines = ("".join(cells + ["<td></td>"] * (width - len(cells))) for cells in rows)
        out.append("<table><tbody>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</tbody></table>")


def _inline(node: Any, depth: int, *, linked: bool) -> str:
    out: list[str] = []
    if depth > MAX_DEPTH:
        return escape("".join(node.itertext()), quote=False)
    if node.text:
        out.append(escape(node.text, quote=False))
    for child in node:
        tag = child.tag if isinstance(child.tag, str) else ""
        if tag and tag not in DROPPED:
            _inline_element(child, tag, out, depth + 1, linked=linked)
        if child.tail:
            out.append(escape(child.tail, quote=False))
    return "".join(out)


def _inline_element(node: Any, tag: str, out: list[str], depth: int, *, linked: bool) -> None:
    if tag == "br":
        out.append("<br>")
        return
    if tag == "a" and not linked and (address := web_address(node.get("href", ""))):
        inner = _inline(node, depth, linked=True)
        if _says_something(inner):
            out.append(f'<a href="{escape(address)}" rel="noopener nofollow">{inner}</a>')
        return
    inner = _inline(node, depth, linked=linked)
    if tag in INLINE:
        if inner:
            out.append(f"<{tag}>{inner}</{tag}>")
        return
    if tag in BLOCK and out and _says_something(inner):
        out.append("<br>")
    out.append(inner)


def _holds_block(node: Any) -> bool:
    return any(isinstance(each.tag, str) and each.tag in BLOCK for each in node.iter())


def _says_something(text: str) -> bool:
    return bool(text.replace("<br>", "").strip())


def web_address(href: str) -> str:
    """The link if it is a whole http(s) or mailto address that the URL standard can read, else nothing."""
    href = href.strip()
    try:
        parts = urlsplit(href)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return ""
    if parts.scheme not in LINKS or not port_is_fine or (parts.scheme != "mailto" and not parts.hostname):
        return ""
    return "".join(_quoted(character) for character in href)


def _quoted(character: str) -> str:
    if character in ' "<>\\^`{}|[]' or ord(character) < 0x20:
        return "".join(f"%{byte:02X}" for byte in character.encode())
    return character
