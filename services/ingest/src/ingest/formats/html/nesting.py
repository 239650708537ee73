"""The stack of open elements as browsers see it, and whether a body keeps to the limits. Pure.

Source: WHATWG HTML, 13.2 (tokens, implied end tags, raw text).
"""

import re

from ingest.formats.html import from_xml

MAX_DEPTH = 32
"""Elements within each other; the deepest of real copy have 15."""

MAX_LISTS = 8
"""Lists within each other."""

MAX_COLUMNS = 50
"""Cells of a row, and columns that one cell spans; the words of those beyond go into the last."""

MAX_ROWS = 2_000
"""A longer table goes on as another one."""

MAX_ATTRIBUTES = 16
MAX_ATTRIBUTE_CHARACTERS = 4_000
MAX_TAG_CHARACTERS = 8_000


VOID = frozenset(["br", "hr", "img", "col", "wbr", "source", "area", "base", "embed", "input", "link", "meta", "track"])
RAW = frozenset(["script", "style", "iframe", "textarea", "title", "xmp", "noembed", "noframes"])
"""Their content is raw text up to the end tag."""

FOREIGN = frozenset(["svg", "math", "template", "select", "object", "applet", "noscript"])
"""Their content is parsed by other rules. Readers are not shown it, so it is left out where a body is rewritten."""

FORMATTING = frozenset(
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"]
)
"""Elements that a browser reopens where they were not closed (WHATWG HTML, 13.2.4.3)."""

