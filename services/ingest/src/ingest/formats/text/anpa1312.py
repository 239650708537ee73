"""ANPA 1312 (ANPA 84-2), the text message of American agencies.

`SYN SYN SOH service+number US selector, priority category format keyword date words, STX text ETX`. Lines that begin
with `^` are headlines, notes and bylines, lines that begin with a tab are paragraphs; paired accents and apostrophes
are quotation marks, a lone underscore is a dash. A message is known by its service, number and date.
"""

import re
from datetime import UTC, datetime

from ingest.formats import vocabularies
from ingest.formats.copy import repeats
from ingest.formats.fields import UpdateFields
from ingest.formats.model import Document, Draft, Format, Parsed, RefusedItem
from ingest.formats.text import plain as text
from ingest.formats.text import teleprinter

_HEAD = re.compile(rb"^[\x00\x16\s]*\x01\s*[A-Za-z]\d{4}\x1f?")
_UNFRAMED = re.compile(r"^\s*[A-Za-z]\d{4}\x1f?[\w\-]*\n[a-z] [a-z][^\n]{0,100}\d\d-\d\d +\d{0,4}")
_FIRST = re.compile(r"^[\s\x16]*([A-Za-z])(\d{4})\x1f?([^\n]*)(?:\n|$)")
_PRIORITY = re.compile(r"[\s\x10-\x1f]*([A-Za-z])\s+([A-Za-z])(?=[\s\x10-\x1f])")
_DATE = re.compile(r"(?<![^\s\x10-\x1f])(\d{1,2})-(\d{1,2})(?:\s+(\d{0,5}))?$")
_STAMP = re.compile(r"\b[A-Za-z]{2}-[A-Za-z]{2}-(\d{1,2})-(\d{1,2})-(\d{2})\s+(\d{2})(\d{2})\s*GMT")
_VERSION = re.compile(r"\b(?:\d(?:st|nd|rd|th)\s?Ld|Writethru|Update|Adv\d*)\b", re.IGNORECASE)
_NOTE = re.compile(r"^\(?(?:Eds?\.?:|EDITOR'?S'? NOTE|Editors:|Note to)", re.IGNORECASE)
_PRIORITIES = {"f": 1, "b": 2, "u": 3, "r": 4, "d": 5, "a": 6, "s": 6, "w": 6, "z": 5, "x": 6, "y": 6}


def recognise(document: Document) -> int:
    """Sure of a one-letter service and four digits after SOH."""
    if _HEAD.match(document.body[:40]):
        return 85
    return 60 if _UNFRAMED.match(document.head.replace("\r\n", "\n")) else 0


def read(document: Document) -> Parsed:
    """One draft for each message."""
    items: list[Draft | RefusedItem] = []
    for index, message in enumerate(teleprinter.messages(document)):
        place = f"message {index + 1}"
        first = _FIRST.match(message)
        if first is None:
            items.append(RefusedItem(code="malformed-header", place=place, reason="no service letter and number"))
        elif teleprinter.STX in message and teleprinter.ETX not in message:
            items.append(RefusedItem(code="truncated", place=place, reason="the text has no end (ETX)"))
        else:
            items.append(_draft(place, first, message, document))
    return Parsed("anpa1312", items)


