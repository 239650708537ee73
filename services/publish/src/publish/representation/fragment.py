"""Makes a sanitised body fit where a page puts it: only what HTML allows there, however a source nested its elements.

Sanitising upstream makes a body harmless; this makes it valid. The tree is built anew from a short list of elements, so
nothing that upstream let through by mistake reaches a reader either. What comes out is a small multiple of what went in,
and takes as much time: how deep elements are within each other is bounded before anything looks at them.
"""

import re
from collections.abc import Collection, Iterator
from html import escape
from urllib.parse import urlsplit

import nh3
from lxml import etree, html
from lxml.html import HtmlElement

from publish.representation.embeds import Embed, alone, quoted
from shared.markup import repair_nesting
from shared.messages.enriched import ANCHOR

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
MOST_EMBEDS = 30
"""Cards of one body; what else it embeds stays a link."""
MAX_DEPTH = 40
"""Of what is deeper the words alone are kept."""
MOST_NESTED = 100
"""Elements within each other before anything is parsed; libxml2 drops what is deeper than 256, words and all."""
ANY_TAG = re.compile(r"<[^<>]*>")
FILLED_FREELY = 20
"""Empty cells that rows are filled up with in any table; beyond them no more than it has cells."""


WORDS = "picture-words"
MARK = re.compile(
    rf'<figure data-picture="({ANCHOR.pattern})"></figure>(?:<p class="{WORDS}">([^<]*(?:<(?!/p>)[^<]*)*)</p>)?'
)
"""Where a picture stands in a body that fits, and what its source wrote below it there."""
_WITH_MARKS = nh3.Cleaner(attributes={**nh3.ALLOWED_ATTRIBUTES, "figure": {"data-picture"}})


_PLAIN = r"<p>([^<>&\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]*)</p>"
PARAGRAPHS = re.compile(rf"(?:{_PLAIN}[ \n]*)+")
"""A body of paragraphs that have nothing but words in them, as most updates are."""
PARAGRAPH = re.compile(_PLAIN)


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
    if PARAGRAPHS.fullmatch(body):
        # Parsers would find the same paragraphs, in twenty times as long.
        return "".join(f"<p>{words}</p>" for each in PARAGRAPH.findall(body) if (words := each.strip()))
    nested = repair_nesting(body, MOST_NESTED)
    cleaned = _WITH_MARKS.clean(nested) if "data-picture" in nested else nh3.clean(nested)
    try:
        root = html.fragment_fromstring(cleaned, create_parent="div")
    except (etree.LxmlError, ValueError):
        return f"<p>{escape(ANY_TAG.sub(' ', cleaned).replace('<', ' '), quote=False)}</p>"
    pieces: list[str] = []
    _Body(Headings(heading), _holders(root)).flow(root, pieces, 0)
    return "".join(pieces)


def embeds_of(body: str) -> list[Embed]:
    """What a body embeds, in the order and by the numbers of its cards."""
    if "<a" not in body:
        return []
    cleaned = nh3.clean(repair_nesting(body, MOST_NESTED))
    try:
        root = html.fragment_fromstring(cleaned, create_parent="div")
    except (etree.LxmlError, ValueError):
        return []
    laid_out = _Body(Headings(2), _holders(root))
    laid_out.flow(root, [], 0)
    return laid_out.embeds


def _marked(figure: HtmlElement, depth: int) -> str:
    """The mark of a picture, with what is written below it, of a figure that has nothing else; empty for other figures."""
    picture, caption = figure, None
    if len(figure) == 2 and figure[0].tag == "figure" and figure[1].tag == "figcaption":
        picture, caption = figure
        if any(words and words.strip() for words in (figure.text, picture.tail, caption.tail)):
            return ""
    anchor = picture.get("data-picture", "")
    if not ANCHOR.fullmatch(anchor):
        return ""
    words = _inline(caption, depth + 1, linked=False).strip() if caption is not None else ""
    below = f'<p class="{WORDS}">{words}</p>' if _says_something(words) else ""
    return f'<figure data-picture="{anchor}"></figure>{below}'


def _holders(root: HtmlElement) -> frozenset[HtmlElement]:
    """The elements that have a block in them, at any depth."""
    holders: set[HtmlElement] = set()
    for block in root.iter(*BLOCK):
        for around in block.iterancestors():
            if around in holders:
                break
            holders.add(around)
    return frozenset(holders)


