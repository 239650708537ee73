"""Keeps the markup of a body shallow, narrow and balanced, so that nothing that works on it later can be made to grow. Pure.

Parsers and pages take time and room that grow with the square of the depth, with tables in tables and with the widest
row, and whoever reads HTML as browsers do opens formatting that was never closed once more in each later paragraph. A
body that keeps to the limits is left as it is, to the letter. Another is written anew in one pass over its tags: words
are kept, markup beyond a limit is left out. What comes out is unambiguous, so that every parser sees the same nesting.
Source: WHATWG HTML, 13.2 (tokens, implied end tags, raw text).
"""

import re
from typing import NamedTuple

from ingest.formats.xml import markup

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


class Flat(NamedTuple):
    """A body within the limits."""

    html: str
    changes: tuple[str, ...]
    """What was done to it, for people; empty where it is as it was."""


VOID = frozenset(["br", "hr", "img", "col", "wbr", "source", "area", "base", "embed", "input", "link", "meta", "track"])
RAW = frozenset(["script", "style", "iframe", "textarea", "title", "xmp", "noembed", "noframes"])
"""What is in these is no markup, up to their end tag."""

FOREIGN = frozenset(["svg", "math", "template", "select", "object", "applet", "noscript"])
"""What is in these is read by other rules; readers are not shown it, so it is left out where a body is written anew."""

FORMATTING = frozenset(
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"]
)
"""What a browser opens again where it was not closed (WHATWG HTML, 13.2.4.3)."""

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
_ROW_GROUPS = frozenset(["thead", "tbody", "tfoot"])
_CLOSES: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    **dict.fromkeys(PARAGRAPH_ENDS, (frozenset(["p"]), _CELL_WALLS)),
    "li": (frozenset(["li"]), _CELL_WALLS | LISTS),
    **dict.fromkeys(("dt", "dd"), (frozenset(["dt", "dd"]), _CELL_WALLS | LISTS)),
    **dict.fromkeys(CELLS, (CELLS | {"caption", "colgroup"}, frozenset(["tr", "table"]))),
    "tr": (frozenset(["tr", "caption", "colgroup"]), frozenset(["table"])),
    **dict.fromkeys(_ROW_GROUPS, (_ROW_GROUPS | {"caption", "colgroup"}, frozenset(["table"]))),
    "a": (frozenset(["a"]), _CELL_WALLS),
}
"""Which open elements a start tag ends, and behind which they are not looked for."""

_STRICT_ATTRIBUTES = r"(?:\s++[a-zA-Z_:][\w:.\-]*+(?:=\"[^\"<>]*+\"|='[^'<>]*+'|=[^\s\"'<>=`]++)?+)*+"
_FEW_ATTRIBUTES = r"(?: [a-z\-]++=\"[^\"<>]{0,2000}+\"){0,8}"


def _words_in(name: str, group: str) -> str:
    """An expression for an element of words, breaks and the plainest emphasis."""
    inline = rf"<(?P<{group}>b|i|em|strong|a|span){_FEW_ATTRIBUTES}>[^<]*+</(?P={group})>|<br ?/?>"
    return rf"<{name}{_FEW_ATTRIBUTES}>[^<]*+(?:(?:{inline})[^<]*+)*"


_PLAIN = re.compile(
    rf"\s*+(?:(?:{_words_in('(?P<block>p|h[1-6])', 'one')}</(?P=block)>"
    rf"|<(?P<list>ul|ol){_FEW_ATTRIBUTES}>\s*+(?:{_words_in('li', 'two')}</li>\s*+)*</(?P=list)>"
    rf"|<blockquote{_FEW_ATTRIBUTES}>\s*+(?:{_words_in('p', 'three')}</p>\s*+)*</blockquote>"
    rf"|<(?:img|hr){_FEW_ATTRIBUTES} ?/?>)\s*+)*"
)
"""Paragraphs, lists and quotations of words, as nine of ten bodies are; where it fails, it fails soon."""

_STRICT = re.compile(
    rf"<(?:(?:(script|style|iframe|title|textarea){_STRICT_ATTRIBUTES}\s*+>[^<]*+</\1>)|"
    rf"(/?)([a-zA-Z][a-zA-Z0-9]*+)({_STRICT_ATTRIBUTES})\s*+/?>|!--[^<>\-]*+-->)?",
    re.IGNORECASE,
)
"""A tag, comment or script that every parser reads alike; else a bare `<`."""

_COMMENT = re.compile(r"<!--(?:-?>|.*?(?:--!?>|\Z))", re.DOTALL)
_NOTHING = re.compile(r"<(?:[!?]|/(?![a-zA-Z]))[^>]*+>?")
"""What browsers take for a comment: declarations, instructions, CDATA, end tags without a name."""

