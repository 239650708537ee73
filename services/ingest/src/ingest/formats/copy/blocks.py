"""The paragraphs, headings and lines of a body's HTML, and how one is taken out. Pure, one pass, without a tree."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ingest.formats.text import plain as text

_BLOCK_NAMES = "p|h[1-6]|div|pre|li|ul|ol|dl|dd|dt|table|tbody|thead|tr|td|th|blockquote|section|article|aside|figure|figcaption|header|footer|main|nav|address|body"
_LEAF = re.compile(
    rf"<(p|h[1-6]|div|pre|li|aside|blockquote|header|footer|section|address|article)(\s[^<>]*+)?>"
    rf"((?>(?:[^<]+|<(?!/?(?:{_BLOCK_NAMES})[\s/>]))*))</\1\s*+>\s*+",
    re.IGNORECASE,
)
"""An element of text without another such element in it. An atomic group, since Python 3.11.2 matches nothing with `*+` there."""
_BREAK = re.compile(r"(?:<br\s*/?>\s*)+", re.IGNORECASE)
_HOLLOW = re.compile(
    r"<(div|section|article|header|footer|aside|blockquote|ul|ol|figure|p)(?:\s[^<>]*+)?>\s*+</\1>\s*+", re.IGNORECASE
)
_CLASS = re.compile(
    r"<([a-zA-Z][a-zA-Z0-9]*)\s[^<>]*?\b(?:class|itemprop|rel)\s*=\s*[\"']([^\"'<>]{0,200})[\"'][^<>]*>"
)


_INLINE_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_ENDS_BLOCK = ("</p>", "</div>", "</li>")


class Block(NamedTuple):
    """A leaf block of a body."""

    start: int
    end: int
    name: str
    inner: str
    inner_at: int

    @property
    def words(self) -> str:
        """What it says, in one line."""
        inner = self.inner
        if "<" in inner:
            if "<!" in inner or "<br" in inner or "<s" in inner or "<B" in inner:
                return text.of_html(inner)
            inner = _INLINE_TAG.sub("", inner)
        if "&" in inner:
            inner = text.unescaped(inner)
        return " ".join(inner.split())


def is_plain(html: str) -> bool:
    """Whether a body has no other tags than those of bare paragraphs, as most have: then there is little to look for."""
    return html.count("<") == html.count("<p>") + html.count("</p>")


def leaves(html: str) -> Iterator[Block]:
    """The leaf blocks of a body in their order."""
    for found in _LEAF.finditer(html):
        name, inner = found.group(1, 3)
        yield Block(found.start(), found.end(), name.lower(), inner, found.start(3))


def lines_of(block: Block, words: str) -> list[tuple[int, int, str]]:
    """The lines of a block that breaks part: where each begins and ends in the body, its break included, and its words."""
    if "<br" not in block.inner and "<BR" not in block.inner:
        return [(block.inner_at, block.inner_at + len(block.inner), words)]
    found: list[tuple[int, int, str]] = []
    at = 0
    for gap in _BREAK.finditer(block.inner):
        found.append((block.inner_at + at, block.inner_at + gap.end(), text.of_html(block.inner[at : gap.start()])))
        at = gap.end()
    found.append((block.inner_at + at, block.inner_at + len(block.inner), text.of_html(block.inner[at:])))
    return found


def without(html: str, spans: list[tuple[int, int]]) -> str:
    """The body without some spans, and without the elements that are empty afterwards."""
    if not spans:
        return html
    out: list[str] = []
    at = 0
    for start, end in sorted(spans):
        if start >= at:
            out.append(html[at:start])
        at = max(at, end)
    out.append(html[at:])
    left = "".join(out)
    if "<br" in left:
        whole = left
        left = _BREAK.sub(lambda run: "" if whole.startswith(_ENDS_BLOCK, run.end()) else run.group(), whole)
    for _ in range(4):
        again = _HOLLOW.sub("", left)
        if again == left:
            break
        left = again
    return left.strip()


def spans_of_class(html: str, is_meant: Callable[[str, str], bool]) -> list[tuple[int, int, str]]:
    """Where the outermost elements stand whose name and classes are meant, with their classes; one that nothing closes is left."""
    found: list[tuple[int, int, str]] = []
    behind = 0
    ends: dict[str, dict[int, int]] = {}
    for tag in _CLASS.finditer(html):
        if tag.start() < behind or tag.group(0).endswith("/>"):
            continue
        name, classes = tag.group(1).lower(), tag.group(2).lower()
        if not is_meant(name, classes):
            continue
        if name not in ends:
            if len(ends) > _MOST_NAMES:
                continue
            ends[name] = _ends_of(html, name)
        if (end := ends[name].get(tag.start())) is not None:
            found.append((tag.start(), end, classes))
            behind = end
    return found


_MOST_NAMES = 20
"""Elements of different names that are looked through for their ends."""


def _ends_of(html: str, name: str) -> dict[int, int]:
    """Where each element of a name ends, by where it begins."""
    open_at: list[int] = []
    found: dict[int, int] = {}
    for tag in re.finditer(rf"<(/?){name}(?=[\s/>])[^<>]*+>", html, re.IGNORECASE):
        if not tag.group(1):
            open_at.append(tag.start())
        elif open_at:
            found[open_at.pop()] = tag.end()
    return found
