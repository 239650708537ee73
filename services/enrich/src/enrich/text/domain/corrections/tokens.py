"""HTML as words and tags, in blocks. Markup that differs in writing only, such as in its entities or spaces, is the same."""

import html
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from enrich.short_text import UNSPACED
from shared.markup import BLOCKS, LEVELS, VOID, repair_nesting
from shared.markup import TOKEN as MARKUP

_PUNCTUATION = r"\s<>&.,;:!?…()\[\]{}\"'«»„“”‚‘’/·•–—。、，！？；：「」『』（）،؛؟\-"
_UNSPACED = UNSPACED.pattern[1:-1]
_WORD = rf"[^{_PUNCTUATION}{_UNSPACED}]"
TOKEN = re.compile(rf"\s*+(?:\d+(?:[.,:/٫٬-]\d+)*%?|{_WORD}+(?:[-'’.@]{_WORD}+)*|&(?:amp|lt|gt);|\S|\Z)")
"""A number with its points, a word with its hyphens and apostrophes, or one sign; with the space before it."""
LONG_TOKEN = 20
"""Characters of a token, several times what words have on average."""
_COUNTED = re.compile(rf"{_WORD}+|\S")
"""What becomes a token, or, of a tag, at most a few: counted in a fortieth of the time."""
_TAG = re.compile(r"<(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9]*)")
_HREF = re.compile(r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_LONG_REFERENCE = re.compile(r"&#[0-9]{30,}+;?")
TRANSPARENT = frozenset(["div", "section", "article", "main", "ul", "ol", "dl", "blockquote", "html", "body"])
"""Elements that group blocks: their tags are blocks of their own, so that what they group can be told apart."""
_BLOCKS = (BLOCKS | LEVELS.keys() | {"hr"}) - TRANSPARENT
SENTENCE_ENDS = frozenset(".!?…。！？؟")


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a sign or a tag."""

    text: str
    """As it is written, with the space before it."""
    key: str
    """What makes two tokens the same; a tag's begins with `<`."""

    @property
    def is_tag(self) -> bool:
        """Whether it is a tag; a sign `<` is written as a reference."""
        return self.key.startswith("<") and len(self.key) > 1

    @property
    def is_word(self) -> bool:
        """Whether it says something: no tag and no sign."""
        return not self.is_tag and any(map(str.isalnum, self.key))


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a heading, an item of a list, a table; or the tag of an element that groups such."""

    tokens: tuple[Token, ...]
    keys: tuple[str, ...]

    @property
    def words(self) -> frozenset[str]:
        """The words in it."""
        return frozenset(token.key for token in self.tokens if token.is_word)

    @property
    def has_words(self) -> bool:
        """Whether it says anything."""
        return any(token.is_word for token in self.tokens)


def has_at_most(most: int, text: str) -> bool:
    """Whether a text has no more tokens than that, and none that are endless; no more of it is looked at."""
    if len(text) <= most or len(text) > LONG_TOKEN * most:
        return len(text) <= most
    counted = itertools.islice(_COUNTED.finditer(text), most, None)
    return next(counted, None) is None


def line_tokens(line: str) -> list[Token]:
    """The words of plain text."""
    return [Token(found[0], key) for found in TOKEN.finditer(line) if (key := found[0].strip())]


def blocks_of(body: str) -> list[Block]:
    """The blocks of HTML; of plain text, its paragraphs."""
    if "<" not in body:
        body = "".join(f"<p>{html.escape(each, quote=False)}</p>" for each in _paragraphs(_unescaped(body)))
    return _grouped(_tokens(repair_nesting(body)))


def text_of(tokens: Sequence[Token]) -> str:
    """The HTML, or the plain text, of tokens."""
    return "".join(token.text for token in tokens)


def words_of(tokens: Sequence[Token]) -> str:
    """The words of tokens for people, without tags."""
    return " ".join(html.unescape("".join(" " if token.is_tag else token.text for token in tokens)).split())


def is_balanced(tokens: Sequence[Token]) -> bool:
    """Whether every element is closed, and those that were opened within it before it."""
    unclosed: list[str] = []
    for token in tokens:
        tag = _TAG.match(token.text.lstrip()) if token.is_tag else None
        if tag is None or (name := tag["name"].lower()) in VOID:
            continue
        if not tag["end"]:
            unclosed.append(name)
        elif not unclosed or unclosed.pop() != name:
            return False
    return not unclosed


def _tokens(markup: str) -> list[Token]:
    tokens: list[Token] = []
    at = 0
    for found in MARKUP.finditer(markup):
        words = markup[at : found.start()]
        tokens += _words(words)
        at = found.end()
        if (tag := _TAG.match(found[0])) is not None:
            tokens.append(_tag_token(words[len(words.rstrip()) :], found[0], tag))
    return tokens + _words(markup[at:])


def _tag_token(space: str, text: str, tag: re.Match[str]) -> Token:
    name = tag["name"].lower()
    link = _HREF.search(text) if name == "a" and not tag["end"] else None
    address = html.unescape(next(filter(None, link.groups()), "")) if link is not None else ""
    return Token(space + text, f"<{tag['end']}{name} {address}".rstrip())


def _words(text: str) -> list[Token]:
    if "&" in text or ">" in text or "<" in text:
        text = html.escape(_unescaped(text), quote=False)
    return line_tokens(text) if text else []


def _grouped(tokens: Sequence[Token]) -> list[Block]:
    """Blocks: an element that groups others is laid open, all other blocks are whole, and loose words are blocks too."""
    blocks: list[Block] = []
    mine: list[Token] = []
    unclosed = 0

    def close() -> None:
        if mine:
            blocks.append(Block(tuple(mine), tuple(token.key for token in mine)))
        mine.clear()

    for token in tokens:
        name = token.key.strip("</").partition(" ")[0] if token.is_tag else ""
        is_end = token.key.startswith("</")
        if name in TRANSPARENT and unclosed == 0:
            close()
            mine.append(token)
            close()
        elif name in _BLOCKS or name in TRANSPARENT:
            if not is_end and unclosed == 0:
                close()
            mine.append(token)
            unclosed += 0 if name in VOID else -1 if is_end else 1
            if unclosed <= 0:
                unclosed = 0
                close()
        else:
            mine.append(token)
    close()
    return blocks


def _paragraphs(text: str) -> list[str]:
    paragraphs: list[list[str]] = [[]]
    for line in text.split("\n"):
        if line.strip():
            paragraphs[-1].append(line)
        elif paragraphs[-1]:
            paragraphs.append([])
    return ["\n".join(lines).strip() for lines in paragraphs if lines]


def _unescaped(text: str) -> str:
    return html.unescape(_LONG_REFERENCE.sub("\ufffd", text)) if "&" in text else text