_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*+)((?:[^>\"'=]++|=\s*+\"[^\"]*+\"|=\s*+'[^']*+'|[=\"'])*+)>")
_PLAIN_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/<>]*+)([^<>]*+)>")
_ATTRIBUTE = re.compile(r"([^\s\"'<>/=]++)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'=<>`]+)))?")
_NAME = re.compile(r"[a-zA-Z_:][\w:.\-]{0,40}")
_SPAN = re.compile(r"\b(?:col|row)span\s*=\s*[\"']?\s*(\d+)", re.IGNORECASE)
_ENDS = {name: re.compile(rf"</{name}(?=[\s/>])[^>]*+>?", re.IGNORECASE) for name in (*RAW, *FOREIGN)}
_KNOWN = frozenset(markup.XHTML)
_HTML = (
    _KNOWN | RAW | FOREIGN | VOID | FORMATTING
    | frozenset(
        ["html", "head", "body", "frameset", "form", "button", "fieldset", "legend", "label", "dialog", "menu", "dir",
         "listing", "marquee", "optgroup", "option", "data", "output", "meter", "progress", "canvas", "map", "search",
         "slot", "hgroup", "rtc", "keygen", "param", "frame", "plaintext"]
    )
)  # fmt: skip
"""What is none of these ends with what is around it; of these each has rules of its own, so they have to be closed."""


def flat(html: str) -> Flat:
    """The body within the limits; the same again gives the same."""
    if "<" not in html or _PLAIN.fullmatch(html) or fits(html):
        return Flat(html, ())
    return _Writer(html).written()


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
    """What is open at a place of a body. Each method says whether the body still fits."""

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
        if name in RAW or name == "plaintext" or (attributes and not _narrow(attributes)):
            return False
        if name in _CLOSES and not _closed_by(stack, name):
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
    """Take an element off the stack; whether nothing was open in it that had to be closed first. Stray ones are passed over."""
    at = _open_at(stack, name)
    if at is None:
        return True
    tidy = all(one in OPTIONAL_END or one not in _HTML for one in stack[at + 1 :])
    del stack[at:]
    return tidy


def _closed_by(stack: list[str], name: str) -> bool:
    at = _implied(stack, name)
    if at is None:
        return True
    tidy = all(one in OPTIONAL_END or one not in _HTML for one in stack[at:])
    del stack[at:]
    return tidy


def _open_at(stack: list[str], name: str) -> int | None:
    """Where on the stack the element is that an end tag closes: none behind the cell that it stands in."""
    for at in range(len(stack) - 1, -1, -1):
        if stack[at] == name:
            return at
        if stack[at] in _CELL_WALLS and name not in TABLE_PARTS and name != "table":
            return None
        if stack[at] == "table":
            return None
    return None


def _implied(stack: list[str], name: str) -> int | None:
    """Where on the stack the element is that a start tag closes without saying so."""
    closed, walls = _CLOSES[name]
    for at in range(len(stack) - 1, -1, -1):
        if stack[at] in closed:
            return at
        if stack[at] in walls:
            return None
    return None


def _narrow(attributes: str) -> bool:
    if len(attributes) > MAX_TAG_CHARACTERS:
        return False
    if len(attributes) > 2 * MAX_ATTRIBUTES and len(_ATTRIBUTE.findall(attributes)) > MAX_ATTRIBUTES:
        return False
    return "span" not in attributes.lower() or all(
        len(number) < 6 and int(number) <= MAX_COLUMNS for number in _SPAN.findall(attributes)
    )


