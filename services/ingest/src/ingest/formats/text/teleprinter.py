"""What the two text formats of the teleprinter age share: framing by control characters, headers, lines to paragraphs."""

import itertools
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from ingest.formats import charset
from ingest.formats.copy import places
from ingest.formats.copy.names import people
from ingest.formats.model import MAX_ITEMS, Document, Unreadable
from ingest.formats.text import plain as text
from shared.messages import Repair

MAX_CHARACTERS = 1024 * 1024
"""A message has a few thousand."""

MAX_LINES = 250_000
"""A day of a busy wire in one file has half as many."""

_FILL = {0x00: None, 0x7F: None}
"""NUL and DEL, which lines are filled with."""

SOH, STX, ETX, EOT = "\x01", "\x02", "\x03", "\x04"

_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
    "mär": 3, "mrz": 3, "mai": 5, "okt": 10, "dez": 12, "fév": 2, "avr": 4, "aoû": 8, "déc": 12, "ene": 1, "abr": 4,
    "ago": 8, "dic": 12,
}  # fmt: skip
_GROUP = re.compile(r"\b(\d{2})(\d{2})(\d{2})\s*(GMT|UTC|Z|[A-Z]{3,4})?\s+([A-Za-zäéû]{3})[a-z]*\.?\s+(\d{2,4})\b")
_DATELINE = re.compile(r"^\s*([^()\n]{2,60}?)\s*\(([A-Za-z][\w./ \-]{1,30})\)\s*(?:--|[-–—_:])\s")
_BYLINE = re.compile(r"^(?:by|von|par|por|av|af|door|di|de|od)\s+\S", re.IGNORECASE)
_NO_BYLINE = re.compile(
    r"^(?:de|di|von|av|af|par|por) (?:la|le|les|los|las|el|der|den|dem|het|en|et|il|i)\b", re.IGNORECASE
)
_OFFSETS = {
    "METD": 2, "CEST": 2, "MESZ": 2, "CET": 1, "MEZ": 1, "MET": 1, "BST": 1, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5,
    "PST": -8, "PDT": -7,
}  # fmt: skip
"""Hours east of UTC."""


def messages(document: Document) -> list[str]:
    """The messages of a transmission as text, each from its start of header to the next one's."""
    body = document.body
    claimed = document.declared_charset
    decoded, used, wrong = charset.decode(body, claimed, fallback=document.profile.charset)
    if wrong or (used not in ("utf-8", "ascii") and not claimed):
        document.repairs.append(Repair(code="charset-assumed", detail=(wrong or f"read as {used}")[:200]))
    if max(decoded.count(SOH), decoded.count(ETX)) > MAX_ITEMS:
        raise Unreadable("too-many-items", "", f"{decoded.count(SOH)} messages, {MAX_ITEMS} are permitted")
    if (lines := decoded.count("\n") + decoded.count("\r")) > MAX_LINES:
        raise Unreadable("too-large", "", f"{lines} lines, {MAX_LINES} are permitted")
    decoded = decoded.replace("\r\n", "\n").replace("\r", "\n").translate(_FILL)
    parts = decoded.split(SOH)[1:] if SOH in decoded else [decoded]
    if (longest := max(map(len, parts))) > MAX_CHARACTERS:
        raise Unreadable("too-large", "", f"a message of {longest} characters, {MAX_CHARACTERS} are permitted")
    found = [part for part in parts if part.strip(" \n\x16" + EOT)]
    if not found:
        raise Unreadable("empty", "", "there is no message in the transmission")
    return found


def split(message: str) -> tuple[str, str, str]:
    """Header, text and what follows it; without framing the first blank line ends the header."""
    header, framed, rest = message.partition(STX)
    if not framed:
        header, _, rest = message.partition("\n\n")
    content, _, end = rest.partition(ETX)
    return header.strip("\n\x16 "), content.strip("\n"), end.strip("\n\x16 " + EOT)


