"""Repairs the nesting of foreign HTML before a standard parser reads it: every element is closed, and none is deep.

Parsers of the standard repair wrong nesting, and their repairs multiply. An unclosed formatting element is opened again in
every block that follows (WHATWG HTML, 13.2.4.3, "reconstruct the active formatting elements"), content between the cells of
a table is moved before it piece by piece (13.2.6.1, "foster parenting"), and every start tag searches all open elements.
18 kB became 2.7 MB, and 200 kB of nested elements took seconds. Here everything is repaired in one pass; the result is
hardly longer than the input, and leaves a parser nothing to repair.

This is no sanitiser.
"""

import re
from collections import Counter
from collections.abc import Collection, Sequence

MAX_DEPTH = 100
"""Depth of nesting; deeper elements lose their tags and keep their words. Real copy has at most 30."""
FEW_TAGS = 16
"""A short text with so few tags needs no repair: whatever they are, a parser makes little of them."""
MAX_ATTRIBUTE_CHARACTERS = 4096
"""Characters of a tag's attributes; a longer tag loses them. A parser compares each attribute with all before it."""
MAX_TEXT_NODE = 4096
"""Characters of text without a tag that become one text node; see `_Nesting.text`."""
MAX_REFERENCE = 40
"""Characters of a character reference, which is not cut in two."""

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
"""Parts of a table, by their depth in it."""
CELLS = frozenset(["td", "th", "caption"])
BETWEEN_CELLS = frozenset(["table", "tbody", "thead", "tfoot", "tr"])
"""Elements that contain parts of a table only, and no text."""
KNOWN = BLOCKS | INLINE | LEVELS.keys()
VOID = frozenset(["br", "hr", "wbr"])
IMPLIED = frozenset(["p", "li", "dd", "dt", "rb", "rp", "rt", *LEVELS])
"""Elements whose end tag a parser implies (13.2.6.3)."""
RAW = frozenset(["script", "style", "title", "textarea", "iframe", "noembed", "noframes", "noscript"])
DROPPED = frozenset(["svg", "math", "template", "object", "select"])
"""Elements that are dropped with their content, which follows other rules. The content of `RAW` is no markup."""

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
"""A tag, or a comment or what counts as one (13.2.5). Each alternative matches up to the end of the text, so nothing is scanned twice."""
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
"""The parents of blocks in copy that needs no repair; `""` is the body itself."""
_PLAIN_TEXT = (INLINE | {"br", "wbr"}) - {"rb", "rp", "rt"}
_WORDS_BETWEEN_CELLS = re.compile(
    r"(?:</?(?:table|thead|tbody|tfoot|tr)\b[^>]*+(?<!/table)>|</t[dh]>)[\t\n\f\r ]*+(?!<)"
)


def repair_nesting(html: str, max_depth: int = MAX_DEPTH) -> str:
    """The HTML with every element closed and nested at most `max_depth` deep; `html` itself where it is so already.

    All words are kept, in their order. Unclosed elements are closed; tags of unknown and of too deep elements are dropped.
    """
    if _is_plain(html, max_depth):
        return html
    nesting = _Nesting(max_depth)
    unclosed: set[str] = set()
    at = 0
    while (skipped := nesting.process(html, at, unclosed)) is not None:
        at = skipped
    return nesting.output() if nesting.changed else html


def _is_plain(html: str, max_depth: int) -> bool:
    """Whether nothing needs repair: a short text, or one whose tags are simple, closed and nested properly."""
    many = html.count("<")
    if many <= FEW_TAGS and len(html) <= MAX_TEXT_NODE:
        return True
    tags = _PLAIN_TAG.findall(html)
    if len(tags) != many or (len(html) > MAX_TEXT_NODE and max(map(len, html.split("<"))) > MAX_TEXT_NODE):
        return False
    return _are_ended(tags, max_depth) and ("<t" not in html or _WORDS_BETWEEN_CELLS.search(html) is None)


def _are_ended(tags: Sequence[tuple[str, str, str]], max_depth: int) -> bool:
    """Whether each element is closed before its parent, and has a parent that it may have."""
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
            if len(stack) > max_depth:
                return False
    return True


def _end_of_dropped(html: str, name: str, at: int) -> int | None:
    """Where a dropped element ends. An unclosed one of `RAW` extends to the end of the text, as in a browser."""
    found = re.compile(rf"</{name}(?=[\t\n\f\r />])[^>]*+>?", re.IGNORECASE).search(html, at)
    return found.end() if found is not None else None


