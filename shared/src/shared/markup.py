"""HTML from outside made plain before a parser of the HTML standard sees it: every element ends where it should, and none is deep.

A browser repairs what is nested wrongly, and its repairs multiply: an element of format that was torn apart is opened
anew in every block behind it (WHATWG HTML, 13.2.4.3, "reconstruct the active formatting elements"), what stands between
the cells of a table is moved before it, one by one (13.2.6.1, "foster parenting"), and every start tag looks through
all that is open. 18 kB so become 2.7 MB, and 200 kB of nested elements take seconds. Here such repairs are made in one
pass, each for good: what comes out is at most a little longer than what went in, and a parser has nothing left to repair.

It is not a sanitiser: what may stay is another's business.
"""

import re
from collections import Counter
from collections.abc import Collection, Sequence

DEEPEST = 100
"""Elements within each other; what is deeper loses its tags and keeps its words. The deepest of real copy have 30."""
FEW = 16
"""Tags of a short text that needs no repair here: what a parser makes of them is little, whatever they are."""
LONGEST_ATTRIBUTES = 4096
"""Characters of a tag's attributes: a longer tag stands without them. A parser compares each with all before it."""
LONGEST_RUN = 4096
"""Characters of text without a tag that are written at a time; see `_Nesting.text`."""
LONGEST_REFERENCE = 40
"""Characters of a character reference that is not cut in two."""

HEADINGS = frozenset(["h1", "h2", "h3", "h4", "h5", "h6"])
BLOCKS = HEADINGS | frozenset(
    """
    address article aside blockquote center dd details dialog dir div dl dt fieldset figcaption figure footer header hgroup
    li main menu nav ol p pre search section summary table ul
    """.split()  # noqa: SIM905 -- easier to read than fifty quotes
)
INLINE = frozenset(
    """
    a abbr b bdi bdo big cite code del dfn em font i ins kbd mark q rb rp rt ruby s samp small span strike strong sub sup time
    tt u var
    """.split()  # noqa: SIM905
)
LEVELS = {"caption": 1, "tbody": 1, "thead": 1, "tfoot": 1, "tr": 2, "td": 3, "th": 3}
"""Parts of a table by how far within it they stand."""
CELLS = frozenset(["td", "th", "caption"])
BETWEEN_CELLS = frozenset(["table", "tbody", "thead", "tfoot", "tr"])
"""What has neither words nor elements of its own but the parts of a table."""
KNOWN = BLOCKS | INLINE | LEVELS.keys()
VOID = frozenset(["br", "hr", "wbr"])
IMPLIED = frozenset(["p", "li", "dd", "dt", "rb", "rp", "rt", *LEVELS])
"""Elements whose end a parser supplies without more ado (13.2.6.3)."""
RAW = frozenset(["script", "style", "title", "textarea", "iframe", "noembed", "noframes", "noscript"])
SILENT = frozenset(["svg", "math", "template", "object", "select"])
"""Elements that are left out with what is in them, since other rules hold there; `RAW` are no markup inside."""