def _draft(place: str, first: re.Match[str], message: str, document: Document) -> Draft:
    draft = Draft(place=place)
    fields = draft.fields
    rest = message[first.end() :]
    header, framed, content = rest.partition(teleprinter.STX)
    if not framed:
        header, _, content = rest.partition("\n")
    content, _, after = content.partition(teleprinter.ETX)
    extra: dict[str, object] = {"service": first.group(1), "number": first.group(2)}
    if selector := text.cleaned(first.group(3)).strip():
        extra["selector"] = selector
    month = day = ""
    if second := _second(header[:600]):
        priority, category, keyword, month, day, count = second
        fields["urgency"] = document.profile.urgencies.get(priority) or _PRIORITIES.get(priority.lower(), 5)
        subject = vocabularies.subject("subject", code=f"a1312cat:{category.lower()}")
        fields["subjects"] = [subject] if subject else []
        fields["slugline"] = text.one_line(text.cleaned(keyword))
        if count:
            extra["words"] = int(count)
    head, parts = _lines(_with_carets(content, fields.get("slugline", "")))
    above, listed = _read_head(fields, head)
    parts[:0] = [("h3", line) for line in above]
    if not parts and listed:
        # A list of headlines and nothing else: they are the text.
        parts = [("p", line) for line in listed]
        fields["summary"] = ""
    body = [words for _, words in parts]
    fields["body_html"] = "".join(_html(kind, words) for kind, words in parts)
    first_words = next((words for kind, words in parts if kind == "p"), "")
    fields["located"], fields["credit"] = teleprinter.dateline(_typeset(first_words))
    moment = _stamp(content + after)
    fields["version_created"] = fields["first_created"] = moment
    if _VERSION.search(fields.get("slugline", "")) or any(_VERSION.search(line) for line in head[:1]):
        fields["signal"] = "update"
    if moment is not None:
        fields["guid"] = f"anpa1312:{first.group(1).lower()}{first.group(2)}:{moment:%Y%m%d%H%M}"
    else:
        fields["guid"] = text.identity(first.group(1), first.group(2), month, day, fields.get("headline", ""), *body)
        draft.repaired("identity-from-text")
    fields["extra"] = extra
    draft.hints = {f"head:{number}": line for number, line in enumerate(head)}
    return draft


def _second(header: str) -> tuple[str, str, str, str, str, str | None] | None:
    """Priority, category, keyword, month, day and count of words, from the line that has them."""
    for line in header.split("\n"):
        bare = line.rstrip()
        first, last = _PRIORITY.match(bare), _DATE.search(bare)
        if first and last and first.end() <= last.start():
            keyword = bare[first.end() : last.start()].strip(" \t\r" + "".join(map(chr, range(0x10, 0x20))))
            return first.group(1), first.group(2), keyword, last.group(1), last.group(2), last.group(3)
    return None


_Parts = list[tuple[str, str]]
"""The text as HTML element and words."""


def _lines(content: str) -> tuple[list[str], _Parts]:
    """The lines of the head, and the text: a paragraph goes on until the next tab or an empty line, a table by lines.

    The head ends where the text begins; what is set like a headline after that stands above its part of the text.
    """
    head: list[str] = []
    parts: list[tuple[str, list[str]]] = []
    for line in _AGAIN.sub("<\n^", content).split("\n"):
        bare = text.cleaned(line.replace("\x08", " ").replace("\x10", " ")).strip("^<= \t")
        plain = text.one_line(bare)
        if line.lstrip(" ").startswith("^"):
            if _COLUMNS.search(bare):
                _row(bare, parts)
            elif plain and not _CODE.match(plain):
                if parts:
                    parts.append(("h3", [plain]))
                else:
                    head.append(plain)
        elif not plain or _STAMP.search(plain):
            continue
        elif _is_row(bare) or (line[:1] not in ("\t", "\x08") and _TABLE.search(bare)):
            _row(bare, parts)
        elif line[:1] in ("\t", "\x08") or not parts or parts[-1][0] != "p" or line.startswith("   "):
            parts.append(("p", [plain]))
        else:
            parts[-1][1].append(plain)
    return head, [(kind, ("\n" if kind == "pre" else " ").join(lines)) for kind, lines in parts]


def _cell(words: str) -> str:
    """A cell of a table: AP writes halves as `3{`, and `_` where there is nothing."""
    return "–" if words == "_" else _HALF.sub("½", _typeset(words))


_HALF = re.compile(r"(?<=\d)\{$|^\{$")


def _is_row(line: str) -> bool:
    """Whether a line is of columns parted by semicolons, however it is indented: no blank stands behind them, as in a sentence."""
    return line.count(";") > 2 and "; " not in line


def _html(kind: str, words: str) -> str:
    """A part as HTML; columns parted by semicolons are a table."""
    if (
        kind == "pre"
        and (rows := [line.split(";") for line in words.split("\n")])
        and all(len(row) > 2 for row in rows)
    ):
        cells = ("".join(f"<td>{text.escaped(_cell(cell.strip()))}</td>" for cell in row) for row in rows)
        return f"<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"
    return f"<{kind}>{text.escaped(_typeset(words))}</{kind}>"


