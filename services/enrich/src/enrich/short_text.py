"""Short plain text: one line without control characters, cut to its limit; slugs."""

import re
from itertools import islice

from anyascii import anyascii

LONGEST_NAME = 200
"""Characters of the name of an author, a tag or a keyword: the longest of real copy has 80."""
LONGEST_CODE = 200
"""Of a code that a source gives a subject."""
MOST_REPAIRS = 50
"""That travel with a revision; each with `LONGEST_DETAIL` characters of where and what was found."""
LONGEST_DETAIL = 300
CONTROLS = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\ufdd0-\ufdef\ufeff\ufffe\uffff"
    + "".join(f"{chr(p * 0x10000 + 0xFFFE)}-{chr(p * 0x10000 + 0xFFFF)}" for p in range(1, 17))
    + "]"
)
"""Control characters and noncharacters: no text, and errors in HTML and XML. Joiners, soft hyphens and marks of direction stay."""
ASCII_CONTROLS = {code: None for code in range(128) if CONTROLS.match(chr(code))}
SPACES = re.compile(r" ?[\t\n\r\f\x0b\x85][ \t\n\r\f\x0b\x85]*|  +[\t\n\r\f\x0b\x85]*[ \t\n\r\f\x0b\x85]*")
BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
MOST_MARKS = 10_000
"""Marks of direction of a text: each that is left open makes it longer."""
UNSPACED = re.compile(
    r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\U00020000-\U0003fffd]"
)
"""Scripts that are written without spaces: Han, kana, Thai, Lao, Burmese, Khmer. Each character counts."""
SLUG_LENGTH = 80


def tidy(value: str) -> str:
    """One line of plain text: control characters out, runs of spaces to one. Quotes, dashes and non-breaking spaces stay as sent."""
    if value.isascii() and value.isprintable() and "  " not in value:
        return value.strip(" ")
    return closed_bidi(SPACES.sub(" ", without_controls(value)).strip(" "))


def line_of(value: str, most: int) -> str:
    """One line of plain text, as `tidy` makes it, of at most `most` characters."""
    line = tidy(value)
    if len(line) <= most:
        return line
    line = closed_bidi(cut(line, most))
    return line if len(line) <= most else BIDI.sub("", line)


def without_controls(value: str) -> str:
    """Without control characters and noncharacters."""
    return value.translate(ASCII_CONTROLS) if value.isascii() else CONTROLS.sub("", value)


def closed_bidi(value: str) -> str:
    """Close what marks of direction were left open, so that they turn no text but their own; of too many none stays."""
    marks = [] if value.isascii() else [found[0] for found in islice(BIDI.finditer(value), MOST_MARKS + 1)]
    if not marks:
        return value
    if len(marks) > MOST_MARKS:
        return BIDI.sub("", value)
    open_marks: list[str] = []
    for mark in marks:
        if mark in "\u202a\u202b\u202d\u202e":
            open_marks.append("\u202c")
        elif mark in "\u2066\u2067\u2068":
            open_marks.append("\u2069")
        elif open_marks and open_marks[-1] == mark:
            open_marks.pop()
    return value + "".join(reversed(open_marks))


def slug_of(headline: str) -> str:
    """The headline's words for a URL, transliterated; `update` where nothing is left."""
    head = headline[: SLUG_LENGTH * 4]
    words = re.sub(r"[^a-z0-9]+", "-", (head if head.isascii() else anyascii(head)).lower().replace("'", "")).strip("-")
    if len(words) > SLUG_LENGTH:
        cut = words.rfind("-", SLUG_LENGTH // 2, SLUG_LENGTH + 1)
        words = words[: cut if cut > 0 else SLUG_LENGTH].strip("-")
    return words or "update"


def cut(text: str, most: int) -> str:
    """The text, cut between words where it is longer than `most` characters, with an ellipsis that counts."""
    if len(text) <= most:
        return text
    end = text.rfind(" ", most // 2, most)
    return text[: end if end > 0 else most - 1].rstrip() + "…"