class _Body:
    """A body that is laid out anew: `holders` are the elements with a block in them."""

    def __init__(self, heading: Headings, holders: Collection[HtmlElement]) -> None:
        self._heading = heading
        self._holders = holders
        self.embeds: list[Embed] = []

    def flow(self, node: HtmlElement, out: list[str], depth: int) -> None:
        """The content of an element as flow content."""
        run: list[str] = []

        def end_run() -> None:
            text = "".join(run)
            run.clear()
            if _says_something(text):
                out.append(self._paragraph(text.strip()))

        if node.text:
            run.append(escape(node.text, quote=False))
        for child in node:
            tag = child.tag if isinstance(child.tag, str) else ""
            if tag in BLOCK:
                end_run()
                self._block(child, tag, out, depth + 1)
            elif tag and tag not in DROPPED:
                if tag not in INLINE and tag not in ("a", "br") and child in self._holders and depth < MAX_DEPTH:
                    end_run()
                    self.flow(child, out, depth + 1)
                else:
                    _inline_element(child, tag, run, depth + 1, linked=False)
            if child.tail:
                run.append(escape(child.tail, quote=False))
        end_run()

    def _paragraph(self, text: str) -> str:
        embed = alone(text) if text.startswith("<a ") and len(self.embeds) < MOST_EMBEDS else None
        return self._card(embed, f"<p>{text}</p>") if embed is not None else f"<p>{text}</p>"

    def _quotation(self, inner: str) -> str:
        embed = quoted(inner) if "<a " in inner and len(self.embeds) < MOST_EMBEDS else None
        text = f"<blockquote>{inner}</blockquote>"
        return self._card(embed, text) if embed is not None and "<figure" not in inner else text

    def _card(self, embed: Embed, content: str) -> str:
        """The card of an embed: its link, or what is quoted. Scripts offer to load it; without them the link leads there."""
        self.embeds.append(embed)
        return (
            f'<figure class="embed embed-{embed.kind}" data-embed="{len(self.embeds) - 1}" '
            f'data-provider="{escape(embed.provider)}">{content}</figure>'
        )

    def _block(self, node: HtmlElement, tag: str, out: list[str], depth: int) -> None:
        if tag == "figure" and (marked := _marked(node, depth)):
            out.append(marked)
        elif depth > MAX_DEPTH:
            text = " ".join("".join(node.itertext()).split())
            out.append(f"<p>{escape(text, quote=False)}</p>" if text else "")
        elif tag in ("ul", "ol"):
            self._list(node, tag, out, depth)
        elif tag == "table":
            self._table(node, out, depth)
        elif tag == "blockquote":
            inner: list[str] = []
            self.flow(node, inner, depth)
            if inner:
                out.append(self._quotation("".join(inner)))
        elif tag in HEADINGS:
            text = _inline(node, depth, linked=False).strip()
            if _says_something(text):
                level = self._heading.level(int(tag[1]))
                out.append(f"<h{level}>{text}</h{level}>")
        elif tag == "pre":
            text = _inline(node, depth, linked=False)
            if _says_something(text):
                out.append(f"<pre>{text}</pre>")
        elif tag == "hr":
            out.append("<hr>")
        else:
            self.flow(node, out, depth)

    def _list(self, node: HtmlElement, tag: str, out: list[str], depth: int) -> None:
        items: list[str] = []
        for child in node:
            if not isinstance(child.tag, str) or child.tag in DROPPED:
                continue
            inner: list[str] = []
            if child.tag in ("ul", "ol"):
                self._block(child, child.tag, inner, depth + 1)
            else:
                self.flow(child, inner, depth + 1)
            content = "".join(inner)
            if content.startswith("<p>") and content.count("<p>") == 1 and content.endswith("</p>"):
                content = content[3:-4]
            if content:
                items.append(f"<li>{content}</li>")
        if items:
            out.append(f"<{tag}>{''.join(items)}</{tag}>")

    def _table(self, node: HtmlElement, out: list[str], depth: int) -> None:
        """The table with its rows filled up to one length; where that were more than there is, what its cells say, one after the other."""
        rows: list[list[tuple[str, str]]] = []
        for row in _rows(node):
            cells = []
            for cell in row:
                if cell.tag in ("td", "th"):
                    inner: list[str] = []
                    self.flow(cell, inner, depth + 1)
                    cells.append((cell.tag, "".join(inner)))
            if cells:
                rows.append(cells)
        if not rows:
            return
        width = max(map(len, rows))
        said = sum(map(len, rows))
        if width * len(rows) - said > max(said, FILLED_FREELY):
            out.extend(content for cells in rows for _, content in cells)
            return
        lines = (
            "".join(f"<{tag}>{content}</{tag}>" for tag, content in cells) + "<td></td>" * (width - len(cells))
            for cells in rows
        )
        caption = _caption(node, depth)
        out.append(f"<table>{caption}<tbody>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</tbody></table>")


def _caption(table: HtmlElement, depth: int) -> str:
    """What a table is called."""
    words = next((_inline(child, depth + 1, linked=False).strip() for child in table if child.tag == "caption"), "")
    return f"<caption>{words}</caption>" if _says_something(words) else ""


def _rows(table: HtmlElement) -> Iterator[HtmlElement]:
    """A table's own rows; those of a table within it are that one's."""
    for child in table:
        if child.tag == "tr":
            yield child
        elif child.tag in ("thead", "tbody", "tfoot"):
            yield from (row for row in child if row.tag == "tr")


def _inline(node: HtmlElement, depth: int, *, linked: bool) -> str:
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


def _inline_element(node: HtmlElement, tag: str, out: list[str], depth: int, *, linked: bool) -> None:
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