def _row(line: str, parts: list[tuple[str, list[str]]]) -> None:
    """Add a line to a table, whose columns stay where they are."""
    if parts and parts[-1][0] == "pre":
        parts[-1][1].append(line.rstrip())
    else:
        parts.append(("pre", [line.rstrip()]))


_HEADS = 5
_LONGEST_HEAD = 120


def _with_carets(content: str, slugline: str) -> str:
    """The text with carets before the lines above it, where a sender has none: those at the margin, before a line that is indented."""
    if "^" in content:
        return content
    lines = content.lstrip("\n").split("\n")
    count = 0
    for line in lines[: _HEADS + 1]:
        if not line.strip() or line[:1] in " \t\x08" or len(line) > _LONGEST_HEAD or teleprinter.dateline(line)[0]:
            break
        count += 1
    begins = next((line for line in lines[count:] if line.strip()), "")
    is_head = 0 < count <= _HEADS and (begins[:1] in (" ", "\t", "\x08") or teleprinter.dateline(begins)[0])
    if not is_head:
        return content
    made = ["^" + line.rstrip().rstrip("+=<").rstrip() for line in lines[:count]]
    if len(made) > 1 and slugline and repeats.same(made[0], slugline):
        made.pop(0)
    return "\n".join((*made, *lines[count:]))


_AGAIN = re.compile(r"<[ \t]*\^")
_CODE = re.compile(r"\*\d{1,6}$")
_COLUMNS = re.compile(r"(?:;[^;]*){3}|\S {3,}\S+ {3,}\S")
_TABLE = re.compile(r"(?:;[^;]*){3}|\s[\d.,:+\-]{0,12}\d[.,{}]{0,2}\s+[\d.,:+\-]{0,12}\d[.,{}]{0,2}(?:\s|$)")
"""Two figures side by side."""
_TITLE = re.compile(
    r"\b(?:writer|editor|correspondent|reporter|columnist|critic|producer|staff|chief|bureau|press|news|times|post|journal|herald|tribune|ap)\b",
    re.IGNORECASE,
)


def _read_head(fields: UpdateFields, head: list[str]) -> tuple[list[str], list[str]]:
    """Slugline first, then headline, notes, summary, byline and its second line.

    Returned are the lines that stand above the text, and those that the summary was made of.
    """
    rest = list(head)
    left: list[str] = []
    if rest and (
        re.match(r"^(?:AM|PM|BC|AP|EX)-|^[A-Z]{2}--", rest[0]) or (len(rest) > 1 and re.search(r",\d+$", rest[0]))
    ):
        fields["slugline"] = re.sub(r",\d+$", "", rest.pop(0))
    notes = [line for line in rest if _NOTE.match(line)]
    rest = [line for line in rest if line not in notes]
    photos = [line for line in rest if re.match(r"^(?:AP|Eds?) Photos?\b", line)]
    rest = [line for line in rest if line not in photos]
    at = next((place for place, line in enumerate(rest) if teleprinter.is_byline(line)), None)
    if at is not None:
        end = at + 2 if _TITLE.search(" ".join(rest[at + 1 : at + 2])) else at + 1
        fields["byline"] = ", ".join(_typeset(line) for line in rest[at:end])
        left = rest[end:]
        rest = rest[:at]
    if rest:
        fields["headline"] = _typeset(rest[0])
    if len(rest) > 1:
        fields["summary"] = _typeset(" ".join(rest[1:]))
    if notes:
        fields["private_note"] = "\n".join(map(_typeset, notes))
    return left, rest[1:]


def _typeset(line: str) -> str:
    return line.replace("``", "\u201c").replace("''", "\u201d").replace(" _ ", " \u2014 ")


def _stamp(content: str) -> datetime | None:
    found = _STAMP.search(content[-400:])
    if found is None:
        return None
    month, day, year, hour, minute = (int(one) for one in found.groups())
    try:
        return datetime(2000 + year if year < 70 else 1900 + year, month, day, hour, minute, tzinfo=UTC)
    except ValueError:
        return None


FORMAT = Format(
    names=("anpa1312", "anpa"),
    media_types=("text/vnd.anpa.1312",),
    recognise=recognise,
    read=read,
    family="text",
)