class _Writer:
    """Writes a body anew, tag by tag. The stack never has more than `MAX_DEPTH` elements."""

    def __init__(self, html: str) -> None:
        self._html = html
        self._out: list[str] = []
        self._stack: list[str] = []
        self._skipped: list[dict[str, int]] = [{}]
        """For each open element, and the body itself: start tags in it that were left out, by name."""
        self._inner_tables = 0
        self._rows = self._cells = 0
        self._changes: dict[str, None] = {}
        self._never_end: set[str] = set()
        self._breakable = False
        """Whether there are words since the last break."""

    def written(self) -> Flat:
        """The body, and what was done to it."""
        html, at, tags = self._html, 0, _TAG
        while (begin := html.find("<", at)) >= 0:
            self._text(html[at:begin])
            at = begin + 1
            if found := _COMMENT.match(html, begin) or _NOTHING.match(html, begin):
                at = found.end()
            elif not html[at : at + 2].lstrip("/")[:1].isalpha():
                self._text("<")
            elif found := tags.match(html, begin):
                at = self._tag(found)
            elif tags is _TAG:
                # A quote that nothing closes: looked for once, not again for each of the tags behind it.
                tags, at = _PLAIN_TAG, begin
            else:
                self._text("<")
        self._text(html[at:])
        self._close_from(0)
        return Flat("".join(self._out), tuple(self._changes) or ("broken markup was mended",))

    def _text(self, said: str) -> None:
        if said:
            self._out.append("&lt;" if said == "<" else said)
            self._breakable = self._breakable or not said.isspace()

    def _tag(self, found: re.Match[str]) -> int:
        """Write a tag, and say where the text goes on."""
        closing, name, attributes = found.group(1), found.group(2).lower(), found.group(3)
        if name in RAW or name in FOREIGN:
            return found.end() if closing else self._behind(name, found.end())
        if name not in _KNOWN:
            return found.end()
        if closing:
            self._end(name)
        else:
            self._start(name, attributes)
        return found.end()

    def _behind(self, name: str, at: int) -> int:
        """Where what nobody is shown ends."""
        if name in self._never_end:
            return at
        if end := _ENDS[name].search(self._html, at):
            return end.end()
        self._never_end.add(name)
        return len(self._html) if name in RAW else at

    def _start(self, name: str, attributes: str) -> None:
        if name == "table" and "table" in self._stack:
            self._inner_tables += 1
            self._leave_out(name, "tables in tables were taken apart", count=False)
            return
        if name in TABLE_PARTS and (self._inner_tables or "table" not in self._stack):
            self._leave_out(name, "", count=False)
            return
        if name in CELLS and self._cells >= MAX_COLUMNS:
            self._leave_out(name, f"rows of more than {MAX_COLUMNS} cells were cut", count=False)
            return
        if name in _CLOSES and (at := _implied(self._stack, name)) is not None:
            self._close_from(at)
        if name == "tr" and self._rows >= MAX_ROWS:
            self._changes[f"tables of more than {MAX_ROWS} rows were parted"] = None
            self._close_from(self._stack.index("table"))
            self._open("table", "")
        if name in VOID:
            self._out.append(f"<{name}{self._attributes(attributes)}>")
            self._breakable = self._breakable and name != "br"
            return
        if len(self._stack) >= MAX_DEPTH:
            self._leave_out(name, f"elements nested more than {MAX_DEPTH} deep were taken apart")
        elif name in LISTS and sum(one in LISTS for one in self._stack) >= MAX_LISTS:
            self._leave_out(name, f"lists nested more than {MAX_LISTS} deep were taken apart")
        else:
            self._open(name, self._attributes(attributes))

    def _open(self, name: str, attributes: str) -> None:
        self._out.append(f"<{name}{attributes}>")
        self._stack.append(name)
        self._skipped.append({})
        self._breakable = False
        if name == "table":
            self._rows = self._cells = 0
        elif name == "tr":
            self._rows, self._cells = self._rows + 1, 0
        elif name in CELLS:
            self._cells += 1

    def _end(self, name: str) -> None:
        if name in VOID:
            return
        if name == "table" and self._inner_tables:
            self._inner_tables -= 1
            self._part(name)
            return
        if name in TABLE_PARTS and (self._inner_tables or (name in CELLS and self._cells >= MAX_COLUMNS)):
            # The last cell that is permitted takes up what follows it, until its row ends.
            if name not in CELLS:
                self._part(name)
            return
        skipped = self._skipped[-1]
        if skipped.get(name):
            skipped[name] -= 1
            self._part(name)
        elif (at := _open_at(self._stack, name)) is not None:
            self._close_from(at)

    def _leave_out(self, name: str, why: str, *, count: bool = True) -> None:
        if why:
            self._changes[why] = None
        if count:
            skipped = self._skipped[-1]
            skipped[name] = skipped.get(name, 0) + 1
        self._part(name)

    def _part(self, name: str) -> None:
        """Keep words apart that stood in elements of their own."""
        if not self._breakable or (self._stack and self._stack[-1] in ("table", "tr", *_ROW_GROUPS)):
            return
        if name in CELLS:
            self._out.append(" ")
        elif name in PARAGRAPH_ENDS or name in TABLE_PARTS:
            self._out.append("<br>")
            self._breakable = False

    def _close_from(self, at: int) -> None:
        for name in reversed(self._stack[at:]):
            self._out.append(f"</{name}>")
            if name == "table":
                self._inner_tables = self._rows = self._cells = 0
            elif name == "tr":
                self._cells = 0
        del self._stack[at:]
        del self._skipped[at + 1 :]
        self._breakable = False

    def _attributes(self, said: str) -> str:
        """The first few attributes, in quotes."""
        if not said or said.isspace():
            return ""
        if len(said) > MAX_TAG_CHARACTERS:
            self._changes[f"tags of more than {MAX_TAG_CHARACTERS} characters were cut"] = None
        parts: list[str] = []
        for found in _ATTRIBUTE.finditer(said[:MAX_TAG_CHARACTERS]):
            if len(parts) == MAX_ATTRIBUTES:
                self._changes[f"more than {MAX_ATTRIBUTES} attributes were cut"] = None
                break
            name = found.group(1)
            value = next((one for one in found.groups()[1:] if one is not None), "")
            if not _NAME.fullmatch(name):
                continue
            if len(value) > MAX_ATTRIBUTE_CHARACTERS or not _narrow(f'{name}="{value}"'):
                self._changes["attributes that are too large were left out"] = None
                continue
            parts.append(f" {name}={_quoted(value)}")
        return "".join(parts)


def _quoted(value: str) -> str:
    """As a quoted attribute; character references in it are left as they are."""
    value = value.replace("<", "&lt;").replace(">", "&gt;")
    if '"' in value and "'" not in value:
        return f"'{value}'"
    return '"' + value.replace('"', "&quot;") + '"'
