"""The plain text of HTML."""

import html
import re

from enrich.short_text import closed_bidi

BLOCKS = frozenset((
    "p", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "li", "dt", "dd", "tr", "div", "caption", "figcaption", "figure", "ul", "ol", "dl",
    "table", "hr",
))  # fmt: skip
ATTRIBUTE_LIST = r"(?:\s[^<>\"]*+(?:\"[^\"]*+\"[^<>\"]*+)*+)?"
BLOCK_TAG = re.compile(rf"</?(?:{'|'.join(sorted(BLOCKS))}){ATTRIBUTE_LIST}>")
LINE_TAG = re.compile(rf"<br{ATTRIBUTE_LIST}>")
CELL_END = re.compile(r"</t[dh]>")
TAG = re.compile(r"</?[a-z0-9]*+[^<>\"]*+(?:\"[^\"]*+\"[^<>\"]*+)*+>")
"""A tag of sanitised HTML: attributes are in double quotes."""
ANY_TAG = re.compile(r"<[^<>]*>")
"""A tag of unsanitised HTML: attributes are not looked into, so that no quote can make the search long."""
LONG_REFERENCE = re.compile(r"&#[0-9]{30,}+;?")
"""A reference by a number that no character has; Python refuses more than 4,300 digits."""
INLINE_SPACES = re.compile(r"[ \t\r\f\v]*[\n\t\r\f\v][ \t\n\r\f\v]*|  +")
"""Runs that collapse to one space; single spaces, which are most, are not matched."""


def paragraphs_of(text: str) -> list[str]:
    """The paragraphs of plain text, which blank lines part; each without the space around it."""
    paragraphs: list[str] = []
    lines: list[str] = []
    # Line by line: an expression for a blank line would go over the spaces before it again and again.
    for line in text.split("\n"):
        if line and not line.isspace():
            lines.append(line)
        elif lines:
            paragraphs.append("\n".join(lines).strip())
            lines = []
    return [*paragraphs, "\n".join(lines).strip()] if lines else paragraphs


def unescaped(text: str) -> str:
    """The text with its character references decoded; one of a number that no character has becomes U+FFFD."""
    if "&" not in text:
        return text
    # What sanitised HTML has most of; neither begins or completes another reference.
    text = text.replace("&lt;", "<").replace("&gt;", ">")
    return html.unescape(LONG_REFERENCE.sub("\ufffd", text) if "&#" in text else text)


def plain(clean_html: str) -> str:
    """The plain text of sanitised HTML, blocks parted by a blank line."""
    if not clean_html:
        return ""
    if "\n" in clean_html or "\t" in clean_html or "  " in clean_html or "\r" in clean_html or "\f" in clean_html:
        clean_html = INLINE_SPACES.sub(" ", clean_html)
    text = BLOCK_TAG.sub("\n\n", clean_html)
    if "<" in text:
        text = TAG.sub("", CELL_END.sub("\t", LINE_TAG.sub("\n", text)))
    text = unescaped(text)
    text = "\n".join([line.strip(" \t") for line in text.split("\n")])
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return closed_bidi(text.strip("\n"))