def time_group(value: str, default: tzinfo = UTC) -> datetime | None:
    """A date-time group, `212322 GMT Nov 18`: day, hour, minute, zone, month, year; without a zone it is in `default`."""
    found = None
    value = value if len(value) <= 400 else value[:200] + "\n\n" + value[-200:]
    for found in _GROUP.finditer(value):  # noqa: B007
        pass
    if found is None:
        return None
    day, hour, minute, zone, month, year = found.groups()
    number = _MONTHS.get(month.lower())
    if number is None:
        return None
    offset = timezone(timedelta(hours=_OFFSETS[zone])) if zone in _OFFSETS else UTC if zone else default
    try:
        return datetime(
            int(year) + (2000 if len(year) == 2 else 0), number, int(day), int(hour), int(minute), tzinfo=offset
        )
    except ValueError:
        return None


LEAST_ROWS = 2
LEAST_COLUMNS = 3
LONGEST_CELL = 80


def body_html(body: str) -> str:
    """A text as HTML: lines in a row whose columns are parted by semicolons or bars are a table, the rest paragraphs."""
    if "|\n" not in body:
        return _without_bars(body)
    made: list[str] = []
    at = 0
    for found in _BARS.finditer(body):
        rows = (
            _row(line.strip().strip("|").split("|"))
            for line in found.group().strip().split("\n")
            if not _RULE.fullmatch(line)
        )
        made += (_without_bars(body[at : found.start()]), f"<table>{''.join(rows)}</table>")
        at = found.end()
    return "".join((*made, _without_bars(body[at:])))


def _row(cells: list[str]) -> str:
    inner = "".join(f"<td>{text.escaped(cell.strip())}</td>" for cell in cells)
    return f"<tr>{inner}</tr>"


def _without_bars(body: str) -> str:
    if body.count(";") < LEAST_ROWS * (LEAST_COLUMNS - 1):
        return text.paragraphs(body)
    tables: dict[int, str] = {}
    made: list[str] = []
    for columns, lines in itertools.groupby(body.split("\n"), key=_columns):
        run = list(lines)
        if columns and len(run) >= LEAST_ROWS:
            tables[len(made)] = f"<table>{''.join(_row(line.split(';')) for line in run)}</table>"
            made.append("")
        elif made and len(made) - 1 not in tables:
            made[-1] += "\n" + "\n".join(run)
        else:
            made.append("\n".join(run))
    return "".join(tables.get(at) or text.paragraphs(each) for at, each in enumerate(made))


_BARS = re.compile(r"(?m)(?:^[ \t]*+\|[^\n]*\|[ \t\r]*(?:\n|\Z)){2,}")
"""Rows as Markdown has them: `| Oslo | 23 | 13 |`."""
_RULE = re.compile(r"[ \t]*\|[ \t]*:?-{3,}:?[ \t]*(?:\|[ \t]*:?-{3,}:?[ \t]*)*\|[ \t\r]*")


def _columns(line: str) -> int:
    """How many columns a line has; 0 where it is no row of a table."""
    cells = line.rstrip("; \r").split(";")
    return len(cells) if len(cells) >= LEAST_COLUMNS and all(len(cell) <= LONGEST_CELL for cell in cells) else 0


def dateline(body: str) -> tuple[str, str]:
    """Place and agency of the first paragraph that begins with one: `Geneva (dpa) - ...`."""
    for line in body.split("\n")[:12]:
        if found := _DATELINE.match(line[:200]):
            return text.one_line(found.group(1)), text.one_line(found.group(2))
        if place := places.of_text(line.strip()[:200]):
            return place, places.agency_of(line.strip()[:200])
    return "", ""


def is_byline(line: str) -> bool:
    """Whether a line of the head is a byline."""
    if _BYLINE.match(line) is None or len(line) >= 120 or _NO_BYLINE.match(line):
        return False
    return people.kind_of_name(line.partition(" ")[2].partition(",")[0].rstrip(" =+")) != "code"