_BLANK = r"[\t\n\f\r ]"
_ATTRIBUTES = (
    rf"(?:[\t\n\f\r /]++|(?:=[^\t\n\f\r />=]*+|[^\t\n\f\r />=]++)"
    rf"(?:{_BLANK}*+={_BLANK}*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z)|[^\t\n\f\r >\"'][^\t\n\f\r >]*+)?)?)*+"
)
TOKEN = re.compile(
    rf"<(?:(?P<end>/?)(?P<name>[a-zA-Z][^\t\n\f\r />]*+)(?P<attributes>{_ATTRIBUTES})(?:>|(?P<cut>\Z))"
    r"|!--(?:-?>|.*?(?:--!?>|\Z))|[!?][^>]*+(?:>|\Z)|/[^>]*+(?:>|\Z))",
    re.DOTALL,
)
"""A tag, a comment or what is taken for one (13.2.5). Every alternative ends with the text at the latest, so that nothing is looked at twice."""
_BLANKS = "\t\n\f\r "
_PLAIN_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)((?: [a-z]+=\"[^\"<>]*+\")*+) ?/?>")
_AROUND_BLOCKS = frozenset(["", "div", "blockquote", "ul", "ol", "li", "td", "th"])
_PLAIN_PARENTS = {
    **dict.fromkeys(
        ("p", "div", "blockquote", "ul", "ol", "h2", "h3", "h4", "h5", "h6", "pre", "hr", "table"), _AROUND_BLOCKS
    ),
    "li": frozenset(["ul", "ol"]),
    **dict.fromkeys(("thead", "tbody", "tfoot"), frozenset(["table"])),
    "tr": frozenset(["table", "thead", "tbody", "tfoot"]),
    **dict.fromkeys(("td", "th"), frozenset(["tr"])),
}
"""Where a block stands in copy that needs no repair; `""` is the body itself."""
_PLAIN_TEXT = (INLINE | {"br", "wbr"}) - {"rb", "rp", "rt"}
_WORDS_BETWEEN_CELLS = re.compile(
    r"(?:</?(?:table|thead|tbody|tfoot|tr)\b[^>]*+(?<!/table)>|</t[dh]>)[\t\n\f\r ]*+(?!<)"
)


def plainly_nested(html: str, deepest: int = DEEPEST) -> str:
    """The HTML, every element ended where the next one or its parent ends it, nested at most `deepest` deep; `html` itself where it is so already.

    Words are kept, in their order. Of what is nested wrongly the elements that were left open are ended; of what is too
    deep, and of elements that are not known, the tags are left out.
    """
    if _is_plain(html, deepest):
        return html
    nesting = _Nesting(deepest)
    endless: set[str] = set()
    at = 0
    while (skipped := nesting.take(html, at, endless)) is not None:
        at = skipped
    return nesting.written() if nesting.changed else html


def _is_plain(html: str, deepest: int) -> bool:
    """Whether there is nothing to look into: little, or each tag written plainly and ended, and blocks in blocks."""
    many = html.count("<")
    if many <= FEW and len(html) <= LONGEST_RUN:
        return True
    tags = _PLAIN_TAG.findall(html)
    if len(tags) != many or (len(html) > LONGEST_RUN and max(map(len, html.split("<"))) > LONGEST_RUN):
        return False
    return _are_ended(tags, deepest) and ("<t" not in html or _WORDS_BETWEEN_CELLS.search(html) is None)


def _are_ended(tags: Sequence[tuple[str, str, str]], deepest: int) -> bool:
    """Whether each element is ended where its parent is still open, and stands where it may."""
    stack = [""]
    for end, name, _ in tags:
        last = stack[-1]
        if end:
            if last != name:
                return False
            stack.pop()
            continue
        if name in _PLAIN_PARENTS:
            if last not in _PLAIN_PARENTS[name]:
                return False
        elif last in BETWEEN_CELLS or name not in _PLAIN_TEXT or (name == "a" and "a" in stack):
            return False
        if name not in VOID:
            stack.append(name)
            if len(stack) > deepest:
                return False
    return True


def _behind(html: str, name: str, at: int) -> int | None:
    """Where an element that is left out ends. One of `RAW` that does not end takes the rest with it, as in a browser."""
    found = re.compile(rf"</{name}(?=[\t\n\f\r />])[^>]*+>?", re.IGNORECASE).search(html, at)
    return found.end() if found is not None else None


class _Nesting:
    """The elements that are open, and what was written."""

    def __init__(self, deepest: int) -> None:
        self.changed = False
        self._deepest = deepest
        self._open: list[str] = []
        self._count: Counter[str] = Counter()
        """Of each name how many are open."""
        self._flattened: Counter[str] = Counter()
        """Of each name how many were too deep: as many of its end tags mean nothing."""
        self._pieces: list[str] = []

    def take(self, html: str, at: int, endless: set[str]) -> int | None:
        """Take in what follows, up to an element that is left out with what is in it: where to go on, None at the end."""
        for token in TOKEN.finditer(html, at):
            begin, end = token.span()
            if at < begin:
                self.text(html[at:begin])
            at = end
            closing, name, attributes, cut = token.groups()
            if name is None:
                continue
            name = name.lower()
            if cut is not None:
                self.changed = True
            elif closing:
                self.end(name)
            elif name not in RAW and name not in SILENT:
                self.start(name, token[0], len(attributes))
            elif name not in endless:
                self.changed = True
                behind = _behind(html, name, end)
                if behind is not None:
                    return behind
                if name in RAW:
                    return None
                endless.add(name)
        if at < len(html):
            self.text(html[at:])
        return None

    def text(self, words: str) -> None:
        """Take in text between two tags."""
        if self._is_between_cells() and words.strip(_BLANKS):
            self._open_cell()
        if "<" in words:
            # It begins no tag here, and must not begin one where a tag behind it is left out.
            words = words.replace("<", "&lt;")
        if len(words) > LONGEST_RUN and ("&" in words or not words.isascii()):
            # html5ever looks through the rest of a text node for each character that it might have to write as a reference,
            # the `»` among them: a comment makes two nodes of one.
            self.changed = True
            words = "<!---->".join(_cut(words))
        self._pieces.append(words)

    def start(self, name: str, tag: str, length: int) -> None:
        """Take in a start tag whose attributes are `length` characters long."""
        if name in VOID:
            self._start_void(name, tag, length)
        elif name not in KNOWN:
            self.changed = True
        elif len(self._open) >= self._deepest:
            self.changed = True
            self._flattened[name] += 1
            self._pieces.append("" if name in INLINE else " ")
        elif self._make_room(name):
            self._open.append(name)
            self._count[name] += 1
            self._write(name, tag, length)
        else:
            self.changed = True
            self._pieces.append(" ")

    def end(self, name: str) -> None:
        """Take in an end tag."""
        if name == "br":
            self.changed = True
            self._pieces.append("<br>")
            return
        if self._flattened[name]:
            self._flattened[name] -= 1
            self._pieces.append("" if name in INLINE else " ")
            return
        names: Collection[str] = HEADINGS if name in HEADINGS else (name,)
        at = self._nearest(names, stop=frozenset() if name in LEVELS or name == "table" else CELLS)
        if at is None:
            self.changed = True
            return
        if name in INLINE and at != len(self._open) - 1:
            self.changed = True
        self._close(at + 1)
        self._close(at, ended=True)

    def written(self) -> str:
        """All that was taken in, with the end of what is open."""
        self._close(0)
        return "".join(self._pieces)

    def _start_void(self, name: str, tag: str, length: int) -> None:
        if name == "hr":
            self._close_paragraph()
        if self._is_between_cells():
            self._open_cell()
        self._write(name, tag, length)

    def _write(self, name: str, tag: str, length: int) -> None:
        if length > LONGEST_ATTRIBUTES:
            self.changed = True
            tag = f"<{name}>"
        self._pieces.append(tag)

    def _make_room(self, name: str) -> bool:
        """End what cannot stand around an element; False where there is no place for it."""
        if name in LEVELS:
            return self._make_room_in_table(name)
        if name in BLOCKS:
            self._close_paragraph()
        if name == "table":
            self._leave_table()
        elif self._is_between_cells():
            self._open_cell()
        last = self._open[-1] if self._open else ""
        if (name in HEADINGS and last in HEADINGS) or (name in ("rb", "rp", "rt") and last in ("rb", "rp", "rt")):
            self._close(len(self._open) - 1, ended=True)
        elif name in ("li", "dd", "dt"):
            siblings = ("li",) if name == "li" else ("dd", "dt")
            self._close(self._nearest(siblings, through=INLINE | {"div"}))
        elif name == "a":
            self._close(self._nearest(("a",), stop=CELLS))
        return True

    def _make_room_in_table(self, name: str) -> bool:
        """End what of a table stands where a part of it begins."""
        for at in range(len(self._open) - 1, -1, -1):
            level = 0 if self._open[at] == "table" else LEVELS.get(self._open[at])
            if level is not None and level < LEVELS[name] and self._open[at] != "caption":
                self._close(at + 1)
                return True
        return False

    def _leave_table(self) -> None:
        """A table that begins between another one's cells ends that one."""
        for at in range(len(self._open) - 1, -1, -1):
            if self._open[at] in CELLS:
                return
            if self._open[at] == "table":
                self.changed = True
                self._close(at)
                return

    def _is_between_cells(self) -> bool:
        return bool(self._open) and self._open[-1] in BETWEEN_CELLS

    def _open_cell(self) -> None:
        """What stands between the cells of a table gets a cell of its own."""
        self.changed = True
        for name in ("td",) if self._open[-1] == "tr" else ("tr", "td"):
            self._open.append(name)
            self._count[name] += 1
            self._pieces.append(f"<{name}>")

    def _close_paragraph(self) -> None:
        if self._count["p"]:
            self._close(self._nearest(("p",)))

    def _nearest(
        self, names: Collection[str], *, through: Collection[str] | None = None, stop: Collection[str] = ()
    ) -> int | None:
        """The place of the innermost open element of these names, not beyond one of `stop`, and through none but `through`."""
        if not any(self._count[name] for name in names):
            return None
        for at in range(len(self._open) - 1, -1, -1):
            name = self._open[at]
            if name in names:
                return at
            if name in stop or (through is not None and name not in through):
                return None
        return None

    def _close(self, at: int | None, *, ended: bool = False) -> None:
        """End what is open from a place on. `ended`: as a parser would by itself, or as was said."""
        if at is None:
            return
        while len(self._open) > at:
            name = self._open.pop()
            self._count[name] -= 1
            self._pieces.append(f"</{name}>")
            if not ended and name not in IMPLIED:
                self.changed = True


def _cut(words: str) -> list[str]:
    """Pieces of at most `LONGEST_RUN` characters; no reference is cut in two."""
    pieces = []
    at = 0
    while at < len(words):
        end = at + LONGEST_RUN
        if end < len(words):
            reference = words.rfind("&", end - LONGEST_REFERENCE, end)
            end = reference if reference > at else end
        pieces.append(words[at:end])
        at = end
    return pieces