PARAGRAPH_ENDS = frozenset(
    ["address", "article", "aside", "blockquote", "center", "details", "div", "dl", "dd", "dt", "figcaption", "figure",
     "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section",
     "summary", "table", "ul"]
)  # fmt: skip
LISTS = frozenset(["ul", "ol", "dl"])
CELLS = frozenset(["td", "th"])
TABLE_PARTS = frozenset(["caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "td", "th"])
OPTIONAL_END = frozenset(["p", "li", "dt", "dd", "td", "th", "tr", "thead", "tbody", "tfoot", "colgroup", "caption"])
_CELL_WALLS = frozenset(["td", "th", "caption", "table"])
ROW_GROUPS = frozenset(["thead", "tbody", "tfoot"])
CLOSES: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    **dict.fromkeys(PARAGRAPH_ENDS, (frozenset(["p"]), _CELL_WALLS)),
    "li": (frozenset(["li"]), _CELL_WALLS | LISTS),
    **dict.fromkeys(("dt", "dd"), (frozenset(["dt", "dd"]), _CELL_WALLS | LISTS)),
    **dict.fromkeys(CELLS, (CELLS | {"caption", "colgroup"}, frozenset(["tr", "table"]))),
    "tr": (frozenset(["tr", "caption", "colgroup"]), frozenset(["table"])),
    **dict.fromkeys(ROW_GROUPS, (ROW_GROUPS | {"caption", "colgroup"}, frozenset(["table"]))),
    "a": (frozenset(["a"]), _CELL_WALLS),
}
"""Which open elements a start tag closes, and beyond which ones they are not looked for."""

_STRICT_ATTRIBUTES = r"(?:\s++[a-zA-Z_:][\w:.\-]*+(?:=\"[^\"<>]*+\"|='[^'<>]*+'|=[^\s\"'<>=`]++)?+)*+"
_FEW_ATTRIBUTES = r"(?: [a-z\-]++=\"[^\"<>]{0,2000}+\"){0,8}"


def _read_metadata(name: str, group: str) -> str:
    """An expression for an element of words, breaks and the plainest emphasis."""
    inline = rf"<(?P<{group}>b|i|em|strong|a|span){_FEW_ATTRIBUTES}>[^<]*+</(?P={group})>|<br ?/?>"
    return rf"<{name}{_FEW_ATTRIBUTES}>[^<]*+(?:(?:{inline})[^<]*+)*"


PLAIN = re.compile(
    rf"\s*+(?:(?:{_read_metadata('(?P<block>p|h[1-6])', 'one')}</(?P=block)>"
    rf"|<(?P<list>ul|ol){_FEW_ATTRIBUTES}>\s*+(?:{_read_metadata('li', 'two')}</li>\s*+)*</(?P=list)>"
    rf"|<blockquote{_FEW_ATTRIBUTES}>\s*+(?:{_read_metadata('p', 'three')}</p>\s*+)*</blockquote>"
    rf"|<(?:img|hr){_FEW_ATTRIBUTES} ?/?>)\s*+)*"
)
"""Paragraphs, lists and quotations of plain text, as nine of ten bodies are; it fails fast."""

_STRICT = re.compile(
    rf"<(?:(?:(script|style|iframe|title|textarea){_STRICT_ATTRIBUTES}\s*+>[^<]*+</\1>)|"
    rf"(/?)([a-zA-Z][a-zA-Z0-9]*+)({_STRICT_ATTRIBUTES})\s*+/?>|!--[^<>\-]*+-->)?",
    re.IGNORECASE,
)
"""A tag, comment or script that every parser reads alike; else a bare `<`."""


ATTRIBUTE = re.compile(r"([^\s\"'<>/=]++)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'=<>`]+)))?")
_SPAN = re.compile(r"\b(?:col|row)span\s*=\s*[\"']?\s*(\d+)", re.IGNORECASE)
KNOWN = frozenset(from_xml.XHTML)
_HTML = (
    KNOWN | RAW | FOREIGN | VOID | FORMATTING
    | frozenset(
        ["html", "head", "body", "frameset", "form", "button", "fieldset", "legend", "label", "dialog", "menu", "dir",
         "listing", "marquee", "optgroup", "option", "data", "output", "meter", "progress", "canvas", "map", "search",
         "slot", "hgroup", "rtc", "keygen", "param", "frame", "plaintext"]
    )
)  # fmt: skip
"""Elements with parsing rules of their own, which have to be closed; any other ends with the element around it."""


def fits(html: str) -> bool:
    """Whether a body keeps to the limits, is balanced, and is read alike by every parser."""
    nesting = _Nesting()
    for found in _STRICT.finditer(html):
        _, closing, name, attributes = found.groups()
        if name is None:
            if found.end() - found.start() == 1:
                return False
        elif not (nesting.end(name.lower()) if closing else nesting.start(name.lower(), attributes)):
            return False
    return True


class _Nesting:
    """The stack of open elements. Each method returns whether the body still fits."""

    def __init__(self) -> None:
        self._stack: list[str] = []
        self._rows = self._cells = 0

    def end(self, name: str) -> bool:
        """An end tag."""
        if self._stack and self._stack[-1] == name:
            self._stack.pop()
            return True
        return name not in RAW and _closed(self._stack, name)

    def start(self, name: str, attributes: str) -> bool:
        """A start tag."""
        stack = self._stack
        if name in RAW or name == "plaintext" or (attributes and not is_narrow(attributes)):
            return False
        if name in CLOSES and not _closed_by(stack, name):
            return False
        if name in VOID:
            return True
        if (name == "table" and "table" in stack) or (
            name in LISTS and sum(one in LISTS for one in stack) >= MAX_LISTS
        ):
            return False
        if name == "table":
            self._rows = self._cells = 0
        elif name == "tr":
            self._rows, self._cells = self._rows + 1, 0
        elif name in CELLS:
            self._cells += 1
        stack.append(name)
        return len(stack) <= MAX_DEPTH and self._cells <= MAX_COLUMNS and self._rows <= MAX_ROWS


def _closed(stack: list[str], name: str) -> bool:
    """Pop an element; whether nothing was open inside it that had to be closed first. A stray end tag is ignored."""
    at = open_at(stack, name)
    if at is None:
        return True
    tidy = all(one in OPTIONAL_END or one not in _HTML for one in stack[at + 1 :])
    del stack[at:]
    return tidy


def _closed_by(stack: list[str], name: str) -> bool:
    at = implied_end(stack, name)
    if at is None:
        return True
    tidy = all(one in OPTIONAL_END or one not in _HTML for one in stack[at:])
    del stack[at:]
    return tidy


def open_at(stack: list[str], name: str) -> int | None:
    """Index of the open element that an end tag closes; it must be inside the same cell."""
    for at in range(len(stack) - 1, -1, -1):
        if stack[at] == name:
            return at
        if stack[at] in _CELL_WALLS and name not in TABLE_PARTS and name != "table":
            return None
        if stack[at] == "table":
            return None
    return None


def implied_end(stack: list[str], name: str) -> int | None:
    """Index of the open element that a start tag closes implicitly."""
    closed, walls = CLOSES[name]
    for at in range(len(stack) - 1, -1, -1):
        if stack[at] in closed:
            return at
        if stack[at] in walls:
            return None
    return None


def is_narrow(attributes: str) -> bool:
    if len(attributes) > MAX_TAG_CHARACTERS:
        return False
    if len(attributes) > 2 * MAX_ATTRIBUTES and len(ATTRIBUTE.findall(attributes)) > MAX_ATTRIBUTES:
        return False
    return "span" not in attributes.lower() or all(
        len(number) < 6 and int(number) <= MAX_COLUMNS for number in _SPAN.findall(attributes)
    )