class _Nesting:
    """The open elements, and the output."""

    def __init__(self, max_depth: int) -> None:
        self.changed = False
        self._deepest = max_depth
        self._open: list[str] = []
        self._count: Counter[str] = Counter()
        """How many of each name are open."""
        self._flattened: Counter[str] = Counter()
        """How many of each name were too deep; as many of its end tags are ignored."""
        self._pieces: list[str] = []

    def process(self, html: str, at: int, unclosed: set[str]) -> int | None:
        """Process the text from a position on, up to a dropped element: returns where to continue, None at the end."""
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
            elif name not in RAW and name not in DROPPED:
                self.start(name, token[0], len(attributes))
            elif name not in unclosed:
                self.changed = True
                resume_at = _end_of_dropped(html, name, end)
                if resume_at is not None:
                    return resume_at
                if name in RAW:
                    return None
                unclosed.add(name)
        if at < len(html):
            self.text(html[at:])
        return None

    def text(self, words: str) -> None:
        """Process text between two tags."""
        if self._is_between_cells() and words.strip(_BLANKS):
            self._open_cell()
        if "<" in words:
            # It begins no tag here, and must not begin one once the next tag is dropped.
            words = words.replace("<", "&lt;")
        if len(words) > MAX_TEXT_NODE and ("&" in words or not words.isascii()):
            # html5ever scans the rest of a text node for each character that it might have to escape, `»` among them. A
            # comment splits the node.
            self.changed = True
            words = "<!---->".join(_cut(words))
        self._pieces.append(words)

    def start(self, name: str, tag: str, length: int) -> None:
        """Process a start tag whose attributes are `length` characters long."""
        if name in VOID:
            self._start_void(name, tag, length)
        elif name not in KNOWN:
            self.changed = True
        elif len(self._open) + self._levels_of(name) > self._deepest:
            self.changed = True
            self._flattened[name] += 1
            self._pieces.append("" if name in INLINE else " ")
        elif self._close_for(name):
            self._open.append(name)
            self._count[name] += 1
            self._write(name, tag, length)
        else:
            self.changed = True
            self._pieces.append(" ")

    def end(self, name: str) -> None:
        """Process an end tag."""
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

    def output(self) -> str:
        """The output, with all open elements closed."""
        self._close(0)
        return "".join(self._pieces)

    def _levels_of(self, name: str) -> int:
        """How many levels an element takes: a table with its body, row and cell, and content between cells with a cell of its own."""
        if name == "table":
            return 4
        if name in LEVELS or not self._is_between_cells():
            return 1
        return 2 if self._open[-1] == "tr" else 3

    def _start_void(self, name: str, tag: str, length: int) -> None:
        if name == "hr":
            self._close_paragraph()
        if self._is_between_cells():
            self._open_cell()
        self._write(name, tag, length)

    def _write(self, name: str, tag: str, length: int) -> None:
        if length > MAX_ATTRIBUTE_CHARACTERS:
            self.changed = True
            tag = f"<{name}>"
        self._pieces.append(tag)

    def _close_for(self, name: str) -> bool:
        """Close what cannot contain an element; False where nothing can."""
        if name in LEVELS:
            return self._close_for_part(name)
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

    def _close_for_part(self, name: str) -> bool:
        """Close the parts of a table that a new part ends."""
        for at in range(len(self._open) - 1, -1, -1):
            level = 0 if self._open[at] == "table" else LEVELS.get(self._open[at])
            if level is not None and level < LEVELS[name] and self._open[at] != "caption":
                self._close(at + 1)
                return True
        return False

    def _leave_table(self) -> None:
        """Close a table between whose cells another one begins."""
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
        """Open a cell for content between the cells of a table."""
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
        """The index of the innermost open element of these names, within any of `stop`, and with only `through` inside it."""
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
        """Close the open elements from an index on. `ended`: no repair, since a parser or the text does the same."""
        if at is None:
            return
        while len(self._open) > at:
            name = self._open.pop()
            self._count[name] -= 1
            self._pieces.append(f"</{name}>")
            if not ended and name not in IMPLIED:
                self.changed = True


def _cut(words: str) -> list[str]:
    """Pieces of at most `MAX_TEXT_NODE` characters, without cutting a character reference."""
    pieces = []
    at = 0
    while at < len(words):
        end = at + MAX_TEXT_NODE
        if end < len(words):
            reference = words.rfind("&", end - MAX_REFERENCE, end)
            end = reference if reference > at else end
        pieces.append(words[at:end])
        at = end
    return pieces
