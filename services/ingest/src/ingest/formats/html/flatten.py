"""Keeps the markup of a body shallow, narrow and balanced, so that no later step can be made slow or large by it. Pure.

Parsers and pages take time and memory that grow with the square of the depth, with nested tables and with the widest row,
and parsers that follow browsers reopen formatting that was never closed in each later paragraph. A body within the limits
is left exactly as it is. Another is rewritten in one pass over its tags: words are kept, markup beyond a limit is left
out. The result is unambiguous, so that every parser sees the same nesting.
Source: WHATWG HTML, 13.2 (tokens, implied end tags, raw text).
"""

import re
from typing import NamedTuple

from ingest.formats.html.nesting import (
    ATTRIBUTE,
    CELLS,
    CLOSES,
    FOREIGN,
    KNOWN,
    LISTS,
    MAX_ATTRIBUTE_CHARACTERS,
    MAX_ATTRIBUTES,
    MAX_COLUMNS,
    MAX_DEPTH,
    MAX_LISTS,
    MAX_ROWS,
    MAX_TAG_CHARACTERS,
    PARAGRAPH_ENDS,
    PLAIN,
    RAW,
    ROW_GROUPS,
    TABLE_PARTS,
    VOID,
    fits,
    implied_end,
    is_narrow,
    open_at,
)

_COMMENT = re.compile(r"<!--(?:-?>|.*?(?:--!?>|\Z))", re.DOTALL)
_NOTHING = re.compile(r"<(?:[!?]|/(?![a-zA-Z]))[^>]*+>?")
"""What browsers take for a comment: declarations, instructions, CDATA, end tags without a name."""
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*+)((?:[^>\"'=]++|=\s*+\"[^\"]*+\"|=\s*+'[^']*+'|[=\"'])*+)>")
_PLAIN_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/<>]*+)([^<>]*+)>")
_NAME = re.compile(r"[a-zA-Z_:][\w:.\-]{0,40}")
_ENDS = {name: re.compile(rf"</{name}(?=[\s/>])[^>]*+>?", re.IGNORECASE) for name in (*RAW, *FOREIGN)}


class Flat(NamedTuple):
    """A body within the limits."""

    html: str
    changes: tuple[str, ...]
    """What was changed, for people; empty where nothing was."""


def flat(html: str) -> Flat:
    """The body within the limits. Idempotent."""
    if "<" not in html or PLAIN.fullmatch(html) or fits(html):
        return Flat(html, ())
    return _Writer(html).written()


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
                # A quote is never closed: do not search for its end again at each later tag.
                tags, at = _PLAIN_TAG, begin
            else:
                self._text("<")
        self._text(html[at:])
        self._close_from(0)
        return Flat("".join(self._out), tuple(self._changes) or ("broken markup was mended",))

    def _text(self, value: str) -> None:
        if value:
            self._out.append("&lt;" if value == "<" else value)
            self._breakable = self._breakable or not value.isspace()

    def _tag(self, found: re.Match[str]) -> int:
        """Write a tag and return where the text goes on."""
        closing, name, attributes = found.group(1), found.group(2).lower(), found.group(3)
        if name in RAW or name in FOREIGN:
            return found.end() if closing else self._behind(name, found.end())
        if name not in KNOWN:
            return found.end()
        if closing:
            self._end(name)
        else:
            self._start(name, attributes)
        return found.end()

    def _behind(self, name: str, at: int) -> int:
        """Where an element that readers are not shown ends."""
        if name in self._never_end:
            return at
        if end := _ENDS[name].search(self._html, at):
            return end.end()
        self._never_end.add(name)
        # Code without an end is none of a reader's words; a title or a text area without one swallows nothing.
        return len(self._html) if name in ("script", "style") else at

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
        if name in CLOSES and (at := implied_end(self._stack, name)) is not None:
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
        elif (at := open_at(self._stack, name)) is not None:
            self._close_from(at)

    def _leave_out(self, name: str, why: str, *, count: bool = True) -> None:
        if why:
            self._changes[why] = None
        if count:
            skipped = self._skipped[-1]
            skipped[name] = skipped.get(name, 0) + 1
        self._part(name)

    def _part(self, name: str) -> None:
        """Separate words whose elements were left out."""
        if not self._breakable or (self._stack and self._stack[-1] in ("table", "tr", *ROW_GROUPS)):
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

    def _attributes(self, written: str) -> str:
        """The first few attributes, in quotes."""
        if not written or written.isspace():
            return ""
        if len(written) > MAX_TAG_CHARACTERS:
            self._changes[f"tags of more than {MAX_TAG_CHARACTERS} characters were cut"] = None
        parts: list[str] = []
        for found in ATTRIBUTE.finditer(written[:MAX_TAG_CHARACTERS]):
            if len(parts) == MAX_ATTRIBUTES:
                self._changes[f"more than {MAX_ATTRIBUTES} attributes were cut"] = None
                break
            name = found.group(1)
            value = next((one for one in found.groups()[1:] if one is not None), "")
            if not _NAME.fullmatch(name):
                continue
            if len(value) > MAX_ATTRIBUTE_CHARACTERS or not is_narrow(f'{name}="{value}"'):
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
