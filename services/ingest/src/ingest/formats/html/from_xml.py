"""XML copy to HTML: XHTML and NITF elements under HTML's names, in one pass without recursion.

What comes out is well formed and escaped but not sanitised: that is enrich's work.
"""

import re
from collections.abc import Mapping
from html import escape, unescape

from ingest.formats.text import plain as text
from ingest.formats.xml.document import XML_LANG, Element

_VOID = frozenset({"br", "hr", "img", "col", "wbr", "source", "area"})
_DROPPED = frozenset({"script", "style", "head", "title", "template", "noscript", "object", "embed", "applet"})

_XHTML = (
    "p", "div", "span", "a", "b", "i", "u", "s", "em", "strong", "small", "sub", "sup", "q", "cite", "code", "pre",
    "blockquote", "br", "hr", "ul", "ol", "li", "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tfoot", "tr",
    "th", "td", "col", "colgroup", "h1", "h2", "h3", "h4", "h5", "h6", "img", "figure", "figcaption", "section",
    "article", "aside", "header", "footer", "abbr", "acronym", "address", "del", "ins", "mark", "time", "bdi", "bdo",
    "ruby", "rb", "rt", "rp", "kbd", "samp", "var", "dfn", "tt", "big", "wbr", "iframe", "video", "audio", "source",
    "picture", "main", "nav", "details", "summary", "center", "font", "strike",
)  # fmt: skip
XHTML: Mapping[str, str] = {name: name for name in _XHTML}
"""HTML's elements keep their names."""

_NITF = (
    "p", "a", "em", "sub", "sup", "q", "pre", "br", "hr", "ul", "ol", "li", "dl", "dt", "dd", "table", "caption",
    "thead", "tbody", "tfoot", "tr", "th", "td", "col", "colgroup", "strong", "b", "i", "u", "h1", "h2", "h3", "h4",
    "blockquote", "img", "span", "div",
)  # fmt: skip
NITF: Mapping[str, str] = {
    **{name: name for name in _NITF},
    "hl1": "h2",
    "hl2": "h3",
    "bq": "blockquote",
    "fn": "small",
    "lang": "span",
    "nitf-table": "",
    "underline": "u",
    "bold": "b",
    "italic": "i",
    "credit": "cite",
    "copyrite": "small",
    "br-": "br",
    "datasource": "small",
}
"""NITF's elements by HTML's names; what is not here (`person`, `location`, `money`, ...) is text in its place."""

NITF_DROPPED = frozenset(
    {"media", "nitf-table-metadata", "virtloc", "body.head", "body.end", "tobject", "table-metadata"}
)

_BLOCKS = frozenset({
    "p", "div", "ul", "ol", "dl", "table", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "figure",
    "section", "article", "aside", "hr", "header", "footer", "address", "main", "nav", "details",
})  # fmt: skip
_EMPTY = re.compile(r"<p>\s*</p>\s?")
_BLANKS = re.compile(r"[ \t\r\n]+")
_TWICE = re.compile(r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|quot|apos|amp|nbsp);")
"""References that were escaped twice on their way: nobody writes `&quot;` for readers to see."""


def to_html(root: Element, names: Mapping[str, str], dropped: frozenset[str] = frozenset()) -> str:
    """The content of an element, not the element itself, as HTML."""
    out: list[str] = []
    if root.text:
        out.append(_text(root.text))
    kept = 0
    stack: list[tuple[Element, str]] = []
    name: str | None
    node = _first(root)
    while node is not None or stack:
        if node is None:
            parent, name = stack.pop()
            kept -= name == "pre"
            if name:
                out.append(f"</{name}>")
            if parent.tail:
                out.append(_text(parent.tail, kept > 0))
            node = parent.getnext()
            continue
        name = _named(node, names, dropped)
        if name is None or name in _VOID or (name == "p" and not len(node)):
            if name == "p":
                _paragraph(node, out)
            elif name:
                out.append(_open(name, node))
            if node.tail:
                out.append(_text(node.tail, kept > 0))
            node = node.getnext()
            continue
        if name:
            out.append(_open(name, node))
        kept += name == "pre"
        if node.text:
            out.append(_text(node.text, kept > 0))
        stack.append((node, name))
        node = _first(node)
    return _EMPTY.sub("", "".join(out).replace("<p> ", "<p>").replace(" </p>", "</p>")).strip()


def _local(node: Element) -> str:
    tag = node.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def _paragraph(node: Element, out: list[str]) -> None:
    """Write a paragraph without elements; text that was set in lines becomes as many paragraphs as it shows."""
    if not node.text:
        return
    opens = _open("p", node)
    for one in text.typeset(node.text):
        if text.is_table(one):
            out += ("<pre>", escape(text.rows(one), quote=False), "</pre>")
        else:
            out += (opens, _text(one), "</p>")


def _named(node: Element, names: Mapping[str, str], dropped: frozenset[str]) -> str | None:
    """An element's name in HTML; empty where only its content is kept, None where all of it is left out."""
    tag = node.tag
    local = tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""
    if not local or local in _DROPPED or local in dropped or is_private(node):
        return None
    name = names.get(local, "")
    if (name == "p" and len(node) and _only_blocks(node, names)) or (name == "img" and not node.get("src")):
        return ""
    return name


def _only_blocks(node: Element, names: Mapping[str, str]) -> bool:
    """Whether a paragraph contains blocks and no text of its own, which HTML does not allow."""
    if names.get(_local(node[0])) not in _BLOCKS or (node.text or "").strip():
        return False
    return all(names.get(_local(one)) in _BLOCKS and not (one.tail or "").strip() for one in node)


def is_private(node: Element) -> bool:
    """Whether an element inside a text or a note is marked as for desks only, by its class."""
    return ("nonpublic" in node.get("class", "") or "non-public" in node.get("class", "")) if node.attrib else False


def _first(element: Element) -> Element | None:
    return element[0] if len(element) else None


def _text(value: str, kept: bool = False) -> str:
    if not kept and ("\n" in value or "  " in value or "\t" in value):
        value = _BLANKS.sub(" ", value)
    if "&" in value:
        value = _TWICE.sub(lambda found: unescape(found.group()), value)
    return escape(value, quote=False) if "&" in value or "<" in value or ">" in value else value


def _open(name: str, node: Element) -> str:
    if not node.attrib:
        return f"<{name}>"
    parts = [f"<{name}"]
    for attribute, value in node.attrib.items():
        key = str(attribute)
        if key[0] != "{" or key == XML_LANG:
            parts.append(f' {"lang" if key == XML_LANG else key}="{escape(str(value))}"')
    parts.append(">")
    return "".join(parts)


def has_blocks(html: str) -> bool:
    """Whether a piece of HTML has paragraphs or other blocks already."""
    return any(
        f"<{name}" in html for name in ("p", "div", "ul", "ol", "table", "blockquote", "h2", "h3", "section", "pre")
    )


def in_paragraph(html: str) -> str:
    """The HTML, wrapped in a paragraph where it has no block."""
    return html if not html or has_blocks(html) else f"<p>{html}</p>"


def page(body: Element) -> str:
    """The content of an XHTML body. A page header beside sections or paragraphs is furniture: its words are metadata."""
    if not len(body) and body.text:
        return text.paragraphs(body.text)
    names = {child.tag.rpartition("}")[2] for child in body if isinstance(child.tag, str)}
    furniture = frozenset({"header", "nav"}) if names & {"section", "article", "p", "main", "div"} else frozenset[str]()
    return in_paragraph(to_html(body, XHTML, furniture))
