"""What a text ends with that is not part of it: initials of desk staff, an agency's mark, an end mark. Pure."""

import re

from ingest.formats.copy.desks.notes import is_end_mark
from ingest.formats.copy.endings import closers
from ingest.formats.copy.names.people import AGENCIES, is_agency, is_initials

MAX_LINE = 80

_SLASHED = r"[^\W\d_]{2,4}(?:\s?/\s?[^\W\d_]{1,5}){1,6}"
_AT_END = re.compile(
    rf"(?<=[.!?…)\]\"”“»'’:])\s+(?:{_SLASHED}|[(\[](?:{_SLASHED}|(?-i:[a-zäöüß]{{2,4}}))[)\]]|/(?-i:[a-z]{{2,4}}))\s*[.]?$|\s+[(\[]{_SLASHED}[)\]][.]?$"
)
"""Initials behind the last sentence: `... said. ab/cd/ef`, `... said. (abc)`."""
_ENDED = re.compile(
    r"(?<=[.!?…\"”»])\s+(?:Enditem|ENDITEM|ENDS|END|Ends|/?Fim|FIM|Ende|ENDE|[(\[](?:END|Ende|Schluss|Fin|Fim|more|MORE|Forts\.?)[)\]]|-30-|#{1,3})$"
)
_MARKED_END = re.compile(
    r"(?<=[.!?…\"”»])\s*[(/©]{0,2}[A-Z][A-Za-z]{1,8}(?:[-/][A-Z][A-Za-z]{1,8})?[)/]{0,2}\.?$|(?<=[.!?…\"”»])\s+/[a-zæøå]{3,10}/$"
)
"""An agency's mark behind the last sentence: `... lo celebró. EFE`."""
_SLASHED_IN_LINE = re.compile(rf"(?<=\))\s+{_SLASHED}$")
_MARK = re.compile(r"[©(/\[\s=–—-]*+[^\W_][\w .&/,-]{0,50}[)/\]\s.]*")
_AGENCY_CLOSER = re.compile(r"[\W_]*[a-zäöüß]{2,12}(?:[\s/_-]+[a-z0-9äöüß]{1,8}){1,10}[\W_]*")
_DPA_INFOCOM = re.compile(
    r"[\W_]*(?:©\s?)?(?:dpa-infocom|dpa)[\s,]*dpa:\d{6}-\d{1,3}-\d{3,}(?:[\d/]*)[\W_]*|[\W_]*©\s?dpa-infocom.{0,40}",
    re.IGNORECASE,
)
_COPYRIGHT_LINE = re.compile(
    r"[\W_]*(?:©|\(c\)|copyright(?:\s?(?:©|\(c\)))?)\s?(?:\d{4}\s?)?[\w .,&/-]{2,40}(?:\d{4})?[\W_]*", re.IGNORECASE
)
_COPYRIGHT_NOTICE = re.compile(r"[\W_]{0,3}(?:©|\(c\)\s?\d{4}|copyright\s+(?:©\s?|\(c\)\s?)?\d{4})", re.IGNORECASE)
_LONGEST_NOTICE = 400
_MEDIA_MARKS = re.compile(
    r"(?:[\W_]*(?:fotos?|v[ií]deos?|photos?|pictures?|pix|bilder?|grafik|graphics?|infograf[ií]a|infographie|audio|mapa|karte|kart)[\W_]*){1,5}",
    re.IGNORECASE,
)
_STAMPED = re.compile(r"[\W_]*(?:ap|afp|upi|rtr|kyodo)[\s-].{0,30}\d{4}\s?(?:gmt|est|edt|utc)?[\W_]*", re.IGNORECASE)


def is_sign_off(words: str, *, is_block: bool = True) -> bool:
    """Whether the last line of a text is only for desks: initials, an agency's closing line, an end mark.

    A line that is no block of its own may be of a poem or a list: a short word alone is no sign-off there.
    """
    if not words or len(words) > MAX_LINE:
        return (len(words) <= _LONGEST_NOTICE and _COPYRIGHT_NOTICE.match(words) is not None) or closers.is_closer(
            words, is_block=is_block
        )
    words = words.replace("\\/", "/")
    if not any(letter.isalnum() for letter in words) or _MEDIA_MARKS.fullmatch(words):
        return True
    if is_end_mark(words) or _DPA_INFOCOM.fullmatch(words) or _STAMPED.fullmatch(words):
        return True
    if is_agency_mark(words):
        return True
    if is_initials(words):
        return is_block or not words.isalpha()
    return _is_closer(words) or closers.is_closer(words, is_block=is_block)


def _is_closer(words: str) -> bool:
    """dpa's and others' closing line: `dpa ab yyzz n1 cd`, `ab/dpa`, `dpa/lby ef`."""
    head, _, rest = words.strip("*#. ").partition(" ")
    if words.lower() != words and not words.isupper() and not (is_agency(head) and _is_code(rest)):
        return False
    if not _AGENCY_CLOSER.fullmatch(words.lower()):
        return False
    parts = [part for part in re.split(r"[\s/_-]+", words.strip(" .*#()[]").casefold()) if part]
    return any(part in AGENCIES for part in (parts[0], parts[-1])) and all(len(part) <= 8 for part in parts)


def _is_code(rest: str) -> bool:
    """Desks and initials behind an agency's name: `ab cd`, `RTV ar`."""
    return rest.islower() or (rest[-1:].islower() and all(len(part) <= 4 for part in rest.split()))


def is_agency_mark(words: str) -> bool:
    """Whether a line is only an agency's mark: `/ritzau/`, `(©NTB)`, `TT-AFP`, `© 2026 AFP`."""
    if len(words) > 60 or (not _MARK.fullmatch(words) and not _COPYRIGHT_LINE.fullmatch(words)):
        return False
    bare = bare_mark(words)
    return bool(bare) and is_agency(bare)


def bare_mark(words: str) -> str:
    """The agency that a mark names: `NTB` of `(©NTB)`."""
    return re.sub(r"©|\(c\)|copyright|\d{4}", " ", words, flags=re.IGNORECASE).strip(" ()[]/.,=–—-")


def initials_at_end(words: str) -> str:
    """The initials that a line of text ends with; empty where there are none."""
    if said := closers.behind(words):
        return said
    tail = words[-60:]
    last = tail.rpartition(" ")[2]
    if not last[:1].isupper() and not last[-2:].isupper() and not any(sign in last for sign in "/)]©#-"):
        return ""
    if (ended := _ENDED.search(tail)) is not None:
        return ended.group(0)
    found = _AT_END.search(tail) or _SLASHED_IN_LINE.search(tail)
    if found is None:
        marked = _MARKED_END.search(tail)
        return marked.group(0) if marked is not None and is_agency(marked.group(0)) else ""
    said = found.group(0)
    bare = said.strip(" ()[]./").casefold()
    return "" if bare in _WORDS or (is_agency(bare) and "/" not in bare) else said


_WORDS = frozenset(
    {
        "and/or",
        "und/oder",
        "et/ou",
        "y/o",
        "e/o",
        "w/o",
        "n/a",
        "he/she",
        "her/his",
        "km/h",
        "ja",
        "nein",
        "yes",
        "no",
        "sic",
        "red",
        "lacht",
        "fdp",
        "spd",
        "cdu",
        "csu",
    }
)
